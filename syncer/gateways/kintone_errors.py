"""What kintone answers when it refuses, told in our own errors: by code and status, never by message. Pure."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import requests
from urllib3.exceptions import NewConnectionError

from syncer.gateways.errors import (
    Conflict,
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Permanent,
    Race,
    Throttled,
    Truncated,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from syncer.states import Reason

LONGEST_TEXT = 500  # characters of an answer that are kept

_BY_CODE: Mapping[str, tuple[type[GatewayError], str]] = {
    "CB_AU01": (Unauthenticated, "kintone_token_refused"),
    "CB_IJ01": (Invalid, "kintone_error"),
    "CB_NO02": (Denied, "kintone_no_right"),
    "CB_VA01": (Invalid, "kintone_error"),
    "CB_WA01": (Unauthenticated, "kintone_token_refused"),
    "GAIA_AP01": (NotFound, "kintone_app_missing"),
    "GAIA_CO02": (Conflict, "kintone_conflict"),
    "GAIA_DA02": (Race, "kintone_locked"),
    "GAIA_IA02": (Unauthenticated, "kintone_token_refused"),
    "GAIA_IL23": (Invalid, "kintone_guest_space"),
    "GAIA_NO01": (Denied, "kintone_no_right"),
    "GAIA_RE01": (NotFound, "kintone_record_missing"),
    "GAIA_RE18": (Race, "kintone_locked"),
    "GAIA_TO04": (Throttled, "kintone_throttled"),
}
_BY_STATUS: Mapping[int, tuple[type[GatewayError], str]] = {
    401: (Unauthenticated, "kintone_token_refused"),
    403: (Denied, "kintone_no_right"),
    404: (NotFound, "kintone_error"),
    429: (Throttled, "kintone_throttled"),
}
_NOT_ASKED = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)
_NOT_SENT = (requests.ConnectTimeout, requests.exceptions.ProxyError, requests.exceptions.SSLError)


class Question(NamedTuple):
    """Which question an error is the answer to."""

    operation: str  # `kintone GET records.json app 24`
    app_id: str

    def reason(self, reason_code: str, /, **params: str) -> Reason:
        return Reason(reason_code, {"operation": self.operation, "app": self.app_id, **params})


def read_answer(question: Question, response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of a good answer. Raises the error that a bad one stands for."""
    body = _parse(response)
    if not response.ok:
        raise _refusal(question, response, body)
    if body is None or response.is_redirect:
        raise not_kintone(question, f"{response.status_code} {response.headers.get('Content-Type', '')}".strip())
    warning = response.headers.get("X-Cybozu-Warning", "")
    if warning:
        reason = question.reason("kintone_truncated", expected="", found="", text=warning[:LONGEST_TEXT])
        raise Truncated(question.operation, reason, "X-Cybozu-Warning", warning[:LONGEST_TEXT])
    return body


def not_kintone(question: Question, text: str) -> Permanent:
    """The error for an answer that cannot be kintone's: a sign-in page, a proxy, another service."""
    return Invalid(question.operation, question.reason("kintone_not_kintone", text=text), "", text)


def truncated(question: Question, *, expected: int, found: int) -> Truncated:
    """The error for a scan that does not hold as many records as kintone counts."""
    reason = question.reason("kintone_truncated", expected=str(expected), found=str(found), text="")
    return Truncated(question.operation, reason, "", f"{found} of {expected} records")


def not_answered(question: Question, error: requests.RequestException) -> GatewayError:
    """The error for a request that got no answer."""
    code, text = type(error).__name__, _describe(error)
    kind: type[GatewayError] = NoAnswer
    if isinstance(error, _NOT_ASKED):
        kind = Permanent
    elif isinstance(error, _NOT_SENT) or _found_no_server(error):
        kind = Unreachable
    return kind(question.operation, question.reason("kintone_unreachable", code=code, text=text), code, text)


def _describe(error: BaseException) -> str:
    """What the innermost error says: the others wrap it in names of pools and classes."""
    wrapped = (getattr(error, "reason", None), error.__cause__, *error.args)
    inner = next((item for item in wrapped if isinstance(item, BaseException)), None)
    return _describe(inner) if inner else (str(error) or type(error).__name__)[:LONGEST_TEXT]


def _found_no_server(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _parse(response: requests.Response) -> Mapping[str, Any] | None:
    """The body as a JSON object; None if it is anything else."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refusal(question: Question, response: requests.Response, body: Mapping[str, Any] | None) -> GatewayError:
    """The error for a status other than 2xx. Gateways before kintone answer in plain text or HTML."""
    status = response.status_code
    code = str(body.get("code", "")) if body else ""
    text = (_say(body) if body else response.text)[:LONGEST_TEXT]
    kind, reason_code = _classify(status, code, is_json=body is not None)
    reason = question.reason(reason_code, status=str(status), code=code, text=text)
    if issubclass(kind, Throttled):
        return kind(question.operation, reason, code, text, _retry_after(response))
    return kind(question.operation, reason, code, text)


def _say(body: Mapping[str, Any]) -> str:
    """kintone's message, and for values that it does not take which field it means and why."""
    faults = body.get("errors")
    details = [
        f"{_name_field(place)}: {' '.join(map(str, fault.get('messages', ())))}"
        for place, fault in (faults.items() if isinstance(faults, dict) else ())
        if isinstance(fault, dict)
    ]
    return " ".join([str(body.get("message", "")), *details])


def _name_field(place: str) -> str:
    """`record.users.values.value` is the field `users`."""
    parts = str(place).split(".")
    return parts[1] if len(parts) > 1 and parts[0].startswith("record") else str(place)


def _classify(status: int, code: str, *, is_json: bool) -> tuple[type[GatewayError], str]:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status >= 500:
        return Unavailable, "kintone_unavailable"
    if not is_json and status not in {401, 403, 429}:
        return Invalid, "kintone_not_kintone"
    return _BY_STATUS.get(status, (Permanent, "kintone_error"))


def _retry_after(response: requests.Response) -> float | None:
    """kintone documents no such header; gateways before it may send one."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
