"""Taking access away: what the page says before, who may, and what becomes of it."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Account, AppKind, AuditEvent, Draft, OwnerEntry, PrincipalLink, Record, User
from syncer.models import AppState, Withdrawal
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
FIELDS = ("account_id", "permission_set", "users", "groups", "expires_on", "note", "owners", "more_users")


class Company:
    """One record gives Hana (by her kintone code), Taro (by an address) and a group that Ken is in access to shop."""

    def __init__(self) -> None:
        AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields={name: name for name in FIELDS})
        self.hana, self.taro, self.ken = (factories.make_user(name) for name in ("花", "太郎", "健"))
        self.group = factories.make_group("developers", factories.get_principal(self.ken))
        self.account = factories.make_account("shop", tags_read_at="2026-01-01T00:00:00Z")
        self.set = factories.make_permission_set("Deploy")
        self.record = self.add_record(["hana"], ["taro@example.com"], ["developers"])
        for user, source, key in (
            (self.hana, "kintone_user", "hana"), (self.taro, "address", "taro@example.com"),
        ):  # fmt: skip
            PrincipalLink.objects.create(source=source, key=key, principal=factories.get_principal(user))
        PrincipalLink.objects.create(source="group_name", key="developers", principal=self.group)
        for principal in (factories.get_principal(self.hana), factories.get_principal(self.taro), self.group):
            factories.make_assignment(principal, account=self.account, permission_set=self.set, record=self.record)

    def add_record(self, users: list[str], addresses: list[str], groups: list[str]) -> Record:
        values: dict[str, Any] = {"account_id": self.account.account_id, "permission_set": "Deploy"}
        body = {
            **{name: {"value": value} for name, value in values.items()},
            "users": {"value": [{"code": code} for code in users]},
            "more_users": {"value": "\n".join(addresses)},
            "groups": {"value": "\n".join(groups)},
        }
        in_force = {**values, "users": users, "addresses": addresses, "groups": groups, "expires_on": None}
        return factories.make_record(body=body, in_force=in_force, is_settled=True, creator_code="nobody")

    def make_owner(self, name: str = "所有者") -> User:
        owner = factories.make_user(name)
        OwnerEntry.objects.create(account=self.account, principal=factories.get_principal(owner))
        return owner

    def url(self, whom: User | Any = None, record: Record | None = None) -> str:
        principal = factories.get_principal(whom) if isinstance(whom, User) else whom
        tail = f"{principal.pk}/" if principal else ""
        return f"/assignments/{(record or self.record).pk}/remove/{tail}"


@pytest.fixture
def company() -> Company:
    return Company()


def find_checksum(html: str) -> str:
    found = re.search(r'name="checksum" value="([0-9a-f]+)"', html)
    assert found
    return found[1]


def press(user: User, url: str, **values: Any) -> Draft:
    """What somebody does who reads the page and presses its button."""
    client = make_client(user)
    response = client.post(url, {"checksum": find_checksum(get_html(client, url)), **values})
    return Draft.objects.get(pk=response["Location"].split("/")[2])


# --- Oneself ----------------------------------------------------------------------------------------------------------


def test_anybody_takes_himself_out_by_code(company: Company) -> None:
    draft = press(company.hana, company.url(company.hana))
    assert (draft.values, draft.record, draft.is_deletion) == ({"users": []}, company.record, False)
    withdrawal = Withdrawal.objects.get(draft=draft)
    principal_id = factories.get_principal(company.hana).principal_id
    assert withdrawal.names == [["kintone_user", "hana", principal_id]]
    assert withdrawal.removals == [[company.account.account_id, "Deploy", "USER", principal_id]]
    assert AuditEvent.objects.get(action="record.take_out").before == {"users": ["hana"]}


def test_anybody_takes_himself_out_by_address(company: Company) -> None:
    assert press(company.taro, company.url(company.taro)).values == {"more_users": []}


def test_name_that_was_withheld_goes_too(company: Company) -> None:
    company.record.body["more_users"] = {"value": "taro@example.com\nhana@example.com"}
    company.record.save()
    PrincipalLink.objects.create(
        source="address", key="hana@example.com", principal=factories.get_principal(company.hana)
    )
    draft = press(company.hana, company.url(company.hana))
    assert draft.values == {"users": [], "more_users": ["taro@example.com"]}


def test_page_says_what_is_left_and_how_long_sessions_live(company: Company) -> None:
    factories.add_member(company.group, factories.get_principal(company.hana))
    factories.make_assignment(
        company.hana, account=company.account, permission_set=factories.make_permission_set("Reader")
    )
    text = get_text(make_client(company.hana), company.url(company.hana))
    for part in (
        "The same access comes through a group: developers", "Other access to the same account: Reader",
        "go on for up to 12 hours", "90 days at most", "Taken out of the record: hana",
    ):  # fmt: skip
        assert part in text


def test_page_says_that_nothing_is_left(company: Company) -> None:
    assert "Nothing else gives access to this account" in get_text(make_client(company.taro), company.url(company.taro))


def test_other_record_is_offered_and_goes_along(company: Company) -> None:
    other = company.add_record(["hana", "mei"], [], [])
    assignment = factories.get_principal(company.hana).assignments.get()
    assignment.wishes.create(record=other)
    client = make_client(company.hana)
    html = get_html(client, company.url(company.hana))
    assert f'name="also" value="{other.pk}" checked' in html
    press(company.hana, company.url(company.hana), also=[other.pk])
    assert {draft.record_id: draft.values for draft in Draft.objects.all()} == {
        company.record.pk: {"users": []}, other.pk: {"users": ["mei"]},
    }  # fmt: skip


def test_other_record_that_is_not_chosen_stays(company: Company) -> None:
    other = company.add_record(["hana"], [], [])
    factories.get_principal(company.hana).assignments.get().wishes.create(record=other)
    assert press(company.hana, company.url(company.hana), also=["9" * 5000]).record == company.record
    assert Draft.objects.count() == 1


def test_group_cannot_be_left_here(company: Company) -> None:
    company.make_owner()
    response = make_client(company.ken).get(company.url(company.group))
    assert response.status_code == 403
    for part in ("as a member of the group developers", "you cannot leave it here", "Whom to ask: 所有者"):
        assert part in response.content.decode()


# --- Others -----------------------------------------------------------------------------------------------------------


def test_owner_of_the_account_takes_a_group_out(company: Company) -> None:
    assert press(company.make_owner(), company.url(company.group)).values == {"groups": []}


def test_members_who_keep_it_are_counted(company: Company) -> None:
    factories.make_assignment(company.ken, account=company.account, permission_set=company.set)
    text = get_text(make_client(company.make_owner()), company.url(company.group))
    assert "1 of 1 members has it otherwise" in text


def test_owner_ends_the_record(company: Company) -> None:
    owner = company.make_owner()
    text = get_text(make_client(owner), company.url())
    assert all(str(whom) in text for whom in (company.hana, company.taro, "developers"))
    draft = press(owner, company.url())
    assert (draft.is_deletion, draft.base_revision) == (True, company.record.revision)
    assert len(Withdrawal.objects.get().removals) == 3


@pytest.mark.parametrize("is_whole", [True, False])
def test_outsider_is_told_who_may(company: Company, is_whole: bool) -> None:
    company.make_owner()
    url = company.url() if is_whole else company.url(company.hana)
    client = make_client(company.ken)
    for response in (client.get(url), client.post(url, {"checksum": "0"})):
        assert response.status_code == 403
        assert "Whom to ask: 所有者, or a portal admin." in response.content.decode()
    assert not Draft.objects.exists()


def test_auditor_changes_nothing_not_even_for_himself(company: Company) -> None:
    User.objects.filter(pk=company.hana.pk).update(is_auditor=True)
    response = make_client(company.hana).post(company.url(company.hana), {"checksum": "0"})
    assert response.status_code == 403
    assert "Auditors read everything and change nothing." in response.content.decode()


def test_list_that_has_changed_is_shown_anew(company: Company) -> None:
    owner = company.make_owner()
    client = make_client(owner)
    old = find_checksum(get_html(client, company.url()))
    Record.objects.filter(pk=company.record.pk).update(revision=2)
    response = client.post(company.url(), {"checksum": old})
    assert "The list has changed." in response.content.decode()
    assert not Draft.objects.exists()


def test_pressing_twice_is_pressing_once(company: Company) -> None:
    client, url = make_client(company.hana), company.url(company.hana)
    checksum = find_checksum(get_html(client, url))
    places = {client.post(url, {"checksum": checksum})["Location"] for _press in range(2)}
    assert len(places) == Draft.objects.count() == Withdrawal.objects.count() == 1


def test_page_of_the_draft_tells_of_open_sessions(company: Company) -> None:
    draft = press(company.hana, company.url(company.hana))
    assert "What is open stays open for a while" in get_text(make_client(company.hana), f"/drafts/{draft.pk}/")


def test_statements_do_not_grow_with_people(company: Company) -> None:
    client = make_client(company.make_owner())

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_html(client, company.url())
        return len(queries)

    few = count()
    for number in range(12):
        group = factories.make_group(f"team-{number}", factories.get_principal(company.hana))
        for principal in (group, factories.make_person().principal):
            factories.make_assignment(
                principal, account=company.account, permission_set=company.set, record=company.record
            )
    assert count() == few <= 40


# --- Addresses --------------------------------------------------------------------------------------------------------


def test_bad_ids_are_not_found_and_methods_are_two(company: Company) -> None:
    client = make_client(company.hana)
    stranger = factories.make_principal()
    for url in ("/assignments/9999/remove/", company.url(stranger), "/assignments/9999/remove/1/"):
        assert client.get(url).status_code == 404, url
    for url in (company.url(), company.url(company.hana)):
        assert client.put(url).status_code == 405, url


def test_record_that_is_gone_leads_back(company: Company) -> None:
    Record.objects.filter(pk=company.record.pk).update(gone_at="2026-01-01T00:00:00Z")
    response = make_client(company.hana).get(company.url(company.hana), follow=True)
    assert "The record is not in kintone any more." in response.content.decode()


def test_only_what_one_sees_can_be_removed(company: Company, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    assert make_client(factories.make_user("他人")).get(company.url(company.hana)).status_code == 404
    assert make_client(company.hana).get(company.url(company.hana)).status_code == 200
    assert make_client(company.make_owner()).get(company.url(company.hana)).status_code == 200


# --- Where it is offered ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["account", "set", "record", "person"])
def test_rows_offer_what_one_may(company: Company, place: str) -> None:
    urls = {
        "account": f"/accounts/{Account.objects.get().account_id}/",
        "set": f"/permission-sets/{company.set.pk}/",
        "record": f"/assignments/{company.record.pk}/",
        "person": f"/people/{company.hana.person_id}/",
    }
    links = {
        name: f'href="{company.url(whom)}"' in get_html(make_client(user), urls[place])
        for name, user, whom in (
            ("himself", company.hana, company.hana), ("owner", company.make_owner(), company.hana),
            ("outsider", company.ken, company.hana),
        )
    }  # fmt: skip
    assert links == {"himself": True, "owner": True, "outsider": False}


def test_home_page_offers_to_leave(company: Company) -> None:
    assert f'href="{company.url(company.hana)}"' in get_html(make_client(company.hana), "/")
    assert f'href="{company.url(company.group)}"' in get_html(make_client(company.ken), "/")


def test_record_page_offers_its_end_to_those_who_may(company: Company) -> None:
    url = f"/assignments/{company.record.pk}/"
    assert f'href="{company.url()}"' in get_html(make_client(company.make_owner()), url)
    assert f'href="{company.url()}"' not in get_html(make_client(company.ken), url)
