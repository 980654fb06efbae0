"""Pausing, locking out, freezing: what is stored, what holds, and what pressing twice does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.utils import timezone

from accounts import stops
from accounts.models import AuditEvent, Person, Principal, Stop, User
from accounts.stops import StopRefused
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花", is_staff=True)


@pytest.fixture
def person() -> Person:
    return factories.make_person("佐藤 太郎")


def pause(admin: User | None, hours: float = 2, reason: str = "incident 12") -> Stop:
    return stops.begin_pause(admin, reason, timezone.now() + hours * HOUR)


def list_actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


# --- Pause ------------------------------------------------------------------------------------------------------------


def test_pause_holds_until_its_end(admin: User) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False) as clock:
        stop = stops.begin_pause(admin, "incident 12", timezone.now() + HOUR)
        clock.shift(HOUR - timedelta(microseconds=1))
        assert stops.find_pause() == stop
        clock.shift(timedelta(microseconds=1))
        assert stops.find_pause() is None
        assert not stops.is_paused()


def test_pause_is_audited_with_reason_and_end(admin: User) -> None:
    stop = pause(admin)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.object_id) == ("pause.begin", admin, str(stop.pk))
    assert event.after == {"reason": "incident 12", "until": stop.until and stop.until.isoformat()}


def test_pause_pressed_twice_is_one(admin: User) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False):
        assert pause(admin) == pause(admin)
    assert list_actions() == ["pause.begin"]


def test_second_pause_makes_the_first_longer(admin: User) -> None:
    first, second = pause(admin, 1), pause(factories.make_user(), 3, "longer")
    assert stops.find_pause() == second
    first.refresh_from_db()
    assert (first.lifted_at is None, second.reason) == (False, "longer")
    assert list_actions() == ["pause.begin", "pause.extend"]


def test_second_pause_never_makes_the_first_shorter(admin: User) -> None:
    first = pause(admin, 3)
    assert pause(factories.make_user(), 1) == first
    assert list_actions() == ["pause.begin"]


def test_pause_can_begin_again_after_it_ended(admin: User) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False) as clock:
        first = pause(admin, 1)
        clock.shift(2 * HOUR)
        second = pause(admin, 1)
    assert first != second
    assert list_actions() == ["pause.begin", "pause.end", "pause.begin"]


def test_ended_pause_is_noted_once(admin: User) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False) as clock:
        stop = pause(admin, 1)
        assert stops.close_ended_pauses() == 0
        clock.shift(HOUR)
        assert (stops.close_ended_pauses(), stops.close_ended_pauses()) == (1, 0)
    stop.refresh_from_db()
    assert (stop.lifted_at, stop.lifted_by) == (stop.until, None)


def test_lifting_a_pause_ends_it_once(admin: User) -> None:
    stop = pause(admin)
    assert stops.lift_pause(admin) == stop
    assert stops.lift_pause(admin) is None
    assert not stops.is_paused()
    assert list_actions() == ["pause.begin", "pause.lift"]


def test_two_who_lift_at_once_leave_one_event(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = pause(admin)
    close = stops._close

    def be_late(found: list[Stop], *arguments: Any) -> int:
        Stop.objects.update(lifted_at=timezone.now())
        return close(found, *arguments)

    monkeypatch.setattr(stops, "_close", be_late)
    assert stops.lift_pause(admin) is None
    assert list_actions() == ["pause.begin"]
    assert Stop.objects.get().pk == stop.pk


@pytest.mark.parametrize(
    ("hours", "code"),
    [(0, "pause_end_passed"), (-1, "pause_end_passed"), (7 * 24 + 0.1, "pause_too_long")],
)
def test_end_must_lie_ahead_and_within_a_week(hours: float, code: str, admin: User) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False), pytest.raises(StopRefused) as refusal:
        pause(admin, hours)
    assert (refusal.value.code, refusal.value.field) == (code, "until")
    assert not Stop.objects.exists()


def test_pause_of_a_week_is_possible(admin: User) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False):
        assert pause(admin, 7 * 24).until


# --- Reasons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "code"), [("", "missing"), (" \n\t ", "missing"), ("x" * 401, "long")])
def test_reason_is_needed_and_fits(reason: str, code: str, admin: User, person: Person) -> None:
    acts: list[Callable[[], Stop]] = [
        lambda: pause(admin, reason=reason),
        lambda: stops.lock_out(admin, person, reason),
        lambda: stops.freeze(admin, factories.make_account(), reason),
    ]
    for act in acts:
        with pytest.raises(StopRefused) as refusal:
            act()
        assert (refusal.value.code, refusal.value.field) == (f"stop_reason_{code}", "reason")
        assert refusal.value.sentence.remedy


def test_reason_of_400_characters_fits(admin: User) -> None:
    assert pause(admin, reason="理" * 400).reason == "理" * 400


def test_reason_is_one_line_without_nul(admin: User) -> None:
    assert pause(admin, reason=" left\n the\tcompany \x00").reason == "left the company \ufffd"


# --- Lock-out ---------------------------------------------------------------------------------------------------------


def test_locked_person_is_found_by_his_principal(admin: User, person: Person) -> None:
    stop = stops.lock_out(admin, person, "stolen laptop")
    principal = factories.get_principal(person)
    assert stops.find_locked() == {principal.principal_id: stop}
    assert stops.find_lock_out(principal) == stop
    assert stops.find_lock_out(factories.make_principal()) is None
    assert stops.find_lock_out(None) is None


def test_locking_out_twice_is_once(admin: User, person: Person) -> None:
    assert stops.lock_out(admin, person, "stolen laptop") == stops.lock_out(factories.make_user(), person, "again")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_type, event.object_id) == ("person.lock_out", "person", str(person.pk))


def test_two_who_lock_out_at_once_get_the_same(admin: User, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second looks before the first has written."""
    first = stops.lock_out(admin, person, "stolen laptop")
    active, looks = type(Stop.objects.all()).active, [0]

    def look_too_early(rows: Any, *arguments: Any) -> Any:
        looks[0] += 1
        return rows.none() if looks[0] == 1 else active(rows, *arguments)

    monkeypatch.setattr("accounts.models.stops.StopQuerySet.active", look_too_early)
    assert stops.lock_out(factories.make_user(), person, "mine") == first
    assert list_actions() == ["person.lock_out"]


