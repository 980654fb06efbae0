"""Assignments for a file, 200,000 of them: as values, since making rows of models of them takes three times as long."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import FilteredRelation, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.authors import load_authors
from accounts.models import Account, Assignment, Principal, Record, Stage
from accounts.models.access import AssignmentQuerySet
from portal.views.csv_lists import CHUNK, Column
from portal.views.states import show_assignment

Words = Mapping[str, str | Promise]
_STAGES: Words = dict(Stage.choices)
_TYPES: Words = dict(Principal.Type.choices)
_STATES: Words = dict(Assignment.State.choices)


class AccessLine(NamedTuple):
    """One assignment with all that its line says, in the order of `_FIELDS`."""

    pk: int
    account_id: str
    account: str
    account_state: str
    gone_at: datetime | None
    ou: str | None
    stage: str
    permission_set: str
    type: str
    name: str
    display_name: str
    principal_id: str | None
    email: str
    in_aws: bool
    state: str
    reason: dict[str, Any]
    since: datetime
    expires_on: date | None
    records: Sequence[str] = ()
    authors: Sequence[str] = ()

    @property
    def can_be_entered(self) -> bool:
        return self.in_aws and self.account_state == Account.State.ACTIVE and self.gone_at is None


_FIELDS = (
    "pk", "account__account_id", "account__name", "account__state", "account__gone_at", "account__ou__path",
    "account__stage", "permission_set__name", "principal__type", "principal__name", "principal__display_name",
    "principal__principal_id", "principal__email", "in_aws", "state", "reason", "since", "expires_on",
)  # fmt: skip

COLUMNS: Sequence[Column[AccessLine]] = (
    Column(_("account id"), lambda row: row.account_id),
    Column(_("account"), lambda row: row.account),
    Column("OU", lambda row: row.ou),
    Column(_("stage"), lambda row: _STAGES[row.stage]),
    Column(_("permission set"), lambda row: row.permission_set),
    Column(_("kind"), lambda row: _TYPES[row.type]),
    Column(_("person or group"), lambda row: row.display_name or row.name or row.principal_id),
    Column(_("user name"), lambda row: row.name if row.type == Principal.Type.USER else ""),
    Column(_("mail"), lambda row: row.email),
    Column(_("can be entered"), lambda row: row.can_be_entered),
    Column(_("state"), lambda row: _STATES[row.state]),
    Column(_("in this state since"), lambda row: row.since),
    Column(_("last day"), lambda row: row.expires_on),
    Column(_("records"), lambda row: row.records),
    Column(_("registered by"), lambda row: row.authors),
    Column(_("what happens next"), lambda row: "" if row.state == Assignment.State.GRANTED else _tell_next(row)),
)


def iter_lines(assignments: AssignmentQuerySet) -> Iterator[AccessLine]:
    """The assignments in their order; two statements a batch, and no more of them in memory than a batch.

    An assignment comes once for each record that wants it now, one after the other, since its key ends the order.
    """
    current = FilteredRelation("wishes", condition=Q(wishes__is_current=True))
    ordered = assignments.prefetch_related(None).annotate(current=current)
    rows = ordered.order_by(*ordered.query.order_by, "current__record").values_list(*_FIELDS, "current__record")
    groups = (list(group) for _key, group in groupby(rows.iterator(CHUNK), key=itemgetter(0)))
    while batch := list(islice(groups, CHUNK)):
        wanted = [[row[-1] for row in group if row[-1] is not None] for group in batch]
        records = _load_records({key for keys in wanted for key in keys})
        for group, keys in zip(batch, wanted, strict=True):
            named = [records[key] for key in keys if key in records]
            authors = dict.fromkeys(author for _reference, author in named if author)
            yield AccessLine._make((*group[0][:-1], [reference for reference, _author in named], list(authors)))


def _load_records(keys: Collection[int]) -> Mapping[int, tuple[str, str]]:
    """Record → APP:ID, and who registered it."""
    records = list(Record.objects.filter(pk__in=keys).only(*_OF_RECORDS)) if keys else []
    authors = load_authors(records)
    return {record.pk: (record.reference, authors[record.pk].author) for record in records}


_OF_RECORDS = (
    "app_id", "record_id", "revision", "creator_name", "modifier_name", "created_at", "updated_at",
)  # fmt: skip


def _tell_next(row: AccessLine) -> str:
    return show_assignment(Assignment(state=row.state, reason=row.reason)).text
