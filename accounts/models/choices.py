"""What a choice is called, for rows that are drawn by the hundred."""

from functools import lru_cache
from typing import Any

from django.db import models
from django.utils.encoding import force_str


class Choosing(models.Model):
    """A row with choices, whose `get_…_display` costs nothing to speak of.

    Django's own makes a dictionary of all choices and their translations each time it is asked.
    """

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: Any) -> Any:
        return force_str(_find_label(field, getattr(self, field.attname)), strings_only=True)


@lru_cache(maxsize=500)
def _find_label(field: Any, value: object) -> object:
    """The word, not yet in a language; a value that is none of the choices stands for itself."""
    return dict(field.flatchoices).get(value, value)
