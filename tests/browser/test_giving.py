"""Giving access as people do it: an owner, somebody who is none, and two at once."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.test_accessibility import find_violations
from tests.browser.visiting import ADMIN, DEVELOPER, OWNER, sign_in

pytestmark = pytest.mark.timeout(300)
NEW = "/assignments/new/"
MINE = ("kaikei-prod-dr", "kaikei-stg")
PEOPLE = "takashi.hashimoto@asagiri.example\n佐藤 遥 <haruka.sato@asagiri.example>, megumi.morita@asagiri.example"


def choose(page: Page, kind: str, text: str, shown: str) -> None:
    """Type a few letters, and take the first of what is offered."""
    box = page.locator(f"#add-{kind}[role=combobox]")
    box.press_sequentially(text)
    expect(page.locator(f"#options-{kind} [aria-selected=true]")).to_contain_text(shown)
    box.press("Enter")
    expect(page.locator(f"[data-chooser$='/{kind}/'] [data-picked]")).to_contain_text(shown)


def paste(page: Page, kind: str, text: str) -> None:
    page.locator(f"#add-{kind}[role=combobox]").evaluate(
        """(area, text) => {
            const data = new DataTransfer();
            data.setData("text", text);
            area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def test_owner_gives_three_people_access_to_two_accounts(page: Page) -> None:
    sign_in(page, OWNER)
    page.get_by_role("link", name="アクセスを登録").first.click()
    for name in MINE:
        choose(page, "account", name, name)
    box = page.locator("#add-people")
    box.press_sequentially("hashimoto")
    expect(page.locator("#options-people [aria-selected=true]")).to_be_visible()
    box.fill("who is that")
    box.press("Enter")  # what was offered for other letters is not taken
    expect(page.locator("div[data-lost]").filter(has_text="who is that")).to_be_visible()
    expect(page.locator("[data-chooser$='/people/'] [data-picked] li")).to_have_count(0)
    box.fill("")
    page.get_by_label("許可セット").select_option("SupportUser")
    paste(page, "people", PEOPLE)
    preview = page.locator("#give-preview")
    expect(preview).to_contain_text("新しい割当 6 件")
    expect(preview).to_contain_text("本番")
    assert find_violations(page) == []
    page.get_by_role("button", name="登録する").click()
    page.wait_for_url(re.compile(r"/assignments/sent/\w+/$"))
    expect(page.locator("#sent .sum")).to_have_text("6 件のうち 6 件が使えます", timeout=60_000)
    expect(page.locator("#sent[hx-get]")).to_have_count(0)
    assert find_violations(page) == []
    page.get_by_role("link", name=MINE[0]).click()
    expect(page.get_by_role("main")).to_contain_text("橋本 隆")


def test_outsider_is_refused_with_who_may(page: Page) -> None:
    sign_in(page, DEVELOPER, "/accounts/")
    page.get_by_role("searchbox").fill(MINE[0])
    page.get_by_role("link", name=MINE[0]).click()
    page.get_by_role("link", name="アクセスを頼む").click()
    expect(page.locator("#add-people[role=combobox]")).to_be_visible()
    page.get_by_label("許可セット").select_option("LogViewer")
    preview = page.locator("#give-preview")
    expect(preview).to_contain_text("所有者ではないため、アクセスを登録できません")
    expect(page.locator("#give-message")).to_contain_text("permission_set=LogViewer")
    expect(page.get_by_role("button", name="登録する")).to_have_count(0)
    assert find_violations(page) == []


def test_answer_leaves_the_cursor_and_what_is_typed(page: Page) -> None:
    """Who goes on to the next box while a pasted list is looked up writes there, and nothing of the list is lost."""
    sign_in(page, OWNER, NEW)
    asked: list[Route] = []
    lookup = re.compile(r"/people/$")

    def hold(route: Route) -> None:
        asked.append(route)

    page.route(lookup, hold)
    with page.expect_request(lookup):
        paste(page, "people", PEOPLE)
    note = page.get_by_label("メモ")
    note.press_sequentially("夜間")
    asked[0].continue_()
    expect(page.locator("[data-chooser$='/people/'] [data-picked] li")).to_have_count(3)
    expect(note).to_be_focused()
    with page.expect_request(lookup):
        paste(page, "people", "megumi.morita@asagiri.example, haruka.sato@asagiri.example")
    page.locator("#add-people").press("End")
    page.keyboard.type("koji")
    asked[1].continue_()
    expect(page.locator("#add-people")).to_have_value("koji")


def test_two_people_change_one_record_at_once(open_context: Callable[..., BrowserContext]) -> None:
    owner, admin = open_context().new_page(), open_context().new_page()
    sign_in(owner, OWNER, NEW)
    choose(owner, "account", MINE[0], MINE[0])
    choose(owner, "people", "hayashi", "林 浩二")
    owner.get_by_label("許可セット").select_option("ViewOnlyAccess")
    owner.get_by_role("button", name="登録する").click()
    expect(owner.locator("#sent .sum")).to_have_text("1 件のうち 1 件が使えます", timeout=60_000)
    owner.get_by_role("link", name="レコード").click()
    owner.get_by_role("link", name="アクセスを変更").click()
    sign_in(admin, ADMIN, urlsplit(owner.url).path)
    paste(admin, "people", "takashi.hashimoto@asagiri.example\nharuka.sato@asagiri.example")
    admin.get_by_label("メモ").fill("管理者のメモ")
    admin.get_by_role("button", name="保存").click()
    expect(admin.locator("#sent .sum")).to_have_text("3 件のうち 3 件が使えます", timeout=60_000)
    choose(owner, "people", "morita", "森田 恵")
    owner.get_by_label("メモ").fill("担当者のメモ")
    owner.get_by_role("button", name="保存").click()
    owner.get_by_role("link", name="選択する").click(timeout=60_000)
    expect(owner.get_by_role("main")).to_contain_text("管理者のメモ")
    owner.get_by_role("radio", name="自分が書いた値").check()
    owner.get_by_role("button", name="この内容で送信").click()
    expect(owner.locator(".callout.success")).to_be_visible(timeout=60_000)
    owner.get_by_role("link", name="レコード").click()
    for name in ("林 浩二", "橋本 隆", "佐藤 遥", "森田 恵", "担当者のメモ"):
        expect(owner.get_by_role("main")).to_contain_text(name)
