"""What a run has to tell outside, as values. Pure: no Django, no clock, no network.

A matter is told once, however many runs meet it: its key says when two runs mean the same. Equal causes are one matter,
so that forty changes that AWS refuses for one reason are one message. A matter that has grown to twice what was told is
told again (`has_grown`).
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple

from syncer.states import Reason

MOST_ITEMS = 5  # things that a message names before it says how many more there are
LONGEST_KEY = 200  # characters of a matter's key
LONGEST_NAME = 80  # characters of a name that are told
LONGEST_TEXT = 300  # characters of AWS's or kintone's own words that are told


class Kind(StrEnum):
    """As `syncer.models.Notice.Kind`."""

    FAILED = "failed"
    HELD = "held"
    DRIFT = "drift"
    CRITICAL = "critical"
    PEOPLE = "people"
    MIND = "mind"


class Item(NamedTuple):
    """One thing that a matter is about, in the words people know it by; what does not apply is empty."""

    account: str = ""  # its name, or its id where nobody knows a name
    stage: str = ""
    permission_set: str = ""
    who: str = ""
    scope: str = ""  # a `syncer.states.Scope` as text

    def as_json(self) -> dict[str, str]:
        return {name: shorten(value, LONGEST_NAME) for name, value in self._asdict().items() if value}


@dataclass(frozen=True)
class Matter:
    """Something to tell: a sentence, why it is so, and some of the things that it is about."""

    kind: Kind
    key: str
    sentence: Reason
    path: str
    count: int = 1
    because: tuple[Reason, ...] = ()
    items: tuple[Item, ...] = ()

    def as_params(self) -> dict[str, Any]:
        """What the row keeps: the sentence's parameters, and beside them the rest."""
        return {
            **tame(self.sentence).params,
            "count": self.count,
            "because": [tame(reason).as_json() for reason in self.because],
            "items": [item.as_json() for item in self.items[:MOST_ITEMS]],
        }


class Told(NamedTuple):
    """A change that failed or is held, or something that could not be read, and why."""

    reason: Reason
    item: Item = Item()
    operation: str = ""


class Drifted(NamedTuple):
    seen_at: datetime
    item: Item


class Captured(NamedTuple):
    """A set of ours that turned up in the management account, and how many assignments on it nobody can change."""

    pk: int
    name: str
    assignments: int


@dataclass(frozen=True)
class Findings:
    """What a run has come to. Reasons and problems of a run that did not come through are those of its end alone."""

    run_id: int
    came_through: bool  # it read, planned and did what it could; else `error` says what stopped it
    error: Reason | None = None
    failed: tuple[Told, ...] = ()
    held: tuple[Told, ...] = ()
    checksum: str = ""
    unresolved: tuple[Told, ...] = ()
    problems: tuple[Reason, ...] = ()  # those of no record: a record's own are told its author
    drift: tuple[Drifted, ...] = ()  # all that is open
    captured: tuple[Captured, ...] = ()  # all that is so
    untaken: int = 0  # resources of Terraform's files that differ from what was taken over last

    @property
    def path(self) -> str:
        return f"/runs/{self.run_id}/"


# Nothing that an operator needs to know: a run that was asked to end, or that found another one at work.
_ORDINARY_ENDS = frozenset({"run_stopped", "lease_busy", "record_not_found"})
# Told as the end of the run, not once more for each change that it left.
_ENDS = frozenset({"run_lost", "run_stopped", "lease_lost"})
# Told with its rows.
_ELSEWHERE = frozenset({"drift"})
# An app of kintone that is not built as it must be: nothing of it is believed until somebody mends its form.
_SCHEMA = frozenset({"kintone_field_in_table", "kintone_field_type", "kintone_fields_missing"})
_GROUPS_OF_HELD: Mapping[str, str] = {"app_shrunk": "app", "too_many_people": "people"}
_KINDS_OF_PROBLEMS: Mapping[str, Kind] = {"provisioning_stopped": Kind.CRITICAL}
# Problems of one code that are about different things, and which of their parameters says so.
_NAMED_BY: Mapping[str, str] = {
    "account_moved": "move",
    "account_moved_empty": "move",
    "guardrail_matches_no_account": "rule",
    "guardrail_matches_no_set": "rule",
    "guardrail_matches_nothing": "rule",
    "guardrail_roles_gone": "rule",
    "protection_matches_nothing": "unit",
}
# What happened, and is no trouble that could be over.
NEWS = frozenset({"account_moved", "account_moved_empty"})


def find_matters(findings: Findings) -> tuple[Matter, ...]:
    """Everything that stands, the gravest first. Each key is there once."""
    return (
        *_of_captured(findings),
        *_of_end(findings),
        *_of_held(findings),
        *_of_failed(findings),
        *_of_unresolved(findings),
        *_of_problems(findings),
        *_of_drift(findings),
        *_of_untaken(findings),
    )


def group_of_held(code: str) -> str:
    """What the brake counts together, by why it holds: `access`, `people` or, for an emptied app, `app`."""
    return _GROUPS_OF_HELD.get(code, "access")


