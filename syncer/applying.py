"""Plan → gateway calls → outcomes.

One thread: at ten requests a second there is nothing to win by more. AWS changes one role at a time in an account, so
each account is a lane in which one operation is under way; several lanes run at once, up to the cap on outstanding
operations. Operations under way are asked about in bulk.

The database is behind `Recorder`, so that this file knows neither rows nor settings.
"""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from syncer.changes import AssignmentChange, Change, Kind, Plan, SetChange
from syncer.gateways.errors import Conflict, GatewayError, NotFound, Permanent, Temporary
from syncer.gateways.identity_center_requests import OperationStatus, RequestKind
from syncer.states import Actual, Definition, Ownership, PrincipalType, Reason

logger = logging.getLogger(__name__)

MAX_PROVISIONINGS = 3  # at once in an instance: AWS quota
POLL_SECONDS = 1.0
GIVE_UP_SECONDS = 600.0  # Terraform's patience with one provisioning
DELETE_SET_TRIES = 8  # roles in many accounts go away slowly after their last assignment


class Center(Protocol):
    """The part of the Identity Center gateway that applying needs; see `gateways.identity_center`."""

    def create_permission_set(self, name: str, definition: Definition, tags: Mapping[str, str]) -> str: ...
    def update_permission_set(self, arn: str, actual: Definition, wanted: Definition) -> None: ...
    def delete_permission_set(self, arn: str) -> None: ...
    def fetch_tags(self, arn: str) -> Mapping[str, str]: ...
    def list_provisioned_accounts(self, arn: str, *, stale_only: bool = False) -> frozenset[str]: ...
    def provision(self, arn: str, account_id: str) -> str: ...
    def create_assignment(
        self, account_id: str, arn: str, principal_type: PrincipalType, principal_id: str
    ) -> str | None: ...
    def delete_assignment(
        self, account_id: str, arn: str, principal_type: PrincipalType, principal_id: str
    ) -> str | None: ...
    def list_in_progress(self, kind: RequestKind) -> frozenset[str]: ...
    def describe_status(self, kind: RequestKind, request_id: str) -> OperationStatus: ...


class Recorder(Protocol):
    """Keeps what is about to happen and what happened, before and after each call."""

    def is_still_wanted(self, change: Change) -> bool:
        """Look again at the mirror: somebody may have changed his mind since the plan."""

    def sending(self, change: Change) -> None:
        """Before the call: a killed worker's heir must know that it may have been sent."""

    def sent(self, change: Change, request_id: str) -> None:
        """Before polling."""

    def made(self, change: SetChange, arn: str) -> None:
        """A permission set was created, with this ARN: it succeeded."""

    def succeeded(self, change: Change) -> None: ...
    def failed(self, change: Change, reason: Reason, *, for_good: bool) -> None: ...
    def superseded(self, change: Change) -> None: ...
    def must_stop(self) -> bool:
        """The lease is lost, or somebody asks this process to end."""


@dataclass(frozen=True)
class ApplyOptions:
    ownership_tag: tuple[str, str]
    outstanding: int = 8
    poll_seconds: float = POLL_SECONDS
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


class Failure(NamedTuple):
    reason: Reason
    for_good: bool


class Operation(NamedTuple):
    """One asynchronous call in one account. Provisionings belong to the set change that needs them."""

    change: Change
    account_id: str

    @property
    def kind(self) -> RequestKind:
        if isinstance(self.change, SetChange):
            return RequestKind.PROVISIONING
        return RequestKind.CREATION if self.change.kind is Kind.CREATE else RequestKind.DELETION


class UnderWay(NamedTuple):
    operation: Operation
    since: float


@dataclass
class _Progress:
    """Where a run of operations stands."""

    lanes: dict[str, deque[Operation]]
    under_way: dict[str, UnderWay] = field(default_factory=dict)  # by request id

    def busy(self) -> set[str]:
        return {item.operation.account_id for item in self.under_way.values()}

    def count(self, kind: RequestKind) -> int:
        return sum(item.operation.kind is kind for item in self.under_way.values())


def apply_plan(plan: Plan, actual: Actual, center: Center, recorder: Recorder, options: ApplyOptions) -> None:
    """Carry out the plan; every change ends with an outcome at the recorder, or is left as planned when stopped."""
    _Applying(actual, center, recorder, options).run(plan)


