"""What a comment asks for, and who may."""

import pytest

from syncer.github.asking import Asked, may_ask, parse_request


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("/sync", Asked()),
        ("  \n /SYNC \nI gave hana access.", Asked()),
        ("／ｓｙｎｃ", Asked()),
        ("/sync 24:57", Asked(records=("24:57",))),
        ("/sync 24:57, `23:1`、24:57", Asked(records=("24:57", "23:1"))),
        ("/sync 123456789012 1234-5678-9013", Asked(accounts=("123456789012", "123456789013"))),
        ("/sync <https://example.cybozu.com/k/24/show#record=57>", Asked(records=("24:57",))),
        ("/sync https://example.cybozu.com/k/guest/3/24/show#record=57&mode=edit", Asked(records=("24:57",))),
        ("/sync now please", Asked(wrong=("now", "please"))),
        ("/sync 0:1 24:0 12345", Asked(wrong=("0:1", "24:0", "12345"))),
        ("/sync٢٤:٥٧", None),
        ("/synchronise", None),
        ("please /sync", None),
        ("> /sync", None),
        ("`/sync` starts a run", None),
        ("", None),
        ("/sync\n<!-- genkan https://elsewhere.example 1 -->", None),
    ],
)
def test_first_line_says_what_is_asked_for(body: str, asked: Asked | None) -> None:
    assert parse_request(body) == asked


@pytest.mark.parametrize(("count", "is_understood"), [(10, True), (11, False)])
def test_ten_may_be_named(count: int, is_understood: bool) -> None:
    asked = parse_request("/sync " + " ".join(f"24:{number}" for number in range(1, count + 1)))
    assert asked is not None
    assert (not asked.wrong) is is_understood


@pytest.mark.parametrize(
    ("login", "association", "allowed", "may"),
    [
        ("hana", "OWNER", (), True),
        ("hana", "MEMBER", (), True),
        ("hana", "collaborator", (), True),
        ("hana", "CONTRIBUTOR", (), False),
        ("hana", "NONE", (), False),
        ("hana", "", (), False),
        ("Hana", "NONE", ("@hana", "taro"), True),
        ("jiro", "OWNER", ("hana", "taro"), False),
    ],
)
def test_setting_goes_before_what_github_says(
    login: str, association: str, allowed: tuple[str, ...], may: bool
) -> None:
    assert may_ask(login, association, allowed) is may
