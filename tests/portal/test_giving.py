"""Giving access in the portal: who may, what is shown before it is registered, and what is written."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AuditEvent, Draft, Guardrail, OrganizationalUnit, PermissionSet
from accounts.stops import freeze
from syncer.giving import foresight
from syncer.models import AppState
from tests import factories
from tests.portal.giving import NEW, Company, check, fill, make_company, read_form, say
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return make_company()


def save(company: Company, values: dict[str, Any], **user: Any) -> Any:
    return make_client(user.get("user", company.owner)).post(NEW, {**values, "do": "save"})


# --- Registering ------------------------------------------------------------------------------------------------------


def test_one_record_an_account_is_written_in_one_batch(company: Company) -> None:
    response = save(company, fill(company, company.shop, company.staging, groups=["team-shop"], note="月次の締め"))
    one, other = Draft.objects.order_by("pk")
    assert response["Location"] == f"/assignments/sent/{one.batch}/"
    assert one.batch == other.batch
    assert one.values == {
        "account_id": company.shop.account_id, "permission_set": "Reader", "users": [company.hana.kintone_code],
        "groups": ["team-shop"], "expires_on": "", "note": "月次の締め", "owners": [],
    }  # fmt: skip
    assert other.values["account_id"] == company.staging.account_id
    assert AuditEvent.objects.filter(action="draft.save").count() == 2


def test_same_form_sent_twice_writes_once(company: Company) -> None:
    first, again = (save(company, fill(company)) for _time in range(2))
    assert first["Location"] == again["Location"]
    assert Draft.objects.count() == 1


def test_token_of_another_person_leads_nowhere(company: Company) -> None:
    save(company, fill(company))
    other = factories.make_user(is_staff=True)
    save(company, fill(company), user=other)
    assert Draft.objects.values("batch").distinct().count() == 2


def test_new_form_names_its_author_as_owner_of_the_record(company: Company) -> None:
    assert company.owner.person is not None
    values = read_form(get_html(make_client(company.owner), NEW))
    assert values["owners"] == [company.owner.person.kintone_code]
    assert values["token"]


def test_what_a_record_gives_already_is_not_written_again(company: Company) -> None:
    record = factories.make_record(title=company.shop.account_id)
    factories.make_assignment(
        company.hana.principal, account=company.shop, permission_set=company.permission_set, record=record
    )
    values = fill(company, users=[company.hana.kintone_code, company.taro.kintone_code])
    text = check(make_client(company.owner), values)
    assert f"佐藤 花 has it in shop-prod already {record.reference}" in text
    assert "1 new assignment " in text
    save(company, values)
    assert Draft.objects.get().values["users"] == [company.taro.kintone_code]


def test_longer_access_than_a_record_gives_is_written(company: Company) -> None:
    record, day = factories.make_record(), timezone.localdate() + timedelta(days=5)
    factories.make_assignment(
        company.hana.principal, account=company.shop, permission_set=company.permission_set, record=record, until=day
    )
    later = (day + timedelta(days=1)).isoformat()
    client = make_client(company.owner)
    assert "1 new assignment " in check(client, fill(company, expires_on=later))
    assert "already" in check(client, fill(company, expires_on=day.isoformat()))


def test_all_there_already_leaves_nothing_to_register(company: Company) -> None:
    factories.make_assignment(
        company.hana.principal, account=company.shop, permission_set=company.permission_set,
        record=factories.make_record(),
    )  # fmt: skip
    assert "nothing to register" in say(save(company, fill(company)))
    assert not Draft.objects.exists()


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_outsider_sees_who_owns_the_account_before_and_after(company: Company) -> None:
    client = make_client(company.outsider)
    text = check(client, fill(company, company.bank))
    assert "橋本 隆 does not own the account “bank-prod”" in text
    assert "山田 銀" in text
    assert f"http://localhost:8000{NEW}?account={company.bank.account_id}&user={company.hana.kintone_code}" in text
    assert "does not own the account" in say(client.post(NEW, {**fill(company, company.bank), "do": "save"}))
    assert not Draft.objects.exists()


def test_one_account_of_others_holds_the_submit_until_it_is_left_out(company: Company) -> None:
    values = fill(company, company.shop, company.bank)
    assert "Leave bank-prod out" in say(save(company, values))
    assert not Draft.objects.exists()
    left = read_form(
        make_client(company.owner).post(NEW, {**values, "leave-out": company.bank.account_id}).content.decode()
    )
    assert left["account"] == [company.shop.account_id]


def test_admin_gives_access_anywhere(company: Company) -> None:
    admin = factories.make_user("管理", is_staff=True)
    assert save(company, fill(company, company.bank), user=admin).status_code == 302


def test_auditor_gives_none(company: Company) -> None:
    client = make_client(factories.make_user("監査", is_auditor=True))
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, {**fill(company), "do": "save"}).status_code == 403
    assert client.delete(NEW).status_code == 405


def test_sandbox_that_nobody_owns_is_claimed_by_registering(company: Company) -> None:
    sandbox = factories.make_account("play", stage="sandbox", tags_read_at=timezone.now())
    OrganizationalUnit.objects.update(tags_read_at=timezone.now())
    client = make_client(company.outsider)
    assert "Nobody owns play yet" in check(client, fill(company, sandbox))
    assert client.post(NEW, {**fill(company, sandbox), "do": "save"}).status_code == 302


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"is_management": True}, "is the management account"), ({"state": "SUSPENDED"}, "is not active")],
)
def test_account_that_takes_nobody_is_refused(company: Company, changes: dict[str, Any], sentence: str) -> None:
    Account.objects.filter(pk=company.shop.pk).update(**changes)
    assert sentence in say(save(company, fill(company)))
    assert not Draft.objects.exists()


def test_set_that_is_not_ours_is_refused(company: Company) -> None:
    factories.make_permission_set("Legacy", ownership="not_ours")
    assert "that Genkan does not manage" in say(save(company, fill(company, permission_set="Legacy")))
    assert not Draft.objects.exists()


# --- What stands in the way -------------------------------------------------------------------------------------------


def test_guardrail_speaks_and_a_click_sets_the_day(company: Company) -> None:
    Guardrail.objects.create(
        name="本番", sentence="本番は 7 日以内の期限が要ります。", stage="production", effect="expires_within", days=7
    )
    last = timezone.localdate() + timedelta(days=7)
    html = make_client(company.owner).post(NEW, {**fill(company), "do": "save"}).content.decode()
    assert "本番は 7 日以内" in html
    assert f'name="set-until" value="{last}"' in html
    assert not Draft.objects.exists()
    set_day = make_client(company.owner).post(NEW, {**fill(company), "set-until": last.isoformat()})
    assert read_form(set_day.content.decode())["expires_on"] == last.isoformat()
    save(company, fill(company, expires_on=last.isoformat()))
    assert Draft.objects.get().values["expires_on"] == last.isoformat()


def test_guardrail_for_groups_lets_groups_in(company: Company) -> None:
    Guardrail.objects.create(name="組", sentence="グループだけです。", effect="groups_only")
    text = check(make_client(company.owner), fill(company, groups=["team-shop"]))
    assert "グループだけです。" in text
    assert "Choose a group" in text
    assert save(company, fill(company, users=[], groups=["team-shop"])).status_code == 302


def test_whom_identity_center_does_not_know_waits(company: Company) -> None:
    values = fill(company, users=[], more_users=["new@example.com"])
    assert "new@example.com is not in Identity Center yet" in check(make_client(company.owner), values)
    save(company, values)
    assert Draft.objects.get().values["more_users"] == ["new@example.com"]


def test_frozen_account_says_so_and_keeps_the_wish(company: Company) -> None:
    freeze(company.owner, company.shop, "調査中")
    assert "was frozen by" in check(make_client(company.owner), fill(company))
    assert save(company, fill(company)).status_code == 302


def test_set_that_has_to_be_mended_says_so_and_keeps_the_wish(company: Company) -> None:
    reason = {"code": "set_broken", "params": {"set": "Reader"}}
    PermissionSet.objects.update(state="blocked", reason=reason)
    text = check(make_client(company.owner), fill(company))
    assert "The record of the permission set “Reader” has an error" in text
    assert "new assignment" not in text
    assert save(company, fill(company)).status_code == 302


def test_passed_day_is_refused(company: Company) -> None:
    assert "This day has passed" in say(save(company, fill(company, expires_on="2020-01-01")))
    assert not Draft.objects.exists()


def test_too_much_at_once_is_said(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "MOST_ASSIGNMENTS", 1)
    values = fill(company, users=[company.hana.kintone_code, company.taro.kintone_code])
    assert "These are 2 assignments at once; 1 go into one submit." in say(save(company, values))
    monkeypatch.setattr(foresight, "MOST_ACCOUNTS", 1)
    assert "2 accounts at once are too many" in check(
        make_client(company.owner), fill(company, company.shop, company.staging)
    )
    assert not Draft.objects.exists()


def test_unit_of_thousands_is_answered_with_a_sentence(company: Company) -> None:
    ids = [f"{number:012}" for number in range(3000)]
    Account.objects.bulk_create(Account(account_id=account_id, name=f"n{account_id}") for account_id in ids)
    assert "3000 accounts at once are too many" in check(make_client(company.owner), fill(company, account=ids))


def test_app_that_was_never_read_closes_the_form(company: Company) -> None:
    AppState.objects.all().delete()
    assert make_client(company.owner).get(NEW).status_code == 409


# --- What is typed ----------------------------------------------------------------------------------------------------


def test_lists_are_read_line_by_line_and_nothing_is_lost(company: Company) -> None:
    typed = f"佐藤花\n{company.taro.email}, team-shop\nnobody\nnew@example.com"
    html = save(company, fill(company, users=[], **{"add-people": typed})).content.decode()
    values = read_form(html)
    assert values["users"] == [company.hana.kintone_code, company.taro.kintone_code]
    assert (values["groups"], values["more_users"]) == (["team-shop"], ["new@example.com"])
    assert values["add-people"] == "nobody"
    assert "Line 3:" in html
    assert not Draft.objects.exists()


def test_names_lead_to_nobody_where_people_see_only_what_is_theirs(company: Company, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    typed = f"佐藤 花\n{company.taro.email}"
    values = read_form(save(company, fill(company, users=[], **{"add-people": typed})).content.decode())
    assert (values["users"], values["add-people"]) == ([company.taro.kintone_code], "佐藤 花")


def test_name_that_several_bear_is_asked_about(company: Company) -> None:
    factories.make_person("佐藤 花")
    text = say(save(company, fill(company, **{"add-people": "佐藤 花"})))
    assert "Several people or groups are called “佐藤 花”" in text


@pytest.mark.parametrize("typed", ["service/shop", "shop-prod\nshop-stg"])
def test_unit_or_names_stand_for_accounts(company: Company, typed: str) -> None:
    factories.make_ou("service/shop")
    html = make_client(company.owner).post(NEW, {**fill(company, account=[]), "add-account": typed}).content.decode()
    assert read_form(html)["account"] == [company.shop.account_id, company.staging.account_id]


def test_link_fills_the_form(company: Company) -> None:
    query = f"account={company.shop.account_id}&permission_set=Reader&user={company.hana.email}&group=team-shop"
    values = read_form(get_html(make_client(company.owner), f"{NEW}?{query}&until=2099-01-31&note=why"))
    assert values["account"] == [company.shop.account_id]
    assert (values["permission_set"], values["users"]) == ("Reader", [company.hana.kintone_code])
    assert (values["groups"], values["expires_on"], values["note"].strip()) == (["team-shop"], "2099-01-31", "why")


def test_field_that_the_app_lacks_is_not_asked_for(company: Company) -> None:
    fields = {name: name for name in ("account_id", "permission_set", "users")}
    AppState.objects.update(fields=fields)
    values = read_form(get_html(make_client(company.owner), NEW))
    assert "note" not in values
    assert "no kintone user" in say(save(company, fill(company, **{"add-people": "new@example.com"})))
    save(company, fill(company))
    assert Draft.objects.get().values.keys() == fields.keys()


# --- Pickers ----------------------------------------------------------------------------------------------------------


def test_pickers_find_accounts_units_people_and_groups(company: Company) -> None:
    client = make_client(company.owner)
    assert "shop-prod" in get_text(client, "/assignments/choose/account/?q=shop")
    assert "service/shop/Production" in get_text(client, "/assignments/choose/account/?q=shop")
    people = get_html(client, "/assignments/choose/people/?q=花")
    assert f'data-value="{company.hana.kintone_code}"' in people
    assert "team-shop" in get_text(client, "/assignments/choose/people/?q=team")
    assert "佐藤 花" in get_text(client, "/assignments/choose/owners/?q=佐藤")
    assert client.get("/assignments/choose/nothing/").status_code == 404
    assert client.delete("/assignments/choose/people/").status_code == 405


def test_chosen_text_comes_back_as_a_chip(company: Company) -> None:
    response = make_client(company.owner).post("/assignments/choose/people/", {"text": f"{company.hana.email}\nwho"})
    html = response.content.decode()
    assert f'name="users" value="{company.hana.kintone_code}" checked' in html
    assert "Nobody here is called “who”" in html


# --- Many -------------------------------------------------------------------------------------------------------------


def test_statements_do_not_grow_with_accounts_and_people(company: Company) -> None:
    client, counts = make_client(company.owner), []
    for many in (2, 20):
        accounts = [factories.make_account(tags_read_at=timezone.now()) for _number in range(many)]
        people = [factories.make_person() for _number in range(many)]
        for account, person in zip(accounts, people, strict=True):
            factories.make_assignment(
                person.principal, account=account, permission_set=company.permission_set, record=factories.make_record()
            )
        Guardrail.objects.create(name=f"rule {many}", sentence="x", effect="groups_only")
        values = fill(company, company.shop, *accounts, users=[person.kintone_code for person in people])
        with CaptureQueriesContext(connection) as queries:
            check(client, values)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40


# --- The way to the form ----------------------------------------------------------------------------------------------


def test_pages_lead_to_the_form_for_whom_it_is(company: Company) -> None:
    assert company.hana.pk
    pages = {
        f"/accounts/{company.shop.account_id}/": f"account={company.shop.account_id}",
        f"/people/{company.hana.pk}/": f"user={company.hana.kintone_code}",
        f"/permission-sets/{company.permission_set.pk}/": "permission_set=Reader",
        f"/groups/{company.team.pk}/": "group=team-shop",
    }
    for url, query in pages.items():
        assert f'href="{NEW}?{query}"' in get_html(make_client(company.owner), url), url
        assert f'href="{NEW}?{query}"' not in get_html(make_client(company.outsider), url), url


def test_outsider_is_led_to_who_may_give_it(company: Company) -> None:
    html = get_html(make_client(company.outsider), f"/accounts/{company.shop.account_id}/")
    assert company.outsider.person
    query = f"account={company.shop.account_id}&amp;user={company.outsider.person.kintone_code}"
    assert f'href="{NEW}?{query}"' in html
    auditor = factories.make_user("監査", is_auditor=True)
    assert NEW not in get_html(make_client(auditor), f"/accounts/{company.shop.account_id}/")
