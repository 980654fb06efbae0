"""Pages for what went wrong: each says what to do next, and carries the request's id."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: nothing was done, the page can be loaded anew."""
    return render(request, "errors/csrf.html", {"title": "CSRF"}, status=403)
