"""How often one person may ask what costs time, in all processes together; who asks more often is told to wait."""

import logging
import time
from collections.abc import Callable
from functools import wraps

import redis
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.access import require_user

WINDOW = 30  # seconds
MOST = 150  # questions in a window: five a second, as often as the slowest typist makes the editor ask
Paced = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger(__name__)


def at_a_pace(view: Paced) -> Paced:
    """Answer 429 with Retry-After to whoever has asked too often."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        wait = find_wait(require_user(request).pk, time.time())
        return refuse(wait) if wait else view(request)

    return answer


def refuse(wait: int) -> HttpResponse:
    text = _("Too much was asked in a short time. Go on in %(seconds)d seconds.") % {"seconds": wait}
    headers = {"Retry-After": str(wait)}
    return HttpResponse(text, status=429, headers=headers, content_type="text/plain; charset=utf-8")


def find_wait(person: int, now: float) -> int:
    """Count a question; how many seconds to wait before the next one, 0 for none. Without a cache nobody waits."""
    window, passed = divmod(now, WINDOW)
    key = f"pace:{person}:{int(window)}"
    try:
        cache.add(key, 0, 2 * WINDOW)
        is_too_much = cache.incr(key) > MOST
    except (redis.RedisError, ValueError) as error:  # out of reach, or forgotten in between
        logger.info("pacing: not counted: %s", error)
        return 0
    return int(WINDOW - passed) + 1 if is_too_much else 0
