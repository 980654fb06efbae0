"""What other services call: they have no session, so each proves itself by what only it can know.

A webhook of kintone's carries no signature and no header of its own: the token in its address is all there is. So
nothing of its body is believed but which record to look at, and a record is only ever read from kintone itself.
GitHub signs what it sends, but not when: whatever is played back must do nothing the second time.
"""

import hashlib
import hmac
import json
import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, QueryDict
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.names import fold
from syncer.gateways.errors import Invalid
from syncer.gateways.github import parse_comment
from syncer.tasks import take_github_comment, take_hint

logger = logging.getLogger(__name__)

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


@csrf_exempt
@login_not_required
@never_cache
def github(request: HttpRequest) -> HttpResponse:
    """Something happened on GitHub. A `/sync` comment on the issue is noted; a task does the rest."""
    secret = settings.GITHUB_WEBHOOK_SECRET
    if not secret:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if _find_length(request) > LARGEST:
        return _refuse("too large", 413)
    if not _is_signed(request, secret):
        return _refuse("signature", 403)
    if request.headers.get("X-GitHub-Event") == "ping":
        return JsonResponse({"status": "pong"})
    body = _parse(_find_payload(request))
    if body is None:
        return _refuse("not JSON", 400)
    return JsonResponse({"status": "ok" if _take_comment(request, body) else "ignored"})


def _is_signed(request: HttpRequest, secret: str) -> bool:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return constant_time_compare(request.headers.get("X-Hub-Signature-256", ""), f"sha256={digest}")


def _find_payload(request: HttpRequest) -> bytes:
    """GitHub sends JSON, or, as its form for webhooks offers first, an HTML form that holds it."""
    if request.content_type == "application/x-www-form-urlencoded":
        return QueryDict(request.body).get("payload", "").encode()
    return request.body


def _take_comment(request: HttpRequest, body: dict[str, Any]) -> bool:
    """Whether this is a new comment on our issue that asks for something."""
    is_new = request.headers.get("X-GitHub-Event") == "issue_comment" and body.get("action") == "created"
    if not is_new or not settings.GITHUB_SYNC_ISSUE or _name_issue(body) != fold(settings.GITHUB_SYNC_ISSUE):
        return False
    try:
        comment = parse_comment(body.get("comment"))
    except Invalid:
        return False
    logger.info("github: comment=%s delivery=%s", comment.comment_id, request.headers.get("X-GitHub-Delivery", "")[:40])
    return take_github_comment(comment)


def _name_issue(body: dict[str, Any]) -> str:
    repository, issue = body.get("repository"), body.get("issue")
    if not isinstance(repository, dict) or not isinstance(issue, dict):
        return ""
    return fold(f"{repository.get('full_name')}#{issue.get('number')}")


def _refuse(why: str, status: int) -> HttpResponse:
    """The administrator there sees the status; the token is in no answer and no log."""
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
