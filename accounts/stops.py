"""Stopping: a pause of all runs, a person locked out, an account frozen; and what holds at a moment.

Each act is one transaction with its audit event, and pressing twice is pressing once: a unique constraint lets of
several who press at the same moment one win, and the others get what he made. Who may is the caller's to check.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone

from accounts.audit import record_event
from accounts.audit_about import About
from accounts.models import Account, Assignment, GroupMembership, PermissionSet, Person, Principal, Stop, User
from accounts.models.access import AssignmentQuerySet, load_places
from accounts.names import clean
from accounts.sentences import Sentence, render

LONGEST_PAUSE = timedelta(days=7)
LONGEST_REASON = 400  # characters: the column
_Named = tuple[str, str, str]


class StopRefused(Exception):
    """What was asked for makes no sense: a code of `accounts.sentences`, and the field it is about."""

    def __init__(self, code: str, field: str = "", **params: Any) -> None:
        super().__init__(code)
        self.code, self.field, self.params = code, field, params

    @property
    def sentence(self) -> Sentence:
        return render(self.code, self.params)


# --- Pause ------------------------------------------------------------------------------------------------------------


def begin_pause(by: User | None, reason: str, until: datetime, request: HttpRequest | None = None) -> Stop:
    """Pause all runs until then; the pause that holds now.

    Who pauses while another pause holds can make it longer, never shorter: whoever began it counts on its end.
    """
    reason, now = _require_reason(reason), timezone.now()
    if until <= now:
        raise StopRefused("pause_end_passed", "until")
    if until - now > LONGEST_PAUSE:
        raise StopRefused("pause_too_long", "until", days=LONGEST_PAUSE.days)
    close_ended_pauses(now)

    def begin() -> Stop:
        holding = Stop.objects.select_for_update().active(now).of_kind(Stop.Kind.PAUSE).first()
        if holding and holding.until and holding.until >= until:
            return holding
        if holding:
            _close([holding], by, now)
        after = {"reason": reason, "until": until.isoformat()}
        before = {"reason": holding.reason, "until": _iso(holding.until)} if holding else None
        stop = Stop.objects.create(kind=Stop.Kind.PAUSE, reason=reason, until=until, begun_by=by)
        record_event(
            "pause.extend" if holding else "pause.begin", actor=by, request=request, obj=_name(stop),
            before=before, after=after,
        )  # fmt: skip
        return stop

    return _once(begin)


def lift_pause(by: User | None, request: HttpRequest | None = None) -> Stop | None:
    """Let runs go on; the pause that ends with this, None when there was none."""
    return _lift("pause.lift", by, request, kind=Stop.Kind.PAUSE)


def find_pause(now: datetime | None = None) -> Stop | None:
    """The pause that holds now."""
    return Stop.objects.active(now).of_kind(Stop.Kind.PAUSE).select_related("begun_by").first()


def is_paused(now: datetime | None = None) -> bool:
    return Stop.objects.active(now).of_kind(Stop.Kind.PAUSE).exists()


def close_ended_pauses(now: datetime | None = None) -> int:
    """Note the end of pauses that ran out; how many there were. They held no longer without this, too."""
    now = now or timezone.now()
    with transaction.atomic():
        ended = Stop.objects.filter(kind=Stop.Kind.PAUSE, lifted_at__isnull=True, until__lte=now).select_for_update()
        closed = [stop for stop in ended if _close([stop], None, stop.until or now)]
        for stop in closed:
            record_event("pause.end", obj=_name(stop))
    return len(closed)


# --- Lock-out ---------------------------------------------------------------------------------------------------------


def lock_out(by: User | None, person: Person, reason: str, request: HttpRequest | None = None) -> Stop:
    """Lock a person out; the lock-out that holds now."""
    reason, principal = _require_reason(reason), person.principal
    if principal is None or principal.principal_id is None:
        raise StopRefused("lock_out_unknown", name=str(person))

    def begin() -> Stop:
        holding = Stop.objects.active().of_kind(Stop.Kind.LOCK_OUT).filter(principal=principal).first()
        return holding or _begin("person.lock_out", by, reason, request, kind=Stop.Kind.LOCK_OUT, principal=principal)

    return _once(begin)


def lift_lock_out(by: User | None, person: Person, request: HttpRequest | None = None) -> Stop | None:
    """Let a person have access again; the lock-out that ends with this, None when there was none.

    Where he is locked out under another id of his, it is that lock-out that ends.
    """
    stop = find_lock_out(person.principal)
    if stop is None:
        return None
    return _lift("person.lift_lock_out", by, request, kind=Stop.Kind.LOCK_OUT, principal=stop.principal)


def find_lock_out(principal: Principal | None) -> Stop | None:
    """The lock-out that holds for this principal, begun under this id or another of the same person."""
    return find_locked().get(principal.principal_id or "") if principal else None


def find_locked(now: datetime | None = None) -> dict[str, Stop]:
    """Principal id → the lock-out that holds for it, of all ids that the people locked out are known by.

    Somebody deleted and made anew has another id. He is known by the object id in Entra ID, and by his UserName, which
    one user at a time can have: who comes back under it stays locked out until an admin says that it is another
    person. Two statements, whatever the number; one when nobody is locked out.
    """
    stops = Stop.objects.active(now).of_kind(Stop.Kind.LOCK_OUT)
    return _find_alike(stops.select_related("principal__person__user", "begun_by").order_by("pk"))


def _find_alike(stops: Iterable[Stop]) -> dict[str, Stop]:
    by_id, by_object, by_name = _index(stops)
    if not by_id:
        return {}
    users = Principal.objects.filter(type=Principal.Type.USER, principal_id__isnull=False)
    users = users.annotate(object_id=Lower("external_id")).filter(Q(object_id__in=by_object) | Q(name_key__in=by_name))
    for principal_id, object_id, name in users.values_list("principal_id", "object_id", "name_key"):
        stop = by_object.get(object_id) or by_name.get(name)
        if principal_id and stop:
            by_id.setdefault(principal_id, stop)
    return by_id


def _index(stops: Iterable[Stop]) -> tuple[dict[str, Stop], dict[str, Stop], dict[str, Stop]]:
    """The stops by principal id, by object id in Entra ID (lower case) and by folded UserName."""
    by_id: dict[str, Stop] = {}
    by_object: dict[str, Stop] = {}
    by_name: dict[str, Stop] = {}
    for stop in stops:
        principal = stop.principal
        if principal is None:
            continue
        user = getattr(getattr(principal, "person", None), "user", None)
        for object_id in (principal.external_id, user.entra_oid if user else ""):
            by_object.setdefault(object_id.lower(), stop)
        by_name.setdefault(principal.name_key, stop)
        by_id.setdefault(principal.principal_id or "", stop)
    for index in (by_id, by_object, by_name):
        index.pop("", None)  # an orphan has neither name nor object id: that is no likeness
    return by_id, by_object, by_name


@dataclass(frozen=True)
class Beyond:
    """Assignments that a lock-out does not reach for the same reason, and the way out."""

    sentence: Sentence
    assignments: tuple[Assignment, ...]


def find_direct(principal_ids: Collection[str]) -> AssignmentQuerySet:
    """What AWS has for these users themselves, whatever the set."""
    users = Assignment.objects.filter(in_aws=True, principal__type=Principal.Type.USER)
    return users.filter(principal__principal_id__in=principal_ids)


def find_ids(principal: Principal) -> set[str]:
    """All ids that this principal's person is locked out under, or would be."""
    return set(_find_alike([Stop(principal=principal)]))


