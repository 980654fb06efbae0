"""A Chromium: the one given by CHROMIUM, the machine's, playwright's own, or Debian's."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.services import apt
from tests.services.processes import Missing, first_line

PATH_NAME = "CHROMIUM"
DOWNLOAD_SECONDS = 240
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_USUAL_PLACES = (
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str:
    """The path of a Chromium that runs."""
    if given := os.environ.get(PATH_NAME):
        if not _runs(given):
            raise Missing(f"{PATH_NAME} names a browser that does not run. Run: unset {PATH_NAME}")
        return given
    for candidate in _candidates():
        if _runs(candidate):
            return candidate
    return _install()


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, _NAMES))
    yield from _USUAL_PLACES
    yield _playwrights_own()


def _install() -> str:
    if _download() and _runs(own := _playwrights_own()):
        return own
    # Without a font that has them, Japanese signs would all be the same empty box.
    if apt.install("chromium", "fonts-noto-cjk") and (installed := shutil.which("chromium")) and _runs(installed):
        return installed
    raise Missing(f"Chromium is needed. Run: apt-get install chromium fonts-noto-cjk (or set {PATH_NAME} to its path)")


def _download() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def _playwrights_own() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _runs(path: str) -> bool:
    """Ubuntu's `chromium` may be a note that it comes as a snap; only what tells its version is a browser."""
    return Path(path).is_file() and first_line([path, "--version"]) is not None
