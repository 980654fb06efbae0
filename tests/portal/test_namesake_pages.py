"""Who went and who came under his name: the question on the pages, and who may answer it."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import (
    Account,
    Assignment,
    AuditEvent,
    OwnerEntry,
    Person,
    Principal,
    PrincipalLink,
    Record,
    Stop,
    User,
)
from accounts.stops import find_lock_out
from syncer.models import Run
from tests import factories
from tests.portal.pages import get_text, make_client

pytestmark = pytest.mark.django_db
QUESTION = "Is 太郎 (new) who is meant?"
BUTTON = "Yes, records that name this mean 太郎 (new)"


class Case:
    """Taro went; somebody came under his name. Two names of kintone lead to him, in one record each."""

    def __init__(self) -> None:
        self.was = factories.make_principal("taro@example.com", display_name="太郎", gone_at=timezone.now())
        self.comes = factories.make_principal("taro@example.com", display_name="太郎 (new)", external_id="e2")
        self.person = Person.objects.create(principal=self.was, name="太郎", kintone_code="taro")
        self.newcomer = Person.objects.create(principal=self.comes, name="太郎 (new)")
        self.links = [
            PrincipalLink.objects.create(
                source=source, key=key, principal=self.was, namesake=self.comes, how="user_name", external_id="e1",
                left_at=timezone.now(),
            )
            for source, key in (("kintone_user", "taro"), ("address", "taro@example.com"))
        ]  # fmt: skip
        self.records = [factories.make_record(is_settled=True) for _link in self.links]
        self.accounts = [factories.make_account(name, ou=f"service/{name}") for name in ("shop", "blog")]
        for account, record in zip(self.accounts, self.records, strict=True):
            factories.make_assignment(
                self.was, account=account, record=record, state=Assignment.State.BLOCKED, in_aws=False
            )

    @property
    def url(self) -> str:
        return f"/namesakes/{self.links[0].pk}/confirm/"

    def answer(self, user: User, candidate: object = None) -> int:
        response = make_client(user).post(self.url, {"candidate": self.comes.pk if candidate is None else candidate})
        return response.status_code

    def is_answered(self) -> bool:
        return not PrincipalLink.objects.filter(namesake__isnull=False).exists()


@pytest.fixture
def case() -> Case:
    return Case()


def own(user: User, *accounts: Account) -> User:
    """Make a user the owner of these accounts; their tags are known to name nobody."""
    Account.objects.filter(pk__in=[account.pk for account in accounts]).update(tags_read_at=timezone.now())
    for account in accounts:
        OwnerEntry.objects.create(account=account, principal=factories.get_principal(user))
    return user


# --- The question ---------------------------------------------------------------------------------------------------


def test_record_and_people_show_the_question(case: Case) -> None:
    client = make_client(factories.make_user())
    pages = (f"/assignments/{case.records[0].pk}/", f"/people/{case.person.pk}/", f"/people/{case.newcomer.pk}/")
    for url in pages:
        text = get_text(client, url)
        assert text.count(QUESTION) == 1, url
        assert BUTTON not in text
        assert "An owner of all the accounts concerned or a portal admin can confirm it." in text


def test_group_shows_the_question() -> None:
    was, comes = factories.make_group("developers"), factories.make_group("developers")
    PrincipalLink.objects.create(source="group_name", key="developers", principal=was, namesake=comes)
    assert "Is developers who is meant?" in get_text(make_client(factories.make_user()), f"/groups/{was.pk}/")


def test_admin_gets_a_button(case: Case) -> None:
    admin = factories.make_user(is_staff=True)
    assert BUTTON in get_text(make_client(admin), f"/assignments/{case.records[0].pk}/")


def test_page_without_a_question_asks_none(case: Case) -> None:
    other = factories.make_record()
    assert "who is meant" not in get_text(make_client(factories.make_user()), f"/assignments/{other.pk}/")


# --- The answer -----------------------------------------------------------------------------------------------------


def test_admins_answer_leads_every_name_to_the_newcomer(case: Case) -> None:
    admin = factories.make_user(is_staff=True)
    assert case.answer(admin) == 302
    links = PrincipalLink.objects.all()
    found = {(link.principal, link.namesake, link.left_at, link.how, link.external_id) for link in links}
    assert found == {(case.comes, None, None, "confirmed", "e2")}
    assert Run.objects.get().requested_by == admin
    assert not Record.objects.filter(pk__in=[record.pk for record in case.records], is_settled=True).exists()


def test_person_goes_along(case: Case) -> None:
    case.answer(factories.make_user(is_staff=True))
    case.person.refresh_from_db()
    assert case.person.principal == case.comes
    assert not Person.objects.filter(pk=case.newcomer.pk).exists()


def test_lock_out_goes_along_where_nothing_else_shows_who_it_is(case: Case) -> None:
    Principal.objects.filter(pk=case.was.pk).update(name="taro", name_key="taro")
    Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=case.was, reason="lost laptop")
    assert find_lock_out(case.comes) is None
    case.answer(factories.make_user(is_staff=True))
    assert find_lock_out(case.comes)


def test_answer_is_in_the_audit_trail(case: Case) -> None:
    admin = factories.make_user(is_staff=True)
    case.answer(admin)
    event = AuditEvent.objects.get(action="namesake.confirm")
    assert (event.actor, event.after) == (admin, {"principal_id": case.comes.principal_id})
    assert event.before == {"principal_id": case.was.principal_id, "names": ["taro", "taro@example.com"]}


def test_owner_of_all_accounts_concerned_may_answer(case: Case) -> None:
    owner = own(factories.make_user(), *case.accounts)
    assert BUTTON in get_text(make_client(owner), f"/assignments/{case.records[0].pk}/")
    assert case.answer(owner) == 302
    assert case.is_answered()


def test_owner_of_some_accounts_may_not(case: Case) -> None:
    assert case.answer(own(factories.make_user(), case.accounts[0])) == 403
    assert not case.is_answered()


def test_owner_of_a_protected_account_may_not(case: Case, settings: Settings) -> None:
    owner = own(factories.make_user(), *case.accounts)
    unit = case.accounts[0].ou
    assert unit
    settings.PROTECTED_OUS = (unit.ou_id,)
    assert case.answer(owner) == 403


@pytest.mark.parametrize("side", ["comes", "was"])
def test_nobody_says_so_of_himself(case: Case, side: str) -> None:
    Principal.objects.filter(pk=case.was.pk).update(gone_at=None)
    person = Person.objects.get(principal=getattr(case, side))
    assert case.answer(own(factories.make_user(person=person), *case.accounts)) == 403


@pytest.mark.parametrize("values", [{}, {"is_auditor": True}])
def test_others_may_not(case: Case, values: dict[str, Any]) -> None:
    assert case.answer(factories.make_user(**values)) == 403
    assert not case.is_answered()
    assert not Run.objects.exists()


@pytest.mark.parametrize("candidate", ["", "x", "²", "0", str(10**30), "was"])
def test_answer_about_somebody_else_changes_nothing(case: Case, candidate: str) -> None:
    """The page was old: another candidate has come since."""
    case.answer(factories.make_user(is_staff=True), case.was.pk if candidate == "was" else candidate)
    assert not case.is_answered()
    assert not Run.objects.exists()


def test_newcomer_who_is_gone_by_now_is_not_taken(case: Case) -> None:
    Principal.objects.filter(pk=case.comes.pk).update(gone_at=timezone.now())
    case.answer(factories.make_user(is_staff=True))
    assert not case.is_answered()


def test_second_answer_finds_no_question(case: Case) -> None:
    admin = factories.make_user(is_staff=True)
    case.answer(admin)
    assert case.answer(admin) == 404


def test_looking_answers_nothing(case: Case) -> None:
    assert make_client(factories.make_user(is_staff=True)).get(case.url).status_code == 405
    assert not case.is_answered()


def test_return_under_the_same_id_is_confirmed_in_place(case: Case) -> None:
    PrincipalLink.objects.update(principal=case.comes, namesake=case.comes)
    case.answer(factories.make_user(is_staff=True))
    assert case.is_answered()
    links = PrincipalLink.objects.all()
    assert {(link.principal, link.external_id) for link in links} == {(case.comes, "e2")}
