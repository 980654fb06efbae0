"""The audit trail: who did what, and what it was before and after."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_accounts, visible_people
from accounts.activity import Narrowing, sees_origin, visible_events
from accounts.activity_sentences import ADMIN_SIGN_IN, ADMIN_SIGN_IN_WORD, FAMILIES
from accounts.finding import narrow_accounts, narrow_people
from accounts.models import Person, User
from portal.views.csv_lists import CHUNK, stream_csv, wants_csv
from portal.views.event_columns import COLUMNS, ORIGIN
from portal.views.event_lines import build_lines
from portal.views.keyset import page_by_key
from portal.views.paging import choose, read_query
from portal.views.requests import HtmxHttpRequest, asks_for_part

_MOST = 200  # accounts or people that one word may mean; a longer word means fewer
_FIELDS = ("account", "person", "record", "from", "to")


@require_safe
def activity(request: HtmxHttpRequest) -> HttpResponseBase:
    """Newest first, fifty a page, without a count; `account`, `person`, `record`, `kind`, `from` and `to` narrow it."""
    user = require_user(request)
    kinds = _list_kinds()
    filters = {name: read_query(request, name) for name in _FIELDS}
    kind = choose(request, "kind", kinds)
    events = read_narrowing(user, filters, kind).narrow(visible_events(user))
    if wants_csv(request):
        columns = [*COLUMNS, *(ORIGIN if sees_origin(user) else ())]
        return stream_csv(request, "activity", columns, events.iterator(CHUNK))
    page = page_by_key(request, events.select_related("actor"), "at")
    context = {
        "page": page,
        "lines": build_lines(page.rows),
        "filters": {**filters, "person": _show_person(user, filters["person"])},
        "kind": kind,
        "kinds": kinds.items(),
        "is_narrowed": bool(kind or any(filters.values())),
        "shows_origin": sees_origin(user),
    }
    part = asks_for_part(request, "activity")
    return render(request, "portal/_activity.html" if part else "portal/activity.html", context)


def read_narrowing(user: User, filters: Mapping[str, str], kind: str) -> Narrowing:
    """What the fields of the form mean, as far as they can be understood."""
    people = _find_people(user, filters["person"]) if filters["person"] else None
    return Narrowing(
        accounts=_find_accounts(user, filters["account"]) if filters["account"] else None,
        principals=[person.principal.principal_id or "-" for person in people if person.principal]
        if people is not None
        else None,
        users=[person.user.pk for person in people if hasattr(person, "user")] if people is not None else (),
        record=filters["record"],
        family=kind,
        since=_begin(filters["from"], timedelta()),
        until=_begin(filters["to"], timedelta(days=1)),
    )


def _list_kinds() -> dict[str, str | Promise]:
    return {**{name: family.word for name, family in FAMILIES.items()}, ADMIN_SIGN_IN: ADMIN_SIGN_IN_WORD}


def _find_accounts(user: User, text: str) -> list[str]:
    """Accounts by id, also those that are gone, or by what people call them."""
    digits = "".join(text.split()).replace("-", "")
    if digits.isdecimal() and len(digits) == 12:
        return [digits]
    found = narrow_accounts(visible_accounts(user), text)
    return list(found.order_by("pk").values_list("account_id", flat=True)[:_MOST])


def _find_people(user: User, text: str) -> list[Person]:
    """One person by the number of his page, or those whom a word means."""
    people = visible_people(user).select_related("principal", "user")
    if text.isdecimal() and len(text) < 10:
        return list(people.filter(pk=int(text)))
    return list(narrow_people(people, text).order_by("pk")[:_MOST])


def _show_person(user: User, text: str) -> str:
    """A number in the address means one person; in the field stands who that is."""
    found = _find_people(user, text) if text.isdecimal() else []
    return (found[0].email or found[0].name) if found else text


def _begin(text: str, later: timedelta) -> datetime | None:
    """The beginning of a day in the portal's zone."""
    day = _read_day(text)
    return timezone.make_aware(datetime.combine(day + later, time())) if day else None


def _read_day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and date(2000, 1, 1) <= day < date(9000, 1, 1) else None
