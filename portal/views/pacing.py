"""How often one person may ask what costs time, in all processes together; who asks more often is told to wait."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.access import require_user

WINDOW = 30  # seconds
PACE = "pace"  # what questions are counted under
MOST = 150  # questions in a window: five a second, as often as the slowest typist makes the editor ask
FEW = 20  # runs in a window that one person asks for: nobody presses buttons faster, and each asks kintone and AWS
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def at_a_pace(view: View[P]) -> View[P]:
    """Answer 429 with Retry-After to whoever has asked too often."""
    return _pace(view, PACE, MOST)


def at_a_calm_pace(view: View[P]) -> View[P]:
    """The same for what starts a run."""
    return _pace(view, "calm", FEW)


def _pace(view: View[P], kind: str, most: int) -> View[P]:
    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        wait = find_wait(require_user(request).pk, time.time(), kind=kind, most=most)
        return refuse(wait) if wait else view(request, *args, **kwargs)

    return answer


def refuse(wait: int) -> HttpResponse:
    text = _("Too much was asked in a short time. Go on in %(seconds)d seconds.") % {"seconds": wait}
    headers = {"Retry-After": str(wait)}
    return HttpResponse(text, status=429, headers=headers, content_type="text/plain; charset=utf-8")


def find_wait(person: int, now: float, *, kind: str, most: int) -> int:
    """Count a question; how many seconds to wait before the next one, 0 for none. Without a cache nobody waits."""
    window, passed = divmod(now, WINDOW)
    key = f"{kind}:{person}:{int(window)}"
    cache.add(key, 0, 2 * WINDOW)
    try:
        is_too_much = cache.incr(key) > most
    except ValueError:  # forgotten in between
        return 0
    return int(WINDOW - passed) + 1 if is_too_much else 0
