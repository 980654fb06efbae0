"""What registering access would do, before anything is written: account by account, name by name.

The decisions are a run's own (who may, guardrails, what exists); the run takes each of them once more. What a record
that exists gives already is not written a second time: whoever takes it away later finds it in one place.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from django.db.models import Prefetch

from accounts.access import visible_records
from accounts.ground import Ground
from accounts.models import Account, Assignment, PermissionSet, Principal, Record, Stop, User, Wish
from accounts.objections import Objection, Wanted, find_objections
from accounts.rulebook import load_ground
from accounts.stops import Holding, describe, find_holding
from syncer.drafts.saving import MOST_TOGETHER
from syncer.giving.gift import Gift
from syncer.giving.names import Name, Named, load_named
from syncer.giving.rights import Right, find_ailment, find_obstacle, find_rights, find_set_obstacle
from syncer.states import Reason

MOST_ACCOUNTS = MOST_TOGETHER  # of one submit: one record each, which kintone takes all or none
MOST_ASSIGNMENTS = 2000  # of one submit: some ten minutes of AWS's time
_READING, _CREATING, _AT_ONCE = 2, 3, 8  # seconds of a run, and of one assignment; accounts that AWS serves at a time
CREATED, EXISTS, WAITING, BLOCKED = "created", "exists", "waiting", "blocked"


class Giving(NamedTuple):
    """What becomes of one name in one account. `records` give it already; None is one that the viewer may not see."""

    named: Named
    outcome: str
    reason: Reason | None = None
    records: tuple[Record | None, ...] = ()


class Objected(NamedTuple):
    """Somebody who would not get it, because a guardrail says so."""

    named: Named
    objection: Objection


@dataclass(frozen=True)
class Part:
    """What happens in one account."""

    account: Account
    right: Right
    obstacle: Reason | None = None
    givings: tuple[Giving, ...] = ()
    objected: tuple[Objected, ...] = ()
    own: tuple[Record, ...] = ()  # records for the same account and set that the viewer could widen instead

    @property
    def refusal(self) -> Reason | None:
        return self.right.refusal or self.obstacle

    @property
    def is_refused(self) -> bool:
        return self.refusal is not None or bool(self.objected)

    def list_names(self, *outcomes: str) -> list[Name]:
        return [giving.named.name for giving in self.givings if giving.outcome in outcomes]

    @property
    def new(self) -> list[Name]:
        """The names that a record for this account is written with."""
        return self.list_names(CREATED, WAITING, BLOCKED)


@dataclass(frozen=True)
class Foresight:
    """What one submit would do. `reasons` stand in its way as a whole."""

    parts: tuple[Part, ...] = ()
    reasons: tuple[Reason, ...] = ()
    names: tuple[Named, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        return bool(self.reasons) or any(part.is_refused for part in self.parts)

    @property
    def is_empty(self) -> bool:
        """Nothing would be written."""
        return not any(part.new for part in self.parts)

    @property
    def seconds(self) -> int:
        return estimate_seconds([len(part.list_names(CREATED)) for part in self.parts])

    @property
    def last_day(self) -> date | None:
        """The last day with which all guardrails that ask for one are satisfied."""
        days = (objected.objection.latest for part in self.parts for objected in part.objected)
        return min(filter(None, days), default=None)


def estimate_seconds(counts: Collection[int]) -> int:
    """About how long AWS takes: one after the other in an account, several accounts at a time."""
    if not sum(counts):
        return 0
    rounds = max(*counts, -(-sum(counts) // _AT_ONCE))
    return _READING + _CREATING * rounds


def foresee(user: User, gift: Gift, *, today: date, leave_out: Record | None = None) -> Foresight:
    """What it would do if this person gave that. leave_out: the record that is edited, which gives nothing yet."""
    named = tuple(load_named(gift.names))
    if too_much := _find_excess(gift):
        return Foresight(reasons=(too_much,), names=named)
    permission_set = PermissionSet.objects.select_related("record").filter(name=gift.set_name).first()
    obstacle = find_set_obstacle(gift.set_name, permission_set) if gift.set_name else None
    ground = load_ground([account.account_id for account in gift.accounts])
    rights = find_rights(user, gift.accounts, ground.register)
    parts = [Part(account, rights[account.account_id], find_obstacle(account)) for account in gift.accounts]
    if permission_set is not None and obstacle is None:
        view = _View(user, gift, permission_set, named, ground, today, leave_out)
        parts = view.add_objections([view.fill(part) for part in parts])
    return Foresight(tuple(parts), (obstacle,) if obstacle else (), named, _count(parts))


def _find_excess(gift: Gift) -> Reason | None:
    if len(gift.accounts) > MOST_ACCOUNTS:
        return Reason("give_too_many_accounts", {"count": len(gift.accounts), "limit": MOST_ACCOUNTS})
    if gift.count > MOST_ASSIGNMENTS:
        return Reason("give_too_many", {"count": gift.count, "limit": MOST_ASSIGNMENTS})
    return None


def _count(parts: Sequence[Part]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for part in parts:
        for giving in part.givings:
            counts[giving.outcome] += 1
    return dict(counts)


class _View:
    """What is there already, and what would stop it."""

    def __init__(
        self,
        user: User,
        gift: Gift,
        permission_set: PermissionSet,
        named: Sequence[Named],
        ground: Ground,
        today: date,
        leave_out: Record | None,
    ) -> None:
        self._gift, self._named, self._today = gift, named, today
        self._user, self._ground, self._record = user, ground, leave_out
        self._ailing = find_ailment(permission_set)
        self._holding: Holding = find_holding()
        self._there = _load_there(gift.accounts, permission_set, named, leave_out)
        records = {wish.record for row in self._there.values() for wish in row.wishes.all()}
        self._visible = set(
            visible_records(user).filter(pk__in=[row.pk for row in records]).values_list("pk", flat=True)
        )
        self._own = _load_own(user, gift, permission_set, leave_out)

    def fill(self, part: Part) -> Part:
        """Whoever may not give access there is told so and no more."""
        if part.refusal:
            return part
        givings = tuple(self._give(part.account, named) for named in self._named)
        return replace(part, givings=givings, own=tuple(self._own.get(part.account.pk, ())))

    def add_objections(self, parts: Sequence[Part]) -> list[Part]:
        """What guardrails say to whoever would get something, for all accounts at once."""
        asked = [(part, [giving.named for giving in part.givings if giving.outcome != EXISTS]) for part in parts]
        wanted = {self._want(part.account, named): None for part, names in asked for named in names}
        found = find_objections(self._user, wanted, record=self._record, today=self._today, ground=self._ground)
        refusals = {objection.wanted: objection for objection in found if objection.is_refused}
        return [replace(part, objected=tuple(self._match(part, names, refusals))) for part, names in asked]

    def _match(self, part: Part, names: Iterable[Named], refusals: Mapping[Wanted, Objection]) -> Iterator[Objected]:
        for named in names:
            if objection := refusals.get(self._want(part.account, named)):
                yield Objected(named, objection)

    def _want(self, account: Account, named: Named) -> Wanted:
        kind = Principal.Type.GROUP if named.name.is_group else Principal.Type.USER
        return Wanted(account.account_id, self._gift.set_name, kind, named.principal_id, self._gift.until)

    def _give(self, account: Account, named: Named) -> Giving:
        row = self._there.get((account.pk, named.principal.pk if named.principal else 0))
        if row and (records := self._find_giving(row)):
            return Giving(named, EXISTS, records=records)
        if reason := self._find_stop(account, named):
            return Giving(named, BLOCKED, reason)
        return Giving(named, WAITING, named.waits) if named.waits else Giving(named, CREATED)

    def _find_giving(self, row: Assignment) -> tuple[Record | None, ...]:
        """The records that give it at least as long."""
        until = self._gift.until
        return tuple(
            wish.record if wish.record_id in self._visible else None
            for wish in row.wishes.all()
            if wish.expires_on is None or (until is not None and wish.expires_on >= until)
        )

    def _find_stop(self, account: Account, named: Named) -> Reason | None:
        if self._ailing:
            return self._ailing
        if stop := self._holding.locked.get(named.principal_id):
            return _say("locked_out", stop)
        if stop := self._holding.frozen.get(account.account_id):
            return _say("account_frozen", stop)
        return None


def _say(code: str, stop: Stop) -> Reason:
    return Reason("locked_out", describe(stop)) if code == "locked_out" else Reason("account_frozen", describe(stop))


def _load_there(
    accounts: Sequence[Account], permission_set: PermissionSet, named: Sequence[Named], leave_out: Record | None
) -> dict[tuple[int, int], Assignment]:
    """Account and principal → the assignment that records want there now, with these records."""
    principals = [each.principal.pk for each in named if each.principal]
    wishes = Wish.objects.filter(is_current=True, is_refused=False, record__gone_at__isnull=True)
    if leave_out is not None:
        wishes = wishes.exclude(record=leave_out)
    rows = Assignment.objects.shown().filter(
        permission_set=permission_set, account__in=[account.pk for account in accounts], principal__in=principals
    )
    wanted = rows.prefetch_related(Prefetch("wishes", wishes.select_related("record").order_by("record_id")))
    return {(row.account_id, row.principal_id): row for row in wanted}


_SHOWN = 3  # records that are offered for an account
_LOOKED_AT = 6  # accounts in which records are looked for: with more, nobody adds to each by hand
_MOST_THERE = 500  # assignments that are looked at


def _load_own(
    user: User, gift: Gift, permission_set: PermissionSet, leave_out: Record | None
) -> dict[int, list[Record]]:
    """Account → records for the same set with the same last day, which could be widened instead."""
    accounts = [account.pk for account in gift.accounts[:_LOOKED_AT]]
    there = Assignment.objects.shown().filter(permission_set=permission_set, account__in=accounts)
    places = dict(there.values_list("pk", "account_id")[:_MOST_THERE])
    wishes = Wish.objects.filter(assignment__in=places, is_current=True, is_refused=False, expires_on=gift.until)
    pairs = {(record, places[row]) for row, record in wishes.values_list("assignment_id", "record_id")}
    records = visible_records(user).live().in_bulk({record for record, _account in pairs})
    found: dict[int, list[Record]] = defaultdict(list)
    for record, account in sorted(pairs):
        if record in records and len(found[account]) < _SHOWN and records[record] != leave_out:
            found[account].append(records[record])
    return found
