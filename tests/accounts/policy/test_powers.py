"""What a permission set may do: never judged too mildly."""

import json
from typing import Any

import pytest

from accounts.policy.powers import EVERYTHING, Power, find_powers
from tests.managed_policies import TABLE, build_table, find_date, load_texts

ADMIN, WRITE, BILLING = Power.ADMIN, Power.WRITE, Power.BILLING


# --- AWS managed policies


@pytest.mark.parametrize(
    ("policy", "powers"),
    [
        ("AdministratorAccess", {ADMIN, WRITE, BILLING}),
        ("arn:aws:iam::aws:policy/AdministratorAccess", {ADMIN, WRITE, BILLING}),
        ("AdministratorAccess-Amplify", {ADMIN, WRITE}),
        ("IAMFullAccess", {ADMIN, WRITE}),
        ("AWSSSOMasterAccountAdministrator", {ADMIN, WRITE}),
        ("PowerUserAccess", {WRITE, BILLING}),
        ("arn:aws:iam::aws:policy/job-function/Billing", {WRITE, BILLING}),
        ("AWSBillingReadOnlyAccess", {BILLING}),
        ("ReadOnlyAccess", set()),
        ("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", set()),
        ("SecurityAudit", set()),
        ("AmazonRDSPerformanceInsightsReadOnly", set()),
        ("SomethingNewReadOnlyAccess", set()),
        ("AmazonS3FullAccess", {WRITE}),
        ("SomethingNewFromAws", EVERYTHING),
        ("ReadOnlyAccessAndMore", EVERYTHING),
    ],
)
def test_managed_policy_is_judged_by_its_name(policy: str, powers: set[Power]) -> None:
    assert find_powers([policy]) == powers


def test_customer_managed_policy_may_everything() -> None:
    assert find_powers(["ReadOnlyAccess"], has_customer_managed=True) == EVERYTHING


def test_set_without_policies_may_nothing() -> None:
    assert find_powers([]) == set()


# --- Inline policies


def inline(*statements: dict[str, Any]) -> frozenset[Power]:
    return find_powers([], json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def allow(*actions: str, **values: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **values}


@pytest.mark.parametrize(
    ("action", "powers"),
    [
        ("*", {ADMIN, WRITE, BILLING}),
        ("*:*", {ADMIN, WRITE, BILLING}),
        ("iam:*", {ADMIN, WRITE}),
        ("IAM:Put*", {ADMIN, WRITE}),
        ("iam:A??achRolePolicy", {ADMIN, WRITE}),
        ("i*:CreateAccessKey", {ADMIN, WRITE, BILLING}),
        ("iam:Get*", set()),
        ("iam:PassRole", {WRITE}),
        ("sso:CreateAccountAssignment", {ADMIN, WRITE}),
        ("s3:GetObject", set()),
        ("s3:*", {WRITE}),
        ("s3:*Object", {WRITE}),
        ("ec2:Describe*", set()),
        ("logs:FilterLogEvents", set()),
        ("logs:StartQuery", set()),
        ("logs:*Query", {WRITE}),
        ("logs:StartSomethingNew", {WRITE}),
        ("ses:VerifyEmailIdentity", {WRITE}),
        ("ce:Get*", {BILLING}),
        ("aws-portal:ModifyBilling", {BILLING, WRITE}),
        ("iam:[A]*", {WRITE}),
    ],
)
def test_action_is_judged_by_what_it_can_match(action: str, powers: set[Power]) -> None:
    assert inline(allow(action)) == powers


def test_denials_and_conditions_make_nothing_milder() -> None:
    denied = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    conditional = allow("iam:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert inline(conditional, denied) == {ADMIN, WRITE}
    assert inline(denied) == set()


def test_not_action_allows_all_but() -> None:
    assert inline({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}) == EVERYTHING
    assert inline({"Effect": "Allow", "NotAction": ["iam:*", "sso:*", "organizations:*"], "Resource": "*"}) == {
        WRITE,
        BILLING,
    }


@pytest.mark.parametrize("policy", ["{", "[]", '{"Statement": [1]}', '{"Version": "2012-10-17"}', "null"])
def test_policy_that_cannot_be_read_may_everything(policy: str) -> None:
    assert find_powers([], policy) == EVERYTHING


def test_single_statement_and_single_action_are_read() -> None:
    assert find_powers([], '{"Statement": {"Effect": "Allow", "Action": "s3:PutObject"}}') == {WRITE}


def test_table_of_managed_policies_is_what_their_texts_say() -> None:
    """Of some of them; the bench compares all. `python -m tests.managed_policies` writes the table anew."""
    names = sorted(load_texts())[::40]
    content, expected = json.loads(TABLE.read_text()), build_table(names)
    assert {name: content["policies"][name] for name in expected} == expected
    assert content["date"] == find_date()
