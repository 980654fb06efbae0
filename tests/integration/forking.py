"""`python -m tests.integration.forking`: a process that has loaded the product and forks one for each command.

Each line on standard input is a JSON list, the arguments of a `manage.py` command. For each, two lines come back: the
process's id at once, and how it ended as `waitpid` tells it. A command's output goes to the files `output` and `errors`
in the working directory. The commands are the product's own, in processes of their own that may be killed; only the
pauses between questions are shorter, and nobody waits for an interpreter to start.
"""

import json
import os
import sys
import time
import traceback
from functools import partial
from unittest.mock import patch

import django
from django.core.management import call_command

from syncer.applying import ApplyOptions

PAUSE = 0.05  # seconds


def main() -> None:
    django.setup()
    _shorten_pauses()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(json.loads(line))
        _tell(pid)
        _tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _shorten_pauses() -> None:
    """Import what a run needs before the first fork, and let it ask more often than once a second."""
    patch("syncer.resuming.POLL_SECONDS", PAUSE).start()
    patch("syncer.runs.ApplyOptions", partial(ApplyOptions, sleep=lambda _seconds: time.sleep(PAUSE))).start()


def _run(arguments: list[str]) -> None:
    """The command, in the new process, which ends with it."""
    code = 1
    try:
        os.dup2(os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(os.open("errors", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        call_command(*arguments)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
