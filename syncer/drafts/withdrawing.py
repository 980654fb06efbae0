"""Taking people and groups out of an assignment record, or taking the whole record away, with the list on the screen.

What goes is a draft like any other; beside it stands who went (`Withdrawal`), so that the removal counts as a person's
word and can be put back.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts import access
from accounts.audit import record_event
from accounts.models import AppKind, Draft, Principal, PrincipalLink, Record, User, Wish
from accounts.names import fold
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible, Values
from syncer.models import Withdrawal
from syncer.sets.moves import make_checksum
from syncer.states import Reason

_FIELDS = {"users": "kintone_user", "more_users": "address", "groups": "group_name"}
_Name = tuple[str, str]
"""Source and folded name, as links have them."""


@dataclass(frozen=True)
class Taking:
    """What goes from one record. Without `edits` the record goes as a whole.

    base: what the edited fields say; names: [source, as written, principal id] of whom goes; keys: the assignments.
    """

    record: Record
    names: tuple[tuple[str, str, str], ...] = ()
    keys: tuple[tuple[str, str, str, str], ...] = ()
    edits: Values = field(default_factory=dict)
    base: Values = field(default_factory=dict)

    @property
    def leaves_nobody(self) -> bool:
        """Nobody else is named in it afterwards."""
        return not any(self.edits.get(name, self.base.get(name)) for name in _FIELDS)

    @property
    def written(self) -> tuple[str, ...]:
        return tuple(text for _source, text, _principal in self.names)


def make_list_checksum(takings: Iterable[Taking]) -> str:
    """Stands for exactly this list. A whole record goes as it was looked at, so its revision counts."""
    return make_checksum(line for taking in takings for line in _iter_lines(taking))


def _iter_lines(taking: Taking) -> Iterator[str]:
    yield taking.record.reference if taking.edits else f"{taking.record.reference}@{taking.record.revision}"
    yield from sorted(map(" ".join, (*taking.names, *taking.keys)))


# --- What would go ----------------------------------------------------------------------------------------------------


def plan_removal(record: Record, principal: Principal) -> Taking:
    """Take a person or group out, under whatever names the record has them. Raises NotPossible."""
    _require_live(record)
    start, meant = saving.load_start(record), _find_names(principal)
    base, edits, names = dict(start.values), Values(), []
    for name, source in _FIELDS.items():
        there = _unite(start.values.get(name, ()), start.written.get(name, ()), source, meant)
        gone = [text for text in there if (source, fold(text)) in meant]
        if gone:
            base[name], edits[name] = there, [text for text in there if text not in gone]
            names += [(source, text, principal.principal_id or "") for text in gone]
    if not edits:
        raise NotPossible(Reason("withdraw_not_named", {"name": str(principal), "record": record.reference}))
    return Taking(record, tuple(names), _find_keys(record, principal), edits, base)


def plan_end(record: Record) -> Taking:
    """The whole record goes. Raises NotPossible."""
    _require_live(record)
    values = saving.read_in_force(record)
    written = [(source, text) for name, source in _FIELDS.items() for text in values.get(name, ())]
    links = PrincipalLink.objects.filter(key__in={fold(text) for _source, text in written})
    known = {
        (source, key): principal_id or ""
        for source, key, principal_id in links.values_list("source", "key", "principal__principal_id")
    }
    names = ((source, text, known.get((source, fold(text)), "")) for source, text in written)
    return Taking(record, tuple(names), _find_keys(record), base=values)


def _require_live(record: Record) -> None:
    if record.gone_at is not None:
        raise NotPossible(Reason("draft_record_gone"))


def _find_names(principal: Principal) -> frozenset[_Name]:
    """All names that mean this principal."""
    links = PrincipalLink.objects.filter(principal=principal).values_list("source", "key")
    if principal.principal_id is not None:
        return frozenset(links)
    sources = ("group_name",) if principal.is_group else ("kintone_user", "address")
    return frozenset(links) | {(source, principal.name_key) for source in sources}


def _unite(in_force: Sequence[str], written: Sequence[str], source: str, meant: Collection[_Name]) -> list[str]:
    """The field as it is in force, with the person's names that stand there and are not in force."""
    known = {fold(text) for text in in_force}
    return [*in_force, *(text for text in written if (source, fold(text)) in meant and fold(text) not in known)]


