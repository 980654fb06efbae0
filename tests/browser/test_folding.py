"""What is typed is folded in the browser as the server has folded what is looked through."""

from playwright.sync_api import Browser

from accounts.search import VARIANTS, fold_text, split_query
from tests.browser.conftest import PROJECT

TEXTS = [
    "佐藤\u3000遥", "ｻﾄｳ ﾊﾙｶ", "ｶﾞﾄﾞ", "か\u3099", "ヴァイオリン", "ヵヶヽヾヿヷ", "ジョン・スミス", "ｻｰﾊﾞｰ",
    "ＰＲＯＤ－１", "STRASSE straße", "ΟΔΟΣ", "web\u221201", "ﬁle", "髙橋 山﨑 渡邉 齋藤", "１２３４ ５６７８ ９０１２",
    "1234-5678", "20 24", " \u3000- ", "", "prod  prod 1234", "kaikei-prod LogViewer", *VARIANTS,
]  # fmt: skip


def test_browser_folds_as_the_server_does(browser: Browser) -> None:
    page = browser.new_page()
    page.add_script_tag(path=PROJECT / "static" / "js" / "fold.js")
    folded, words = page.evaluate(
        """([texts, variants]) => {
            const fold = makeFold(variants);
            return [texts.map(fold), texts.map((text) => splitQuery(text, fold).map(fold).filter(Boolean))];
        }""",
        [TEXTS, VARIANTS],
    )
    assert folded == [fold_text(text) for text in TEXTS]
    assert [list(dict.fromkeys(each)) for each in words] == [list(split_query(text)) for text in TEXTS]
    page.close()
