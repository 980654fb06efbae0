import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Assignment, User, Visit
from portal.views import home
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
LINK = "https://example.awsapps.com/start/#/console?account_id=210455678812&amp;role_name=Deploy"


def test_chip_opens_the_console() -> None:
    user = factories.make_user()
    account = factories.make_account("payments-prod", account_id="210455678812")
    factories.make_assignment(user, account=account, permission_set=factories.make_permission_set("Deploy"))
    html = get_html(make_client(user), "/")
    assert f'href="{LINK}"' in html
    assert "aws sso login --profile Deploy-210455678812" in html
    assert "2104 5567 8812" in html


def test_names_stand_in_a_chip_as_they_are() -> None:
    user = factories.make_user()
    account = factories.make_account('pay {set} {0} <b>"x"')
    permission_set, himself = factories.make_permission_set("a+b=c,@d"), factories.get_principal(user)
    for reader in (himself, factories.make_group("<i>{link}", himself)):
        factories.make_assignment(reader, account=account, permission_set=permission_set)
    html = get_html(make_client(user), "/")
    assert 'aria-label="More on a+b=c,@d in pay {set} {0} &lt;b&gt;&quot;x&quot;"' in html
    assert "&lt;i&gt;{link}</a>" in html
    assert "set=a%2Bb%3Dc%2C%40d" in html
    assert "assigned to you" in html


def test_access_of_others_is_not_mine() -> None:
    factories.make_assignment(account=factories.make_account("payments-prod"))
    assert "payments-prod" not in get_text(make_client(factories.make_user()), "/")


def test_access_through_a_group_names_the_group() -> None:
    user = factories.make_user()
    group = factories.make_group("team-payments", factories.get_principal(user))
    factories.make_assignment(group, account=factories.make_account("payments-prod"))
    text = get_text(make_client(user), "/")
    assert "payments-prod" in text
    assert "team-payments" in text


def test_two_ways_to_one_set_are_one_chip() -> None:
    user = factories.make_user()
    account, deploy = factories.make_account(), factories.make_permission_set("Deploy")
    group = factories.make_group("team", factories.get_principal(user))
    factories.make_assignment(user, account=account, permission_set=deploy, until=timezone.localdate())
    factories.make_assignment(group, account=account, permission_set=deploy)
    html = get_html(make_client(user), "/")
    assert html.count('data-filter-chip="deploy"') == 1
    assert "Ends on" not in html  # the group's way in stays


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        ("waiting", {"code": "not_provisioned", "params": {"name": "森"}}, "usually within 40 minutes"),
        ("failed", {"code": "aws_refused", "params": {"text": "no such policy"}}, "no such policy"),
        ("requested", {}, "The next run applies it"),
    ],
)
def test_what_cannot_be_opened_says_why(state: str, reason: dict[str, object], expected: str) -> None:
    user = factories.make_user()
    factories.make_assignment(user, state=state, reason=reason, in_aws=False)
    html = get_html(make_client(user), "/")
    assert expected in html
    assert "role_name=" not in html


def test_account_that_is_not_active_cannot_be_entered() -> None:
    user = factories.make_user()
    factories.make_assignment(user, account=factories.make_account(state="SUSPENDED"))
    html = get_html(make_client(user), "/")
    assert "role_name=" not in html
    assert "suspended" in html


def test_access_that_ends_soon_is_named_beside() -> None:
    user, record = factories.make_user(), factories.make_record()
    factories.make_assignment(user, record=record, until=timezone.localdate() + timedelta(days=7))
    html = get_html(make_client(user), "/")
    assert "Ends on" in html
    assert f"/assignments/{record.pk}/" in html


def test_access_that_ends_later_is_not() -> None:
    user = factories.make_user()
    factories.make_assignment(user, until=timezone.localdate() + timedelta(days=60))
    assert "Ends on" not in get_text(make_client(user), "/")


