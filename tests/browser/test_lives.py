"""Access from its first day to its last: who comes late, whose time is up, who leaves, and what holds it up."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.outside import Outside
from tests.browser.test_accessibility import find_violations
from tests.browser.test_giving import choose
from tests.browser.visiting import ADMIN, NEWCOMER, OWNER, sign_in

pytestmark = pytest.mark.timeout(300)
NEW = "/assignments/new/"
LATE, AUDITING = ("kazuki.ishikawa", "kazuki.ishikawa"), ("megumi.morita", "森田 恵")
LEAVER = "wataru.kondo"
HIS = "ps-aozora-bank"  # the leaver's alone
TODAY = datetime.now(ZoneInfo("Asia/Tokyo")).date()  # as the portal has it
YESTERDAY = TODAY - timedelta(days=1)
MANY = ("hiroyuki.takeuchi", "rin.kaneko", "hitomi.tamura", "asahi.ono", "tomoko.harada", "keisuke.nakano")
SOON = 60_000  # ms; a run in a worker that does other things, too


@pytest.fixture
def outside(demo_folder: Path) -> Outside:
    return Outside(demo_folder)


def give(page: Page, account: str, permission_set: str, who: tuple[str, str], *, until: date | None = None) -> None:
    """Fill the form and send it; the page of the submit is there."""
    choose(page, "account", account, account)
    page.get_by_label("許可セット").select_option(permission_set)
    choose(page, "people", *who)
    if until:
        page.locator("[name=expires_on]").fill(until.isoformat())
    expect(page.locator("#give-preview")).to_contain_text(account)
    page.get_by_role("button", name="登録する").click()
    page.wait_for_url(re.compile(r"/assignments/sent/\w+/$"))


def reload_until(page: Page, found: Locator) -> None:
    """What a page that does not follow by itself says sooner or later."""
    for _second in range(SOON // 1000):
        if found.is_visible():
            return
        page.wait_for_timeout(1000)
        page.reload()
    expect(found).to_be_visible()


def test_newcomer_waits_and_has_access_once_he_is_there(page: Page, outside: Outside) -> None:
    sign_in(page, OWNER, NEW)
    give(page, "kaikei-dev", "LogViewer", LATE)
    waiting = page.locator("#sent .state", has_text="Identity Center 待ち")
    expect(waiting).to_be_visible(timeout=SOON)
    assert find_violations(page) == []
    outside.bring(NEWCOMER, "石川 一輝")
    page.get_by_role("button", name="もう一度試す").click()
    expect(page.locator("#sent .sum")).to_have_text("1 件のうち 1 件が使えます", timeout=SOON)
    expect(page.get_by_role("button", name="もう一度試す")).to_have_count(0)


def test_access_ends_when_its_last_day_is_over(page: Page, outside: Outside) -> None:
    """The night is brought about by moving the last day to yesterday, in kintone, where runs look each minute."""
    sign_in(page, OWNER, NEW)
    give(page, "kaikei-dev", "SupportUser", AUDITING, until=TODAY)
    expect(page.locator("#sent .sum")).to_have_text("1 件のうち 1 件が使えます", timeout=SOON)
    page.get_by_role("link", name="レコード").click()
    record = page.url
    reference = page.locator(".badges span.id").inner_text().partition(":")[2]
    page.goto("/problems/?mine=1")
    reminder = page.locator("main li", has_text="に終了します").filter(has_text="森田 恵").first
    expect(reminder.get_by_role("link", name="延長")).to_be_visible()
    outside.change(reference, expires_on=YESTERDAY.isoformat())
    page.goto(record)
    reload_until(page, page.get_by_text("このレコードによる割当はありません"))
    expect(page.get_by_role("main")).to_contain_text(YESTERDAY.isoformat())
    assert find_violations(page) == []


def sync(page: Page) -> None:
    """A full run, followed to its end."""
    page.goto("/runs/")
    page.get_by_role("button", name="今すぐ同期").click()
    expect(page.locator(".steps .done")).to_have_count(5, timeout=90_000)


def test_leaver_loses_access_and_leaves_an_account_without_an_owner(page: Page, outside: Outside) -> None:
    sign_in(page, ADMIN, f"/people/?q={LEAVER}")
    page.locator("main a.name").first.click()
    own = page.locator("#ways .way", has_text="PowerUserAccess")
    expect(own.locator(".state.take")).to_be_visible()
    leaver = page.url
    outside.disable(LEAVER)
    sync(page)
    page.goto(leaver)
    expect(page.locator(".badges", has_text="無効")).to_be_visible()
    expect(own).to_contain_text("Identity Center で無効になっています")
    expect(page.locator(".events", has_text="アクセスを削除")).to_be_visible()
    page.goto("/problems/")
    expect(page.locator("section", has_text="所有者が不在になったアカウント").last).to_contain_text(HIS)


def test_held_removals_go_once_an_admin_has_seen_them(page: Page, outside: Outside) -> None:
    """Half of an account's access goes with one edit in kintone, and nobody has said so."""
    record = outside.register("hackathon-2026", "BillingReader", *MANY)
    sign_in(page, ADMIN, "/assignments/?q=hackathon-2026+BillingReader")
    given = page.locator("#access .state.take")
    reload_until(page, given.nth(len(MANY) - 1))
    outside.change(record, users=[])
    sync(page)
    expect(page.locator("#held")).to_contain_text(f"{len(MANY)} 件")
    assert find_violations(page) == []
    page.get_by_role("button", name=f"{len(MANY)} 件の削除を").click()
    expect(page.locator(".steps .done")).to_have_count(5, timeout=90_000)
    expect(page.locator("#held")).to_have_count(0)
    page.goto("/assignments/?q=hackathon-2026+BillingReader")
    expect(given).to_have_count(0)


def test_submit_is_kept_while_kintone_is_away(page: Page, outside: Outside) -> None:
    sign_in(page, OWNER, NEW)
    with outside.kintone_away():
        give(page, "kaikei-dev", "ViewOnlyAccess", AUDITING)
        sent = page.url
        expect(page.get_by_text("下書きはここに残り、自動で送られます")).to_be_visible()
        expect(page.get_by_role("button", name="今すぐ送信")).to_be_visible(timeout=SOON)
        assert find_violations(page) == []
        page.goto("/drafts/")
        expect(page.get_by_role("main")).to_contain_text("kintone へ送信待ち")
    page.goto(sent)
    button, done = page.get_by_role("button", name="今すぐ送信"), page.locator("#sent .sum", has_text="1 件のうち 1 件")
    expect(button.or_(done)).to_be_visible()
    if button.is_visible():  # unless it has been sent by itself already
        button.click()
    expect(done).to_be_visible(timeout=SOON)
