"""`python -m portal.demo.leash PID COMMAND…`: become COMMAND, and end when the launcher PID ends, however it does.

Linux sends the signal; elsewhere only a launcher that is killed outright leaves its processes behind.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # source: linux/prctl.h


def main(launcher: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != launcher:  # it ended before the leash was on
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  # the launcher's own list, no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