def list_beyond(principal_ids: Collection[str]) -> list[Beyond]:
    """What a lock-out of these users cannot touch, in five statements: by reason, account and set."""
    groups = GroupMembership.objects.filter(member__principal_id__in=principal_ids).values("group")
    through = Assignment.objects.filter(in_aws=True, principal__in=groups)
    direct = find_direct(principal_ids)
    rows = [*direct.exclude(pk__in=direct.removable().values("pk")), *through]
    load_places(rows)
    rows.sort(key=lambda row: (row.account.name.casefold(), row.account.account_id, row.permission_set.name))
    found: dict[tuple[str, str], list[Assignment]] = {}
    for row in rows:
        found.setdefault(_find_obstacle(row), []).append(row)
    beyond = [Beyond(render(code, {"group": group}), tuple(some)) for (code, group), some in found.items()]
    return sorted(beyond, key=lambda item: item.sentence.message)


def _find_obstacle(assignment: Assignment) -> tuple[str, str]:
    """The code of why a lock-out leaves it, the first that applies, and the name of the group, if that is why."""
    ownership = PermissionSet.Ownership(assignment.permission_set.ownership)
    if assignment.principal.is_group:
        return "beyond_group", str(assignment.principal)
    if assignment.account.is_management:
        return "beyond_management", ""
    if not assignment.account.is_active:
        return "beyond_not_active", ""
    codes = {PermissionSet.Ownership.TERRAFORM: "beyond_terraform", PermissionSet.Ownership.NOT_OURS: "beyond_not_ours"}
    return codes.get(ownership, "beyond_unread"), ""


# --- Freeze -----------------------------------------------------------------------------------------------------------


def freeze(by: User | None, account: Account, reason: str, request: HttpRequest | None = None) -> Stop:
    """Let no new access into an account; the freeze that holds now."""
    reason = _require_reason(reason)

    def begin() -> Stop:
        holding = Stop.objects.active().of_kind(Stop.Kind.FREEZE).filter(account=account).first()
        return holding or _begin("account.freeze", by, reason, request, kind=Stop.Kind.FREEZE, account=account)

    return _once(begin)


