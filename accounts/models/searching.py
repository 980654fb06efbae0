"""The column that a row is found by, made of the row's own words whenever it is written.

`save`, `create` and `bulk_create` fill it. `bulk_update` cannot: it writes what stands in the row, so whoever writes a
name in bulk writes `search_key` with it, after `refold`. It has no index: a word is found in the middle of a name,
which on plain PostgreSQL and SQLite no index helps with, and 20,000 rows are read in a few milliseconds.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models

from accounts.search import build_key

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]  # Django's fields are generic for the type checker only
else:
    _TextField = models.TextField


class SearchKeyField(_TextField):
    """`of` names the fields whose text the row is found by, the most telling first."""

    def __init__(self, *, of: Sequence[str] = (), **options: Any) -> None:
        self.of = tuple(of)
        super().__init__(**options | _OPTIONS)

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        return name, path, arguments, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = build_key(str(getattr(model_instance, name) or "") for name in self.of)
        setattr(model_instance, self.attname, key)
        return key


_OPTIONS: dict[str, Any] = {"editable": False, "default": "", "blank": True}


class Searchable(models.Model):
    """A row with a `search_key`, which follows its words also where only some fields are saved."""

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields is not None:
            update_fields = with_search_key(type(self), set(update_fields))
        super().save(*args, update_fields=update_fields, **options)


def with_search_key(model: type[models.Model], fields: Collection[str]) -> Collection[str]:
    """The fields that are written, with the key where it is made of one of them."""
    return {*fields, "search_key"} if not set(_find_field(model).of).isdisjoint(fields) else fields


def refold(rows: Iterable[models.Model]) -> None:
    """Bring the keys of rows up to date before they are written in bulk."""
    for row in rows:
        _find_field(type(row)).pre_save(row, add=False)


def _find_field(model: type[models.Model]) -> SearchKeyField:
    return next(field for field in model._meta.concrete_fields if isinstance(field, SearchKeyField))
