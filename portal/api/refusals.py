"""What the API says when it cannot do something: a code for programs, two sentences for people."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.sentences import render


class Refusal(Schema):
    """One refusal. `message` and `remedy` are in the language of Accept-Language."""

    code: str
    message: str
    remedy: str


class Error(Schema):
    """The body of every answer from 400 on."""

    error: Refusal


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

    def answer(request: HttpRequest, status: int, code: str, **params: Any) -> HttpResponse:
        return api.create_response(request, build_error(code, **params), status=status)

    @api.exception_handler(Refused)
    def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
        response = answer(request, refusal.status, refusal.code, **refusal.params)
        if refusal.status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="Genkan"'
        return response

    @api.exception_handler(AuthenticationError)
    def _anonymous(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return _refused(request, Refused(401, "token_missing"))

    @api.exception_handler(ValidationError)
    def _misunderstood(request: HttpRequest, error: ValidationError) -> HttpResponse:
        texts = (f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors)
        return answer(request, 422, "api_input_wrong", text="; ".join(texts))

    @api.exception_handler(Http404)
    def _not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
        return answer(request, 404, "api_not_found")

    @api.exception_handler(PermissionDenied)
    def _denied(request: HttpRequest, _error: PermissionDenied) -> HttpResponse:
        return answer(request, 403, "api_denied")

    @api.exception_handler(HttpError)
    def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
        """Raised by the library itself: a body that is no JSON, and too many requests."""
        if error.status_code == 429:
            return answer(request, 429, "api_too_often")
        return answer(request, error.status_code, "api_input_wrong", text=str(error))
