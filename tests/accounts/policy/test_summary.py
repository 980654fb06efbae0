"""What a set may do, in plain facts."""

import json
from typing import Any

import pytest
from django.utils import translation

from accounts.policy.powers import EVERYTHING, Power
from accounts.policy.summary import Level, ServiceAccess, SetPolicies, summarise
from accounts.sentences import render


def allow(*actions: str, **values: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **values}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def level_of(*managed: str, inline: str = "", **values: Any) -> Level:
    return summarise(SetPolicies(managed, inline=inline, **values)).level


@pytest.mark.parametrize(
    ("managed", "level"),
    [
        (("AdministratorAccess",), Level.ADMIN),
        (("ReadOnlyAccess", "IAMFullAccess"), Level.ADMIN),
        (("arn:aws:iam::aws:policy/PowerUserAccess",), Level.POWER),
        (("AmazonS3FullAccess", "ReadOnlyAccess"), Level.WRITE),
        (("arn:aws:iam::aws:policy/job-function/Billing",), Level.BILLING),
        (("AWSBillingReadOnlyAccess",), Level.BILLING),
        (("ReadOnlyAccess", "AWSBillingReadOnlyAccess"), Level.READ_ONLY),
        (("ViewOnlyAccess", "SecurityAudit"), Level.READ_ONLY),
        ((), Level.CUSTOM),
        (("NobodyKnowsThis",), Level.ADMIN),
    ],
)
def test_level_of_managed_policies(managed: tuple[str, ...], level: Level) -> None:
    assert level_of(*managed) == level


@pytest.mark.parametrize(
    ("statement", "level"),
    [
        (allow("*"), Level.ADMIN),
        (allow("iam:AttachRolePolicy", Resource="arn:aws:iam::*:role/x"), Level.ADMIN),
        ({"Effect": "Allow", "NotAction": ["iam:*", "sso:*", "organizations:*"], "Resource": "*"}, Level.POWER),
        (allow("s3:PutObject"), Level.WRITE),
        (allow("s3:PutObject", Resource="arn:aws:s3:::shop/*"), Level.CUSTOM),
        (allow("ec2:StopInstances", Condition={"StringEquals": {"aws:ResourceTag/team": "shop"}}), Level.CUSTOM),
        (allow("s3:GetObject", "ec2:Describe*"), Level.READ_ONLY),
        (allow("ce:Get*", "budgets:ModifyBudget"), Level.BILLING),
        (allow("ce:Get*", "s3:GetObject"), Level.READ_ONLY),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, Level.CUSTOM),
    ],
)
def test_level_of_an_inline_policy(statement: dict[str, Any], level: Level) -> None:
    assert level_of(inline=policy(statement)) == level


def test_what_nobody_knows_counts_as_administrator() -> None:
    own = summarise(SetPolicies(("ReadOnlyAccess",), ("/team/LogReader",)))
    assert (own.level, own.powers, own.unknown) == (Level.ADMIN, EVERYTHING, ("/team/LogReader",))
    broken = summarise(SetPolicies(inline="{"))
    assert (broken.level, broken.is_readable) == (Level.ADMIN, False)


def test_text_of_a_managed_policy_goes_before_its_name() -> None:
    texts = {"NobodyKnowsThis": policy(allow("sqs:SendMessage", "sqs:ListQueues"))}
    found = summarise(SetPolicies(("NobodyKnowsThis",), texts=texts))
    assert (found.level, found.unknown) == (Level.WRITE, ())
    assert found.powers == {Power.WRITE}
    assert found.services == (ServiceAccess("sqs", reads=True, changes=True),)


def test_services_are_told_apart_by_what_is_done_in_them() -> None:
    found = summarise(SetPolicies(inline=policy(allow("s3:PutObject"), allow("ec2:Describe*", "logs:*"))))
    assert found.services == (
        ServiceAccess("ec2", reads=True, changes=False),
        ServiceAccess("logs", reads=True, changes=True),
        ServiceAccess("s3", reads=False, changes=True),
    )


def test_each_kind_of_risk_is_told_once() -> None:
    found = summarise(SetPolicies(inline=policy(allow("iam:PassRole"), allow("iam:PassRole", "ec2:RunInstances"))))
    assert [risk.code for risk in found.risks] == ["PASS_ROLE_WITH_STAR_IN_RESOURCE", "PRIVILEGE_ESCALATION"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_part_of_a_summary_has_words(language: str) -> None:
    services = [f"{name}:Get*" for name in ("s3", "sqs", "sns", "ecs", "ecr", "rds", "kms", "ssm", "logs", "events")]
    inline = policy(allow("s3:PutObject", "secretsmanager:GetSecretValue", *services))
    found = summarise(SetPolicies(("ReadOnlyAccess",), ("/team/LogReader",), inline))
    with translation.override(language):
        said = [render(code, params).message for code, params in found.iter_sentences()]
    assert len(said) == 5
    assert "s3, secretsmanager" in said[2] or "s3" in said[2]
    assert "(+" in said[3]
    assert not any(text.startswith(("summary_", "policy_")) or "—" in text for text in said)
