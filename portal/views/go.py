"""/go/<slug>/: sends each visitor on with his own permission set, or says what is in his way. Never a dead end."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import find_own_assignments, may_widen, require_user
from accounts.access_portal import find_access_portal
from accounts.console_register import load_catalogue
from accounts.entering import choose_least, may_change
from accounts.kept_shortcuts import find_by_slug, note_visit
from accounts.models import PermissionSet, Principal, Shortcut, ShortcutSettings, Stage, User
from accounts.owner_register import load_register
from accounts.policy.summary import Level
from accounts.sentences import render as render_sentence
from accounts.shortcuts import BadDestination, Destination
from portal.views.shortcut_links import build_link, describe_destination
from portal.views.summaries import mark_level

_LONGEST = 1000  # characters of a value that the address fills in


@dataclass(frozen=True)
class Way:
    """One of the visitor's sets; `address` enters with it."""

    name: str
    level: Level | None
    address: str


@never_cache
@require_safe
def go(request: HttpRequest, slug: str) -> HttpResponse:
    """Enter. `set` chooses among several; `?log_group=…` and the like fill what the shortcut leaves open."""
    user = require_user(request)
    shortcut = find_by_slug(user, slug)
    if shortcut is None:
        raise Http404
    if shortcut.slug != slug:
        return redirect(f"{reverse('go', args=[shortcut.slug])}{_keep_query(request)}")
    levels = _load_levels(user, shortcut)
    if not levels:
        return _tell_closed(request, user, shortcut)
    chosen = _choose(shortcut, levels, request.GET.get("set", ""))
    if not chosen:
        return _ask_set(request, shortcut, levels)
    return _enter(request, user, shortcut, chosen, levels[chosen])


def _load_levels(user: User, shortcut: Shortcut) -> dict[str, Level | None]:
    """The sets with which the visitor may enter now, among those that the shortcut takes."""
    own = find_own_assignments(user).filter(account=shortcut.account, in_aws=True)
    if not shortcut.account.is_active:
        return {}
    sets = PermissionSet.objects.filter(pk__in=own.values("permission_set")).select_related("record")
    if shortcut.permission_sets:
        sets = sets.filter(name__in=shortcut.permission_sets)
    marks = {row.name: mark_level(row) for row in sets}
    return {name: Level(mark.level) if mark and mark.level in set(Level) else None for name, mark in marks.items()}


def _choose(shortcut: Shortcut, levels: Mapping[str, Level | None], asked: str) -> str:
    """Empty where the visitor is to choose."""
    if asked in levels:
        return asked
    if len(levels) == 1 or shortcut.choosing == Shortcut.Choosing.LEAST:
        return choose_least(levels)
    return ""


def _enter(
    request: HttpRequest, user: User, shortcut: Shortcut, permission_set: str, level: Level | None
) -> HttpResponse:
    access_portal, catalogue = find_access_portal(), load_catalogue()
    if access_portal is None:
        return _tell_broken(request, shortcut, BadDestination("api_no_portal"))
    destination = _fill(shortcut.read_destination(), request)
    try:
        built = build_link(shortcut, permission_set, destination, access_portal, catalogue)
    except BadDestination as refusal:
        return _tell_broken(request, shortcut, refusal)
    if built.open_names:
        return _ask_values(request, shortcut, permission_set, built.open_names)
    if _must_warn(request, shortcut, level):
        return _warn(request, shortcut, permission_set)
    note_visit(user, shortcut.account, permission_set, shortcut)
    return redirect(built.url)


def _fill(destination: Destination, request: HttpRequest) -> Destination:
    """What the address names goes into what is open; what the shortcut has fixed stays."""
    if not destination.service:
        return destination
    given = {name: str(value)[:_LONGEST] for name, value in request.GET.items() if name not in ("set", "go")}
    return Destination.of(destination.service, destination.region, {**given, **destination.filled})


def _must_warn(request: HttpRequest, shortcut: Shortcut, level: Level | None) -> bool:
    is_production = shortcut.account.stage == Stage.PRODUCTION and may_change(level)
    return is_production and "go" not in request.GET and ShortcutSettings.load().warns_of_production


# --- What is in the way -----------------------------------------------------------------------------------------------


def _show(
    request: HttpRequest, template: str, shortcut: Shortcut, status: int = 200, **context: object
) -> HttpResponse:
    known = {
        "shortcut": shortcut,
        "account": shortcut.account,
        "words": describe_destination(shortcut, load_catalogue()),
    }
    return render(request, f"portal/{template}.html", known | context, status=status)


def _keep_query(request: HttpRequest, **more: str) -> str:
    kept = [(name, str(value)) for name, value in request.GET.items() if name not in more]
    query = urlencode([*kept, *more.items()])
    return f"?{query}" if query else ""


def _ask_set(request: HttpRequest, shortcut: Shortcut, levels: Mapping[str, Level | None]) -> HttpResponse:
    ways = [Way(name, level, _keep_query(request, set=name)) for name, level in sorted(levels.items())]
    return _show(request, "go_choose", shortcut, ways=ways)


def _ask_values(request: HttpRequest, shortcut: Shortcut, permission_set: str, names: tuple[str, ...]) -> HttpResponse:
    given = {name: value for name, value in request.GET.items() if name not in names}
    return _show(request, "go_values", shortcut, names=names, given=given | {"set": permission_set})


def _warn(request: HttpRequest, shortcut: Shortcut, permission_set: str) -> HttpResponse:
    onward = _keep_query(request, set=permission_set, go="1")
    return _show(request, "go_warn", shortcut, permission_set=permission_set, onward=onward)


def _tell_broken(request: HttpRequest, shortcut: Shortcut, refusal: BadDestination) -> HttpResponse:
    sentence = render_sentence(refusal.code, refusal.params)
    return _show(request, "go_broken", shortcut, status=409, sentence=sentence)


def _tell_closed(request: HttpRequest, user: User, shortcut: Shortcut) -> HttpResponse:
    """No way in: who can open one, and what to send him."""
    wish = {"account": shortcut.account.account_id}
    if shortcut.permission_sets:
        wish["permission_set"] = shortcut.permission_sets[0]
    if user.person and user.person.principal:
        wish["user"] = user.person.principal.name
    form = f"{reverse('new_assignment')}?{urlencode(wish)}"
    owners = load_register([shortcut.account.account_id]).find_owners(shortcut.account.account_id)
    people = Principal.objects.filter(principal_id__in=owners.principals).select_related("person")
    message = _("Please give me access to %(account)s for “%(shortcut)s”: %(form)s") % {
        "account": shortcut.account.name, "shortcut": shortcut.name, "form": request.build_absolute_uri(form),
    }  # fmt: skip
    context = {"owners": people, "form": form, "may_register": may_widen(user, shortcut.account), "message": message}
    return _show(request, "go_closed", shortcut, status=403, **context)
