"""Registering and withdrawing through the API: what the forms decide, and nothing beyond."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Draft, Guardrail, PrincipalLink, Record, User
from portal.views.giving_opening import list_own_codes
from syncer import tasks
from tests import factories
from tests.portal.api.scripts import API, code_of, make_client, read, send
from tests.portal.giving import Company, make_company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_send", lambda *_task: None)


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def owner(company: Company) -> Client:
    return make_client(company.owner, "write")


def wish(company: Company, **values: Any) -> dict[str, Any]:
    return {
        "accounts": [company.shop.account_id],
        "permission_set": "Reader",
        "people": [company.hana.kintone_code],
    } | values


def make_access(company: Company) -> Record:
    """Hana and the team have Reader in shop, by a record of somebody else's."""
    values = {"account_id": company.shop.account_id, "permission_set": "Reader", "users": [company.hana.kintone_code]}
    body: dict[str, Any] = {name: {"value": value} for name, value in values.items()}
    body["users"] = {"type": "USER_SELECT", "value": [{"code": company.hana.kintone_code}]}
    record = factories.make_record(title=company.shop.account_id, body=body, in_force=values, is_settled=True)
    factories.make_assignment(
        company.hana.principal, account=company.shop, permission_set=company.permission_set, record=record
    )
    code = company.hana.kintone_code.casefold()
    PrincipalLink.objects.create(source="kintone_user", key=code, principal=factories.get_principal(company.hana))
    return record


# --- Registering ------------------------------------------------------------------------------------------------------


def test_registration_is_a_draft_for_each_account(company: Company, owner: Client) -> None:
    wanted = wish(company, accounts=["shop-prod", company.staging.account_id], people=["team-shop"], note="月次")
    answer = send(owner, "registrations", wanted)
    assert answer.status_code == 202, answer.content
    drafts = answer.json()["drafts"]
    assert [(draft["state"], draft["record"]) for draft in drafts] == [("waiting", ""), ("waiting", "")]
    one, other = Draft.objects.order_by("pk")
    assert (one.author, one.values["groups"], one.values["note"]) == (company.owner, ["team-shop"], "月次")
    assert {one.values["account_id"], other.values["account_id"]} == {
        company.shop.account_id, company.staging.account_id,
    }  # fmt: skip
    assert one.values["owners"] == list(list_own_codes(company.owner))
    assert one.values["owners"]
    assert f"/assignments/sent/{one.batch}/" in answer.json()["url"]
    assert read(owner, f"drafts/{one.pk}")["state"] == "waiting"


def test_unit_stands_for_its_accounts(company: Company, owner: Client) -> None:
    answer = send(
        owner, "registrations", wish(company, accounts=["service/shop/Production", "service/shop/Development"])
    )
    assert len(answer.json()["drafts"]) == 2


