"""Entra ID's error answers: OAuth's word for programs, an AADSTS number for people."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(eq=False)
class EntraError(Exception):
    """A refused request. `error` is OAuth's word, `number` the AADSTS number, `status` the HTTP status as JSON.

    Source: Microsoft's reference of AADSTS error codes.
    """

    error: str
    number: int
    message: str
    status: int = 400
    trace_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def describe(self, now: datetime) -> str:
        """The text of `error_description`: never meant to be parsed."""
        return (
            f"AADSTS{self.number}: {self.message} Trace ID: {self.trace_id} "
            f"Correlation ID: {self.correlation_id} Timestamp: {now:%Y-%m-%d %H:%M:%S}Z"
        )

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The body of the token endpoint's refusal."""
        return {
            "error": self.error,
            "error_description": self.describe(now),
            "error_codes": [self.number],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%S}Z",
            "trace_id": self.trace_id,
            "correlation_id": self.correlation_id,
        }


class ShownError(EntraError):
    """An error that is shown on Entra's own page, because there is no address it could safely be sent to."""


def missing_parameter(name: str) -> EntraError:
    return EntraError("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")
