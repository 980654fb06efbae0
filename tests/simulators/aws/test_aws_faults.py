"""Rates, caps and faults on order."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from simulators.aws import Fault, Limits, Rate
from simulators.aws.limits import Throttle
from tests.simulators.aws.conftest import ASYNC_SECONDS, Clients, Company, members
from tests.simulators.aws.test_aws_assignments import create, creation

LIST = "sso-admin:ListInstances"


def refusals(calls: Sequence[Callable[[], object]]) -> list[str]:
    """Make all the calls; the error codes of those that failed."""
    codes = []
    for call in calls:
        try:
            call()
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    return codes


def test_sso_admin_has_one_bucket_for_all_callers(company: Company, management: Clients, delegate: Clients) -> None:
    company.world.limits = Limits(sso_admin=Rate(0.01, 2))
    management.sso.list_instances()
    delegate.sso.list_permission_sets(InstanceArn=company.instance)
    with pytest.raises(management.sso.exceptions.ThrottlingException):
        management.sso.list_instances()
    assert company.world.throttled == {LIST: 1}
    assert company.world.calls[LIST] == 2


def test_identity_store_has_a_bucket_for_each_operation(company: Company, management: Clients) -> None:
    company.world.limits = Limits(identity_store=Rate(0.01, 1))
    client = management.identity_store
    client.list_users(IdentityStoreId=company.store)
    client.list_groups(IdentityStoreId=company.store)
    with pytest.raises(client.exceptions.ThrottlingException) as throttled:
        client.list_users(IdentityStoreId=company.store)
    assert members(throttled)["RetryAfterSeconds"] == 1


def test_organizations_answers_too_many_requests(company: Company, management: Clients) -> None:
    company.world.limits = Limits()
    refused = refusals([management.organizations.describe_organization] * 50)
    assert set(refused) == {"TooManyRequestsException"}


def test_organization_bucket_is_shared_by_accounts() -> None:
    throttle = Throttle(Limits(), seconds=lambda: 0.0)
    admitted = [throttle.admits("organizations", "ListRoots", account) for account in ("1", "2", "1", "2")]
    assert admitted == [True, True, True, False]


def test_bucket_fills_up_to_its_burst() -> None:
    seconds = iter([0.0, 0.0, 0.0, 0.05, 100.0, 100.0, 100.0])
    throttle = Throttle(Limits(sso_admin=Rate(20, 2)), seconds=lambda: next(seconds))
    admitted = [throttle.admits("sso-admin", "ListInstances", "1") for _ in range(7)]
    assert admitted == [True, True, False, True, True, True, False]


def test_outstanding_creations_are_capped(company: Company, management: Clients) -> None:
    company.world.limits = Limits(outstanding_creations=2, sso_admin=None)
    first = create(company, management)
    create(company, management, TargetId=company.other_account)
    with pytest.raises(management.sso.exceptions.ThrottlingException, match="too many requests processing"):
        create(company, management, PrincipalType="GROUP", PrincipalId=company.group)
    company.wait()
    assert creation(company, management, first)[0] == "SUCCEEDED"
    create(company, management, PrincipalType="GROUP", PrincipalId=company.group)


def test_provisionings_of_all_accounts_are_capped(company: Company, management: Clients) -> None:
    company.world.limits = Limits(provisionings_of_all_accounts=1, sso_admin=None)
    other = company.world.add_permission_set("Other")
    for arn in (company.permission_set, other):
        company.world.add_assignment(company.account, arn, "USER", company.user)
    management.sso.provision_permission_set(
        InstanceArn=company.instance, PermissionSetArn=other, TargetType="ALL_PROVISIONED_ACCOUNTS"
    )
    with pytest.raises(management.sso.exceptions.ThrottlingException):
        management.sso.provision_permission_set(
            InstanceArn=company.instance,
            PermissionSetArn=company.permission_set,
            TargetType="ALL_PROVISIONED_ACCOUNTS",
        )


def test_nth_call_fails(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault(LIST, nth=2, code="InternalServerException", status=500))
    management.sso.list_instances()
    with pytest.raises(ClientError) as failed:
        management.sso.list_instances()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    management.sso.list_instances()


def test_every_other_call_fails_three_times(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault("sso-admin:List*", every=2, times=3, code="ThrottlingException"))
    assert refusals([management.sso.list_instances] * 12) == ["ThrottlingException"] * 3


def test_fault_strikes_only_its_parameters(company: Company, management: Clients) -> None:
    company.world.faults.add(
        Fault("sso-admin:CreateAccountAssignment", code="ConflictException", where={"TargetId": company.account})
    )
    create(company, management, TargetId=company.other_account)
    with pytest.raises(management.sso.exceptions.ConflictException):
        create(company, management)


def test_fault_speaks_the_services_protocol(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault("iam:ListPolicies", code="Throttling", message="Rate exceeded"))
    with pytest.raises(ClientError, match="Rate exceeded"):
        management.iam.list_policies()


def test_latency_delays_the_answer(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault(LIST, latency=0.1))
    begun = time.monotonic()
    management.sso.list_instances()
    assert time.monotonic() - begun >= 0.1


def test_hanging_up_before_does_nothing(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault("sso-admin:CreateAccountAssignment", hang_up="before"))
    with pytest.raises(ConnectionClosedError):
        create(company, management)
    company.wait(ASYNC_SECONDS)
    assert not company.world.assignments()


def test_hanging_up_after_has_begun_the_work(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault("sso-admin:CreateAccountAssignment", hang_up="after"))
    with pytest.raises(ConnectionClosedError):
        create(company, management)
    company.wait(ASYNC_SECONDS)
    assert len(company.world.assignments()) == 1


def test_hanging_call_ends_with_clear(company: Company, management: Clients) -> None:
    company.world.faults.add(Fault(LIST, hang=True))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(management.sso.list_instances)
        while not company.world.calls[LIST]:
            time.sleep(0.01)
        company.caller(company.delegated).sso.list_permission_sets(InstanceArn=company.instance)
        assert not hanging.done()
        company.world.faults.clear()
        with pytest.raises(HTTPClientError):
            hanging.result()
