"""What our requests carry beyond Django's."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails


def asks_for_part(request: HtmxHttpRequest, part: str) -> bool:
    """htmx wants only this part of the page. Going back in the history asks for the whole page."""
    return bool(request.htmx) and request.htmx.target == part and not request.htmx.history_restore_request
