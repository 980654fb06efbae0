"""The palette: one table of cases for both engines, and a journey without a mouse."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.palette.ranking import rank
from accounts.palette.words import FILLERS, LEADING, SYNONYMS, read_words
from accounts.palette.world import World
from accounts.search import VARIANTS
from tests.accounts.palette.cases import CASES, CROWDED, WORLD, make_crowd
from tests.browser.conftest import PROJECT
from tests.browser.test_accessibility import find_violations
from tests.browser.visiting import DEVELOPER, sign_in

pytestmark = pytest.mark.timeout(300)
WORDS = {"synonyms": SYNONYMS, "fillers": FILLERS, "leading": LEADING, "variants": VARIANTS}
SENT = {"world": WORLD.as_json(), "words": WORDS}
ODD = [
    "髙﨑 ｶﾞﾗｽ",
    "ヴァイオリン・ジョン",
    "STRASSE straße",
    "ΟΔΟΣ",
    "か\u3099 が",
    "Ｐａｙ－１ ２３４５ ６７",
    "a_b/c.d",
    "本番のログ 環境",
    "ヵヶヽヾ ー",
    "\u2212x\u2212",
]


def test_browser_means_the_same_as_the_server(browser: Browser) -> None:
    page = browser.new_page()
    for name in ("fold", "seek"):
        page.add_script_tag(path=PROJECT / "static" / "js" / f"{name}.js")
    queries = [query for query, _expected in CASES]
    queries += [query[:length] for query in queries for length in range(1, len(query))]
    for world, asked in ((WORLD, queries), (make_crowd(), CROWDED)):
        for query, offered in zip(asked, seek(page, world, asked), strict=True):
            assert offered == [
                [each.entry.kind, each.entry.title, each.entry.below, each.entry.href, each.score, each.weakest]
                for each in rank(world, query)
            ], query
    words = page.evaluate("([sent, odd]) => odd.map(makeSeeker(JSON.parse(sent)).readWords)", [json.dumps(SENT), ODD])
    assert words == [[word.text for word in read_words(query)] for query in ODD]
    page.close()


def seek(page: Page, world: World, queries: Sequence[str]) -> list[list[list[Any]]]:
    """What the engine in the browser offers for each."""
    found: list[list[list[Any]]] = page.evaluate(
        """([sent, queries]) => {
            const seeker = makeSeeker(JSON.parse(sent));
            const show = ({ entry, score, weakest }) =>
                [entry.kind, entry.title, entry.below, entry.href, score, weakest];
            return queries.map((query) => seeker.rank(query).map(show));
        }""",
        [json.dumps({"world": world.as_json(), "words": WORDS}), list(queries)],
    )
    return found


def test_console_is_reached_without_a_mouse(open_context: Callable[..., BrowserContext]) -> None:
    context = open_context(viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    sign_in(page, DEVELOPER, "/accounts/")
    page.keyboard.press("Tab")
    before = page.evaluate("document.activeElement.outerHTML")
    page.keyboard.press("Control+k")
    box = page.get_by_role("dialog", name="どこへ行きますか").get_by_role("combobox")
    expect(box).to_be_focused()
    page.keyboard.type("本番 ログ")
    options = page.locator("#palette-options").get_by_role("option")
    expect(options.first).to_contain_text("kaikei-prod · CloudWatch · ロググループ一覧")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[data-palette-said]")).to_have_text(f"{options.count()} 件")
    assert find_violations(page) == []
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    expect(chosen).to_contain_text("kaikei-prod-dr")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-palette-said]")).to_have_text("リンクをコピーしました")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        r"https://\S+/#/console\?account_id=\d{12}&role_name=ReadOnlyAccess&destination=https\S+", copied
    )
    with page.expect_popup() as opened, page.expect_response("**/visits/**"):
        page.keyboard.press("Enter")
    assert opened.value.url == copied
    expect(box).not_to_be_visible()
    assert page.evaluate("document.activeElement.outerHTML") == before
    page.keyboard.press("Control+k")
    page.keyboard.type("石川")
    expect(options.first).to_contain_text("石川")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/people/\d+/$"))
    page.keyboard.press("Control+k")
    expect(options.filter(has_text="kaikei-prod-dr")).to_be_visible()  # what was used is there before a letter is typed
    page.keyboard.type("xyzzy")
    expect(options).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=xyzzy")