class _Applying:
    def __init__(self, actual: Actual, center: Center, recorder: Recorder, options: ApplyOptions) -> None:
        self.center, self.recorder, self.options = center, recorder, options
        self.arns = {name: there.arn for name, there in actual.sets.items() if there.ownership is Ownership.OURS}
        self.inactive = {account_id for account_id, account in actual.accounts.items() if not account.is_active}
        self.confirmed: dict[str, bool] = {}
        self.provisionings: dict[str, list[Failure | None]] = defaultdict(list)  # set → one entry an account so far
        self.expected: dict[str, int] = {}  # set → number of accounts to provision

    def run(self, plan: Plan) -> None:
        operations: list[Operation] = []
        for change in plan.changes:
            if isinstance(change, SetChange) and change.kind is not Kind.DELETE and not self.recorder.must_stop():
                operations += self._apply_set(change)
        operations += [
            Operation(change, change.key.target_id) for change in plan.changes if isinstance(change, AssignmentChange)
        ]
        self._run_operations(operations)
        for change in plan.changes:
            if isinstance(change, SetChange) and change.kind is Kind.DELETE and not self.recorder.must_stop():
                self._delete_set(change)

    # Permission sets

    def _apply_set(self, change: SetChange) -> list[Operation]:
        """Create or update a set; the provisionings that must follow."""
        if change.definition is None or not self._may_begin(change):
            return []
        try:
            if change.kind is Kind.CREATE:
                tag = dict([self.options.ownership_tag])
                arn = self.center.create_permission_set(change.name, change.definition, tag)
                self.arns[change.name], self.confirmed[change.name] = arn, True
                self.recorder.made(change, arn)
                return []
            return self._update_set(change, change.definition)
        except GatewayError as error:
            self._fail(change, error)
            return []

    def _update_set(self, change: SetChange, definition: Definition) -> list[Operation]:
        arn = self.arns[change.name]
        if change.differences and change.actual is not None:
            self.center.update_permission_set(arn, change.actual, definition)
        stale = change.stale_accounts
        if any(difference.field != "description" for difference in change.differences):
            stale = stale | (self.center.list_provisioned_accounts(arn, stale_only=True) - self.inactive)
        if not stale:
            self.recorder.succeeded(change)
        self.expected[change.name] = len(stale)
        return [Operation(change, account_id) for account_id in sorted(stale)]

    def _delete_set(self, change: SetChange) -> None:
        if not self._may_begin(change):
            return
        try:
            self._delete_patiently(self.arns[change.name])
        except NotFound:
            self.recorder.succeeded(change)
        except Conflict as error:
            self.recorder.failed(change, error.reason, for_good=False)
        except GatewayError as error:
            self._fail(change, error)
        else:
            self.recorder.succeeded(change)

    def _delete_patiently(self, arn: str) -> None:
        for attempt in range(1, DELETE_SET_TRIES):
            try:
                return self.center.delete_permission_set(arn)
            except Conflict:
                self.options.sleep(self.options.poll_seconds * attempt)
        return self.center.delete_permission_set(arn)

    def _may_begin(self, change: Change) -> bool:
        """The last looks before a change is sent: still wanted, and the set still ours."""
        if not self.recorder.is_still_wanted(change):
            self.recorder.superseded(change)
            return False
        name = change.name if isinstance(change, SetChange) else change.key.permission_set
        if not (isinstance(change, SetChange) and change.kind is Kind.CREATE):
            try:
                if not self._is_ours(name):
                    code = "ownership_lost" if name in self.arns else "set_not_made"
                    self.recorder.failed(change, Reason(code, {"set": name}), for_good=False)
                    return False
            except GatewayError as error:
                self.recorder.failed(change, error.reason, for_good=False)
                return False
        self.recorder.sending(change)
        return True

    def _is_ours(self, name: str) -> bool:
        """The tag is read again before a run's first write to a set: somebody may have taken it away meanwhile."""
        if name not in self.arns:
            return False
        if name not in self.confirmed:
            key, value = self.options.ownership_tag
            self.confirmed[name] = self.center.fetch_tags(self.arns[name]).get(key) == value
        return self.confirmed[name]

    # Operations in lanes

    def _run_operations(self, operations: list[Operation]) -> None:
        lanes: dict[str, deque[Operation]] = defaultdict(deque)
        for operation in operations:
            lanes[operation.account_id].append(operation)
        progress = _Progress(lanes)
        while progress.under_way or (any(lanes.values()) and not self.recorder.must_stop()):
            if not self.recorder.must_stop():
                self._fill(progress)
            if progress.under_way:
                self.options.sleep(self.options.poll_seconds)
                self._poll(progress)

    def _fill(self, progress: _Progress) -> None:
        """Start the next operation of each idle account, up to the cap; ends when all lanes are busy or empty."""
        for account_id, lane in progress.lanes.items():
            while lane and account_id not in progress.busy():
                if len(progress.under_way) >= self.options.outstanding or self.recorder.must_stop():
                    return
                if (
                    lane[0].kind is RequestKind.PROVISIONING
                    and progress.count(RequestKind.PROVISIONING) >= MAX_PROVISIONINGS
                ):
                    break
                self._start(lane.popleft(), progress)

    def _start(self, operation: Operation, progress: _Progress) -> None:
        if operation.kind is not RequestKind.PROVISIONING and not self._may_begin(operation.change):
            return
        try:
            request_id = self._send(operation)
        except GatewayError as error:
            self._end(operation, Failure(error.reason, isinstance(error, Permanent)))
            return
        if request_id is None:
            self._end(operation, None)
            return
        self.recorder.sent(operation.change, request_id)
        progress.under_way[request_id] = UnderWay(operation, self.options.now())

    def _send(self, operation: Operation) -> str | None:
        """The request id, or None when there was nothing left to do."""
        change = operation.change
        if isinstance(change, SetChange):
            return self.center.provision(self.arns[change.name], operation.account_id)
        key = change.key
        arguments = (key.target_id, self.arns[key.permission_set], key.principal_type, key.principal_id)
        if change.kind is Kind.CREATE:
            return self.center.create_assignment(*arguments)
        return self.center.delete_assignment(*arguments)

    def _poll(self, progress: _Progress) -> None:
        """Ask in bulk what is still under way, and one by one about what is not."""
        for kind in sorted({item.operation.kind for item in progress.under_way.values()}):
            mine = {request_id: item for request_id, item in progress.under_way.items() if item.operation.kind is kind}
            going = self._find_going(kind, mine)
            for request_id, item in mine.items():
                if self._has_ended(request_id, item, request_id in going):
                    del progress.under_way[request_id]

    def _find_going(self, kind: RequestKind, mine: Collection[str]) -> Collection[str]:
        """The requests that AWS lists as under way: all of ours while it cannot say, none if it never will."""
        try:
            return self.center.list_in_progress(kind)
        except Temporary as error:
            logger.warning("apply: status of %s could not be read: %s", kind, error)
            return mine
        except GatewayError as error:
            logger.warning("apply: status of %s may not be listed, each is asked for by itself: %s", kind, error)
            return ()

    def _has_ended(self, request_id: str, item: UnderWay, is_listed: bool) -> bool:
        if is_listed:
            return self._has_taken_too_long(item)
        operation = item.operation
        try:
            found = self.center.describe_status(operation.kind, request_id)
        except NotFound:
            # AWS has forgotten the request: what became of it is for the next reading to tell.
            self._end(operation, Failure(Reason("aws_forgot_request"), for_good=False))
            return True
        except Temporary:
            return self._has_taken_too_long(item)
        except GatewayError as error:
            self._end(operation, Failure(error.reason, for_good=False))
            return True
        if found.status == "IN_PROGRESS":
            return self._has_taken_too_long(item)
        if found.status == "SUCCEEDED":
            self._end(operation, None)
        else:
            self._end(operation, Failure(Reason("aws_refused", {"text": found.failure_reason}), for_good=True))
        return True

    def _has_taken_too_long(self, item: UnderWay) -> bool:
        if self.options.now() - item.since < GIVE_UP_SECONDS:
            return False
        slow = Reason("aws_slow", {"minutes": int(GIVE_UP_SECONDS // 60)})
        self._end(item.operation, Failure(slow, for_good=False))
        return True

    def _end(self, operation: Operation, failure: Failure | None) -> None:
        change = operation.change
        if isinstance(change, SetChange):
            self._end_provisioning(change, failure)
        elif failure is None:
            self.recorder.succeeded(change)
        else:
            self.recorder.failed(change, failure.reason, for_good=failure.for_good)

    def _end_provisioning(self, change: SetChange, failure: Failure | None) -> None:
        """A set change ends with the last of its provisionings; the first failure is its reason."""
        ended = self.provisionings[change.name]
        ended.append(failure)
        if len(ended) < self.expected[change.name]:
            return
        first = next((item for item in ended if item), None)
        if first is None:
            self.recorder.succeeded(change)
        else:
            self.recorder.failed(change, first.reason, for_good=first.for_good)

    def _fail(self, change: Change, error: GatewayError) -> None:
        self.recorder.failed(change, error.reason, for_good=isinstance(error, Permanent))
