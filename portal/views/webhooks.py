"""What other services call: they have no session, so each proves itself by what only it can know.

A webhook of kintone's carries no signature and no header of its own: the token in its address is all there is. So
nothing of its body is believed but which record to look at, and a record is only ever read from kintone itself.
"""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from syncer.tasks import take_hint

LARGEST = 1024 * 1024  # bytes; kintone itself gives up at a megabyte
LONGEST_ID = 20  # digits


@csrf_exempt  # no cookie of a browser's counts here
@login_not_required
@never_cache
def kintone(request: HttpRequest) -> HttpResponse:
    """Something happened to a record: it is read anew in a moment. Asks nobody, so it answers at once."""
    token = settings.KINTONE_WEBHOOK_TOKEN
    if not token:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not constant_time_compare(request.GET.get("token", ""), token):
        return _refuse("token", 403)
    if _find_length(request) > LARGEST:
        return _refuse("too large", 413)
    body = _parse(request.body)
    if body is None:
        return _refuse("not JSON", 400)
    app_id, record_id = _find_app(body), _find_record(body)
    if app_id not in (settings.KINTONE_PERMISSION_SET_APP_ID, settings.KINTONE_ASSIGNMENT_APP_ID):
        return _refuse("app", 400)
    if record_id:
        take_hint(app_id, record_id)
    return JsonResponse({"status": "ok" if record_id else "ignored"})


def _refuse(why: str, status: int) -> HttpResponse:
    """kintone shows its administrator the status; the token is in no answer and no log."""
    return JsonResponse({"status": "refused", "why": why}, status=status)


def _find_length(request: HttpRequest) -> int:
    """What the server will hand out at most; without a length it hands out nothing."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else LARGEST + 1


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _find_app(body: dict[str, Any]) -> str:
    app = body.get("app")
    return _as_id(app.get("id")) if isinstance(app, dict) else ""


def _find_record(body: dict[str, Any]) -> str:
    """Of whatever kind of event: the record that came along, or only its number."""
    record = body.get("record")
    cell = record.get("$id") if isinstance(record, dict) else None
    return _as_id(cell.get("value") if isinstance(cell, dict) else body.get("recordId"))


def _as_id(value: Any) -> str:
    """kintone's ids are texts of digits."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else ""
