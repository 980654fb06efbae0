"""What kintone answers when it refuses, told in our own errors: by code and status, never by message. Pure."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, cast, get_origin

import requests
from urllib3.exceptions import NewConnectionError

from syncer.gateways.errors import (
    Conflict,
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    OutcomeUnknown,
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
OLD_REFUSAL = 520  # the status of refusals long ago, and of a few until today; without a code it is trouble

U = TypeVar("U")
V = TypeVar("V")


@dataclass(frozen=True)
class FieldFault:
    """What kintone says about one value it does not take.

    place: as kintone wrote it. field: the field's code, of the inner one in a table; empty where it is none.
    record: index of the record among those of the request. table, row: the table's code, and the row from 0.
    messages: in the language of the caller's kintone.
    """

    place: str
    messages: tuple[str, ...]
    field: str = ""
    record: int | None = None
    table: str = ""
    row: int | None = None


class InvalidValues(Invalid):
    """kintone says which values it does not take: `faults`, in its order."""

    faults: tuple[FieldFault, ...] = ()


_BY_CODE: Mapping[str, tuple[type[GatewayError], str]] = {
    "CB_AU01": (Unauthenticated, "kintone_token_refused"),
    "CB_IJ01": (Invalid, "kintone_error"),
    "CB_NO02": (Denied, "kintone_no_right"),
    "CB_VA01": (Invalid, "kintone_error"),
    "CB_WA01": (Unauthenticated, "kintone_login_refused"),
    "GAIA_AP01": (NotFound, "kintone_app_missing"),
    "GAIA_CO02": (Conflict, "kintone_conflict"),
    "GAIA_DA02": (Race, "kintone_locked"),
    "GAIA_IA02": (Unauthenticated, "kintone_token_refused"),
    "GAIA_IL23": (Invalid, "kintone_guest_space"),
    "GAIA_LO04": (Invalid, "kintone_lookup_missing"),
    "GAIA_NO01": (Denied, "kintone_no_right"),
    "GAIA_RE01": (NotFound, "kintone_record_missing"),
    "GAIA_RE18": (Race, "kintone_locked"),
    "GAIA_RE20": (NotFound, "kintone_record_missing"),
    "GAIA_TO04": (Throttled, "kintone_throttled"),
}
_BY_STATUS: Mapping[int, tuple[type[GatewayError], str]] = {
    401: (Unauthenticated, "kintone_token_refused"),
    403: (Denied, "kintone_no_right"),
    404: (NotFound, "kintone_error"),
    429: (Throttled, "kintone_throttled"),
}
# The same about what belongs to no app: the directory of users, and apps that are still to be made.
_WITHOUT_APP: Mapping[str, str] = {
    "kintone_token_refused": "kintone_login_refused",
    "kintone_no_right": "kintone_login_no_right",
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
    app_id: str = ""
    writes: bool = False

    def reason(self, reason_code: str, /, **params: str) -> Reason:
        return Reason(reason_code, {"operation": self.operation, "app": self.app_id, **params})


class Answer(NamedTuple):
    """A good answer, whose members are taken out with their types. Raises Invalid where they are not as kintone's."""

    question: Question
    body: Mapping[str, Any]

    def member(self, name: str, kind: type[V]) -> V:
        value = self.body.get(name)
        if not isinstance(value, get_origin(kind) or kind):
            raise not_kintone(self.question, f"{name}: {type(value).__name__}")
        return cast(V, value)

    def number(self, name: str) -> int:
        """A number, which kintone writes as a text."""
        text = self.member(name, str)
        if not text.isdecimal():
            raise not_kintone(self.question, f"{name}: {text}")
        return int(text)

    def read(self, name: str, kind: type[U], read: Callable[[U], V]) -> V:
        """A member that `read` understands. What it raises where it does not is told as kintone's fault."""
        try:
            return read(self.member(name, kind))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise not_kintone(self.question, f"{name}: {error!r}"[:LONGEST_TEXT]) from error

    def rows(self, name: str, read: Callable[[Mapping[str, Any]], V]) -> list[V]:
        """A list whose items `read` understands."""
        return self.read(name, list[Mapping[str, Any]], lambda items: [read(item) for item in items])

    def within(self, body: object) -> "Answer":
        """A part of it."""
        return self._replace(body=body if isinstance(body, dict) else {})


def read_answer(question: Question, response: requests.Response) -> Answer:
    """The JSON object of a good answer. Raises the error that a bad one stands for."""
    body = _parse(response)
    part, refusal = _find_refusal(body)
    if not response.ok or part is not None:
        raise _refusal(question, response, refusal, part)
    if body is None or response.is_redirect:
        raise not_kintone(question, f"{response.status_code} {response.headers.get('Content-Type', '')}".strip())
    warning = response.headers.get("X-Cybozu-Warning", "")
    if warning:
        reason = question.reason("kintone_truncated", expected="", found="", text=warning[:LONGEST_TEXT])
        raise Truncated(question.operation, reason, "X-Cybozu-Warning", warning[:LONGEST_TEXT])
    return Answer(question, body)


