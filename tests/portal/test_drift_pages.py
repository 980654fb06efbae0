"""Changes made by hand on the pages: who sees what, and who may press what."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AppKind, Draft, OwnerEntry, PermissionSet, User
from syncer.drafts.drafting import make_draft
from syncer.models import AppState, Drift, Run
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    AppState.objects.create(
        kind=AppKind.ASSIGNMENT, app_id="24",
        fields={name: name for name in ("account_id", "permission_set", "users", "groups")},
    )  # fmt: skip
    return factories.make_account("shop", tags_read_at=timezone.now())


def make_drift(account: Account, **values: Any) -> Drift:
    group = factories.make_group("開発")
    permission_set = PermissionSet.objects.filter(name="Deploy").first() or factories.make_permission_set("Deploy")
    defaults: dict[str, Any] = {
        "kind": Drift.Kind.ADDED,
        "permission_set_name": permission_set.name,
        "account_id": account.account_id,
        "principal_type": "GROUP",
        "principal_id": group.principal_id,
        "principal_name": "開発",
    }
    return Drift.objects.create(**defaults | values)


def make_owner(account: Account) -> User:
    owner = factories.make_user("持ち主")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    return owner


def test_owner_sees_both_buttons_on_the_account(account: Account) -> None:
    make_drift(account)
    text = get_text(make_client(make_owner(account)), f"/accounts/{account.account_id}/")
    assert "Assigned by hand: Deploy 開発" in text
    assert "put back by itself:" in text
    assert "Put back (Deploy 開発)" in text
    assert "Keep as a record (Deploy 開発)" in text


def test_others_see_it_without_buttons(account: Account) -> None:
    drift = make_drift(account)
    html = get_html(make_client(factories.make_user()), f"/accounts/{account.account_id}/")
    assert "Changed in AWS by hand" in html
    assert f"/drift/{drift.pk}/" not in html


def test_set_page_names_the_account_and_what_differs(account: Account) -> None:
    drift = make_drift(account)
    details = [{"field": "description", "before": "as written", "after": "by hand"}]
    make_drift(account, kind="changed", account_id="", principal_type="", principal_id="", details=details)
    page = PermissionSet.objects.get(name=drift.permission_set_name)
    text = get_text(make_client(factories.make_user(is_staff=True)), f"/permission-sets/{page.pk}/")
    assert "Assigned by hand: shop 開発" in text
    assert "Changed by hand: Deploy" in text
    assert "by hand" in text


def test_decision_and_its_draft_are_shown(account: Account) -> None:
    admin = factories.make_user("管理者", is_staff=True)
    drift = make_drift(account, decision="keep", decided_by=admin, decided_at=timezone.now())
    draft = make_draft(AppKind.ASSIGNMENT, admin, {}, purpose=f"drift:{drift.pk}")
    draft.reason = {"code": "kintone_unavailable", "params": {"operation": "POST"}}
    draft.save()
    text = get_text(make_client(admin), f"/accounts/{account.account_id}/")
    assert "Decided by 管理者: kept as a record" in text
    assert "On its way to kintone: kintone is out of order" in text
    assert "Put back" not in text


def test_drift_that_is_over_is_not_shown(account: Account) -> None:
    make_drift(account, ended_at=timezone.now())
    assert "Changed in AWS by hand" not in get_html(
        make_client(factories.make_user()), f"/accounts/{account.account_id}/"
    )


def test_queries_do_not_grow_with_drift(account: Account, django_assert_max_num_queries: Any) -> None:
    client = make_client(make_owner(account))
    make_drift(account)
    with django_assert_max_num_queries(60) as first:
        client.get(f"/accounts/{account.account_id}/")
    for _number in range(5):
        make_drift(account)
    with django_assert_max_num_queries(len(first.captured_queries)):
        client.get(f"/accounts/{account.account_id}/")


def test_problem_leads_to_where_it_is_decided(account: Account) -> None:
    params = {"change": "+ x", "until": "—", "account": account.account_id, "set": "Deploy"}
    factories.make_problem(factories.make_record(), "drift", params=params)
    assert f'href="/accounts/{account.account_id}/#drift"' in get_html(make_client(factories.make_user()), "/problems/")


# --- Pressing ---------------------------------------------------------------------------------------------------------

ACTIONS = ("put-back", "keep")


def test_owner_puts_back_and_follows_the_run(account: Account) -> None:
    drift = make_drift(account)
    response = make_client(make_owner(account)).post(f"/drift/{drift.pk}/put-back/")
    assert response.headers["Location"] == f"/runs/{Run.objects.get().pk}/"
    drift.refresh_from_db()
    assert drift.decision == "put_back"


def test_owner_keeps_and_comes_back(account: Account) -> None:
    drift = make_drift(account)
    client = make_client(make_owner(account))
    response = client.post(f"/drift/{drift.pk}/keep/", follow=True)
    assert response.redirect_chain == [(f"/accounts/{account.account_id}/", 302)]
    assert "It is being written to kintone" in response.content.decode()
    assert Draft.objects.get().values["groups"] == ["開発"]


def test_pressed_twice_decides_once(account: Account) -> None:
    drift = make_drift(account)
    client = make_client(make_owner(account))
    client.post(f"/drift/{drift.pk}/keep/")
    response = client.post(f"/drift/{drift.pk}/put-back/", follow=True)
    assert "It has been decided already" in response.content.decode()
    assert (Draft.objects.count(), Run.objects.count()) == (1, 0)


@pytest.mark.parametrize("action", ACTIONS)
def test_anonymous_signs_in_first(action: str, account: Account, client: Client) -> None:
    response = client.post(f"/drift/{make_drift(account).pk}/{action}/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", ["employee", "auditor", "other owner"])
def test_who_may_not_is_refused(who: str, action: str, account: Account) -> None:
    drift = make_drift(account)
    user = make_owner(factories.make_account("blog")) if who == "other owner" else factories.make_user()
    User.objects.filter(pk=user.pk).update(is_auditor=who == "auditor")
    assert make_client(user).post(f"/drift/{drift.pk}/{action}/").status_code == 403
    drift.refresh_from_db()
    assert drift.decision == ""


@pytest.mark.parametrize("action", ACTIONS)
def test_reading_decides_nothing(action: str, account: Account) -> None:
    client = make_client(factories.make_user(is_staff=True))
    assert client.get(f"/drift/{make_drift(account).pk}/{action}/").status_code == 405


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("pk", ["0", "999999", "x"])
def test_unknown_drift_is_not_found(pk: str, action: str) -> None:
    assert make_client(factories.make_user(is_staff=True)).post(f"/drift/{pk}/{action}/").status_code == 404


def test_what_is_not_visible_is_not_found(account: Account, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    drift = make_drift(account)
    assert make_client(factories.make_user()).post(f"/drift/{drift.pk}/keep/").status_code == 404


def test_owner_sees_his_account_where_others_do_not(account: Account, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    drift = make_drift(account)
    client = make_client(make_owner(account))
    assert f"/drift/{drift.pk}/put-back/" in get_html(client, f"/accounts/{account.account_id}/")
    assert client.post(f"/drift/{drift.pk}/put-back/").status_code == 302


# --- Twin -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def captured() -> PermissionSet:
    """One of our sets that the management account holds, with a record and one assignment record."""
    AppState.objects.create(kind=AppKind.PERMISSION_SET, app_id="23", fields={"name": "name"})
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields={"permission_set": "permission_set"})
    factories.make_instance()
    record = factories.make_record(
        AppKind.PERMISSION_SET, title="Deploy", body={"name": {"type": "SINGLE_LINE_TEXT", "value": "Deploy"}}
    )
    permission_set = factories.make_permission_set(
        "Deploy", ownership="terraform", captured_at=timezone.now(), record=record
    )
    factories.make_record(title="moves", in_force={"permission_set": "Deploy", "account_id": "123456789012"})
    management = factories.make_account("root", is_management=True)
    factories.make_assignment(account=management, permission_set=permission_set)
    return permission_set


def test_page_of_a_captured_set_has_commands_and_the_button(captured: PermissionSet) -> None:
    text = get_text(make_client(factories.make_user(is_staff=True)), f"/permission-sets/{captured.pk}/")
    assert "Out of Genkan's reach" in text.replace("&#x27;", "'")
    assert "delete-account-assignment" in text
    assert "Make a twin" in text


def test_employee_sees_no_button(captured: PermissionSet) -> None:
    html = get_html(make_client(factories.make_user()), f"/permission-sets/{captured.pk}/")
    assert f"/permission-sets/{captured.pk}/twin/" not in html


def test_admin_confirms_exactly_the_list(captured: PermissionSet) -> None:
    client = make_client(factories.make_user(is_staff=True))
    html = get_html(client, f"/permission-sets/{captured.pk}/twin/")
    assert "Deploy → Deploy-member" in html
    checksum = html.split('name="checksum" value="')[1].split('"')[0]
    wrong = client.post(f"/permission-sets/{captured.pk}/twin/", {"checksum": "0"}, follow=True)
    assert "The list has changed" in wrong.content.decode()
    assert not Draft.objects.exists()
    response = client.post(f"/permission-sets/{captured.pk}/twin/", {"checksum": checksum}, follow=True)
    assert "The twin Deploy-member" in response.content.decode()
    assert Draft.objects.count() == 2
    client.post(f"/permission-sets/{captured.pk}/twin/", {"checksum": checksum})
    assert Draft.objects.count() == 2


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("is_auditor", [True, False])
def test_twin_is_for_owners_and_admins(is_auditor: bool, method: str, captured: PermissionSet) -> None:
    client = make_client(factories.make_user(is_auditor=is_auditor))
    assert getattr(client, method)(f"/permission-sets/{captured.pk}/twin/").status_code == 403


def test_twin_needs_a_sign_in(captured: PermissionSet, client: Client) -> None:
    response = client.post(f"/permission-sets/{captured.pk}/twin/")
    assert response.headers["Location"].startswith("/sign-in/")


def test_set_within_reach_has_no_twin(captured: PermissionSet) -> None:
    PermissionSet.objects.update(ownership="ours", captured_at=None)
    client = make_client(factories.make_user(is_staff=True))
    assert client.get(f"/permission-sets/{captured.pk}/twin/").status_code == 302
    assert client.get("/permission-sets/999/twin/").status_code == 404
    assert client.put(f"/permission-sets/{captured.pk}/twin/").status_code == 405
