"""Plan → calls to AWS → outcomes. No Django: the recorder keeps what happens.

Whoever goes first in the plan goes first here: removals before the sets (lock-outs, leavers), then the sets one by one,
then all assignments and provisionings in lanes, and deletions of sets once nothing is assigned with them.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from syncer.changes import AssignmentChange, Change, Kind, Plan, SetChange
from syncer.following import POLL_SECONDS, Failure, FollowOptions, Operation, StatusCenter, follow, list_operations
from syncer.gateways.errors import Conflict, GatewayError, NotFound, Permanent
from syncer.gateways.identity_center_requests import RequestKind
from syncer.states import Actual, Definition, Ownership, PrincipalType, Reason

DELETE_SET_TRIES = 8  # roles in many accounts go away slowly after their last assignment
DELETE_SET_SECONDS = 1.0


class Center(StatusCenter, Protocol):
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


class Recorder(Protocol):
    """Keeps what is about to happen and what happened, before and after each call."""

    def is_still_wanted(self, change: Change) -> bool:
        """Look again at the mirror: somebody may have changed his mind since the plan."""

    def enter(self, operation: Operation, arn: str) -> bool:
        """Take the account's lane and keep the intent; False while another run is in it."""

    def leave(self, operation: Operation, failed: Reason | None = None) -> None:
        """Give the lane back. One that was never entered is no error."""

    def sending(self, change: Change) -> None:
        """Before the call: a killed worker's heir must know that it may have been sent."""

    def sent(self, operation: Operation, request_id: str) -> None:
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

    @property
    def following(self) -> FollowOptions:
        return FollowOptions(self.outstanding, self.poll_seconds, self.sleep, self.now)


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
        urgent = list(takewhile(lambda change: isinstance(change, AssignmentChange), plan.changes))
        rest = plan.changes[len(urgent) :]
        self._follow(list_operations(urgent))
        provisionings: list[Operation] = []
        for change in rest:
            if isinstance(change, SetChange) and change.kind is not Kind.DELETE and not self.must_stop():
                provisionings += self._apply_set(change)
        self._follow([*provisionings, *list_operations(rest)])
        for change in rest:
            if isinstance(change, SetChange) and change.kind is Kind.DELETE and not self.must_stop():
                self._delete_set(change)

    def must_stop(self) -> bool:
        return self.recorder.must_stop()

    def _follow(self, operations: list[Operation]) -> None:
        follow(operations, self, self.center, self.options.following)

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
                self.options.sleep(DELETE_SET_SECONDS * attempt)
        return self.center.delete_permission_set(arn)

    def _may_begin(self, change: Change) -> bool:
        """The last looks before a change is sent: still wanted, and the set still ours."""
        if not self.recorder.is_still_wanted(change):
            self.recorder.superseded(change)
            return False
        name = _set_of(change)
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

    # Operations: see `following.Line`

    def enter(self, operation: Operation) -> bool:
        """A set that could not be made has no ARN: its operation enters, and ends when it is looked at."""
        return self.recorder.enter(operation, self.arns.get(_set_of(operation.change), ""))

    def send(self, operation: Operation) -> str | None:
        if operation.kind is not RequestKind.PROVISIONING and not self._may_begin(operation.change):
            self.recorder.leave(operation)
            return None
        request_id = self._send(operation)
        if request_id is None:
            self.end(operation, None)
        else:
            self.recorder.sent(operation, request_id)
        return request_id

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

    def end(self, operation: Operation, failure: Failure | None) -> None:
        change = operation.change
        if isinstance(change, SetChange):
            self._end_provisioning(change, failure)
        elif failure is None:
            self.recorder.succeeded(change)
        else:
            self.recorder.failed(change, failure.reason, for_good=failure.for_good)
        self.recorder.leave(operation, failure.reason if failure else None)

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


def _set_of(change: Change) -> str:
    return change.name if isinstance(change, SetChange) else change.key.permission_set
