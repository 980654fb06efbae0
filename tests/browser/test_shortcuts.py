"""A shortcut, from its making to those who follow it: its maker, a colleague with other rights, and a newcomer."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.test_accessibility import find_violations
from tests.browser.visiting import DEVELOPER, NEWCOMER, OWNER, sign_in

pytestmark = pytest.mark.timeout(300)
NAME, SLUG, GROUP = "会計 API のエラーログ", "kaikei-errors", "/aws/lambda/kaikei-api"
WIDE: ViewportSize = {"width": 1280, "height": 900}


def build(page: Page) -> None:
    """In the form, as somebody who knows the account's name."""
    page.goto("/shortcuts/new/")
    page.get_by_label("アカウント", exact=True).fill("kaikei-prod")
    page.get_by_label("アカウント", exact=True).press("Tab")
    expect(page.locator("#shortcut-account_note")).to_contain_text("8205")
    page.get_by_label("コンソールの行き先").select_option("cloudwatch-log-group")
    page.get_by_label("ロググループ").fill(GROUP)
    expect(page.locator("#shortcut-url")).to_contain_text("kaikei-api")
    assert find_violations(page) == []


def share(page: Page) -> None:
    page.get_by_role("link", name="保存して共有").click()
    page.get_by_label("名前").fill(NAME)
    page.get_by_label("アドレス").fill(SLUG)
    page.get_by_label("全員").check()
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("link", name=NAME)).to_be_visible()
    assert find_violations(page) == []


def follow(page: Page, upn: str) -> tuple[str, str]:
    """The set with which the link takes somebody along, and where to."""
    sign_in(page, upn)
    answer = page.request.get(f"/go/{SLUG}/", max_redirects=0)  # nothing beyond this machine can be reached
    assert answer.status == 302
    values = parse_qs(urlsplit(answer.headers["location"]).fragment.partition("?")[2])
    return values["role_name"][0], values["destination"][0]


@pytest.fixture
def newcomer(browser: Browser, portal_url: str) -> Iterator[Page]:
    """A window of its own: its console tells that the answer is 403, which is right."""
    context = browser.new_context(base_url=portal_url, locale="ja", viewport=WIDE)
    yield context.new_page()
    context.close()


def test_shortcut_takes_each_visitor_along_in_his_own_way(
    open_context: Callable[..., BrowserContext], newcomer: Page
) -> None:
    maker, colleague = (open_context(viewport=WIDE).new_page() for _person in range(2))
    sign_in(maker, OWNER)
    build(maker)
    share(maker)
    maker.goto("/accounts/?q=kaikei-prod")
    maker.get_by_role("link", name="kaikei-prod", exact=True).click()
    expect(maker.get_by_role("link", name=NAME)).to_be_visible()

    permission_set, destination = follow(colleague, DEVELOPER)
    assert permission_set == "LogViewer"  # his own; the maker has more
    assert "kaikei-api" in unquote(destination)

    sign_in(newcomer, NEWCOMER)
    newcomer.goto(f"/go/{SLUG}/")
    expect(newcomer.get_by_role("link", name="team-kaikei")).to_be_visible()
    message = newcomer.locator("#message")
    expect(message).to_contain_text(NAME)
    expect(message).to_contain_text("/assignments/new/?account=")
    assert find_violations(newcomer) == []
    newcomer.set_viewport_size({"width": 390, "height": 844})
    assert newcomer.evaluate("document.documentElement.scrollWidth") <= 390
