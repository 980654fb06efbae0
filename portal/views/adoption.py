"""Adopting one permission set: what is compared, the word for it, and what came of it. For portal admins."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import require_admin
from accounts.models import PermissionSet, User
from portal.views.obstacles import tell
from portal.views.requests import HtmxHttpRequest, asks_for_part
from syncer.adoption.checks import Likeness, Take
from syncer.adoption.queue import is_free
from syncer.drafts.drafting import NotPossible
from syncer.models import Adoption
from syncer.tasks import request_adoption


@require_http_methods(["GET", "HEAD", "POST"])
def adopt_set(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The newest comparison of the set with what may be done next; while one is under way the page asks for itself."""
    user = require_admin(request)
    permission_set = get_object_or_404(PermissionSet.objects.select_related("record"), pk=pk)
    newest = permission_set.adoptions.select_related("requested_by").order_by("-pk").first()
    if request.method == "POST":
        return _decide(request, user, permission_set, newest)
    if newest is None and not is_free(permission_set):
        return redirect("permission_set_detail", pk)
    context = {"permission_set": permission_set, "adoption": newest, **_describe(permission_set, newest)}
    is_part = asks_for_part(request, "adoption")
    if is_part and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    template = "portal/_adoption.html" if is_part else "portal/adopt_set.html"
    return render(request, template, {**context, "is_part": is_part})


def _decide(request: HttpRequest, user: User, permission_set: PermissionSet, newest: Adoption | None) -> HttpResponse:
    """Compare, or adopt what was compared and looks the same still."""
    applies, checksum = request.POST.get("act") == "adopt", request.POST.get("checksum", "")
    take = request.POST.get("take", "")
    try:
        if applies and not (checksum and checksum == _describe(permission_set, newest)["checksum"]):
            messages.error(request, _("The list has changed. Look at it once more."))
        else:
            word = Take(take) if take in set(Take) else Take.NOTHING
            request_adoption(user, permission_set, applies=applies, take=word, confirmed=checksum if applies else "")
    except NotPossible as refusal:
        tell(request, refusal)
    return redirect("adopt_set", permission_set.pk)


def _describe(permission_set: PermissionSet, newest: Adoption | None) -> dict[str, Any]:
    result = newest.result if newest else {}
    item = next(iter(result.get("sets", ())), None)
    can = _can_adopt(newest, item) and is_free(permission_set)
    stamp = f"{newest.pk} {newest.status}" if newest else ""
    return {
        "item": item,
        "error": result.get("error"),
        "unresolved": result.get("unresolved", []),
        "can_adopt": can,
        "checksum": item["checksum"] if can and item else "",
        "takes": _list_takes(item) if can and item else [],
        "may_compare": is_free(permission_set) and (newest is None or newest.is_over),
        "version": hashlib.sha256(stamp.encode()).hexdigest()[:16],
    }


def _can_adopt(newest: Adoption | None, item: dict[str, Any] | None) -> bool:
    """Something was shown that nothing stands in the way of but a word."""
    if newest is None or item is None or not newest.is_over or newest.status == Adoption.Status.FAILED:
        return False
    return bool(item["outcome"] == "shown" and item["verdict"] != Likeness.CANNOT)


def _list_takes(item: dict[str, Any]) -> list[str]:
    """Whose word can settle the differences; empty where there is nothing to settle."""
    if item["verdict"] != Likeness.DIFFERENT:
        return []
    goes_by_aws = item["differences"] and not item["more"] and not item["stale"]
    return [Take.AWS.value, Take.KINTONE.value] if goes_by_aws else [Take.KINTONE.value]
