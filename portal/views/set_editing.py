"""Defining a permission set: a new one, or another version of one that is there.

A form shows what saving does before it saves. What comes back is saved only if its writer has seen what it does: the
page carries a mark of what it showed, and shows it anew where the mark is another.
"""

import time
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import require_user, visible_permission_sets
from accounts.models import AppKind, PermissionSet, User
from accounts.policy.formatting import format_text
from accounts.sentences import Sentence, render_reason
from portal.forms.permission_sets import PermissionSetForm, fill_form
from portal.views.obstacles import explain, tell
from portal.views.pacing import MOST, PACE, find_wait, refuse
from portal.views.policy_checks import judge
from portal.views.set_foresight import Foresight, foresee
from portal.views.set_opening import (
    Opening,
    find_obstacle,
    is_sealed,
    list_editors,
    list_spellings,
    may_create,
    open_new,
    open_set,
    spell,
)
from portal.views.set_starts import TEMPLATES, find_start
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible
from syncer.models import SetVersion
from syncer.sets.history import find_version, read_values
from syncer.tasks import request_policy_texts

_STARTS = ("template", "set", "policy", "attach")


@require_http_methods(["GET", "HEAD", "POST"])
def new_permission_set(request: HttpRequest) -> HttpResponse:
    """A form that begins with nothing, or with what was chosen; POST saves it, or shows what saving would do."""
    user = require_user(request)
    if not may_create(user):
        raise PermissionDenied
    try:
        opening = open_new()
    except NotPossible as refusal:
        return _show_closed(request, refusal)
    if request.method == "POST":
        return _answer(request, user, opening)
    kind = next((name for name in _STARTS if request.GET.get(name)), "")
    start = find_start(user, kind, request.GET.get(kind, "").replace("\0", "")[:300])
    form = _make_form(opening, None, start.values)
    return _show(request, user, opening, form, {"start": start})


@require_http_methods(["GET", "HEAD", "POST"])
def edit_permission_set(request: HttpRequest, pk: int) -> HttpResponse:
    """The set as it is in force, to be changed by who may; everybody else is told who may."""
    user = require_user(request)
    permission_set = get_object_or_404(visible_permission_sets(user).select_related("record"), pk=pk)
    obstacle = find_obstacle(user, permission_set)
    if obstacle:
        editors = list_editors(permission_set.record)
        context = {"permission_set": permission_set, "obstacle": obstacle, "editors": editors,
                   "may_create": may_create(user)}  # fmt: skip
        return render(request, "portal/permission_set_closed.html", context, status=403)
    try:
        opening = open_set(permission_set, request.POST.get("base", ""))
    except NotPossible as refusal:
        return _show_closed(request, refusal, permission_set)
    if request.method == "POST":
        return _answer(request, user, opening)
    version = find_version(permission_set, request.GET.get("version", ""))
    if version is not None:
        return _show_version(request, user, opening, version)
    return _show(request, user, opening, _make_form(opening, None, opening.values), {})


def _show_version(request: HttpRequest, user: User, opening: Opening, version: SetVersion) -> HttpResponse:
    """What was in force once, as if somebody had typed it, with what saving it would do."""
    values = spell(opening, read_values(version, opening.fields))
    form = _make_form(opening, fill_form({**opening.values, **values}), opening.values)
    form.is_valid()
    return _show(request, user, opening, form, {"version": version})


def _show_closed(request: HttpRequest, refusal: NotPossible, permission_set: Any = None) -> HttpResponse:
    context = {"permission_set": permission_set, "obstacle": explain(refusal)}
    return render(request, "portal/permission_set_closed.html", context, status=409)


def _make_form(opening: Opening, data: QueryDict | None, initial: Mapping[str, Any]) -> PermissionSetForm:
    return PermissionSetForm(
        data, initial=initial, available=opening.fields, base=opening.base,
        spellings=list_spellings(opening.fields),
    )  # fmt: skip


