"""A page asks the database as often for thirty rows as for three."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import AppKind, User
from tests import factories
from tests.portal.pages import get_html, make_client

pytestmark = pytest.mark.django_db


class Company:
    """One account, set, group, record and run that every row has to do with."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.account = factories.make_account()
        self.permission_set = factories.make_permission_set(record=factories.make_record(AppKind.PERMISSION_SET))
        self.record = factories.make_record()
        self.group = factories.make_group("team", factories.get_principal(user))
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

    def list_urls(self) -> dict[str, str]:
        assert self.user.person is not None
        return {
            "home": "/",
            "accounts": "/accounts/",
            "account": f"/accounts/{self.account.account_id}/",
            "permission sets": "/permission-sets/",
            "permission set": f"/permission-sets/{self.permission_set.pk}/",
            "people": "/people/",
            "person": f"/people/{self.user.person.pk}/",
            "groups": "/groups/",
            "all access": "/assignments/",
            "narrowed access": f"/accounts/{self.account.account_id}/?q=person&kind=user&ends=never",
            "group": f"/groups/{self.group.pk}/",
            "record": f"/assignments/{self.record.pk}/",
            "problems": "/problems/",
            "runs": "/runs/",
            "all runs": "/runs/?all=1",
            "run": f"/runs/{self.run.pk}/",
            "cli": "/cli/",
        }


PAGES = [
    "home", "accounts", "account", "permission sets", "permission set", "people", "person", "group", "groups",
    "all access", "narrowed access", "record",
    "problems", "runs", "all runs", "run", "cli",
]  # fmt: skip


@pytest.fixture
def count_statements() -> Callable[[Company, str], int]:
    def count(company: Company, page: str) -> int:
        client = make_client(company.user)
        with CaptureQueriesContext(connection) as queries:
            get_html(client, company.list_urls()[page])
        return len(queries)

    return count


@pytest.mark.parametrize("visibility", ["all", "own"])
@pytest.mark.parametrize("page", PAGES)
def test_statements_do_not_grow_with_rows(
    page: str, visibility: str, count_statements: Callable[[Company, str], int], settings: Settings
) -> None:
    settings.VISIBILITY = visibility
    company = Company(factories.make_user())
    factories.make_assignment(
        company.user, account=company.account, permission_set=company.permission_set, record=company.record
    )
    for _row in range(3):
        company.add_row()
    few = count_statements(company, page)
    for _row in range(27):
        company.add_row()
    assert count_statements(company, page) <= few <= 40  # fewer where a page of many holds fewer kinds of rows
