"""Operations in lanes: one at a time in an account, many accounts at once, followed to AWS's own word. No Django.

AWS updates one role at a time in an account and takes only so many requests at once, so operations wait in the lane of
their account. What is under way is asked for in bulk; a question of its own goes out only for what ended badly or is
not among the newest any more.
"""

import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from syncer.changes import AssignmentChange, Change, Kind, SetChange
from syncer.gateways.errors import GatewayError, NotFound, Permanent, Temporary
from syncer.gateways.failure_reasons import classify_failure
from syncer.gateways.identity_center_requests import OperationStatus, RequestKind, RequestStatus
from syncer.states import Reason

logger = logging.getLogger(__name__)

MAX_PROVISIONINGS = 3  # at once in an instance: AWS quota
POLL_SECONDS = 0.5  # between two questions about what is under way, whatever their kind: two a second
GIVE_UP_SECONDS = 600.0  # Terraform's patience with one provisioning


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


class StatusCenter(Protocol):
    """The questions about what is under way; see `gateways.identity_center_queries`."""

    def find_statuses(self, kind: RequestKind, wanted: Collection[str]) -> Mapping[str, RequestStatus]: ...
    def list_in_progress(self, kind: RequestKind) -> frozenset[str]: ...
    def describe_status(self, kind: RequestKind, request_id: str) -> OperationStatus: ...


class Line(Protocol):
    """What carries operations out, one by one: `applying` sends them, a recorder keeps who is in which lane."""

    def enter(self, operation: Operation) -> bool:
        """Take the lane of the account; False while somebody else is in it."""

    def send(self, operation: Operation) -> str | None:
        """Send it; the request id, or None where nothing is left to wait for: then it has its outcome."""

    def end(self, operation: Operation, failure: Failure | None) -> None:
        """AWS has said its last word, or we have waited long enough. Gives the lane back."""

    def must_stop(self) -> bool: ...


@dataclass(frozen=True)
class FollowOptions:
    """outstanding: how many operations may be under way at once."""

    outstanding: int = 8
    poll_seconds: float = POLL_SECONDS
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


class UnderWay(NamedTuple):
    operation: Operation
    since: float


def follow(operations: Iterable[Operation], line: Line, center: StatusCenter, options: FollowOptions) -> None:
    """Carry the operations out, each account's in their order; returns when all have ended, or none may begin."""
    _Following(operations, line, center, options).run()


class _Following:
    def __init__(
        self, operations: Iterable[Operation], line: Line, center: StatusCenter, options: FollowOptions
    ) -> None:
        self.line, self.center, self.options = line, center, options
        self.lanes: dict[str, deque[Operation]] = defaultdict(deque)
        for operation in operations:
            self.lanes[operation.account_id].append(operation)
        self.turns = deque(self.lanes)  # whose turn it is: who got a place goes to the end
        self.refused: dict[str, float] = {}  # account → since when somebody else is in its lane
        self.under_way: dict[str, UnderWay] = {}  # by request id
        self.statuses = _Statuses(center, options)

    def run(self) -> None:
        while self.under_way or (self._has_more() and not self.line.must_stop()):
            if not self.line.must_stop():
                self._fill()
            if self.under_way or self._has_more():
                self.options.sleep(self.options.poll_seconds)
            for request_id, end in self.statuses.ask(self.under_way):
                self.line.end(self.under_way.pop(request_id).operation, end)

    def _has_more(self) -> bool:
        return any(self.lanes.values())

    # Beginning

    def _fill(self) -> None:
        """Start the next operation of each idle account, up to the cap; each account has its turn."""
        for account_id in list(self.turns):
            lane = self.lanes[account_id]
            while lane and self._has_place(account_id, lane[0]):
                if self.line.must_stop() or not self._enter(account_id, lane):
                    break
                self._start(lane.popleft())

    def _has_place(self, account_id: str, operation: Operation) -> bool:
        if len(self.under_way) >= self.options.outstanding:
            return False
        if any(item.operation.account_id == account_id for item in self.under_way.values()):
            return False
        kinds = Counter(item.operation.kind for item in self.under_way.values())
        is_provisioning = operation.kind is RequestKind.PROVISIONING
        return not is_provisioning or kinds[RequestKind.PROVISIONING] < MAX_PROVISIONINGS

    def _enter(self, account_id: str, lane: "deque[Operation]") -> bool:
        """Take the lane; who finds it taken for too long leaves what waits in it to the next run."""
        if self.line.enter(lane[0]):
            self.refused.pop(account_id, None)
            self.turns.remove(account_id)
            self.turns.append(account_id)
            return True
        since = self.refused.setdefault(account_id, self.options.now())
        if self.options.now() - since > GIVE_UP_SECONDS:
            busy = Failure(Reason("lane_busy", {"account": account_id}), for_good=False)
            while lane:
                self.line.end(lane.popleft(), busy)
        return False

    def _start(self, operation: Operation) -> None:
        try:
            request_id = self.line.send(operation)
        except GatewayError as error:
            self.line.end(operation, Failure(error.reason, isinstance(error, Permanent)))
            return
        if request_id is not None:
            self.under_way[request_id] = UnderWay(operation, self.options.now())


