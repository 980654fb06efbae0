"""What AWS has, written into kintone: a set's record and one record an account, in one bulk request a set.

kintone takes all of a request or nothing, so a set is never half written. What was written is not looked for here:
whoever runs `adopt` again reads kintone first, and what is wanted by a record already is not written once more. A key
made from what a record is about keeps two runs at the same time from writing it twice.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.audit import record_event
from accounts.models import PortalWrite, Record, User
from syncer.adoption.checks import Named, Naming, Take, Verdict
from syncer.adoption.files import Owners
from syncer.drafts.carrying import Form
from syncer.drafts.drafting import Values, describe_definition
from syncer.drafts.leaving_out import find_unknown
from syncer.gateways.errors import GatewayError
from syncer.gateways.kintone_bulk import BulkCreate, BulkFailure, BulkRequest, BulkUpdate
from syncer.gateways.kintone_domain import KintoneDomain
from syncer.gateways.kintone_values import Update, Written
from syncer.mirror.judging import COMMAND
from syncer.mirror.truth import definition_as_json
from syncer.records.parsing import SET_FIELDS
from syncer.records.rendering import DoesNotFit
from syncer.states import AssignmentKey, Definition, Reason

SET, ASSIGNMENTS = "set", "assignments"  # what of a set goes into one request
MOST_UNKNOWN = 20  # users that kintone does not know, in one set: it names them one by one


@dataclass(frozen=True)
class Forms:
    """The two apps that are written."""

    sets: Form
    assignments: Form


@dataclass(frozen=True)
class Writer:
    """Writes the records of sets in somebody's name; a command has no user, and is an admin all the same."""

    domain: KintoneDomain
    forms: Forms
    naming: Naming
    owners: Owners
    by: User | None

    def write(self, verdict: Verdict, definition: Definition, take: Take) -> list[str]:
        """Write what the records of a set lack; APP:ID of what was written. Raises GatewayError, DoesNotFit.

        All at once or nothing. Only where the assignments' field of the set looks up the other app, the set's own
        record goes first: nobody says whether kintone would find it within one request.
        """
        form = self.forms.assignments
        looks_up = form.fields[form.codes["permission_set"]].lookup is not None
        steps = [(SET,), (ASSIGNMENTS,)] if looks_up else [(SET, ASSIGNMENTS)]
        return [
            reference
            for parts in steps
            for reference in self._write(partial(_Batch, self, verdict, definition, take, parts))
        ]

    def _write(self, build: "Callable[[frozenset[str]], _Batch]") -> list[str]:
        """Somebody whom kintone has deleted is written by his address, and is left out of the owners."""
        unknown: frozenset[str] = frozenset()
        while True:
            batch = build(unknown)
            try:
                return self._keep(batch, self.domain.bulk_write(batch.requests))
            except BulkFailure as failure:
                self._keep(batch, failure.done)
                more = find_unknown(failure.error, batch.people, self.forms.assignments.known) - unknown
                if not more or len(unknown) >= MOST_UNKNOWN:
                    raise failure.error from failure
                unknown |= more

    def _keep(self, batch: "_Batch", done: Sequence[Sequence[Written]]) -> list[str]:
        """Ledger and audit trail of what kintone has taken, in one transaction."""
        references: list[str] = []
        with transaction.atomic():
            for request, values, written in zip(batch.requests, batch.values, done, strict=True):
                for said, row in zip(values, written, strict=False):
                    references.append(self._note(request.app_id, row, said))
        return references

    def _note(self, app_id: str, row: Written, values: Values) -> str:
        reference = f"{app_id}:{row.record_id}"
        PortalWrite.objects.update_or_create(
            app_id=app_id, record_id=row.record_id, revision=row.revision,
            defaults={"user": self.by, "keeps_access": False, "at": timezone.now()},
        )  # fmt: skip
        record_event(
            "record.adopt", actor=self.by, by=COMMAND, obj=("record", reference, reference), after=values,
            outcome=f"revision {row.revision}",
        )  # fmt: skip
        return reference