def lift_freeze(by: User | None, account: Account, request: HttpRequest | None = None) -> Stop | None:
    """Let new access into an account again; the freeze that ends with this, None when there was none."""
    return _lift("account.lift_freeze", by, request, kind=Stop.Kind.FREEZE, account=account)


def find_freeze(account: Account) -> Stop | None:
    freezes = Stop.objects.active().of_kind(Stop.Kind.FREEZE).filter(account=account)
    return freezes.select_related("begun_by").first()


def find_frozen(now: datetime | None = None) -> dict[str, Stop]:
    """Account id → the freeze that holds for it."""
    freezes = Stop.objects.active(now).of_kind(Stop.Kind.FREEZE).select_related("account", "begun_by")
    return {stop.account.account_id: stop for stop in freezes if stop.account}


# --- What holds -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holding:
    """Everything that is stopped: the pause, the locked by principal id, the frozen by account id."""

    pause: Stop | None
    locked: Mapping[str, Stop]
    frozen: Mapping[str, Stop]


def find_holding(now: datetime | None = None) -> Holding:
    """What holds now, in one statement; in two where somebody is locked out."""
    stops = Stop.objects.active(now).select_related("principal__person__user", "account", "begun_by").order_by("pk")
    by_kind: dict[str, list[Stop]] = {kind: [] for kind in Stop.Kind.values}
    for stop in stops:
        by_kind[stop.kind].append(stop)
    return Holding(
        pause=next(iter(by_kind[Stop.Kind.PAUSE]), None),
        locked=_find_alike(by_kind[Stop.Kind.LOCK_OUT]),
        frozen={stop.account.account_id: stop for stop in by_kind[Stop.Kind.FREEZE] if stop.account},
    )


# --- What all have in common ------------------------------------------------------------------------------------------


def describe(stop: Stop) -> Mapping[str, str]:
    """Who, since when, until when and why, as parameters of the sentences `paused`, `locked_out`, `account_frozen`."""
    return {
        "name": str(stop.principal or ""),
        "account": str(stop.account or ""),
        "by": str(stop.begun_by or "manage.py"),
        "since": _show_time(stop.begun_at),
        "until": _show_time(stop.until) if stop.until else "",
        "why": stop.reason,
    }


def _show_time(value: datetime) -> str:
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"


def _iso(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _require_reason(reason: str) -> str:
    reason = " ".join(clean(reason, len(reason)).split())
    if not reason:
        raise StopRefused("stop_reason_missing", "reason")
    if len(reason) > LONGEST_REASON:
        raise StopRefused("stop_reason_long", "reason", length=len(reason), limit=LONGEST_REASON)
    return reason


def _once(begin: Callable[[], Stop]) -> Stop:
    """Carry it out in a transaction; where somebody else was first, what he made is found the second time."""
    try:
        with transaction.atomic():
            return begin()
    except IntegrityError:
        with transaction.atomic():
            return begin()


def _begin(action: str, by: User | None, reason: str, request: HttpRequest | None, **values: Any) -> Stop:
    stop = Stop.objects.create(reason=reason, begun_by=by, **values)
    record_event(action, actor=by, request=request, obj=_name(stop), after={"reason": reason}, about=_find_about(stop))
    return stop


def _lift(action: str, by: User | None, request: HttpRequest | None, **which: Any) -> Stop | None:
    now = timezone.now()
    with transaction.atomic():
        stop = Stop.objects.active(now).filter(**which).select_for_update(of=("self",)).first()
        if stop is None or not _close([stop], by, now):
            return None
        before = {"reason": stop.reason, "until": _iso(stop.until)}
        record_event(action, actor=by, request=request, obj=_name(stop), before=before, about=_find_about(stop))
    return stop


def _close(stops: list[Stop], by: User | None, at: datetime) -> int:
    """The condition decides who of several lifts it."""
    rows = Stop.objects.filter(pk__in=[stop.pk for stop in stops], lifted_at__isnull=True)
    return rows.update(lifted_at=at, lifted_by=by)


def name_of(principal: Principal) -> _Named:
    """Whom an act is about, for the audit trail: the person, if the principal is one's."""
    person: Person | None = getattr(principal, "person", None)
    return ("person", str(person.pk), str(person)) if person else ("principal", str(principal.pk), str(principal))


def _find_about(stop: Stop) -> About:
    return About(principal=stop.principal.principal_id or "" if stop.principal else "")


def _name(stop: Stop) -> _Named:
    """What the act is about, for the audit trail: the person, the account, or the pause itself."""
    if stop.principal:
        return name_of(stop.principal)
    if stop.account:
        return ("account", stop.account.account_id, stop.account.name)
    return ("pause", str(stop.pk), stop.reason)
