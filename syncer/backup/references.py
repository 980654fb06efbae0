"""Rows by what kintone, AWS and Entra ID call them: a settings file never holds a number of ours."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model
from django_celery_beat.models import CrontabSchedule, IntervalSchedule

from accounts.models import Account, OrganizationalUnit, Person, Principal, Shortcut, User

NATURAL: Mapping[type[Model], str] = {
    Account: "account_id",
    OrganizationalUnit: "ou_id",
    Principal: "principal_id",
    User: "username",  # the object id in Entra ID
    Shortcut: "slug",
    Person: "principal__principal_id",
}
# What people call them: said beside the name.
_SAID: Mapping[type[Model], str] = {
    Account: "name",
    OrganizationalUnit: "name",
    Principal: "name",
    User: "display_name",
    Person: "name",
}
_WHEN = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")


def _name_record(row: Any) -> str:
    return f"{row.app_id}:{row.record_id}"


def _name_interval(row: Any) -> str:
    return f"{row.every} {row.period}"


def _name_crontab(row: Any) -> str:
    """As crontab has it, with the zone behind."""
    return " ".join(str(getattr(row, field)).replace(" ", "") for field in _WHEN)


def _make_interval(text: str) -> Model:
    every, period = text.split()
    row: Model = IntervalSchedule.objects.get_or_create(every=int(every), period=period)[0]
    return row


def _make_crontab(text: str) -> Model:
    row: Model = CrontabSchedule.objects.get_or_create(**dict(zip(_WHEN, text.split(), strict=True)))[0]
    return row


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "accounts.Record": _name_record,
    "django_celery_beat.IntervalSchedule": _name_interval,
    "django_celery_beat.CrontabSchedule": _name_crontab,
}
# Nobody else makes these: they are made when they are named.
_MAKERS: Mapping[str, Callable[[str], Model]] = {
    "django_celery_beat.IntervalSchedule": _make_interval,
    "django_celery_beat.CrontabSchedule": _make_crontab,
}


class Names:
    """Both ways between rows and names; each table is read once, at its first question."""

    def __init__(self) -> None:
        self._by_pk: dict[type[Model], dict[int, str]] = {}
        self._by_name: dict[type[Model], dict[str, int]] = {}
        self._said: dict[type[Model], dict[str, str]] = {}

    def name_of(self, model: type[Model], pk: int) -> str | None:
        """None for a row that bears no name outside, such as a person whom Identity Center does not know."""
        if model not in self._by_pk:
            self._by_pk[model] = _load(model)
        return self._by_pk[model].get(pk)

    def find(self, model: type[Model], name: str) -> int | None:
        """The number of the row of this name. Raises ValueError where the name is none."""
        if model not in self._by_name:
            self._by_name[model] = {name: pk for pk, name in _load(model).items()}
        known = self._by_name[model]
        if name not in known and (make := _MAKERS.get(model._meta.label)):
            known[name] = make(name).pk
        return known.get(name)

    def say(self, model: type[Model], name: str) -> str:
        """The name with what people call the row: an id says nothing to whoever reads it."""
        if model not in self._said:
            field = _SAID.get(model)
            rows = model._default_manager.all()
            self._said[model] = dict(rows.values_list(NATURAL[model], field)) if field else {}
        said = self._said[model].get(name)
        return f"{name} ({said})" if said else name

    def forget(self, model: type[Model]) -> None:
        """Rows of this table were added."""
        self._by_pk.pop(model, None)
        self._by_name.pop(model, None)
        self._said.pop(model, None)


def _load(model: type[Model]) -> dict[int, str]:
    rows = model._default_manager.all()
    if field := NATURAL.get(model):
        return {pk: name for pk, name in rows.values_list("pk", field) if name}
    write = _WRITTEN[model._meta.label]
    return {row.pk: write(row) for row in rows.only(*_FIELDS[model._meta.label])}


_FIELDS: Mapping[str, tuple[str, ...]] = {
    "accounts.Record": ("app_id", "record_id"),
    "django_celery_beat.IntervalSchedule": ("every", "period"),
    "django_celery_beat.CrontabSchedule": _WHEN,
}
