"""Lists as people paste them."""

import pytest

from syncer.giving.pasting import MOST_PASTED, is_address, split_pasted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("  \n\t\n,", []),
        ("hana@example.com\ntaro@example.com", ["hana@example.com", "taro@example.com"]),
        ("hana@example.com; taro@example.com,k@example.com", ["hana@example.com", "taro@example.com", "k@example.com"]),
        ("Sato, Hana <hana@example.com>; Suzuki, Taro <taro@example.com>", ["hana@example.com", "taro@example.com"]),
        ('"Sato, Hana" <hana@example.com>, team-shop', ["hana@example.com", "team-shop"]),
        ("Hana Sato <hana@example.com>, 鈴木 太郎 <taro@example.com>", ["hana@example.com", "taro@example.com"]),
        ("hana＠example.com", ["hana@example.com"]),
        ("佐藤 花、鈴木 太郎", ["佐藤 花", "鈴木 太郎"]),
        ("hana\ttaro", ["hana", "taro"]),
        ("- hana\n・ taro\n3) ken", ["hana", "taro", "ken"]),
        ('"hana"', ["hana"]),
        ("hana\nhana", ["hana"]),
        ("mailto:hana@example.com.", ["hana@example.com"]),
        ("team platform", ["team platform"]),
        ("ha\0na", ["hana"]),
    ],
)
def test_lists_fall_into_names(text: str, names: list[str]) -> None:
    assert [item.text for item in split_pasted(text)] == names


def test_lines_are_counted_as_people_see_them() -> None:
    assert [tuple(item) for item in split_pasted("hana\n\ntaro, ken")] == [(1, "hana"), (3, "taro"), (3, "ken")]


def test_endless_paste_ends() -> None:
    assert len(split_pasted("\n".join(f"p{number}" for number in range(5000)))) == MOST_PASTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hana@example.com", True),
        ("hana", False),
        ("hana@localhost", False),
        ("a b@example.com", False),
        ("@x.jp", False),
    ],
)
def test_addresses_look_like_addresses(text: str, expected: bool) -> None:
    assert is_address(text) is expected
