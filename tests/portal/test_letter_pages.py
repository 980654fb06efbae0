"""The page of what one is told."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from syncer.models import Letter, LetterChoice, LetterSettings
from tests import factories
from tests.portal.pages import get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return factories.make_user("花")


def make_letter(user: User, name: str, **values: object) -> Letter:
    params = {"account": name, "set": "Reader", "by": "健", "is_gain": True}
    assert user.person
    return Letter.objects.create(
        person=user.person, kind="access", code="letter_given_by", params=params, path="/records/24/7/", **values
    )


def test_choice_is_kept_with_a_trace(user: User) -> None:
    client = make_client(user)
    assert client.post("/messages/", {"expiry": "on", "shortcut": "on"}).status_code == 302
    choice = LetterChoice.objects.get(user=user)
    assert choice.as_json() == {"access": False, "expiry": True, "leaver": False, "shortcut": True}
    event = AuditEvent.objects.get(action="letter.choose")
    assert event.before
    assert event.after
    assert (event.actor, event.before["access"], event.after["access"]) == (user, True, False)
    client.post("/messages/", {"expiry": "on", "shortcut": "on"})
    assert AuditEvent.objects.filter(action="letter.choose").count() == 1


def test_page_shows_ones_own_letters_alone(user: User) -> None:
    flagged = {"code": "shortcut_account_gone", "params": {"name": "Logs", "account": "shop"}, "kind": "shortcut"}
    Letter.objects.filter(pk=make_letter(user, "").pk).update(**flagged)
    make_letter(user, "shop", sent_at=timezone.now(), way="mail")
    make_letter(factories.make_user(), "secret")
    text = get_text(make_client(user), "/messages/")
    assert "shop × Reader: Given by 健." in text
    assert "Logs: The account shop is closed" in text
    assert "secret" not in text


def test_company_that_tells_nobody_says_so(user: User) -> None:
    assert "has not switched this on" in get_text(make_client(user), "/messages/")
    LetterSettings.objects.update_or_create(pk=1, defaults={"people": "slack"})
    text = get_text(make_client(user), "/messages/")
    assert "has not switched this on" not in text
    assert "in Slack, by mail where Slack does not know them" in text


def test_auditor_chooses_for_himself() -> None:
    auditor = factories.make_user(is_auditor=True)
    assert make_client(auditor).post("/messages/", {}).status_code == 302
    assert LetterChoice.objects.get().user == auditor


def test_sign_in_without_a_person_has_a_page(user: User) -> None:
    User.objects.update(person=None)
    assert "Nothing yet." in get_text(make_client(user), "/messages/")


def test_page_asks_little_however_many_letters_there_are(user: User) -> None:
    for number in range(30):
        make_letter(user, f"a{number:02}")
    text = get_text(make_client(user), "/messages/")
    assert "a29" in text
    assert "a09" not in text


@pytest.mark.parametrize("way", ["mail", "slack"])
def test_admin_cannot_choose_a_way_that_is_not_there(settings: Settings, way: str) -> None:
    admin = make_client(factories.make_user(is_staff=True))
    address = f"/admin/syncer/lettersettings/{LetterSettings.objects.get().pk}/change/"
    settings.HAS_MAIL, settings.SLACK_BOT_TOKEN = False, ""
    assert admin.post(address, {"people": way, "owners": ""}).status_code == 200
    assert LetterSettings.load().people == ""
    settings.HAS_MAIL, settings.SLACK_BOT_TOKEN = True, "xoxb"
    assert admin.post(address, {"people": way, "owners": ""}).status_code == 302
    assert LetterSettings.load().people == way
    assert AuditEvent.objects.filter(action="admin.change").exists()
