"""What AWS and boto3 refuse with, as our own errors: over the wire where the simulator can, else from the exception."""

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from simulators.aws import AwsWorld, Fault
from simulators.serving import Response, Serving
from syncer.gateways import aws_session
from syncer.gateways.aws_errors import translate
from syncer.gateways.errors import (
    Conflict,
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Permanent,
    QuotaExceeded,
    Race,
    Temporary,
    Throttled,
    Truncated,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from syncer.gateways.identity_center import IdentityCenter
from tests.syncer.conftest import POLICY, AwsCast, Connect

LIST_SETS = "sso-admin:ListPermissionSets"


@pytest.mark.parametrize(
    ("code", "status", "kind", "reason"),
    [
        ("AccessDeniedException", 400, Denied, "aws_denied"),
        ("ExpiredTokenException", 403, Unauthenticated, "aws_credentials"),
        ("UnrecognizedClientException", 403, Unauthenticated, "aws_credentials"),
        ("ResourceNotFoundException", 400, NotFound, "aws_not_found"),
        ("ValidationException", 400, Invalid, "aws_invalid"),
        ("ServiceQuotaExceededException", 400, QuotaExceeded, "aws_quota"),
        ("ConflictException", 400, Race, "aws_conflict"),
        ("SomethingNewException", 400, Permanent, "aws_error"),
        ("SomethingNewException", 403, Denied, "aws_denied"),
        ("ThrottlingException", 400, Throttled, "aws_throttled"),
        ("SomethingNewException", 429, Throttled, "aws_throttled"),
        ("InternalServerException", 500, Unavailable, "aws_unavailable"),
    ],
)
def test_tells_answers_apart(
    center: IdentityCenter, aws_world: AwsWorld, code: str, status: int, kind: type[GatewayError], reason: str
) -> None:
    aws_world.faults.add(Fault(LIST_SETS, code=code, status=status, message="as AWS says"))
    with pytest.raises(kind) as caught:
        center.list_permission_set_arns()
    error = caught.value
    assert type(error) is kind
    assert (error.operation, error.reason.code, error.code, error.text) == (LIST_SETS, reason, code, "as AWS says")
    assert error.reason.params == {"operation": LIST_SETS, "code": code, "text": "as AWS says"}


def test_reads_are_tried_eight_times(center: IdentityCenter, aws_world: AwsWorld) -> None:
    aws_world.faults.add(Fault(LIST_SETS, code="InternalServerException", status=500))
    with pytest.raises(Unavailable):
        center.list_permission_set_arns()
    assert center.calls[LIST_SETS] == 8


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "ThrottlingException"},
        {"code": "InternalServerException", "status": 500},
        {"hang_up": "before"},
        {"hang_up": "after"},
    ],
)
def test_reads_try_through_passing_trouble(center: IdentityCenter, aws_world: AwsWorld, fault: dict[str, Any]) -> None:
    aws_world.faults.add(Fault(LIST_SETS, **fault, times=7))
    assert len(center.list_permission_set_arns()) == 4
    assert center.calls[LIST_SETS] == 8


def test_what_is_refused_for_good_is_asked_once(center: IdentityCenter, aws_world: AwsWorld) -> None:
    aws_world.faults.add(Fault(LIST_SETS, code="AccessDeniedException"))
    with pytest.raises(Denied):
        center.list_permission_set_arns()
    assert center.calls[LIST_SETS] == 1


def test_throttled_requests_are_counted(center: IdentityCenter, aws_world: AwsWorld) -> None:
    aws_world.faults.add(Fault(LIST_SETS, code="ThrottlingException", times=3))
    center.list_permission_set_arns()
    assert (center.calls[LIST_SETS], center.throttled) == (4, {LIST_SETS: 3})


def test_taken_name_is_a_conflict_that_lasts(center: IdentityCenter, aws: AwsCast) -> None:
    with pytest.raises(Conflict) as caught:
        center.create_permission_set("Reader", center.fetch_definition(aws.reader), {})
    assert caught.value.reason.code == "aws_name_taken"
    assert center.calls["sso-admin:CreatePermissionSet"] == 1


