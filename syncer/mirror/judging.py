"""What judging needs, from rows, and what came of it, into rows.

Only records that have something to judge are looked at: a revision that no run has judged, or values that are withheld.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.judgement import PutBack
from accounts.models import (
    AppKind,
    Draft,
    Person,
    PortalWrite,
    Record,
    Stop,
    User,
    Withheld,
)
from accounts.names import clean, fold
from accounts.owner_register import load_register
from accounts.rulebook import load_former, load_rules, load_tags
from accounts.set_reach import load_places
from syncer.cases import Case, Gone, Judge, Ruling, Signature, Undone
from syncer.mirror.policy_texts import load_texts
from syncer.mirror.records import read_fields, wish_as_json
from syncer.mirror.versions import note_versions
from syncer.models import AppState
from syncer.records.parsing import (
    Fields,
    Notes,
    as_fields,
    parse_permission_set,
    read_assignment,
    read_codes,
    read_text,
)
from syncer.states import Actual, AssignmentWish, PolicyReference, Reason, SetWish

_BATCH = 500
COMMAND = "manage.py"  # who acts where no user of the portal does: as an admin
Codes = Mapping[str, Mapping[str, str]]
"""App → our name of a field → kintone's code of it."""


# --- Rows → values ----------------------------------------------------------------------------------------------------


def load_judge(actual: Actual) -> Judge:
    """Everything that the records of this run are judged by."""
    codes = {state.kind: state.fields for state in AppState.objects.all()}
    cases = _load_cases(codes)
    wishes = [wish for case in cases.values() for wish in (case.wish, case.in_force) if isinstance(wish, SetWish)]
    names = {wish.name for wish in wishes}
    gone = _load_gone(names, codes.get(AppKind.PERMISSION_SET, {})) if names else {}
    return Judge(
        register=load_register(),
        cases=cases,
        places=load_places(names) if names else {},
        gone=gone,
        texts=_load_texts([*wishes, *(each.wish for each in gone.values())], actual) if names else {},
        admins=_load_admins(),
        locked=_load_locked(),
        codes=_load_codes(),
        there=actual.assignments,
        unread=tuple(item.scope for item in actual.unresolved if item.blocks == "all"),
        rules=load_rules(),
        tags=load_tags(),
        former=load_former(),
    )


def _load_texts(wishes: Collection[SetWish], actual: Actual) -> dict[str, str]:
    """What those AWS managed policies say that these sets have, or had, as far as it is known."""
    there = (actual.sets[wish.name].definition for wish in wishes if wish.name in actual.sets)
    named = {policy for wish in wishes for policy in wish.managed_policies}
    return load_texts(named.union(*(definition.managed_policies for definition in there if definition)))


def _load_locked() -> frozenset[str]:
    """Whoever is locked out: an owner whose sign-in was stolen must let in nobody else."""
    stops = Stop.objects.active().of_kind(Stop.Kind.LOCK_OUT).filter(principal__principal_id__isnull=False)
    return frozenset(filter(None, stops.values_list("principal__principal_id", flat=True)))


def _load_admins() -> frozenset[str]:
    """Admins of the portal are known from their first sign-in on."""
    users = User.objects.filter(is_staff=True, is_active=True, person__principal__principal_id__isnull=False)
    return frozenset(filter(None, users.values_list("person__principal__principal_id", flat=True)))


def _load_codes() -> dict[str, str]:
    people = Person.objects.exclude(kintone_code="").filter(principal__principal_id__isnull=False)
    return {
        fold(code): principal_id or ""
        for code, principal_id in people.values_list("kintone_code", "principal__principal_id")
    }


def find_open() -> QuerySet[Record]:
    """The records that have something to judge."""
    is_unjudged = Q(in_force_revision__isnull=True) | ~Q(in_force_revision=F("revision"))
    return Record.objects.live().filter(is_unjudged | Q(pk__in=Withheld.objects.values("record")))


def _load_cases(codes: Codes) -> dict[str, Case]:
    rows = list(find_open().defer("title"))
    ledger, withheld, copies = _load_ledger(rows), _load_withheld(), _load_copies(rows)
    cases = {
        row.reference: _build_case(row, codes[row.kind], ledger, withheld.get(row.pk, {}), copies.get(row.reference))
        for row in rows
        if row.kind in codes
    }
    undone = _load_undone(rows, ledger, codes)
    return cases | {reference: replace(cases[reference], undone=found) for reference, found in undone.items()}


