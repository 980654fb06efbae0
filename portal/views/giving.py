"""Giving access: a form for new records, and for one that is there.

Beside the form stands what saving would do; the script asks for it anew after each pause, and without script a button
does. What comes back is never lost: a text that means nobody stays in its box, with why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import may_change, require_user, visible_records
from accounts.models import AppKind, Record, User
from accounts.sentences import Sentence, render_reason
from portal.forms.assignments import AssignmentForm
from portal.views.giving_edits import compare, foresee_edit, read_values
from portal.views.giving_opening import Opening, is_sealed, list_own_codes, open_new, open_record
from portal.views.giving_picks import (
    Picks,
    build_account_chips,
    build_name_chips,
    build_owner_chips,
    read_address,
    read_record,
    read_sent,
)
from portal.views.giving_preview import Links, Preview, build_preview, build_query
from portal.views.obstacles import explain, tell
from portal.views.set_opening import list_editors
from portal.views.values import show_field
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible
from syncer.giving import submitting
from syncer.giving.foresight import foresee
from syncer.giving.gift import Gift

_LONGEST_TOKEN = 64


@dataclass(frozen=True)
class FilledForm:
    """A form as it stands: its picks and its plain fields."""

    opening: Opening
    picks: Picks
    form: AssignmentForm

    @property
    def set_name(self) -> str:
        return str(self.form["permission_set"].value() or "").strip()

    @property
    def gift(self) -> Gift:
        return Gift(self.picks.accounts, self.set_name, self.picks.names, self.form.until)

    @property
    def common(self) -> dict[str, Any]:
        """What all records of the form have in common."""
        plain = {"permission_set": self.set_name, "owners": list(self.picks.owners), **self.plain}
        return {name: value for name, value in plain.items() if name in self.opening.fields}

    @property
    def plain(self) -> dict[str, str]:
        day = self.form.until
        note = str(self.form["note"].value() or "") if "note" in self.form.fields else ""
        return {"expires_on": day.isoformat() if day else "", "note": note.replace("\r\n", "\n")}


# --- New records ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def new_assignment(request: HttpRequest) -> HttpResponse:
    """A form that a link may have filled in; POST shows what it does, or registers it."""
    user = _require_writer(request)
    token = request.POST.get("token", "")[:_LONGEST_TOKEN] or submitting.make_token()
    try:
        opening = open_new(token)
    except NotPossible as refusal:
        return _show_closed(request, refusal)
    if request.method == "POST":
        filled = _read_post(user, opening, request.POST)
    else:
        filled = _read_get(user, opening, request.GET)
    preview = _preview_new(user, filled)
    if request.POST.get("do") == "save":
        if sent := submitting.find_sent(user, token):
            return redirect("sent", sent[0].batch)
        if preview.may_save and filled.form.is_valid() and (batch := _give(request, user, filled, preview)):
            return redirect("sent", batch)
    return _show(request, filled, preview)


def _require_writer(request: HttpRequest) -> User:
    """Auditors read everything and change nothing."""
    user = require_user(request)
    if not may_change(user):
        raise PermissionDenied
    return user


def _read_post(user: User, opening: Opening, data: QueryDict) -> FilledForm:
    """What came back, with what the clicked button does to it: a day that is set, an account that is left out."""
    sent = data.copy()
    if day := sent.get("set-until", ""):
        sent["expires_on"] = day
    if account := sent.get("leave-out", ""):
        sent.setlist("account", [text for text in sent.getlist("account") if text != account])
    form = AssignmentForm(sent, user=user, initial=opening.values, fields=opening.fields)
    form.is_valid()
    return FilledForm(opening, read_sent(user, sent, opening.fields), form)


def _read_get(user: User, opening: Opening, query: QueryDict) -> FilledForm:
    """A form that nobody has sent yet: what the address says is read like what a form says."""
    values = {
        "permission_set": query.get("permission_set", "").replace("\0", "")[:200],
        "expires_on": query.get("until", "")[:10],
        "note": query.get("note", "").replace("\0", "")[:2000],
    }
    picks = read_address(user, query, opening.fields, list_own_codes(user) if "owners" in opening.fields else ())
    form = AssignmentForm(values, user=user, initial={}, fields=opening.fields)
    form.is_valid()
    return FilledForm(opening, picks, form)


def _preview_new(user: User, filled: FilledForm) -> Preview:
    foresight = foresee(user, filled.gift, today=timezone.localdate())
    single = {"permission_set": filled.set_name, "until": filled.plain["expires_on"], "note": filled.plain["note"]}
    links = Links(
        form=build_query(filled.picks.accounts, foresight.names, **single), people=build_query((), foresight.names)
    )
    return build_preview(foresight, links=links, lacking=_find_lacking(filled))


def _find_lacking(filled: FilledForm) -> list[str]:
    """What has to be filled in or mended before anything can be registered."""
    picks = filled.picks
    lacking = [] if picks.accounts else [show_field("account_id")]
    lacking += [] if filled.set_name else [show_field("permission_set")]
    lacking += [] if picks.names else [_("people and groups")]
    lacking += [show_field("expires_on")] if filled.form.has_error("expires_on") else []
    return lacking


def _give(request: HttpRequest, user: User, filled: FilledForm, preview: Preview) -> str:
    """Which batch of drafts carries it; empty, with the reason on the page, where it may not be."""
    if _has_unread(filled.picks):
        messages.error(request, _("Nothing was registered: some lines could not be understood. They are still there."))
        return ""
    try:
        return submitting.give(user, preview.foresight, filled.common, filled.opening.token)[0].batch
    except NotPossible as refusal:
        tell(request, refusal)
    return ""


def _has_unread(picks: Picks) -> bool:
    return any(picks.unread.values())


# --- One record -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def edit_assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """The record as it is in force, to be changed by who may; everybody else is told who may."""
    user = _require_writer(request)
    record = get_object_or_404(visible_records(user).of_kind(AppKind.ASSIGNMENT), pk=pk)
    if record.gone_at is not None or not saving.may_write(user, record):
        context = {"record": record, "editors": list_editors(record)}
        return render(request, "portal/assignment_closed.html", context, status=403)
    token = request.POST.get("token", "")[:_LONGEST_TOKEN] or submitting.make_token()
    try:
        opening = open_record(record, token, request.POST.get("base", ""))
    except NotPossible as refusal:
        return _show_closed(request, refusal, record)
    filled = _read_post(user, opening, request.POST) if request.method == "POST" else _open(user, opening, request.GET)
    values = read_values(opening, filled.picks, filled.plain, filled.set_name)
    edit = compare(opening, values)
    foresight = foresee_edit(user, opening, filled.gift, edit, today=timezone.localdate())
    preview = build_preview(foresight, edit=edit.describe(), lacking=_find_lacking_edit(filled))
    if request.POST.get("do") == "save":
        if sent := submitting.find_sent(user, token):
            return redirect("sent", sent[0].batch)
        if preview.may_save and filled.form.is_valid() and (batch := _change(request, user, filled, values)):
            return redirect("sent", batch)
    return _show(request, filled, preview)


def _open(user: User, opening: Opening, query: QueryDict) -> FilledForm:
    """The values in force; and whom a link adds to them."""
    picks = read_record(user, opening.values, query, opening.fields)
    form = AssignmentForm(dict(opening.values), user=user, initial=opening.values, fields=opening.fields)
    form.is_valid()
    return FilledForm(opening, picks, form)


def _find_lacking_edit(filled: FilledForm) -> list[str]:
    """A record may be left without people: it gives access to nobody then."""
    lacking = [] if len(filled.picks.accounts) == 1 else [show_field("account_id")]
    lacking += [] if filled.set_name else [show_field("permission_set")]
    lacking += [show_field("expires_on")] if filled.form.has_error("expires_on") else []
    return lacking


def _change(request: HttpRequest, user: User, filled: FilledForm, values: Mapping[str, Any]) -> str:
    opening = filled.opening
    if _has_unread(filled.picks):
        messages.error(request, _("Nothing was saved: some lines could not be understood. They are still there."))
        return ""
    if opening.record is None or not is_sealed(request.POST.get("base", "")):
        messages.error(request, _("This form was opened too long ago. Look at what changes, then save again."))
        return ""
    try:
        drafts = submitting.change(
            user, opening.record, values, revision=opening.revision, base=opening.values, token=opening.token
        )
    except NotPossible as refusal:
        tell(request, refusal)
        return ""
    return drafts[0].batch


# --- What is shown ----------------------------------------------------------------------------------------------------


def _show(request: HttpRequest, filled: FilledForm, preview: Preview) -> HttpResponse:
    if request.POST.get("do") == "preview":
        return render(request, "portal/_give_preview.html", {"preview": preview, "opening": filled.opening})
    picks, opening = filled.picks, filled.opening
    return render(request, "portal/assignment_form.html", {
        "opening": opening,
        "record": opening.record,
        "form": filled.form,
        "shows_errors": request.method == "POST",
        "accounts": build_account_chips(picks.accounts),
        "people": build_name_chips(picks.names),
        "owners": build_owner_chips(picks.owners) if "owners" in opening.fields else None,
        "unread": picks.unread,
        "left": picks.left,
        "preview": preview,
        "tried": request.POST.get("do") == "save",
        "withheld": [render_reason(row.reason) or Sentence(row.value) for row in opening.withheld],
    })  # fmt: skip


def _show_closed(request: HttpRequest, refusal: NotPossible, record: Record | None = None) -> HttpResponse:
    context = {"record": record, "obstacle": explain(refusal)}
    return render(request, "portal/assignment_closed.html", context, status=409)
