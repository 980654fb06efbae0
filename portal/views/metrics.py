"""/metrics, for Prometheus: with METRICS_TOKEN, or to this machine alone."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from portal.metrics.exposition import build_registry

# What proxies add: whoever comes through one on this machine is not on this machine.
_SIGNS_OF_A_PROXY = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


@login_not_required
@require_safe
@cache_control(no_store=True)
def metrics(request: HttpRequest) -> HttpResponse:
    """403 for a wrong token, and 404 where there is none and somebody else asks."""
    _require_access(request)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(build_registry()), content_type=content_type)


def _require_access(request: HttpRequest) -> None:
    if not settings.METRICS_TOKEN:
        if not _is_from_here(request):
            raise Http404("without METRICS_TOKEN only this machine may read it")
    elif not _bears(request, settings.METRICS_TOKEN):
        raise PermissionDenied("METRICS_TOKEN")


def _bears(request: HttpRequest, token: str) -> bool:
    kind, _blank, given = request.headers.get("Authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _is_from_here(request: HttpRequest) -> bool:
    """By the connection's other end, never by what a header says of it."""
    if any(name in request.headers for name in _SIGNS_OF_A_PROXY):
        return False
    try:
        peer = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return (getattr(peer, "ipv4_mapped", None) or peer).is_loopback
