"""What parliament makes of policies: `python -m tests.bench.policies` reads texts as a JSON list from standard input.

It prints the seconds it took and, for each text, whether it found something. A process of its own: parliament warns
about its own imports.
"""

import json
import sys
import time
from contextlib import suppress

import parliament


def find_something(text: str) -> bool:
    """An exception is a finding too: it stops whoever called."""
    found = True
    with suppress(Exception):  # its ways to fail are many
        found = bool(parliament.analyze_policy_string(text).findings)
    return found


def main() -> None:
    texts = json.load(sys.stdin)
    find_something(texts[0])
    began = time.perf_counter()
    found = [find_something(text) for text in texts]
    json.dump({"seconds": time.perf_counter() - began, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
