"""What is meant by a few words. The browser goes through the same table: tests/browser/test_palette.py."""

from collections import Counter
from dataclasses import replace
from unittest.mock import Mock

import pytest

from accounts.palette import ranking
from accounts.palette.ranking import Found, find_clear, rank
from accounts.palette.world import Kind
from tests.accounts.palette.cases import CASES, CROWDED, READ_ONLY, WORLD, make_account, make_crowd


def show(found: Found) -> str:
    return f"{found.entry.title} | {found.entry.below}"


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_query_means(query: str, expected: tuple[str, ...]) -> None:
    found = [show(each) for each in rank(WORLD, query)]
    assert tuple(found[: len(expected)]) == expected
    assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    ("query", "clear"),
    [
        ("aws payments-prod logs", "payments-prod · CloudWatch · ロググループ一覧 | ReadOnly · production · 東京"),
        ("payments prod logs", "payments-prod · CloudWatch · ロググループ一覧 | ReadOnly · production · 東京"),
        ("404455667788", "orders-prd1 | ReadOnly · production"),
        ("people", "メンバー | "),
        ("prod logs", ""),
        ("paymnets-dr logs", ""),  # nearly is never clear
        ("nothing at all", ""),
    ],
)
def test_clear_is_what_nothing_comes_near(query: str, clear: str) -> None:
    found = find_clear(rank(WORLD, query))
    assert (show(found) if found else "") == clear


def test_no_kind_crowds_out_the_others() -> None:
    many = replace(
        WORLD,
        accounts=tuple(make_account(f"prod-{n}", f"{n:012}", "x", "production", ((READ_ONLY, 0),)) for n in range(30)),
    )
    counts = Counter(each.entry.kind for each in rank(many, "prod"))
    assert (counts[Kind.PLACE], counts[Kind.ACCOUNT], counts[Kind.SHORTCUT]) == (8, 8, 1)


def test_link_is_the_one_of_shortcuts() -> None:
    place = rank(WORLD, "payments dr logs")[0]
    expected = "https://asagiri.awsapps.com/start/#/console?account_id=210455679023&role_name=ReadOnly"
    assert place.entry.href == f"{expected}&destination=logs%3Fap-northeast-3%23210455679023"
    assert (place.account_id, place.permission_set) == ("210455679023", "ReadOnly")


@pytest.mark.parametrize("query", CROWDED)
def test_no_query_weighs_more_than_people_mean(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weigh = Mock(return_value=0)
    monkeypatch.setattr(ranking, "_rank_set", weigh)
    assert rank(make_crowd(), query)
    assert weigh.call_count <= 15_000
