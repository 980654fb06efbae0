"""Who is told that access ends, and when: pure."""

from datetime import date, timedelta

import pytest

from syncer.telling.reminders import LastDay, find_reminders

TODAY = date(2026, 11, 23)


def ends(days: int, record: str = "24:1", *, written: int = 100) -> LastDay:
    """A last day so many days ahead, of a record written so many days ago."""
    written_on = TODAY - timedelta(days=written)
    return LastDay(record, "shop", "Reader", TODAY + timedelta(days=days), written_on, ("Hana",))


@pytest.mark.parametrize(
    ("days", "ahead"),
    [(-1, []), (0, ["day"]), (1, ["day"]), (2, ["week"]), (6, ["week"]), (7, ["week"]), (8, [])],
)
def test_told_a_week_and_a_day_before(days: int, ahead: list[str]) -> None:
    assert [reminder.ahead for reminder in find_reminders([ends(days)], TODAY, ())] == ahead


@pytest.mark.parametrize(("days", "written", "told"), [(7, 0, True), (6, 0, False), (5, 1, False), (5, 2, True)])
def test_who_chose_a_day_within_the_week_is_not_told_of_it(days: int, written: int, told: bool) -> None:
    assert bool(find_reminders([ends(days, written=written)], TODAY, ())) is told


def test_day_before_is_told_whoever_wrote_when() -> None:
    assert find_reminders([ends(1, written=0)], TODAY, ())


def test_nothing_is_told_twice() -> None:
    first = find_reminders([ends(7)], TODAY, ())
    told = {reminder.key for reminder in first}
    assert find_reminders([ends(7)], TODAY, told) == []
    assert find_reminders([ends(7)], TODAY + timedelta(days=1), told) == []


def test_day_before_is_told_after_the_week() -> None:
    told = {reminder.key for reminder in find_reminders([ends(7)], TODAY, ())}
    later = find_reminders([ends(7)], TODAY + timedelta(days=6), told)
    assert [reminder.ahead for reminder in later] == ["day"]


def test_extended_day_is_told_anew() -> None:
    told = {reminder.key for reminder in find_reminders([ends(1)], TODAY, ())}
    assert find_reminders([ends(7)], TODAY, told)


def test_nearest_end_comes_first() -> None:
    found = find_reminders([ends(7, "24:1"), ends(1, "24:2"), ends(1, "24:10")], TODAY, ())
    assert [reminder.ends.record for reminder in found] == ["24:10", "24:2", "24:1"]
