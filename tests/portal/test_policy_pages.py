"""What pages say about the policies of a set: in plain words, with notes, with Access Analyzer's, with what lacks."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AppKind, PermissionSet, PolicyOpinion
from accounts.policy.layout import digest_policy
from syncer.models import Operation
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
PASS_ROLE = """{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": "iam:PassRole",
    "Resource": "*"
  }
}"""
ENTRIES = [
    {"kind": "SECURITY_WARNING", "code": "PASS_ROLE_WITH_STAR_IN_RESOURCE", "line": 5, "column": 15},
    {"kind": "SUGGESTION", "code": "SOMETHING_NEW", "line": 6, "column": 17},
]
OWN = "/team/LogReader"


def make_set(inline: str = "", managed: tuple[str, ...] = (), **more: Any) -> PermissionSet:
    wish = {"name": "S", "managed_policies": list(managed), "inline_policy": inline, **more}
    return factories.make_permission_set(record=factories.make_record(AppKind.PERMISSION_SET, in_force=wish))


def visit(permission_set: PermissionSet) -> str:
    return get_text(make_client(factories.make_user()), f"/permission-sets/{permission_set.pk}/")


def give_opinion(outcome: str = "checked", text: str = PASS_ROLE, **values: Any) -> None:
    findings = {
        language: [{**entry, "details": f"{language} {entry['code']}", "link": ""} for entry in ENTRIES]
        for language in ("en", "ja")
    }
    findings = findings if outcome == "checked" else {}
    PolicyOpinion.objects.create(digest=digest_policy(text), outcome=outcome, findings=findings, **values)


@pytest.mark.parametrize(
    ("managed", "word", "sentence"),
    [
        ("AdministratorAccess", "administrator", "Administrator: it may do everything"),
        ("ReadOnlyAccess", "read only", "Read only: it changes nothing."),
        ("AmazonS3FullAccess", "may change", "It may change resources."),
    ],
)
def test_set_says_what_it_may_do(managed: str, word: str, sentence: str) -> None:
    permission_set = make_set(managed=(managed,))
    assert sentence in visit(permission_set)
    assert f" {word} " in get_text(make_client(factories.make_user()), "/permission-sets/")


@pytest.mark.parametrize(
    ("managed", "word", "is_admin"),
    [("ReadOnlyAccess", "not known here", False), ("IAMFullAccess", "administrator", True)],
)
def test_what_nobody_knows_is_not_called_administrator(managed: str, word: str, *, is_admin: bool) -> None:
    permission_set = make_set(managed=(managed,), customer_managed_policies=[{"path": "/", "name": "Own"}])
    text = visit(permission_set)
    assert f" {word} " in text
    assert ("Administrator: it may do everything" in text) is is_admin
    assert "so they count as administrator: /Own" in text


def test_json_that_is_none_is_said_once() -> None:
    findings = {"en": [{**ENTRIES[0], "code": "JSON_SYNTAX_ERROR", "line": 1, "details": "Fix it", "link": ""}]}
    PolicyOpinion.objects.create(digest=digest_policy("{\n\n"), outcome="checked", findings=findings)
    assert "Fix it" not in visit(make_set("{\n\n"))


def test_change_by_which_a_set_may_do_more_is_marked() -> None:
    run = factories.make_run()
    details = [
        {"field": "managed_policies", "before": "ReadOnlyAccess", "after": "PowerUserAccess"},
        {"field": "may_do_more", "before": "", "after": ""},
    ]
    factories.make_change(run, kind="update", object="permission_set", account_id="", details=details)
    assert "may do more" in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


def test_notes_name_line_and_code() -> None:
    text = visit(make_set(PASS_ROLE))
    assert "Notes on the policy 1" in text
    assert "security note line 5 PASS_ROLE_WITH_STAR_IN_RESOURCE" in text


def test_one_line_policy_is_noted_at_the_lines_that_are_shown() -> None:
    one_line = " ".join(PASS_ROLE.split())
    assert "security note line 5" in visit(make_set(one_line))


def test_analyzer_adds_what_we_do_not_have() -> None:
    give_opinion()
    text = visit(make_set(PASS_ROLE))
    assert "en SOMETHING_NEW hint line 6" in text
    assert "en PASS_ROLE_WITH_STAR_IN_RESOURCE" not in text
    assert "1 finding is the same as above" in text


@pytest.mark.parametrize(
    ("outcome", "text", "expected"),
    [
        ("denied", PASS_ROLE, "the portal's role may not call access-analyzer:ValidatePolicy"),
        ("denied", "another text", "the portal's role may not call access-analyzer:ValidatePolicy"),
        ("failed", PASS_ROLE, "Could not be checked."),
        ("checked", "another text", "Not asked yet."),
    ],
)
def test_what_was_not_checked_is_said_as_that(outcome: str, text: str, expected: str) -> None:
    give_opinion(outcome, text)
    page = visit(make_set(PASS_ROLE))
    assert expected in page
    assert "It finds nothing" not in page


def test_analyzer_with_nothing_to_say_is_said_too() -> None:
    PolicyOpinion.objects.create(digest=digest_policy(PASS_ROLE), outcome="checked", findings={"en": [], "ja": []})
    assert "It finds nothing." in visit(make_set(PASS_ROLE))


def test_list_asks_nothing_more_for_levels() -> None:
    for _number in range(3):
        make_set(PASS_ROLE)
    client = make_client(factories.make_user())
    with CaptureQueriesContext(connection) as queries:
        get_html(client, "/permission-sets/")
    assert not any("policyopinion" in query["sql"] for query in queries)


# --- Customer managed policies that accounts lack ---------------------------------------------------------------------


def lack(permission_set: PermissionSet, account_id: str, policy: str = OWN, hours: int = 2, **values: Any) -> None:
    params = {"policy": policy, "account": account_id}
    end(permission_set, account_id, hours=hours, reason={"code": "aws_policy_missing", "params": params}, **values)


def end(permission_set: PermissionSet, account_id: str, *, hours: int, **values: Any) -> None:
    change = factories.make_change(factories.make_run(), account_id=account_id)
    defaults = {"kind": Operation.Kind.PROVISIONING, "request_id": "r", "ended_at": timezone.now()}
    values = defaults | values | {"ended_at": timezone.now() - timedelta(hours=hours)}
    Operation.objects.create(
        change=change, account_id=account_id, permission_set_arn=permission_set.arn or "", **values
    )


@pytest.fixture
def lacking() -> PermissionSet:
    path, _slash, name = OWN.rpartition("/")
    permission_set = make_set(customer_managed_policies=[{"path": f"{path}/", "name": name}])
    account = factories.make_account("payments-prod", account_id="210455678812")
    factories.make_assignment(account=account, permission_set=permission_set)
    return permission_set


def test_account_that_lacks_a_policy_is_named(lacking: PermissionSet) -> None:
    lack(lacking, "210455678812")
    text = visit(lacking)
    assert "AWS found no such customer managed policy in 1 account" in text
    assert "payments-prod /team/LogReader 2 hours ago" in text


def test_lack_is_over_when_a_later_operation_came_through(lacking: PermissionSet) -> None:
    lack(lacking, "210455678812")
    end(lacking, "210455678812", hours=1, kind=Operation.Kind.CREATION)
    assert "AWS found no such" not in visit(lacking)


@pytest.mark.parametrize("values", [{"request_id": ""}, {"kind": Operation.Kind.DELETION}])
def test_what_needs_no_policy_proves_nothing(lacking: PermissionSet, values: dict[str, Any]) -> None:
    lack(lacking, "210455678812")
    end(lacking, "210455678812", hours=1, **values)
    assert "AWS found no such" in visit(lacking)


def test_lack_of_a_policy_that_the_set_names_no_more_is_over(lacking: PermissionSet) -> None:
    lack(lacking, "210455678812", "/team/Other")
    assert "AWS found no such" not in visit(lacking)
