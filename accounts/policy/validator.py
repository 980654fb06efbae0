"""The verdict on a policy's text: everything that is to be said about it, in the order of the text.

Pure and without AWS: the same in the editor, in a run, and in people's own continuous integration. It never raises,
whatever the text is.
"""

from collections.abc import Iterable

from accounts.policy import catalogue
from accounts.policy.actions import check_actions
from accounts.policy.conditions import check_conditions
from accounts.policy.documents import Document, parse_document
from accounts.policy.findings import MAX_FINDINGS, SEVERITIES, Finding, Report, Severity
from accounts.policy.grammar import Policy, read_policy
from accounts.policy.limits import MAX_CHECKED, check_characters, check_size
from accounts.policy.resources import check_resources
from accounts.policy.risks import check_risks
from accounts.policy.tidying import check_tidiness


def validate_policy(text: str) -> tuple[Finding, ...]:
    """All findings about an inline policy of a permission set."""
    if len(text) > MAX_CHECKED:
        report = Report(Document(text, None))
        check_size(report)
        return tuple(report.findings)
    document = parse_document(text)
    report = Report(document)
    is_short = check_size(report)
    for fault in document.faults:
        report.add_at(
            "JSON_SYNTAX_ERROR", fault.path, fault.start, fault.end, sentence=fault.sentence,
            **{"column": document.locate(fault.start)[1], **fault.params},
        )  # fmt: skip
    if document.root is not None and not document.faults:
        check_characters(report)
        policy = read_policy(document.root, report)
        if is_short:
            _check_meaning(policy, report)
    return _sort(report)


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _check_meaning(policy: Policy, report: Report) -> None:
    if policy.statements and not catalogue.is_there():
        report.add_at("NAMES_NOT_CHECKED", "", 0, 0)
    has_variables = policy.has_variables
    looked_at = []
    for statement in policy.statements:
        named = check_actions(statement, report)
        check_resources(statement, named, report, has_variables=has_variables)
        check_conditions(statement, named, report, has_variables=has_variables)
        looked_at.append((statement, named))
        if report.is_full:
            return
    check_risks(looked_at, report)
    check_tidiness(policy.statements, report)


def _sort(report: Report) -> tuple[Finding, ...]:
    findings = sorted(report.findings, key=lambda finding: (finding.line, finding.column))
    if len(findings) < MAX_FINDINGS:
        return tuple(findings)
    last = findings[-1]
    more = Finding("MORE_FINDINGS", SEVERITIES["MORE_FINDINGS"], "", last.line, last.column, last.line, last.column,
                   "policy_more_findings", {"limit": MAX_FINDINGS})  # fmt: skip
    return (*findings, more)
