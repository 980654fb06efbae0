"""A handful of Access Analyzer's checks, enough to see each of its four kinds of finding and both languages.

Written from AWS's reference of checks, and simple on purpose: what the real one knows fills a team.
"""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
_SLIP = 0.9  # likeness: a name so near to a real one is taken for a slip of the pen, any other for one not listed here
# Of a few services, a few actions; all others are taken for real.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "s3": (
        "DeleteObject", "GetBucketLocation", "GetObject", "GetObjectTagging", "ListAllMyBuckets", "ListBucket",
        "PutObject", "PutObjectTagging",
    ),
    "sqs": ("DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ListQueues", "ReceiveMessage", "SendMessage"),
}  # fmt: skip


class _Check(NamedTuple):
    """kind: AWS's findingType; group: where its reference explains the check."""

    kind: str
    group: str
    english: str
    japanese: str


_CHECKS: Mapping[str, _Check] = {
    "JSON_SYNTAX_ERROR": _Check(
        "ERROR", "error", "Fix the JSON syntax error: {found}", "JSON 構文エラーを修正してください: {found}"
    ),
    "MISSING_VERSION": _Check(
        "WARNING", "general-warning", "We recommend that you specify the Version element.",
        "Version 要素を指定することをお勧めします。",
    ),
    "UNIQUE_SIDS_REQUIRED": _Check(
        "ERROR", "error", "Duplicate statement IDs are not supported: {found}",
        "ステートメント ID の重複はサポートされていません: {found}",
    ),
    "INVALID_ACTION": _Check(
        "ERROR", "error", "The action {found} does not exist. Did you mean {near}?",
        "アクション {found} は存在しません。{near} ですか?",
    ),
    "PASS_ROLE_WITH_STAR_IN_RESOURCE": _Check(
        "SECURITY_WARNING", "security-warning",
        "Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive.",
        "リソースにワイルドカード (*) を使用した iam:PassRole は、過度に許可する可能性があります。",
    ),
    "REDUNDANT_ACTION": _Check(
        "SUGGESTION", "suggestion", "The {found} action is redundant because it is listed twice.",
        "アクション {found} は重複しています。",
    ),
}  # fmt: skip


def check_policy(document: str, locale: str) -> list[dict[str, Any]]:
    """The findings as ValidatePolicy answers them, in the order of the text."""
    try:
        policy = json.loads(document)
    except ValueError as error:
        end = len(document)
        return [_finding("JSON_SYNTAX_ERROR", locale, document, (0, end), [], found=str(error).partition(":")[0])]
    if not isinstance(policy, dict):
        return [_finding("JSON_SYNTAX_ERROR", locale, document, (0, len(document)), [], found="not an object")]
    found = list(_check_whole(policy, document, locale))
    return sorted(found, key=lambda each: int(each["locations"][0]["span"]["start"]["offset"]))


def _check_whole(policy: dict[str, Any], document: str, locale: str) -> Iterator[dict[str, Any]]:
    if "Version" not in policy:
        yield _finding("MISSING_VERSION", locale, document, (0, len(document)), [])
    seen: set[str] = set()
    times: dict[str, int] = {}
    for number, statement in enumerate(_listed(policy.get("Statement"))):
        if not isinstance(statement, dict):
            continue
        place: list[dict[str, Any]] = [{"value": "Statement"}, {"index": number}]
        sid = statement.get("Sid")
        if isinstance(sid, str) and sid in seen:
            span = _find_text(document, sid, times.get(f"sid {sid}", 1))
            yield _finding("UNIQUE_SIDS_REQUIRED", locale, document, span, [*place, {"value": "Sid"}], found=sid)
        seen.add(str(sid))
        yield from _check_actions(statement, place, document, locale, times)


def _check_actions(
    statement: dict[str, Any], place: list[dict[str, Any]], document: str, locale: str, times: dict[str, int]
) -> Iterator[dict[str, Any]]:
    actions = [each for each in _listed(statement.get("Action")) if isinstance(each, str)]
    is_allowing = statement.get("Effect") == "Allow"
    for number, action in enumerate(actions):
        span = _find_text(document, action, times.get(action, 0))
        times[action] = times.get(action, 0) + 1
        path = [*place, {"value": "Action"}, {"index": number}]
        if near := _find_wrong(action):
            yield _finding("INVALID_ACTION", locale, document, span, path, found=action, near=near)
        if action in actions[:number]:
            yield _finding("REDUNDANT_ACTION", locale, document, span, path, found=action)
        if is_allowing and action.lower() == "iam:passrole" and "*" in _listed(statement.get("Resource")):
            yield _finding("PASS_ROLE_WITH_STAR_IN_RESOURCE", locale, document, span, path)


def _find_wrong(action: str) -> str:
    """The nearest real action to one that is none; empty where nothing is wrong with it."""
    service, _colon, name = action.partition(":")
    known = _ACTIONS.get(service.lower())
    if known is None or re.search(r"[*?]", name) or name.lower() in map(str.lower, known):
        return ""
    near = get_close_matches(name, known, 1, _SLIP)
    return f"{service}:{near[0]}" if near else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _find_text(document: str, text: str, times: int) -> tuple[int, int]:
    """Where a text stands in quotation marks, after so many others like it."""
    quoted, start = json.dumps(text, ensure_ascii=False), -1
    for _number in range(times + 1):
        start = document.find(quoted, start + 1)
    return (start, start + len(quoted)) if start >= 0 else (0, len(document))


def _finding(
    code: str, locale: str, document: str, span: tuple[int, int], path: list[dict[str, Any]], **words: str
) -> dict[str, Any]:
    check = _CHECKS[code]
    anchor = f"access-analyzer-reference-policy-checks-{check.group}-{code.lower().replace('_', '-')}"
    return {
        "findingDetails": (check.japanese if locale == "JA" else check.english).format_map(words),
        "findingType": check.kind,
        "issueCode": code,
        "learnMoreLink": f"{_GUIDE}#{anchor}",
        "locations": [{"path": path, "span": {"start": _at(document, span[0]), "end": _at(document, span[1])}}],
    }


def _at(document: str, offset: int) -> dict[str, int]:
    """Lines count from 1, columns and offsets from 0."""
    before = document[:offset]
    return {"line": before.count("\n") + 1, "column": offset - (before.rfind("\n") + 1), "offset": offset}
