"""What became of a submit: record by record, person by person, and when the page stops asking."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Assignment, Draft, Record
from syncer.models import Run
from tests import factories
from tests.portal.giving import NEW, Company, fill, make_company
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def client(company: Company) -> Client:
    return make_client(company.owner)


@pytest.fixture
def page(company: Company, client: Client) -> str:
    """Hana gets Reader in shop-prod."""
    return str(client.post(NEW, {**fill(company), "do": "save"})["Location"])


def write(company: Company, **values: Any) -> Record:
    """kintone has it, and a run has looked, or not."""
    record = factories.make_record(title=company.shop.account_id, **{"is_settled": True, **values})
    Draft.objects.update(state="written", written_reference=record.reference, written_revision=1)
    return record


def grant(company: Company, record: Record, **values: Any) -> Assignment:
    return factories.make_assignment(
        company.hana.principal, account=company.shop, permission_set=company.permission_set, record=record, **values
    )


def test_page_says_that_it_is_on_its_way_and_asks_again(client: Client, page: str) -> None:
    html = get_html(client, page)
    assert "On its way to kintone." in html
    assert 'hx-trigger="every 1s"' in html
    assert "not in kintone yet" in html


def test_page_follows_a_written_record_until_it_is_granted(company: Company, client: Client, page: str) -> None:
    record = write(company, is_settled=False)
    assert "being looked at" in get_text(client, page, part="sent")
    Record.objects.update(is_settled=True)
    row = grant(company, record, state="applying")
    assert "hx-get" in get_html(client, page)
    Assignment.objects.filter(pk=row.pk).update(state="granted")
    html = get_html(client, page)
    assert "1 of 1 granted" in html
    assert "hx-get" not in html


def test_reason_of_aws_stands_on_the_page(company: Company, client: Client, page: str) -> None:
    reason = {
        "code": "aws_error",
        "params": {"operation": "sso-admin:CreateAccountAssignment", "code": "X", "text": "no"},
    }
    grant(company, write(company), state="failed", reason=reason)
    assert "AWS" in get_text(client, page)
    assert "sso-admin:CreateAccountAssignment" in get_text(client, page)


def test_what_a_run_did_not_let_in_is_said(company: Company, client: Client, page: str) -> None:
    write(company)
    assert "not in force" in get_text(client, page)


def test_page_asks_more_and_more_seldom_and_ends(client: Client, page: str) -> None:
    for minutes, pause in ((1, "every 3s"), (5, "every 10s"), (20, None)):
        Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=minutes))
        html = get_html(client, page)
        assert (pause in html) if pause else ("hx-trigger" not in html)


def test_no_news_is_a_short_answer(client: Client, page: str) -> None:
    html = get_html(client, page)
    seen = html.split("?seen=")[1].split('"')[0]
    headers = {"HX-Request": "true", "HX-Target": "sent"}
    assert client.get(f"{page}?seen={seen}", headers=headers).status_code == 204
    Draft.objects.update(reason={"code": "kintone_locked", "params": {"operation": "x"}})
    assert client.get(f"{page}?seen={seen}", headers=headers).status_code == 200


def test_submit_is_for_its_author_and_who_sees_everything(company: Company, client: Client, page: str) -> None:
    assert make_client(company.outsider).get(page).status_code == 404
    auditor = make_client(factories.make_user(is_auditor=True))
    assert auditor.get(page).status_code == 200
    assert auditor.post(f"{page}send/").status_code == 403
    assert client.get(f"{page}send/").status_code == 405
    assert client.post(page).status_code == 405
    assert client.get("/assignments/sent/nothing/").status_code == 404
    assert Client().get(page)["Location"].startswith("/sign-in/")


def test_refused_record_shows_why_and_where_to_go_on(client: Client, page: str) -> None:
    Draft.objects.update(state="refused", reason={"code": "draft_refused", "params": {"text": "必須です。"}})
    html = get_html(client, page)
    assert "必須です。" in html
    assert f"/drafts/{Draft.objects.get().pk}/" in html


def test_many_people_are_counted_and_trouble_comes_first(company: Company, client: Client) -> None:
    people = [factories.make_person(f"人 {number:02}") for number in range(40)]
    values = fill(company, users=[person.kintone_code for person in people])
    page = client.post(NEW, {**values, "do": "save"})["Location"]
    record = write(company)
    for person in people:
        state = "failed" if person is people[-1] else "granted"
        factories.make_assignment(
            person.principal, account=company.shop, permission_set=company.permission_set, record=record, state=state
        )
    text = get_text(client, page)
    assert "39 of 40 granted" in text
    assert "and 10 more" in text
    assert "人 39" in text


def test_refused_access_is_tried_again_and_followed_here(company: Company, client: Client, page: str) -> None:
    record = write(company, in_force={"account_id": company.shop.account_id})
    grant(company, record, state="failed", in_aws=False)
    Draft.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    html = get_html(client, page)
    assert f'action="/assignments/{record.pk}/try-again/"' in html
    assert "hx-trigger" not in html
    batch = Draft.objects.get().batch
    assert client.post(f"/assignments/{record.pk}/try-again/", {"batch": batch})["Location"] == page
    html = get_html(client, page)
    assert "being tried again" in html
    assert 'hx-trigger="every 1s"' in html
    assert "/try-again/" not in html
    Run.objects.update(status="done")
    assert "hx-trigger" not in get_html(client, page)
