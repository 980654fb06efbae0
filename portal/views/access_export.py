"""Assignments for a file, 200,000 of them: as values, since making rows of models of them takes three times as long."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.authors import load_authors
from accounts.models import Account, Assignment, Principal, Record, Stage, Wish
from accounts.models.access import AssignmentQuerySet
from portal.views.csv_lists import CHUNK, Column
from portal.views.states import show_assignment
from syncer.telling.messages import join

Words = Mapping[str, str | Promise]
_STAGES: Words = dict(Stage.choices)
_TYPES: Words = dict(Principal.Type.choices)
_STATES: Words = dict(Assignment.State.choices)


class Entry(NamedTuple):
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

COLUMNS: Sequence[Column[Entry]] = (
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


def iter_entries(assignments: AssignmentQuerySet) -> Iterator[Entry]:
    """The assignments in their order; three statements a batch, and no more of them in memory than a batch."""
    rows = assignments.prefetch_related(None).values_list(*_FIELDS).iterator(CHUNK)
    while batch := list(islice(rows, CHUNK)):
        records = _load_records(row[0] for row in batch)
        yield from (Entry._make((*row, *records.get(row[0], _NO_RECORDS))) for row in batch)


_Records = tuple[Sequence[str], Sequence[str]]
_NO_RECORDS: _Records = ((), ())


def _load_records(assignments: Iterable[int]) -> Mapping[int, _Records]:
    """Assignment → APP:ID of the records that want it now, and who registered them."""
    pairs = Wish.objects.filter(is_current=True, assignment__in=list(assignments)).order_by("record_id")
    found: dict[int, list[int]] = defaultdict(list)
    for assignment, record in pairs.values_list("assignment_id", "record_id"):
        found[assignment].append(record)
    wanted = {key for keys in found.values() for key in keys}
    records = {row.pk: row for row in Record.objects.filter(pk__in=wanted).only(*_OF_RECORDS)}
    authors = load_authors(list(records.values()))
    return {
        assignment: (
            [records[key].reference for key in keys],
            list(dict.fromkeys(name for key in keys if (name := authors[key].author))),
        )
        for assignment, keys in found.items()
    }


_OF_RECORDS = (
    "app_id", "record_id", "revision", "creator_name", "modifier_name", "created_at", "updated_at",
)  # fmt: skip


def _tell_next(row: Entry) -> str:
    shown = show_assignment(Assignment(state=row.state, reason=row.reason))
    return join(shown.message, shown.remedy)
