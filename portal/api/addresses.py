"""The JSON API under /api/v1/: for runbooks, chat bots and Terraform data sources. It is what the pages do, no more.

Every operation takes a personal access token and acts as its person, through the same loaders and services as the
pages, so the same rules hold.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from portal.api import reading, runs, shortcuts, writing
from portal.api.refusals import add_handlers, build_error
from portal.api.signing_in import RATE, TokenThrottle

VERSION = "1"
NAMESPACE = "api_v1"
DESCRIPTION = (
    "Access to AWS accounts, as on Genkan's pages. Send a personal access token as `Authorization: Bearer gnk_…`. "
    "Errors are `{error: {code, message, remedy}}`; a list goes on `after` its `next`, which is null at the end."
)


def build_api() -> NinjaAPI:
    api = NinjaAPI(
        title="Genkan", version=VERSION, description=DESCRIPTION, docs_url=None, urls_namespace=NAMESPACE,
        throttle=TokenThrottle(RATE),
    )  # fmt: skip
    add_handlers(api)
    for router in (reading.router, runs.router, shortcuts.router, writing.router):
        api.add_router("", router)
    return api


@require_safe
def describe(request: HttpRequest) -> HttpResponse:
    """What there is to ask, for people; programs read openapi.json."""
    schema = api.get_openapi_schema()
    operations = [
        {"method": method.upper(), "path": address, **operation}
        for address, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    example = f"curl -H 'Authorization: Bearer gnk_…' {request.build_absolute_uri('access')}"
    context = {"operations": operations, "rate": RATE.partition("/")[0], "example": example}
    return render(request, "portal/api.html", context)


@login_not_required
def not_found(_request: HttpRequest, **_rest: str) -> HttpResponse:
    """Programs read JSON there, too."""
    return JsonResponse(build_error("api_not_found"), status=404)


def list_addresses() -> list[URLPattern]:
    """The API's own addresses; a token is what they ask for, not the sign-in of a browser."""
    patterns = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern) and pattern.name != "api-root"]
    for pattern in patterns:
        pattern.callback = login_not_required(pattern.callback)
    return [path("", describe, name="api-root"), *patterns, path("<path:rest>", not_found)]


api = build_api()
