"""Confirming that a newcomer is who went: one click, for an admin or the owner of the accounts."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import require_user
from accounts.models import PrincipalLink
from accounts.namesakes import confirm_namesake, may_confirm
from syncer.tasks import request_full_run


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the principal that the page showed for the one whom records name, and carry it out."""
    user = require_user(request)
    asked = PrincipalLink.objects.filter(namesake__isnull=False).select_related("principal")
    link = get_object_or_404(asked, pk=pk)
    if not may_confirm(user, link):
        raise PermissionDenied
    if request.POST.get("candidate") != str(link.namesake_id) or not confirm_namesake(request, link):
        messages.error(request, _("Somebody else may be meant by now. Look at it once more."))
        return redirect("person_list")
    messages.success(request, _("Confirmed. The run below gives the access."))
    return redirect("run_detail", request_full_run(user).pk)
