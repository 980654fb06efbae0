"""The page of an account's move: what it changes, who confirms it, and what is kept of that."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AccountMove, AuditEvent, Guardrail, OwnerEntry, User
from accounts.moves import confirm_moves
from tests import factories
from tests.portal.pages import get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    """Moved from a sandbox; a rule of where it is now has ended what people have there themselves."""
    account = factories.make_account("payments", ou="service/決済")
    factories.make_assignment(factories.make_principal("taro@example.com", display_name="山田 太郎"), account=account)
    unit = account.ou.ou_id if account.ou else ""
    yesterday = timezone.localdate() - timedelta(days=1)
    Guardrail.objects.create(
        name="groups", sentence="グループだけです。", effect="groups_only", ou_id=unit, existing="end",
        ends_on=yesterday,
    )  # fmt: skip
    changes = {"rules_before": "—", "rules_after": "groups", "stage_after": "production"}
    move = {"old_path": "sandbox", "new_path": "service/決済", "old_units": ["ou-gone"], "old_stage": "sandbox"}
    AccountMove.objects.create(account=account, changes=changes, **move)
    return account


@pytest.fixture
def url(account: Account) -> str:
    return f"/accounts/{account.account_id}/moves/"


def make_owner(account: Account) -> User:
    user = factories.make_user("所有 者")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(user))
    return user


def send(client: Client, url: str) -> int:
    return client.post(url, {"until": str(AccountMove.objects.latest("pk").pk)}).status_code


def test_page_says_what_changes_and_what_confirming_ends(url: str) -> None:
    text = get_text(make_client(factories.make_user(is_staff=True)), url)
    assert "sandbox service/決済" in text
    assert re.search("The guardrail “groups” ends it after .* 山田 太郎", text)
    assert "Confirm the move" in text


def test_account_and_problem_lead_to_it(account: Account, url: str) -> None:
    client = make_client(factories.make_user())
    factories.make_problem(None, "account_moved", params={"account_id": account.account_id})
    for page in (f"/accounts/{account.account_id}/", "/problems/"):
        assert f'href="{url}"' in client.get(page).content.decode()


def test_anonymous_is_led_to_sign_in(url: str) -> None:
    assert [Client().get(url).status_code, send(Client(), url)] == [302, 302]
    assert AccountMove.objects.open().exists()


@pytest.mark.parametrize("role", [{}, {"is_auditor": True}])
def test_others_read_and_do_not_confirm(role: dict[str, Any], url: str) -> None:
    client = make_client(factories.make_user(**role))
    assert "Confirm the move" not in get_text(client, url)
    assert send(client, url) == 403
    assert AccountMove.objects.open().exists()


def test_owner_confirms_with_a_trace(account: Account, url: str) -> None:
    client = make_client(make_owner(account))
    assert send(client, url) == 302
    event = AuditEvent.objects.get(action="account.move_confirm")
    assert (event.object_id, event.before, event.after) == (
        account.account_id, {"places": ["sandbox"]}, {"place": "service/決済"},
    )  # fmt: skip
    assert "No move of this account waits" in get_text(client, url)
    assert send(client, url) == 302
    assert AuditEvent.objects.filter(action="account.move_confirm").count() == 1


def test_move_that_came_meanwhile_is_not_confirmed(account: Account) -> None:
    seen = AccountMove.objects.get().pk
    later = AccountMove.objects.create(account=account, old_path="service/決済", new_path="third")
    assert confirm_moves(account, factories.make_user(is_staff=True), until=seen)
    assert list(AccountMove.objects.open()) == [later]


def test_nonsense_confirms_nothing(url: str) -> None:
    client = make_client(factories.make_user(is_staff=True))
    assert {client.post(url, {"until": text}).status_code for text in ("x", "9" * 40, "9" * 5000, "７")} == {302}
    assert AccountMove.objects.open().exists()
    assert client.put(url).status_code == 405
    assert [client.get(f"/accounts/{bad}/moves/").status_code for bad in ("000000000000", "x")] == [404, 404]


def test_who_may_not_see_the_account_finds_no_page(url: str, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    client = make_client(factories.make_user())
    assert [client.get(url).status_code, send(client, url)] == [404, 404]
