"""One call to one operation, as the services see it, and the pages of its answer."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from simulators.aws.entities import AccessKey
from simulators.aws.errors import AwsError
from simulators.aws.rows import Rows
from simulators.aws.world import AwsWorld

T = TypeVar("T")
Answer = dict[str, Any]
_PAGING_MEMBERS = {"MaxResults", "NextToken", "MaxItems", "Marker", "maxResults", "nextToken"}


@dataclass(frozen=True)
class Call:
    """`parameters` have passed the model's checks; `region` is the one the caller signed for."""

    world: AwsWorld
    caller: AccessKey
    service: str
    operation: str
    region: str
    parameters: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A required string."""
        return str(self.parameters[name])

    def optional(self, name: str) -> str | None:
        value = self.parameters.get(name)
        return None if value is None else str(value)

    def denied(self, resource: str | None = None) -> AwsError:
        """The refusal of this call, worded as IAM does."""
        prefix = {"sso-admin": "sso", "accessanalyzer": "access-analyzer"}.get(self.service, self.service)
        place = f" on resource: {resource}" if resource else ""
        message = f"User: {self.caller.arn} is not authorized to perform: {prefix}:{self.operation}{place}"
        return AwsError("AccessDeniedException", message)

    def page(
        self,
        rows: Rows[T],
        *,
        size: int | None = None,
        cursor: str = "NextToken",
        keep: Callable[[T], bool] | None = None,
    ) -> "Page[T]":
        """The page that the caller asks for by his token, of `size` rows or the world's default at most.

        cursor: the parameter that carries the token. keep: which rows are part of the listing.
        Raises BadToken for a token that this listing with these parameters did not hand out.
        """
        scope, token = self._scope(), self.optional(cursor)
        if token is None and self.world.empty_pages:
            return Page([], _write_token(scope, None))
        after = None if token is None else _read_token(token, scope)
        limit = size or self.world.default_page_size
        found: list[tuple[int, T]] = []
        for number, row in rows.after(after):
            if keep and not keep(row):
                continue
            if len(found) == limit:
                return Page([row for _, row in found], _write_token(scope, found[-1][0]))
            found.append((number, row))
        return Page([row for _, row in found], None)

    def _scope(self) -> str:
        asked = {name: value for name, value in self.parameters.items() if name not in _PAGING_MEMBERS}
        described = json.dumps([self.service, self.operation, asked], sort_keys=True)
        return hashlib.sha256(described.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows of a listing, and the token of the next page if there is one."""

    rows: list[T]
    token: str | None

    def answer(self, member: str, render: Callable[[T], Any], cursor: str = "NextToken") -> Answer:
        answer: Answer = {member: [render(row) for row in self.rows]}
        if self.token is not None:
            answer[cursor] = self.token
        return answer


class BadToken(Exception):
    """A page token that nobody handed out for this listing."""


def _write_token(scope: str, after: int | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([scope, after]).encode()).decode()


def _read_token(token: str, scope: str) -> int | None:
    """The number to go on after; None: from the beginning, after an empty page."""
    try:
        known, after = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadToken from error
    if known != scope or not (after is None or isinstance(after, int)):
        raise BadToken
    return after