def _load_copies(rows: Iterable[Record]) -> dict[str, SetWish]:
    """What the portal wrote as a copy of another set and no run has seen yet: people move to that, to nothing else."""
    fresh = {row.reference for row in rows if row.kind == AppKind.PERMISSION_SET and row.in_force is None}
    if not fresh:
        return {}
    is_copy = Q(purpose__startswith="twin:") | Q(purpose__startswith="rename:")
    drafts = Draft.objects.filter(is_copy, kind=AppKind.PERMISSION_SET, written_reference__in=fresh)
    wishes = ((row.written_reference, parse_permission_set(as_fields(row.values), Notes(""))) for row in drafts)
    return {reference: wish for reference, wish in wishes if wish}


def _load_gone(names: Collection[str], codes: Mapping[str, str]) -> dict[str, Gone]:
    """The newest record that is gone of each set, by its name."""
    rows = Record.objects.of_kind(AppKind.PERMISSION_SET).filter(gone_at__isnull=False)
    rows = rows.filter(in_force__name__in=sorted(names)).order_by("gone_at")
    ledger = _load_ledger(rows)
    return {
        row.in_force["name"]: Gone(
            read_set_in_force(row.in_force),
            _find_signatures(row, read_fields(row, codes), ledger)[1],
            tuple(row.in_force.get("owners", ())),
        )
        for row in rows
        if row.in_force
    }


@dataclass(frozen=True)
class _Ledger:
    """Who wrote which revision through the portal, and which of these moved access to a twin.

    begun: what the portal is writing at this moment, by the key of the request, or by record and revision; creating:
    the apps in which it makes a record. The ledger names its writer in a moment; until then kintone's Administrator
    stands there, who may everything.
    """

    writes: Mapping[tuple[str, str, int], PortalWrite]
    begun: frozenset[str | tuple[int, int]]
    creating: frozenset[str]

    def find(self, row: Record, revision: int) -> Signature | None:
        write = self._find_write(row, revision)
        return _sign(write.user) if write else None

    def keeps_access(self, row: Record) -> bool:
        write = self._find_write(row, row.revision)
        return write is not None and write.keeps_access

    def find_put_back(self, row: Record) -> Mapping[str, Any] | None:
        """What the newest revision puts back, as the portal noted it."""
        write = self._find_write(row, row.revision)
        return write.puts_back if write else None

    def _find_write(self, row: Record, revision: int) -> PortalWrite | None:
        write = self.writes.get((row.app_id, row.record_id, revision))
        return write if write and write.is_of(row) else None

    def is_being_written(self, row: Record, key: str | None) -> bool:
        """key: what the record says of its request; None in an app without a field for it, where any may be ours."""
        if self.find(row, row.revision) is not None:
            return False
        is_new = row.kind in self.creating if key is None else key in self.begun
        return (row.pk, row.revision) in self.begun or (row.revision == 1 and is_new)


def _load_ledger(rows: Iterable[Record]) -> _Ledger:
    """The entries for these records."""
    begun = Draft.objects.filter(attempts__gt=0, state=Draft.State.WAITING)
    writing = list(begun.values_list("request_key", "record_id", "sent_revision"))
    creating = frozenset(begun.filter(record=None).values_list("kind", flat=True))
    writes: dict[tuple[str, str, int], PortalWrite] = {}
    ids = sorted({row.record_id for row in rows})
    for start in range(0, len(ids), _BATCH):
        found = PortalWrite.objects.filter(record_id__in=ids[start : start + _BATCH])
        for write in found.select_related("user__person__principal"):
            writes[write.app_id, write.record_id, write.revision] = write
    updates = {(record_id, base + 1) for _key, record_id, base in writing if record_id and base is not None}
    return _Ledger(writes, frozenset({key for key, *_rest in writing} | updates), creating)


