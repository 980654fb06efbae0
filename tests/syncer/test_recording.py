"""What the brake remembers of the rows of changes: all runs of the last 24 hours, and what is under way."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from syncer.changes import AssignmentChange, Cause, Group, Kind, Plan, SetChange
from syncer.models import Change, Run
from syncer.recording import build_rows, load_removed_lately
from syncer.states import AssignmentKey, Definition, PrincipalType, Reason
from tests import factories
from tests.managed_policies import load_texts

pytestmark = pytest.mark.django_db

KEY = AssignmentKey("123456789012", "ReadOnly", PrincipalType.USER, "hana")
Outcome = Change.Outcome


def remove(*, run: dict[str, Any] | None = None, cause: str = "withdrawn", hours: float = 1, **values: Any) -> Change:
    """A removal of an hour ago that succeeded, unless it is said otherwise."""
    at = timezone.now() - timedelta(hours=hours)
    defaults: dict[str, Any] = {
        "kind": Change.Kind.DELETE,
        "principal_id": "hana",
        "details": [{"field": "cause", "before": "", "after": cause}],
        "sent_at": at,
        "finished_at": at,
    }
    return factories.make_change(factories.make_run(**run or {}), **defaults | values)


def remembered(*there: AssignmentKey) -> list[tuple[AssignmentKey, Group | None]]:
    return list(load_removed_lately(there, since=timezone.now() - timedelta(hours=24)))


def test_removal_of_the_last_day_is_remembered() -> None:
    remove()
    assert remembered() == [(KEY, Group.ACCESS)]


@pytest.mark.parametrize(
    "values",
    [
        {"hours": 25},
        {"confirmed": True},
        {"kind": Change.Kind.CREATE},
        {"object": Change.Object.PERMISSION_SET},
        {"outcome": Outcome.HELD, "sent_at": None, "finished_at": None},
        {"outcome": Outcome.SUPERSEDED, "sent_at": None},
        {"outcome": Outcome.PLANNED, "sent_at": None, "finished_at": None},  # of a run that is over
        {
            "outcome": Outcome.PLANNED,
            "sent_at": None,
            "finished_at": None,
            "run": {"status": "running", "mode": "plan"},
        },
    ],
)
def test_what_was_not_removed_or_long_ago_is_not_remembered(values: dict[str, Any]) -> None:
    remove(**values)
    assert remembered() == []


@pytest.mark.parametrize("outcome", [Outcome.PLANNED, Outcome.SENT])
def test_removals_under_way_in_another_run_count(outcome: str) -> None:
    sent_at = timezone.now() if outcome == Outcome.SENT else None
    remove(outcome=outcome, sent_at=sent_at, finished_at=None, run={"status": Run.Status.RUNNING, "finished_at": None})
    assert remembered(KEY) == [(KEY, Group.ACCESS)]


def test_removal_whose_end_nobody_saw_counts_when_aws_has_lost_it() -> None:
    remove(outcome=Outcome.FAILED, reason={"code": "run_lost"})
    assert remembered(KEY) == []
    assert remembered() == [(KEY, Group.ACCESS)]


@pytest.mark.parametrize(
    ("cause", "principal_type", "group"),
    [
        ("leaver", "USER", Group.PEOPLE),
        ("gone", "USER", Group.PEOPLE),
        ("gone", "GROUP", Group.ACCESS),
        ("guardrail", "USER", Group.ACCESS),
        ("of a later version", "USER", Group.ACCESS),
    ],
)
def test_removal_is_remembered_in_its_group(cause: str, principal_type: str, group: Group) -> None:
    remove(cause=cause, principal_type=principal_type)
    assert [counted for _key, counted in remembered()] == [group]


def test_row_says_what_people_should_know() -> None:
    change = AssignmentChange(
        Kind.DELETE, KEY, counts=True, cause=Cause.LEAVER, replaces_role=True, sessions=timedelta(hours=8)
    )
    (row, of_set) = build_rows(Run(), Plan((change, SetChange(Kind.DELETE, "Old"))))
    assert {item["field"]: item["after"] for item in row.details} == {
        "cause": "leaver",
        "role_replaced": "",
        "open_sessions": "PT8H",
    }
    assert [item["field"] for item in of_set.details] == ["role_replaced"]


def test_held_rows_say_why_each_group_is_held() -> None:
    withdrawn = AssignmentChange(Kind.DELETE, KEY, counts=True, cause=Cause.WITHDRAWN)
    leaver = AssignmentChange(Kind.DELETE, KEY._replace(principal_id="taro"), counts=True, cause=Cause.LEAVER)
    because = {Group.ACCESS: Reason("app_shrunk"), Group.PEOPLE: Reason("too_many_people", {"count": 11, "of": 40})}
    rows = build_rows(Run(), Plan(held=(withdrawn, leaver), held_because=because))
    assert [row.reason["code"] for row in rows] == ["app_shrunk", "too_many_people"]


def says_more(before: str, after: str) -> bool:
    """Whether the row of a change from one AWS managed policy to another says that the set may do more."""
    there, wanted = (
        Definition(managed_policies=frozenset({f"arn:aws:iam::aws:policy/{name}"})) for name in (before, after)
    )
    (row,) = build_rows(Run(), Plan((SetChange(Kind.UPDATE, "Set", definition=wanted, actual=there),)))
    return "may_do_more" in [detail["field"] for detail in row.details]


@pytest.mark.parametrize(
    ("before", "after", "says_so"),
    [("ReadOnlyAccess", "PowerUserAccess", True), ("AdministratorAccess", "ReadOnlyAccess", False)],
)
def test_row_says_when_a_set_may_do_more(before: str, after: str, *, says_so: bool) -> None:
    assert says_more(before, after) is says_so


def test_row_knows_by_the_texts_that_a_set_does_no_more() -> None:
    assert says_more("PowerUserAccess", "ReadOnlyAccess")
    for name in ("PowerUserAccess", "ReadOnlyAccess"):
        factories.make_policy_text(name, load_texts()[name])
    assert not says_more("PowerUserAccess", "ReadOnlyAccess")