# --- What a click does ------------------------------------------------------------------------------------------------


def _answer(request: HttpRequest, user: User, opening: Opening) -> HttpResponse:
    do = request.POST.get("do", "")
    if do == "preview" and (wait := find_wait(user.pk, time.time(), kind=PACE, most=MOST)):
        return refuse(wait)
    form = _make_form(opening, _prepare(request, do), opening.values)
    is_good = form.is_valid()
    if do == "copy":
        return _show(request, user, opening, _take_over(opening, form), {})
    foresight = foresee(user, opening, form)
    shown = {"foresight": foresight, "is_reading": _ask_for_texts(opening, form, foresight)}
    if do == "preview":
        return render(request, "portal/_set_preview.html", {**shown, "opening": opening})
    if do == "save" and is_good and _is_seen(request, opening, foresight):
        draft = _save(request, user, opening, form)
        if draft is not None:
            return redirect("draft_detail", draft)
    return _show(request, user, opening, form, {**shown, "tried": do == "save"})


def _ask_for_texts(opening: Opening, form: PermissionSetForm, foresight: Foresight) -> bool:
    """Whether it may still turn out that the set does no more, once it is read what AWS's own policies say."""
    if not foresight.is_refused:
        return False
    sides = (opening.values, form.meant)
    return request_policy_texts([name for side in sides for name in side.get("managed_policies", ())])


def _prepare(request: HttpRequest, do: str) -> QueryDict:
    """What was sent; laid out afresh if that is what was asked for."""
    if do != "format":
        return request.POST
    data = request.POST.copy()
    formatted = format_text(data.get("inline_policy", "").replace("\r\n", "\n"))
    if formatted is None:
        messages.info(request, _("The policy is no JSON yet, so it cannot be laid out. The findings say why."))
    else:
        data["inline_policy"] = formatted
    return data


def _take_over(opening: Opening, form: PermissionSetForm) -> PermissionSetForm:
    """The same values for a new set, which needs a name of its own."""
    values = {name: form[name].value() for name in form.fields}
    return _make_form(opening, None, {**values, "name": ""})


def _is_seen(request: HttpRequest, opening: Opening, foresight: Foresight) -> bool:
    """A new set does nothing to anybody; of a change, its writer has to have seen what it does."""
    if opening.record is None:
        return True
    if not is_sealed(request.POST.get("base", ""), opening.record):
        messages.error(request, _("This form was opened too long ago. Look at the differences, then save again."))
        return False
    return request.POST.get("seen") == foresight.mark


def _save(request: HttpRequest, user: User, opening: Opening, form: PermissionSetForm) -> int | None:
    """The number of the draft that carries it; None, with the reason on the page, where it may not be."""
    try:
        draft = saving.save(
            AppKind.PERMISSION_SET, user, form.meant,
            record=opening.record, base_revision=opening.revision, base_values=opening.base,
        )  # fmt: skip
    except NotPossible as refusal:
        tell(request, refusal)
        return None
    return draft.pk


# --- What is shown ----------------------------------------------------------------------------------------------------


def _show(
    request: HttpRequest, user: User, opening: Opening, form: PermissionSetForm, context: Mapping[str, Any]
) -> HttpResponse:
    text = str(form["inline_policy"].value() or "") if "inline_policy" in form.fields else ""
    foresight = context.get("foresight") or foresee(user, opening, form)
    return render(request, "portal/permission_set_form.html", {
        "form": form,
        "opening": opening,
        "permission_set": opening.permission_set,
        "picked": form.list_picked(),
        "verdict": judge(text.replace("\r\n", "\n")),
        "foresight": foresight,
        "withheld": [render_reason(row.reason) or Sentence(row.value) for row in opening.withheld],
        "templates": TEMPLATES.items(),
        "sets": visible_permission_sets(user).exclude(state=PermissionSet.State.REMOVED).values_list("name", flat=True),
        **context,
    })  # fmt: skip
