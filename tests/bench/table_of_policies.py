"""The table in `docs/policies.md`: each bad policy, what AWS makes of it, our verdict, and whether a peer sees it.

`python -m tests.bench.table_of_policies` writes it anew.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from accounts.policy.validator import validate_policy
from tests.accounts.policy.bad_policies import BAKE_OFF, CASES, DISPUTED, REFUSED, TAKEN, USELESS, Case
from tests.integration.processes import PROJECT

DOCUMENT = PROJECT / "docs/policies.md"
BEGIN, END = "<!-- table: python -m tests.bench.table_of_policies -->\n", "<!-- end -->\n"
WORDS = {REFUSED: "refuses", USELESS: "takes, never works", TAKEN: "takes", DISPUTED: "disputed"}


def ask_parliament(texts: Iterable[str]) -> dict[str, Any]:
    """Its `seconds`, and for each text whether it `found` something."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.policies"]
    given = json.dumps(list(texts))
    done = subprocess.run(command, cwd=PROJECT, input=given, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def render_document(document: str) -> str:
    """The document with the table of today."""
    before, _begin, rest = document.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    found = ask_parliament(case.text for case in CASES)["found"]
    return before + BEGIN + "".join(f"{line}\n" for line in _iter_lines(found)) + END + after


def _iter_lines(found: list[bool]) -> Iterator[str]:
    yield f"Of {len(CASES)} policies parliament says something about {sum(found)}, Genkan about {len(CASES)}."
    yield ""
    yield "| # | fault | AWS | Genkan | its code | parliament |"
    yield "|---|---|---|---|---|---|"
    for number, (case, is_found) in enumerate(zip(CASES, found, strict=True), 1):
        shown = f"**{number}**" if number <= len(BAKE_OFF) else str(number)
        seen = "●" if is_found else "–"
        yield f"| {shown} | {case.fault} | {WORDS[case.aws]} | {_judge(case)} | `{case.code}` | {seen} |"


def _judge(case: Case) -> str:
    """The severity under which the fault itself is found."""
    return next(str(finding.severity) for finding in validate_policy(case.text) if finding.code == case.code)


if __name__ == "__main__":
    DOCUMENT.write_text(render_document(DOCUMENT.read_text()))
