"""Debian packages, for machines that are ours to change: root in a container or on a build machine."""

import os
import shutil
import subprocess
from functools import cache

UPDATE_SECONDS, INSTALL_SECONDS = 180, 420
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> bool:
    """Install packages without asking. False when that is not allowed here or did not work."""
    if not may_install() or not _update():
        return False
    return _apt("install", "--yes", "--no-install-recommends", *packages, seconds=INSTALL_SECONDS)


@cache
def _update() -> bool:
    return _apt("update", seconds=UPDATE_SECONDS)


def _apt(*arguments: str, seconds: int) -> bool:
    # Another apt at work on the machine is waited for, rather than failing at its lock.
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", *arguments]
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0
