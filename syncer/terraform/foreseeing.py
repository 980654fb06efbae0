"""What runs would want in the management account if they could change it, from the mirror alone.

The judgement is that of every run: the same records, rules, stops and last days go through the same core, only without
the fence around the management account. Neither kintone nor AWS is asked.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import AppKind, Assignment, Record, Wish
from syncer.changes import Limits, Plan
from syncer.desired import Desired
from syncer.mirror import drift, standings, truth
from syncer.mirror.judging import load_judge
from syncer.mirror.ledger import load_ledger
from syncer.mirror.records import load_before, load_records
from syncer.models import AppState, Run
from syncer.planning import plan_run
from syncer.preparing import load_circumstances, load_directory
from syncer.states import Actual, ActualInstance, Ownership, Reason
from syncer.terraform.selecting import Selection, find_scope, lift_fence, select
from syncer.wishes import build_desired

_NO_BRAKE = Limits(count=10**9, maximum=10**9, people_count=10**9)
"""Nothing is held: whoever applies the files sees in `terraform plan` what goes."""


class NotReady(Exception):
    """The mirror does not know enough: files made of it would have Terraform delete what it holds."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def foresee(now: datetime | None = None) -> Selection:
    """What the management account's HCL has to say. Raises NotReady."""
    now = now or timezone.now()
    instance = _require_mirror()
    actual = _load_actual(instance)
    scope = find_scope(actual, _load_recorded())
    references = _find_records(instance, scope.sets)
    unfenced = lift_fence(actual)
    desired = _build_desired(unfenced, references, now)
    return select(desired, unfenced, _plan(desired, unfenced, now), scope)


def find_last_run() -> Run | None:
    """The run whose end the mirror shows: the newest that came through, whatever it looked at."""
    return _find_newest(Run.objects.all())


def has_full_run() -> bool:
    """Whether some run has read everything there is."""
    return _find_newest(Run.objects.filter(kind=Run.Kind.FULL)) is not None


def _find_newest(runs: QuerySet[Run]) -> Run | None:
    over = runs.filter(finished_at__isnull=False).order_by("-pk").defer("problems", "unresolved")
    return next((run for run in over[:_LOOKED_AT] if run.came_through), None)


_LOOKED_AT = 100  # runs; retention keeps as many


def _require_mirror() -> ActualInstance:
    instance = truth.load_instance()
    scanned = AppState.objects.filter(scanned_at__isnull=False).count()
    if instance is None or scanned < len(AppKind) or not has_full_run():
        raise NotReady(Reason("terraform_not_ready"))
    return instance


def _load_actual(instance: ActualInstance) -> Actual:
    """AWS as it was last read, with the assignments of the sets that concern the management account."""
    sets = truth.load_sets()
    held = {name for name, there in sets.items() if there.ownership is Ownership.TERRAFORM}
    there = truth.load_assignments(sets=held.union(_iter_used(instance.management_account_id)))
    return Actual(instance, truth.load_accounts(), sets, truth.load_principals(), there)


def _iter_used(management_account_id: str) -> Iterator[str]:
    """The sets that are in the management account, or are wanted there."""
    rows = Assignment.objects.shown().filter(account__account_id=management_account_id)
    yield from rows.values_list("permission_set__name", flat=True).distinct()


def _load_recorded() -> frozenset[str]:
    rows = Record.objects.of_kind(AppKind.PERMISSION_SET).filter(in_force__isnull=False)
    return frozenset(row.in_force["name"] for row in rows.only("in_force").iterator() if row.in_force)


def _find_records(instance: ActualInstance, names: Collection[str]) -> frozenset[str]:
    """APP:ID of the assignment records that want something there, or with a set that is used there."""
    there = Assignment.objects.filter(account__account_id=instance.management_account_id)
    used = Q(permission_set__name__in=names) | Q(permission_set__in=there.values("permission_set"))
    wishes = Wish.objects.filter(assignment__in=Assignment.objects.filter(used).values("pk"))
    rows = wishes.values_list("record__app_id", "record__record_id").distinct()
    return frozenset(f"{app_id}:{record_id}" for app_id, record_id in rows)


def _build_desired(actual: Actual, references: Collection[str], now: datetime) -> Desired:
    codes = {state.kind: state.fields for state in AppState.objects.all()}
    zone = ZoneInfo(settings.TIME_ZONE)
    desired = build_desired(
        load_records(AppKind.PERMISSION_SET, codes[AppKind.PERMISSION_SET]),
        load_records(AppKind.ASSIGNMENT, codes[AppKind.ASSIGNMENT], only=references),
        load_directory(actual, now),
        before=load_before(references),
        today=now.astimezone(zone).date(),
        zone=zone,
        public_url=settings.PUBLIC_URL,
        judge=load_judge(actual),
    )
    return replace(desired, leaving=_find_leaving(actual))


def _find_leaving(actual: Actual) -> frozenset[str]:
    """Who is disabled or gone, as Identity Center said when it was read."""
    there = {key.principal_id for key in actual.assignments}
    return frozenset(
        principal_id
        for principal_id in there
        if (principal := actual.principals.get(principal_id)) is None or not principal.is_enabled
    )


def _plan(desired: Desired, actual: Actual, now: datetime) -> Plan:
    circumstances = load_circumstances(
        desired, standings.load_references(), load_ledger(now), drift.foresee(now).consequences, everything=True
    )
    return plan_run(desired, actual, _NO_BRAKE, circumstances)
