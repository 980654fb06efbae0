"""What the watch tells: when, how gravely, and never too early."""

from datetime import UTC, date, datetime, timedelta

import pytest

from syncer.telling.alarms import Runs, Secret, find_aws_end, find_certificate_end, find_secret_ends, find_silence
from syncer.telling.matters import has_grown

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(("minutes", "is_told"), [(29.9, False), (30, True), (600, True)])
def test_half_an_hour_without_a_run_is_told(minutes: float, is_told: bool) -> None:
    since = minutes_ago(minutes)
    found = list(find_silence(Runs(since, True, since + timedelta(minutes=10)), NOW))
    assert bool(found) == is_told
    assert all(matter.key == "watch:no_run" for matter in found)


@pytest.mark.parametrize(("minutes", "is_told"), [(69, False), (71, True)])
def test_slower_schedule_is_waited_for(minutes: float, is_told: bool) -> None:
    since = minutes_ago(minutes)
    assert bool(list(find_silence(Runs(since, True, since + timedelta(hours=1)), NOW))) == is_told


def test_half_an_hour_counts_where_nothing_is_scheduled() -> None:
    [matter] = find_silence(Runs(minutes_ago(45), True, None), NOW)
    assert matter.sentence.params["minutes"] == 45


def test_portal_that_never_ran_is_told_otherwise() -> None:
    [matter] = find_silence(Runs(minutes_ago(45), False, None), NOW)
    assert matter.sentence.code == "notice_no_run_yet"


@pytest.mark.parametrize(
    ("days", "gravity"), [(31, 0), (30, 1), (8, 1), (7, 2), (2, 2), (1, 4), (0, 4), (-1, 8), (-90, 8)]
)
def test_secret_grows_graver_as_its_end_comes(days: int, gravity: int) -> None:
    found = list(find_secret_ends([Secret(7, "Entra", TODAY + timedelta(days=days))], TODAY))
    assert sum(matter.count for matter in found) == gravity
    assert all(matter.sentence.code == ("notice_secret_over" if days < 0 else "notice_secret_ends") for matter in found)


def test_each_step_is_told_anew_and_once() -> None:
    """As the outbox decides it: what was told against what stands now."""
    told, news = 0, []
    for left in range(40, -5, -1):
        for matter in find_secret_ends([Secret(7, "Entra", TODAY + timedelta(days=left))], TODAY):
            if not told or has_grown(told, matter.count):
                told = matter.count
                news.append(left)
    assert news == [30, 7, 1, -1]


@pytest.mark.parametrize(
    ("days", "code"), [(30, "doctor_entra_certificate_ends"), (-1, "doctor_entra_certificate_over")]
)
def test_certificate_tells_its_own_end(days: int, code: str) -> None:
    [matter] = find_certificate_end(NOW + timedelta(days=days), TODAY)
    assert (matter.sentence.code, matter.sentence.params["days"]) == (code, str(days))


def test_what_lasts_is_not_told() -> None:
    assert not list(find_certificate_end(NOW + timedelta(days=31), TODAY))
    assert not list(find_certificate_end(None, TODAY))
    assert not list(find_aws_end(NOW + timedelta(hours=25), NOW))
    assert not list(find_aws_end(None, NOW))
    assert not list(find_secret_ends([Secret(7, "Entra", date(2028, 1, 1))], TODAY))


@pytest.mark.parametrize(("hours", "gravity"), [(24, 1), (1, 2), (0, 4), (-5, 4)])
def test_exported_credentials_are_told_a_day_and_an_hour_before(hours: int, gravity: int) -> None:
    [matter] = find_aws_end(NOW + timedelta(hours=hours), NOW)
    assert matter.count == gravity
    assert matter.sentence.code == ("notice_aws_over" if hours <= 0 else "notice_aws_ends")
