"""A page asks the database as often for thirty rows as for three."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.audit import find_place, record_event
from accounts.models import AccountMove, AppKind, Guardrail, OwnerEntry, Shortcut, User, Visit, Withheld
from syncer.drafts.drafting import make_draft
from syncer.models import AppState, Drift
from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS
from tests import factories
from tests.portal.pages import get_html, make_client

pytestmark = pytest.mark.django_db
MOST = 40  # statements of a page, whatever the size of the company
AT = datetime(2026, 11, 25, tzinfo=UTC)


class Company:
    """One account, set, group, record and run that every row has to do with."""

    def __init__(self, user: User) -> None:
        self.user = user
        for kind, schema in ((AppKind.PERMISSION_SET, PERMISSION_SETS), (AppKind.ASSIGNMENT, ASSIGNMENTS)):
            AppState.objects.create(kind=kind, app_id=kind[:9], fields={name: name for name in schema.types})
        self.account = factories.make_account(tags_read_at=AT)
        record = factories.make_record(AppKind.PERMISSION_SET, in_force={"name": "Deploy"})
        self.permission_set = factories.make_permission_set("Deploy", record=record)
        self.record = factories.make_record()
        self.group = factories.make_group("team", factories.get_principal(user))
        for owner in (factories.get_principal(user), self.group):
            OwnerEntry.objects.create(account=self.account, principal=owner)
        self.run = factories.make_run(status="held", checksum="0123456789ab")

    def add_row(self) -> None:
        """One more of everything, each with an account, set, person, group, record and run of its own as well."""
        person, record = factories.make_person(), factories.make_record()
        principal = factories.get_principal(person)
        group = factories.make_group("", factories.get_principal(self.user), principal)
        own_set = factories.make_permission_set(record=factories.make_record(AppKind.PERMISSION_SET))
        factories.make_assignment(self.user, record=record, permission_set=own_set)
        factories.make_assignment(self.user, record=record, permission_set=own_set, account=self.account)
        factories.make_assignment(group, record=record)
        factories.make_assignment(principal, account=self.account, record=record)
        factories.make_assignment(principal, permission_set=self.permission_set, record=record)
        factories.make_assignment(self.group, record=record)
        factories.make_assignment(principal, record=self.record)
        factories.make_problem(record)
        factories.make_problem(own_set.record)
        factories.add_member(self.group, principal)
        factories.make_change(self.run, account_id=factories.make_account().account_id)
        factories.make_change(self.run, account_id=factories.make_account().account_id, kind="delete", outcome="held")
        problem: dict[str, Any] = {
            "record": record.reference,
            "field": "",
            "line": None,
            "code": "x",
            "severity": "error",
            "params": {},
        }
        self.run.problems.append(problem)
        self.run.save()
        factories.make_run(requested_by=factories.make_user(), counts={"create": 1})
        factories.make_run()

    def add_matters(self) -> None:
        """One more of what people write, decide and are told about, each in a place of its own that the user owns."""
        account, record, person = (
            factories.make_account(tags_read_at=AT),
            factories.make_record(),
            factories.make_person(),
        )
        factories.make_assignment(factories.get_principal(person), account=account, record=record)
        OwnerEntry.objects.create(account=account, principal=factories.get_principal(self.user))
        OwnerEntry.objects.create(account=account, principal=factories.make_group("", factories.get_principal(person)))
        make_draft(AppKind.ASSIGNMENT, self.user, {"note": "x"}, record=record).save()
        Withheld.objects.create(record=record, value="+kintone_user:hana", revision=1)
        AccountMove.objects.create(account=account, old_path="a", new_path="b")
        record_event("access.granted", actor=self.user, obj=("record", record.reference, "x"), about=find_place(record))
        slug = f"place-{account.pk}"
        shortcut = Shortcut.objects.create(slug=slug, name=slug, author=self.user, account=account)
        Visit.objects.create(user=self.user, shortcut=shortcut, is_pinned=True)
        Guardrail.objects.create(
            name=slug, sentence="Ask first.", account_id=account.account_id, effect=Guardrail.Effect.GROUPS_ONLY
        )
        for place in (account, self.account):
            principal = factories.get_principal(person)
            Drift.objects.create(
                kind=Drift.Kind.ADDED, account_id=place.account_id, permission_set_name=self.permission_set.name,
                principal_type="USER", principal_id=principal.principal_id or "", principal_name=principal.name,
            )  # fmt: skip

    def list_urls(self) -> dict[str, str]:
        assert self.user.person is not None
        account, record = self.account.account_id, f"/assignments/{self.record.pk}/"
        permission_set, person = f"/permission-sets/{self.permission_set.pk}/", f"/people/{self.user.person.pk}/"
        words = f"person=person&account=account&set={self.permission_set.name}"
        rule = "effect=groups_only&existing=keep&is_owner=unknown"
        urls = {
            "home": "/",
            "accounts": "/accounts/",
            "accounts without owners": "/accounts/?kind=unowned",
            "account": f"/accounts/{account}/",
            "narrowed account": f"/accounts/{account}/?q=person&kind=user&ends=never",
            "unit": f"/ous/{self.account.ou_id}/",
            "permission sets": "/permission-sets/",
            "permission set": permission_set,
            "versions of a set": f"{permission_set}history/",
            "new set": "/permission-sets/new/",
            "people": "/people/",
            "narrowed people": "/people/?q=person",
            "person": person,
            "groups": "/groups/",
            "group": f"/groups/{self.group.pk}/",
            "all access": "/assignments/",
            "narrowed access": "/assignments/?q=person account&kind=user",
            "record": record,
            "give access": "/assignments/new/",
            "give access by a link": f"/assignments/new/?account={account}",
            "choose people": "/assignments/choose/people/?q=person",
            "choose accounts": "/assignments/choose/account/?q=account",
            "why": "/why/",
            "why, by words": f"/why/?{words}",
            "why, answered": f"/why/?account={account}&set={self.permission_set.name}",
            "problems": "/problems/",
            "own problems": "/problems/?mine=1",
            "activity": "/activity/",
            "narrowed activity": "/activity/?account=account&person=person",
            "runs": "/runs/",
            "all runs": "/runs/?all=1",
            "run": f"/runs/{self.run.pk}/",
            "drafts": "/drafts/?all=1",
            "guardrails": "/guardrails/",
            "what if": "/guardrails/what-if/",
            "what if, decided": f"/guardrails/what-if/?{rule}",
            "shortcuts": "/shortcuts/",
            "new shortcut": "/shortcuts/new/",
            "keep a shortcut": "/shortcuts/keep/",
            "cli": "/cli/",
            "tokens": "/tokens/",
            "palette": "/search/world/",
            "search": "/search/?q=account",
        }  # fmt: skip
        for_admins = {
            "doctor": "/doctor/",
            "terraform": "/terraform/",
            "messages": "/messages/",
            "edit a set": f"{permission_set}edit/",
            "rename a set": f"{permission_set}rename/?name=New",
            "delete a set": f"{permission_set}delete/",
            "owners of an account": f"/accounts/{account}/owners/",
            "owners of a unit": f"/ous/{self.account.ou_id}/owners/",
            "moves": f"/accounts/{account}/moves/",
            "freeze": f"/accounts/{account}/freeze/",
            "lock out": f"{person}lock-out/",
            "edit a record": f"{record}edit/",
            "remove a record": f"{record}remove/",
        }
        return urls | (for_admins if self.user.is_staff else {})


def count_statements(company: Company) -> dict[str, int]:
    """Page → statements."""
    counts, client = {}, make_client(company.user)
    for page, url in company.list_urls().items():
        with CaptureQueriesContext(connection) as queries:
            get_html(client, url)
        counts[page] = len(queries)
    return counts


@pytest.mark.timeout(180)  # more than a hundred pages
@pytest.mark.parametrize(("visibility", "is_staff"), [("all", False), ("own", False), ("all", True)])
def test_statements_do_not_grow_with_rows(visibility: str, *, is_staff: bool, settings: Settings) -> None:
    settings.VISIBILITY = visibility
    company = Company(factories.make_user(is_staff=is_staff))
    factories.make_assignment(
        company.user, account=company.account, permission_set=company.permission_set, record=company.record
    )
    for _row in range(3):
        company.add_row()
        company.add_matters()
    few = count_statements(company)
    for _row in range(27):
        company.add_row()
        company.add_matters()
    many = count_statements(company)
    # Fewer where a page of many holds fewer kinds of rows.
    assert {page: (few[page], many[page]) for page in few if many[page] > few[page]} == {}
    assert {page: count for page, count in few.items() if count > MOST} == {}
