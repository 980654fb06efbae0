"""The twin of a permission set that the management account holds: what is going to be written, and the word for it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import require_user, visible_permission_sets
from accounts.models import PermissionSet, User
from portal.views.obstacles import tell
from portal.views.sight import see_move
from syncer.drafts.drafting import NotPossible
from syncer.sets import twins


@require_http_methods(["GET", "HEAD", "POST"])
def make_twin(request: HttpRequest, pk: int) -> HttpResponse:
    """The list of what is written, and, once somebody has confirmed that very list, the writing."""
    user = require_user(request)
    permission_set = get_object_or_404(visible_permission_sets(user).select_related("record"), pk=pk)
    if not twins.may_make_twin(user, permission_set):
        raise PermissionDenied
    try:
        if request.method == "POST":
            twins.make_twin(permission_set, user, request.POST.get("checksum", ""))
            messages.success(request, _("The twin is being written to kintone. This page shows how far it is."))
            return redirect("permission_set_detail", pk)
        return _confirm(request, user, permission_set)
    except NotPossible as refusal:
        tell(request, refusal)
        return redirect("permission_set_detail", pk)


def _confirm(request: HttpRequest, user: User, permission_set: PermissionSet) -> HttpResponse:
    plan = twins.plan_twin(permission_set)
    if not twins.is_captured(permission_set) or twins.is_under_way(permission_set):
        return redirect("permission_set_detail", permission_set.pk)
    context = {"permission_set": permission_set, "plan": plan, **see_move(user, plan)}
    return render(request, "portal/make_twin.html", context)


def describe_capture(user: User, permission_set: PermissionSet) -> dict[str, Any]:
    """For the set's page: what frees it, and how far its twin is; empty where the set is not captured."""
    if not twins.is_captured(permission_set):
        return {}
    drafts = twins.find_drafts(permission_set)
    return {
        "commands": twins.list_commands(permission_set),
        "twin": drafts[0] if drafts else None,
        "moves": drafts[1:],
        "may_make_twin": twins.may_make_twin(user, permission_set) and not twins.is_under_way(permission_set),
    }