def _load_undone(rows: Iterable[Record], ledger: _Ledger, codes: Codes) -> dict[str, Undone]:
    """What revisions of the portal put back, by the record they stand in; it may have been taken out of another."""
    noted = {row.reference: back for row in rows if row.kind in codes and (back := ledger.find_put_back(row))}
    if not noted:
        return {}
    ids = {str(back["record"]).partition(":")[2] for back in noted.values()}
    found = Record.objects.of_kind(AppKind.ASSIGNMENT).filter(record_id__in=ids)
    origins = {row.reference: row for row in found}
    ledger = _load_ledger(origins.values())
    return {
        reference: _build_undone(back, origins[back["record"]], codes[AppKind.ASSIGNMENT], ledger)
        for reference, back in noted.items()
        if back["record"] in origins
    }


def _build_undone(back: Mapping[str, Any], origin: Record, codes: Mapping[str, str], ledger: _Ledger) -> Undone:
    """origin: the record that it was taken out of, whose author and owners say who may."""
    ends, owners = back["expires_on"], (origin.in_force or {}).get("owners")
    return Undone(
        PutBack(
            (back["account_id"], back["permission_set"]),
            dict(back["names"]),
            date.fromisoformat(ends) if ends else None,
        ),
        _find_signatures(origin, read_fields(origin, codes), ledger)[1],
        tuple(owners) if owners is not None else None,
    )


def _sign(user: User | None) -> Signature:
    if user is None:
        return Signature(name=COMMAND, user=COMMAND, is_admin=True)
    person = user.person
    principal = person.principal if person else None
    return Signature(
        code=person.kintone_code if person else "",
        name=str(user),
        user=str(user.pk),
        principal_id=(principal.principal_id or "") if principal else "",
        is_admin=user.is_staff and user.is_active,
    )


def _load_withheld() -> dict[int, dict[str, Withheld]]:
    found: dict[int, dict[str, Withheld]] = {}
    rows = Withheld.objects.filter(record__gone_at__isnull=True)
    for row in rows.select_related("confirmed_by__person__principal"):
        found.setdefault(row.record_id, {})[row.value] = row
    return found


def _build_case(
    row: Record, codes: Mapping[str, str], ledger: _Ledger, withheld: Mapping[str, Withheld], copy: SetWish | None
) -> Case:
    fields = read_fields(row, codes)
    notes, in_force = Notes(row.reference), row.in_force
    wish: SetWish | AssignmentWish | None
    if row.kind == AppKind.PERMISSION_SET:
        wish = parse_permission_set(fields, notes)
        before: SetWish | AssignmentWish | None = read_set_in_force(in_force) if in_force else copy
    else:
        wish = read_assignment(fields, notes)
        before = read_assignment_in_force(in_force) if in_force else None
    writer, author = _find_signatures(row, fields, ledger)
    return Case(
        wish=wish,
        writer=writer,
        author=author,
        owners=read_codes(fields, "owners") if "owners" in fields else None,
        in_force=before,
        in_force_owners=tuple(in_force["owners"]) if in_force and "owners" in in_force else None,
        by=dict(in_force.get("by", {})) if in_force else {},
        withheld={
            value: Reason.from_json(item.reason) for value, item in withheld.items() if item.confirmed_at is None
        },
        confirmed=frozenset(value for value, item in withheld.items() if item.confirmed_at is not None),
        confirmers={value: _sign(item.confirmed_by) for value, item in withheld.items() if item.confirmed_by},
        is_understood=not notes.has_errors,
        is_certain=not (writer.is_system and ledger.is_being_written(row, _read_key(fields))),
        at_first_run=row.at_first_run,
        keeps_access=ledger.keeps_access(row),
        written_at=row.updated_at,
    )


def _read_key(fields: Fields) -> str | None:
    return read_text(fields, "request_key") if "request_key" in fields else None


def _find_signatures(row: Record, fields: Fields, ledger: _Ledger) -> tuple[Signature, Signature]:
    """Who wrote this revision, and who the first."""
    writer = ledger.find(row, row.revision) or Signature(row.modifier_code, row.modifier_name)
    author = ledger.find(row, 1) or Signature(row.creator_code, row.creator_name)
    writer = _stand_in(writer, row, fields)
    return (writer, author) if row.revision > 1 else (writer, writer)


def _stand_in(writer: Signature, row: Record, fields: Fields) -> Signature:
    """What an older database of the portal wrote as Administrator bears the name of who acted."""
    changed_by = read_codes(fields, "changed_by")
    is_first_look = row.at_first_run and row.in_force is None
    return Signature(changed_by[0]) if writer.is_system and is_first_look and len(changed_by) == 1 else writer


