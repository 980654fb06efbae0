"""Which requests go first, and how they are told apart: reading, writing, and asking what became of a write."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from simulators.aws import AwsWorld, Fault
from syncer.gateways import aws_session
from syncer.gateways.aws_session import AwsOptions, Flow, Traffic
from syncer.gateways.identity_center import IdentityCenter, connect
from syncer.gateways.identity_center_requests import RequestKind
from syncer.gateways.pacing import Rate
from syncer.states import PrincipalType
from tests.syncer.conftest import AwsCast


@dataclass
class Witness:
    """A pacer that lets everything through and remembers what was urgent."""

    urgent: list[bool] = field(default_factory=list)
    pause: float = 0.0

    def acquire(self, *, urgent: bool = False) -> None:
        time.sleep(self.pause)
        self.urgent.append(urgent)


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture(params=[False])
def paced(
    aws_url: str, aws_world: AwsWorld, witness: Witness, request: pytest.FixtureRequest
) -> Iterator[IdentityCenter]:
    """A center with that pacer; its session is urgent if the test says so."""
    options = AwsOptions(region=aws_world.region, instance_arn=aws_world.instance_arn, urgent=request.param)
    with connect(options, witness, sleep=lambda _seconds: None) as center:
        assert center.instance.instance_arn
        witness.urgent.clear()
        yield center


def test_readings_are_patient(paced: IdentityCenter, witness: Witness) -> None:
    paced.list_permission_set_arns()
    assert witness.urgent == [False]


@pytest.mark.parametrize("paced", [True], indirect=True)
def test_readings_of_an_urgent_session_are_urgent(paced: IdentityCenter, witness: Witness) -> None:
    paced.list_permission_set_arns()
    assert witness.urgent == [True]


def test_writes_and_questions_about_them_are_urgent(paced: IdentityCenter, witness: Witness, aws: AwsCast) -> None:
    request_id = paced.create_assignment(aws.platform, aws.reader, PrincipalType.USER, aws.hana)
    paced.list_in_progress(RequestKind.CREATION)
    assert request_id
    paced.describe_status(RequestKind.CREATION, request_id)
    assert witness.urgent == [True, True, True]


def test_requests_are_counted_by_what_they_are_for(paced: IdentityCenter, aws: AwsCast) -> None:
    before = paced.flows[Traffic.READ].calls
    paced.list_assignments(aws.shop, aws.reader)
    paced.create_assignment(aws.platform, aws.reader, PrincipalType.USER, aws.hana)
    paced.list_in_progress(RequestKind.CREATION)
    paced.list_in_progress(RequestKind.DELETION)
    calls = {traffic: flow.calls for traffic, flow in paced.flows.items()}
    assert calls == {Traffic.READ: before + 1, Traffic.WRITE: 1, Traffic.POLL: 2}


def test_throttling_is_counted_where_it_happened(paced: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", code="ThrottlingException", times=2))
    paced.create_assignment(aws.platform, aws.reader, PrincipalType.USER, aws.hana)
    assert paced.flows[Traffic.WRITE][:2] == Flow(3, 2)[:2]
    assert paced.flows[Traffic.READ].throttled == 0


def test_other_services_are_not_in_the_count(paced: IdentityCenter) -> None:
    before = paced.flows
    paced.list_users()
    assert [flow[:2] for flow in paced.flows.values()] == [flow[:2] for flow in before.values()]


def test_seconds_of_waiting_are_counted(paced: IdentityCenter, witness: Witness) -> None:
    before = paced.flows[Traffic.READ].waited
    witness.pause = 0.02
    paced.list_permission_set_arns()
    assert paced.flows[Traffic.READ].waited - before >= 0.02


@pytest.mark.parametrize(("operation", "limit"), aws_session._RATES.items())
def test_session_keeps_below_awss_limits(operation: str, limit: Rate) -> None:
    """One session after the other finds a burst of its own, and requests may arrive closer than they were sent."""
    ours = aws_session._below(limit)
    assert ours.per_second < limit.per_second
    assert ours.burst == max(1.0, limit.burst / 2)
