"""The shortcuts that people keep: lists, keeping one, changing it, pinning it."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import kept_shortcuts
from accounts.access import find_own_assignments, may_change, require_user, visible_accounts
from accounts.access_portal import find_access_portal
from accounts.console_register import load_catalogue
from accounts.kept_shortcuts import SlugTaken, find_editable, may_edit_shortcut, visible_shortcuts
from accounts.models import Shortcut, User, Visit
from accounts.search import fold_text, split_query
from portal.forms.kept_shortcuts import ShortcutForm, describe_shortcut
from portal.views.paging import paginate, read_query
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.shortcut_links import build_direct_link, describe_destination

_PREFILLED = ("name", "account", "permission_sets", "url", "destination", "note", "tags")


@dataclass(frozen=True)
class Line:
    """One shortcut of the list. `direct` works without Genkan; it is empty where the visitor decides something."""

    shortcut: Shortcut
    words: str
    direct: str
    address: str
    may_edit: bool
    is_pinned: bool


@require_safe
def shortcut_list(request: HtmxHttpRequest) -> HttpResponse:
    """Those one sees: one's own, of the accounts one owns, and everybody's."""
    user, query = require_user(request), read_query(request)
    page = paginate(request, _search(visible_shortcuts(user), query).order_by("name", "pk"))
    context = {
        "page": page,
        "lines": _build_lines(request, user, list(page)),
        "query": query,
        "may_change": may_change(user),
    }
    part = asks_for_part(request, "shortcuts")
    return render(request, "portal/_shortcut_list.html" if part else "portal/shortcut_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def keep_shortcut(request: HttpRequest) -> HttpResponse:
    """A new one; the address may fill the form, as the builder's does."""
    user, access_portal = require_user(request), find_access_portal()
    if not may_change(user):
        raise PermissionDenied
    if request.method == "POST":
        return _save(request, ShortcutForm(user, access_portal, request.POST), user, None)
    initial = {name: request.GET[name] for name in _PREFILLED if name in request.GET}
    return _show(request, ShortcutForm(user, access_portal, initial=initial), None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_shortcut(request: HttpRequest, pk: int) -> HttpResponse:
    """Change it. Its former address goes on leading here."""
    user, access_portal = require_user(request), find_access_portal()
    shortcut = _get(user, pk)
    if not may_edit_shortcut(user, shortcut):
        raise PermissionDenied
    if request.method == "POST":
        return _save(request, ShortcutForm(user, access_portal, request.POST), user, shortcut)
    return _show(request, ShortcutForm(user, access_portal, initial=describe_shortcut(shortcut)), shortcut)


@require_POST
def drop_shortcut(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete it, with its address."""
    user = require_user(request)
    shortcut = _get(user, pk)
    kept_shortcuts.drop_shortcut(request, user, shortcut)
    messages.success(request, _("The shortcut “%(name)s” is gone.") % {"name": shortcut.name})
    return redirect("shortcut_list")


@require_POST
def pin_shortcut(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it stand on one's home page, or with `off` no more."""
    user = require_user(request)
    kept_shortcuts.pin(user, {"shortcut": _get(user, pk)}, is_pinned="off" not in request.POST)
    return redirect("shortcut_list" if "list" in request.POST else "my_access")


@require_POST
def pin_place(request: HttpRequest, account_id: str, permission_set: str) -> HttpResponse:
    """The same for a set in an account."""
    user = require_user(request)
    account = get_object_or_404(visible_accounts(user), account_id=account_id)
    place = {"account": account, "permission_set": permission_set}
    kept_shortcuts.pin(user, place, is_pinned="off" not in request.POST)
    return redirect("my_access")


@require_POST
def note_place(request: HttpRequest, account_id: str, permission_set: str) -> HttpResponse:
    """Somebody has opened the console by a chip, says its script: what he uses stands first next time."""
    user = require_user(request)
    account = get_object_or_404(visible_accounts(user), account_id=account_id)
    if not find_own_assignments(user).filter(account=account, permission_set__name=permission_set).exists():
        raise Http404
    kept_shortcuts.note_visit(user, account, permission_set)
    return HttpResponse(status=204)


def _get(user: User, pk: int) -> Shortcut:
    return get_object_or_404(visible_shortcuts(user), pk=pk)


def _save(request: HttpRequest, form: ShortcutForm, user: User, shortcut: Shortcut | None) -> HttpResponse:
    if not form.is_valid():
        return _show(request, form, shortcut)
    try:
        kept = kept_shortcuts.keep_shortcut(request, user, form.list_values(), shortcut)
    except SlugTaken:
        form.add_error("slug", _("Another shortcut has or had this address. Choose another one."))
        return _show(request, form, shortcut)
    messages.success(request, _("“%(name)s” is kept: /go/%(slug)s/") % {"name": kept.name, "slug": kept.slug})
    return redirect("shortcut_list")


def _show(request: HttpRequest, form: ShortcutForm, shortcut: Shortcut | None) -> HttpResponse:
    return render(request, "portal/shortcut_form.html", {"form": form, "shortcut": shortcut})


def _search(shortcuts: QuerySet[Shortcut], query: str) -> QuerySet[Shortcut]:
    """Every word is found in the name, the note, the tags, the address or the account. Shortcuts are few."""
    words = split_query(query)
    if not words:
        return shortcuts
    found = [row.pk for row in shortcuts if all(word in _read_key(row) for word in words)]
    return shortcuts.filter(pk__in=found)


def _read_key(row: Shortcut) -> str:
    return fold_text(
        f"{row.name} {row.note} {' '.join(row.tags)} {row.slug} {row.account.name} {row.account.account_id}"
    )


def _build_lines(request: HttpRequest, user: User, shortcuts: list[Shortcut]) -> list[Line]:
    access_portal, catalogue = find_access_portal(), load_catalogue()
    pinned = set(
        Visit.objects.filter(user=user, is_pinned=True, shortcut__in=shortcuts).values_list("shortcut", flat=True)
    )
    editable = find_editable(user, shortcuts)
    return [
        Line(
            shortcut=row,
            words=describe_destination(row, catalogue),
            direct=build_direct_link(row, access_portal, catalogue),
            address=request.build_absolute_uri(reverse("go", args=[row.slug])),
            may_edit=row.pk in editable,
            is_pinned=row.pk in pinned,
        )
        for row in shortcuts
    ]
