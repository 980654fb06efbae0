"""*Try again*: who may, what it starts, and where it is followed."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Assignment, AuditEvent, OwnerEntry, Record, Stop, User
from portal.views.pacing import FEW
from syncer.models import Run
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
REASON = {"code": "aws_error", "params": {"operation": "sso-admin:CreateAccountAssignment", "code": "X", "text": "no"}}


@pytest.fixture
def owner() -> User:
    return factories.make_user("林 浩二")


@pytest.fixture
def account(owner: User) -> Account:
    account = factories.make_account("shop-prod")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    return account


@pytest.fixture
def record(account: Account) -> Record:
    return factories.make_record(in_force={"account_id": account.account_id}, is_settled=True)


@pytest.fixture
def assignment(account: Account, record: Record) -> Assignment:
    """AWS has refused it, and it would be tried again in an hour."""
    later = timezone.now() + timedelta(hours=1)
    return factories.make_assignment(
        account=account, record=record, state="failed", in_aws=False, reason=REASON, retry_at=later, failures=1
    )


@pytest.fixture
def client(owner: User) -> Client:
    return make_client(owner)


def retry(client: Client, record: Record) -> str:
    response = client.post(f"/assignments/{record.pk}/try-again/")
    return response["Location"] if response.status_code == 302 else str(response.status_code)


def test_owner_starts_a_run_of_the_record(client: Client, record: Record, assignment: Assignment, owner: User) -> None:
    where = retry(client, record)
    run = Run.objects.get()
    assert (run.kind, run.record_reference, run.requested_by) == ("record", record.reference, owner)
    assert where == f"/runs/{run.pk}/"
    assignment.refresh_from_db()
    assert (assignment.retry_at, assignment.failures, assignment.reason) == (None, 1, REASON)
    event = AuditEvent.objects.get(action="record.try_again")
    assert (event.actor, event.about_record) == (owner, record.reference)
    assert (bool(event.request_id), event.ip) == (True, "127.0.0.1")


def test_pressed_twice_is_one_run(client: Client, record: Record, assignment: Assignment) -> None:
    assert retry(client, record) == retry(client, record)
    Run.objects.update(requested_at=timezone.now() - timedelta(minutes=1), status="done")
    retry(client, record)
    assert Run.objects.count() == 2


def test_second_who_asks_at_once_is_named_too(
    client: Client, record: Record, assignment: Assignment, owner: User
) -> None:
    admin = factories.make_user(is_staff=True)
    assert retry(client, record) == retry(make_client(admin), record)
    events = AuditEvent.objects.filter(action="record.try_again").order_by("pk")
    assert [event.actor for event in events] == [owner, admin]


def test_run_of_a_hint_does_not_stand_in_for_it(client: Client, record: Record, assignment: Assignment) -> None:
    """A run that nobody asked for may have looked before the pause was ended."""
    Run.objects.create(kind="record", record_reference=record.reference, status="done")
    retry(client, record)
    assert Run.objects.count() == 2


@pytest.mark.parametrize("url", ["/accounts/{account}/", "/assignments/{record}/"])
def test_button_stands_beside_the_reason_of_aws(
    url: str, client: Client, account: Account, record: Record, assignment: Assignment
) -> None:
    html = get_html(client, url.format(account=account.account_id, record=record.pk))
    assert "sso-admin:CreateAccountAssignment" in html
    assert html.count(f'action="/assignments/{record.pk}/try-again/"') == 1


@pytest.mark.parametrize("state", ["granted", "blocked", "removing"])
def test_nothing_is_offered_that_helps_nothing(state: str, client: Client, record: Record, account: Account) -> None:
    factories.make_assignment(account=account, record=record, state=state)
    for url in (f"/accounts/{account.account_id}/", f"/assignments/{record.pk}/"):
        assert "/try-again/" not in get_html(client, url)


def test_others_are_offered_nothing_and_refused(record: Record, account: Account, assignment: Assignment) -> None:
    for person, status in ((factories.make_user(), 403), (factories.make_user(is_auditor=True), 403)):
        client = make_client(person)
        assert retry(client, record) == str(status)
        assert "/try-again/" not in get_html(client, f"/accounts/{account.account_id}/")
    assert retry(make_client(factories.make_user(is_staff=True)), record).startswith("/runs/")


def test_in_a_pause_nothing_is_offered(client: Client, account: Account, assignment: Assignment) -> None:
    Stop.objects.create(kind=Stop.Kind.PAUSE, reason="調査", until=timezone.now() + timedelta(hours=1))
    assert "/try-again/" not in get_html(client, f"/accounts/{account.account_id}/")


def test_who_presses_too_often_waits(client: Client, record: Record, assignment: Assignment) -> None:
    *_before, response = [client.post(f"/assignments/{record.pk}/try-again/") for _time in range(FEW + 1)]
    assert (response.status_code, Run.objects.count()) == (429, 1)
    assert int(response["Retry-After"]) > 0


def test_record_that_is_gone_is_not_found(client: Client, record: Record, assignment: Assignment) -> None:
    Record.objects.update(gone_at=timezone.now())
    assert retry(client, record) == "404"
    assert "/try-again/" not in get_text(client, f"/assignments/{record.pk}/")
