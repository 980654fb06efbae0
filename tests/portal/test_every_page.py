"""What holds on every page: who may come, what the policy of the page allows, and that hostile text stays text."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, AppKind, Draft, PermissionSet, Person, Record, User
from syncer.drafts.drafting import make_draft
from syncer.models import AppState, Run
from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS
from tests import factories
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


def make_company(user: User, name: str = "") -> None:
    """One of everything, called `name` wherever people choose the name."""
    record = factories.make_record(
        title=name,
        creator_name=name,
        modifier_name=name,
        revision=2,
        body={"note": {"value": name}},
        in_force={"groups": [name]},
    )
    set_record = factories.make_record(
        AppKind.PERMISSION_SET,
        revision=2,
        in_force={"inline_policy": name, "managed_policies": [name]},
        body={"inline_policy": {"value": name}},
    )
    fields = {field: field for field in PERMISSION_SETS.types}
    AppState.objects.create(kind=AppKind.PERMISSION_SET, app_id="23", fields=fields)
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields={field: field for field in ASSIGNMENTS.types})
    account = factories.make_account(name, ou=f"service/{name}")
    permission_set = factories.make_permission_set("Deploy", description=name, record=set_record)
    group = factories.make_group(name, factories.get_principal(user))
    factories.make_assignment(
        user, account=account, permission_set=permission_set, record=record, until=timezone.localdate()
    )
    factories.make_assignment(group, account=account, permission_set=permission_set, record=record)
    draft = make_draft(AppKind.ASSIGNMENT, user, {"note": name, "users": [name]}, record=record)
    draft.state, draft.reason = Draft.State.REFUSED, {"code": name, "params": {}}
    draft.save()
    factories.make_problem(record, params={"account": name})
    factories.make_problem(set_record, "json_trailing_comma", field="inline_policy", line=1, params={"column": name})
    run = factories.make_run(
        status="held",
        checksum="0123456789ab",
        problems=[{"record": record.reference, "field": name, "line": 1, "code": name, "severity": "error"}],
        unresolved=[{"scope": name, "operation": name, "reason": {"code": name, "params": {}}}],
        error={"code": "unexpected", "params": {"text": name}},
    )
    factories.make_change(run, kind="delete", outcome="held", principal_name=name)
    factories.make_change(run, outcome="failed", principal_name=name, reason={"code": name, "params": {}})


def list_urls() -> list[str]:
    """Every page of the portal, with what `make_company` made."""
    account, permission_set, person = Account.objects.get(), PermissionSet.objects.get(), Person.objects.earliest("pk")
    record, group, run = (
        Record.objects.filter(kind=AppKind.ASSIGNMENT).get(),
        factories.make_group("team-x"),
        Run.objects.get(),
    )
    draft = Draft.objects.get()
    return [
        "/", "/?q=deploy", "/accounts/", f"/accounts/{account.account_id}/", "/permission-sets/",
        f"/permission-sets/{permission_set.pk}/", "/permission-sets/new/",
        f"/permission-sets/{permission_set.pk}/edit/", f"/permission-sets/{permission_set.pk}/rename/",
        f"/permission-sets/{permission_set.pk}/rename/?name=New", f"/permission-sets/{permission_set.pk}/delete/",
        f"/permission-sets/{permission_set.pk}/history/", "/people/", f"/people/{person.pk}/", f"/groups/{group.pk}/",
        "/groups/", "/why/", f"/why/?account={account.account_id}&set={permission_set.pk}",
        "/assignments/", "/assignments/?q=x&state=granted&ends=7",
        f"/assignments/{record.pk}/", f"/assignments/{record.pk}/remove/", "/problems/", "/runs/", "/runs/?all=1",
        f"/runs/{run.pk}/", "/cli/",
        "/shortcuts/new/", f"/shortcuts/new/?account={account.account_id}&set=Deploy&service=cloudwatch-log-search",
        "/cli/merge/", "/runs/pause/", f"/accounts/{account.account_id}/freeze/", f"/people/{person.pk}/lock-out/",
        "/drafts/", "/drafts/?all=1", f"/drafts/{draft.pk}/", f"/drafts/{draft.pk}/discard/", "/doctor/",
        "/guardrails/", "/guardrails/what-if/", "/tokens/",
        "/shortcuts/", "/shortcuts/keep/", "/search/", "/search/?q=deploy",
        "/api/v1/",
        "/activity/",
        "/assignments/new/", f"/assignments/new/?account={account.account_id}&permission_set=Deploy",
        f"/assignments/{record.pk}/edit/",
    ]  # fmt: skip


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花", is_staff=True)


@pytest.fixture
def visit_all(admin: User) -> Callable[[str], dict[str, str]]:
    def visit(name: str) -> dict[str, str]:
        make_company(admin, name)
        client = make_client(admin)
        return {url: get_html(client, url) for url in list_urls()}

    return visit


def test_anonymous_is_led_to_sign_in(admin: User) -> None:
    make_company(admin, "payments")
    for url in list_urls():
        response = Client().get(url)
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/?next=/"), url


def test_nothing_is_inline_and_ids_are_unique(visit_all: Callable[[str], dict[str, str]]) -> None:
    for url, html in visit_all("payments").items():
        outline = Outline()
        outline.feed(html)
        assert outline.inline == [], url
        assert outline.headings.count("h1") == 1, url
        assert len(outline.ids) == len(set(outline.ids)), url


def test_headings_skip_no_level(visit_all: Callable[[str], dict[str, str]]) -> None:
    for url, html in visit_all("payments").items():
        outline = Outline()
        outline.feed(html)
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


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/000000000000/", "/accounts/x/", "/permission-sets/9999/", "/people/9999/", "/groups/9999/",
        "/assignments/9999/",
        "/runs/9999/", "/records/24/9999/", "/nothing/",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(url: str, admin: User) -> None:
    response = make_client(admin).get(url)
    assert response.status_code == 404
    assert response.headers["X-Request-ID"] in response.content.decode()


@pytest.mark.parametrize(
    "url", ["/", "/accounts/", "/permission-sets/", "/people/", "/problems/", "/runs/", "/cli/", "/drafts/"]
)
def test_empty_portal_says_what_each_page_is_for(url: str, admin: User) -> None:
    get_html(make_client(admin), url)


@pytest.mark.parametrize(
    "url", ["/", "/accounts/", "/permission-sets/", "/people/", "/problems/", "/runs/", "/drafts/"]
)
def test_pages_are_for_reading(url: str, admin: User) -> None:
    assert make_client(admin).post(url).status_code == 405


@pytest.mark.parametrize("url", ["/runs/sync/", "/runs/confirm/", "/preferences/theme/", "/preferences/language/"])
def test_changes_need_post(url: str, admin: User) -> None:
    assert make_client(admin).get(url).status_code == 405


@pytest.mark.parametrize("query", ["page=999", "page=x", "q=%00", "stage=nonsense", "outcome=x", "region=%0a"])
def test_odd_parameters_do_no_harm(query: str, admin: User) -> None:
    make_company(admin, "payments")
    client = make_client(admin)
    for url in list_urls():
        get_html(client, f"{url.partition('?')[0]}?{query}")
