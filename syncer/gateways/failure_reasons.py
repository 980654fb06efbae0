"""What AWS means by the FailureReason of a request that ended FAILED. Pure.

The texts are not documented: they carry what IAM in the account said, behind a status. Those that are known from the
field become sentences that say whose job it is; any other stands in AWS's own words. A text that is known but names
something unexpected is judged by its status only.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from syncer.gateways.identity_center_requests import RequestKind
from syncer.states import Reason

LONGEST_TEXT = 1000  # characters of AWS's text that are kept


class Verdict(NamedTuple):
    """What a failed request comes to.

    for_good: AWS will refuse it again until somebody changes something. is_done: what was asked for is so already.
    """

    reason: Reason
    for_good: bool = True
    is_done: bool = False


def classify_failure(text: str, kind: RequestKind) -> Verdict:
    """Translate the FailureReason of a request of this kind."""
    said = _without_policy(text).strip()[:LONGEST_TEXT]
    if not said:
        return Verdict(Reason("aws_gave_no_reason"))
    for pattern, judge in _RULES:
        found = pattern.search(said)
        if found:
            return judge(found, kind, said)
    return Verdict(Reason("aws_refused", {"text": said}))


def _without_policy(text: str) -> str:
    """IAM repeats the document that it refuses; policies do not belong into logs and pages of others."""
    return re.sub(r"\{.*\}", "…", text, flags=re.DOTALL)


def _assignment_gone(_found: re.Match[str], kind: RequestKind, said: str) -> Verdict:
    return Verdict(Reason("aws_assignment_gone", {"text": said}), for_good=False, is_done=kind is RequestKind.DELETION)


def _provision_gone(_found: re.Match[str], kind: RequestKind, said: str) -> Verdict:
    """The role went with its last assignment: there is nothing left to bring up to date."""
    reason = Reason("aws_provision_gone", {"text": said})
    return Verdict(reason, for_good=False, is_done=kind is RequestKind.PROVISIONING)


def _set_gone(_found: re.Match[str], _kind: RequestKind, said: str) -> Verdict:
    return Verdict(Reason("aws_set_gone", {"text": said}), for_good=False)


def _policy_missing(found: re.Match[str], _kind: RequestKind, _said: str) -> Verdict:
    """The role cannot be given a policy that is not there: in AWS's own list, or in the account."""
    if found["account"] == "aws":
        return Verdict(Reason("aws_managed_policy_missing", {"policy": found["policy"].removeprefix("/")}))
    return Verdict(Reason("aws_policy_missing", {"policy": found["policy"], "account": found["account"]}))


def _quota(found: re.Match[str], _kind: RequestKind, _said: str) -> Verdict:
    if found["quota"] == "PoliciesPerRole":
        return Verdict(Reason("aws_policies_per_role", {"limit": found["limit"]}))
    return Verdict(Reason("aws_account_quota", {"quota": found["quota"], "limit": found["limit"]}))


def _too_large(found: re.Match[str], _kind: RequestKind, _said: str) -> Verdict:
    return Verdict(Reason("aws_inline_too_large", {"limit": found["limit"]}))


def _out_of_reach(_found: re.Match[str], _kind: RequestKind, said: str) -> Verdict:
    return Verdict(Reason("aws_account_out_of_reach", {"text": said}), for_good=False)


def _denied(_found: re.Match[str], _kind: RequestKind, said: str) -> Verdict:
    return Verdict(Reason("aws_iam_denied", {"text": said}))


def _for_now(_found: re.Match[str], _kind: RequestKind, said: str) -> Verdict:
    return Verdict(Reason("aws_refused_for_now", {"text": said}), for_good=False)


def _inline_rejected(found: re.Match[str], _kind: RequestKind, _said: str) -> Verdict:
    return Verdict(Reason("aws_inline_rejected", {"text": found["text"]}))


_Judge = Callable[[re.Match[str], RequestKind, str], Verdict]

_MISSING_POLICY = (
    r"arn:aws[a-z-]*:iam::(?P<account>aws|\d{12}):policy(?P<policy>/[\w+=,.@/-]*[\w+=@-])"
    r".*?\b(?:not found|not exist|cannot be found|not attachable)"
)
_IAM_REJECTS = r"received a 400 status error: (?P<text>.*(?:policy|statement|action|resource|principal).*)"

# The first that fits. Sources: facts of the API collected from Terraform's, AWS's and others' trackers; IAM's own words
# for a policy that is missing, a quota, a malformed document and a role that is being changed.
_RULES: tuple[tuple[re.Pattern[str], _Judge], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), judge)
    for pattern, judge in (
        (r"\bassignment not found", _assignment_gone),
        (r"\bpermission set provision not found", _provision_gone),
        (r"\bpermission set not found", _set_gone),
        (_MISSING_POLICY, _policy_missing),
        (r"cannot exceed quota for (?P<quota>\w+): (?P<limit>\d+)", _quota),
        (r"maximum policy size of (?P<limit>\d+)", _too_large),
        (r"taking longer than usual|\baccount\b.*\b(?:suspended|not active)\b", _out_of_reach),
        (r"received a 403 status|access denied|not authorized", _denied),
        (r"received a (?:5\d\d|429) status|rate exceeded|too many requests", _for_now),
        (r"concurrent|being modified|temporarily unmodifiable", _for_now),
        (_IAM_REJECTS, _inline_rejected),
    )
)
