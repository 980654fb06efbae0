"""What the portal puts back is in force again: those names alone, in that place, no longer than before."""

from dataclasses import replace

import pytest

from accounts.judgement import Name, PutBack, Values, judge_revision
from tests.accounts.test_judgement import BANK, HANA, JULY, JUNE, KEN, OUTSIDER, OWNER, SHOP, STRANGER, TARO, record

BACK = PutBack((SHOP, "Reader"), {TARO.value: "id-taro"}, JUNE)
UNDOING = replace(OUTSIDER, put_back=BACK)
BEFORE = record(HANA, end=JUNE)


def who(now: Values, before: Values | None = BEFORE, back: PutBack = BACK, withheld: str = "") -> set[str]:
    writing = replace(UNDOING, put_back=back, withheld=frozenset(filter(None, [withheld])))
    return {name.written for name in judge_revision(now, before, writing).in_force.names}


def test_put_back_widens_nothing() -> None:
    judged = judge_revision(record(HANA, TARO, end=JUNE), BEFORE, UNDOING)
    assert not judged.withheld
    assert judged.put_back == {TARO.value}
    assert TARO in judged.in_force.names


def test_everything_else_is_judged_as_usual() -> None:
    judged = judge_revision(record(HANA, TARO, KEN, end=JULY), BEFORE, UNDOING)
    assert judged.withheld == {f"+{TARO.value}", f"+{KEN.value}", "+expires_on:2026-07-01"}
    assert who(record(HANA, TARO, KEN, end=JUNE)) == {"hana", "taro"}


@pytest.mark.parametrize(
    "now", [record(HANA, TARO, account=BANK, end=JUNE), record(HANA, TARO, end=JULY), record(HANA, TARO, end=None)]
)
def test_nothing_goes_back_elsewhere_or_for_longer(now: Values) -> None:
    assert "taro" not in who(now)


def test_shorter_is_no_harm() -> None:
    back = replace(BACK, expires_on=None)
    assert who(record(HANA, TARO, end=JUNE), back=back) == {"hana", "taro"}


def test_same_name_that_means_somebody_else_now_does_not() -> None:
    other = Name("kintone_user", "taro", "id-namesake")
    assert who(record(HANA, other, end=JUNE)) == {"hana"}


def test_name_that_nobody_knew_goes_back() -> None:
    back = replace(BACK, names={STRANGER.value: ""})
    assert who(record(HANA, STRANGER, end=JUNE), back=back) == {"hana", "yuki"}


def test_what_was_withheld_stays_so() -> None:
    assert who(record(HANA, TARO, end=JUNE), withheld=f"+{TARO.value}") == {"hana"}


def test_new_record_puts_back_its_names_alone() -> None:
    assert who(record(TARO, KEN, end=JUNE), None) == {"taro"}
    assert who(record(TARO, KEN, end=JULY), None) == set()


def test_owner_who_undoes_registers_the_rest() -> None:
    judged = judge_revision(record(TARO, KEN, end=JUNE), None, replace(OWNER, put_back=BACK))
    assert judged.added == {TARO.value, KEN.value}
    assert judged.put_back == {TARO.value}
