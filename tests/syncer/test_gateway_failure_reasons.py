"""AWS's texts about requests that failed, as sentences that say whose job it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.aws import AwsWorld, ProvisioningFault
from syncer.gateways.failure_reasons import LONGEST_TEXT, Verdict, classify_failure
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_requests import RequestKind
from syncer.states import PrincipalType, Reason
from tests.syncer.conftest import AwsCast

ACCOUNT = "111122223333"
LIMITS = f"arn:aws:iam::{ACCOUNT}:policy/team/Limits"
CREATION, DELETION, PROVISIONING = RequestKind.CREATION, RequestKind.DELETION, RequestKind.PROVISIONING


def code_of(text: str, kind: RequestKind = CREATION) -> str:
    return classify_failure(text, kind).reason.code


@pytest.mark.parametrize(
    "text",
    [
        f"Received a 404 status error: Policy {LIMITS} not found.",
        f"Received a 404 status error: Policy {LIMITS} does not exist or is not attachable.",
        f"Scope ARN: {LIMITS} does not exist or is not attachable.",
    ],
)
def test_missing_policy_names_policy_and_account(text: str) -> None:
    reason = Reason("aws_policy_missing", {"policy": "/team/Limits", "account": ACCOUNT})
    assert classify_failure(text, CREATION) == Verdict(reason, for_good=True)


def test_aws_managed_policy_that_is_missing_belongs_to_the_record() -> None:
    text = "Policy arn:aws:iam::aws:policy/job-function/Nobody does not exist or is not attachable."
    reason = Reason("aws_managed_policy_missing", {"policy": "job-function/Nobody"})
    assert classify_failure(text, PROVISIONING) == Verdict(reason)


def test_too_many_policies_for_a_role_name_the_quota() -> None:
    text = "Received a 409 status error: Cannot exceed quota for PoliciesPerRole: 10"
    assert classify_failure(text, CREATION) == Verdict(Reason("aws_policies_per_role", {"limit": "10"}))


def test_other_quotas_are_named_as_aws_names_them() -> None:
    text = "Received a 409 status error: Cannot exceed quota for RolesPerAccount: 1000"
    assert classify_failure(text, CREATION).reason.params == {"quota": "RolesPerAccount", "limit": "1000"}


def test_inline_policy_that_iam_rejects_is_the_records() -> None:
    text = "Received a 400 status error: Policy document should not specify a principal"
    verdict = classify_failure(text, PROVISIONING)
    assert verdict == Verdict(Reason("aws_inline_rejected", {"text": "Policy document should not specify a principal"}))


def test_too_large_inline_policy_names_the_limit() -> None:
    text = "Received a 409 status error: Maximum policy size of 10240 bytes exceeded for role AWSReservedSSO_Reader_1"
    assert classify_failure(text, CREATION).reason == Reason("aws_inline_too_large", {"limit": "10240"})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            f"Obtaining permissions to manage AWS account {ACCOUNT} is taking longer than usual.",
            "aws_account_out_of_reach",
        ),
        (f"The account {ACCOUNT} is suspended.", "aws_account_out_of_reach"),
        ("Received a 500 status error: Internal failure", "aws_refused_for_now"),
        ("Received a 429 status error: Rate exceeded", "aws_refused_for_now"),
        ("Received a 409 status error: The role is temporarily unmodifiable", "aws_refused_for_now"),
        ("Received a 404 status error: Permission set not found.", "aws_set_gone"),
    ],
)
def test_what_passes_is_not_for_good(text: str, code: str) -> None:
    verdict = classify_failure(text, CREATION)
    assert (verdict.reason.code, verdict.for_good, verdict.is_done) == (code, False, False)


def test_denial_by_iam_is_for_good() -> None:
    text = "Received a 403 status error: Access denied by IAM. You do not have permission to perform this action."
    assert classify_failure(text, CREATION) == Verdict(Reason("aws_iam_denied", {"text": text}))


@pytest.mark.parametrize(("kind", "is_done"), [(DELETION, True), (CREATION, False)])
def test_deletion_of_what_is_not_there_is_done(kind: RequestKind, is_done: bool) -> None:
    verdict = classify_failure("Received a 404 status error: Assignment not found.", kind)
    assert (verdict.is_done, verdict.for_good) == (is_done, False)


@pytest.mark.parametrize(("kind", "is_done"), [(PROVISIONING, True), (CREATION, False), (DELETION, False)])
@pytest.mark.parametrize("where", ["", f" in AWS account {ACCOUNT}"])
def test_provisioning_of_a_role_that_went_away_is_done(kind: RequestKind, is_done: bool, where: str) -> None:
    verdict = classify_failure(f"Received a 404 status error: Permission set provision not found{where}.", kind)
    assert (verdict.is_done, verdict.for_good) == (is_done, False)


def test_unknown_text_stays_awss_own_words() -> None:
    assert classify_failure("The moon is in the way.", CREATION) == Verdict(
        Reason("aws_refused", {"text": "The moon is in the way."})
    )


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_text_at_all_says_so(text: str) -> None:
    assert code_of(text) == "aws_gave_no_reason"


def test_policy_that_is_repeated_is_left_out() -> None:
    text = 'Received a 400 status error: Syntax errors in policy {"Version": "2012-10-17",\n "Statement": []}'
    assert "Version" not in str(classify_failure(text, CREATION).reason.params)


@given(st.text(), st.sampled_from(RequestKind))
def test_any_text_is_judged(text: str, kind: RequestKind) -> None:
    verdict = classify_failure(text, kind)
    assert all(len(value) <= LONGEST_TEXT for value in verdict.reason.params.values())
    assert not verdict.is_done


# --- As the simulated AWS says it -------------------------------------------------------------------------------------


def fail_in(center: IdentityCenter, account_id: str, arn: str, principal_id: str) -> Verdict:
    request_id = center.create_assignment(account_id, arn, PrincipalType.USER, principal_id)
    assert request_id
    status = center.describe_status(CREATION, request_id)
    assert status.status == "FAILED"
    return classify_failure(status.failure_reason, CREATION)


@pytest.fixture
def _at_once(aws_world: AwsWorld) -> None:
    aws_world.async_seconds = 0.0


@pytest.mark.usefixtures("_at_once")
def test_customer_policy_that_an_account_lacks_is_recognised(center: IdentityCenter, aws: AwsCast) -> None:
    verdict = fail_in(center, aws.platform, aws.admin, aws.hana)
    assert verdict.reason == Reason("aws_policy_missing", {"policy": "/team/Limits", "account": aws.platform})


@pytest.mark.usefixtures("_at_once")
def test_suspended_account_is_recognised(center: IdentityCenter, aws: AwsCast) -> None:
    assert fail_in(center, aws.closed, aws.reader, aws.hana).reason.code == "aws_account_out_of_reach"


@pytest.mark.usefixtures("_at_once")
def test_fault_without_known_words_is_left_as_it_is(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(ProvisioningFault("Something new."))
    assert fail_in(center, aws.shop, aws.reader, aws.hana).reason == Reason("aws_refused", {"text": "Something new."})