def not_kintone(question: Question, text: str) -> GatewayError:
    """The error for an answer that cannot be kintone's: a sign-in page, a proxy, another service.

    A write may have come through to kintone behind it.
    """
    kind = OutcomeUnknown if question.writes else Invalid
    return kind(question.operation, question.reason("kintone_not_kintone", text=text), "", text)


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


def _find_refusal(body: Mapping[str, Any] | None) -> tuple[int | None, Mapping[str, Any] | None]:
    """The part of a bulk request that kintone refuses, with what it says of it: one filled slot among empty ones.

    Anything else is about the whole request.
    """
    results = body.get("results") if body else None
    for part, result in enumerate(results if isinstance(results, list) else ()):
        if isinstance(result, dict) and "code" in result:
            return part, result
    return None, body


def _refusal(
    question: Question, response: requests.Response, body: Mapping[str, Any] | None, part: int | None
) -> GatewayError:
    """The error for a status other than 2xx. Gateways before kintone answer in plain text or HTML."""
    status = response.status_code
    code = str(body.get("code", "")) if body else ""
    text = (_say(body) if body else response.text)[:LONGEST_TEXT]
    kind, reason_code = _classify(status, code, is_json=body is not None)
    if reason_code == "kintone_not_kintone":
        return not_kintone(question, f"{status} {text}")
    if not question.app_id:
        reason_code = _WITHOUT_APP.get(reason_code, reason_code)
    reason = question.reason(reason_code, status=str(status), code=code, text=text)
    error = _make(kind, question, reason, (code, text), faults=tuple(_read_faults(body)))
    error.part = part
    if isinstance(error, Throttled):
        error.retry_after = _retry_after(response)
    return error


def _make(
    kind: type[GatewayError],
    question: Question,
    reason: Reason,
    said: tuple[str, str],
    *,
    faults: tuple[FieldFault, ...],
) -> GatewayError:
    if not (faults and issubclass(InvalidValues, kind)):
        return kind(question.operation, reason, *said)
    error = InvalidValues(question.operation, reason, *said)
    error.faults = faults
    return error


def _say(body: Mapping[str, Any]) -> str:
    """kintone's message, and for values that it does not take which field it means and why."""
    details = [f"{fault.field or fault.place}: {' '.join(fault.messages)}" for fault in _read_faults(body)]
    return " ".join([str(body.get("message", "")), *details])


# Where the fault lies: record.F.value · record.F.values[2].value · record[F].value · records[3].F.value ·
# record.T.value[0].value.F.value. Parameters have names of other shapes.
_CODE = r"(?:\.(?P<{0}>[^.\[\]]+)|\[(?P<{0}_>[^\[\]]+)\])"
_PLACE = re.compile(r"records?(?:\[(?P<record>\d+)\])?" + _CODE.format("field") + r"\.values?(?P<rest>.*)")
_CELL = re.compile(r"\[(?P<row>\d+)\]\.value" + _CODE.format("field") + r"\.values?.*")
_ANY_RECORD = re.compile(r"records\[(?P<record>\d+)\].*")


def _read_faults(body: Mapping[str, Any] | None) -> Iterator[FieldFault]:
    faults = body.get("errors") if body else None
    for place, fault in faults.items() if isinstance(faults, dict) else ():
        messages = fault.get("messages") if isinstance(fault, dict) else None
        yield locate(str(place), tuple(map(str, messages if isinstance(messages, list) else ())))


def locate(place: str, messages: tuple[str, ...] = ()) -> FieldFault:
    """The fault at a place that kintone named."""
    fault = FieldFault(place, messages)
    if any_record := _ANY_RECORD.fullmatch(place):
        fault = replace(fault, record=int(any_record["record"]))
    if not (match := _PLACE.fullmatch(place)):
        return fault
    code = match["field"] or match["field_"]
    if cell := _CELL.fullmatch(match["rest"]):
        return replace(fault, field=cell["field"] or cell["field_"], table=code, row=int(cell["row"]))
    return replace(fault, field=code)


def _classify(status: int, code: str, *, is_json: bool) -> tuple[type[GatewayError], str]:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status == OLD_REFUSAL and code:
        return Permanent, "kintone_error"
    if status >= 500:
        return Unavailable, "kintone_unavailable"
    if not is_json and status not in {401, 403, 429}:
        return Invalid, "kintone_not_kintone"
    return _BY_STATUS.get(status, (Permanent, "kintone_error"))


def _retry_after(response: requests.Response) -> float | None:
    """kintone documents no such header; gateways before it may send one."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
