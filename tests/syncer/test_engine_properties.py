"""Whatever is wished for, whatever AWS has, whatever goes wrong: nothing foreign is touched, and all comes right.

Each example is a company of its own behind real ports; the database is as before after each.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from simulators.aws import Fault, ProvisioningFault
from tests.syncer.running import NOTHING, plan, sync
from tests.syncer.worlds import FOREIGN, Granted, World, point_settings, serve_world

pytestmark = pytest.mark.django_db

ACCOUNTS, OURS, PEOPLE = ("shop", "blog", "closed"), ("Reader", "Writer"), ("hana", "taro", "ken", "developers")
READS = (
    "organizations:ListAccounts", "organizations:ListRoots", "identitystore:ListUsers", "identitystore:ListGroups",
    "identitystore:ListGroupMemberships", "sso-admin:ListPermissionSets", "sso-admin:DescribePermissionSet",
    "sso-admin:ListTagsForResource", "sso-admin:GetInlinePolicyForPermissionSet",
    "sso-admin:ListAccountsForProvisionedPermissionSet", "sso-admin:ListPermissionSetsProvisionedToAccount",
    "sso-admin:ListAccountAssignments", "sso-admin:List*Status", "sso-admin:Describe*Status",
)  # fmt: skip
WRITES = (
    "sso-admin:CreateAccountAssignment", "sso-admin:DeleteAccountAssignment", "sso-admin:UpdatePermissionSet",
    "sso-admin:ProvisionPermissionSet", "sso-admin:*ManagedPolicy*",
)  # fmt: skip
CODES = ("AccessDeniedException", "ThrottlingException", "InternalServerException", "ConflictException")


class Wished(NamedTuple):
    """One record: these people and groups, in this account, with this set."""

    account: str
    permission_set: str
    names: frozenset[str]

    @property
    def rows(self) -> set[Granted]:
        return {(self.account, self.permission_set, name) for name in self.names}


records = st.builds(
    Wished, st.sampled_from(ACCOUNTS), st.sampled_from(OURS), st.frozensets(st.sampled_from(PEOPLE), min_size=1)
)
rows = st.frozensets(
    st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from((*OURS, "Legacy")), st.sampled_from(PEOPLE)), max_size=6
)
faults = st.one_of(
    st.builds(
        Fault,
        operation=st.sampled_from((*READS, *WRITES)),
        code=st.sampled_from(CODES),
        nth=st.none() | st.integers(1, 4),
    ),
    st.builds(Fault, operation=st.sampled_from(WRITES), hang_up=st.sampled_from(("before", "after")), nth=st.just(1)),
    st.builds(ProvisioningFault, st.just("Something that nobody knows."), times=st.integers(1, 3)),
)
disasters = st.lists(st.lists(faults, min_size=1, max_size=3), max_size=2)


class _Over(Exception):
    pass


@contextmanager
def company(settings: Settings, monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> Iterator[World]:
    """A company and a database that nobody will remember. Removals are not held, what is done by hand is put back."""
    with serve_world() as world, suppress(_Over), transaction.atomic():
        point_settings(world, settings, monkeypatch, nowhere)
        settings.DELETE_LIMIT_COUNT = settings.DELETE_LIMIT_MAX = 10**6
        settings.DRIFT = "overwrite"
        monkeypatch.setattr("syncer.following.GIVE_UP_SECONDS", 10.0)  # 20 questions about each operation
        yield world
        raise _Over


def build(world: World, there: frozenset[Granted], wished: list[Wished]) -> None:
    for name in OURS:
        world.add_set(name, session_duration="PT2H")
        world.register_set(name, session_duration="PT4H")
    for account, permission_set, name in there - FOREIGN:
        world.assign(account, permission_set, name)
    for record in wished:
        register(world, record)


def register(world: World, record: Wished) -> None:
    groups = "developers" if "developers" in record.names else ""
    users = sorted(record.names - {"developers"})
    world.register(record.account, record.permission_set, *users, groups=groups)


def is_foreign(row: Granted) -> bool:
    """Not Genkan's to change: another's set, or an account that is not active."""
    return row in FOREIGN or row[1] == "Legacy" or row[0] == "closed"


# AWS never says what became of anything: a run gives up, and the next one comes right.
@example(
    there=frozenset(),
    wished=[Wished("shop", OURS[0], frozenset({"hana"}))],
    later=[],
    disaster=[[Fault(operation="sso-admin:List*Status", code="ThrottlingException")]],
)
@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    there=rows,
    wished=st.lists(records, min_size=1, max_size=4),
    later=st.lists(records, max_size=2),
    disaster=disasters,
)
def test_nothing_foreign_is_touched_and_all_comes_right(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: frozenset[Granted],
    wished: list[Wished],
    later: list[Wished],
    disaster: list[list[Fault | ProvisioningFault]],
) -> None:
    with company(settings, monkeypatch, tmp_path) as world:
        build(world, there, wished)
        foreign = {row for row in world.granted() if is_foreign(row)}
        definition = world.aws.center.sets[world.aws.permission_set_arn("Legacy")]
        for ordered in disaster:
            for fault in ordered:
                world.aws.faults.add(fault)
            sync()
            world.aws.faults.clear()
            assert {row for row in world.granted() if is_foreign(row)} == foreign
        for record in later:
            register(world, record)

        outcome = sync("--full")
        assert (outcome.code, outcome.report["unresolved"]) == (0, [])
        due = {row for record in (*wished, *later) for row in record.rows if not is_foreign(row)}
        assert world.granted() == foreign | due
        assert world.aws.center.sets[world.aws.permission_set_arn("Legacy")] == definition

        writes = world.count_writes()
        assert plan().counts["create"] == 0
        again = sync("--full")
        assert {kind: again.counts[kind] for kind in NOTHING} == NOTHING
        assert world.count_writes() == writes
