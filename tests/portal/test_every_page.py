"""What holds on every page: none is forgotten, its policy is strict, and hostile text stays text."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from accounts.models import User
from tests import factories
from tests.portal.addresses import (
    ADDRESSES,
    ADMIN,
    API_ADDRESSES,
    API_DESCRIPTION,
    ELSEWHERE,
    Company,
    list_routes,
    make_company,
)
from tests.portal.pages import get_html, make_client

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'"


class Outline(HTMLParser):
    """Collects what a strict policy forbids, and what every page needs."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.inline: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(tag)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.inline.append(tag)
        self.inline += [name for name in names if name == "style" or name.startswith("on")]
        self.ids += [str(names["id"])] if "id" in names else []


def list_urls(company: Company) -> list[str]:
    """Every page that an admin reads, and some of them filled in by their query."""
    account, permission_set = company.account.account_id, company.permission_set
    return [
        *(company.fill(row.route) for row in ADDRESSES if row.is_page and row.reads and ADMIN in row.reads),
        "/?q=deploy", "/search/?q=deploy", f"/permission-sets/{permission_set.pk}/rename/?name=New",
        f"/why/?account={account}&set={permission_set.pk}", "/assignments/?q=x&state=granted&ends=7", "/runs/?all=1",
        "/drafts/?all=1", f"/shortcuts/new/?account={account}&set=Deploy&service=cloudwatch-log-search",
        f"/assignments/new/?account={account}&permission_set=Deploy",
    ]  # fmt: skip


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花", is_staff=True)


@pytest.fixture
def visit_all(admin: User) -> Callable[[str], dict[str, str]]:
    def visit(name: str) -> dict[str, str]:
        company, client = make_company(admin, name), make_client(admin)
        return {url: get_html(client, url) for url in list_urls(company)}

    return visit


def test_table_holds_every_address(admin: User) -> None:
    """Who adds an address says in tests/portal/addresses.py who may come, with an example of it."""
    company = make_company(admin)
    tried = {row.route for row in ADDRESSES} | {row.route for row in API_ADDRESSES} | {API_DESCRIPTION}
    assert list_routes() - tried - ELSEWHERE.keys() == set()
    assert tried <= list_routes()
    assert [row.route for row in ADDRESSES if "<" in company.fill(row.route)] == []


def test_pages_have_one_outline_and_nothing_inline(visit_all: Callable[[str], dict[str, str]]) -> None:
    for url, html in visit_all("payments").items():
        outline = Outline()
        outline.feed(html)
        assert outline.inline == [], url
        assert outline.headings.count("h1") == 1, url
        assert len(outline.ids) == len(set(outline.ids)), url
        levels = [int(tag[1]) for tag in outline.headings]
        assert all(below <= above + 1 for above, below in zip([0, *levels], levels, strict=False)), (url, levels)


def test_hostile_text_stays_text(visit_all: Callable[[str], dict[str, str]]) -> None:
    pages = visit_all(HOSTILE)
    for url, html in pages.items():
        assert "<script>alert" not in html, url
    assert sum("&lt;script&gt;alert" in html for html in pages.values()) > 10


def test_policy_of_the_page_is_strict(admin: User) -> None:
    response = make_client(admin).get("/")
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_what_is_not_there_says_under_which_id_it_was_asked(admin: User) -> None:
    response = make_client(admin).get("/nothing/")
    assert response.status_code == 404
    assert response.headers["X-Request-ID"] in response.content.decode()


@pytest.mark.parametrize(
    "url", ["/", "/accounts/", "/permission-sets/", "/people/", "/problems/", "/runs/", "/cli/", "/drafts/"]
)
def test_empty_portal_says_what_each_page_is_for(url: str, admin: User) -> None:
    get_html(make_client(admin), url)


@pytest.mark.parametrize("query", ["page=999&q=%00&stage=nonsense", "page=x&q=x&outcome=x&region=%0a"])
def test_odd_parameters_do_no_harm(query: str, admin: User) -> None:
    company, client = make_company(admin, "payments"), make_client(admin)
    for url in list_urls(company):
        get_html(client, f"{url.partition('?')[0]}?{query}")
