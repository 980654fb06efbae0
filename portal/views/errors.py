"""Pages for what went wrong: each says what to do next, and carries the request's id."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.info("errors: bad request path=%s: %s", request.path, exception)
    return _render_plainly(request, "errors/400.html", 400)


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.info("errors: denied path=%s: %s", request.path, exception)
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.info("errors: not found path=%s: %s", request.path, type(exception).__name__)
    return render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The database may be what is broken: nothing here asks it."""
    return _render_plainly(request, "errors/500.html", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: nothing was done, the page can be loaded anew."""
    logger.warning("csrf: refused path=%s reason=%s", request.path, reason)
    return _render_plainly(request, "errors/csrf.html", 403)


def _render_plainly(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """Without context processors, and so without user and database."""
    context = {"request_id": getattr(request, "request_id", "")}
    return HttpResponse(render_to_string(template, context), status=status)
