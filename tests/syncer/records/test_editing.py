"""A list in a text: what stays keeps its shape."""

import pytest

from syncer.records.editing import edit_text

A, B, C = "a@example.com", "b@example.com", "c@example.com"


@pytest.mark.parametrize(
    ("found", "wanted", "edited"),
    [
        ("a@example.com; b@example.com", [A, B, C], "a@example.com; b@example.com; c@example.com"),
        ("a@example.com、b@example.com、c@example.com", [A, C], "a@example.com、c@example.com"),
        ("a@example.com、b@example.com", [B], "b@example.com"),
        ("A@Example.com　ｂ＠example.com", [A, B, C], "A@Example.com　ｂ＠example.com　c@example.com"),
        ("a@example.com", [A, B], "a@example.com, b@example.com"),
        ("a@example.com,", [A], "a@example.com,"),
        ("", [A], "a@example.com"),
        ("a@example.com", [], ""),
    ],
)
def test_one_line_keeps_what_stands_between(found: str, wanted: list[str], edited: str) -> None:
    assert edit_text("more_users", found, wanted, has_lines=False) == edited


@pytest.mark.parametrize(
    ("found", "wanted", "edited"),
    [
        ("a@example.com\n\nb@example.com", [A, B, C], "a@example.com\n\nb@example.com\nc@example.com"),
        ("a@example.com, b@example.com", [A, B, C], "a@example.com, b@example.com, c@example.com"),
        ("a@example.com / b@example.com", [A, B], "a@example.com\nb@example.com"),
        ("a@example.com; b@example.com\nc@example.com", [B, C], "b@example.com\nc@example.com"),
        ("b@example.com\na@example.com", [A, B], "b@example.com\na@example.com"),
        ("a@example.com\nb@example.com", [B], "b@example.com"),
    ],
)
def test_lines_stay_where_they_are(found: str, wanted: list[str], edited: str) -> None:
    assert edit_text("more_users", found, wanted, has_lines=True) == edited


def test_names_with_a_comma_are_one_element() -> None:
    assert edit_text("groups", "Team A, Tokyo\nTeam B", ["team b", "Team C"], has_lines=True) == "Team B\nTeam C"
