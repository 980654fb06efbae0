"""What the validator says, where it says it, and in which order."""

import json
from typing import Any

import pytest

from accounts.policy.findings import MAX_FINDINGS, Finding
from accounts.policy.validator import validate_policy

TEXT = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObjct", "s3:PutObject"], "Resource": "arn:aws:s3:::shop/*"},
    {
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::shop",
      "Condition": {"StringEquals": {"aws:SourcIp": "x", "s3:prefx": "a"}}
    },
    {"Effect": "Allow", "Principal": "*", "Resource": "*"}
  ]
}"""


def the(code: str, text: str = TEXT) -> Finding:
    (finding,) = (each for each in validate_policy(text) if each.code == code)
    return finding


def span(finding: Finding) -> tuple[int, int, int, int]:
    return (finding.line, finding.column, finding.end_line, finding.end_column)


@pytest.mark.parametrize(
    ("code", "path", "where"),
    [
        ("INVALID_ACTION", "/Statement/0/Action/0", (4, 51, 4, 64)),
        ("INVALID_GLOBAL_CONDITION_KEY", "/Statement/1/Condition/StringEquals/aws:SourcIp", (9, 38, 9, 51)),
        ("INVALID_SERVICE_CONDITION_KEY", "/Statement/1/Condition/StringEquals/s3:prefx", (9, 58, 9, 68)),
        ("UNSUPPORTED_PRINCIPAL", "/Statement/2/Principal", (11, 25, 11, 36)),
        ("MISSING_ACTION", "/Statement/2", (11, 5, 11, 6)),
    ],
)
def test_finding_has_a_path_and_a_place(code: str, path: str, where: tuple[int, int, int, int]) -> None:
    finding = the(code)
    assert (finding.path, span(finding)) == (path, where)


def test_findings_come_in_the_order_of_the_text() -> None:
    places = [(finding.line, finding.column) for finding in validate_policy(TEXT)]
    assert places == sorted(places)
    assert len(places) >= 5


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("INVALID_ACTION", "s3:GetObject"),
        ("INVALID_GLOBAL_CONDITION_KEY", "aws:SourceIp"),
        ("INVALID_SERVICE_CONDITION_KEY", "s3:prefix"),
    ],
)
def test_nearest_known_name_comes_first(code: str, near: str) -> None:
    assert the(code).params["near"].split(", ")[0] == near


@pytest.mark.parametrize(
    ("written", "near"), [("cloudwatch-logs", "logs"), ("sso-admin", "sso"), ("StepFunctions", "states"), ("s33", "s3")]
)
def test_service_is_known_by_its_other_names(written: str, near: str) -> None:
    text = statements({"Effect": "Allow", "Action": f"{written}:Get", "Resource": "*"})
    assert the("INVALID_SERVICE_IN_ACTION", text).params["near"].split(", ")[0] == near


def test_link_leads_to_the_check() -> None:
    page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
    assert the("INVALID_ACTION").link == f"{page}#access-analyzer-reference-policy-checks-error-invalid-action"


def statements(*rows: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(rows)})


def codes(*rows: dict[str, Any]) -> list[str]:
    return [finding.code for finding in validate_policy(statements(*rows))]


@pytest.mark.parametrize(
    "row",
    [
        {"Action": "*", "Resource": "*", "Effect": "Deny"},
        {"Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::shop", "arn:aws:s3:::shop/*"]},
        {"Action": "S3:getobject", "Resource": "arn:aws:s3:::shop/${aws:PrincipalTag/team, 'nobody'}/*"},
        {"Action": "s3:GetObject", "Resource": "arn:*:s3:::shop/${*}"},
        {"Action": "iam:GetRole", "Resource": "arn:aws:iam::123456789012:role/team/*"},
        {"Action": "bedrock:InvokeModel", "Resource": "arn:aws:bedrock:::foundation-model/amazon.nova-lite-v1:0"},
        {"Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/${aws:username}"},
        {"Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ecs.x"}}},
        {"Action": "sqs:SendMessage", "Resource": "arn:aws-cn:sqs:cn-north-1:123456789012:jobs"},
        {"Action": "ec2:StopInstances", "Resource": "arn:aws:ec2:*:*:instance/*",
         "Condition": {"StringEquals": {"aws:ResourceTag/team": "shop", "ec2:InstanceType": ["t3.micro"]}}},
        {"Action": "ec2:DescribeInstances", "Resource": "*",
         "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}},
        {"Action": "ec2:DescribeInstances", "Resource": "*",
         "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-25T09:00:00Z"},
                       "NumericLessThanEquals": {"aws:MultiFactorAuthAge": 3600},
                       "BoolIfExists": {"aws:MultiFactorAuthPresent": True},
                       "ForAnyValue:StringLike": {"aws:CalledVia": "cloudformation.*"},
                       "Null": {"aws:PrincipalTag/team": "false"},
                       "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a*"},
                       "StringNotLikeIfExists": {"aws:userid": "*:a"}}},
        {"Action": "sts:AssumeRoleWithWebIdentity", "Resource": "arn:aws:iam::*:role/a",
         "Condition": {"StringEquals": {"oidc.eks.ap-northeast-1.amazonaws.com/id/0123:sub": "a"}}},
    ],
)  # fmt: skip
def test_sound_statement_has_no_findings(row: dict[str, Any]) -> None:
    assert codes({"Effect": "Allow", **row}) == []


def test_condition_on_the_service_makes_handing_on_fine() -> None:
    row = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    assert codes(row) == ["PASS_ROLE_WITH_STAR_IN_RESOURCE"]
    assert codes({**row, "Condition": {"StringLike": {"iam:PassedToService": "ecs*"}}}) == []


def test_denial_is_no_risk() -> None:
    assert codes({"Effect": "Deny", "Action": ["iam:PassRole", "iam:CreateUser"], "Resource": "*"}) == []


def test_mistake_of_json_comes_before_the_meaning() -> None:
    assert {finding.code for finding in validate_policy(TEXT.replace("]\n}", "],\n}"))} == {"JSON_SYNTAX_ERROR"}


def test_number_of_findings_has_an_end() -> None:
    rows = [{"Effect": "Allow", "Action": "x", "Resource": "y"}] * 150
    findings = validate_policy(statements(*rows))
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1].code == "MORE_FINDINGS"
