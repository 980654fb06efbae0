"""Read the truth: what of AWS to read in this run, the reading itself, and what the mirror knows beside it.

A full run is a proof of everything, or it reads what a plan made from the mirror would touch and a share of the rest
(`rotation`). What was not read is as it was last known, and nothing is changed there.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.owner_register import load_owning_groups
from syncer.changes import Plan
from syncer.connections import connect_aws, ownership_tag
from syncer.gateways.errors import GatewayError
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_reading import read_actual
from syncer.gateways.reading_options import Known, ReadOptions, Selection
from syncer.gateways.reading_tags import OPERATION as READ_TAGS
from syncer.leavers import confirm_leavers
from syncer.mirror import drift, truth
from syncer.mirror.ledger import load_ledger
from syncer.models import Change, Run
from syncer.planning import Fences
from syncer.rotation import Touched, Turn, find_touched, is_small, next_share, select_all, select_share
from syncer.states import (
    EVERY_PAIR,
    Actual,
    ActualSet,
    Coverage,
    Focus,
    Ownership,
    Problem,
    Reason,
    Scope,
    Unresolved,
    find_unread_types,
)

logger = logging.getLogger(__name__)

POLICIES_AGE = timedelta(hours=24)
PROOF_AGE = timedelta(minutes=55)  # so that with a run every ten minutes each sixth is a proof


class Blind(Exception):
    """Something that everything depends on could not be read."""

    def __init__(self, reason: Reason, unresolved: tuple[Unresolved, ...], calls: Mapping[str, int]) -> None:
        super().__init__(reason)
        self.reason, self.unresolved, self.calls = reason, unresolved, calls


@dataclass(frozen=True)
class Observation:
    """What AWS has, as read now or as last known; the gateway that read it is still open.

    leaving: ids of the principals who left. is_preview: sets and assignments are the mirror's.
    """

    center: IdentityCenter
    actual: Actual
    began_at: datetime
    leaving: frozenset[str]
    notices: tuple[Problem, ...] = ()
    is_preview: bool = False


Preview = Callable[[Observation], Plan]
"""Makes the plan from what the mirror has, with organization and people as they are now."""


def observe(focus: Focus | None, preview: Preview, *, everything: bool = False, proof: bool = False) -> Observation:
    """Read AWS into the mirror. `focus`: what a targeted run looks at; `proof`: leave nothing to the mirror.

    `everything` is a proof, and reads what seldom changes as well. Raises Blind.
    """
    now = timezone.now()
    known = _load_known()
    instance = truth.load_instance()
    if instance is None:
        focus = None  # nothing is mirrored yet that a targeted run could stand on
    age = truth.find_policies_age()
    options = ReadOptions(
        ownership_tag=ownership_tag(),
        known_names={there.arn: name for name, there in known.sets.items()},
        with_policies=everything or age is None or now - age > POLICIES_AGE,
        with_memberships_of="assigned",
        known=known,
    )
    try:
        center = connect_aws(urgent=focus is not None)
    except GatewayError as error:
        raise Blind(error.reason, (Unresolved(Scope(), error.operation, error.reason),), {}) from error
    if focus is not None:
        options = replace(
            options, instance=instance, accounts=truth.load_accounts(), principals=truth.load_principals(),
            pairs=focus.pairs, sets=focus.sets, with_policies=False, with_memberships_of=frozenset(), known=Known(),
        )  # fmt: skip
    else:
        is_proof = everything or proof or is_small(known, settings.IDENTITY_CENTER_TPS) or is_proof_due(now)
        turn = _take_turn(is_proof=is_proof)
        options = replace(
            options,
            with_units=turn.is_proof,
            may_list_by_principal=truth.load_may_list_by_principal(now),
            select=_Selector(center, known, turn, preview, now).select,
        )
    try:
        return _take_over(center, replace(read_actual(center, options), focus=focus), known, began_at=now)
    except BaseException:
        center.close()
        raise


def _load_known() -> Known:
    return Known(
        sets=truth.load_sets(),
        accounts=frozenset(truth.load_accounts()),
        principals={key: principal.type for key, principal in truth.load_principals().items()},
        units=truth.load_units(),
        assignments=truth.load_assignments(),
        owning_groups=load_owning_groups(),
    )


# --- Whose turn it is -------------------------------------------------------------------------------------------------


def is_proof_due(now: datetime) -> bool:
    """Whether the last proof is too old, or something may have gone wrong since that the mirror does not know of."""
    last = Run.objects.filter(is_proof=True, started_at__isnull=False).order_by("-started_at").first()
    if last is None or last.started_at is None or last.started_at < now - PROOF_AGE:
        return True
    begun = (Change.Outcome.PLANNED, Change.Outcome.SENT, Change.Outcome.FAILED)
    went_wrong = Q(status=Run.Status.LOST) | Q(status=Run.Status.FAILED, changes__outcome__in=begun)
    return Run.objects.filter(went_wrong, finished_at__gt=last.started_at).exists()


def _take_turn(*, is_proof: bool) -> Turn:
    last = Run.objects.filter(kind=Run.Kind.FULL, share__isnull=False).order_by("-pk").first()
    share = next_share(last.share if last else None)
    return Turn(is_proof, share, truth.load_untagged())


@dataclass(frozen=True)
class _Selector:
    center: IdentityCenter
    known: Known
    turn: Turn
    preview: Preview
    began_at: datetime

    def select(self, ground: Actual, may_list_by_principal: bool) -> Selection:
        if _find_blindness(ground):
            return Selection(Coverage(frozenset()), sets=frozenset())  # there will be no plan
        if self.turn.is_proof:
            return select_all(ground, self.known)
        whole = replace(ground, assignments=self.known.assignments, coverage=EVERY_PAIR, sets_read=None)
        mirrored, leaving = _confirm(self.center, _remember_unread(whole, self.known))
        # Who is there decides what names mean.
        newest = load_ledger(self.began_at).overlay(replace(ground, principals=mirrored.principals), truth.load_sets())
        truth.store_actual(newest, at=timezone.now())
        unsure = Touched(*truth.load_unsure()) | Touched(*drift.load_drifting())
        seen = Observation(self.center, mirrored, self.began_at, leaving, is_preview=True)
        touched = find_touched(self.preview(seen)) | unsure
        return select_share(ground, self.known, touched, self.turn, may=may_list_by_principal)


# --- What was read and what was known ---------------------------------------------------------------------------------


def _take_over(center: IdentityCenter, actual: Actual, known: Known, *, began_at: datetime) -> Observation:
    actual, notices = _without_optional(actual)
    blind = _find_blindness(actual)
    if blind is not None:
        raise Blind(blind.reason, actual.unresolved, center.calls)
    whole, leaving = _confirm(center, _remember_unread(_complete(actual, known), known))
    # What another run changed meanwhile is newer than what was read.
    newest = load_ledger(began_at).overlay(replace(actual, principals=whole.principals), truth.load_sets())
    truth.store_actual(newest, at=timezone.now())
    _note_own_account(center)
    return Observation(center, whole, began_at, leaving, notices)


def _note_own_account(center: IdentityCenter) -> None:
    """Ask once whose credentials these are: that account takes records from admins only. A role's name says it."""
    if settings.IDENTITY_CENTER_ROLE_ARN or truth.knows_own_account():
        return
    try:
        truth.store_own_account(center.find_own_account())
    except GatewayError as error:
        logger.warning("observing: whose credentials these are could not be read: %s", error.reason)


