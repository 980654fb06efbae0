"""What an examination found, check by check. Pure: commands print it, a row keeps it, a page shows it."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncer.states import Reason


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `name` is the same in every language: `kintone.assignments.fields`."""

    name: str
    status: Status
    reason: Reason

    @property
    def is_ok(self) -> bool:
        return self.status is Status.OK

    def as_json(self) -> dict[str, Any]:
        """As a row keeps it: codes in the place of words."""
        return {"name": self.name, "status": self.status.value, "reason": self.reason.as_json()}


def passed(name: str, reason: Reason) -> Check:
    return Check(name, Status.OK, reason)


def warned(name: str, reason: Reason) -> Check:
    """It works, and somebody should know something about it."""
    return Check(name, Status.WARN, reason)


def failed(name: str, reason: Reason) -> Check:
    return Check(name, Status.FAIL, reason)


def skipped(name: str, cause: str) -> Check:
    """Not tried, because what it needs failed: `cause` is the name of that check."""
    return warned(name, Reason("doctor_skipped", {"cause": cause}))


def has_failed(checks: Iterable[Check]) -> bool:
    return any(check.status is Status.FAIL for check in checks)


# Sentences about settings that kept this process from starting, until it was started without them.
wrong_settings: list[str] = []


def set_aside(sentence: str, environment: MutableMapping[str, str]) -> bool:
    """Start without the setting that this sentence begins with, so that the rest can be examined.

    False where that does not help: the sentence names none, or one that is empty already.
    """
    name = sentence.partition(":")[0]
    if not environment.get(name):
        return False
    environment[name] = ""  # also hides what .env says
    wrong_settings.append(sentence)
    return True


def build_failed_start(error: str) -> Mapping[str, Any]:
    """What `doctor --json` prints where settings that cannot be understood keep the process from starting."""
    message = " ".join([*wrong_settings, error])
    remedy = "Set it in the environment or in .env."  # no settings, no language
    return {"checks": [{"name": "settings", "status": Status.FAIL.value, "message": message, "remedy": remedy}]}
