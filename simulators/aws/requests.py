"""The asynchronous requests of an instance: those under way, those over, and when each account is free again."""

import heapq
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from simulators.aws.entities import Assignment, AsyncRequest, Principal, RequestKind, RequestStatus
from simulators.aws.rows import Rows

KEPT_OF_EACH_KIND = 10_000  # AWS does not say how long a request id stays readable


class Requests:
    """Requests by id and by kind, newest first, and those under way by the time they are due."""

    def __init__(self) -> None:
        self._by_id: dict[str, AsyncRequest] = {}
        self._by_kind: dict[RequestKind, Rows[AsyncRequest]] = {kind: Rows() for kind in RequestKind}
        self._pending: dict[str, AsyncRequest] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._busy_until: dict[str, float] = {}

    def free_from(self, account_id: str, now: float) -> float:
        """When the account can begin the next role update: it carries out one at a time."""
        return max(now, self._busy_until.get(account_id, now))

    def open(self, request: AsyncRequest, busy_until: dict[str, float]) -> None:
        """Take up a request; `busy_until` says until when it keeps each of its accounts busy."""
        self._put(request)
        self._busy_until.update(busy_until)
        self._forget_oldest(request.kind)

    def due(self, now: float) -> Iterator[AsyncRequest]:
        """Hand out, in the order of their times, the requests to be finished by `now`."""
        while self._queue and self._queue[0][0] <= now:
            request = self._by_id[heapq.heappop(self._queue)[2]]
            del self._pending[request.id]
            yield request

    def get(self, kind: RequestKind, request_id: str) -> AsyncRequest | None:
        request = self._by_id.get(request_id)
        return request if request and request.kind is kind else None

    def all(self, kind: RequestKind) -> Rows[AsyncRequest]:
        """All requests of a kind, the newest first."""
        return self._by_kind[kind]

    def pending(self, *kinds: RequestKind) -> list[AsyncRequest]:
        return [request for request in self._pending.values() if request.kind in kinds]

    def pending_for(self, kind: RequestKind, assignment: Assignment) -> bool:
        return any(
            (request.target, request.permission_set_arn, request.principal)
            == (assignment.account_id, assignment.permission_set_arn, assignment.principal)
            for request in self.pending(kind)
        )

    def _put(self, request: AsyncRequest) -> None:
        self._by_id[request.id] = request
        self._by_kind[request.kind].add(-request.number, request)
        if request.status is RequestStatus.IN_PROGRESS:
            self._pending[request.id] = request
            heapq.heappush(self._queue, (request.due, request.number, request.id))

    def _forget_oldest(self, kind: RequestKind) -> None:
        rows = self._by_kind[kind]
        while len(rows) > KEPT_OF_EACH_KIND:
            oldest = rows.last()
            if oldest.id in self._pending:
                return
            rows.remove(-oldest.number)
            del self._by_id[oldest.id]

    def to_state(self) -> dict[str, Any]:
        return {"all": [asdict(request) for request in self._by_id.values()], "busy_until": dict(self._busy_until)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Requests":
        requests = cls()
        for values in state["all"]:
            requests._put(_request(values))
        requests._busy_until = dict(state["busy_until"])
        return requests


def _request(values: dict[str, Any]) -> AsyncRequest:
    typed = {
        "kind": RequestKind(values["kind"]),
        "status": RequestStatus(values["status"]),
        "principal": Principal(*values["principal"]) if values["principal"] else None,
    }
    return AsyncRequest(**{**values, **typed})
