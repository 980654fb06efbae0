"""Whether a change lets a set do more: what is not plainly less or the same counts as more."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.summary import SetPolicies
from accounts.policy.widening import does_more
from tests.managed_policies import load_texts


def allow(*actions: str, resource: Any = "*", **values: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **values}


def deny(*actions: str, **values: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **values}


def inline(*statements: dict[str, Any], version: str = "2012-10-17") -> SetPolicies:
    return SetPolicies(inline=json.dumps({"Version": version, "Statement": list(statements)}))


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
READ, ADMIN = SetPolicies(("ReadOnlyAccess",)), SetPolicies(("AdministratorAccess",))
SHOP, OTHER, ALL_S3 = "arn:aws:s3:::shop/*", "arn:aws:s3:::other/*", "arn:aws:s3:::*"
ALL_BUT_IAM = {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}
ALL_BUT_IAM_AND_SSO = {"Effect": "Allow", "NotAction": ["iam:*", "sso:*"], "Resource": "*"}

LESS = [
    (READ, SetPolicies()),
    (SetPolicies(("ReadOnlyAccess", "AmazonS3FullAccess")), READ),
    (ADMIN, replace(inline(allow("iam:*")), managed=("AmazonS3FullAccess",), customer_managed=("/x",))),
    (inline(allow("*")), inline(allow("s3:*", "iam:PassRole"))),
    (inline(allow("s3:*")), inline(allow("s3:GetObject"))),
    (inline(allow("s3:Get*", "s3:Put*")), inline(allow("S3:GETOBJECT"))),
    (inline(allow("s3:GetObject")), inline(allow("s3:GetObject", resource=SHOP))),
    (inline(allow("s3:GetObject", resource=[ALL_S3])), inline(allow("s3:GetObject", resource=SHOP))),
    (inline(allow("s3:GetObject")), inline(allow("s3:GetObject", Condition=MFA))),
    (inline(allow("s3:GetObject")), inline(allow("s3:GetObject"), deny("s3:*"))),
    (inline(ALL_BUT_IAM), inline(ALL_BUT_IAM_AND_SSO)),
    (inline(ALL_BUT_IAM), inline(allow("s3:*", "ec2:Describe*"))),
    (inline(allow("s3:*"), allow("ec2:*")), inline(allow("s3:Get*", "ec2:Describe*"))),
    (inline(allow("s3:*"), deny("s3:Put*", "s3:Delete*")), inline(allow("s3:*"), deny("s3:Put*"), deny("s3:Delete*"))),
    (inline(allow("s3:*", resource="arn:aws:*")), inline(allow("s3:*", resource=SHOP))),
    (inline(allow("s3:*"), allow("ec2:*")), inline(allow("ec2:*"))),
    (inline(allow("s3:*")), inline({**allow(), "Action": []})),
    (inline(allow("s3:*")), replace(inline(allow("s3:*")), boundary="/Boundary")),
    (SetPolicies(("X",), texts={"X": inline(allow("s3:*")).inline}), inline(allow("s3:GetObject"))),
]  # fmt: skip
MORE = [
    (inline(allow("s3:*"), deny("s3:Put*")), inline(allow("s3:*"), {**deny(), "Action": []})),
    (SetPolicies(), READ),
    (READ, SetPolicies(("ReadOnlyAccess", "AmazonS3FullAccess"))),
    (READ, SetPolicies(("ReadOnlyAccess",), ("/x",))),
    (SetPolicies((), ("/x",)), SetPolicies()),  # it may have denied something
    (SetPolicies(("AWSDenyAll", "ReadOnlyAccess")), READ),
    (SetPolicies(("NobodyKnowsThis",)), SetPolicies()),
    (SetPolicies(("AdministratorAccess", "AWSDenyAll")), ADMIN),
    (replace(READ, boundary="/Boundary"), READ),
    (replace(READ, boundary="/Boundary"), replace(READ, boundary="/Other")),
    (replace(ADMIN, boundary="/Boundary"), inline(allow("s3:*"))),
    (inline(allow("s3:Get*")), inline(allow("s3:*"))),
    (inline(allow("s3:GetObject", resource=SHOP)), inline(allow("s3:GetObject"))),
    (inline(allow("s3:GetObject", Condition=MFA)), inline(allow("s3:GetObject"))),
    (inline(allow("s3:Get*", Condition=MFA)), inline(allow("s3:Get*", Condition={"Null": {"aws:username": "true"}}))),
    (inline(allow("s3:*"), deny("s3:DeleteBucket")), inline(allow("s3:*"))),
    (inline(allow("*"), deny("s3:DeleteBucket")), inline(allow("*"))),
    (inline(allow("s3:*"), deny("s3:*")), inline(allow("s3:*"), deny("s3:*", Condition=MFA))),
    (inline(ALL_BUT_IAM_AND_SSO), inline(ALL_BUT_IAM)),
    (inline(allow("s3:*")), inline(ALL_BUT_IAM)),
    (inline(ALL_BUT_IAM), inline(allow("s3:*", "iam:Get*"))),
    (inline(ALL_BUT_IAM), inline(allow("*"))),
    (inline({**ALL_BUT_IAM, "NotAction": []}), inline(allow("s3:*"))),  # who knows what AWS makes of it
    (inline(allow("s3:*"), {**ALL_BUT_IAM, "Effect": "Deny"}),
     inline(allow("s3:*"), {**ALL_BUT_IAM, "Effect": "Deny", "NotAction": []})),
    (inline(allow("s3:Get*", resource=SHOP), allow("s3:*", resource=OTHER)),
     inline(allow("s3:*", resource=[SHOP, OTHER]))),
    (inline(allow("s3:*"), deny("s3:*") | {"Resource": SHOP}),
     inline(allow("s3:*"), deny("s3:*") | {"Resource": OTHER})),
    (inline(allow("s3:GetObject", resource="arn:aws:s3:::${aws:username}/*"), version="2008-10-17"),
     inline(allow("s3:GetObject", resource="arn:aws:s3:::${aws:username}/*"))),
    (inline(allow("s3:*")), SetPolicies(inline="{")),
    (SetPolicies(inline="{"), inline(allow("s3:*"))),
    (SetPolicies(inline='{"Statement": 1}'), SetPolicies()),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), LESS)
def test_less_is_not_more(before: SetPolicies, after: SetPolicies) -> None:
    assert not does_more(before, after)


@pytest.mark.parametrize(("before", "after"), MORE)
def test_more_is_seen(before: SetPolicies, after: SetPolicies) -> None:
    assert does_more(before, after)


def test_the_same_is_never_more() -> None:
    for before, after in LESS + MORE:
        assert not does_more(before, before)
        assert not does_more(after, after)


HOME = "arn:aws:s3:::home/${aws:userid}/*"
KEPT = inline(allow("s3:*"), deny("s3:*") | {"Resource": HOME})
NO_DENY_LEFT = [
    "arn:aws:s3:::home/${*}/*",  # only a folder whose name is a star
    "arn:aws:s3:::home/$*}/*",  # a pattern that fits how the variable is written, not what it becomes
    "arn:aws:s3:::home/*{aws:userid}/*",
]


@pytest.mark.parametrize("resource", NO_DENY_LEFT)
def test_spelling_of_a_variable_is_not_its_value(resource: str) -> None:
    assert does_more(KEPT, inline(allow("s3:*"), deny("s3:*") | {"Resource": resource}))


def test_escaped_star_holds_no_variable() -> None:
    before = inline(allow("s3:*", resource="arn:aws:s3:::home/${*}/*"))
    assert does_more(before, inline(allow("s3:*", resource=HOME)))


def test_star_holds_whatever_a_variable_becomes() -> None:
    before = inline(allow("s3:*", resource="arn:aws:s3:::home/*"))
    assert not does_more(before, inline(allow("s3:*", resource=HOME)))


@pytest.mark.parametrize("dollar", ["$", "\\u0024"])
@pytest.mark.parametrize("head", [{}, {"Version": "2008-10-17"}, {"Id": "2012-10-17"}])
def test_older_language_ends_a_denial_by_variable(head: dict[str, str], dollar: str) -> None:
    statements = json.loads(KEPT.inline)["Statement"]
    older = json.dumps({**head, "Statement": statements})
    before, after = (SetPolicies(inline=text.replace("${", dollar + "{")) for text in (KEPT.inline, older))
    assert does_more(before, after)


def test_policy_with_variables_may_go() -> None:
    assert not does_more(inline(allow("s3:*", resource=HOME)), SetPolicies())


def test_same_words_mean_less_in_another_version() -> None:
    managed = SetPolicies(("X",), texts={"X": KEPT.inline})
    older = inline(*json.loads(KEPT.inline)["Statement"], version="2008-10-17")
    assert does_more(managed, replace(older, texts=managed.texts))
    assert not does_more(managed, replace(KEPT, texts=managed.texts))


CROSSING = [
    "arn:aws:*shop/*",  # a star does not reach over the colons of an ARN
    "arn:*:shop/*",
    "arn:aws:s3",
    "arn:aws:s3:::shop/?",
]


@pytest.mark.parametrize("resource", CROSSING)
def test_denial_in_other_parts_of_an_arn_is_none(resource: str) -> None:
    before = inline(allow("s3:*"), deny("s3:*") | {"Resource": SHOP})
    assert does_more(before, inline(allow("s3:*"), deny("s3:*") | {"Resource": resource}))


def test_number_is_no_truth() -> None:
    one, true = (inline(allow("s3:*", Condition={"Bool": {"aws:SecureTransport": value}})) for value in (1, True))
    assert does_more(one, true)


@pytest.mark.parametrize(
    "rest", [{"boundary": "/B"}, {"customer_managed": ("/c",)}, {"inline": inline(deny("s3:*")).inline}]
)
def test_administrator_may_become_reader(rest: dict[str, Any]) -> None:
    assert not does_more(replace(ADMIN, **rest), replace(READ, **rest))


TEXTS = load_texts()


def managed(*names: str, texts: Mapping[str, str] = TEXTS) -> SetPolicies:
    return SetPolicies(names, texts=texts)


STEPS = [
    ("PowerUserAccess", "ReadOnlyAccess"),
    ("ReadOnlyAccess", "ViewOnlyAccess"),
    ("PowerUserAccess", "ViewOnlyAccess"),
]


@pytest.mark.parametrize(("before", "after"), [*STEPS, ("AmazonS3FullAccess", "AmazonS3ReadOnlyAccess")])
def test_text_shows_that_a_policy_is_less(before: str, after: str) -> None:
    assert not does_more(managed(before), managed(after))
    assert does_more(managed(after), managed(before))
    assert does_more(managed(before, texts={}), managed(after, texts={}))


@pytest.mark.parametrize("known", ["PowerUserAccess", "ReadOnlyAccess"])
def test_ladder_needs_both_texts(known: str) -> None:
    texts = {known: TEXTS[known]}
    assert does_more(managed("PowerUserAccess", texts=texts), managed("ReadOnlyAccess", texts=texts))


@pytest.mark.parametrize("new", ["iam:CreateUser", "sts:AssumeRole", "secretsmanager:GetSecretValue", "*"])
def test_ladder_takes_only_what_is_looked_at(new: str) -> None:
    texts = {"PowerUserAccess": inline(allow("s3:*")).inline, "ReadOnlyAccess": inline(allow("iam:Get*", new)).inline}
    assert does_more(managed("PowerUserAccess", texts=texts), managed("ReadOnlyAccess", texts=texts))
    looks = {**texts, "ReadOnlyAccess": inline(allow("iam:Get*")).inline}
    assert not does_more(managed("PowerUserAccess", texts=looks), managed("ReadOnlyAccess", texts=looks))


def test_ladder_is_no_excuse_for_an_inline_policy() -> None:
    after = replace(managed("ReadOnlyAccess"), inline=inline(allow("iam:Get*")).inline)
    assert does_more(managed("PowerUserAccess"), after)


def test_denial_in_a_known_text_has_to_stay() -> None:
    texts = {"X": inline(allow("s3:*"), deny("s3:Put*")).inline, "Y": inline(deny("s3:*")).inline}
    assert does_more(managed("X", texts=texts), SetPolicies(inline=inline(allow("s3:*")).inline, texts=texts))
    assert not does_more(managed("X", texts=texts), managed("X", "Y", texts=texts))


ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "ec2:RunInstances", "ec2:*", "iam:PassRole", "*"]
STATEMENTS = st.builds(
    lambda effect, element, actions, resources: {"Effect": effect, element: actions, "Resource": resources},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "Action", "Action", "NotAction"]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
    st.lists(st.sampled_from(["*", SHOP, OTHER, ALL_S3]), min_size=1, max_size=2),
)


def may(policies: list[dict[str, Any]], action: str, resource: str) -> bool:
    """IAM's own decision, for names without wildcards."""

    def takes(patterns: list[str], text: str) -> bool:
        return any(pattern == text or (pattern.endswith("*") and text.startswith(pattern[:-1])) for pattern in patterns)

    def speaks(statement: dict[str, Any]) -> bool:
        element = "Action" if "Action" in statement else "NotAction"
        return takes(statement[element], action) == (element == "Action") and takes(statement["Resource"], resource)

    speaking = [statement["Effect"] for statement in policies if speaks(statement)]
    return "Allow" in speaking and "Deny" not in speaking


@settings(deadline=None, max_examples=300)
@given(st.lists(STATEMENTS, max_size=4), st.lists(STATEMENTS, max_size=4))
def test_what_is_said_not_to_be_more_allows_nothing_new(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    before, after = (inline(*statements) if statements else SetPolicies() for statements in (old, new))
    if does_more(before, after):
        return
    for action in ("s3:GetObject", "s3:PutObject", "ec2:RunInstances", "iam:PassRole", "iam:CreateUser"):
        for resource in ("arn:aws:s3:::shop/a", "arn:aws:s3:::other/a", "arn:aws:ec2:x"):
            assert may(old, action, resource) or not may(new, action, resource)
