"""WCAG 2.2 AA as far as a program can tell, and no page wider than its window."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.browser.visiting import ADMIN, sign_in

pytestmark = pytest.mark.timeout(300)
PATHS = (
    "/", "/accounts/", "/permission-sets/", "/permission-sets/new/?template=bucket", "/people/", "/problems/", "/runs/",
    "/runs/pause/", "/guardrails/", "/guardrails/what-if/?effect=groups_only&existing=keep", "/cli/", "/drafts/",
    "/activity/", "/problems/?mine=1", "/accounts/?kind=inactive",
    "/shortcuts/new/?account=prod&service=lambda-function", "/shortcuts/keep/", "/search/?q=prod",
    "/tokens/", "/api/v1/",
)  # fmt: skip
FIRST_LINKS = ("/accounts/", "/permission-sets/", "/people/", "/runs/")


def list_pages(page: Page) -> list[str]:
    """The main pages, and the first thing that each list leads to."""
    paths = list(PATHS)
    for path in FIRST_LINKS:
        page.goto(path)
        paths.append(page.locator("main a.name").first.get_attribute("href") or "")
    paths += [f"{path}freeze/" for path in paths if re.fullmatch(r"/accounts/\d{12}/", path)]
    paths += [f"{path}lock-out/" for path in paths if re.fullmatch(r"/people/\d+/", path)]
    page.goto("/accounts/")
    paths.append(page.locator('main a[href^="/ous/"]').first.get_attribute("href") or "")
    paths.append(f"{paths[-1]}owners/")
    page.goto("/problems/")
    paths.append(page.locator('main a[href^="/records/"]').first.get_attribute("href") or "")
    return paths


def find_violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {node['html'][:200]}" for item in found for node in item["nodes"]]


@pytest.mark.parametrize(
    ("scheme", "width", "locale"),
    [("light", 1280, "ja"), ("dark", 1280, "en"), ("light", 390, "en"), ("dark", 390, "ja")],
)
def test_pages_have_no_violation_and_fit(
    scheme: str, width: int, locale: str, open_context: Callable[..., BrowserContext]
) -> None:
    context = open_context(viewport={"width": width, "height": 844}, color_scheme=scheme, locale=locale)
    page = context.new_page()
    page.goto("/sign-in/")
    assert find_violations(page) == []
    sign_in(page, ADMIN)
    for path in list_pages(page):
        page.goto(path)
        assert find_violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_open_menus_have_no_violation(page: Page) -> None:
    sign_in(page, ADMIN)
    page.locator(".chip summary").first.click()
    assert find_violations(page) == []
    page.locator(".me summary").click()
    assert find_violations(page) == []


def test_keyboard_reaches_the_content_first(page: Page) -> None:
    sign_in(page, ADMIN, "/accounts/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert re.search("#main$", page.url)
