"""A full run's thinking: 20,000 people, 1,000 accounts, 1,000 permission sets, 200,000 assignments."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from syncer.changes import Kind, Limits
from syncer.desired import Desired
from syncer.directory import Directory
from syncer.planning import plan_run
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualSet,
    AssignmentKey,
    AssignmentWish,
    Definition,
    Ownership,
    PrincipalType,
    ReadRecord,
    RecordReference,
    SetWish,
)
from syncer.wishes import build_desired
from tests.bench.figures import YARDSTICK, Figures, Stopwatch
from tests.integration.processes import PROJECT

PEOPLE, ACCOUNTS, SETS = 20_000, 1_000, 1_000
RECORDS, USERS_A_RECORD = 40_000, 5  # 200,000 assignments, each wanted once
MANAGEMENT = "999999999999"
LIMITS = Limits(count=10, share=0.3, maximum=50)


def account_id(number: int) -> str:
    return f"{100_000_000_000 + number}"


def users_of(record: int) -> list[int]:
    return [(record * USERS_A_RECORD + offset) % PEOPLE for offset in range(USERS_A_RECORD)]


def place_of(record: int) -> tuple[str, str]:
    """Every record has an account × permission set of its own."""
    return account_id(record % ACCOUNTS), f"Set{(record // ACCOUNTS + record) % SETS:04}"


@pytest.fixture(scope="module")
def actual() -> Actual:
    keys = frozenset(
        AssignmentKey(*place_of(record), PrincipalType.USER, f"user-{user}")
        for record in range(RECORDS)
        for user in users_of(record)
    )
    names = [f"Set{number:04}" for number in range(SETS)]
    accounts = [account_id(number) for number in range(ACCOUNTS)]
    people = [
        ActualPrincipal(PrincipalType.USER, f"user-{number}", f"person{number}@example.com") for number in range(PEOPLE)
    ]
    return Actual(
        ActualInstance("arn:aws:sso:::instance/ssoins-1", "d-1", "ap-northeast-1", MANAGEMENT),
        accounts={number: ActualAccount(number, number, f"{number}@example.com", "ACTIVE") for number in accounts},
        sets={name: ActualSet(name, f"arn:{name}", Ownership.OURS, Definition()) for name in names},
        principals={person.principal_id: person for person in people},
        assignments=keys,
    )


@pytest.fixture(scope="module")
def records() -> list[ReadRecord]:
    return [
        ReadRecord(
            RecordReference("24", str(number + 1), 1),
            AssignmentWish(*place_of(number), users=tuple(f"person{user}" for user in users_of(number))),
        )
        for number in range(RECORDS)
    ]


@pytest.fixture(scope="module")
def set_records() -> list[ReadRecord]:
    names = [f"Set{number:04}" for number in range(SETS)]
    return [
        ReadRecord(RecordReference("23", str(number + 1), 1), SetWish(name), permission_set=name)
        for number, name in enumerate(names)
    ]


def desire(actual: Actual, set_records: list[ReadRecord], records: list[ReadRecord]) -> Desired:
    directory = Directory(
        MANAGEMENT, actual.accounts, actual.sets, actual.principals, user_suffix="@example.com", policies=()
    )
    return build_desired(
        set_records,
        records,
        directory,
        before={},
        today=date(2026, 11, 23),
        zone=ZoneInfo("Asia/Tokyo"),
        public_url="https://genkan.example.com",
    )


def test_yardstick(stopwatch: Stopwatch, actual: Actual) -> None:
    """The least that any planner must do with these tuples."""
    desired = frozenset(key._replace(principal_id=key.principal_id) for key in actual.assignments)
    with stopwatch(YARDSTICK):
        left = (desired - actual.assignments, actual.assignments - desired)
    assert left == (frozenset(), frozenset())


def test_nothing_to_do(
    stopwatch: Stopwatch, actual: Actual, set_records: list[ReadRecord], records: list[ReadRecord]
) -> None:
    with stopwatch("desired state of 40,000 records"):
        desired = desire(actual, set_records, records)
    with stopwatch("plan of 200,000 assignments, nothing to do"):
        plan = plan_run(desired, actual, LIMITS)
    assert (plan.changes, plan.held) == ((), ())
    assert plan.unchanged == SETS + RECORDS * USERS_A_RECORD


def test_everything_to_do(
    stopwatch: Stopwatch, actual: Actual, set_records: list[ReadRecord], records: list[ReadRecord]
) -> None:
    desired = desire(actual, set_records, records)
    with stopwatch("plan of 200,000 creates"):
        plan = plan_run(desired, replace(actual, assignments=frozenset()), LIMITS)
    assert plan.count(Kind.CREATE) == RECORDS * USERS_A_RECORD


def test_everything_withdrawn(stopwatch: Stopwatch, actual: Actual, set_records: list[ReadRecord]) -> None:
    desired = desire(actual, set_records, [])
    with stopwatch("plan of 200,000 removals, all held"):
        plan = plan_run(desired, actual, LIMITS)
    assert plan.changes == ()
    assert len(plan.held) == RECORDS * USERS_A_RECORD


@pytest.mark.timeout(600)
def test_a_million_against_a_million(figures: Figures) -> None:
    """In a process of its own, whose memory is the planner's and its tuples' alone."""
    command = [sys.executable, "-m", "tests.bench.planning"]
    found = json.loads(subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout)
    beside = f"{found['seconds']:.2f} s to {found['least']:.2f} s; {found['keyed']:.2f} s before it for the tuples"
    what = "planning 1,000,000 × 1,000,000, 1 % different"
    figures.add(f"{what}: ÷ bare differences", found["seconds"] / found["least"], "×", at_most=4, beside=beside)
    figures.add(f"{what}: peak memory", found["megabytes"], "MB", at_most=1500)
    assert found["is_right"]
