"""Access Analyzer's ValidatePolicy through boto3."""

import json
from typing import Any

import pytest

from simulators.aws.faults import Fault
from tests.simulators.aws.conftest import Clients, Company

VALIDATE = "accessanalyzer:ValidatePolicy"


def policy(*actions: str, resource: str = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]} | more, indent=2)


def ask(caller: Clients, document: str, **more: Any) -> list[dict[str, Any]]:
    answer = caller.analyzer.validate_policy(policyDocument=document, policyType="IDENTITY_POLICY", **more)
    return list(answer["findings"])


@pytest.mark.parametrize(
    ("document", "kind", "code", "line"),
    [
        (policy("s3:GetObjct"), "ERROR", "INVALID_ACTION", 7),
        (policy("iam:PassRole"), "SECURITY_WARNING", "PASS_ROLE_WITH_STAR_IN_RESOURCE", 7),
        (policy("s3:GetObject", "s3:GetObject"), "SUGGESTION", "REDUNDANT_ACTION", 8),
        ('{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}', "WARNING", "MISSING_VERSION", 1),
        ("{", "ERROR", "JSON_SYNTAX_ERROR", 1),
    ],
)
def test_findings_have_kind_code_and_place(management: Clients, document: str, kind: str, code: str, line: int) -> None:
    (found,) = ask(management, document)
    start = found["locations"][0]["span"]["start"]
    assert (found["findingType"], found["issueCode"], start["line"]) == (kind, code, line)
    assert found["learnMoreLink"].startswith("https://docs.aws.amazon.com/IAM/")


def test_good_policy_has_no_findings(company: Company) -> None:
    assert ask(company.caller(company.account), policy("s3:GetObject", "dynamodb:Anything")) == []


def test_findings_speak_the_language_that_was_asked_for(management: Clients) -> None:
    english, japanese = (ask(management, policy("s3:GetObjct"), locale=locale)[0] for locale in ("EN", "JA"))
    assert "Did you mean s3:GetObject?" in english["findingDetails"]
    assert "存在しません" in japanese["findingDetails"]


def test_findings_come_in_pages(management: Clients) -> None:
    document = policy(*["s3:GetObject"] * 4)
    first = management.analyzer.validate_policy(policyDocument=document, policyType="IDENTITY_POLICY", maxResults=2)
    rest = ask(management, document, maxResults=2, nextToken=first["nextToken"])
    assert (len(first["findings"]), len(rest)) == (2, 1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"locale": "XX"}, "enum"), ({"policyDocument": " "}, "empty"), ({"nextToken": "nonsense"}, "token")],
)
def test_wrong_question_is_a_validation_error(management: Clients, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(management.analyzer.exceptions.ValidationException, match=message):
        ask(management, **{"document": policy("s3:GetObject")} | rename(parameters))


def rename(parameters: dict[str, str]) -> dict[str, Any]:
    return {{"policyDocument": "document"}.get(name, name): value for name, value in parameters.items()}


@pytest.mark.parametrize(("code", "status"), [("AccessDeniedException", 403), ("ThrottlingException", 429)])
def test_errors_have_the_status_of_their_kind(company: Company, management: Clients, code: str, status: int) -> None:
    company.world.faults.add(Fault(VALIDATE, code=code))
    with pytest.raises(management.analyzer.exceptions.ClientError) as caught:
        ask(management, policy("s3:GetObject"))
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
