"""Lists of assignments, narrowed by what stands in the address."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from portal.views import access_filter, paging
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return factories.make_user("閲覧者")


def make_two() -> None:
    """A person in production for ever, and a group in a sandbox for a week."""
    first = factories.make_account("payments-prod", ou="service/決済/Production")
    second = factories.make_account("ml-playground", ou="sandbox", stage="sandbox")
    person = factories.make_person(
        "佐藤 遥", principal=factories.make_principal("haruka@example.com", display_name="佐藤 遥")
    )
    factories.make_assignment(person.principal, account=first, permission_set=factories.make_permission_set("Deploy"))
    factories.make_assignment(
        factories.make_group("ml-team"),
        account=second,
        permission_set=factories.make_permission_set("Reader"),
        until=timezone.localdate() + timedelta(days=7),
        state="blocked",
        in_aws=False,
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"payments-prod", "ml-playground"}),
        ("q=payments", {"payments-prod"}),
        ("q=決済 deploy", {"payments-prod"}),
        ("q=佐藤遥", {"payments-prod"}),
        ("q=haruka", {"payments-prod"}),
        ("q=ml-team reader", {"ml-playground"}),
        ("q=haruka reader", set()),
        ("state=granted", {"payments-prod"}),
        ("state=troubled", {"ml-playground"}),
        ("state=removed", {"payments-prod", "ml-playground"}),
        ("stage=sandbox", {"ml-playground"}),
        ("kind=user", {"payments-prod"}),
        ("kind=group", {"ml-playground"}),
        ("ends=7", {"ml-playground"}),
        ("ends=never", {"payments-prod"}),
        ("ends=1", {"payments-prod", "ml-playground"}),
    ],
)
def test_all_access_is_narrowed(user: User, query: str, shown: set[str]) -> None:
    make_two()
    text = get_text(make_client(user), f"/assignments/?{query}", part="access")
    assert {name for name in ("payments-prod", "ml-playground") if name in text} == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("決済 deploy", {"payments-prod"}),
        ("佐藤遥", {"payments-prod"}),
        ("ml-team reader", {"ml-playground"}),
        ("nobody", set()),
    ],
)
def test_words_that_fit_too_much_find_the_same(
    user: User, query: str, shown: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_filter, "_MOST_KEYS", 0)
    make_two()
    text = get_text(make_client(user), f"/assignments/?q={query}", part="access")
    assert {name for name in ("payments-prod", "ml-playground") if name in text} == shown


def test_removed_access_is_history(user: User) -> None:
    assignment = factories.make_assignment(state="removed", in_aws=False)
    assert assignment.account.name not in get_text(make_client(user), "/assignments/")


def test_own_access_only(user: User, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    make_two()
    own = factories.make_assignment(user)
    text = get_text(make_client(user), "/assignments/")
    assert own.account.name in text
    assert "payments-prod" not in text


def test_filter_keeps_what_was_chosen(user: User) -> None:
    html = get_html(make_client(user), "/assignments/?q=決済&state=waiting&stage=sandbox&kind=group&ends=30")
    assert 'value="決済"' in html
    for value in ("waiting", "sandbox", "group", "30"):
        assert f'<option value="{value}" selected>' in html


def test_page_of_an_account_is_narrowed_too(user: User) -> None:
    account = factories.make_account()
    for name in ("alice", "bob"):
        factories.make_assignment(factories.make_person(name).principal, account=account)
    text = get_text(make_client(user), f"/accounts/{account.account_id}/?q=alice")
    assert "alice" in text
    assert "bob" not in text


def test_nothing_found_leads_back_to_everything(user: User) -> None:
    account = factories.make_account()
    factories.make_assignment(account=account)
    html = get_html(make_client(user), f"/accounts/{account.account_id}/?q=nobody-of-that-name")
    assert f'<a class="button" href="/accounts/{account.account_id}/">' in html


def test_counting_ends_somewhere(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_ROWS", 100)
    account, permission_set = factories.make_account(), factories.make_permission_set()
    for _number in range(101):
        factories.make_assignment(account=account, permission_set=permission_set)
    client = make_client(user)
    assert "More than 100 assignments" in get_text(client, "/assignments/")
    text = get_text(client, "/assignments/?page=9")
    assert "Page 2 of 2" in text
    assert "Pages end after 100 rows" in text


# --- People and groups ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "shown"),
    [
        ("", {"present", "waiting", "disabled", "gone"}),
        ("present", {"present"}),
        ("waiting", {"waiting"}),
        ("disabled", {"disabled"}),
        ("gone", {"gone"}),
        ("locked", set()),
    ],
)
def test_people_by_what_identity_center_says(user: User, standing: str, shown: set[str]) -> None:
    factories.make_person("p-present")
    factories.make_person("p-waiting", principal=factories.make_principal(principal_id=None))
    factories.make_person("p-disabled", principal=factories.make_principal(is_enabled=False))
    factories.make_person("p-gone", principal=factories.make_principal(gone_at=timezone.now()))
    text = get_text(make_client(user), f"/people/?standing={standing}", part="people")
    assert {name for name in ("present", "waiting", "disabled", "gone") if f"p-{name}" in text} == shown


def test_groups_have_a_list_with_members(user: User) -> None:
    group = factories.make_group("データ基盤", factories.make_principal(), factories.make_principal())
    factories.make_assignment(group)
    factories.make_group("other")
    html = get_html(make_client(user), "/groups/?q=ﾃﾞｰﾀ")
    assert f"/groups/{group.pk}/" in html
    assert "2 members" in html
    assert "1 account<" in html
    assert "other" not in html


def test_group_that_is_gone_is_in_no_list(user: User) -> None:
    factories.make_principal("gone-team", "GROUP", gone_at=timezone.now())
    assert "gone-team" not in get_text(make_client(user), "/groups/")
