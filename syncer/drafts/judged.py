"""Whether a record's newest revision has been judged by its own writer, so that a write of the portal may go onto it.

Otherwise what somebody wrote by hand a moment ago would be judged as the word of whoever saves in the portal next.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from accounts.judgement import name_value
from accounts.models import AppKind, PortalWrite, PrincipalLink, Record, User, Withheld
from accounts.names import fold
from accounts.withholding import confirm, may_confirm
from syncer.drafts import drafting
from syncer.drafts.merging import find_added, is_same

_SOURCES = {"users": "kintone_user", "more_users": "address", "groups": "group_name"}
_IN_FORCE = {"users": "kintone_user", "addresses": "address", "groups": "group_name"}


def is_judged(record: Record, author: User, own: Collection[str] = ()) -> bool:
    """A run has looked at the revision, and whoever it names is in force or withheld, or among `own`.

    A record that never was in force names nobody yet: whoever mends it answers for all of it, as in kintone. What
    `author` himself has saved since the last look is his word anyway.
    """
    if _is_word_of(author, record):
        return True
    if not record.is_settled:
        return False
    if record.kind != AppKind.ASSIGNMENT or record.in_force is None or record.is_in_force:
        return True
    written = frozenset(_iter_names(drafting.read_record(record), _SOURCES)) - set(own)
    known = frozenset(_iter_names(record.in_force, _IN_FORCE))
    open_names = written - known - {value[1:] for value in _load_withheld(record)}
    return not open_names or _mean_the_same(open_names, known)


def _is_word_of(author: User, record: Record) -> bool:
    """Whether everything since the revision in force was saved by him. Moves to a twin and what is put back are judged
    by themselves.

    Of the revisions between kintone tells no times; each was written onto one for which this held.
    """
    since = record.in_force_revision or 0
    writes = PortalWrite.objects.filter(
        app_id=record.app_id, record_id=record.record_id, user=author, keeps_access=False,
        puts_back__isnull=True,
        revision__gt=since, revision__lte=record.revision,
    )  # fmt: skip
    return 0 < record.revision - since == sum(write.is_of(record) for write in writes)


def _mean_the_same(names: Collection[str], known: Collection[str]) -> bool:
    """Whether all of them are people and groups in force, under other names."""
    keys = {tuple(name.partition(":")[::2]) for name in (*names, *known)}
    links = PrincipalLink.objects.filter(key__in={key for _source, key in keys})
    meant = {f"{source}:{key}": principal for source, key, principal in links.values_list("source", "key", "principal")}
    in_force = {meant[name] for name in known if name in meant}
    return all(meant.get(name) in in_force for name in names)


def _iter_names(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    for field, source in sources.items():
        yield from (name_value(source, fold(name)) for name in values.get(field, ()))


def _load_withheld(record: Record) -> frozenset[str]:
    return frozenset(Withheld.objects.filter(record=record).values_list("value", flat=True))


def find_withheld_codes(record: Record) -> frozenset[str]:
    """The folded kintone codes of people who are written in the record and not in force."""
    waiting = record.withheld.filter(confirmed_at__isnull=True, value__startswith=_WITHHELD_CODE)
    return frozenset(value.removeprefix(_WITHHELD_CODE) for value in waiting.values_list("value", flat=True))


_WITHHELD_CODE = "+kintone_user:"


def find_withheld_fields(record: Record) -> frozenset[str]:
    """The fields of a set's record whose contents are written and not in force."""
    if record.kind != AppKind.PERMISSION_SET:
        return frozenset()
    waiting = record.withheld.filter(confirmed_at__isnull=True).values_list("value", flat=True)
    return frozenset(_field_of(value) for value in waiting)


# --- What an author says himself --------------------------------------------------------------------------------------


def find_own_names(base: Mapping[str, Any], values: Mapping[str, Any]) -> frozenset[str]:
    """The people and groups that a draft adds, as judging names them."""
    return frozenset(
        name_value(source, fold(name))
        for field, source in _SOURCES.items()
        if field in values
        for name in find_added(field, base.get(field, []), values[field])
    )


def confirm_own(record: Record, author: User, base: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """What was withheld from others and what he writes anew himself is in force by his word, if he may say so."""
    waiting = list(Withheld.objects.filter(record=record, confirmed_at__isnull=True).select_related("record"))
    own = _find_own(record, base, values) if waiting else frozenset()
    for row in waiting:
        is_his = row.value in own or (record.kind == AppKind.PERMISSION_SET and _field_of(row.value) in own)
        if is_his and may_confirm(author, row):
            confirm(row, author)


def _find_own(record: Record, base: Mapping[str, Any], values: Mapping[str, Any]) -> frozenset[str]:
    """The edits as judging names them, and the fields. Of a set only contents that he writes as they stand there."""
    if record.kind == AppKind.PERMISSION_SET:
        written = drafting.read_record(record)
        values = {
            name: value for name, value in values.items()
            if name == "owners" or is_same(name, value, written.get(name, ""))
        }  # fmt: skip
    return frozenset(_iter_own(base, values))


def _field_of(value: str) -> str:
    """Contents of a set's field are named by their digest; what is withheld of a field is what stands in it now."""
    return value[1:].partition(":")[0]


def _iter_own(base: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """The edits as judging names them, and the names of the fields that were edited."""
    for field, value in values.items():
        before = base.get(field, value)
        if is_same(field, before, value):
            continue
        yield field
        if isinstance(value, list):
            source = _SOURCES.get(field, "owner")
            yield from (f"+{name_value(source, fold(name))}" for name in find_added(field, before, value))
            yield from (f"-{name_value(source, fold(name))}" for name in find_added(field, value, before))
        elif field == "expires_on":
            yield from (f"{sign}{name_value('expires_on', value or 'never')}" for sign in "+-")
    if {"account_id", "permission_set"} & values.keys():
        both = {**base, **values}
        place = f"{both.get('account_id', '')}/{both.get('permission_set', '')}"
        yield f"+{name_value('place', place)}"
