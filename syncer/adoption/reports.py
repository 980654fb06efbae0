"""What came of `adopt`, as it is kept for the page, printed for people, and printed as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import Any

from django.utils.translation import gettext as _

from accounts.sentences import render, render_reason
from syncer.adoption.adopting import Outcome, Result, SetResult
from syncer.adoption.checks import Likeness, Obstacle, Verdict
from syncer.adoption.files import Fault
from syncer.states import Actual, AssignmentKey, Reason

EXIT_CODES = {"done": 0, "failed": 1, "held": 3}
_SIGNS = {Likeness.EQUAL: "=", Likeness.DIFFERENT: "~", Likeness.ONLY_AWS: "+", Likeness.CANNOT: "!"}


# --- As values --------------------------------------------------------------------------------------------------------


def describe_result(result: Result) -> dict[str, Any]:
    """Everything, with reasons as codes: who reads it has a language of his own."""
    return {
        "status": result.status,
        "error": result.error.as_json() if result.error else {},
        "sets": [_describe_set(item, result.actual) for item in result.sets],
        "terraform": list(result.terraform),
        "accounts_without_owners": [_describe_account(key, result.actual) for key in result.ownerless],
        "faults": [
            {"file": name, "line": fault.line, "reason": fault.reason.as_json()} for name, fault in _iter_faults(result)
        ],
        "unresolved": result.unresolved,
        "api_calls": dict(sorted(result.api_calls.items())),
        "seconds": round(result.seconds, 3),
    }


def _describe_set(item: SetResult, actual: Actual | None) -> dict[str, Any]:
    verdict = item.verdict
    changed = verdict.holders if verdict.differences else verdict.stale
    return {
        "permission_set": verdict.name,
        "verdict": verdict.likeness.value,
        "outcome": item.outcome.value,
        "checksum": verdict.checksum,
        "assignments": verdict.assignments,
        "lacks_record": verdict.lacks_record,
        "record": verdict.record or None,
        "differences": [difference._asdict() for difference in verdict.differences],
        "reprovisioned": [_describe_account(account_id, actual) for account_id in sorted(changed)],
        "more": _describe_all(verdict.more, actual),
        "unregistered": _describe_all(verdict.unregistered, actual),
        "left_out": _describe_all(verdict.left_out, actual),
        "reasons": [_describe_obstacle(obstacle, actual) for obstacle in item.reasons],
        "records": item.records,
    }


def _describe_all(keys: Iterable[AssignmentKey], actual: Actual | None) -> list[dict[str, Any]]:
    return [_describe_key(key, actual) for key in keys]


def _describe_key(key: AssignmentKey, actual: Actual | None) -> dict[str, Any]:
    principal = actual.principals.get(key.principal_id) if actual else None
    return {
        **_describe_account(key.target_id, actual),
        "principal_type": key.principal_type.value,
        "principal_id": key.principal_id,
        "principal": principal.name if principal else "",
    }


def _describe_account(account_id: str, actual: Actual | None) -> dict[str, Any]:
    account = actual.accounts.get(account_id) if actual else None
    return {"account_id": account_id, "account": account.name if account else ""}


def _describe_obstacle(obstacle: Obstacle, actual: Actual | None) -> dict[str, Any]:
    about = _describe_key(obstacle.key, actual) if obstacle.key else None
    return {"about": about, "reason": obstacle.reason.as_json()}


def _iter_faults(result: Result) -> Iterator[tuple[str, Fault]]:
    for name, faults in result.faults.items():
        yield from ((name, fault) for fault in faults)


# --- As JSON for scripts ----------------------------------------------------------------------------------------------


def render_json(result: Result) -> dict[str, Any]:
    """The one object of `--json`: as `plan` and `sync`, with every code said in a sentence."""
    described = describe_result(result)
    error = render_reason(described["error"])
    return {
        **described,
        "error": error.message if error else None,
        "sets": [{**item, "reasons": [_say(reason) for reason in item["reasons"]]} for item in described["sets"]],
        "faults": [
            {"file": item["file"], "line": item["line"], **_sentence_of(item["reason"])} for item in described["faults"]
        ],
        "unresolved": [
            {**{name: item[name] for name in ("scope", "operation")}, "reason": _sentence_of(item["reason"])["message"]}
            for item in described["unresolved"]
        ],
    }


def _say(reason: Mapping[str, Any]) -> dict[str, Any]:
    about = reason["about"] or dict.fromkeys(("account_id", "account", "principal_type", "principal_id", "principal"))
    return {**about, **_sentence_of(reason["reason"])}


def _sentence_of(reason: Mapping[str, Any]) -> dict[str, str]:
    sentence = render_reason(reason)
    code = str(reason.get("code", ""))
    return {
        "code": code,
        "message": sentence.message if sentence else "",
        "remedy": sentence.remedy if sentence else "",
    }


# --- As text for people -----------------------------------------------------------------------------------------------


def iter_lines(result: Result) -> Iterator[str]:
    """A table of the sets, each with what is to be known of it below its line."""
    if result.sets:
        width = max(len(item.verdict.name) for item in result.sets)
        for each in result.sets:
            yield from _iter_lines_of(each, result.actual, width)
    if result.terraform:
        yield _("Managed in Terraform, never adopted: %(sets)s") % {"sets": ", ".join(result.terraform)}
    if result.ownerless:
        names = [_name_account(account_id, result.actual) for account_id in result.ownerless]
        yield _("No owners are given for these accounts: %(accounts)s") % {"accounts": ", ".join(names)}
    for name, fault in _iter_faults(result):
        yield f"! {name}:{fault.line}: {_explain(fault.reason)}"
    for item in result.unresolved:
        yield f"? {item['scope']} ({item['operation']}): {_sentence_of(item['reason'])['message']}"
    if result.error:
        yield _explain(result.error)


def _iter_lines_of(item: SetResult, actual: Actual | None, width: int) -> Iterator[str]:
    verdict = item.verdict
    words = _LIKENESS[verdict.likeness](), _OUTCOMES[item.outcome]()
    count = _("%(count)d assignments") % {"count": verdict.assignments}
    yield f"{_SIGNS[verdict.likeness]} {verdict.name:{width}}  {words[0]}, {count}  [{words[1]}]"
    yield from (f"    {line}" for line in _iter_details(item, actual))


def _iter_details(item: SetResult, actual: Actual | None) -> Iterator[str]:
    verdict = item.verdict
    for difference in verdict.differences:
        yield f"~ {difference.field}: AWS → kintone"
        yield from (f"  {line}" for line in _compare(difference.before, difference.after))
    if verdict.differences or verdict.stale:
        yield _("accounts that a change reaches: %(accounts)s") % {"accounts": _name_accounts(verdict, actual)}
    if verdict.lacks_record and item.outcome is not Outcome.ADOPTED:
        yield _("+ a record of the permission set")
    for sign, keys in (("+", verdict.unregistered), ("*", verdict.more), ("-", verdict.left_out)):
        yield from (f"{sign} {_name_key(key, actual)}" for key in keys)
    if item.records:
        yield _("records written: %(records)s") % {"records": ", ".join(item.records)}
    for obstacle in item.reasons:
        place = f"{_name_key(obstacle.key, actual)}: " if obstacle.key else ""
        yield f"! {place}{_explain(obstacle.reason)}"


def _name_accounts(verdict: Verdict, actual: Actual | None) -> str:
    accounts = verdict.holders if verdict.differences else verdict.stale
    return ", ".join(_name_account(account_id, actual) for account_id in sorted(accounts)) or _("none")


def _name_account(account_id: str, actual: Actual | None) -> str:
    name = _describe_account(account_id, actual)["account"]
    return f"{name} ({account_id})" if name else account_id


def _name_key(key: AssignmentKey, actual: Actual | None) -> str:
    principal = _describe_key(key, actual)["principal"]
    return f"{_name_account(key.target_id, actual)} × {principal or key.principal_id}"


def _compare(before: str, after: str) -> Iterator[str]:
    """The lines that go and come; of two ways to write the same JSON nothing."""
    old, new = _pretty(before).splitlines(), _pretty(after).splitlines()
    yield from (line for line in list(unified_diff(old, new, lineterm="", n=0))[2:] if not line.startswith("@@"))


def _pretty(text: str) -> str:
    """JSON in one form for all; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text.startswith("{") else text
    except ValueError:
        return text


def _explain(reason: Reason) -> str:
    return render(reason.code, reason.params).text


_LIKENESS = {
    Likeness.EQUAL: lambda: _("equal"),
    Likeness.DIFFERENT: lambda: _("different"),
    Likeness.ONLY_AWS: lambda: _("records are missing"),
    Likeness.CANNOT: lambda: _("cannot be adopted"),
}
_OUTCOMES = {
    Outcome.SHOWN: lambda: _("compared"),
    Outcome.ADOPTED: lambda: _("adopted"),
    Outcome.LEFT: lambda: _("left as it is"),
    Outcome.FAILED: lambda: _("failed"),
}
