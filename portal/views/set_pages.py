"""What becomes of a permission set as a whole: a new name, its end, and what it was before."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import require_user, visible_permission_sets
from accounts.models import PermissionSet, User
from portal.views.definitions import SET_FIELDS
from portal.views.differences import FieldDifference, compare_values
from portal.views.obstacles import tell
from portal.views.set_opening import find_obstacle
from portal.views.sight import see_assignments, see_move, see_records, see_verdicts
from syncer.drafts.drafting import NotPossible
from syncer.models import SetVersion
from syncer.sets import deletion as set_deletion
from syncer.sets import renaming
from syncer.sets.farewells import find_open, is_going
from syncer.sets.history import list_versions, read_values


def describe_going(user: User, permission_set: PermissionSet) -> dict[str, Any]:
    """For the set's page: whether it may get a new name or go, and how far that is."""
    farewell = find_open(permission_set.name)
    return {
        "farewell": farewell,
        "going": renaming.find_drafts(permission_set) if farewell else [],
        "may_rename": renaming.may_rename(user, permission_set) and not is_going(permission_set.name),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def rename_set(request: HttpRequest, pk: int) -> HttpResponse:
    """A new name; then the list of what is written; and, once somebody has confirmed that very list, the writing."""
    user, permission_set = _load(request, pk)
    if not renaming.may_rename(user, permission_set):
        raise PermissionDenied
    name = (request.POST.get("name") or request.GET.get("name") or "").strip()
    try:
        if request.method == "POST":
            renaming.rename(permission_set, user, name, request.POST.get("checksum", ""))
            messages.success(request, _("The new name is being written to kintone. This page shows how far it is."))
            return redirect("permission_set_detail", pk)
    except NotPossible as refusal:
        tell(request, refusal)
    return _show_rename(request, user, permission_set, name)


def _show_rename(request: HttpRequest, user: User, permission_set: PermissionSet, name: str) -> HttpResponse:
    plan = None
    try:
        plan = renaming.plan_rename(user, permission_set, name) if name else None
    except NotPossible as refusal:
        if request.method != "POST":  # else it was said already
            tell(request, refusal)
    context = {"permission_set": permission_set, "name": name, "plan": plan}
    return render(request, "portal/rename_set.html", {**context, **(_see_rename(user, plan) if plan else {})})


def _see_rename(user: User, plan: renaming.RenamePlan) -> dict[str, Any]:
    return {
        **see_move(user, plan.move),
        "assignments": see_assignments(user, plan.assignments),
        "verdicts": see_verdicts(user, plan.verdicts),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def delete_set(request: HttpRequest, pk: int) -> HttpResponse:
    """Who loses what; and, once somebody has confirmed that very list, the end. One that has changed is shown anew."""
    user, permission_set = _load(request, pk)
    if not set_deletion.may_delete(user, permission_set):
        raise PermissionDenied
    try:
        if request.method == "POST":
            set_deletion.delete(permission_set, user, request.POST.get("checksum", ""))
            messages.success(request, _("The set is being withdrawn. Its record goes once nobody has it any more."))
            return redirect("permission_set_detail", pk)
    except NotPossible as refusal:
        tell(request, refusal)
    plan = set_deletion.plan_deletion(user, permission_set)
    context = {
        "permission_set": permission_set,
        "plan": plan,
        "records": see_records(user, plan.records),
        "assignments": see_assignments(user, plan.assignments),
    }
    return render(request, "portal/delete_set.html", context)


class VersionRow(NamedTuple):
    """A version, and what it changed. is_current: it is what is in force."""

    version: SetVersion
    differences: list[FieldDifference]
    is_current: bool


@require_safe
def set_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every version that was in force, with what each changed."""
    user, permission_set = _load(request, pk)
    context = {
        "permission_set": permission_set,
        "rows": list(_iter_rows(list_versions(permission_set))),
        "may_restore": not find_obstacle(user, permission_set),
    }
    return render(request, "portal/set_history.html", context)


def _iter_rows(versions: list[SetVersion]) -> Iterator[VersionRow]:
    for number, (new, old) in enumerate(pairwise([*versions, None])):
        if new is not None:
            yield VersionRow(new, _compare(old, new), number == 0)


def _compare(old: SetVersion | None, new: SetVersion) -> list[FieldDifference]:
    before, after = read_values(old) if old else {}, read_values(new)
    texts = ((name, _as_text(before.get(name)), _as_text(after.get(name))) for name in SET_FIELDS)
    found = (compare_values(name, one, other) for name, one, other in texts if one != other)
    return [difference for difference in found if difference.lines]  # what is shown alike is no difference


def _as_text(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value or "")


def _load(request: HttpRequest, pk: int) -> tuple[User, PermissionSet]:
    user = require_user(request)
    return user, get_object_or_404(visible_permission_sets(user).select_related("record"), pk=pk)
