"""The admin site's forms for owners and guardrails: what they refuse, and the trace that an edit leaves."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, Guardrail, OwnerEntry, User
from accounts.rulebook import load_rules
from tests.factories import make_account, make_group, make_permission_set, make_principal, make_user

pytestmark = pytest.mark.django_db

OWNERS, GUARDRAILS = (reverse(f"admin:accounts_{name}_add") for name in ("ownerentry", "guardrail"))
RULE = {
    "name": "prod-admin", "sentence": "本番の管理者権限には7日以内の期限が必要です。", "is_active": "on", "ou_id": "",
    "account_id": "", "stage": "production", "tag": "", "permission_set_name": "", "power": "admin",
    "principal_type": "", "is_owner": "unknown", "effect": "expires_within", "days": "7", "roles": "",
    "existing": "keep",
}  # fmt: skip


@pytest.fixture
def admin_user() -> User:
    return make_user("山田 花子", is_staff=True)


@pytest.fixture
def admin_client(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


def errors_of(client: Client, address: str, values: dict[str, Any]) -> set[str]:
    response = client.post(address, values)
    return set() if response.status_code == 302 else set(response.context["adminform"].form.errors)


# --- Owners


def test_admin_names_an_owner_in_his_name(admin_client: Client, admin_user: User) -> None:
    account, principal = make_account(), make_principal()
    assert errors_of(admin_client, OWNERS, {"account": account.pk, "principal": principal.pk}) == set()
    entry = OwnerEntry.objects.get()
    assert (entry.account, entry.principal, entry.how, entry.created_by) == (account, principal, "admin", admin_user)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.object_type) == ("admin.add", "ownerentry")
    assert event.after is not None
    assert event.after["principal"] == principal.pk


def test_claim_that_an_admin_edits_becomes_his_word(admin_client: Client, admin_user: User) -> None:
    entry = OwnerEntry.objects.create(account=make_account(), principal=make_principal(), how="claim")
    other = make_group("team")
    page = reverse("admin:accounts_ownerentry_change", args=[entry.pk])
    assert errors_of(admin_client, page, {"account": entry.account_id, "principal": other.pk}) == set()
    entry.refresh_from_db()
    assert (entry.principal_id, entry.how, entry.created_by) == (other.pk, "admin", admin_user)


def test_entry_is_about_one_place(admin_client: Client) -> None:
    account, principal = make_account(), make_principal()
    both = {"account": account.pk, "ou": account.ou_id, "principal": principal.pk}
    assert errors_of(admin_client, OWNERS, both) == {"__all__"}
    assert errors_of(admin_client, OWNERS, {"principal": principal.pk}) == {"__all__"}


def test_owner_is_somebody_whom_identity_center_knows(admin_client: Client) -> None:
    account, stranger = make_account(), make_principal("yuki", principal_id=None)
    assert errors_of(admin_client, OWNERS, {"account": account.pk, "principal": stranger.pk}) == {"principal"}


# --- Guardrails


def test_guardrail_is_stored_and_loaded(admin_client: Client) -> None:
    assert errors_of(admin_client, GUARDRAILS, RULE) == set()
    (rule,) = load_rules()
    assert (rule.name, rule.effect, rule.stage, rule.power, rule.days) == (
        "prod-admin", "expires_within", "production", "admin", 7,
    )  # fmt: skip
    assert AuditEvent.objects.latest("pk").object_name == "prod-admin"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"ou_id": "ou-gone"}, "ou_id"),
        ({"account_id": "000000000099"}, "account_id"),
        ({"permission_set_name": "Gone"}, "permission_set_name"),
        ({"tag": "team"}, "tag"),
        ({"tag": "=shop"}, "tag"),
        ({"days": ""}, "days"),
        ({"days": "0"}, "days"),
        ({"existing": "end"}, "ends_on"),
        ({"effect": "roles_only"}, "roles"),
        ({"effect": "roles_only", "roles": "nobody@example.com"}, "roles"),
        ({"sentence": ""}, "sentence"),
    ],
)
def test_rule_that_says_nothing_is_refused(admin_client: Client, values: dict[str, str], field: str) -> None:
    assert errors_of(admin_client, GUARDRAILS, RULE | values) == {field}
    assert not Guardrail.objects.exists()


def test_rule_about_what_is_there_is_taken(admin_client: Client) -> None:
    account, permission_set = make_account(), make_permission_set()
    assert account.ou is not None
    group, hana = make_group("ops", make_principal("taro@example.com")), make_principal("hana@example.com")
    values = {
        "ou_id": f" {account.ou.ou_id} ", "account_id": account.account_id, "permission_set_name": permission_set.name,
        "tag": "team=shop=1", "effect": "roles_only", "roles": f"{group.principal_id}\nHANA@example.com",
        "existing": "end", "ends_on": "2026-12-31",
    }  # fmt: skip
    assert errors_of(admin_client, GUARDRAILS, RULE | values) == set()
    (rule,) = load_rules()
    assert (rule.unit_id, rule.tag, str(rule.ends_on)) == (account.ou.ou_id, ("team", "shop=1"), "2026-12-31")
    assert {hana.principal_id, group.principal_id} < rule.roles
    assert len(rule.roles) == 3


def test_rule_that_is_put_aside_does_not_count(admin_client: Client) -> None:
    assert errors_of(admin_client, GUARDRAILS, RULE | {"is_active": ""}) == set()
    assert load_rules() == ()


def test_date_of_a_rule_that_keeps_does_not_count(admin_client: Client) -> None:
    assert errors_of(admin_client, GUARDRAILS, RULE | {"ends_on": "2026-12-31"}) == set()
    assert load_rules()[0].ends_on is None


def test_list_shows_the_path_of_a_unit(admin_client: Client) -> None:
    account = make_account(ou="service/決済/Production")
    assert account.ou is not None
    Guardrail.objects.create(name="rule", sentence="…", effect="refuse", ou_id=account.ou.ou_id)
    page = admin_client.get(reverse("admin:accounts_guardrail_changelist")).content.decode()
    assert "service/決済/Production" in page