def read_assignment_in_force(value: Mapping[str, Any]) -> AssignmentWish:
    """The inverse of what the mirror stores of an assignment record."""
    ends = value.get("expires_on")
    return AssignmentWish(
        value.get("account_id", ""), value.get("permission_set", ""), tuple(value.get("users", ())),
        tuple(value.get("addresses", ())), tuple(value.get("groups", ())), date.fromisoformat(ends) if ends else None,
    )  # fmt: skip


def read_set_in_force(value: Mapping[str, Any]) -> SetWish:
    """The inverse of what the mirror stores of a permission set's record."""
    return SetWish(
        name=value.get("name", ""),
        description=value.get("description", ""),
        session_duration=timedelta(seconds=value.get("session_duration", 3600)),
        relay_state=value.get("relay_state", ""),
        managed_policies=tuple(value.get("managed_policies", ())),
        customer_managed_policies=tuple(map(_read_policy, value.get("customer_managed_policies", ()))),
        inline_policy=value.get("inline_policy", ""),
        permissions_boundary=value.get("permissions_boundary", ""),
        absent=frozenset(value.get("absent", ())),
    )


def _read_policy(text: str) -> PolicyReference:
    path, slash, name = text.rpartition("/")
    return PolicyReference(path + slash, name)


# --- Values → rows ----------------------------------------------------------------------------------------------------


@transaction.atomic
def store_rulings(rulings: Mapping[str, Ruling], valid: Collection[str], revisions: Mapping[str, int]) -> None:
    """What is in force now, and what is withheld. `valid` names what may be in force."""
    if not rulings:
        return
    fields = ("kind", "app_id", "record_id", "revision", "in_force", "in_force_revision")
    # Whoever wrote a record meanwhile is judged by the next run.
    judged = [
        (row, rulings[row.reference])
        for row in find_open().only(*fields)
        if row.reference in rulings and row.revision == revisions.get(row.reference)
    ]
    in_force = [(row, ruling) for row, ruling in judged if row.reference in valid and ruling.is_certain]
    changed = [row for row, ruling in in_force if _put_in_force(row, ruling)]
    Record.objects.bulk_update(changed, ["in_force", "in_force_revision"], _BATCH)
    note_versions((row, rulings[row.reference].writer) for row in changed)
    stored = _load_withheld()
    for row, ruling in judged:
        _store_withheld(row, ruling, stored.get(row.pk, {}))


def _put_in_force(row: Record, ruling: Ruling) -> bool:
    """Whether that changes anything."""
    value = wish_as_json(ruling.wish)
    if ruling.by:
        value["by"] = dict(ruling.by)
    if ruling.owners is not None:
        value["owners"] = list(ruling.owners)
    if (row.in_force, row.in_force_revision) == (value, row.revision):
        return False
    row.in_force, row.in_force_revision = value, row.revision
    return True


def _store_withheld(row: Record, ruling: Ruling, stored: Mapping[str, Withheld]) -> None:
    # A targeted run beside this one may have come to the same.
    Withheld.objects.bulk_create(
        [
            Withheld(
                record=row, value=value, reason=reason.as_json(), revision=row.revision,
                writer_name=clean(ruling.writer, 256),
            )
            for value, reason in ruling.withheld.items() if value not in stored
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    for item in (stored[value] for value in ruling.withheld.keys() & stored.keys() if stored[value].confirmed_at):
        # Confirmed for another place, or by somebody who may not any more: it is assigned where he answers for nothing.
        reason = ruling.withheld[item.value].as_json()
        Withheld.objects.filter(pk=item.pk).update(confirmed_at=None, confirmed_by=None, reason=reason)
    over = [item.pk for value, item in stored.items() if _is_over(value, item, ruling)]
    Withheld.objects.filter(pk__in=over).delete()


def _is_over(value: str, item: Withheld, ruling: Ruling) -> bool:
    """A value that is not written any more needs neither a refusal nor a confirmation."""
    if item.confirmed_at is not None:
        return value in ruling.spent and value not in ruling.withheld
    return ruling.is_understood and ruling.is_certain and value not in ruling.withheld
