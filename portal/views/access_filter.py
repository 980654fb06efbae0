"""Narrowing a list of assignments, by what stands in the address: words, state, stage, kind and last day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Assignment, PermissionSet, Person, Principal, Stage
from accounts.models.access import AssignmentQuerySet
from accounts.search import split_query
from portal.views.paging import choose, read_query
from portal.views.sections import TROUBLED

Choices = list[tuple[str, str | Promise]]
_TROUBLED = "troubled"
STATES: Choices = [
    (_TROUBLED, _("needs attention")),
    *((value, word) for value, word in Assignment.State.choices if value != Assignment.State.REMOVED),
]
KINDS: Choices = [("user", _("people")), ("group", _("groups"))]
ENDS: Choices = [
    ("7", _("ends within 7 days")),
    ("30", _("ends within 30 days")),
    ("90", _("ends within 90 days")),
    ("never", _("without a last day")),
]


@dataclass(frozen=True)
class AccessFilter:
    """What the address asks for; empty where it asks for everything."""

    query: str = ""
    state: str = ""
    stage: str = ""
    kind: str = ""
    ends: str = ""

    def __bool__(self) -> bool:
        return bool(self.query or self.state or self.stage or self.kind or self.ends)

    def narrow(self, assignments: AssignmentQuerySet, today: date) -> AssignmentQuerySet:
        if self.state:
            assignments = assignments.filter(state__in=TROUBLED if self.state == _TROUBLED else [self.state])
        if self.stage:
            assignments = assignments.filter(account__stage=self.stage)
        if self.kind:
            assignments = assignments.filter(principal__type=self.kind.upper())
        if self.ends == "never":
            assignments = assignments.filter(expires_on__isnull=True)
        elif self.ends:
            assignments = assignments.filter(expires_on__lte=today + timedelta(days=int(self.ends)))
        return _narrow_by_words(assignments, self.query)


def read_filter(request: HttpRequest) -> AccessFilter:
    return AccessFilter(
        query=read_query(request),
        state=choose(request, "state", [value for value, _word in STATES]),
        stage=choose(request, "stage", Stage.values),
        kind=choose(request, "kind", [value for value, _word in KINDS]),
        ends=choose(request, "ends", [value for value, _word in ENDS]),
    )


def narrow_assignments(
    request: HttpRequest, assignments: AssignmentQuerySet
) -> tuple[AccessFilter, AssignmentQuerySet]:
    """The assignments that the address asks for, and what that is."""
    wanted = read_filter(request)
    return wanted, wanted.narrow(assignments, timezone.localdate())


def _narrow_by_words(assignments: AssignmentQuerySet, query: str) -> AssignmentQuerySet:
    """Each word fits the account, its unit, the permission set, the person or the group.

    They are looked up in their own tables first, which are a hundred times smaller than that of assignments.
    """
    for number, word in enumerate(split_query(query)):
        fitting = _find_places(word)
        keys = _look_up(fitting) if number < _WORDS else None
        assignments = assignments.filter(_fit(fitting if keys is None else keys))
    return assignments


_MOST_KEYS, _WORDS = 2_000, 4  # what fits one word, and words, that are looked up beforehand
_Keys = Mapping[str, QuerySet[Any, Any] | Sequence[int]]


def _find_places(word: str) -> Mapping[str, QuerySet[Any, Any]]:
    """What a word fits: column of an assignment → keys. A person has two rows; each is asked for by itself."""
    accounts = Account.objects.filter(Q(search_key__contains=word) | Q(ou__search_key__contains=word))
    sets = PermissionSet.objects.filter(search_key__contains=word)
    people = Person.objects.filter(search_key__contains=word, principal__isnull=False)
    return {
        "account": accounts.annotate(key=F("pk")).values("key"),
        "permission_set": sets.order_by().annotate(key=F("pk")).values("key"),
        "principal": Principal.objects.filter(search_key__contains=word).annotate(key=F("pk")).values("key"),
        "principal_id": people.annotate(key=F("principal")).values("key"),
    }


def _look_up(fitting: Mapping[str, QuerySet[Any, Any]]) -> _Keys | None:
    """The keys, in one statement: given those, PostgreSQL need not look at all assignments. None: too many."""
    first, *others = (rows.annotate(column=Value(name)).values_list("column", "key") for name, rows in fitting.items())
    found: dict[str, list[int]] = {name: [] for name in fitting}
    rows = list(first.union(*others, all=True)[: _MOST_KEYS + 1])
    for name, key in rows:
        found[name].append(key)
    return found if len(rows) <= _MOST_KEYS else None


def _fit(keys: _Keys) -> Q:
    fits = Q()
    for name, found in keys.items():
        fits |= Q(**{f"{name}__in": found})
    return fits
