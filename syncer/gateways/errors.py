"""What can go wrong outside, as one tree: no exception of boto3 or requests leaves the gateways.

`Temporary` says that the same request may well succeed later: nothing is known about what was asked. `Permanent` says
that the other side judged the request, and will judge it the same until somebody changes something.
"""

from syncer.states import Reason


class GatewayError(Exception):
    """A request to the outside that failed.

    operation: `sso-admin:ListPermissionSets`, or `kintone GET records.json app 24`.
    reason: the sentence for people; its params are texts.
    code, text: what the other side called it and said about it, in its own words; empty if it said nothing.
    part: which of several requests that were sent as one it is about, from 0; None where nobody said.
    """

    part: int | None = None

    def __init__(self, operation: str, reason: Reason, code: str = "", text: str = "") -> None:
        super().__init__(operation, reason, code, text)
        self.operation, self.reason, self.code, self.text = operation, reason, code, text

    def __str__(self) -> str:
        said = ": ".join(filter(None, (self.code, self.text)))
        return f"{self.operation}: {self.reason.code}" + (f" ({said})" if said else "")


class Temporary(GatewayError):
    """Worth another try. `retry_after` is the pause the other side asked for, in seconds."""

    retry_after: float | None = None


class Unreachable(Temporary):
    """No connection came about, so nothing was carried out."""


class NoAnswer(Temporary):
    """The request was sent and no answer came back."""


class Unavailable(Temporary):
    """The other side has trouble of its own (5xx)."""


class Throttled(Temporary):
    """Too many requests, or too many under way."""

    def __init__(
        self, operation: str, reason: Reason, code: str = "", text: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(operation, reason, code, text)
        self.retry_after = retry_after


class Race(Temporary):
    """Another change of the same thing is under way."""


class OutcomeUnknown(Temporary):
    """A write may have been carried out or not, and asking did not settle it."""


class Truncated(Temporary):
    """A listing that came back whole to the eye, but cannot be complete."""


class Unauthenticated(Temporary):
    """No credentials, or the other side does not take them. It says nothing about what was asked, hence temporary."""


class Permanent(GatewayError):
    """Not worth another try as it is."""


class NotFound(Permanent):
    """What was asked for is not there."""


class Conflict(Permanent):
    """The request contradicts what is there: a name is taken, a set is in use."""


class Denied(Permanent):
    """The credentials are good but may not do this."""


class Invalid(Permanent):
    """The other side does not understand or accept the request, or we do not understand the answer."""


class QuotaExceeded(Permanent):
    """A count is used up until somebody raises it."""
