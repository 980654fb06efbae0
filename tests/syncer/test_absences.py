"""Provisioning that looks stopped: several who sign in and stay absent from Identity Center."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Principal, Problem, User
from syncer.absences import SEVERAL, find_stopped
from tests.factories import make_user
from tests.syncer.running import plan, sync
from tests.syncer.worlds import World

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "is_stopped"),
    [([], False), ([2] * (SEVERAL - 1), False), ([1.9] * SEVERAL, False), ([2] * SEVERAL, True), ([9, 2, 2, 0], True)],
)
def test_several_who_are_absent_for_two_hours_are_a_problem(hours: list[float], is_stopped: bool) -> None:
    found = find_stopped([NOW - number * HOUR for number in hours], NOW)
    assert [problem.code for problem in found] == ["provisioning_stopped"] * is_stopped


def sign_in(name: str, hours_ago: float = 3, **values: Any) -> User:
    """Somebody whom Identity Center does not know."""
    user = make_user(name, upn=f"{name}@example.com", date_joined=timezone.now() - hours_ago * HOUR, **values)
    assert user.person
    Principal.objects.filter(person=user.person).delete()
    return User.objects.get(pk=user.pk)


def sign_in_several(**values: Any) -> list[User]:
    return [sign_in(name, **values) for name in ("sora", "umi", "riku")]


@pytest.mark.django_db
def test_problem_is_there_once_and_belongs_to_no_record(world: World) -> None:
    sign_in_several()
    assert "provisioning_stopped" in sync().codes
    first = Problem.objects.get(code="provisioning_stopped")
    sign_in("kaze")
    sync()
    assert Problem.objects.get(code="provisioning_stopped") == first
    assert first.record is None


@pytest.mark.django_db
def test_who_has_arrived_since_is_linked_and_not_absent(world: World) -> None:
    users = sign_in_several()
    world.provision("sora", external_id=users[0].entra_oid)
    assert "provisioning_stopped" not in sync().codes
    users[0].refresh_from_db()
    assert users[0].person
    assert users[0].person.principal == Principal.objects.get(principal_id=world.principal_ids["sora"])


@pytest.mark.django_db
def test_who_has_arrived_under_his_address_is_not_absent_and_not_linked(world: World) -> None:
    """Whether it is he will show when he signs in."""
    users = sign_in_several()
    world.provision("sora")
    assert "provisioning_stopped" not in sync().codes
    users[0].refresh_from_db()
    assert users[0].person
    assert users[0].person.principal is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values", [{"is_guest": True}, {"is_active": False}, {"last_login": NOW - timedelta(days=60)}, {"hours_ago": 1}]
)
def test_who_need_not_be_there_is_not_missed(world: World, values: dict[str, Any]) -> None:
    sign_in_several(**values)
    assert "provisioning_stopped" not in plan().codes
