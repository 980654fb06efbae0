"""IAM Access Analyzer: the one operation that needs no analyzer, ValidatePolicy."""

from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.errors import AwsError
from simulators.aws.policy_checks import check_policy
from simulators.aws.rows import Rows

PAGE_SIZE = 100


def validate_policy(call: Call) -> Answer:
    """Findings about the document, in the order of the text; a document without any gives none."""
    document, locale = call.text("policyDocument"), call.optional("locale") or "EN"
    if not document.strip():
        raise AwsError("ValidationException", "Policy document must not be empty", reason="fieldValidationFailed")
    if call.text("policyType") != "IDENTITY_POLICY":
        raise AwsError("ValidationException", "The simulator knows identity policies only", reason="notSupported")
    size = int(call.parameters.get("maxResults", PAGE_SIZE))
    page = call.page(Rows(enumerate(check_policy(document, locale))), size=size, cursor="nextToken")
    return page.answer("findings", dict, "nextToken")


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {"ValidatePolicy": validate_policy}
