"""Pausing, locking out, freezing on the pages: who may, what is kept of what was typed, what everybody sees."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import stops
from accounts.models import Account, AuditEvent, OwnerEntry, Person, Stop, User
from syncer import lock_outs, tasks
from syncer.models import Change, Run
from syncer.states import LONGEST_SESSION
from tests import factories
from tests.portal.pages import get_html, get_text, make_client
from tests.portal.test_every_page import Outline

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that reached the broker."""
    messages: list[str] = []
    monkeypatch.setattr(tasks, "_send", lambda *_task: messages.append("sent"))
    return messages


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花", is_staff=True)


@pytest.fixture
def account() -> Account:
    return factories.make_account("payments-prod")


@pytest.fixture
def person() -> Person:
    return factories.make_person("佐藤 太郎")


def make_owner(account: Account) -> User:
    user = factories.make_user("所有 者")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(user))
    return user


class Address:
    """The addresses of this module, for one person and one account."""

    def __init__(self, person: Person, account: Account) -> None:
        self.person, self.account = f"/people/{person.pk}/", f"/accounts/{account.account_id}/"
        self.pause, self.resume = "/runs/pause/", "/runs/resume/"
        self.lock_out, self.lift_lock_out = f"{self.person}lock-out/", f"{self.person}lift-lock-out/"
        self.freeze, self.lift_freeze = f"{self.account}freeze/", f"{self.account}lift-freeze/"

    @property
    def pages(self) -> list[str]:
        return [self.pause, self.lock_out, self.freeze]

    @property
    def acts(self) -> list[str]:
        return [self.resume, self.lift_lock_out, self.lift_freeze]


@pytest.fixture
def at(person: Person, account: Account) -> Address:
    return Address(person, account)


GOOD = {"reason": "incident 12", "until": "2h"}


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_anonymous_is_led_to_sign_in(at: Address) -> None:
    for url in [*at.pages, *at.acts]:
        response = Client().post(url, GOOD)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/sign-in/"), url
    assert not Stop.objects.exists()


@pytest.mark.parametrize("role", [{}, {"is_auditor": True}, {"is_guest": True}])
def test_nobody_but_admins_and_owners_stops_anything(role: dict[str, Any], at: Address, admin: User) -> None:
    stops.begin_pause(admin, "x", timezone.now() + timedelta(hours=1))
    client = make_client(factories.make_user(**role))
    for url in [*at.pages, *at.acts]:
        assert client.post(url, GOOD).status_code == 403, url
    for url in at.pages:
        assert client.get(url).status_code == 403, url
    assert (Stop.objects.count(), stops.is_paused()) == (1, True)


def test_owner_freezes_his_account_and_no_other(at: Address, account: Account) -> None:
    client, other = make_client(make_owner(account)), factories.make_account()
    assert client.post(at.freeze, GOOD).status_code == 302
    assert list(stops.find_frozen()) == [account.account_id]
    assert client.post(f"/accounts/{other.account_id}/freeze/", GOOD).status_code == 403
    assert client.post(at.lock_out, GOOD).status_code == 403
    assert client.post(at.pause, GOOD).status_code == 403
    assert client.post(at.lift_freeze).status_code == 302
    assert stops.find_frozen() == {}


def test_acts_need_post_and_pages_nothing_else(at: Address, admin: User) -> None:
    client = make_client(admin)
    for url in at.acts:
        assert client.get(url).status_code == 405, url
    for url in [*at.pages, *at.acts]:
        assert client.put(url).status_code == 405, url
        assert client.delete(url).status_code == 405, url


@pytest.mark.parametrize(
    "url",
    ["/people/9999/lock-out/", "/people/9999/lift-lock-out/", "/accounts/000000000000/freeze/", "/accounts/x/freeze/",
     "/accounts/000000000000/lift-freeze/", "/people/x/lock-out/"],
)  # fmt: skip
def test_what_is_not_there_is_404(url: str, admin: User) -> None:
    assert make_client(admin).post(url, GOOD).status_code == 404


