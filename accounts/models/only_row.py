"""What an admin sets for everybody, in one row."""

from typing import Self

from django.db import models


class OnlyRow(models.Model):
    """The row whose key is 1; until somebody saves it, what it says as it comes. Each table has a constraint for it."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def load(cls) -> Self:
        return cls._default_manager.filter(pk=1).first() or cls(pk=1)
