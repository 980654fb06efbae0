"""What the API says when it cannot do something: a code for programs, two sentences for people."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.sentences import render
from syncer.drafts.drafting import NotPossible


class Refusal(Schema):
    """One refusal. `message` and `remedy` are in the language of Accept-Language."""

    code: str
    message: str
    remedy: str


class Error(Schema):
    """The body of every answer from 400 on."""

    error: Refusal


ERRORS = {401: Error, 403: Error, 404: Error, 409: Error, 422: Error, 429: Error}


class Refused(Exception):
    """Stop here, with this status and the sentence of this code."""

    def __init__(self, status: int, code: str, **params: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.params = status, code, params


def build_error(code: str, **params: Any) -> dict[str, Any]:
    sentence = render(code, params)
    return {"error": {"code": code, "message": sentence.message, "remedy": sentence.remedy}}


def add_handlers(api: NinjaAPI) -> None:
    """Let every refusal, the library's own included, have the one shape."""

    def answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        refused = describe(error)
        response = api.create_response(request, build_error(refused.code, **refused.params), status=refused.status)
        if refused.status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="Genkan"'
        return response

    for kind in (Refused, NotPossible, AuthenticationError, ValidationError, Http404, PermissionDenied, HttpError):
        api.add_exception_handler(kind, answer)


def describe(error: Exception | type[Exception]) -> Refused:
    """What an exception of ours, of Django or of the library means to whoever asked."""
    match error:
        case Refused():
            return error
        case NotPossible():
            return Refused(409, error.reason.code, **error.reason.params)
        case AuthenticationError():
            return Refused(401, "token_missing")
        case ValidationError():
            texts = (f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors)
            return Refused(422, "api_input_wrong", text="; ".join(texts))
        case Http404():
            return Refused(404, "api_not_found")
        case PermissionDenied():
            return Refused(403, "api_denied")
        case HttpError(status_code=429):
            return Refused(429, "api_too_often")
        case HttpError():  # a body that is no JSON
            return Refused(error.status_code, "api_input_wrong", text=str(error))
    raise TypeError(f"no refusal: {error!r}")
