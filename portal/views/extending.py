"""Extending a record's last day: where a reminder leads to."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may_change, require_user, visible_records
from accounts.editors import name_owners
from accounts.models import AppKind, Record
from portal.forms.extension import ExtensionForm
from portal.templatetags.genkan import format_day
from portal.views.definitions import describe_record, name_record
from portal.views.obstacles import tell
from syncer.drafts.drafting import NotPossible
from syncer.drafts.extending import Extension, extend, may_extend, plan_extension

_DAY = timedelta(days=1)


@require_http_methods(["GET", "HEAD", "POST"])
def extend_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The longest day that is allowed, to be saved with one click; who may not is told whom to ask."""
    user = require_user(request)
    record = get_object_or_404(visible_records(user).of_kind(AppKind.ASSIGNMENT), pk=pk)
    try:
        extension = plan_extension(user, record, timezone.localdate())
    except NotPossible as refusal:
        tell(request, refusal)
        return redirect("assignment_record", pk)
    if not may_extend(user, extension):
        context = {"is_reader": not may_change(user), **_describe(extension), **_build_request(extension)}
        return render(request, "portal/extend_refused.html", context, status=403)
    form = ExtensionForm(request.POST or None, initial={"day": extension.offered, "seen": extension.last_day})
    if request.method == "POST" and form.is_valid():
        day, seen = form.cleaned_data["day"], form.cleaned_data["seen"]
        try:
            return redirect("draft_detail", extend(user, record, day, seen=seen, today=extension.today).pk)
        except NotPossible as refusal:
            form.refuse(refusal)
    form.limit(max(extension.last_day, extension.today - _DAY) + _DAY, extension.latest)
    return render(request, "portal/extend_record.html", {"form": form, **_describe(extension)})


@require_safe
def extend_redirect(request: HttpRequest, app_id: str, record_id: str) -> HttpResponse:
    """From a reminder, which has kintone's numbers."""
    user = require_user(request)
    records = visible_records(user).of_kind(AppKind.ASSIGNMENT)
    return redirect("extend_record", get_object_or_404(records, app_id=app_id, record_id=record_id).pk)


def _describe(extension: Extension) -> dict[str, object]:
    record = extension.record
    return {
        "record": record,
        "title": name_record(record, extension.account),
        "extension": extension,
        "names": _list_names(record),
        "set_name": (record.in_force or {}).get("permission_set", ""),
    }


def _name_place(extension: Extension) -> str:
    """Account and set, as people call them."""
    name = (extension.record.in_force or {}).get("permission_set", "")
    return f"{extension.account.name} × {name}" if extension.account else describe_record(extension.record)


def _list_names(record: Record) -> list[str]:
    wishes = record.wishes.filter(is_current=True, is_refused=False).select_related("assignment__principal")
    return [str(wish.assignment.principal) for wish in wishes.order_by("assignment__principal__name_key")]


def _build_request(extension: Extension) -> dict[str, object]:
    """Whom to ask, and the words for it."""
    record, account = extension.record, extension.account
    words = _("Please extend %(record)s (%(names)s), which ends on %(day)s: %(url)s") % {
        "record": _name_place(extension),
        "names": ", ".join(_list_names(record)),
        "day": format_day(extension.last_day),
        "url": settings.PUBLIC_URL.rstrip("/") + reverse("extend_record", args=[record.pk]),
    }
    return {"owners": name_owners(account.account_id) if account else [], "words": words}
