"""Real processes and a real browser: the demo with its simulators, and Chromium in front of it.

Every page is watched: a console error, a script error or a violation of the page's policy fails the test, and a
failed test leaves a screenshot under var/browser/.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.services.processes import free_port

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "var" / "browser"
READY = "Ctrl-C ends it all"
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PATIENCE = 15_000  # ms; the machine is shared with a worker, beat and three simulators

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo keeps its worlds, and what its simulators said of themselves."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def portal_url(demo_folder: Path) -> Iterator[str]:
    """A demo of its own, from nothing."""
    port, folder = free_port(), demo_folder
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "manage.py", "demo", "--folder", str(folder), "--port", str(port)]
    with subprocess.Popen(
        command, cwd=PROJECT, env=bare, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout
        said = []
        for line in demo.stdout:
            said.append(line)
            if READY in line:
                break
        else:
            pytest.fail("the demo did not start:\n" + "".join(said))
        yield f"http://localhost:{port}"
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=QUIET)
        yield browser
        browser.close()


class Watch:
    """What the browser complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        context.on("console", lambda message: self._note(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def open_context(
    browser: Browser, portal_url: str, request: pytest.FixtureRequest
) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers of a fresh person: no cookie, nothing beyond this machine can be reached."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_one(**options: Any) -> BrowserContext:
        context = browser.new_context(base_url=portal_url, **{"locale": "ja", **options})
        context.set_default_timeout(PATIENCE)
        context.route(
            "https://**", lambda route: route.fulfill(body="<title>elsewhere</title>", content_type="text/html")
        )
        opened.append((context, Watch(context)))
        return context

    yield open_one
    for number, (context, _watch) in enumerate(opened):
        if request.node.stash.get(FAILED, False):
            _take_screenshots(context, f"{request.node.name}-{number}")
        context.close()
    assert [complaint for _context, watch in opened for complaint in watch.complaints] == []


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    """A wide window that speaks Japanese."""
    return open_context(viewport={"width": 1280, "height": 800}).new_page()


def _take_screenshots(context: BrowserContext, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)
