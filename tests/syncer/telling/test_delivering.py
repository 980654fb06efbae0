"""Letters on their way: bundled, each once, by the way that the company and the person have chosen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import stops
from accounts.models import Person, Principal, User
from simulators.serving import Hangup, Serving
from syncer.gateways.errors import Denied, GatewayError, NotFound, Unreachable
from syncer.gateways.mail import Mail
from syncer.gateways.slack import SlackBot
from syncer.models import Letter, LetterChoice, LetterSettings
from syncer.states import Reason
from syncer.telling import delivering
from syncer.telling.delivering import Carriers, send_letters
from syncer.telling.letters import build_letter, write_letters
from tests import factories
from tests.syncer.slack import TOKEN, SlackSimulator, throttle

pytestmark = pytest.mark.django_db


@dataclass
class Postbox:
    """A mail server in this process."""

    mails: list[Mail] = field(default_factory=list)
    error: GatewayError | None = None

    def send(self, mail: Mail) -> None:
        if self.error:
            raise self.error
        self.mails.append(mail)


@pytest.fixture(autouse=True)
def _everything_is_on(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.LANGUAGE_CODE = "https://genkan.example.com", "en"
    settings.AWS_ACCESS_PORTAL_URL = "https://d-1.awsapps.com/start"
    LetterSettings.objects.update_or_create(pk=1, defaults={"people": "mail", "owners": "mail"})


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def mail(postbox: Postbox) -> Carriers:
    return Carriers(mail=postbox)


@pytest.fixture
def simulator() -> SlackSimulator:
    return SlackSimulator()


@pytest.fixture
def slack(simulator: SlackSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackBot]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    LetterSettings.objects.update(people="slack", owners="slack")
    with Serving(simulator) as serving:
        yield SlackBot(TOKEN, "#genkan", api=f"{serving.url}/api/")


def make_letter(person: Person, permission_set: str = "Reader", *, is_gain: bool = True, **values: Any) -> Letter:
    params = {
        "account_id": "123456789012", "account": "shop", "stage": "production", "set": permission_set,
        "is_gain": is_gain, "by": "佐藤 遥",
    }  # fmt: skip
    code = "letter_given_by" if is_gain else "letter_lost_withdrawn"
    defaults: dict[str, Any] = {"kind": "access", "code": code, "params": params, "path": "/records/24/7/"}
    return Letter.objects.create(person=person, retry_at=timezone.now() - timedelta(seconds=1), **defaults | values)


def make_due() -> None:
    Letter.objects.update(retry_at=timezone.now() - timedelta(seconds=1))


# --- What goes out ------------------------------------------------------------------------------------------------


def test_all_of_one_person_is_one_message(mail: Carriers, postbox: Postbox) -> None:
    hana, ken = factories.make_person("花"), factories.make_person("健")
    for name in ("Reader", "Deploy"):
        make_letter(hana, name)
    make_letter(hana, "Admin", is_gain=False)
    make_letter(ken)
    assert send_letters(mail) == 2
    assert [sent.to for sent in postbox.mails] == [hana.email, ken.email]
    assert postbox.mails[0].subject == "Your access to AWS: 2 new, 1 ended"
    assert send_letters(mail) == 0


def test_mail_says_what_by_whom_and_leads_into_the_console(mail: Carriers, postbox: Postbox) -> None:
    make_letter(factories.make_person())
    send_letters(mail)
    [sent] = postbox.mails
    link = "https://d-1.awsapps.com/start/#/console?account_id=123456789012&role_name=Reader"
    for text in ("shop (production) × Reader", "Given by 佐藤 遥.", link, "https://genkan.example.com/records/24/7/"):
        assert text in sent.text
    assert link.replace("&", "&amp;") in sent.html
    assert "https://genkan.example.com/messages/" in sent.text


def test_names_are_text_in_pages_and_in_slack(
    mail: Carriers, postbox: Postbox, slack: SlackBot, simulator: SlackSimulator
) -> None:
    person = factories.make_person()
    simulator.people[person.email] = "U1"
    evil = "<script>x</script>\r\nBcc: a@b.c <!channel>"
    params = {"account_id": "123456789012", "account": evil, "set": evil, "is_gain": False, "by": evil}
    make_letter(person, params=params)
    LetterSettings.objects.update(people="mail")
    send_letters(mail)
    assert "<script>" not in postbox.mails[0].html
    assert "&lt;script&gt;" in postbox.mails[0].html
    make_letter(person, params=params)
    LetterSettings.objects.update(people="slack")
    send_letters(Carriers(slack))
    assert "<!channel>" not in simulator.texts[0]
    assert "<script>" not in simulator.texts[0]


def test_name_of_a_leaver_makes_no_header(mail: Carriers, postbox: Postbox) -> None:
    params = {"account": "shop", "set": "Reader", "who": "Ken\r\nBcc: everybody@example.com"}
    make_letter(factories.make_person(), kind="leaver", code="letter_left", params=params)
    send_letters(mail)
    assert "\n" not in postbox.mails[0].subject
    assert postbox.mails[0].headers.keys() == {"Message-ID", "Auto-Submitted", "Content-Language", "List-Unsubscribe"}


def test_letter_is_in_the_persons_language(mail: Carriers, postbox: Postbox) -> None:
    person = factories.make_person()
    factories.make_user(person=person, language="ja")
    make_letter(person)
    send_letters(mail)
    assert postbox.mails[0].subject == "AWS へのアクセス: 追加 1 件、終了 0 件"
    assert postbox.mails[0].headers["Content-Language"] == "ja"


def test_what_came_and_went_meanwhile_is_no_news(mail: Carriers, postbox: Postbox) -> None:
    person = factories.make_person()
    make_letter(person)
    make_letter(person, is_gain=False)
    assert send_letters(mail) == 0
    assert not Letter.objects.filter(ended_at=None).exists()


def test_reasons_of_a_loss_are_told(mail: Carriers, postbox: Postbox) -> None:
    make_letter(factories.make_person(), is_gain=False, code="letter_lost_ended")
    send_letters(mail)
    assert "The last day has passed." in postbox.mails[0].text
    assert "console?account_id" not in postbox.mails[0].text


def test_long_message_fits_into_slack_and_keeps_its_links(slack: SlackBot, simulator: SlackSimulator) -> None:
    person = factories.make_person()
    simulator.people[person.email] = "U1"
    for number in range(60):
        make_letter(person, f"{'S' * 28}{number:02}")
    assert send_letters(Carriers(slack)) == 1
    assert len(simulator.texts[0]) <= 2900
    assert simulator.texts[0].endswith("/messages/|Choose what you are told>")


# --- Whether ------------------------------------------------------------------------------------------------------


def test_nothing_goes_out_where_it_is_switched_off(mail: Carriers, postbox: Postbox) -> None:
    LetterSettings.objects.update(people="", owners="")
    make_letter(factories.make_person())
    assert send_letters(mail) == 0
    assert Letter.objects.get().ended_at


def test_who_muted_a_kind_is_told_the_others(mail: Carriers, postbox: Postbox) -> None:
    user = factories.make_user()
    person = user.person
    assert person
    LetterChoice.objects.create(user=user, access=False)
    make_letter(person)
    make_letter(
        person, kind="expiry", code="letter_ends", params={"day": "2026-12-01", "names": "花", "account": "shop"}
    )
    assert send_letters(mail) == 1
    assert "2026" in postbox.mails[0].text
    assert write_letters([build_letter(person, "access", "letter_given", {})], timezone.now()) == 0


def test_fresh_letter_waits_for_what_comes_beside_it(mail: Carriers, postbox: Postbox) -> None:
    person = factories.make_person()
    write_letters([build_letter(person, "leaver", "letter_left", {"account": "shop", "who": "Ken"})], timezone.now())
    assert send_letters(mail) == 0
    assert send_letters(mail, at_once=True) == 1


def test_key_is_told_once_however_often_it_is_written() -> None:
    person = factories.make_person()
    for _number in range(2):
        write_letters([build_letter(person, "expiry", "letter_ends", {}, key="last-day:24:7")], timezone.now())
    assert Letter.objects.count() == 1


def lock_out(person: Person) -> None:
    stops.lock_out(None, person, "stolen laptop")


def disable(person: Person) -> None:
    Principal.objects.filter(person=person).update(is_enabled=False)


def remove(person: Person) -> None:
    Principal.objects.filter(person=person).update(gone_at=timezone.now())


def bar(person: Person) -> None:
    User.objects.filter(person=person).update(is_active=False)


@pytest.mark.parametrize("go", [lock_out, disable, remove, bar])
def test_who_is_not_there_any_more_is_told_nothing(
    slack: SlackBot, simulator: SlackSimulator, postbox: Postbox, go: Callable[[Person], None]
) -> None:
    left, still = (factories.make_user(person=factories.make_person()).person for _number in range(2))
    assert left
    assert still
    for person in (left, still):
        make_letter(person)
    go(left)
    assert send_letters(Carriers(slack, postbox)) == 1
    assert [sent.to for sent in postbox.mails] == [still.email]
    letter = Letter.objects.get(person=left)
    assert letter.ended_at
    assert (letter.sent_at, letter.attempts) == (None, 0)


def test_who_signs_in_and_is_not_provisioned_yet_is_told(mail: Carriers, postbox: Postbox) -> None:
    person = factories.make_person(principal=None)
    factories.make_user(person=person)
    make_letter(person)
    make_letter(factories.make_person(principal=None))  # whom nothing says to be there
    assert send_letters(mail) == 1
    assert [sent.to for sent in postbox.mails] == [person.email]


# --- Ways ---------------------------------------------------------------------------------------------------------


def test_slack_is_asked_by_address_and_told_to_the_person(slack: SlackBot, simulator: SlackSimulator) -> None:
    person = factories.make_person()
    simulator.people[person.email] = "U1"
    make_letter(person)
    assert send_letters(Carriers(slack)) == 1
    assert [message["channel"] for message in simulator.messages] == ["U1"]
    assert "<https://d-1.awsapps.com/start/#/console?account_id=123456789012&role_name=Reader|" in simulator.texts[0]
    assert Letter.objects.get().way == "slack"


@pytest.mark.parametrize("found", [None, "D1"])
def test_whom_slack_does_not_know_is_told_by_mail(
    slack: SlackBot, simulator: SlackSimulator, postbox: Postbox, found: str | None
) -> None:
    person = factories.make_person()
    simulator.people |= {person.email: found} if found else {}
    make_letter(person)
    assert send_letters(Carriers(slack, postbox)) == 1
    assert (len(postbox.mails), Letter.objects.get().way) == (1, "mail")


def test_whom_nobody_knows_is_tried_again_in_an_hour_and_others_are_told(
    slack: SlackBot, simulator: SlackSimulator
) -> None:
    unknown, known = factories.make_person(), factories.make_person()
    simulator.people[known.email] = "U2"
    make_letter(unknown)
    make_letter(known)
    assert send_letters(Carriers(slack)) == 1
    letter = Letter.objects.get(person=unknown)
    assert letter.retry_at
    assert letter.retry_at > timezone.now() + timedelta(minutes=59)
    assert "users_not_found" in letter.error


def test_throttled_slack_is_left_in_peace(slack: SlackBot, simulator: SlackSimulator, postbox: Postbox) -> None:
    for _number in range(3):
        make_letter(factories.make_person())
    simulator.answers.append(throttle(240))
    assert send_letters(Carriers(slack, postbox)) == 0
    assert (Letter.objects.filter(attempts=0).count(), postbox.mails) == (2, [])


def test_mail_goes_on_while_slack_is_away(slack: SlackBot, simulator: SlackSimulator, postbox: Postbox) -> None:
    LetterSettings.objects.update(people="slack", owners="mail")
    make_letter(factories.make_person())
    make_letter(factories.make_person(), kind="leaver", code="letter_left", params={"who": "Ken", "account": "shop"})
    simulator.answers.append(Hangup())
    assert send_letters(Carriers(slack, postbox)) == 1


@pytest.mark.parametrize("is_missing", [True, False])
def test_mails_that_wait_keep_nobody_from_being_told_in_slack(
    slack: SlackBot, simulator: SlackSimulator, postbox: Postbox, monkeypatch: pytest.MonkeyPatch, is_missing: bool
) -> None:
    monkeypatch.setattr(delivering, "BATCH", 2)
    LetterSettings.objects.update(people="mail", owners="slack")
    for _number in range(3):
        make_letter(factories.make_person())
    person = factories.make_person()
    simulator.people[person.email] = "U1"
    make_letter(person, kind="leaver", code="letter_left", params={"who": "Ken", "account": "shop"})
    postbox.error = Unreachable("mail", Reason("mail_unreachable", {"code": "x"}))
    assert send_letters(Carriers(slack, None if is_missing else postbox)) == 1
    assert Letter.objects.get(person=person).way == "slack"
    postbox.error = None
    make_due()
    assert send_letters(Carriers(slack, postbox)) == 2
    assert send_letters(Carriers(slack, postbox)) == 1


@pytest.mark.parametrize(
    ("error", "attempted"),
    [
        (Unreachable("mail", Reason("mail_unreachable", {"code": "x"})), 1),  # it would meet the next one as well
        (Denied("mail", Reason("mail_sender_refused", {"code": "553", "text": ""})), 2),
        (NotFound("mail", Reason("mail_recipient_refused", {"code": "550", "text": ""})), 2),
    ],
)
def test_failure_of_mail_keeps_the_letter(
    mail: Carriers, postbox: Postbox, error: GatewayError, attempted: int
) -> None:
    for _number in range(2):
        make_letter(factories.make_person())
    postbox.error = error
    assert send_letters(mail) == 0
    assert Letter.objects.filter(attempts=1).exclude(error="").count() == attempted
    postbox.error = None
    make_due()
    assert send_letters(Carriers(mail=postbox)) == 2


def test_person_without_an_address_is_no_error_of_ours(mail: Carriers, postbox: Postbox) -> None:
    make_letter(factories.make_person(email="nobody"))
    assert send_letters(mail) == 0
    assert "address" in Letter.objects.get().error


def test_what_nobody_could_be_told_within_two_days_is_given_up() -> None:
    make_letter(factories.make_person(), created_at=timezone.now() - timedelta(hours=49))
    assert send_letters(Carriers()) == 0
    letter = Letter.objects.get()
    assert letter.ended_at
    assert "neither Slack nor mail" in letter.error


# --- Races and crashes --------------------------------------------------------------------------------------------


def test_crash_between_sending_and_noting_repeats_one_mail_under_one_id(
    mail: Carriers, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(2):
        make_letter(factories.make_person())
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_note_sent", _die)
        with pytest.raises(KeyboardInterrupt):
            send_letters(mail)
    assert send_letters(mail) == 1  # the other's; that one is claimed
    make_due()
    send_letters(mail)
    ids = [sent.headers["Message-ID"] for sent in postbox.mails]
    assert len(ids) == 3
    assert ids[0] == ids[2]


def _die(*_args: object) -> None:
    raise KeyboardInterrupt


class Crowded(Postbox):
    """A mail server during each of whose mails another worker begins to send as well."""

    def send(self, mail: Mail) -> None:
        super().send(mail)
        send_letters(Carriers(mail=self))


def test_workers_that_meet_send_nothing_twice() -> None:
    for _number in range(4):
        make_letter(factories.make_person())
    crowded = Crowded()
    send_letters(Carriers(mail=crowded))
    assert len({sent.to for sent in crowded.mails}) == len(crowded.mails) == 4
