"""Changing a record in the portal: who may what, what is shown before, and that only edits are written."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Draft, Guardrail, Record, User, Withheld
from tests import factories
from tests.portal.giving import Company, check, make_company, read_form, say
from tests.portal.pages import get_html, make_client

pytestmark = pytest.mark.django_db
DAY = timezone.localdate() + timedelta(days=30)


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def author() -> User:
    """Wrote the record, and owns no account."""
    return factories.make_user("森 書")


@pytest.fixture
def record(company: Company, author: User) -> Record:
    """Hana and the team have Reader in shop-prod until a day, by the author's word."""
    assert author.person
    people = [{"code": company.hana.kintone_code, "name": "花"}]
    body = {
        "account_id": {"value": company.shop.account_id}, "permission_set": {"value": "Reader"},
        "users": {"value": people}, "groups": {"value": "team-shop"}, "expires_on": {"value": DAY.isoformat()},
        "note": {"value": "月次"}, "owners": {"value": []}, "more_users": {"value": ""},
    }  # fmt: skip
    in_force = {
        "account_id": company.shop.account_id, "permission_set": "Reader", "users": [company.hana.kintone_code],
        "addresses": [], "groups": ["team-shop"], "expires_on": DAY.isoformat(), "owners": [],
    }  # fmt: skip
    return factories.make_record(
        title=company.shop.account_id, body=body, in_force=in_force, creator_code=author.person.kintone_code,
        is_settled=True,
    )  # fmt: skip


def url_of(record: Record) -> str:
    return f"/assignments/{record.pk}/edit/"


def change(user: User, record: Record, **values: Any) -> Any:
    """As a browser does it: the form is opened, something in it changed, and saved."""
    client = make_client(user)
    form = read_form(get_html(client, url_of(record)))
    return client.post(url_of(record), {**form, **values, "do": "save"})


def test_form_opens_with_what_is_in_force(company: Company, record: Record) -> None:
    form = read_form(get_html(make_client(company.owner), url_of(record)))
    assert (form["account"], form["permission_set"]) == ([company.shop.account_id], "Reader")
    assert (form["users"], form["groups"]) == ([company.hana.kintone_code], ["team-shop"])
    assert (form["expires_on"], form["note"].strip()) == (DAY.isoformat(), "月次")


def test_withheld_values_are_said_and_not_in_the_form(company: Company, record: Record) -> None:
    record.body["users"]["value"].append({"code": "stranger", "name": "x"})
    record.revision = 2
    record.save()
    reason = {"code": "writer_may_not_edit", "params": {"name": "x"}}
    Withheld.objects.create(record=record, value="+kintone_user:stranger", revision=2, reason=reason)
    html = get_html(make_client(company.owner), url_of(record))
    assert "are not in force" in html
    assert read_form(html)["users"] == [company.hana.kintone_code]


def test_only_edits_are_written_onto_what_was_opened(company: Company, record: Record) -> None:
    response = change(company.owner, record, users=[company.hana.kintone_code, company.taro.kintone_code])
    draft = Draft.objects.get()
    assert response["Location"] == f"/assignments/sent/{draft.batch}/"
    assert draft.values == {"users": [company.hana.kintone_code, company.taro.kintone_code]}
    assert (draft.record, draft.base_revision) == (record, 1)


def test_nothing_changed_is_said(company: Company, record: Record) -> None:
    assert "Nothing has been changed yet." in say(change(company.owner, record))
    assert not Draft.objects.exists()


def test_author_takes_away_and_shortens_but_gives_nothing(company: Company, record: Record, author: User) -> None:
    more = change(author, record, users=[company.hana.kintone_code, company.taro.kintone_code])
    assert "森 書 does not own the account “shop-prod”" in say(more)
    longer = change(author, record, expires_on=(DAY + timedelta(days=1)).isoformat())
    assert "does not own" in say(longer)
    elsewhere = change(author, record, account=[company.staging.account_id])
    assert "does not own the account “shop-stg”" in say(elsewhere)
    assert not Draft.objects.exists()
    assert change(author, record, groups=[], expires_on=timezone.localdate().isoformat()).status_code == 302
    assert Draft.objects.get().values == {"groups": [], "expires_on": timezone.localdate().isoformat()}


def test_preview_names_who_comes_and_goes(company: Company, record: Record) -> None:
    form = read_form(get_html(make_client(company.owner), url_of(record)))
    text = check(make_client(company.owner), {**form, "users": [company.taro.kintone_code]}, url_of(record))
    assert "1 new assignment " in text
    assert "no more by this record: 佐藤 花" in text


def test_longer_day_is_for_the_guardrail_to_decide(company: Company, record: Record) -> None:
    Guardrail.objects.create(name="三十", sentence="30 日まで。", effect="expires_within", days=31)
    late = (timezone.localdate() + timedelta(days=40)).isoformat()
    assert "30 日まで。" in say(change(company.owner, record, expires_on=late))
    good = (timezone.localdate() + timedelta(days=31)).isoformat()
    assert change(company.owner, record, expires_on=good).status_code == 302


def test_guardrail_for_groups_lets_people_stay_longer(company: Company, record: Record) -> None:
    """It came after the record: what AWS has is kept, and a longer day is none of its business."""
    for principal in (company.hana.principal, company.team):
        factories.make_assignment(
            principal, account=company.shop, permission_set=company.permission_set, record=record, until=DAY
        )
    Guardrail.objects.create(name="組", sentence="グループだけ。", effect="groups_only")
    later = (DAY + timedelta(days=1)).isoformat()
    assert change(company.owner, record, expires_on=later).status_code == 302
    assert "グループだけ。" in say(
        change(company.owner, record, users=[company.hana.kintone_code, company.taro.kintone_code])
    )


def test_link_adds_people_to_the_record(company: Company, record: Record) -> None:
    html = get_html(make_client(company.owner), f"{url_of(record)}?user={company.taro.kintone_code}")
    assert read_form(html)["users"] == [company.hana.kintone_code, company.taro.kintone_code]


def test_records_are_closed_to_others(company: Company, record: Record) -> None:
    client = make_client(company.outsider)
    response = client.get(url_of(record))
    assert response.status_code == 403
    assert "You may not change this record" in response.content.decode()
    assert client.post(url_of(record), {"do": "save"}).status_code == 403
    assert make_client(factories.make_user(is_auditor=True)).get(url_of(record)).status_code == 403
    assert client.get("/assignments/9999/edit/").status_code == 404
    assert client.put(url_of(record)).status_code == 405
    Record.objects.update(gone_at=timezone.now())
    assert make_client(company.owner).get(url_of(record)).status_code == 403


def test_form_that_was_tampered_with_saves_nothing(company: Company, record: Record) -> None:
    response = change(company.owner, record, base="made up", users=[company.taro.kintone_code])
    assert "opened too long ago" in say(response)
    assert not Draft.objects.exists()


def test_page_of_the_record_leads_to_the_form_for_whom_it_is(company: Company, record: Record, author: User) -> None:
    page = f"/assignments/{record.pk}/"
    assert url_of(record) in get_html(make_client(company.owner), page)
    assert url_of(record) in get_html(make_client(author), page)
    assert url_of(record) not in get_html(make_client(company.outsider), page)
