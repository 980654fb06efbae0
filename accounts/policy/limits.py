"""The limits of Identity Center and IAM on a permission set's policies (facts: sso-admin model, IAM quotas)."""

import re
from collections.abc import Iterator
from itertools import islice

from accounts.policy.documents import Document
from accounts.policy.findings import SEVERITIES, Finding, Report

MAX_BYTES = 32_768  # sso-admin PutInlinePolicyToPermissionSet
MAX_NON_WHITE = 10_240  # IAM: inline policies of a role, white space not counted
MAX_CHECKED_NON_WHITE = 15_000
MAX_CHECKED = 40_000  # characters; what is longer is not worth the time
DEFAULT_ATTACHED = 20  # managed policies of a role, unless the account's quota was raised
MAX_ATTACHED = 25  # AWS managed and customer managed together
_REFUSED = re.compile(r"[^\u0009\u000A\u000D\u0020-\u00FF]+")  # what IAM does not take in a policy
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_WHITE = re.compile(rb"[\t\n\r ]+")
_MAX_PLACES = 10  # of characters that are told


def count_non_white(text: str) -> int:
    return len(_WHITE.sub(b"", text.encode(errors="replace")))


def fits_inline(text: str) -> bool:
    """Whether AWS takes a text of this length as an inline policy."""
    return len(text.encode(errors="replace")) <= MAX_BYTES and count_non_white(text) <= MAX_NON_WHITE


def check_size(report: Report) -> bool:
    """Whether the text is short enough to be worth looking at further."""
    text = report.document.text
    size = len(text.encode(errors="replace"))
    if len(text) > MAX_CHECKED:
        report.add_at("POLICY_SIZE_NOT_CHECKED_FURTHER", "", 0, 0, size=size, limit=MAX_BYTES)
        return False
    if size > MAX_BYTES:
        code = "POLICY_SIZE_EXCEEDS_IDENTITY_CENTER_QUOTA"
        report.add_at(code, "", 0, 0, sentence="policy_too_large", size=size, limit=MAX_BYTES)
    dense = count_non_white(text)
    if dense > MAX_NON_WHITE:
        code = "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"
        report.add_at(code, "", 0, 0, sentence="policy_too_long", size=dense, limit=MAX_NON_WHITE)
    return dense <= MAX_CHECKED_NON_WHITE


def check_characters(report: Report) -> None:
    """What AWS does not take, written plainly or as an escape."""
    for start, end, shown in islice(_iter_refused(report.document), _MAX_PLACES):
        column = report.document.locate(start)[1]
        report.add_at(
            "UNSUPPORTED_CHARACTER", "", start, end, sentence="policy_character", character=shown, column=column
        )


def _iter_refused(document: Document) -> Iterator[tuple[int, int, str]]:
    for match in _REFUSED.finditer(document.text):
        yield match.start(), match.end(), match[0][0]
    if "\\u" in document.text:
        for escape in _ESCAPE.finditer(document.text):
            if escape[1] and _REFUSED.match(chr(int(escape[1], 16))):
                yield escape.start(), escape.end(), escape[0]


def check_attached(managed: int, customer_managed: int = 0) -> tuple[Finding, ...]:
    """The findings about how many policies are attached; they have no place in a text."""
    count = managed + customer_managed
    if count > MAX_ATTACHED:
        code, sentence, limit = "ATTACHED_POLICIES_ABOVE_MAXIMUM", "too_many_policies", MAX_ATTACHED
    elif count > DEFAULT_ATTACHED:
        code, sentence, limit = "ATTACHED_POLICIES_ABOVE_DEFAULT", "many_policies", DEFAULT_ATTACHED
    else:
        return ()
    return (Finding(code, SEVERITIES[code], sentence=sentence, params={"count": count, "limit": limit}),)