def test_error_does_not_repeat_the_policy(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    message = f"1 validation error detected: Value '{POLICY}' at 'inlinePolicy' is wrong"
    operation = "sso-admin:PutInlinePolicyToPermissionSet"
    aws_world.faults.add(Fault(operation, code="ValidationException", message=message))
    wanted = center.fetch_definition(aws.admin)
    with pytest.raises(Invalid) as caught:
        center.update_permission_set(aws.reader, center.fetch_definition(aws.reader), wanted)
    assert caught.value.text == "1 validation error detected: Value '…' at 'inlinePolicy' is wrong"
    assert "s3:*" not in f"{caught.value} {caught.value.reason.params}"


# Credentials


def test_missing_credentials_say_so(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Unauthenticated) as caught:
        connect_center().find_instance()
    assert caught.value.reason.code == "aws_credentials"


def test_unknown_profile_says_so(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Unauthenticated):
        connect_center()


def test_role_is_assumed_on_top_of_the_credentials(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = aws_world.add_access_key(aws.shop, "Worker")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", member[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", member[1])
    role = aws_world.add_role(aws.platform, "Reconciler")
    center = connect_center(role_arn=role)
    assert center.find_instance().instance_arn == aws_world.instance_arn
    assert center.calls["sts:AssumeRole"] == aws_world.calls["sts:AssumeRole"] == 1


def test_role_that_may_not_be_assumed_is_denied(connect_center: Connect, aws: AwsCast) -> None:
    center = connect_center(role_arn=f"arn:aws:iam::{aws.platform}:role/Nobody")
    with pytest.raises(Denied) as caught:
        center.find_instance()
    assert caught.value.operation == "sts:AssumeRole"


def test_role_without_credentials_says_so(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Unauthenticated) as caught:
        connect_center(role_arn="arn:aws:iam::123456789012:role/Reconciler")
    assert caught.value.operation == "sts:AssumeRole"


# Out of reach


def test_service_out_of_reach_rests(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with Serving(lambda _request: Response()) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
    center = connect_center()
    for _ in range(3):
        with pytest.raises(Unreachable, match="aws_unreachable"):
            center.find_instance()
    assert center.calls.total() == 8


def test_service_is_asked_again_after_its_rest(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_session, "REST_SECONDS", 0.0)
    with Serving(lambda _request: Response()) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
    center = connect_center()
    for _ in range(2):
        with pytest.raises(Unreachable):
            center.find_instance()
    assert center.calls.total() == 16


@pytest.mark.parametrize(
    "page", [Response.text("<html>Sign in</html>"), Response.json({}), Response.json([]), Response(200)]
)
def test_foreign_page_is_no_empty_listing(
    connect_center: Connect, monkeypatch: pytest.MonkeyPatch, page: Response
) -> None:
    with Serving(lambda _request: page) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        center = connect_center()
        for listing in (center.list_accounts, center.list_policies):
            with pytest.raises(NoAnswer):
                listing()


def test_token_that_comes_twice_is_truncated(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Response.json({"Accounts": [], "NextToken": "again"}, 200, ("x-amzn-RequestId", "1"))
    with Serving(lambda _request: page) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        with pytest.raises(Truncated) as caught:
            connect_center().list_accounts()
    assert caught.value.reason.code == "aws_truncated"


# Straight from the exception


def refused(code: str, operation: str = "Ask", status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (boto.EndpointConnectionError(endpoint_url="u"), Unreachable, "aws_unreachable"),
        (boto.ConnectTimeoutError(endpoint_url="u"), Unreachable, "aws_unreachable"),
        (boto.SSLError(endpoint_url="u", error=OSError("e")), Unreachable, "aws_unreachable"),
        (boto.ReadTimeoutError(endpoint_url="u"), NoAnswer, "aws_unreachable"),
        (boto.ConnectionClosedError(endpoint_url="u"), NoAnswer, "aws_unreachable"),
        (ResponseParserError("not XML"), NoAnswer, "aws_unreachable"),
        (boto.NoCredentialsError(), Unauthenticated, "aws_credentials"),
        (boto.UnauthorizedSSOTokenError(), Unauthenticated, "aws_credentials"),
        (boto.ParamValidationError(report="r"), Invalid, "aws_invalid"),
        (boto.UnknownServiceError(service_name="s", known_service_names="k"), Permanent, "aws_error"),
        (refused("AWSOrganizationsNotInUseException"), NotFound, "aws_organization_missing"),
        (refused("TooManyRequestsException"), Throttled, "aws_throttled"),
        (refused("500", status=500), Unavailable, "aws_unavailable"),
    ],
)
def test_tells_exceptions_apart(error: Exception, kind: type[GatewayError], reason: str) -> None:
    translated = translate("sso-admin:Ask", error, {})
    assert type(translated) is kind
    assert translated.reason.code == reason


def test_refused_role_is_not_blamed_on_the_question() -> None:
    error = translate("sso-admin:Ask", refused("AccessDenied", "AssumeRole", 403), {})
    assert error.operation == "sts:AssumeRole"


def test_long_texts_are_cut() -> None:
    error = translate("sso-admin:Ask", boto.ParamValidationError(report="x" * 5000), {})
    assert len(error.text) == 1000


def test_error_reads_well_in_a_log() -> None:
    error = translate("sso-admin:Ask", refused("AccessDeniedException"), {})
    assert str(error) == "sso-admin:Ask: aws_denied (AccessDeniedException: m)"
    assert not isinstance(error, Temporary)
