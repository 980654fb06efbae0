"""What boto3 raises, told in our own errors. Pure: nothing is sent from here."""

import re
from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

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
    Throttled,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from syncer.states import Reason

RAISED_BY_BOTO = (BotoCoreError, ClientError, ResponseParserError)
# What botocore's parsers stumble with over a page that is well-formed JSON or XML, but not of the service.
UNREADABLE = (AttributeError, LookupError, ValueError)
LONGEST_TEXT = 1000  # characters of AWS's message that are kept

_KINDS: Mapping[type[GatewayError], tuple[str, frozenset[str]]] = {
    Throttled: (
        "aws_throttled",
        frozenset(
            {
                "RequestLimitExceeded",
                "SlowDown",
                "Throttling",
                "ThrottledException",
                "ThrottlingException",
                "TooManyRequestsException",
            }
        ),
    ),
    Unauthenticated: (
        "aws_credentials",
        frozenset(
            {
                "AuthFailure",
                "ExpiredToken",
                "ExpiredTokenException",
                "IncompleteSignature",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "InvalidSignatureException",
                "MissingAuthenticationToken",
                "MissingAuthenticationTokenException",
                "RequestExpired",
                "SignatureDoesNotMatch",
                "UnrecognizedClientException",
            }
        ),
    ),
    Denied: ("aws_denied", frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})),
    NotFound: (
        "aws_not_found",
        frozenset(
            {
                "AccountNotFoundException",
                "NoSuchEntity",
                "ParentNotFoundException",
                "ResourceNotFoundException",
                "TargetNotFoundException",
            }
        ),
    ),
    QuotaExceeded: ("aws_quota", frozenset({"LimitExceeded", "ServiceQuotaExceededException"})),
    Invalid: (
        "aws_invalid",
        frozenset({"InvalidInputException", "ValidationError", "ValidationException"}),
    ),
}
_BY_CODE: Mapping[str, tuple[type[GatewayError], str]] = {
    "AWSOrganizationsNotInUseException": (NotFound, "aws_organization_missing"),
    **{code: (kind, reason) for kind, (reason, codes) in _KINDS.items() for code in codes},
}

_NOT_SENT = (boto.ConnectionError,)  # no route, no name, no certificate, no connection in time
_NO_ANSWER = (boto.HTTPClientError, ResponseParserError)
_CREDENTIALS = (
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.CredentialRetrievalError,
    boto.InvalidConfigError,
    boto.LoginError,
    boto.MetadataRetrievalError,
    boto.NoAuthTokenError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.RefreshWithMFAUnsupportedError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.UnknownCredentialError,
)


def foreign_answer(operation: str) -> NoAnswer:
    """The error for an answer without AWS's request id: a proxy's page, which boto3 would read as an empty listing."""
    code, text = "NoRequestId", "The answer is not AWS's"
    return NoAnswer(operation, _reason("aws_unreachable", operation, code, text), code, text)


def translate(operation: str, error: Exception, parameters: Mapping[str, Any]) -> GatewayError:
    """Our error for one of `RAISED_BY_BOTO`, to be raised from it."""
    if isinstance(error, ClientError):
        return _translate_answer(operation, error, parameters)
    code, text = type(error).__name__, str(error)[:LONGEST_TEXT]
    if isinstance(error, _NOT_SENT):
        return Unreachable(operation, _reason("aws_unreachable", operation, code, text), code, text)
    if isinstance(error, _NO_ANSWER):
        return NoAnswer(operation, _reason("aws_unreachable", operation, code, text), code, text)
    if isinstance(error, _CREDENTIALS):
        return Unauthenticated(operation, _reason("aws_credentials", operation, code, text), code, text)
    if isinstance(error, boto.ParamValidationError):
        return Invalid(operation, _reason("aws_invalid", operation, code, text), code, text)
    return Permanent(operation, _reason("aws_error", operation, code, text), code, text)


def _translate_answer(operation: str, error: ClientError, parameters: Mapping[str, Any]) -> GatewayError:
    """AWS answered with an error. It may be the answer to AssumeRole, which boto3 sends for new credentials."""
    if error.operation_name == "AssumeRole":
        operation = "sts:AssumeRole"
    code = error.response.get("Error", {}).get("Code", "")
    text = without_policy(error.response.get("Error", {}).get("Message", ""), parameters)[:LONGEST_TEXT]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind, reason_code = _classify(operation, code, status)
    return kind(operation, _reason(reason_code, operation, code, text), code, text)


def _classify(operation: str, code: str, status: int) -> tuple[type[GatewayError], str]:
    if code == "ConflictException":
        # Only here is the conflict known to last: the name is taken. Everywhere else it is a concurrent change, or
        # the change is done already; whoever sent it looks.
        taken = operation == "sso-admin:CreatePermissionSet"
        return (Conflict, "aws_name_taken") if taken else (Race, "aws_conflict")
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status == 429:
        return Throttled, "aws_throttled"
    if status >= 500:
        return Unavailable, "aws_unavailable"
    if status in {401, 403}:
        return Denied, "aws_denied"
    return Permanent, "aws_error"


def without_policy(text: str, parameters: Mapping[str, Any]) -> str:
    """The text without the policy that AWS repeats from a request: policies do not belong into logs."""
    return re.sub(r"\{.*\}", "…", text, flags=re.DOTALL) if "InlinePolicy" in parameters else text


def _reason(reason_code: str, operation: str, code: str, text: str) -> Reason:
    return Reason(reason_code, {"operation": operation, "code": code, "text": text})
