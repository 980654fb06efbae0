"""The policy validator: how long it takes, and that nothing makes it fail. A peer beside it in the same session."""

import json
import subprocess
import sys
import time
from statistics import median

import pytest

from accounts.policy.findings import Severity
from accounts.policy.validator import validate_policy
from tests.accounts.policy.hostile import iter_mutations, list_monsters
from tests.bench.figures import Figures
from tests.bench.table_of_policies import DOCUMENT, ask_parliament, render_document
from tests.integration.processes import PROJECT
from tests.managed_policies import TABLE, build_table, load_texts

ACCIDENTS = 10_000
_MEMORY = """
import json, sys, tracemalloc
from accounts.policy.validator import validate_policy
texts = json.load(sys.stdin)
tracemalloc.start()
for text in texts:
    validate_policy(text)
sys.stdout.write(str(tracemalloc.get_traced_memory()[0]))
"""


def seconds_of(text: str) -> float:
    began = time.perf_counter()
    validate_policy(text)
    return time.perf_counter() - began


def find_ten_kilobytes() -> str:
    """One of AWS's own that is as long as an inline policy may be."""
    return min(load_texts().values(), key=lambda text: abs(len("".join(text.split())) - 10_000))


def test_one_policy_takes_a_moment(figures: Figures) -> None:
    text = find_ten_kilobytes()
    first = seconds_of(text)
    later = median(seconds_of(text) for _ in range(50))
    figures.add("one policy of 10 KB, median of 50", later * 1000, "ms", at_most=20)
    figures.add("the same, the first time in a process", first * 1000, "ms")


def test_memory_is_that_of_the_services_named(figures: Figures) -> None:
    for what, texts, bound in (
        ("memory that one policy leaves behind", [find_ten_kilobytes()], 10),
        ("memory that all of AWS's policies leave behind", list(load_texts().values()), 60),
    ):
        command = [sys.executable, "-c", _MEMORY]
        done = subprocess.run(command, cwd=PROJECT, input=json.dumps(texts), capture_output=True, text=True, check=True)
        figures.add(what, int(done.stdout) / 2**20, "MB", at_most=bound)


@pytest.mark.timeout(600)
def test_all_of_aws_policies_pass_faster_than_by_a_peer(figures: Figures) -> None:
    texts = load_texts()
    began = time.perf_counter()
    verdicts = {name: validate_policy(text) for name, text in texts.items()}
    seconds = time.perf_counter() - began
    errors = {
        (name, finding.code)
        for name, findings in verdicts.items()
        for finding in findings
        if finding.severity is Severity.ERROR and "SIZE" not in finding.code
    }
    assert errors == set()
    peer = ask_parliament(texts.values())
    beside = f"parliament {peer['seconds']:.1f} s"
    figures.add(f"AWS's {len(texts):,} managed policies", seconds, "s", at_most=peer["seconds"], beside=beside)


def test_table_of_managed_policies_is_complete() -> None:
    assert json.loads(TABLE.read_text())["policies"] == build_table(load_texts())


def test_document_shows_the_verdicts_of_today() -> None:
    assert DOCUMENT.read_text() == render_document(DOCUMENT.read_text())


@pytest.mark.timeout(600)
def test_accidents_and_monsters_never_fail(figures: Figures) -> None:
    worst = max(iter_mutations(ACCIDENTS, seed=time.time_ns()), key=seconds_of)
    slowest = min(seconds_of(worst) for _ in range(3))  # what else the machine did meanwhile is not its fault
    figures.add(f"{ACCIDENTS:,} policies with accidents, the slowest", slowest * 1000, "ms", at_most=200)
    slowest = max(min(seconds_of(text) for _ in range(3)) for text in list_monsters())
    figures.add("monsters: 5 MB, 10,000 levels and their like, the slowest", slowest * 1000, "ms", at_most=200)
