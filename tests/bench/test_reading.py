"""A full proof of who is assigned what, by each strategy, and beside it what others need for the same."""

import time
from dataclasses import dataclass

import boto3
import pytest
from aws_sso_lib.assignments import list_assignments

from syncer.buckets import RedisStore
from syncer.gateways.aws_session import AwsOptions, Traffic
from syncer.gateways.identity_center import IdentityCenter, connect
from syncer.gateways.identity_center_reading import ReadOptions, read_actual
from syncer.gateways.pacing import Pace, SharedBucket, TokenBucket
from syncer.gateways.reading_options import Known, Selection, Strategy
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualSet,
    AssignmentKey,
    Coverage,
    Definition,
    Ownership,
    PrincipalType,
)
from tests.bench.figures import Figures
from tests.companies import TPS, Company, name_of_set

OURS = ("managed-by", "genkan")


@dataclass(frozen=True)
class Proof:
    """What one reading of all assignments took; `calls` are those for assignments, `requests` all to sso-admin."""

    actual: Actual
    calls: int
    requests: int
    seconds: float
    throttled: int


@pytest.fixture
def center(company: Company, broker: str, _pointed: None) -> IdentityCenter:
    pace = Pace(TPS)
    bucket = SharedBucket(RedisStore(broker, "bench", pace), pace, alone=TokenBucket(TPS, 1))
    return connect(AwsOptions(region=company.aws.region, tps=TPS), bucket)


def mirror(company: Company) -> ReadOptions:
    """What a routine run knows from the mirror, so that only assignments are asked for."""
    aws = company.aws
    accounts = {
        each.id: ActualAccount(each.id, each.name, each.email, "ACTIVE") for each in aws.organization.accounts.values()
    }
    people = {
        key: ActualPrincipal(PrincipalType.USER, key, user.user_name) for key, user in aws.directory.users.items()
    }
    groups = {
        key: ActualPrincipal(PrincipalType.GROUP, key, group.display_name)
        for key, group in aws.directory.groups.items()
    }
    sets = {
        name_of_set(number): ActualSet(name_of_set(number), arn, Ownership.OURS, Definition())
        for number, arn in enumerate(company.arns)
    }
    return ReadOptions(
        ownership_tag=OURS,
        known_names={there.arn: name for name, there in sets.items()},
        accounts=accounts,
        principals=people | groups,
        instance=ActualInstance(aws.instance_arn, aws.identity_store_id, aws.region, aws.management_account_id),
        known=Known(sets=sets),
        may_list_by_principal=True,
    )


def prove(company: Company, center: IdentityCenter, strategy: Strategy) -> Proof:
    options = mirror(company)
    everybody = frozenset(options.principals or ())
    is_blind = strategy is Strategy.BY_PRINCIPAL
    coverage = Coverage(frozenset(), everybody) if is_blind else Coverage()

    def select(_actual: Actual, _may: bool) -> Selection:
        return Selection(coverage, strategy, sets=frozenset(), groups=frozenset())

    asked = ReadOptions(**{**options.__dict__, "select": select})
    throttled = company.count_throttled()
    begin = time.monotonic()
    with center:
        actual = read_actual(center, asked)
        seconds = time.monotonic() - begin
        requests = center.flows[Traffic.READ].calls
    figures = actual.figures
    assert figures is not None
    return Proof(actual, figures.calls, requests, seconds, company.count_throttled() - throttled)


def all_assignments(company: Company) -> set[AssignmentKey]:
    names = {arn: name_of_set(number) for number, arn in enumerate(company.arns)}
    return {
        AssignmentKey(account_id, names[arn], PrincipalType(kind), principal_id)
        for account_id, arn, kind, principal_id in company.aws.assignments()
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("strategy", [Strategy.BY_PRINCIPAL, Strategy.BY_SET, Strategy.BY_ACCOUNT])
def test_full_proof(company: Company, center: IdentityCenter, figures: Figures, strategy: Strategy) -> None:
    size = company.size
    company.aws.delegated_lists_by_principal = strategy is Strategy.BY_PRINCIPAL
    least = {
        Strategy.BY_PRINCIPAL: size.users + size.groups,
        Strategy.BY_SET: size.sets + size.pairs,
        Strategy.BY_ACCOUNT: size.accounts + size.pairs,
    }[strategy]
    proof = prove(company, center, strategy)
    what = f"full proof {strategy.value.replace('_', ' ')}"
    figures.add(f"{what}: calls ÷ least ({least:,})", proof.calls / least, "×", at_most=1.05)
    figures.add(f"{what}: seconds ÷ (calls ÷ budget)", proof.seconds / (proof.requests / TPS), "×", at_most=1.1)
    figures.add(f"{what}: throttled", proof.throttled, at_most=0, beside=f"in {proof.seconds:.0f} s")
    assert proof.actual.assignments == all_assignments(company)
    assert proof.actual.unresolved == ()


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_pointed")
def test_peer_lists_the_same(company: Company, figures: Figures) -> None:
    """aws-sso-lib's `list_assignments`, in the same session of the same AWS."""
    before, throttled = company.aws.calls.copy(), company.count_throttled()
    begin = time.monotonic()
    listed = list(list_assignments(boto3.Session(region_name=company.aws.region)))
    seconds = time.monotonic() - begin
    sent = (company.aws.calls - before).total()
    again = company.count_throttled() - throttled
    figures.add("the same by aws-sso-lib 1.14: calls", sent, beside=f"{again} throttled, {seconds:.0f} s")
    size = company.size
    walk = size.accounts * size.sets
    figures.add("the same by accounts × sets, as many do: calls", walk, beside=f"{walk / 20:,.0f} s at best")
    assert len(listed) == size.assignments
