"""Why do I have this, and why don't I: one person, one account, one permission set, in a form that is a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import (
    require_user,
    visible_accounts,
    visible_assignments,
    visible_people,
    visible_permission_sets,
)
from accounts.finding import search_accounts, search_people, search_permission_sets
from accounts.models import Account, PermissionSet, Person, User
from accounts.search import fold_text
from portal.views.barriers import Question, explain
from portal.views.paging import read_query

Row = TypeVar("Row", bound=Model)
_MOST = 8  # that may be meant by what was typed


@dataclass(frozen=True)
class Found(Generic[Row]):
    """What a field means: one row, else those that may be meant. `text` is what stands in the field again."""

    text: str = ""
    row: Row | None = None
    candidates: Sequence[Row] = ()

    @property
    def is_unknown(self) -> bool:
        return bool(self.text) and self.row is None and not self.candidates


@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Without a person it is about whoever asks; without a set it names those that there are in the account."""
    user = require_user(request)
    person = _find_person(user, read_query(request, "person"))
    account = _find_account(user, read_query(request, "account"))
    permission_set = _find_set(user, read_query(request, "set"))
    answer = None
    if person.row and account.row and permission_set.row:
        answer = explain(Question(user, person.row, account.row, permission_set.row))
    context = {
        "person": person,
        "account": account,
        "set": permission_set,
        "answer": answer,
        "is_own": bool(person.row and person.row.pk == user.person_id),
        "sets": _list_sets(user, account.row) if account.row and not permission_set.text else [],
    }
    return render(request, "portal/why.html", context)


def _find_person(user: User, text: str) -> Found[Person]:
    people = visible_people(user).select_related("principal")
    if not text:
        own = people.filter(pk=user.person_id).first() if user.person_id else None
        return Found("", own)
    if text.isdecimal() and len(text) < 10:
        row = people.filter(pk=int(text)).first()
        return Found(_name_person(row) if row else text, row)
    return _choose(text, search_people(user, text, _MOST), "name", "email", "kintone_code")


def _name_person(person: Person) -> str:
    """What finds him again, and nobody else where he has an address."""
    return person.email or person.kintone_code or person.name


def _find_account(user: User, text: str) -> Found[Account]:
    digits = fold_text(text)
    if digits.isdecimal() and len(digits) == 12:  # also one that is gone
        row = visible_accounts(user).select_related("ou").filter(account_id=digits).first()
        return Found(text, row)
    return _choose(text, search_accounts(user, text, _MOST), "name") if text else Found()


def _find_set(user: User, text: str) -> Found[PermissionSet]:
    """By the number of its page, or by name; a name of digits alone goes first."""
    sets = visible_permission_sets(user).select_related("record")
    named = sets.filter(name=text).first() if text else None
    if named or not text:
        return Found(text, named)
    if text.isdecimal() and len(text) < 10 and (row := sets.filter(pk=int(text)).first()):
        return Found(row.name, row)
    return _choose(text, search_permission_sets(user, text, _MOST), "name")


def _choose(text: str, rows: Sequence[Row], *names: str) -> Found[Row]:
    """The only one, or the only one that is called exactly so."""
    exact = [row for row in rows if fold_text(text) in {fold_text(str(getattr(row, name))) for name in names}]
    if len(exact) == 1 or len(rows) == 1:
        return Found(text, (exact or rows)[0])
    return Found(text, None, rows)


def _list_sets(user: User, account: Account) -> list[PermissionSet]:
    """What people enter this account with."""
    used = visible_assignments(user).filter(account=account).values("permission_set")
    return list(visible_permission_sets(user).filter(pk__in=used).order_by("name")[:50])