def test_database_keeps_one_of_each(admin: User, person: Person) -> None:
    stop = stops.lock_out(admin, person, "stolen laptop")
    with pytest.raises(IntegrityError):
        Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=stop.principal, reason="x")


def test_lock_out_ends_when_lifted(admin: User, person: Person) -> None:
    stop = stops.lock_out(admin, person, "stolen laptop")
    assert stops.lift_lock_out(admin, person) == stop
    assert stops.lift_lock_out(admin, person) is None
    assert stops.find_locked() == {}
    assert list_actions() == ["person.lock_out", "person.lift_lock_out"]


def test_lock_out_can_begin_again(admin: User, person: Person) -> None:
    first = stops.lock_out(admin, person, "stolen laptop")
    stops.lift_lock_out(admin, person)
    assert stops.lock_out(admin, person, "stolen again") != first


def test_person_whom_identity_center_does_not_know_is_refused(admin: User) -> None:
    stand_in = factories.make_principal("yuki", principal_id=None)
    for stranger in (factories.make_person("雪", principal=stand_in), factories.make_person("雪", principal=None)):
        with pytest.raises(StopRefused) as refusal:
            stops.lock_out(admin, stranger, "left")
        assert refusal.value.code == "lock_out_unknown"


def test_person_made_anew_in_entra_id_stays_locked_out(admin: User) -> None:
    """Deleted and provisioned again: another id, the same object in Entra ID, written in another case."""
    old = factories.make_principal("taro@example.com", external_id="ABCD-1", gone_at=timezone.now())
    stop = stops.lock_out(admin, factories.make_person("太郎", principal=old), "left")
    new = factories.make_principal("taro.sato@example.com", external_id="abcd-1")
    assert stops.find_lock_out(new) == stop


def test_sign_in_tells_the_object_in_entra_id(admin: User) -> None:
    """Identity Center gave no external id at first."""
    person = factories.make_person("太郎")
    user = factories.make_user("太郎", person=person)
    stop = stops.lock_out(admin, person, "left")
    new = factories.make_principal("taro2@example.com", external_id=user.entra_oid.upper())
    assert stops.find_lock_out(new) == stop


def test_namesake_of_the_locked_stays_out_until_an_admin_says_otherwise(admin: User) -> None:
    old = factories.make_principal("taro@example.com", gone_at=timezone.now())
    stop = stops.lock_out(admin, factories.make_person("太郎", principal=old), "left")
    namesake = factories.make_person("太郎", principal=factories.make_principal("Taro@example.com"))
    assert stops.find_lock_out(namesake.principal) == stop
    assert stops.lift_lock_out(admin, namesake) == stop
    assert stops.find_lock_out(old) is None


def test_orphan_without_name_locks_out_nobody_else(admin: User) -> None:
    orphan, other = factories.make_principal(), factories.make_principal()
    Principal.objects.update(name="", name_key="", external_id="", gone_at=timezone.now())
    orphan.refresh_from_db()
    stops.lock_out(admin, factories.make_person("", principal=orphan), "left")
    assert list(stops.find_locked()) == [orphan.principal_id]
    assert stops.find_lock_out(other) is None


def test_group_of_the_same_name_is_not_locked_out(admin: User) -> None:
    person = factories.make_person("太郎", principal=factories.make_principal("taro"))
    stops.lock_out(admin, person, "left")
    assert stops.find_lock_out(factories.make_group("taro")) is None


# --- Freeze -----------------------------------------------------------------------------------------------------------


def test_frozen_account_is_found_by_its_id(admin: User) -> None:
    account = factories.make_account("payments-prod")
    stop = stops.freeze(admin, account, "audit")
    assert stops.find_frozen() == {account.account_id: stop}
    assert stops.find_freeze(account) == stop
    assert stops.find_freeze(factories.make_account()) is None


def test_freezing_twice_is_once_and_lifting_ends_it(admin: User) -> None:
    account = factories.make_account("payments-prod")
    assert stops.freeze(admin, account, "audit") == stops.freeze(admin, account, "again")
    assert stops.lift_freeze(admin, account)
    assert stops.lift_freeze(admin, account) is None
    assert stops.find_frozen() == {}
    assert list_actions() == ["account.freeze", "account.lift_freeze"]
    assert AuditEvent.objects.latest("pk").object_id == account.account_id


# --- Clocks and words -------------------------------------------------------------------------------------------------


def test_stop_of_a_host_whose_clock_is_ahead_holds_at_once(admin: User, person: Person) -> None:
    with time_machine.travel("2026-11-25T03:00:05Z", tick=False):
        stops.lock_out(admin, person, "left")
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False):
        assert stops.find_locked()


def test_description_says_who_when_and_why(admin: User, person: Person) -> None:
    with time_machine.travel("2026-11-25T03:00:00Z", tick=False):
        words = stops.describe(stops.lock_out(admin, person, "stolen laptop"))
    assert words == {
        "name": "佐藤 太郎", "account": "", "by": "管理 花", "since": "2026-11-25 12:00", "until": "",
        "why": "stolen laptop",
    }  # fmt: skip
