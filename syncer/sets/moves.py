"""A copy of a permission set under another name, to which its assignment records move: twins and new names.

The records keep their people and last days, so nobody gains anything. Guardrails are decided again by the run that
carries it out. A copy is what is in force; where something of the record is withheld, there is none.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from accounts.audit import record_event
from accounts.models import Account, AppKind, Draft, PermissionSet, Record, User
from syncer.drafts.drafting import NotPossible, Values, make_draft, read_record
from syncer.states import Reason
from syncer.tasks import request_writing


@dataclass(frozen=True)
class MovePlan:
    """What is going to be written: the record of the copy, and which records move to it."""

    name: str
    values: Values
    moves: tuple[Record, ...]
    left: tuple[tuple[Record, Reason], ...]
    extra: tuple[str, ...] = ()  # what else was on the screen

    @property
    def checksum(self) -> str:
        """Stands for exactly this list."""
        return make_checksum([self.name, *map(name_revision, self.moves), *self.extra])


def make_checksum(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def name_revision(record: Record) -> str:
    return f"{record.reference}@{record.revision}"


def is_name_free(name: str) -> bool:
    titles = Record.objects.live().of_kind(AppKind.PERMISSION_SET)
    is_written = titles.filter(title=name).exists() or titles.filter(in_force__name=name).exists()
    return not is_written and not PermissionSet.objects.filter(name=name, arn__isnull=False).exists()


def require_record(permission_set: PermissionSet) -> Record:
    """The record of a set, if all of it is in force. Raises NotPossible."""
    record = permission_set.record
    if record is None or record.gone_at is not None:
        raise NotPossible(Reason("twin_no_record", {"set": permission_set.name}))
    if not record.is_in_force or record.withheld.filter(confirmed_at__isnull=True).exists():
        raise NotPossible(Reason("twin_record_broken", {"set": permission_set.name}))
    return record


def plan_move(permission_set: PermissionSet, name: str, *, extra: tuple[str, ...] = ()) -> MovePlan:
    """What a copy under this name would write. Raises NotPossible."""
    record = require_record(permission_set)
    management = frozenset(Account.objects.filter(is_management=True).values_list("account_id", flat=True))
    moves: list[Record] = []
    left: list[tuple[Record, Reason]] = []
    for found in find_records(permission_set.name):
        if reason := _find_obstacle(found, management):
            left.append((found, reason))
        else:
            moves.append(found)
    return MovePlan(name, {**read_record(record), "name": name}, tuple(moves), tuple(left), extra)


def find_records(name: str) -> Iterable[Record]:
    """Live assignment records that name the set, as they are in force."""
    return (
        Record.objects.live().of_kind(AppKind.ASSIGNMENT).filter(in_force__permission_set=name).order_by("app_id", "pk")
    )


def _find_obstacle(record: Record, management: Collection[str]) -> Reason | None:
    """Why a record stays as it is."""
    if not record.is_in_force:
        return Reason("twin_newer_revision", {"record": record.reference})
    account_id = (record.in_force or {}).get("account_id", "")
    if account_id in management:
        return Reason("management_account", {"account": account_id})
    return None


def store_move(permission_set: PermissionSet, user: User, plan: MovePlan, *, action: str, key: str) -> Draft:
    """Store everything that is to be written; the draft of the copy. Call it in a transaction.

    The `action` is the event and, before a colon and the name of the set, the purpose of the drafts. Raises
    IntegrityError where somebody did the same at the same moment, which `key` says.
    """
    purpose = f"{action}:{permission_set.name}"
    first = make_draft(AppKind.PERMISSION_SET, user, plan.values, purpose=purpose, request_key=key)
    first.save()
    Draft.objects.bulk_create(
        make_draft(AppKind.ASSIGNMENT, user, {"permission_set": plan.name}, record=record, purpose=purpose, after=first)
        for record in plan.moves
    )
    record_event(
        f"permission_set.{action}",
        actor=user,
        obj=("permission_set", str(permission_set.pk), permission_set.name),
        after={"name": plan.name, "records": [record.reference for record in plan.moves]},
    )
    request_writing()
    return first


def make_key(permission_set: PermissionSet, purpose: str, *parts: object) -> str:
    """The same for everybody who presses at once, another one after a try that was refused."""
    tries = Draft.objects.filter(purpose=purpose, record__isnull=True, kind=AppKind.PERMISSION_SET).count()
    text = " ".join(str(part) for part in (permission_set.arn, *parts, tries))
    return hashlib.sha256(text.encode()).hexdigest()


def iter_drafts(first: Draft) -> Iterator[Draft]:
    yield first
    yield from first.followers.select_related("record").order_by("pk")


def is_refused(drafts: Collection[Draft]) -> bool:
    """The copy itself was, or somebody discarded it: then nothing moves, and it can be tried again."""
    dead = (Draft.State.REFUSED, Draft.State.CONFLICT, Draft.State.DISCARDED)
    return any(draft.state in dead for draft in list(drafts)[:1])
