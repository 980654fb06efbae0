"""Whatever can be told to operators has its section in the runbook; so has every alert of Prometheus."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from accounts.sentences import SENTENCES

ROOT = Path(__file__).resolve().parents[3]
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
SOURCES = [path for package in ("portal", "syncer") for path in sorted((ROOT / package).rglob("*.py"))]
ENDS = {"notice_resolved"}  # tells that something is over


@cache
def list_calls() -> list[tuple[str, ast.Call]]:
    """Every call of something by its bare name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [(call.func.id, call) for call in calls if isinstance(call.func, ast.Name)]


def find_calls(name: str) -> Iterator[ast.Call]:
    yield from (call for called, call in list_calls() if called == name)


def find_texts(node: ast.AST) -> set[str]:
    return {str(each.value) for each in ast.walk(node) if isinstance(each, ast.Constant) and each.value in SENTENCES}


@cache
def list_codes() -> set[str]:
    """The codes of matters: sentences of their own, problems of no record, and what is written as a notice at once."""
    codes = {code for code in SENTENCES if code.startswith("notice_")}
    for call in find_calls("Problem"):
        if len(call.args) in (1, 2) and not any(keyword.arg == "record" for keyword in call.keywords):
            codes |= find_texts(call.args[0])
    for call in [*find_calls("Matter"), *find_calls("Notice")]:
        codes |= find_texts(call)
    return codes - ENDS


def find_alerts() -> set[str]:
    files = [path for folder in ("docs", "deploy", "monitoring") for path in (ROOT / folder).rglob("*.y*ml")]
    return {name for path in files for name in re.findall(r"^\s*- alert: (\w+)", path.read_text(), re.MULTILINE)}


def as_anchor(alert: str) -> str:
    """GenkanNoGoodRun → genkan-no-good-run."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", alert).lower()


@pytest.mark.parametrize("name", [*sorted(list_codes()), *sorted(map(as_anchor, find_alerts()))])
def test_what_is_told_has_its_section(name: str) -> None:
    assert f'<a id="{name}"></a>' in RUNBOOK


def test_codes_are_found_in_the_source() -> None:
    assert {"paused", "provisioning_stopped", "account_moved_empty", "account_claimed", "last_day_week"} <= list_codes()


def test_sections_say_what_it_means_and_what_to_do() -> None:
    sections = re.split(r"^###? ", RUNBOOK, flags=re.MULTILINE)
    told = [text for before, text in pairwise(sections) if before.rstrip().endswith("</a>")]
    assert len(told) > 20
    assert [text.splitlines()[0] for text in told if "**Means**" not in text or "**Do**" not in text] == []
