"""Links from pages to the form that gives access, filled in with what the page is about."""

from urllib.parse import urlencode

from django import template
from django.urls import reverse

from accounts.models import Account, PermissionSet, Person, Principal

register = template.Library()

Thing = Account | PermissionSet | Person | Principal


@register.simple_tag
def give_url(*things: Thing | None) -> str:
    """The form with these accounts, sets, people and groups in it."""
    query = urlencode([pair for thing in things if thing is not None if (pair := _name(thing))])
    return f"{reverse('new_assignment')}?{query}" if query else reverse("new_assignment")


def _name(thing: Thing) -> tuple[str, str] | None:
    """How the form's address says it; None for whom neither kintone nor Identity Center has a name."""
    match thing:
        case Account():
            return "account", thing.account_id
        case PermissionSet():
            return "permission_set", thing.name
        case Person():
            name = thing.kintone_code or (thing.principal.name if thing.principal else "")
            return ("user", name) if name else None
        case _:
            return "group" if thing.is_group else "user", thing.name
