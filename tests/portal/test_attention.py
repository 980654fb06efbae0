"""What needs somebody: of the company and one's own, a few of each kind with the step that helps."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import (
    Account,
    AccountMove,
    AppKind,
    Assignment,
    Draft,
    OrganizationalUnit,
    OwnerEntry,
    Record,
    User,
    Withheld,
)
from portal.views import attention
from syncer.drafts.drafting import make_draft
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
READ: dict[str, Any] = {"tags_read_at": timezone.now()}


class Troubles:
    """One thing of each kind, all of one account and one record."""

    def __init__(self, user: User, name: str = "payments-prod") -> None:
        self.user, self.name = user, name
        self.account = factories.make_account(name, **READ)
        OrganizationalUnit.objects.update(**READ)
        self.record = factories.make_record(title=name, body={"account_id": {"value": name}})

    def own(self) -> None:
        OwnerEntry.objects.create(account=self.account, principal=factories.get_principal(self.user))

    def fail(self) -> Assignment:
        reason = {"code": "account_not_active", "params": {"account": self.name, "state": "SUSPENDED"}}
        return self._assign(Assignment.State.FAILED, reason=reason)

    def wait(self) -> Assignment:
        return self._assign(Assignment.State.WAITING)

    def expire(self, days: int = 3) -> Assignment:
        return self._assign(Assignment.State.GRANTED, until=timezone.localdate() + timedelta(days=days), in_aws=True)

    def _assign(self, state: str, **values: Any) -> Assignment:
        principal = factories.make_principal()
        return factories.make_assignment(principal, account=self.account, record=self.record, state=state, **values)

    def withhold(self) -> Withheld:
        reason = {"code": "account_protected", "params": {"account": self.name, "name": "x"}}
        return Withheld.objects.create(record=self.record, value="+kintone_user:hana", reason=reason, revision=2)

    def move(self) -> AccountMove:
        return AccountMove.objects.create(account=self.account, old_path="a", new_path="b")

    def draft(self, **values: Any) -> Draft:
        draft = make_draft(AppKind.ASSIGNMENT, self.user, {"note": "x"}, record=self.record)
        draft.state = values.pop("state", Draft.State.REFUSED)
        draft.save()
        Draft.objects.filter(pk=draft.pk).update(**values)
        return draft

    def orphan(self) -> None:
        gone = factories.make_principal(gone_at=timezone.now())
        OwnerEntry.objects.create(account=self.account, principal=gone)


def list_kinds(html: str) -> list[str]:
    return re.findall(r'<section class="group matter" id="(\w+)">', html)


def list_steps(html: str) -> dict[str, str]:
    """The address of the step of the first thing of each kind."""
    sections = html.split('<section class="group matter" id="')[1:]
    return {part.partition('"')[0]: re.findall(r'class="button" href="([^"]+)"', part)[0] for part in sections}


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花", is_staff=True)


def test_each_kind_has_a_step_that_leads_somewhere(admin: User) -> None:
    troubles = Troubles(admin)
    troubles.fail(), troubles.wait(), troubles.expire(), troubles.withhold(), troubles.move(), troubles.draft()
    troubles.orphan()
    factories.make_account("free", **READ)
    client = make_client(admin)
    steps = list_steps(get_html(client, "/problems/"))
    record, account = troubles.record.pk, troubles.account.account_id
    assert steps == {
        "failed": f"/assignments/{record}/",
        "orphaned": f"/accounts/{account}/owners/",
        "withheld": f"/assignments/{record}/edit/",
        "moves": f"/accounts/{account}/moves/",
        "waiting": f"/assignments/{record}/",
        "expiring": f"/assignments/{record}/extend/",
        "drafts": f"/drafts/{Draft.objects.get().pk}/",
        "unowned": f"/accounts/{Account.objects.get(name='free').account_id}/owners/",
    }
    answers = {client.get(step).status_code for step in steps.values()}
    assert answers <= {200, 302, 409}  # 409: no run has read the app yet


def test_nothing_is_said_where_nothing_is_wrong(admin: User) -> None:
    troubles = Troubles(admin)
    troubles.own()
    troubles.expire(days=8), troubles.expire(days=-1)
    troubles.draft(state=Draft.State.WAITING)
    troubles.draft(state=Draft.State.WRITTEN)
    withheld = troubles.withhold()
    Withheld.objects.filter(pk=withheld.pk).update(confirmed_at=timezone.now())
    AccountMove.objects.filter(pk=troubles.move().pk).update(confirmed_at=timezone.now())
    assert list_kinds(get_html(make_client(admin), "/problems/")) == []


def test_draft_that_waits_too_long_is_told(admin: User) -> None:
    Troubles(admin).draft(state=Draft.State.WAITING, created_at=timezone.now() - timedelta(hours=1))
    assert list_kinds(get_html(make_client(admin), "/problems/?mine=1")) == ["drafts"]


def test_few_are_shown_and_many_counted_to_an_end(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MOST", 7)
    troubles = Troubles(admin)
    troubles.own()
    for _number in range(9):
        troubles.fail()
    html = get_html(make_client(admin), "/problems/")
    assert html.count(f'class="button" href="/assignments/{troubles.record.pk}/"') == attention.SHOWN
    assert "7+" in html
    assert 'href="/assignments/?state=failed"' in html


def test_other_pages_of_the_list_are_the_list_alone(admin: User) -> None:
    troubles = Troubles(admin)
    troubles.fail()
    for query in ("severity=error", f"record={troubles.record.reference}"):
        assert list_kinds(get_html(make_client(admin), f"/problems/?{query}")) == []


ALL = ["failed", "withheld", "moves", "waiting", "expiring"]


def _make_all(troubles: Troubles) -> None:
    troubles.fail(), troubles.wait(), troubles.expire(), troubles.withhold(), troubles.move()
    Record.objects.update(in_force={"account_id": troubles.account.account_id})


@pytest.mark.parametrize("visibility", ["all", "own"])
def test_mine_is_what_concerns_me(visibility: str, settings: Settings) -> None:
    settings.VISIBILITY = visibility
    owner, outsider = factories.make_user("所有 者"), factories.make_user("部外 者")
    troubles = Troubles(owner)
    troubles.own()
    _make_all(troubles)
    assert list_kinds(get_html(make_client(owner), "/problems/?mine=1")) == ALL
    assert list_kinds(get_html(make_client(outsider), "/problems/?mine=1")) == []
    assert list_kinds(get_html(make_client(outsider), "/problems/")) == (ALL if visibility == "all" else [])


@pytest.mark.parametrize(
    ("value", "shown"), [("+kintone_user:hana", "hana"), ("-group_name:team-x", "team-x"), ("expires_on", "last day")]
)
def test_withheld_value_is_shown_as_written(value: str, shown: str, admin: User) -> None:
    troubles = Troubles(admin)
    Withheld.objects.filter(pk=troubles.withhold().pk).update(value=value)
    assert f"payments-prod: {shown} " in get_text(make_client(admin), "/problems/")


@pytest.mark.parametrize("role", ["is_staff", "is_auditor"])
def test_admins_and_auditors_see_all(role: str, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    troubles = Troubles(factories.make_user())
    troubles.own()
    _make_all(troubles)
    roles: dict[str, Any] = {role: True}
    assert list_kinds(get_html(make_client(factories.make_user(**roles)), "/problems/")) == ALL


def test_only_admins_are_led_to_name_owners() -> None:
    account = Troubles(factories.make_user()).account
    steps = list_steps(get_html(make_client(factories.make_user()), "/problems/"))
    assert steps == {"unowned": f"/accounts/{account.account_id}/"}


def test_home_tells_what_waits_for_my_word() -> None:
    owner = factories.make_user()
    troubles = Troubles(owner)
    troubles.own()
    troubles.withhold(), troubles.move(), troubles.draft()
    Record.objects.update(in_force={"account_id": troubles.account.account_id})
    troubles.wait()
    text = get_text(make_client(owner), "/")
    for word in ("Values that are withheld 1", "Accounts that were moved 1", "Drafts that did not get to kintone 1"):
        assert word in text
    assert "withheld" not in get_text(make_client(factories.make_user()), "/")


def test_home_tells_owners_what_others_have_there() -> None:
    user = factories.make_user()
    troubles = Troubles(user)
    for make in (troubles.fail, troubles.wait, troubles.expire):
        make()
    assert "Failed assignments" not in get_text(make_client(user), "/")
    troubles.own()
    text = get_text(make_client(user), "/")
    for part in ("Failed assignments 1", "People who wait for Identity Center 1", "Access that ends this week 1"):
        assert part in text


@pytest.mark.parametrize("address", ["/problems/", "/problems/?mine=1", "/"])
def test_statements_do_not_grow_with_troubles(address: str, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    client = make_client(owner := factories.make_user())

    def add() -> None:
        troubles = Troubles(owner)
        troubles.own()
        _make_all(troubles)
        troubles.draft()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_html(client, address)
        return len(queries)

    add()
    few = count()
    for _number in range(8):
        add()
    assert count() == few <= 40


def test_anonymous_and_wrong_methods(admin: User) -> None:
    assert "/sign-in/" in Client().get("/problems/?mine=1").headers["Location"]
    acts: list[Callable[..., Any]] = [make_client(admin).post, make_client(admin).delete]
    assert {act("/problems/").status_code for act in acts} == {405}
