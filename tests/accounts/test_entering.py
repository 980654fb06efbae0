"""With which set somebody enters."""

import pytest

from accounts.entering import choose_least, may_change
from accounts.policy.summary import Level


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({"Admin": Level.ADMIN, "Reader": Level.READ_ONLY}, "Reader"),
        ({"Deploy": Level.WRITE, "Billing": Level.BILLING, "Power": Level.POWER}, "Billing"),
        ({"B": Level.READ_ONLY, "A": Level.READ_ONLY}, "A"),
        ({"Unknown": None, "Admin": Level.ADMIN}, "Admin"),
        ({"Unknown": None}, "Unknown"),
    ],
)
def test_least_powerful_is_taken(levels: dict[str, Level | None], expected: str) -> None:
    assert choose_least(levels) == expected


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        choose_least({})


@pytest.mark.parametrize(
    ("level", "expected"), [(Level.READ_ONLY, False), (Level.BILLING, False), (Level.WRITE, True), (None, True)]
)
def test_unknown_sets_count_as_changing(level: Level | None, expected: bool) -> None:
    assert may_change(level) is expected