def test_problems_of_my_records_stand_beside() -> None:
    user = factories.make_user()
    assert user.person is not None
    factories.make_problem(factories.make_record(creator_code=user.person.kintone_code, title="my record"))
    factories.make_problem(factories.make_record(title="another record"))
    text = get_text(make_client(user), "/")
    assert "my record" in text
    assert "another record" not in text


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("payments", ["payments-prod", "Deploy", "ReadOnly"], ["ml-playground"]),
        ("PAYMENTS deploy", ["payments-prod", "Deploy"], ["ReadOnly", "ml-playground"]),
        ("sandbox", ["ml-playground"], ["payments-prod"]),
        ("2104 5567 8812", ["payments-prod"], ["ml-playground"]),
        ("ｐａｙｍｅｎｔｓ", ["payments-prod"], ["ml-playground"]),
        ("nothing-like-it", ["Search all accounts instead"], ["payments-prod", "ml-playground"]),
    ],
)
def test_filter_works_without_script(query: str, shown: list[str], hidden: list[str]) -> None:
    user = factories.make_user()
    payments = factories.make_account("payments-prod", account_id="210455678812")
    for name in ("Deploy", "ReadOnly"):
        factories.make_assignment(user, account=payments, permission_set=factories.make_permission_set(name))
    playground = factories.make_account("ml-playground", ou="sandbox", stage="sandbox")
    factories.make_assignment(user, account=playground, permission_set=factories.make_permission_set("PowerUser"))
    html = get_html(make_client(user), f"/?q={query}")
    assert [word for word in shown if word not in html] == []
    assert [word for word in hidden if word in html] == []


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Somebody with three accounts of two sets each, where a page holds four ways in."""
    monkeypatch.setattr(home, "_WAYS", 4)
    user = factories.make_user()
    sets = [factories.make_permission_set(name) for name in ("Deploy", "ReadOnly")]
    for number in range(3):
        account = factories.make_account(f"payments-{number}", ou="service/payments")
        for permission_set in sets:
            factories.make_assignment(user, account=account, permission_set=permission_set)
    return make_client(user)


def list_rows(html: str) -> list[str]:
    return re.findall(r'data-filter-row="([\w]+)', html)


def test_many_ways_in_stand_on_pages_that_say_how_many(crowded: Client) -> None:
    first, second = get_html(crowded, "/"), get_html(crowded, "/?page=2")
    assert list_rows(first) == ["payments0", "payments1"]
    assert list_rows(second) == ["payments2"]
    for html in (first, second):
        assert "6 ways in" in html
        assert "3 accounts" in html
    assert 'rel="next" href="?page=2"' in first
    assert "data-filter-whole" not in first  # typing asks the server, for all of them


def test_filter_looks_through_all_pages(crowded: Client) -> None:
    html = get_html(crowded, "/?q=payments-2")
    assert list_rows(html) == ["payments2"]
    assert 'rel="next"' not in html
    assert list_rows(get_html(crowded, "/?q=deploy")) == ["payments0", "payments1", "payments2"]


def test_typing_gets_the_ways_in_alone(crowded: Client) -> None:
    answer = crowded.get("/?q=payments-2", headers={"HX-Request": "true", "HX-Target": "ways"})
    html = answer.content.decode()
    assert html.strip().startswith('<div id="ways">')
    assert list_rows(html) == ["payments2"]


def test_pinned_place_of_another_page_stands_above(crowded: Client) -> None:
    account = Account.objects.get(name="payments-2")
    Visit.objects.create(user=User.objects.get(), account=account, permission_set="Deploy", is_pinned=True)
    first = get_html(crowded, "/")
    assert '<li class="card' in first
    assert "payments-2" in first


def test_few_ways_in_are_whole_on_one_page() -> None:
    user = factories.make_user()
    factories.make_assignment(user)
    html = get_html(make_client(user), "/")
    assert "data-filter-whole" in html
    assert "ways in" not in html


def test_newcomer_reads_what_comes_next() -> None:
    stranger = factories.make_principal("mori", principal_id=None)
    user = factories.make_user(person=factories.make_person("森 新菜", principal=stranger))
    assert "Identity Center does not know you yet" in get_text(make_client(user), "/")


def test_sign_in_without_a_person_sees_an_empty_page() -> None:
    user = factories.make_user()
    user.person = None
    user.save()
    assert "Identity Center does not know you yet" in get_text(make_client(user), "/")


def test_history_is_not_access() -> None:
    user = factories.make_user()
    factories.make_assignment(user, state=Assignment.State.REMOVED, in_aws=False)
    assert "You have none yet" in get_text(make_client(user), "/")


def test_portal_address_comes_from_the_instance(settings: Settings) -> None:
    settings.AWS_ACCESS_PORTAL_URL = ""
    user = factories.make_user()
    factories.make_assignment(user)
    factories.make_instance()
    assert "https://d-1234567890.awsapps.com/start/#/console" in get_html(make_client(user), "/")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "kintone and AWS agree"),
        ({"status": "failed", "steps": {"wish": {"state": "failed"}}}, "The last run failed"),
        ({"status": "lost"}, "The last run failed"),
        ({"status": "failed", "unresolved": [{}]}, "Not everything could be read"),
        ({"status": "held"}, "Removals are held back"),
        ({"counts": {"failed": 2}}, "2 assignments failed"),
        ({"mode": "plan", "counts": {"create": 3}}, "3 changes are due"),
        ({"finished_at": timezone.now() - timedelta(hours=2)}, "Not compared for a while"),
    ],
)
def test_agreement_says_what_the_last_run_found(values: dict[str, object], expected: str) -> None:
    factories.make_run(**values)
    factories.make_run(status="running", finished_at=None)
    assert expected in get_text(make_client(factories.make_user()), "/")


def test_agreement_before_the_first_run() -> None:
    assert "Nothing has been read yet" in get_text(make_client(factories.make_user()), "/")