class _Batch:
    """The requests of one set, with the plain values behind their rows."""

    def __init__(
        self,
        writer: Writer,
        verdict: Verdict,
        definition: Definition,
        take: Take,
        parts: Collection[str],
        unknown: frozenset[str],
    ) -> None:
        self._writer, self._verdict, self._unknown = writer, verdict, unknown
        codes = {key: code for key, code in writer.naming.codes.items() if code not in unknown}
        self._naming = replace(writer.naming, codes=codes)
        self.requests: list[BulkRequest[Any]] = []
        self.values: list[list[Values]] = []
        if SET in parts:
            self._add_set(definition, take)
        if ASSIGNMENTS in parts:
            self._add_assignments()

    @property
    def people(self) -> Mapping[str, list[str]]:
        """Every kintone code in it."""
        return {
            name: [code for rows in self.values for values in rows for code in values.get(name, ())]
            for name in ("users", "owners", "changed_by")
        }

    def _add_set(self, definition: Definition, take: Take) -> None:
        form, actual = self._writer.forms.sets, definition_as_json(definition)
        if self._verdict.lacks_record:
            said = describe_definition(actual, sorted(SET_FIELDS & form.codes.keys()))
            values = {"name": self._verdict.name, **said, "owners": self._keep_known(_codes_of(self._writer.by))}
            cells = form.render(values, is_new=True)
            self._add(BulkCreate(form.app.app_id, [cells]), [values])
        elif self._verdict.differences and take is Take.AWS:
            values = describe_definition(actual, [item.field for item in self._verdict.differences])
            app_id, _colon, record_id = self._verdict.record.partition(":")
            record = Record.objects.get(app_id=app_id, record_id=record_id)
            cells = form.render(values, body=record.body)
            self._add(BulkUpdate(form.app.app_id, [Update(record_id, cells, record.revision)]), [values])

    def _add_assignments(self) -> None:
        """One record an account, with everybody whom no record there wants yet; one for each where no more fit in."""
        form, by_account = self._writer.forms.assignments, dict[str, list[AssignmentKey]]()
        for key in self._verdict.unregistered:
            by_account.setdefault(key.target_id, []).append(key)
        rows = [row for _account, keys in sorted(by_account.items()) for row in self._describe(keys)]
        if rows:
            self._add(BulkCreate(form.app.app_id, [cells for _values, cells in rows]), [values for values, _ in rows])

    def _describe(self, keys: Sequence[AssignmentKey]) -> list[tuple[Values, dict[str, Any]]]:
        """Records as plain values and as cells. Raises DoesNotFit."""
        values = self._describe_record(keys)
        try:
            return [(values, self._writer.forms.assignments.render(values, is_new=True))]
        except DoesNotFit:
            if len(keys) == 1:
                raise
        return [row for key in keys for row in self._describe([key])]

    def _add(self, request: BulkRequest[Any], values: list[Values]) -> None:
        self.requests.append(request)
        self.values.append(values)

    def _describe_record(self, keys: Sequence[AssignmentKey]) -> Values:
        account_id = keys[0].target_id
        with override(settings.LANGUAGE_CODE):  # for everybody who reads the record
            note = _("Taken over by Genkan: this access was in AWS without a record.")
        return {
            "account_id": account_id,
            "permission_set": self._verdict.name,
            **self._name_all(keys),
            "note": note,
            "owners": self._keep_known(self._writer.owners.find(account_id)),
            "changed_by": self._keep_known(_codes_of(self._writer.by)),
            "request_key": _make_key(account_id, self._verdict.name, keys),
        }

    def _name_all(self, keys: Sequence[AssignmentKey]) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for key in keys:
            named = self._naming.name(key)
            if not isinstance(named, Named):
                raise Unnamed(named)
            names.setdefault(named.field, []).append(named.text)
        return names

    def _keep_known(self, codes: Sequence[str]) -> list[str]:
        return [code for code in codes if code not in self._unknown]


class Unnamed(GatewayError):
    """Somebody whom kintone does not know as a user any more, and whom no other field can name."""

    def __init__(self, reason: Reason) -> None:
        super().__init__("kintone POST bulkRequest.json", reason)


def _codes_of(user: User | None) -> list[str]:
    person = user.person if user else None
    return [person.kintone_code] if person and person.kintone_code else []


def _make_key(account_id: str, name: str, keys: Sequence[AssignmentKey]) -> str:
    """The same for the same record, whoever writes it."""
    text = "\n".join(["adopt", account_id, name, *sorted(key.principal_id for key in keys)])
    return hashlib.sha256(text.encode()).hexdigest()
