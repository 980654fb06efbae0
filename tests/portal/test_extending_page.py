"""Extending a last day: the longest that is allowed, for whoever may; for others whom to ask."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, AuditEvent, Draft, Guardrail, OwnerEntry, Record, User
from syncer.models import AppState
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
SOON, FAR = timedelta(days=5), timedelta(days=30)


def in_days(length: timedelta) -> date:
    return timezone.localdate() + length


@pytest.fixture
def hana() -> User:
    return factories.make_user("花")


@pytest.fixture
def record(hana: User) -> Record:
    """Hana's access to shop, which ends in five days."""
    fields = {name: name for name in ("account_id", "permission_set", "users", "expires_on")}
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields=fields)
    account, end = factories.make_account("shop", tags_read_at="2026-01-01T00:00:00Z"), in_days(SOON)
    values = {"account_id": account.account_id, "permission_set": "Deploy"}
    record = factories.make_record(
        in_force={**values, "users": ["hana"], "addresses": [], "groups": [], "expires_on": end.isoformat()},
        body={name: {"value": text} for name, text in {**values, "expires_on": end.isoformat()}.items()},
        is_settled=True,
    )
    permission_set = factories.make_permission_set("Deploy")
    factories.make_assignment(hana, account=account, permission_set=permission_set, record=record, until=end)
    return record


@pytest.fixture
def owner(record: Record) -> User:
    owner = factories.make_user("所有者")
    account = record.assignments.get().account
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    return owner


def limit(days: int) -> None:
    Guardrail.objects.create(name="month", effect="expires_within", days=days, sentence="A month at most.")


def url_of(record: Record) -> str:
    return f"/assignments/{record.pk}/extend/"


def send(user: User, record: Record, day: date, *, seen: date | None = None) -> str:
    values = {"day": day.isoformat(), "seen": (seen or in_days(SOON)).isoformat()}
    response = make_client(user).post(url_of(record), values)
    return response["Location"] if response.status_code == 302 else response.content.decode()


def test_longest_day_is_there_to_be_saved(record: Record, owner: User) -> None:
    limit(30)
    html = get_html(make_client(owner), url_of(record))
    assert f'value="{in_days(FAR)}"' in html
    assert f'max="{in_days(FAR)}"' in html
    assert "A month at most." in html
    place = send(owner, record, in_days(FAR))
    draft = Draft.objects.get()
    assert (place, draft.values) == (f"/drafts/{draft.pk}/", {"expires_on": in_days(FAR).isoformat()})
    assert AuditEvent.objects.get(action="record.extend").before == {"expires_on": in_days(SOON).isoformat()}


def test_nothing_longer_is_saved(record: Record, owner: User) -> None:
    limit(30)
    html = send(owner, record, in_days(FAR + SOON))
    assert "Choose a last day up to" in html
    assert f'value="{in_days(FAR + SOON)}"' in html  # what was typed
    assert not Draft.objects.exists()


def test_limit_that_is_reached_leaves_nothing_to_do(record: Record, owner: User) -> None:
    limit(3)
    html = get_html(make_client(owner), url_of(record))
    assert "It cannot be longer than it is today." in html
    assert 'name="seen"' not in html
    send(owner, record, in_days(FAR))
    assert not Draft.objects.exists()


def test_without_a_limit_a_usual_time_is_offered(record: Record, owner: User) -> None:
    assert f'value="{in_days(SOON + timedelta(days=90))}"' in get_html(make_client(owner), url_of(record))


@pytest.mark.parametrize("days", [5, 1, -1])
def test_earlier_day_is_no_extension(record: Record, owner: User, days: int) -> None:
    assert "no later than the last day there is" in send(owner, record, in_days(timedelta(days=days)))
    assert not Draft.objects.exists()


def test_day_that_somebody_moved_meanwhile_is_looked_at_again(record: Record, owner: User) -> None:
    assert "The list has changed." in send(owner, record, in_days(FAR), seen=in_days(timedelta(days=4)))
    assert not Draft.objects.exists()


def test_who_may_not_is_told_whom_to_ask_and_how(record: Record, owner: User, hana: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://genkan.example"
    response = make_client(hana).get(url_of(record))
    assert response.status_code == 403
    html = response.content.decode()
    assert "Whom to ask: 所有者, or a portal admin." in html
    assert "Please extend" in html
    assert f"https://genkan.example{url_of(record)}" in html
    assert make_client(hana).post(url_of(record), {"day": in_days(FAR)}).status_code == 403


def test_owner_of_a_protected_account_may_not(record: Record, owner: User, settings: Settings) -> None:
    unit = record.assignments.get().account.ou
    assert unit
    settings.PROTECTED_OUS = (unit.ou_id,)
    assert make_client(owner).get(url_of(record)).status_code == 403


def test_auditor_extends_nothing(record: Record, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_auditor=True)
    response = make_client(owner).get(url_of(record))
    assert (response.status_code, "Please extend" in response.content.decode()) == (403, False)


def test_record_without_a_last_day_has_nothing_to_extend(record: Record, owner: User) -> None:
    Record.objects.update(in_force={**(record.in_force or {}), "expires_on": None})
    page = make_client(owner).get(url_of(record), follow=True).content.decode()
    assert "has no last day in force" in page


def test_reminder_and_home_page_lead_there(record: Record, hana: User) -> None:
    response = make_client(hana).get(f"/records/24/{record.record_id}/extend/")
    assert response["Location"] == url_of(record)
    assert f'href="{url_of(record)}"' in get_html(make_client(hana), "/")
    assert "Extend the last day" in get_text(make_client(hana), f"/assignments/{record.pk}/")


def test_bad_ids_are_not_found_and_methods_are_two(record: Record, owner: User, settings: Settings) -> None:
    client = make_client(owner)
    assert client.put(url_of(record)).status_code == 405
    assert client.post("/records/24/1/extend/").status_code == 405
    for url in ("/assignments/9999/extend/", "/records/24/9999/extend/"):
        assert client.get(url).status_code == 404
    settings.VISIBILITY = "own"
    assert make_client(factories.make_user("他人")).get(url_of(record)).status_code == 404