def test_same_key_registers_once(company: Company, owner: Client) -> None:
    first, again = (send(owner, "registrations", wish(company), **{"Idempotency-Key": "k"}) for _time in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Draft.objects.count() == 1
    send(owner, "registrations", wish(company), **{"Idempotency-Key": "other"})
    assert Draft.objects.count() == 2


def test_foreseeing_stores_nothing(company: Company, owner: Client) -> None:
    answer = send(make_client(company.owner), "registrations/foreseen", wish(company)).json()
    assert (answer["is_possible"], answer["counts"]["created"], answer["stopped"]) == (True, 1, [])
    assert not Draft.objects.exists()


def test_outsider_is_refused_with_the_sentence_of_the_page(company: Company) -> None:
    answer = send(make_client(company.outsider, "write"), "registrations", wish(company))
    assert answer.status_code == 409
    (stopped,) = answer.json()["stopped"]
    assert stopped["account_id"] == company.shop.account_id
    assert stopped["refusal"]["message"]
    assert not Draft.objects.exists()


def test_one_refused_account_stops_all(company: Company, owner: Client) -> None:
    wanted = wish(company, accounts=[company.shop.account_id, company.bank.account_id])
    answer = send(owner, "registrations", wanted)
    assert (answer.status_code, Draft.objects.count()) == (409, 0)
    assert [item["account_id"] for item in answer.json()["stopped"]] == [company.bank.account_id]


def test_guardrail_says_the_last_day_that_it_allows(company: Company, owner: Client) -> None:
    Guardrail.objects.create(name="30 日まで", sentence="本番は 30 日まで。", effect="expires_within", days=30)
    answer = send(owner, "registrations", wish(company))
    (stopped,) = answer.json()["stopped"]
    assert (answer.status_code, stopped["refusal"]["code"]) == (409, "guardrail")
    assert stopped["refusal"]["message"] == "本番は 30 日まで。"
    answer = send(owner, "registrations", wish(company, expires_on=stopped["last_day"]))
    assert (answer.status_code, Draft.objects.get().values["expires_on"]) == (202, stopped["last_day"])


def test_what_is_there_is_said(company: Company, owner: Client) -> None:
    make_access(company)
    answer = send(owner, "registrations", wish(company))
    assert answer.json()["stopped"][0]["refusal"]["code"] == "give_all_there"


@pytest.mark.parametrize(
    "changed",
    [
        {"accounts": []}, {"accounts": ["nowhere"]}, {"people": ["no-such-group"]}, {"people": [1]},
        {"expires_on": "2020-01-01"}, {"expires_on": "soon"}, {"permission_set": ""}, {"owners": ["team-shop"]},
        {"people": ["\0"]}, {"note": "x" * 2001},
    ],
)  # fmt: skip
def test_bad_input_is_told_and_stores_nothing(company: Company, owner: Client, changed: dict[str, Any]) -> None:
    answer = send(owner, "registrations", wish(company, **changed))
    assert (answer.status_code, Draft.objects.count()) == (422, 0), answer.content


def test_body_that_is_no_json_is_told(owner: Client) -> None:
    answer = owner.post(f"{API}registrations", "{", content_type="application/json")
    assert code_of(answer) == (400, "api_input_wrong")


def test_scope_and_role_decide_who_writes(company: Company) -> None:
    reader = make_client(company.owner)
    auditor = factories.make_user()
    written = make_client(auditor, "write")
    User.objects.filter(pk=auditor.pk).update(is_auditor=True)  # the role came after the token
    for address, values in (
        ("registrations", wish(company)), ("withdrawals", {"record": "24:1"}), ("runs", {}),
    ):  # fmt: skip
        assert code_of(send(reader, address, values)) == (403, "token_scope")
    assert code_of(send(written, "registrations", wish(company))) == (403, "api_denied")
    assert not Draft.objects.exists()


# --- Withdrawing ------------------------------------------------------------------------------------------------------


def test_anybody_takes_himself_out(company: Company) -> None:
    record = make_access(company)
    hana = factories.make_user(person=company.hana)
    answer = send(make_client(hana, "write"), "withdrawals", {"record": record.reference, "principal": "me"})
    assert answer.status_code == 202, answer.content
    assert Draft.objects.get().values == {"users": []}


def test_owner_takes_others_out_or_ends_the_record(company: Company, owner: Client) -> None:
    record = make_access(company)
    name = factories.get_principal(company.hana).name
    assert send(owner, "withdrawals", {"record": record.reference, "principal": name}).status_code == 202
    Draft.objects.all().delete()
    assert send(owner, "withdrawals", {"record": record.reference}).status_code == 202
    assert Draft.objects.get().is_deletion


def test_outsider_withdraws_nothing(company: Company) -> None:
    record = make_access(company)
    script = make_client(company.outsider, "write")
    name = factories.get_principal(company.hana).name
    for values in ({"principal": name}, {}):
        assert code_of(send(script, "withdrawals", {"record": record.reference} | values)) == (403, "api_denied")
    assert code_of(send(script, "withdrawals", {"record": record.reference, "principal": "me"}))[0] in (403, 409)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("values", [{"record": "24:999"}, {"record": "x"}, {"record": "\0:1"}])
def test_unknown_record_is_not_found(company: Company, owner: Client, values: dict[str, str]) -> None:
    assert code_of(send(owner, "withdrawals", values)) == (404, "api_not_found")


def test_unknown_person_is_not_found(company: Company, owner: Client) -> None:
    record = make_access(company)
    for name in ("nobody", "\0"):
        answer = send(owner, "withdrawals", {"record": record.reference, "principal": name})
        assert code_of(answer) == (404, "api_not_found"), name


def test_draft_of_another_person_is_not_found(company: Company, owner: Client) -> None:
    send(owner, "registrations", wish(company))
    other = make_client(company.outsider)
    assert code_of(other.get(f"{API}drafts/{Draft.objects.get().pk}")) == (404, "api_not_found")


# --- Runs and links ---------------------------------------------------------------------------------------------------


def test_run_is_started_once(owner: Client) -> None:
    first, again = (send(owner, "runs", {}) for _time in range(2))
    assert (first.status_code, first.json()["id"]) == (202, again.json()["id"])
    assert read(owner, f"runs/{first.json()['id']}")["status"] == "queued"


def test_link_is_the_builder_s(company: Company) -> None:
    factories.make_instance()
    factories.make_assignment(company.owner, account=company.shop, permission_set=company.permission_set)
    script = make_client(company.owner)
    place = {"account": company.shop.account_id, "set": "Reader", "service": "cloudwatch-log-group"}
    link = read(script, "shortcut-link", **place, **{"p-log_group": "/aws/lambda/x"})
    assert company.shop.account_id in link["url"]
    assert link["open_names"] == []
    assert read(script, "shortcut-link", **place)["open_names"] == ["log_group"]
    for wrong in ({"url": "https://evil.example/"}, {"set": "Nothing"}, {"service": "nowhere"}):
        answer = script.get(f"{API}shortcut-link", {"account": company.shop.account_id} | wrong)
        assert code_of(answer) == (422, "api_input_wrong"), wrong
    assert code_of(script.get(f"{API}shortcut-link", {"account": "nowhere"})) == (404, "api_not_found")


def test_registration_that_has_ended_today_is_still_today(company: Company, owner: Client) -> None:
    today = timezone.localdate()
    assert send(owner, "registrations", wish(company, expires_on=today.isoformat())).status_code == 202
    yesterday = (today - timedelta(days=1)).isoformat()
    assert code_of(send(owner, "registrations", wish(company, expires_on=yesterday))) == (422, "give_day_passed")
