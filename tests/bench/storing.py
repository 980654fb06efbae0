"""One full run with its statements counted, in a fresh process: prints statements, peak memory and seconds as JSON."""

import json
import resource
import sys
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import django
from django.core.management import call_command
from django.db import connection


class Counter:
    """Counts what is sent to the database through the connection of this thread."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


def sync() -> dict[str, Any]:
    """`manage.py sync --json`, in this process."""
    out = StringIO()
    try:
        call_command("sync", "--json", stdout=out)
    except SystemExit as end:
        if end.code:
            raise
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def main() -> None:
    django.setup()
    counter, begin = Counter(), time.monotonic()
    with connection.execute_wrapper(counter):
        report = sync()
    found = {
        "statements": counter.statements,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "seconds": time.monotonic() - begin,
        "report": {name: report[name] for name in ("status", "counts", "problems", "unresolved", "error")},
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
