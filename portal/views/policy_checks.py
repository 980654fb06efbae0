"""The verdict on a policy while somebody types it: the validator's, the same that every run gives. Writes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.policy.findings import Finding, Severity
from accounts.policy.formatting import format_text
from accounts.policy.validator import validate_policy
from accounts.sentences import Sentence
from accounts.sentences import render as render_sentence
from portal.views.pacing import at_a_pace
from portal.views.values import Line, split_policy
from syncer.drafts.saving import LONGEST_TEXT

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Fix:
    """What a click puts in the place of a finding; nothing, where the place is to go."""

    text: str
    name: str = ""


@dataclass(frozen=True)
class Remark:
    """A finding in the reader's words."""

    finding: Finding
    sentence: Sentence
    fix: Fix | None


@dataclass(frozen=True)
class Verdict:
    """All that is to be said of a policy, the gravest first, and its lines for those without script."""

    is_empty: bool
    remarks: tuple[Remark, ...]
    counts: tuple[tuple[Severity, int], ...]
    lines: tuple[Line, ...]

    @property
    def errors(self) -> int:
        return dict(self.counts).get(Severity.ERROR, 0)


@require_POST
@at_a_pace
def check_policy(request: HttpRequest) -> HttpResponse:
    """The findings about a text, as a part of the editor's page."""
    return render(request, "portal/_set_findings.html", {"verdict": judge(_read(request)), "is_part": True})


@require_POST
@at_a_pace
def format_policy(request: HttpRequest) -> HttpResponse:
    """The text laid out afresh; 422 where it is no JSON yet."""
    formatted = format_text(_read(request))
    return HttpResponse(formatted or "", status=200 if formatted is not None else 422, content_type="text/plain")


def _read(request: HttpRequest) -> str:
    """At most one sign more than a record takes: the validator says of the rest that it is too long."""
    return request.POST.get("inline_policy", "").replace("\r\n", "\n")[: LONGEST_TEXT + 1]


def judge(text: str) -> Verdict:
    """The validator's findings in the reader's language. A set needs no inline policy, so nothing is said of none."""
    if not text.strip():
        return Verdict(True, (), (), ())
    findings = sorted(validate_policy(text), key=lambda finding: (_RANK[finding.severity], finding.line))
    counts = Counter(finding.severity for finding in findings)
    return Verdict(
        is_empty=False,
        remarks=tuple(_describe(finding) for finding in findings),
        counts=tuple((severity, counts[severity]) for severity in Severity if counts[severity]),
        lines=tuple(split_policy(text, _mark(findings))),
    )


def _describe(finding: Finding) -> Remark:
    params = {"column": finding.column, **finding.params}
    return Remark(finding, render_sentence(finding.sentence, params), _find_fix(finding))


def _find_fix(finding: Finding) -> Fix | None:
    """Where it is clear what was meant: the nearest name, and no comma before the end."""
    if finding.sentence == "json_trailing_comma":
        return Fix("")
    near = str(finding.params.get("near") or "").partition(",")[0]
    return Fix(f'"{near}"', near) if near and finding.sentence == "policy_invalid_action_near" else None


def _mark(findings: Sequence[Finding]) -> dict[int, str]:
    """Line → the gravest severity in it."""
    marks: dict[int, str] = {}
    for finding in findings:
        marks.setdefault(finding.line, str(finding.severity))
    return marks
