"""What people come for, done in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import find_violations
from tests.browser.visiting import ADMIN, DEVELOPER, LOCKED, NEWCOMER, sign_in

pytestmark = pytest.mark.timeout(300)  # the demo carries a whole company into AWS before the first test
CONSOLE = re.compile(r"^https://[\w.-]+/start/?#/console\?account_id=\d{12}&role_name=\w+$")


def test_developer_signs_in_and_opens_a_console(page: Page) -> None:
    sign_in(page, DEVELOPER)
    expect(page.get_by_role("heading", level=1, name="マイアクセス")).to_be_visible()
    with page.context.expect_page() as opened:
        page.locator("[data-enter]").first.click()
    expect(opened.value).to_have_url(CONSOLE)


def test_filter_narrows_while_typing(page: Page) -> None:
    sign_in(page, DEVELOPER)
    rows = page.locator("[data-filter-row]:visible")
    everything = rows.count()
    page.keyboard.press("/")
    page.get_by_role("searchbox").fill("prod logviewer")
    expect(rows).to_have_count(1)
    assert everything > 1
    expect(page.locator("[data-filter-chip]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-enter]:visible").first).to_be_focused()
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_text("あなたのアクセスに当てはまるものはありません")).to_be_visible()


def test_link_and_profile_can_be_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, DEVELOPER)
    page.locator(".chip summary").first.click()
    page.get_by_role("button", name="リンクをコピー").click()
    expect(page.get_by_role("status").filter(has_text="コピーしました")).to_be_attached()
    assert CONSOLE.match(page.evaluate("navigator.clipboard.readText()"))
    page.keyboard.press("Escape")
    expect(page.locator(".chip details[open]")).to_have_count(0)


def test_sync_now_is_followed_to_its_end(page: Page) -> None:
    sign_in(page, DEVELOPER, "/runs/")
    page.get_by_role("button", name="今すぐ同期").click()
    page.wait_for_url(re.compile(r"/runs/\d+/$"))
    expect(page.locator(".steps .done")).to_have_count(5, timeout=90_000)
    expect(page.locator("#run[hx-trigger]")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).not_to_have_text("")


def test_language_and_theme_are_kept(page: Page) -> None:
    sign_in(page, DEVELOPER)
    page.get_by_role("contentinfo").get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1, name="My access")).to_be_visible()
    page.locator(".me summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/accounts/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()


def test_accounts_are_searched_while_typing(page: Page) -> None:
    sign_in(page, DEVELOPER, "/accounts/")
    page.get_by_role("searchbox").fill("kaikei-prod")
    expect(page.locator("#accounts .row")).to_have_count(2)
    expect(page).to_have_url(re.compile("q=kaikei-prod"))
    page.get_by_role("link", name="kaikei-prod", exact=True).click()
    expect(page.get_by_role("heading", name="入れる人とその理由")).to_be_visible()


def test_newcomer_is_told_to_wait(page: Page) -> None:
    sign_in(page, NEWCOMER)
    expect(page.get_by_text("Identity Center にいません").first).to_be_visible()


def test_admin_locks_a_person_out_and_lets_him_in_again(page: Page) -> None:
    sign_in(page, ADMIN, "/people/")
    page.goto(f"/people/?q={LOCKED}")
    page.locator("main a.name").first.click()
    page.get_by_role("link", name="締め出す").click()
    expect(page.get_by_role("heading", name="ただちに削除されるもの")).to_be_visible()
    going = page.locator("main .row li.tag").count()
    assert going > 0
    page.get_by_role("button", name="締め出して").click()
    expect(page.get_by_text("理由がありません")).to_be_visible()
    page.get_by_label("理由").fill("ノートパソコンの紛失")
    page.get_by_role("button", name="締め出して").click()
    page.wait_for_url(re.compile(r"/people/\d+/#lock-out$"))
    removed = page.locator("#lock-out .change .state.take")
    expect(removed).to_have_count(going, timeout=60_000)
    expect(page.locator("#lock-out[hx-trigger]")).to_have_count(0)
    expect(page.locator("#ways .state.odo")).to_have_count(going)  # blocked, because the person is locked out
    expect(page.get_by_text("まで続くことがあります")).to_be_visible()
    assert find_violations(page) == []
    page.get_by_role("button", name="締め出しを解除").click()
    expect(page.get_by_text("締め出しを解除しました")).to_be_visible()
    expect(page.locator("#lock-out")).to_have_count(0)


def test_admin_pauses_and_everybody_is_told(page: Page, open_context: Callable[..., BrowserContext]) -> None:
    sign_in(page, ADMIN, "/runs/")
    page.get_by_role("link", name="一時停止").click()
    page.get_by_label("理由").fill("障害の調査")
    page.get_by_label("30 分").check()
    page.get_by_role("button", name="一時停止する").click()
    other = open_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(other, DEVELOPER)
    expect(other.get_by_text("障害の調査")).to_be_visible()
    page.get_by_role("button", name="再開").click()
    expect(page.get_by_text("障害の調査")).to_have_count(0)


def test_admin_comes_to_the_admin_site(page: Page) -> None:
    sign_in(page, ADMIN)
    page.locator(".me summary").click()
    page.get_by_role("link", name="管理サイト").click()
    expect(page).to_have_url(re.compile("/admin/$"))


def test_sign_out_ends_at_the_door(page: Page) -> None:
    sign_in(page, DEVELOPER)
    page.locator(".me summary").click()
    page.get_by_role("button", name="サインアウト").click()
    expect(page.get_by_role("link", name="Microsoft でサインイン")).to_be_visible()


def test_everything_works_without_script(open_context: Callable[..., BrowserContext]) -> None:
    page = open_context(java_script_enabled=False, viewport={"width": 1280, "height": 800}).new_page()
    sign_in(page, DEVELOPER)
    page.get_by_role("searchbox").fill("prod logviewer")
    page.get_by_role("button", name="絞り込む").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.locator(".chip summary").click()
    expect(page.get_by_text("aws sso login --profile LogViewer-")).to_be_visible()
    expect(page.get_by_role("button", name="リンクをコピー")).to_have_count(0)
    page.goto("/runs/")
    page.get_by_role("button", name="今すぐ同期").click()
    expect(page.locator(".steps .done")).to_have_count(5, timeout=90_000)


def test_developer_takes_himself_out_and_undoes_it(page: Page) -> None:
    sign_in(page, DEVELOPER)
    chip = page.locator(".chip", has=page.locator(".ways a", has_text="自分を外す")).first
    chip.locator("summary").click()
    chip.get_by_role("link", name="自分を外す").first.click()
    expect(page.get_by_role("heading", name="残るもの")).to_be_visible()
    expect(page.get_by_text("アクセスポータルへのサインイン")).to_be_visible()
    assert find_violations(page) == []
    page.get_by_role("button", name="自分を外す").click()
    page.wait_for_url(re.compile(r"/drafts/\d+/$"))
    expect(page.locator("#draft .callout.success").first).to_be_visible(timeout=60_000)  # the run has carried it out
    assert find_violations(page) == []
    removed = page.url
    page.get_by_role("button", name="元に戻す").click()
    expect(page.get_by_role("button", name="元に戻す")).to_have_count(0)
    assert page.url != removed
    expect(page.locator("#draft .callout.success")).to_be_visible(timeout=60_000)
