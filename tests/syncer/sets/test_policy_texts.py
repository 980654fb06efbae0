"""Which texts of AWS managed policies are read, when, and what becomes of a text that does not come."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, AwsPolicy, Draft, PermissionSet, PolicyText
from simulators.aws import AwsWorld
from simulators.aws.faults import Fault
from syncer.gateways.identity_center import connect
from syncer.mirror.policy_texts import ask_for_texts, load_texts
from syncer.sets.policy_texts import read_texts
from tests import factories

pytestmark = pytest.mark.django_db
READ = "iam:GetPolicyVersion"
NOW = timezone.now()
DAY = timedelta(days=1)
DENIED = Fault(READ, code="AccessDenied", message="no", status=403)


@pytest.fixture(autouse=True)
def reachable(aws_url: str, aws_world: AwsWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IDENTITY_CENTER_REGION, settings.IDENTITY_CENTER_ROLE_ARN = aws_world.region, ""
    monkeypatch.setattr("syncer.connections.connect", partial(connect, sleep=lambda seconds: None))
    for name, version in (("PowerUserAccess", "v12"), ("ReadOnlyAccess", "v190"), ("AdministratorAccess", "v1")):
        list_policy(name, version)


def list_policy(name: str, version: str) -> None:
    AwsPolicy.objects.create(arn=f"arn:aws:iam::aws:policy/{name}", name=name, version=version, read_at=NOW)


def add_set(*policies: str, **values: Any) -> PermissionSet:
    record = factories.make_record(AppKind.PERMISSION_SET, in_force={"managed_policies": list(policies)})
    return factories.make_permission_set(record=record, **values)


def test_text_is_read_once_and_kept(aws_world: AwsWorld) -> None:
    add_set("PowerUserAccess")
    add_set("arn:aws:iam::aws:policy/PowerUserAccess")
    assert (read_texts(NOW), read_texts(NOW + 40 * DAY)) == (1, 0)
    assert aws_world.calls[READ] == 1
    assert "organizations:*" in load_texts(["PowerUserAccess"])["PowerUserAccess"]


def test_only_what_is_needed_is_read(aws_world: AwsWorld) -> None:
    factories.make_permission_set(actual={"managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]})
    add_set("PowerUserAccess", state=PermissionSet.State.REMOVED)
    values = {"managed_policies": ["AdministratorAccess"]}
    Draft.objects.create(
        kind=AppKind.PERMISSION_SET, author=factories.make_user(), request_key="1", values=values
    )  # fmt: skip
    assert read_texts(NOW) == 2
    assert set(load_texts(["PowerUserAccess", "ReadOnlyAccess", "AdministratorAccess"])) == {
        "ReadOnlyAccess", "AdministratorAccess",
    }  # fmt: skip


def test_whoever_asks_gets_a_text() -> None:
    assert ask_for_texts(["PowerUserAccess", "NobodyKnowsThis"], NOW)
    assert read_texts(NOW) == 1
    assert not ask_for_texts(["PowerUserAccess"], NOW)


def test_newer_version_is_another_text() -> None:
    add_set("PowerUserAccess")
    read_texts(NOW)
    AwsPolicy.objects.filter(name="PowerUserAccess").update(version="v13")
    assert load_texts(["PowerUserAccess"]) == {}


def test_denied_right_is_tried_again_once_a_day(aws_world: AwsWorld) -> None:
    add_set("PowerUserAccess", "ReadOnlyAccess")
    aws_world.faults.add(DENIED)
    for minutes in (0, 5, 10):
        assert read_texts(NOW + timedelta(minutes=minutes)) == 0
    assert (aws_world.calls[READ], PolicyText.objects.get().outcome) == (1, "denied")
    assert not ask_for_texts(["PowerUserAccess"], NOW)
    aws_world.faults.clear()
    assert read_texts(NOW + DAY + timedelta(minutes=1)) == 2


def test_text_that_aws_does_not_have_is_tried_again_once_a_day(aws_world: AwsWorld) -> None:
    AwsPolicy.objects.filter(name="PowerUserAccess").update(version="v11")
    add_set("PowerUserAccess")
    for days in (0, 0.5, 1.1):
        assert read_texts(NOW + days * DAY) == 0
    assert (aws_world.calls[READ], PolicyText.objects.get().outcome) == (2, "failed")


def test_throttling_waits_for_the_next_turn(aws_world: AwsWorld) -> None:
    add_set("PowerUserAccess")
    aws_world.faults.add(Fault(READ, code="Throttling", message="Rate exceeded"))
    assert read_texts(NOW) == 0
    aws_world.faults.clear()
    assert read_texts(NOW) == 1


def test_what_nobody_needs_is_forgotten() -> None:
    ask_for_texts(["PowerUserAccess"], NOW)
    add_set("ReadOnlyAccess")
    read_texts(NOW)
    read_texts(NOW + 31 * DAY)
    assert [row.arn.rpartition("/")[2] for row in PolicyText.objects.all()] == ["ReadOnlyAccess"]
