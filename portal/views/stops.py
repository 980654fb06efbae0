"""Stopping: pause and resume all runs, lock a person out, freeze an account. Each has a page that says what it does.

Pauses and lock-outs are for portal admins, freezes for the owners of the account too.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import stops
from accounts.access import may_freeze, require_admin, require_user, visible_accounts, visible_people
from accounts.models import Account, Person, User
from accounts.stops import StopRefused
from portal.forms.stops import FreezeForm, LockOutForm, PauseForm, ReasonForm
from portal.templatetags.genkan import format_exact
from portal.views.lock_outs import foresee_lock_out
from syncer import tasks


@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest) -> HttpResponse:
    """Pause all runs: why and until when."""
    user = require_admin(request)
    form = PauseForm(request.POST) if request.method == "POST" else PauseForm()

    def begin() -> None:
        until = form.find_end(timezone.now())
        stop = stops.begin_pause(user, form.cleaned_data["reason"], until, request)
        if stop.until and stop.until > until:
            longer = _("A pause until %(until)s holds already, so nothing was changed.")
            messages.info(request, longer % {"until": format_exact(stop.until)})

    if _carry_out(form, begin):
        return redirect("run_list")
    return _show(request, "portal/stop_pause.html", form, {"holding": stops.find_pause()})


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """End the pause."""
    tasks.resume_runs(require_admin(request), request)
    return redirect("run_list")


@require_http_methods(["GET", "HEAD", "POST"])
def lock_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock a person out, with everything on the screen that goes and that stays."""
    user = require_admin(request)
    person = _get_person(user, pk)
    form = LockOutForm(request.POST) if request.method == "POST" else LockOutForm()
    if _carry_out(form, lambda: tasks.lock_out(user, person, form.cleaned_data["reason"], request)):
        return redirect(f"{reverse('person_detail', args=[pk])}#lock-out")
    context = {"person": person, "holding": stops.find_lock_out(person.principal)}
    return _show(request, "portal/stop_lock_out.html", form, context | foresee_lock_out(person))


@require_POST
def lift_lock_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a person have access again."""
    user = require_admin(request)
    person = _get_person(user, pk)
    if tasks.lift_lock_out(user, person, request):
        messages.success(request, _("The lock-out is lifted. What is registered is given by the run that begins now."))
    return redirect("person_detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def freeze(request: HttpRequest, account_id: str) -> HttpResponse:
    """Let no new access into an account."""
    user = require_user(request)
    account = _get_account(user, account_id)
    form = FreezeForm(request.POST) if request.method == "POST" else FreezeForm()
    if _carry_out(form, lambda: stops.freeze(user, account, form.cleaned_data["reason"], request)):
        return redirect("account_detail", account_id)
    context = {"account": account, "holding": stops.find_freeze(account)}
    return _show(request, "portal/stop_freeze.html", form, context)


@require_POST
def lift_freeze(request: HttpRequest, account_id: str) -> HttpResponse:
    """Let new access into an account again."""
    user = require_user(request)
    account = _get_account(user, account_id)
    if tasks.lift_freeze(user, account, request):
        messages.success(request, _("The freeze is lifted. What is registered is given by the run that begins now."))
    return redirect("account_detail", account_id)


def _get_person(user: User, pk: int) -> Person:
    return get_object_or_404(visible_people(user).select_related("principal"), pk=pk)


def _get_account(user: User, account_id: str) -> Account:
    """The account, if the user may freeze it. Raises Http404 where he may not even see it."""
    account = get_object_or_404(visible_accounts(user).select_related("ou"), account_id=account_id)
    if not may_freeze(user, account):
        raise PermissionDenied
    return account


def _carry_out(form: ReasonForm, act: Callable[[], object]) -> bool:
    """Do it, if the form was sent; what is refused is said at its field."""
    if not form.is_bound or not form.is_valid():
        return False
    try:
        act()
    except StopRefused as refusal:
        form.refuse(refusal)
    return form.is_valid()


def _show(request: HttpRequest, template: str, form: ReasonForm, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {**context, "form": form})
