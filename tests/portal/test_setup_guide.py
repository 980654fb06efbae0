"""The path from nothing to production: both languages lead the same way, and every command on it exists."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("setup.md", "setup.ja.md")


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def list_blocks(name: str) -> list[str]:
    """The commands to copy, without what indents them."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", read(name), re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def list_commands() -> list[list[str]]:
    """Every `manage.py …` of the guide, as words."""
    lines = "\n".join(list_blocks("setup.md")).splitlines()
    calls = [re.split(r" (?:>|\||&)", line.partition("manage.py ")[2])[0] for line in lines if "manage.py " in line]
    stand_ins = {"<management account>": "111122223333", "$service": "aws"}
    for gap, value in stand_ins.items():
        calls = [call.replace(gap, value) for call in calls]
    return [shlex.split(call) for call in calls]


@pytest.mark.parametrize("words", list_commands(), ids=" ".join)
def test_commands_of_the_guide_exist_with_their_options(words: list[str]) -> None:
    name, *arguments = words
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)


def test_guide_has_the_whole_path() -> None:
    named = {words[0] for words in list_commands()}
    assert {"simulate", "kintone_setup", "aws_policy", "doctor", "plan", "adopt", "sync", "export_settings"} <= named


def test_both_languages_have_the_same_commands_steps_and_settings() -> None:
    english, japanese = (read(name) for name in GUIDES)
    assert list_blocks("setup.md") == list_blocks("setup.ja.md")
    for pattern in (r"^## (\d+)\.", r"^(\d+\. )", r"`([A-Z_]{4,}[A-Z…])`", r"\]\(((?!setup)[a-z./-]+\.md#?[a-z-]*)\)"):
        found = [sorted(re.findall(pattern, text, re.MULTILINE)) for text in (english, japanese)]
        assert len(found[0]) > 3
        assert found[0] == found[1], pattern


@pytest.mark.parametrize("name", GUIDES)
def test_settings_of_the_guide_can_be_set(name: str) -> None:
    known = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", read(name)))
    assert {setting for setting in named if f"{setting}=" not in known} == set()


def test_copied_example_has_the_apps_made_and_only_plans() -> None:
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert given["KINTONE_PERMISSION_SET_APP_ID"] == given["KINTONE_ASSIGNMENT_APP_ID"] == ""
    assert given["SYNC_MODE"] == "plan"


def test_guide_never_writes_over_settings_that_are_filled_in() -> None:
    copies = [block.partition(".env.example .env\n") for block in list_blocks("setup.md")]
    assert sum(bool(found) for _before, found, _after in copies) == 1
    assert "install -m 600 .env.example .env" in read("setup.md").partition("## 2.")[0]


def find_anchors(text: str) -> set[str]:
    """As GitHub makes them of headings, and those that are written out."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)"', text))


DOCUMENTS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.name))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8"))
    lost = []
    for name, anchor in links:
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            lost.append(name)
        elif anchor and target.suffix == ".md" and anchor not in find_anchors(target.read_text(encoding="utf-8")):
            lost.append(f"{name}#{anchor}")
    assert lost == []