def test_account_that_one_may_not_see_is_404(at: Address, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    assert make_client(factories.make_user()).post(at.freeze, GOOD).status_code == 404


def test_form_without_token_is_refused(at: Address, admin: User) -> None:
    client = make_client(admin)
    client.handler.enforce_csrf_checks = True
    for url in [*at.pages, *at.acts]:
        assert client.post(url, GOOD).status_code == 403, url
    assert not Stop.objects.exists()


# --- What was typed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "said"), [("", "The reason is missing."), ("x" * 401, "401 characters; 400 fit")])
def test_reason_that_does_not_do_is_kept_and_said(reason: str, said: str, at: Address, admin: User) -> None:
    for url in at.pages:
        response = make_client(admin).post(url, {"reason": reason, "until": "8h"})
        html = response.content.decode()
        assert response.status_code == 200, url
        assert said in html, url
        assert reason in html, url
        assert 'aria-invalid="true"' in html, url
    assert not Stop.objects.exists()


@pytest.mark.parametrize("until", ["", "1000h"])
def test_end_that_does_not_do_keeps_the_reason(until: str, admin: User) -> None:
    response = make_client(admin).post("/runs/pause/", {"reason": "incident 12", "until": until})
    assert response.status_code == 200
    assert "incident 12" in response.content.decode()
    assert not Stop.objects.exists()


def test_chosen_end_is_kept(admin: User) -> None:
    html = make_client(admin).post("/runs/pause/", {"reason": "", "until": "8h"}).content.decode()
    checked = html[: html.index(" checked")].rpartition("<input")[2]
    assert 'value="8h"' in checked


def test_nul_in_a_reason_is_refused(at: Address, admin: User) -> None:
    for url in at.pages:
        assert make_client(admin).post(url, {"reason": "a\0b", "until": "2h"}).status_code == 200
    assert not Stop.objects.exists()


def test_hostile_reason_stays_text_everywhere(at: Address, admin: User, person: Person, account: Account) -> None:
    client = make_client(admin)
    for url in at.pages:
        assert client.post(url, {"reason": HOSTILE, "until": "2h"}).status_code == 302
    for url in ("/", "/runs/", at.person, at.account, *at.pages):
        html = get_html(client, url)
        assert "<script>alert" not in html, url
        assert "&lt;script&gt;alert" in html, url


# --- Pause ------------------------------------------------------------------------------------------------------------


def test_pause_is_told_on_every_page_to_everybody(admin: User) -> None:
    assert make_client(admin).post("/runs/pause/", GOOD).headers["Location"] == "/runs/"
    client = make_client(factories.make_user())
    for url in ("/", "/accounts/", "/people/", "/runs/", "/cli/"):
        text = get_text(client, url)
        assert "by 管理 花: “incident 12”." in text, url


def test_banner_is_not_shown_before_signing_in(admin: User) -> None:
    stops.begin_pause(admin, "incident 12", timezone.now() + timedelta(hours=1))
    assert "incident 12" not in Client().get("/sign-in/").content.decode()


def test_banner_goes_with_the_pause(admin: User) -> None:
    stops.begin_pause(admin, "incident 12", timezone.now() + timedelta(hours=1))
    Stop.objects.update(until=timezone.now())
    assert "incident 12" not in get_text(make_client(admin), "/")


def count_statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        get_html(client, url)
    return len(queries)


def test_banner_costs_one_statement_paused_or_not(admin: User) -> None:
    client = make_client(admin)
    calm = count_statements(client, "/cli/")
    with CaptureQueriesContext(connection) as queries:
        get_html(client, "/cli/")
    assert sum("accounts_stop" in query["sql"] for query in queries) == 1
    stops.begin_pause(admin, "incident 12", timezone.now() + timedelta(hours=1))
    assert count_statements(client, "/cli/") == calm


@pytest.mark.parametrize(
    ("choice", "end"),
    [
        ("30m", "2026-11-25T15:30:00+00:00"),
        ("2h", "2026-11-25T17:00:00+00:00"),
        ("8h", "2026-11-25T23:00:00+00:00"),
        ("morning", "2026-11-27T00:00:00+00:00"),  # it is midnight in Tokyo: tomorrow is the 27th
        ("3d", "2026-11-28T15:00:00+00:00"),
        ("7d", "2026-12-02T15:00:00+00:00"),
    ],
)
def test_each_end_can_be_chosen(choice: str, end: str, admin: User) -> None:
    with time_machine.travel("2026-11-25T15:00:00Z", tick=False):
        client = make_client(admin)
        assert client.post("/runs/pause/", {"reason": "x", "until": choice}).status_code == 302
    until = Stop.objects.get().until
    assert until is not None
    assert until.isoformat() == end


def test_admin_resumes_and_a_run_catches_up(admin: User) -> None:
    client = make_client(admin)
    client.post("/runs/pause/", GOOD)
    assert "/runs/resume/" in get_html(client, "/runs/")
    assert "/runs/resume/" not in get_html(make_client(factories.make_user()), "/runs/")
    client.post("/runs/resume/")
    assert not stops.is_paused()
    assert Run.objects.get().kind == Run.Kind.FULL
    assert "/runs/pause/" in get_html(client, "/runs/")


def test_resuming_what_goes_on_does_nothing(admin: User) -> None:
    assert make_client(admin).post("/runs/resume/").status_code == 302
    assert not Run.objects.exists()


def test_shorter_pause_says_that_a_longer_one_holds(admin: User) -> None:
    client = make_client(admin)
    client.post("/runs/pause/", {"reason": "first", "until": "8h"})
    response = client.post("/runs/pause/", {"reason": "second", "until": "30m"}, follow=True)
    assert "holds already, so nothing was changed" in response.content.decode()
    assert Stop.objects.get().reason == "first"


# --- Lock-out ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def access(person: Person) -> dict[str, Any]:
    """What goes and what stays of a person's access, by the set's name."""
    principal = factories.get_principal(person)
    deploy = factories.make_permission_set("Deploy", actual={**BARE, "session_duration": "PT8H"})
    foreign = factories.make_permission_set("Foreign", ownership="not_ours")
    root = factories.make_permission_set("Root", ownership="terraform")
    closed = factories.make_account("closed-prod", state="SUSPENDED")
    management = factories.make_account("management", is_management=True)
    factories.make_assignment(principal, account=factories.make_account("shop-prod"), permission_set=deploy)
    factories.make_assignment(principal, permission_set=foreign)
    factories.make_assignment(principal, permission_set=root)
    factories.make_assignment(principal, account=closed)
    factories.make_assignment(principal, account=management)
    factories.make_assignment(factories.make_group("team-x", principal))
    return {"principal": principal}


BARE = {
    "description": "", "relay_state": "", "managed_policies": [], "customer_managed_policies": [], "inline_policy": "",
    "permissions_boundary": "",
}  # fmt: skip


@pytest.mark.usefixtures("access")
def test_page_lists_what_goes_and_what_stays(at: Address, admin: User) -> None:
    text = get_text(make_client(admin), at.lock_out)
    goes, stays = text.split("Stays: Genkan cannot take it away")
    assert "Deploy" in goes
    assert "1 assignment" in goes
    assert "up to 8 hours after the removal" in goes
    for reason in (
        "The permission set is not managed by Genkan", "managed in Terraform", "The account is not active",
        "The management account is kept in Terraform", "through the group team-x",
    ):  # fmt: skip
        assert reason in stays


def test_locking_out_queues_its_run_at_once(
    at: Address,
    admin: User,
    person: Person,
    sent: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = make_client(admin).post(at.lock_out, GOOD)
    assert response["Location"] == f"{at.person}#lock-out"
    run = Run.objects.get()
    assert (run.kind, run.stop, run.requested_by) == (Run.Kind.LOCK_OUT, Stop.objects.get(), admin)
    assert sent == ["sent"]
    assert AuditEvent.objects.get().ip == "127.0.0.1"


def test_two_admins_who_lock_out_the_same_make_one_run(at: Address, admin: User) -> None:
    for user in (admin, factories.make_user(is_staff=True)):
        assert make_client(user).post(at.lock_out, GOOD).status_code == 302
    assert (Stop.objects.count(), Run.objects.count()) == (1, 1)


def test_person_whom_identity_center_does_not_know_cannot_be_locked_out(admin: User) -> None:
    stranger = factories.make_person("新人", principal=None)
    client = make_client(admin)
    response = client.post(f"/people/{stranger.pk}/lock-out/", GOOD)
    assert response.status_code == 200
    assert "not in Identity Center, so there is nothing to lock out of" in response.content.decode()
    assert "/lock-out/" not in get_html(client, f"/people/{stranger.pk}/")


def test_only_admins_are_offered_the_button(at: Address, admin: User) -> None:
    assert at.lock_out in get_html(make_client(admin), at.person)
    assert at.lock_out not in get_html(make_client(factories.make_user(is_auditor=True)), at.person)


@pytest.fixture
def locked(person: Person, admin: User, access: dict[str, Any]) -> Stop:
    return stops.lock_out(admin, person, "stolen laptop")


def make_lock_out_run(stop: Stop, **values: Any) -> Run:
    return factories.make_run(kind=Run.Kind.LOCK_OUT, stop=stop, steps={"apply": {"done": 0, "total": 1}}, **values)


def test_everybody_sees_who_locked_out_and_why(at: Address, locked: Stop) -> None:
    client = make_client(factories.make_user())
    text = get_text(client, at.person)
    assert "was locked out by 管理 花" in text
    assert "stolen laptop" in text
    assert "through the group team-x" in text
    assert at.lift_lock_out not in get_html(client, at.person)
    assert "locked out" in get_text(client, "/people/")


def test_locked_person_is_told_at_home(person: Person, locked: Stop) -> None:
    assert "stolen laptop" in get_text(make_client(factories.make_user(person=person)), "/")


def test_page_follows_the_removal(at: Address, locked: Stop) -> None:
    run = make_lock_out_run(locked, status="running", finished_at=None)
    factories.make_change(
        run, kind="delete", outcome="sent", account_id=Account.objects.get(name="shop-prod").account_id
    )
    client = make_client(factories.make_user())
    html = get_html(client, at.person)
    assert 'hx-trigger="every 1s"' in html
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in html
    part = get_html(client, at.person, part="lock-out")
    assert "<html" not in part
    seen = part.split("seen=")[1].split('"')[0]
    headers = {"HX-Request": "true", "HX-Target": "lock-out"}
    assert client.get(f"{at.person}?seen={seen}", headers=headers).status_code == 204
    Change.objects.update(outcome="succeeded", finished_at=timezone.now())
    Run.objects.update(status="done")
    over = client.get(f"{at.person}?seen={seen}", headers=headers).content.decode()
    assert "hx-trigger" not in over
    assert "The removals are done." in over
    assert 'id="ways"' in over
    assert 'hx-swap-oob="true"' in over


def test_page_says_until_when_open_sessions_can_live(at: Address, locked: Stop) -> None:
    run = make_lock_out_run(locked)
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False):
        factories.make_change(
            run, kind="delete", outcome="succeeded", permission_set_name="Deploy", finished_at=timezone.now()
        )
        assert "that were open can go on until 20:00" in get_text(make_client(factories.make_user()), at.person)


def test_removal_that_failed_says_what_comes_next(at: Address, locked: Stop) -> None:
    make_lock_out_run(locked, status="failed", error={"code": "changes_failed", "params": {"count": 1}})
    text = get_text(make_client(factories.make_user()), at.person)
    assert "tried again by itself every five minutes" in text


def test_admin_lifts_and_a_run_gives_back(at: Address, admin: User, locked: Stop) -> None:
    response = make_client(admin).post(at.lift_lock_out, follow=True)
    assert "The lock-out is lifted." in response.content.decode()
    assert stops.find_locked() == {}
    assert Run.objects.get().kind == Run.Kind.FULL
    assert 'id="lock-out"' not in get_html(make_client(admin), at.person)


def test_what_is_stopped_keeps_the_outline_of_its_page(
    at: Address, admin: User, account: Account, locked: Stop
) -> None:
    run = make_lock_out_run(locked)
    factories.make_change(run, kind="delete", outcome="succeeded", account_id=account.account_id)
    stops.freeze(admin, account, "audit")
    stops.begin_pause(admin, "incident 12", timezone.now() + timedelta(hours=1))
    client = make_client(admin)
    for url in (at.person, at.account, "/runs/", f"/runs/{run.pk}/", *at.pages):
        outline = Outline()
        outline.feed(get_html(client, url))
        levels = [int(tag[1]) for tag in outline.headings]
        assert outline.inline == [], url
        assert levels.count(1) == 1, url
        assert len(outline.ids) == len(set(outline.ids)), url
        assert all(below <= above + 1 for above, below in pairwise([0, *levels])), (url, levels)


def test_part_of_a_lifted_lock_out_is_empty(at: Address, admin: User, locked: Stop, person: Person) -> None:
    stops.lift_lock_out(admin, person)
    assert get_html(make_client(admin), at.person, part="lock-out") == ""


def test_run_of_a_lock_out_is_in_the_history(locked: Stop, admin: User) -> None:
    run = make_lock_out_run(locked, counts={"delete": 1})
    client = make_client(factories.make_user())
    assert "lock-out of a person" in get_text(client, "/runs/")
    text = get_text(client, f"/runs/{run.pk}/")
    assert "佐藤 太郎" in text
    assert "Read kintone" not in text
    empty = make_lock_out_run(locked)
    assert "Nothing to remove" in get_text(client, f"/runs/{empty.pk}/")


def test_lock_out_pages_ask_as_often_for_many_as_for_few(at: Address, admin: User, person: Person) -> None:
    client, principal = make_client(admin), factories.get_principal(person)

    def add_rows(number: int) -> None:
        for _row in range(number):
            factories.make_assignment(principal, permission_set=factories.make_permission_set())
            factories.make_assignment(
                principal, permission_set=factories.make_permission_set(ownership="not_ours"), record=None
            )
            factories.make_assignment(factories.make_group("", principal))

    add_rows(3)
    few = count_statements(client, at.lock_out)
    add_rows(10)
    assert count_statements(client, at.lock_out) == few <= 20
    stop = stops.lock_out(admin, person, "left")
    run = make_lock_out_run(stop)
    factories.make_change(run, kind="delete", account_id=factories.make_account().account_id)
    few = count_statements(client, at.person)
    add_rows(10)
    for _row in range(10):
        factories.make_change(run, kind="delete", account_id=factories.make_account().account_id)
        stops.lock_out(admin, factories.make_person(), "left")
    assert count_statements(client, at.person) == few <= 40


# --- Freeze -----------------------------------------------------------------------------------------------------------


def test_everybody_sees_that_an_account_is_frozen(at: Address, admin: User, account: Account) -> None:
    make_client(admin).post(at.freeze, {"reason": "audit of the year"})
    client = make_client(factories.make_user())
    text = get_text(client, at.account)
    assert "was frozen by 管理 花" in text
    assert "audit of the year" in text
    assert at.lift_freeze not in get_html(client, at.account)
    assert "frozen" in get_text(client, "/accounts/")


def test_freeze_is_offered_to_owners_and_admins(at: Address, admin: User, account: Account) -> None:
    owner, other = make_owner(account), factories.make_user()
    offered = [at.freeze in get_html(make_client(user), at.account) for user in (admin, owner, other)]
    assert offered == [True, True, False]


def test_owner_lifts_and_a_run_catches_up(at: Address, admin: User, account: Account) -> None:
    stops.freeze(admin, account, "audit")
    client = make_client(make_owner(account))
    assert at.lift_freeze in get_html(client, at.account)
    assert "The freeze is lifted." in client.post(at.lift_freeze, follow=True).content.decode()
    assert Run.objects.get().kind == Run.Kind.FULL
    assert client.post(at.lift_freeze).status_code == 302
    assert Run.objects.count() == 1


@pytest.mark.parametrize("url", ["/accounts/", "/people/"])
def test_lists_ask_once_for_what_is_stopped(url: str, admin: User, account: Account, person: Person) -> None:
    client = make_client(admin)
    stops.freeze(admin, account, "audit")
    stops.lock_out(admin, person, "left")
    few = count_statements(client, url)
    for _row in range(5):
        stops.freeze(admin, factories.make_account(), "audit")
        stops.lock_out(admin, factories.make_person(), "left")
    assert count_statements(client, url) == few


def test_longest_session_of_unknown_sets_is_the_limit_of_aws() -> None:
    assert lock_outs.find_longest_session(["Gone"]) == LONGEST_SESSION
    assert lock_outs.find_longest_session([]) is None