class _Statuses:
    """Asks in turn for the kinds of requests under way, one question a turn, and none before it can be worth it."""

    def __init__(self, center: StatusCenter, options: FollowOptions) -> None:
        self.center, self.options = center, options
        self.asked: dict[RequestKind, float] = {}
        self.shortest: dict[RequestKind, float] = {}  # how long the quickest of each kind took
        self.lists_newest = True  # whether the newest page has shown what is under way so far
        self.is_refused = False  # whether AWS lets us list at all

    def ask(self, under_way: Mapping[str, UnderWay]) -> list[tuple[str, Failure | None]]:
        """The requests that have ended, each with what went wrong, if anything did."""
        kind = self._next_kind(under_way)
        if kind is None:
            return []
        self.asked[kind] = self.options.now()
        mine = {request_id: item for request_id, item in under_way.items() if item.operation.kind is kind}
        found = self._find(kind, mine)
        ended = []
        for request_id, item in mine.items():
            end = self._end_of(request_id, item, found.get(request_id))
            if end is not None:
                ended.append((request_id, end.failure))
        return ended

    def _next_kind(self, under_way: Mapping[str, UnderWay]) -> RequestKind | None:
        """Of the kinds of which something may have ended, the one not asked for the longest."""
        now = self.options.now()
        ripe = {
            item.operation.kind
            for item in under_way.values()
            if now - item.since >= 0.9 * self.shortest.get(item.operation.kind, 0.0)
        }
        return min(ripe, key=lambda kind: (self.asked.get(kind, 0.0), kind), default=None)

    def _find(self, kind: RequestKind, mine: Collection[str]) -> Mapping[str, RequestStatus]:
        """The statuses that one question tells; none if it never will, all as under way while AWS cannot say."""
        try:
            if self.lists_newest:
                return self.center.find_statuses(kind, mine)
            return dict.fromkeys(self.center.list_in_progress(kind) & set(mine), RequestStatus.IN_PROGRESS)
        except Temporary as error:
            logger.warning("apply: status of %s could not be read: %s", kind, error)
            return dict.fromkeys(mine, RequestStatus.IN_PROGRESS)
        except GatewayError as error:
            logger.warning("apply: status of %s may not be listed, each is asked for by itself: %s", kind, error)
            self.is_refused = True
            return {}

    def _end_of(self, request_id: str, item: UnderWay, status: RequestStatus | None) -> "_End | None":
        """How a request ended; None while it is under way."""
        if status is RequestStatus.SUCCEEDED:
            return self._succeeded(item)
        if status is RequestStatus.IN_PROGRESS:
            return self._too_long(item)
        return self._describe(request_id, item, is_listed=status is not None)

    def _describe(self, request_id: str, item: UnderWay, *, is_listed: bool) -> "_End | None":
        try:
            found = self.center.describe_status(item.operation.kind, request_id)
        except NotFound:
            # AWS has forgotten the request: what became of it is for the next reading to tell.
            return _End(Failure(Reason("aws_forgot_request"), for_good=False))
        except Temporary:
            return self._too_long(item)
        except GatewayError as error:
            return _End(Failure(error.reason, for_good=False))
        if found.status is RequestStatus.IN_PROGRESS:
            # The newest page does not show it: AWS lists in an order of its own, or others are busy here.
            self.lists_newest = self.lists_newest and (is_listed or self.is_refused)
            return self._too_long(item)
        if found.status is RequestStatus.SUCCEEDED:
            return self._succeeded(item)
        return _End(judge_failure(found.failure_reason, item.operation.kind))

    def _succeeded(self, item: UnderWay) -> "_End":
        kind, took = item.operation.kind, self.options.now() - item.since
        self.shortest[kind] = min(took, self.shortest.get(kind, took))
        return _End()

    def _too_long(self, item: UnderWay) -> "_End | None":
        if self.options.now() - item.since < GIVE_UP_SECONDS:
            return None
        return _End(Failure(Reason("aws_slow", {"minutes": int(GIVE_UP_SECONDS // 60)}), for_good=False))


class _End(NamedTuple):
    failure: Failure | None = None


def judge_failure(text: str, kind: RequestKind) -> Failure | None:
    """What AWS's FailureReason comes to; None where what was asked for is so already."""
    verdict = classify_failure(text, kind)
    return None if verdict.is_done else Failure(verdict.reason, verdict.for_good)


def list_operations(changes: Iterable[Change]) -> list[Operation]:
    """The operations of assignment changes, in their order."""
    return [Operation(change, change.key.target_id) for change in changes if isinstance(change, AssignmentChange)]