def has_grown(told: int, now: int) -> bool:
    """Whether what stands is so much more than what was told that it has to be told anew."""
    return now >= 2 * max(told, 1)


def shorten(text: str, longest: int) -> str:
    """One line of visible characters, not too long: what others wrote may not look like our own lines."""
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _of_captured(findings: Findings) -> Iterable[Matter]:
    for pk, name, count in findings.captured:
        sentence = Reason("notice_captured", {"set": name, "count": count})
        yield Matter(Kind.CRITICAL, f"captured:{name}", sentence, f"/permission-sets/{pk}/", count=max(count, 1))


def _of_end(findings: Findings) -> Iterable[Matter]:
    error = findings.error
    if error is None or findings.came_through or error.code in _ORDINARY_ENDS:
        return
    if error.code in _SCHEMA:
        app = str(error.params.get("app", ""))
        sentence = Reason("notice_schema_broken", {"app": app})
        yield Matter(Kind.CRITICAL, f"schema:{app}", sentence, findings.path, because=(error,))
    else:
        yield Matter(Kind.FAILED, f"run:{error.code}", Reason("notice_run_failed"), findings.path, because=(error,))


def _of_held(findings: Findings) -> Iterable[Matter]:
    for group, told in _group(findings.held, lambda each: group_of_held(each.reason.code)):
        code = "notice_held_people" if group == "people" else "notice_held"
        sentence = Reason(code, {"count": len(told), "checksum": findings.checksum})
        yield _build(Kind.HELD, f"held:{group}", sentence, findings.path, told)


def _of_failed(findings: Findings) -> Iterable[Matter]:
    failed = [each for each in findings.failed if each.reason.code not in _ENDS]
    for cause, told in _group(failed, lambda each: _name_cause(each.reason)):
        sentence = Reason("notice_changes_failed", {"count": len(told)})
        yield _build(Kind.FAILED, f"failed:{cause}", sentence, findings.path, told)


def _of_unresolved(findings: Findings) -> Iterable[Matter]:
    unresolved = findings.unresolved if findings.came_through else ()
    for cause, told in _group(unresolved, lambda each: f"{each.operation}:{each.reason.code}"):
        sentence = Reason("notice_unresolved", {"count": len(told)})
        yield _build(Kind.FAILED, f"unresolved:{cause}", sentence, findings.path, told)


def _of_problems(findings: Findings) -> Iterable[Matter]:
    told = [Told(problem) for problem in findings.problems if problem.code not in _ELSEWHERE]
    for name, group in _group(told, lambda each: _name_problem(each.reason)):
        sentence = group[0].reason
        kind = _KINDS_OF_PROBLEMS.get(sentence.code, Kind.MIND)
        yield Matter(kind, f"problem:{name}"[:LONGEST_KEY], sentence, findings.path, count=len(group))


def _name_problem(problem: Reason) -> str:
    named_by = _NAMED_BY.get(problem.code)
    return f"{problem.code}:{problem.params.get(named_by, '')}" if named_by else problem.code


def _of_drift(findings: Findings) -> Iterable[Matter]:
    """What one run found belongs together, and stands as long as anything of it does."""
    ordered = sorted(findings.drift, key=lambda each: each.seen_at)
    for second, group in groupby(ordered, key=lambda each: each.seen_at.replace(microsecond=0)):
        items = tuple(each.item for each in group)
        sentence = Reason("notice_drift", {"count": len(items)})
        yield Matter(Kind.DRIFT, f"drift:{second.isoformat()}", sentence, findings.path, len(items), (), items)


def _of_untaken(findings: Findings) -> Iterable[Matter]:
    if findings.untaken:
        sentence = Reason("notice_terraform", {"count": findings.untaken})
        yield Matter(Kind.MIND, "terraform", sentence, "/terraform/", count=findings.untaken)


def _build(kind: Kind, key: str, sentence: Reason, path: str, told: list[Told]) -> Matter:
    reasons = {_name_cause(each.reason): each.reason for each in told}
    because = tuple(reasons.values())[:MOST_ITEMS]
    return Matter(kind, key[:LONGEST_KEY], sentence, path, len(told), because, tuple(each.item for each in told))


def _group(told: Iterable[Told], name: Callable[[Told], str]) -> Iterable[tuple[str, list[Told]]]:
    groups: dict[str, list[Told]] = {}
    for each in told:
        groups.setdefault(name(each), []).append(each)
    return groups.items()


# In AWS's words these differ from account to account though the cause is one.
_PARTICULARS = re.compile(r"arn:\S+|[0-9a-fA-F-]{36}|\d{6,}")


def _name_cause(reason: Reason) -> str:
    """Equal for what has one cause."""
    text = _PARTICULARS.sub("…", str(reason.params.get("text", "")))
    digest = hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""
    return ":".join(filter(None, (reason.code, digest)))


def tame(reason: Reason) -> Reason:
    """The reason as it may leave the house: short, and without what an error of our own may have quoted."""
    params = {
        name: shorten(value, LONGEST_TEXT) if isinstance(value, str) else value for name, value in reason.params.items()
    }
    if reason.code == "unexpected":
        params["text"] = str(params.get("text", "")).partition(":")[0]
    return Reason(reason.code, params)
