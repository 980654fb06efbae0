"""What a run has to tell: equal causes are one matter, and a matter keeps its key."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncer.states import Reason
from syncer.telling.matters import (
    Captured,
    Drifted,
    Findings,
    Item,
    Kind,
    Matter,
    Told,
    find_matters,
    has_grown,
    shorten,
    tame,
)

SEEN = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
DEPLOY = Item("payments-prod", "production", "Deploy", "鈴木 蓮")


def find(**values: Any) -> list[Matter]:
    return list(find_matters(Findings(**{"run_id": 7, "came_through": True, **values})))


def keys(**values: Any) -> list[str]:
    return [matter.key for matter in find(**values)]


def refused(text: str, item: Item = DEPLOY) -> Told:
    return Told(Reason("aws_refused", {"text": text}), item)


def test_files_that_terraform_has_not_taken_over_are_one_matter() -> None:
    [matter] = find(untaken=3)
    assert (matter.kind, matter.key, matter.path, matter.count) == (Kind.MIND, "terraform", "/terraform/", 3)


def test_calm_run_has_nothing_to_tell() -> None:
    assert find() == []


# --- Runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["kintone_unreachable", "run_lost", "lease_lost", "unexpected"])
def test_run_that_did_not_come_through_is_told_with_its_reason(code: str) -> None:
    [matter] = find(came_through=False, error=Reason(code))
    assert (matter.kind, matter.key, matter.because) == (Kind.FAILED, f"run:{code}", (Reason(code),))


@pytest.mark.parametrize("code", ["run_stopped", "lease_busy", "record_not_found"])
def test_ordinary_end_is_no_news(code: str) -> None:
    assert find(came_through=False, error=Reason(code)) == []


def test_run_that_came_through_is_told_by_what_failed_in_it() -> None:
    assert keys(error=Reason("changes_failed"), failed=(refused("no"),))[0].startswith("failed:")


def test_what_a_blind_run_could_not_read_is_told_once() -> None:
    unread = Told(Reason("aws_denied"), operation="sso-admin:ListInstances")
    assert keys(came_through=False, error=Reason("aws_denied"), unresolved=(unread,)) == ["run:aws_denied"]


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_equal_causes_are_one_matter() -> None:
    [matter] = find(failed=tuple(refused("limit exceeded") for _number in range(40)))
    assert (matter.count, matter.sentence.params["count"], len(matter.as_params()["items"])) == (40, 40, 5)


def test_different_causes_are_different_matters() -> None:
    assert len(keys(failed=(refused("limit exceeded"), refused("no such policy")))) == 2


@pytest.mark.parametrize(
    "texts",
    [
        ("no policy in 210455678812", "no policy in 339122017745"),
        ("arn:aws:iam::210455678812:policy/A is missing", "arn:aws:iam::339122017745:policy/A is missing"),
        ("request 5bf5a9b4-0b9c-4cf1-9d5c-1d5fdf0e9e4c", "request 7de5ee1d-5d1b-4a3e-8f86-6a4b79f6ac2b"),
    ],
)
def test_particulars_do_not_part_one_cause(texts: tuple[str, str]) -> None:
    assert len(keys(failed=tuple(refused(text) for text in texts))) == 1


def test_what_a_lost_run_left_is_not_told_change_by_change() -> None:
    left = Told(Reason("run_lost"), DEPLOY)
    assert keys(came_through=False, error=Reason("run_lost"), failed=(left, left)) == ["run:run_lost"]


# --- Held -------------------------------------------------------------------------------------------------------------


def test_held_removals_are_told_for_each_group_with_the_checksum() -> None:
    held = (
        *(Told(Reason("too_large_share", {"count": 12, "of": 30}), DEPLOY) for _number in range(12)),
        *(Told(Reason("too_many_people", {"count": 11, "of": 90}), DEPLOY) for _number in range(11)),
    )
    access, people = find(held=held, checksum="0123456789ab")
    assert (access.key, people.key) == ("held:access", "held:people")
    assert people.sentence == Reason("notice_held_people", {"count": 11, "checksum": "0123456789ab"})
    assert access.because == (Reason("too_large_share", {"count": 12, "of": 30}),)


def test_limits_of_one_group_are_one_matter() -> None:
    codes = ("too_many_removals", "too_much_of_account", "too_much_of_set")
    assert keys(held=tuple(Told(Reason(code), DEPLOY) for code in codes)) == ["held:access"]


def test_empty_app_is_a_matter_of_its_own() -> None:
    assert keys(held=(Told(Reason("app_shrunk"), DEPLOY),)) == ["held:app"]


# --- The rest ---------------------------------------------------------------------------------------------------------


def test_unread_scopes_are_grouped_by_question_and_reason() -> None:
    def unread(number: int, operation: str) -> Told:
        return Told(Reason("aws_throttled"), Item(scope=f"account {number}"), operation)

    first, second = find(unresolved=(unread(1, "sso-admin:A"), unread(2, "sso-admin:A"), unread(3, "sso-admin:B")))
    assert (first.key, first.count) == ("unresolved:sso-admin:A:aws_throttled", 2)
    assert (second.key, second.count) == ("unresolved:sso-admin:B:aws_throttled", 1)


def test_key_fits_its_column() -> None:
    unread = Told(Reason("kintone_error"), operation="kintone GET " + "x" * 300)
    assert max(map(len, keys(unresolved=(unread,)))) <= 200


def test_problem_of_nobodys_record_is_told_by_its_own_sentence() -> None:
    [matter] = find(problems=(Reason("baseline_missing"),))
    assert matter.key == "problem:baseline_missing"
    assert (matter.kind, matter.sentence) == (Kind.MIND, Reason("baseline_missing"))


def test_stopped_provisioning_is_critical() -> None:
    assert find(problems=(Reason("provisioning_stopped"),))[0].kind is Kind.CRITICAL


def test_pause_that_was_made_longer_is_the_same_matter() -> None:
    assert keys(problems=(Reason("paused", {"until": "14:00"}),)) == keys(
        problems=(Reason("paused", {"until": "16:00"}),)
    )


def test_each_move_of_an_account_is_news_of_its_own() -> None:
    moved = [Reason("account_moved", {"account": "shop", "move": move}) for move in ("1", "2", "1")]
    assert keys(problems=tuple(moved)) == ["problem:account_moved:1", "problem:account_moved:2"]


def test_drift_is_told_by_its_rows_and_not_by_its_problems() -> None:
    assert find(problems=(Reason("drift"),)) == []


def test_drift_of_one_run_is_one_matter() -> None:
    rows = [Drifted(SEEN + timedelta(milliseconds=number), DEPLOY) for number in range(3)]
    later = Drifted(SEEN + timedelta(minutes=10), DEPLOY)
    first, second = find(drift=(later, *rows))
    assert (first.count, second.count) == (3, 1)
    assert first.key != second.key


def test_drift_keeps_its_key_while_some_of_it_stands() -> None:
    rows = [Drifted(SEEN, DEPLOY) for _number in range(3)]
    assert keys(drift=tuple(rows)) == keys(drift=tuple(rows[1:]))


def test_captured_set_is_critical_and_leads_to_its_page() -> None:
    [matter] = find(captured=(Captured(31, "Deploy", 4),))
    assert (matter.kind, matter.path) == (Kind.CRITICAL, "/permission-sets/31/")


def test_gravest_comes_first() -> None:
    found = find(captured=(Captured(31, "Deploy", 4),), failed=(refused("no"),), drift=(Drifted(SEEN, DEPLOY),))
    assert [matter.kind for matter in found] == [Kind.CRITICAL, Kind.FAILED, Kind.DRIFT]


@pytest.mark.parametrize(("told", "now", "grown"), [(1, 1, False), (1, 2, True), (12, 23, False), (12, 24, True)])
def test_matter_is_told_again_when_it_has_doubled(told: int, now: int, *, grown: bool) -> None:
    assert has_grown(told, now) is grown


# --- What may leave the house -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines", "two lines"),
        ("tab\tand　wide", "tab and wide"),
        ("right\u202eto left\u0000", "rightto left"),
        ("much too long", "much to…"),
    ],
)
def test_names_are_one_visible_line(text: str, line: str) -> None:
    assert shorten(text, 8 if "long" in text else 80) == line


def test_error_of_our_own_is_told_without_what_it_quotes() -> None:
    reason = tame(Reason("unexpected", {"text": 'IntegrityError: Key (token)=(xoxb-1) {"Statement": []}'}))
    assert reason.params == {"text": "IntegrityError"}


def test_long_answers_are_cut() -> None:
    assert len(tame(Reason("aws_refused", {"text": "x" * 5000})).params["text"]) == 300


@pytest.mark.parametrize("code", ["kintone_fields_missing", "kintone_field_type", "kintone_field_in_table"])
def test_broken_form_of_kintone_is_a_matter_of_its_own_app(code: str) -> None:
    error = Reason(code, {"app": "24", "fields": "users", "setting": "KINTONE_ASSIGNMENT_FIELDS"})
    [matter] = find_matters(Findings(7, came_through=False, error=error))
    assert (matter.kind, matter.key, matter.sentence.params) == (Kind.CRITICAL, "schema:24", {"app": "24"})
    assert matter.because == (error,)
