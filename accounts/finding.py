"""Finding what somebody means by a few words, among what he may see.

Every word has to be found: in the row's own key, or in that of what it belongs to. What begins with the first word
comes first. Each function asks one statement and gives at most `limit` rows.
"""

from typing import TypeVar

from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When

from accounts.access import (
    visible_accounts,
    visible_groups,
    visible_people,
    visible_permission_sets,
    visible_principals,
    visible_units,
)
from accounts.models import Account, Group, OrganizationalUnit, PermissionSet, Person, Principal, User
from accounts.search import split_query

Row = TypeVar("Row", bound=Model)
ACCOUNT_KEYS = ("search_key", "ou__search_key")
PERSON_KEYS = ("search_key", "principal__search_key")


def narrow(rows: QuerySet[Row], text: str, *keys: str) -> QuerySet[Row]:
    """The rows in one of whose `keys` each word of the text is found; all of them when nothing is asked."""
    for word in split_query(text):
        found = Q()
        for key in keys or ("search_key",):
            found |= Q(**{f"{key}__contains": word})
        rows = rows.filter(found)
    return rows


def narrow_accounts(accounts: QuerySet[Account], text: str) -> QuerySet[Account]:
    """By name, id, or the path of the unit."""
    return narrow(accounts, text, *ACCOUNT_KEYS)


def narrow_people(people: QuerySet[Person], text: str) -> QuerySet[Person]:
    """By name, mail, kintone code, or the user name in Identity Center."""
    return narrow(people, text, *PERSON_KEYS)


def search_accounts(user: User, text: str, limit: int) -> list[Account]:
    """Accounts of the organization, with their units."""
    accounts = narrow_accounts(visible_accounts(user).filter(gone_at__isnull=True), text)
    return list(_rank(accounts.select_related("ou"), text, "name", "account_id")[:limit])


def search_units(user: User, text: str, limit: int) -> list[OrganizationalUnit]:
    """Units below the root, by their paths."""
    return list(_rank(narrow(visible_units(user).exclude(path=""), text), text, "path")[:limit])


def search_permission_sets(user: User, text: str, limit: int) -> list[PermissionSet]:
    """Sets that are there or wished for."""
    sets = visible_permission_sets(user).exclude(state=PermissionSet.State.REMOVED)
    return list(_rank(narrow(sets, text), text, "name")[:limit])


def search_people(user: User, text: str, limit: int) -> list[Person]:
    """People with their principals, also those who are gone: whoever asks decides what that means."""
    people = narrow_people(visible_people(user), text)
    return list(_rank(people.select_related("principal"), text, "name", "pk")[:limit])


def search_groups(user: User, text: str, limit: int) -> list[Group]:
    groups = narrow(visible_groups(user).filter(gone_at__isnull=True), text)
    return list(_rank(groups, text, "name_key", "pk")[:limit])


def search_principals(user: User, text: str, limit: int) -> list[Principal]:
    """Users and groups that Identity Center knows, or that somebody waits for; with the person, if it is one."""
    principals = narrow(visible_principals(user).filter(gone_at__isnull=True), text, "search_key", "person__search_key")
    return list(_rank(principals.select_related("person"), text, "name_key", "pk")[:limit])


def _rank(rows: QuerySet[Row], text: str, *order: str) -> QuerySet[Row]:
    words = split_query(text)
    if not words:
        return rows.order_by(*order)
    begins = Case(When(search_key__startswith=words[0], then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.order_by(begins, *order)