def _confirm(center: IdentityCenter, actual: Actual) -> tuple[Actual, frozenset[str]]:
    return confirm_leavers(center, actual, truth.load_principals())


def _find_blindness(actual: Actual) -> Unresolved | None:
    return next((item for item in actual.unresolved if item.scope == Scope() and item.blocks == "all"), None)


_OPTIONAL = ("iam:ListPolicies", READ_TAGS)
"""What is a convenience: where the right is not given, policies are named by ARN and owners are entered here."""


def _without_optional(actual: Actual) -> tuple[Actual, tuple[Problem, ...]]:
    """What was read without rights that a company need not give, and what it is told about them."""
    missing = [item for item in actual.unresolved if item.operation in _OPTIONAL and item.reason.code == "aws_denied"]
    needed = tuple(item for item in actual.unresolved if item not in missing)
    is_tagless = any(item.operation == READ_TAGS for item in missing)
    return replace(actual, unresolved=needed), (Problem("owners_tags_denied", "warning"),) if is_tagless else ()


def _complete(actual: Actual, known: Known) -> Actual:
    """A partial reading with the rest of the world as last known: shares are shares of everything."""
    if actual.coverage.is_complete:
        return actual
    others = {key for key in known.assignments if not actual.coverage.covers(key)}
    actual = replace(actual, assignments=actual.assignments | others)
    if actual.focus is None:
        return actual
    asked = actual.focus.sets
    read = {name: there if name in asked else _define(there, known.sets) for name, there in actual.sets.items()}
    return replace(actual, sets={**known.sets, **read}, sets_read=asked)


def _define(there: ActualSet, known: Mapping[str, ActualSet]) -> ActualSet:
    """A set of which only was asked whose it is, with the definition that was last known."""
    return replace(there, definition=known[there.name].definition) if there.name in known else there


def _remember_unread(actual: Actual, known: Known) -> Actual:
    """What could not be read is as it was last known; the planner's fences let nothing be changed there."""
    if not actual.unresolved:
        return actual
    fences = Fences(actual.unresolved)
    unread = find_unread_types(actual.unresolved)
    sets = {name: there for name, there in known.sets.items() if fences.stop_set(name)}
    principals = {key: there for key, there in truth.load_principals().items() if there.type in unread}
    return replace(
        actual,
        sets={**sets, **{name: there for name, there in actual.sets.items() if not _is_unread(there, sets)}},
        principals={**principals, **actual.principals},
        assignments=actual.assignments | {key for key in known.assignments if fences.stop_create(key)},
    )


def _is_unread(there: ActualSet, known: Collection[str]) -> bool:
    """A set whose tags could not be read is whose it was: a lock-out goes through, and asks for the tag once more."""
    return there.ownership is Ownership.UNKNOWN and there.name in known
