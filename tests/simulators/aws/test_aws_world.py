"""The world itself: fixed ids, keeping, telling of changes, threads and size."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulators.aws import AwsWorld, Limits
from simulators.aws.entities import PolicyReference
from tests.simulators.aws.conftest import ASYNC_SECONDS, Clients, Company
from tests.simulators.aws.test_aws_assignments import create


def test_same_seed_same_ids() -> None:
    def ids(seed: str) -> list[str]:
        world = AwsWorld(seed)
        account = world.add_account("a", "a@example.com")
        return [world.instance_arn, world.identity_store_id, world.management_account_id, account, world.add_ou("ou")]

    assert ids("one") == ids("one")
    assert not set(ids("one")) & set(ids("two"))


def test_kept_world_is_the_same_world(company: Company, management: Clients) -> None:
    world = company.world
    world.add_permission_set("Guarded", customer_managed=[("/", "Guard")], boundary=("/ops/", "Edge"), inline="{}")
    world.add_customer_policy(company.account, "/", "Guard")
    world.add_account_instance(company.account)
    create(company, management)
    state = json.loads(json.dumps(world.to_state()))
    assert json.loads(json.dumps(AwsWorld.from_state(state, company.clock).to_state())) == state


def test_kept_world_finishes_what_was_under_way(company: Company, management: Clients) -> None:
    create(company, management)
    again = AwsWorld.from_state(json.loads(json.dumps(company.world.to_state())), company.clock)
    company.wait(ASYNC_SECONDS)
    assert again.assignments() == company.world.assignments() != frozenset()


def test_kept_world_goes_on_with_new_ids(company: Company) -> None:
    again = AwsWorld.from_state(json.loads(json.dumps(company.world.to_state())), company.clock)
    assert again.add_group("new") == company.world.add_group("new")
    assert again.add_group("newer") != again.add_group("newest")


def test_kept_policies_are_of_their_type(company: Company) -> None:
    arn = company.world.add_permission_set("Guarded", customer_managed=[("/", "Guard")], boundary=("/ops/", "Edge"))
    again = AwsWorld.from_state(json.loads(json.dumps(company.world.to_state())))
    kept = again.center.sets[arn]
    assert kept.boundary == PolicyReference("/ops/", "Edge")
    assert kept.customer_managed == [PolicyReference("/", "Guard")]


def test_changes_are_told_and_reads_are_not(company: Company, management: Clients) -> None:
    told: list[int] = []
    company.world.on_change = lambda: told.append(1)
    management.sso.list_instances()
    assert not told
    create(company, management)
    assert len(told) == 1
    company.wait()
    management.sso.list_instances()
    assert len(told) == 2


def test_refused_write_tells_nothing(company: Company, management: Clients) -> None:
    told: list[int] = []
    company.world.on_change = lambda: told.append(1)
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.create_permission_set(InstanceArn=company.instance, Name="Developer")
    assert not told


def test_change_is_told_outside_of_the_lock(company: Company) -> None:
    def read_elsewhere() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(company.world.assignments).result(timeout=5)

    company.world.on_change = read_elsewhere
    assert company.world.add_group("another") in company.world.directory.groups


def test_what_aws_could_not_hold_is_refused(company: Company) -> None:
    world = company.world
    with pytest.raises(ValueError, match="exists"):
        world.add_permission_set("Developer")
    with pytest.raises(ValueError, match="exists"):
        world.add_account("again", "again@example.com", account_id=company.account)
    with pytest.raises(ValueError, match="no USER"):
        world.add_assignment(company.account, company.permission_set, "USER", company.group)
    with pytest.raises(ValueError, match="no member account"):
        world.delegate(world.management_account_id)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"description": "開発者"}, "description"),
        ({"session_duration": "PT13H"}, "between 1 and 12 hours"),
        ({"managed": ["arn:aws:iam::aws:policy/NoSuchPolicy"]}, "NoSuchPolicy"),
        ({"customer_managed": [("ops", "Guard")]}, "path"),
        ({"boundary": "arn:aws:iam::aws:policy/NoSuchPolicy"}, "NoSuchPolicy"),
        ({"inline": "{"}, "line 1 column 2"),
        ({"tags": {"owner": "#1"}}, "value"),
    ],
)
def test_permission_set_is_as_strict_as_the_wire(company: Company, values: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        company.world.add_permission_set("Strict", **values)
    assert company.world.center.arn_of("Strict") is None


def test_names_and_states_are_as_strict_as_the_wire(company: Company) -> None:
    world = company.world
    with pytest.raises(ValueError, match="email"):
        world.add_account("a", "no address")
    with pytest.raises(ValueError, match="ACTIVE"):
        world.set_account_state(company.account, "Active")
    with pytest.raises(ValueError, match="UserName"):
        world.add_user("with blank", None, None)
    with pytest.raises(ValueError, match="ENABLED"):
        world.set_user_status(company.user, "enabled")


def test_refused_change_changes_nothing(company: Company) -> None:
    with pytest.raises(ValueError, match="hours"):
        company.world.change_permission_set(company.permission_set, description="new", session_duration="PT1M")
    assert company.world.center.sets[company.permission_set].description == "Developers"


def test_threads_create_side_by_side(company: Company, management: Clients) -> None:
    users = [company.world.add_user(f"user-{number}", None, None) for number in range(20)]
    sso = management.sso

    with ThreadPoolExecutor(4) as pool:
        requests = set(pool.map(lambda user: create(company, management, PrincipalId=user), users))
    company.wait(len(users) * ASYNC_SECONDS)
    assert len(requests) == len(company.world.assignments()) == len(users)
    assert company.world.calls["sso-admin:CreateAccountAssignment"] == len(users)
    assert sso.list_instances()["Instances"]


def test_many_assignments_are_read_as_fast_as_few(company: Company, management: Clients) -> None:
    world = company.world
    users = [world.add_user(f"user-{number}", None, None) for number in range(500)]
    accounts = [world.add_account(f"a-{number}", f"a-{number}@example.com") for number in range(100)]
    for account in accounts:
        for user in users:
            world.add_assignment(account, company.permission_set, "USER", user)
    assert len(world.assignments()) == 50_000
    world.limits = Limits.unthrottled()
    begun = time.monotonic()
    for account in accounts:
        listed = management.sso.list_account_assignments(
            InstanceArn=company.instance, AccountId=account, PermissionSetArn=company.permission_set, MaxResults=100
        )
        assert len(listed["AccountAssignments"]) == 100
    # A scan of all rows would take 5 ms a call and more; the whole takes 0.3 s on an idle machine.
    assert time.monotonic() - begun < 5