def _find_keys(record: Record, principal: Principal | None = None) -> tuple[tuple[str, str, str, str], ...]:
    """The assignments that the record wants, all or of one principal, where Identity Center knows him."""
    wishes = Wish.objects.filter(record=record, is_refused=False, assignment__principal__principal_id__isnull=False)
    if principal is not None:
        wishes = wishes.filter(assignment__principal=principal)
    place = ("assignment__account__account_id", "assignment__permission_set__name")
    rows = wishes.values_list(*place, "assignment__principal__type", "assignment__principal__principal_id")
    return tuple(sorted((account, name, kind, str(principal_id)) for account, name, kind, principal_id in rows))


# --- Who may ----------------------------------------------------------------------------------------------------------


def is_oneself(user: User, principal: Principal) -> bool:
    return bool(principal.principal_id) and principal.principal_id == access.find_principal_id(user)


def may_take_out(user: User, record: Record, principal: Principal) -> bool:
    """Anybody may take himself out; others, whoever may narrow the record."""
    return access.may_change(user) and (is_oneself(user, principal) or saving.may_write(user, record))


# --- Doing it ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def take_out(
    user: User, principal: Principal, offered: Iterable[Record], checksum: str, *, chosen: Collection[int]
) -> Draft:
    """Take a person or group out of the chosen ones of these records, which kintone gets together; the first draft.

    offered: all that were on the screen. Raises PermissionDenied, and NotPossible, also where the list is not the one
    that was confirmed.
    """
    everything = [plan_removal(record, principal) for record in _lock(offered)]
    _require_same(everything, checksum)
    takings = [taking for taking in everything if taking.record.pk in chosen]
    if known := _find_under_way(user, takings):
        return known  # pressed twice
    wishes = [
        saving.Wanted(AppKind.ASSIGNMENT, item.edits, item.record, item.record.revision, item.base) for item in takings
    ]
    drafts = saving.save_together(user, wishes)
    for taking, draft in zip(takings, drafts, strict=True):
        _note(user, taking, draft, "record.take_out")
    return drafts[0]


@transaction.atomic
def end_record(user: User, record: Record, checksum: str) -> Draft:
    """Delete the record, as it was looked at. Raises as `take_out` does."""
    taking = plan_end(*_lock([record]))
    _require_same([taking], checksum)
    if known := _find_under_way(user, [taking]):
        return known
    draft = saving.delete(taking.record, user, base_revision=taking.record.revision)
    _note(user, taking, draft, "record.end")
    return draft


def _lock(records: Iterable[Record]) -> list[Record]:
    """As they are now; two who press at once come one after the other."""
    rows = Record.objects.select_for_update().filter(pk__in=[record.pk for record in records])
    return list(rows.order_by("pk"))


def _require_same(takings: Iterable[Taking], checksum: str) -> None:
    if make_list_checksum(takings) != checksum:
        raise NotPossible(Reason("list_changed"))


def _find_under_way(user: User, takings: Sequence[Taking]) -> Draft | None:
    """The same by the same person, which has not come to kintone yet."""
    for taking in takings:
        waiting = Withdrawal.objects.filter(
            draft__record=taking.record, draft__author=user, draft__state=Draft.State.WAITING, undo=None,
            draft__discarded_at=None, draft__is_deletion=not taking.edits,
        )  # fmt: skip
        for row in waiting.select_related("draft"):
            if {tuple(name) for name in row.names} >= set(taking.names):
                return row.draft
    return None


def _note(user: User, taking: Taking, draft: Draft, action: str) -> None:
    record = taking.record
    Withdrawal.objects.create(
        draft=draft,
        reference=record.reference,
        names=[list(name) for name in taking.names],
        in_force=record.in_force,
        removals=[list(key) for key in taking.keys],
    )
    record_event(
        action,
        actor=user,
        obj=("record", record.reference, record.title),
        before=_describe(taking.base, taking.edits or taking.base),
        after=_describe(taking.edits, taking.edits) or None,
        outcome=f"draft {draft.pk}",
    )


def _describe(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}
