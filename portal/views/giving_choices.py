"""The pickers of a form of access: what somebody may mean who types a few letters, and chips for what was chosen."""

from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.access import require_user, visible_accounts
from accounts.finding import search_accounts, search_groups, search_people, search_units
from accounts.models import AppKind, Person, User
from portal.views.giving_picks import (
    Chip,
    Unread,
    below_unit,
    build_account_chips,
    build_name_chips,
    build_owner_chips,
    read_accounts,
    read_owners,
    read_people,
)
from portal.views.paging import read_query
from syncer.drafts.drafting import load_fields
from syncer.giving.names import name_person

_MOST = 8  # of one kind: a list that one reads at a glance
_LONGEST = 100_000  # characters of one paste
KINDS = ("account", "people", "owners")


class Option(NamedTuple):
    """One line of the list: what is taken when it is chosen, and what people read."""

    value: str
    label: str
    hint: str = ""
    icon: str = ""
    tone: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, kind: str) -> HttpResponse:
    """GET: options for what was typed. POST: chips for what was chosen or pasted, and what could not be read."""
    user = require_user(request)
    if kind not in KINDS:
        raise Http404
    if request.method == "POST":
        chips, unread = _take(user, kind, request.POST.get("text", "")[:_LONGEST])
        return render(request, "portal/_give_chips.html", {"chips": chips, "unread": unread})
    query = read_query(request)
    options = _find(user, kind, query) if query else []
    return render(request, "portal/_give_options.html", {"options": options, "query": query})


def _take(user: User, kind: str, text: str) -> tuple[list[Chip], tuple[Unread, ...]]:
    if kind == "account":
        accounts, unread = read_accounts(user, (), text)
        return build_account_chips(accounts), unread
    if kind == "owners":
        codes, unread = read_owners((), text)
        return build_owner_chips(codes), unread
    names, unread = read_people(text, load_fields(AppKind.ASSIGNMENT))
    return build_name_chips(names), unread


def _find(user: User, kind: str, query: str) -> list[Option]:
    if kind == "account":
        return [*_find_accounts(user, query), *_find_units(user, query)]
    if kind == "owners":
        known = [person for person in search_people(user, query, 2 * _MOST) if person.kintone_code]
        return [_show_person(person, person.kintone_code) for person in known[:_MOST]]
    fields = load_fields(AppKind.ASSIGNMENT)
    people = ((person, name_person(person, fields)) for person in search_people(user, query, _MOST))
    groups = search_groups(user, query, _MOST) if "groups" in fields else []
    return [
        *(_show_person(person, name.text) for person, name in people if name),
        *(Option(group.name, str(group), icon="users") for group in groups),
    ]


def _show_person(person: Person, value: str) -> Option:
    return Option(value, str(person), person.email or value, "user-round")


# --- Searching --------------------------------------------------------------------------------------------------------


def _find_accounts(user: User, query: str) -> list[Option]:
    rows = [row for row in search_accounts(user, query, 2 * _MOST) if row.is_active and not row.is_management]
    return [
        Option(row.account_id, row.name, row.ou.path if row.ou else row.spaced_id, tone=row.stage)
        for row in rows[:_MOST]
    ]


def _find_units(user: User, query: str) -> list[Option]:
    """A unit is offered with how many accounts it stands for."""
    units = search_units(user, query, _MOST // 2)
    counted = ((unit, below_unit(visible_accounts(user), unit).count()) for unit in units)
    return [Option(unit.ou_id, unit.path, str(count), "folder-tree") for unit, count in counted if count]
