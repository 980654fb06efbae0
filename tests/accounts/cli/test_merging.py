"""Our block in somebody's own file: his sections stay, ours are replaced, and the AWS CLI can read the whole."""

from pathlib import Path

import pytest
from botocore.configloader import load_config
from hypothesis import given
from hypothesis import strategies as st

from accounts.cli.merging import BEGIN, END, Unfinished, find_free_session, merge
from accounts.cli.naming import AccountRole, name_profiles
from accounts.cli.rendering import Section, build_sections

PORTAL = "https://example.awsapps.com/start"
OWN = "[default]\nregion = ap-northeast-1\n\n# mine\n[profile home]\naws_access_key_id = AKIA\n"


def sections_of(*names: str, session: str = "genkan") -> list[Section]:
    profiles = name_profiles(AccountRole("012345678901", "payments", name) for name in names)
    return build_sections(PORTAL, "ap-northeast-1", profiles, session=session)


def load(path: Path, text: str) -> set[str]:
    target = path / "config"
    target.write_text(text, encoding="utf-8")
    return set(load_config(str(target))["profiles"])


def test_empty_file_gets_our_block(tmp_path: Path) -> None:
    merged = merge("", sections_of("A", "B"))
    assert load(tmp_path, merged.text) == {"A-012345678901", "B-012345678901"}
    assert merged.added == ("sso-session genkan", "profile A-012345678901", "profile B-012345678901")


def test_own_sections_stay_letter_by_letter(tmp_path: Path) -> None:
    merged = merge(OWN, sections_of("A"))
    assert merged.text.startswith(OWN)
    assert load(tmp_path, merged.text) == {"default", "home", "A-012345678901"}


def test_block_is_replaced_where_it_stands(tmp_path: Path) -> None:
    first = merge(OWN, sections_of("A", "B")).text + "\n[profile last]\nregion = x\n"
    merged = merge(first, sections_of("B", "C"))
    assert (merged.added, merged.removed) == (("profile C-012345678901",), ("profile A-012345678901",))
    assert load(tmp_path, merged.text) == {"default", "home", "B-012345678901", "C-012345678901", "last"}
    assert merged.text.rindex("[profile last]") > merged.text.index(END)


def test_same_again_changes_nothing() -> None:
    text = merge(OWN, sections_of("A")).text
    merged = merge(text, sections_of("A"))
    assert (merged.text, merged.is_same) == (text, True)


def test_own_section_with_our_name_stays_and_is_told(tmp_path: Path) -> None:
    own = "[profile A-012345678901]\nregion = us-east-1\n"
    merged = merge(own, sections_of("A", "B"))
    assert merged.kept == merged.differ == ("profile A-012345678901",)
    assert load(tmp_path, merged.text) == {"A-012345678901", "B-012345678901"}
    assert merged.text.startswith(own)


def test_file_that_was_pasted_without_marks_is_no_conflict(tmp_path: Path) -> None:
    """What this page gave out before it had marks."""
    sections = sections_of("A")
    merged = merge("\n".join(section.render() for section in sections), sections)
    assert (merged.differ, len(merged.kept)) == ((), 2)
    assert load(tmp_path, merged.text) == {"A-012345678901"}


def test_own_session_that_leads_elsewhere_keeps_its_name() -> None:
    own = "[sso-session genkan]\nsso_start_url = https://other.awsapps.com/start\n"
    assert find_free_session(own, PORTAL) == "genkan-2"
    assert find_free_session(own.replace("other", "example"), PORTAL) == "genkan"
    assert find_free_session(merge("", sections_of("A")).text, "https://new.awsapps.com/start") == "genkan"


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}", f"{BEGIN}\n{END}\n{END}"])
def test_half_a_block_is_nobody_s_to_guess(text: str) -> None:
    with pytest.raises(Unfinished):
        merge(text, sections_of("A"))


def test_line_ends_of_windows_stay() -> None:
    text = merge(OWN.replace("\n", "\r\n"), sections_of("A")).text
    assert text.count("\n") == text.count("\r\n")


@given(st.text(alphabet="[]ab =#;\n\t\"'profile", max_size=60))
def test_any_file_keeps_its_lines(own: str) -> None:
    text = merge(own, sections_of("A")).text
    lines = [line for line in own.split("\n") if line.strip()]
    kept = iter(text.split("\n"))
    assert all(line in kept for line in lines)
    assert merge(text, sections_of("A")).text == text
