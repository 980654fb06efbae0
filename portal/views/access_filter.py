"""Narrowing a list of assignments, by what stands in the address: words, state, stage, kind and last day."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Assignment, PermissionSet, Principal, Stage
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
    for word in split_query(query):
        accounts = Account.objects.filter(Q(search_key__contains=word) | Q(ou__search_key__contains=word))
        sets = PermissionSet.objects.filter(search_key__contains=word)
        people = Principal.objects.filter(Q(search_key__contains=word) | Q(person__search_key__contains=word))
        assignments = assignments.filter(
            Q(account__in=accounts.values("pk"))
            | Q(permission_set__in=sets.values("pk"))
            | Q(principal__in=people.values("pk"))
        )
    return assignments
