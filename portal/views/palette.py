"""Going anywhere by a few words: what the palette matches in the browser, the same as a page, and for address bars."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from accounts.access import require_user
from accounts.kept_shortcuts import note_visit
from accounts.models import Account, ShortcutSettings, Stage, User
from accounts.palette.ranking import Found, find_clear, rank, rank_entries
from accounts.palette.words import FILLERS, LEADING, SYNONYMS
from accounts.palette.world import Kind, World
from accounts.search import VARIANTS
from portal.templatetags.genkan import icon
from portal.views.pacing import at_a_pace
from portal.views.paging import read_query
from portal.views.palette_world import find_people, load_world

_PEOPLE = 5  # offered while somebody types
_MOST = 100  # on the page
_MOST_OF_KIND = 20
_SUGGESTIONS = 8
_ICONS = ("arrow-up-right", "cloud", "user-round", "users")
_SECTIONS: Mapping[Kind, str | Promise] = {
    Kind.PLACE: _("AWS console"),
    Kind.SHORTCUT: _("Shortcuts"),
    Kind.ACCOUNT: _("Accounts"),
    Kind.PAGE: _("Pages"),
    Kind.SET: _("Permission sets"),
    Kind.SERVICE: _("Places of the console"),
    Kind.PERSON: _("People"),
    Kind.GROUP: _("Groups"),
}

# Before what stands below a name in the palette, where it would not be clear what it is.
_KINDS: Mapping[Kind, str | Promise] = {
    Kind.SHORTCUT: _("Shortcut"),
    Kind.ACCOUNT: _("Account"),
    Kind.PAGE: _("Page"),
    Kind.SET: _("Permission set"),
    Kind.PERSON: _("Person"),
    Kind.GROUP: _("Group"),
}


@dataclass(frozen=True)
class Section:
    """What is found of one kind, the best first."""

    kind: Kind
    word: str | Promise
    found: tuple[Found, ...]


@gzip_page
@vary_on_cookie
@require_safe
@at_a_pace
def palette_world(request: HttpRequest) -> HttpResponse:
    """All that the reader can go to. The browser keeps it and asks each time whether it is still the same."""
    world = load_world(require_user(request))
    body = json.dumps(_describe(world), default=str, ensure_ascii=False, separators=(",", ":")).encode()
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    response = HttpResponse(body, content_type="application/json")
    answer = get_conditional_response(request, etag=etag, response=response) or response
    answer["ETag"], answer["Cache-Control"] = etag, "private, no-cache"
    return answer


@never_cache
@require_safe
@at_a_pace
def palette_people(request: HttpRequest) -> HttpResponse:
    """People and groups, who are too many to be in every browser."""
    user, query = require_user(request), read_query(request)
    found = rank_entries(find_people(user, query, _PEOPLE), query) if query else []
    return JsonResponse({"found": [asdict(each) for each in found]})


@never_cache
@require_safe
@at_a_pace
def search(request: HttpRequest) -> HttpResponse:
    """The same as a page. With `go` one is sent on where it is clear what is meant, as from the address bar."""
    user, query = require_user(request), read_query(request)
    world = load_world(user)
    found = _find(user, world, query)
    clear = find_clear(found) if "go" in request.GET else None
    if clear and not _must_warn(world, clear):
        return _send_on(user, clear)
    context = {"query": query, "sections": _list_sections(found), "total": len(found), "warned": clear}
    return render(request, "portal/search.html", context)


@never_cache
@require_safe
@at_a_pace
def suggest(request: HttpRequest) -> HttpResponse:
    """What the address bar offers: OpenSearch's four lists of query, titles, descriptions and addresses."""
    user, query = require_user(request), read_query(request)
    found = rank(load_world(user), query, most=_SUGGESTIONS) if query else []
    titles = [each.entry.title for each in found]
    notes = [each.entry.below for each in found]
    links = [request.build_absolute_uri(each.entry.href) for each in found]
    return JsonResponse([query, titles, notes, links], safe=False, content_type="application/x-suggestions+json")


@require_safe
@login_not_required
def opensearch(request: HttpRequest) -> HttpResponse:
    """Tells a browser how to search here; it holds nothing that is anybody's."""
    addresses = {name: request.build_absolute_uri(reverse(name)) for name in ("search", "suggest_places", "opensearch")}
    content_type = "application/opensearchdescription+xml"
    context = {"addresses": addresses, "icon": request.build_absolute_uri(static("img/gate.svg"))}
    return render(request, "portal/opensearch.xml", context, content_type=content_type)


# --- Finding ----------------------------------------------------------------------------------------------------------


def _find(user: User, world: World, query: str) -> list[Found]:
    found = rank(world, query, most=_MOST, most_of_kind=_MOST_OF_KIND)
    people = rank_entries(find_people(user, query, _MOST_OF_KIND), query) if query else []
    return sorted([*found, *people], key=lambda each: each.order)


def _list_sections(found: Iterable[Found]) -> list[Section]:
    """By kind, in the order of the best of each."""
    kinds = dict.fromkeys(each.entry.kind for each in found)
    by_kind = {kind: tuple(each for each in found if each.entry.kind is kind) for kind in kinds}
    return [Section(kind, _SECTIONS[kind], each) for kind, each in by_kind.items()]


def _must_warn(world: World, found: Found) -> bool:
    """Whether the way leads into production with rights to change it, which asks for a click."""
    changing = {own.name for own in world.sets if own.may_change}
    is_production = found.entry.stage == Stage.PRODUCTION and found.permission_set in changing
    return is_production and ShortcutSettings.load().warns_of_production


def _send_on(user: User, found: Found) -> HttpResponse:
    if found.permission_set:
        note_visit(user, Account.objects.get(account_id=found.account_id), found.permission_set)
    return redirect(found.entry.href)


def _describe(world: World) -> dict[str, Any]:
    """The world with the tables that the browser reads words by, and with its icons drawn."""
    names = {*_ICONS, *(entry.icon for entry in world.entries), *(service.icon for service in world.services)}
    words = {"synonyms": SYNONYMS, "fillers": FILLERS, "leading": LEADING, "variants": VARIANTS}
    icons = {name: icon(name) for name in sorted(names)}
    return {"world": world.as_json(), "words": words, "icons": icons, "kinds": {**_KINDS}}
