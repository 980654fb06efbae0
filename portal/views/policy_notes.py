"""What is to be said about a policy beside its text: our validator's notes, and those of IAM Access Analyzer.

Analyzer's are in its own words, in the reader's language. What both found at the same place is said once, by us. That
nobody could ask is said as that: silence would read as praise.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language

from accounts.models import PolicyOpinion, Problem
from accounts.policy.findings import Finding, Severity
from accounts.policy.layout import digest_policy, format_policy
from accounts.policy.limits import MAX_CHECKED
from accounts.policy.validator import validate_policy
from accounts.sentences import Sentence, render, render_reason

MOST = 50  # notes of a kind on a page; who has more mends these first
_SEVERITIES = {
    "ERROR": Severity.ERROR,
    "WARNING": Severity.WARNING,
    "SECURITY_WARNING": Severity.SECURITY,
    "SUGGESTION": Severity.HINT,
}

_OF_WHOLE_TEXT = {"JSON_SYNTAX_ERROR", "MISSING_VERSION", "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"}


@dataclass(frozen=True)
class Note:
    severity: str
    code: str
    message: str
    remedy: str
    line: int
    link: str


@dataclass(frozen=True)
class SecondOpinion:
    """What Access Analyzer says. outcome: of PolicyOpinion, or `unasked`; same: how many of its findings are ours."""

    outcome: str
    notes: tuple[Note, ...] = ()
    same: int = 0
    asked_at: datetime | None = None
    reason: Sentence | None = None


@dataclass(frozen=True)
class PolicyNotes:
    ours: tuple[Note, ...]
    second: SecondOpinion

    @property
    def count(self) -> int:
        return len(self.ours) + len(self.second.notes)


def build_notes(text: str, problems: Iterable[Problem]) -> PolicyNotes | None:
    """About one policy as it is shown; `problems` are said elsewhere on the page. None for no policy."""
    if not text.strip():
        return None
    findings = _validate(text)
    said = {problem.code for problem in problems if problem.field == "inline_policy"}
    ours = [_note(finding) for finding in findings if finding.sentence not in said]
    return PolicyNotes(tuple(ours[:MOST]), _find_opinion(text, findings))


def _validate(text: str) -> list[Finding]:
    """The findings about the text as it is laid out here; what only the layout brings (its size) is left out."""
    shown, findings = format_policy(text), validate_policy(text)
    if shown == text:
        return list(findings)
    codes = {finding.code for finding in findings}
    return [finding for finding in validate_policy(shown) if finding.code in codes]


def _note(finding: Finding) -> Note:
    sentence = render(finding.sentence, {"column": finding.column, **finding.params})
    return Note(finding.severity, finding.code, sentence.message, sentence.remedy, finding.line, finding.link)


def _find_opinion(text: str, findings: Iterable[Finding]) -> SecondOpinion:
    if len(text) > MAX_CHECKED:
        return SecondOpinion("too_long")
    digest = digest_policy(text)
    rows = {
        row.digest == digest: row
        for row in PolicyOpinion.objects.filter(digest=digest)
        | PolicyOpinion.objects.filter(outcome=PolicyOpinion.Outcome.DENIED)
    }
    row = rows.get(True) or rows.get(False)  # that the role may not ask is true of every text
    if row is None:
        return SecondOpinion("unasked")
    theirs = _read(row)
    places = {_place(finding) for finding in findings}
    new = [note for note in theirs if _place(note) not in places]
    return SecondOpinion(
        row.outcome, tuple(new[:MOST]), len(theirs) - len(new), row.checked_at, render_reason(row.reason)
    )


def _place(said: Finding | Note) -> tuple[str, int]:
    """What is about the whole text has no line: each of us counts it where he noticed."""
    return said.code, 0 if said.code in _OF_WHOLE_TEXT else said.line


def _read(row: PolicyOpinion) -> Collection[Note]:
    found = row.findings.get((get_language() or "en")[:2]) or row.findings.get("en") or []
    return [
        Note(
            _SEVERITIES.get(each["kind"], Severity.WARNING), each["code"], each["details"], "", each["line"],
            each["link"],
        )
        for each in found
    ]  # fmt: skip
