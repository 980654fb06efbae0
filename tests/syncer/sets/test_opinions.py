"""What IAM Access Analyzer is asked, when, and what becomes of an answer that does not come."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, Draft, PermissionSet, PolicyOpinion
from accounts.policy.layout import digest_policy
from simulators.aws import AwsWorld
from simulators.aws.faults import Fault
from syncer.gateways.access_analyzer import PAGE, connect_analyzer
from syncer.sets.opinions import ask_for_opinions
from tests import factories

pytestmark = pytest.mark.django_db
VALIDATE = "accessanalyzer:ValidatePolicy"
LANGUAGES = 2
SLIP = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObjct", "Resource": "*"}}'
GOOD = SLIP.replace("GetObjct", "GetObject")
NOW = timezone.now()


@pytest.fixture(autouse=True)
def reachable(aws_url: str, aws_world: AwsWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IDENTITY_CENTER_REGION, settings.IDENTITY_CENTER_ROLE_ARN = aws_world.region, ""
    connect = partial(connect_analyzer, sleep=lambda seconds: None)
    monkeypatch.setattr("syncer.connections.connect_analyzer", connect)


def add_set(text: str, **values: Any) -> PermissionSet:
    record = factories.make_record(AppKind.PERMISSION_SET, in_force={"inline_policy": text})
    return factories.make_permission_set(record=record, **values)


def outcome_of(text: str) -> str:
    return PolicyOpinion.objects.get(digest=digest_policy(text)).outcome


def test_answer_is_kept_in_both_languages() -> None:
    add_set(SLIP)
    assert ask_for_opinions(NOW) == 1
    row = PolicyOpinion.objects.get()
    assert (row.digest, row.outcome, row.checked_at) == (digest_policy(SLIP), "checked", NOW)
    (english,), (japanese,) = row.findings["en"], row.findings["ja"]
    assert (english["code"], english["kind"], english["line"], english["column"]) == ("INVALID_ACTION", "ERROR", 5, 15)
    assert "存在しません" in japanese["details"]


def test_equal_texts_are_asked_about_once(aws_world: AwsWorld) -> None:
    for _number in range(3):
        add_set(GOOD)
    ask_for_opinions(NOW)
    ask_for_opinions(NOW + timedelta(days=13))
    assert aws_world.calls[VALIDATE] == LANGUAGES


def test_everything_is_asked_about_that_somebody_may_see() -> None:
    names = ("PutObject", "DeleteObject", "ListBucket", "ListAllMyBuckets")
    texts = [GOOD.replace("GetObject", name) for name in names]
    add_set(texts[0])
    factories.make_permission_set(actual={"inline_policy": texts[1]})
    factories.make_record(AppKind.PERMISSION_SET, in_force_revision=None, body={"inline_policy": {"value": texts[2]}})
    Draft.objects.create(
        kind=AppKind.PERMISSION_SET, author=factories.make_user(), request_key="1", values={"inline_policy": texts[3]}
    )
    add_set(SLIP, state=PermissionSet.State.REMOVED)
    ask_for_opinions(NOW)
    assert set(PolicyOpinion.objects.values_list("digest", flat=True)) == set(map(digest_policy, texts))


def test_answer_is_asked_for_anew_after_two_weeks(aws_world: AwsWorld) -> None:
    add_set(GOOD)
    ask_for_opinions(NOW)
    ask_for_opinions(NOW + timedelta(days=15))
    assert aws_world.calls[VALIDATE] == 2 * LANGUAGES


def test_denial_is_noted_and_tried_again_a_day_later(aws_world: AwsWorld) -> None:
    for name in ("GetObject", "PutObject"):
        add_set(GOOD.replace("GetObject", name))
    aws_world.faults.add(Fault(VALIDATE, code="AccessDeniedException"))
    for minutes in (0, 5, 10):
        ask_for_opinions(NOW + timedelta(minutes=minutes))
    assert aws_world.calls[VALIDATE] == 1
    assert list(PolicyOpinion.objects.values_list("outcome", flat=True)) == ["denied"]
    aws_world.faults.clear()
    assert ask_for_opinions(NOW + timedelta(days=1, minutes=1)) == 2
    assert set(PolicyOpinion.objects.values_list("outcome", flat=True)) == {"checked"}


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerException"])
def test_what_passes_leaves_the_text_for_the_next_turn(aws_world: AwsWorld, code: str) -> None:
    add_set(GOOD)
    aws_world.faults.add(Fault(VALIDATE, code=code, status=500))
    assert ask_for_opinions(NOW) == 0
    assert not PolicyOpinion.objects.exists()
    aws_world.faults.clear()
    assert ask_for_opinions(NOW) == 1


def test_text_that_is_not_taken_stops_no_other(aws_world: AwsWorld) -> None:
    add_set(GOOD)
    add_set(SLIP)
    aws_world.faults.add(Fault(VALIDATE, code="ValidationException", times=1))
    assert ask_for_opinions(NOW) == 1
    assert sorted((outcome_of(GOOD), outcome_of(SLIP))) == ["checked", "failed"]


def test_long_and_empty_texts_are_not_asked_about(aws_world: AwsWorld) -> None:
    for text in ("", " \n", "x" * 40_001):
        add_set(text)
    assert (ask_for_opinions(NOW), aws_world.calls[VALIDATE]) == (0, 0)


def test_all_pages_of_an_answer_are_read(aws_world: AwsWorld) -> None:
    twice = ["s3:GetObject"] * (PAGE + 11)
    statement = {"Effect": "Allow", "Action": twice, "Resource": "*"}
    add_set(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    ask_for_opinions(NOW)
    assert len(PolicyOpinion.objects.get().findings["en"]) == PAGE + 10


def test_answer_about_a_text_that_nobody_has_is_forgotten() -> None:
    permission_set = add_set(GOOD)
    ask_for_opinions(NOW)
    PermissionSet.objects.filter(pk=permission_set.pk).update(record=None)
    ask_for_opinions(NOW + timedelta(days=29))
    assert PolicyOpinion.objects.exists()
    ask_for_opinions(NOW + timedelta(days=31))
    assert not PolicyOpinion.objects.exists()


def test_unreachable_analyzer_is_no_failure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    add_set(GOOD)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert ask_for_opinions(NOW) == 0
    assert not PolicyOpinion.objects.exists()
