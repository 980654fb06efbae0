"""What happened lately to the thing that a page is about, from the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode

from accounts.activity import Narrowing, visible_events
from accounts.models import Account, Person, Principal, User
from portal.views.event_lines import EventLine, build_lines

_SHOWN = 5  # the rest is a link away


@dataclass(frozen=True)
class History:
    """The newest events; `url` leads to all of them, where there is a page of them."""

    lines: list[EventLine]
    url: str = ""


def read_history(user: User, about: Account | Person | Principal) -> History:
    """Of an account, a person (what was done to him and what he did) or a group; as far as the viewer may see it."""
    if isinstance(about, Account):
        known = {about.account_id: about.name}
        return _load(user, Narrowing(accounts=[about.account_id]), known, account=about.account_id)
    if isinstance(about, Person):
        principal = (about.principal and about.principal.principal_id) or "-"
        users = User.objects.filter(person=about).values_list("pk", flat=True)
        return _load(user, Narrowing(principals=[principal], users=list(users)), person=str(about.pk))
    return _load(user, Narrowing(principals=[about.principal_id or "-"]))


def _load(user: User, narrowing: Narrowing, known: Mapping[str, str] | None = None, **query: str) -> History:
    events = narrowing.narrow(visible_events(user)).select_related("actor")[:_SHOWN]
    return History(build_lines(list(events), known), f"{reverse('activity')}?{urlencode(query)}" if query else "")
