"""`manage.py plan` and `manage.py sync`: what they carry over, what they print, how they end."""

import json
import signal
from collections.abc import Callable
from datetime import datetime, time, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, Assignment, PermissionSet, Record
from simulators.aws import Fault, ProvisioningFault
from syncer.applying import apply_plan
from syncer.models import Baseline, Change, Run
from syncer.reports import report_of
from tests.syncer.running import NOTHING, counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, NEWCOMER, OURS, READ_ONLY, VIEW_ONLY, World

TOKYO = ZoneInfo("Asia/Tokyo")

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled(world: World) -> World:
    """Hana and the developers have Reader in shop, and Genkan has carried it over."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", groups="developers")
    assert sync().code == 0
    return world


SETTLED = FOREIGN | {("shop", "Reader", "hana"), ("shop", "Reader", "developers")}


# --- Doing and doing nothing ------------------------------------------------------------------------------------------


def test_first_sync_carries_everything_over(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", groups="developers")
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(create=3))
    assert world.granted() == SETTLED
    assert state_of("shop", "Reader", "hana") == Assignment.State.GRANTED


def test_second_sync_changes_nothing(settled: World) -> None:
    writes = settled.count_writes()
    outcome = sync()
    assert (outcome.code, outcome.counts, outcome.changes) == (0, NOTHING, [])
    assert settled.count_writes() == writes


def test_plan_after_sync_has_nothing_to_do(settled: World) -> None:
    outcome = plan()
    assert (outcome.code, outcome.counts, outcome.changes) == (0, NOTHING, [])
    assert outcome.report["counts"]["unchanged"] == 3


def test_plan_writes_nothing_to_aws(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    outcome = plan()
    assert (outcome.code, outcome.counts) == (0, counts_of(create=2))
    assert (world.count_writes(), world.granted()) == (0, FOREIGN)
    assert not Run.objects.exists()


def test_plan_is_what_sync_does(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    planned, done = plan(), sync()
    assert [change[:2] for change in planned.changes] == [change[:2] for change in done.changes]
    assert {outcome for *_what, outcome in planned.changes} == {"planned"}
    assert {outcome for *_what, outcome in done.changes} == {"succeeded"}


def test_sync_after_plan_creates_what_was_planned(world: World) -> None:
    """Planning first brings the mirror up to date, which must hide nothing from the run that follows."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    plan()
    assert sync().counts == counts_of(create=2)


def test_full_sync_changes_nothing_the_second_time(settled: World) -> None:
    assert sync("--full").counts == NOTHING


# --- The report -------------------------------------------------------------------------------------------------------


def test_report_has_exactly_the_promised_members(world: World) -> None:
    reader = world.register_set("Reader")
    record = world.register("shop", "Reader", "hana")
    report = sync().report
    assert report | {"api_calls": {}, "seconds": 0} == {
        "status": "done",
        "error": None,
        "counts": {
            "create": 2, "update": 0, "delete": 0, "unchanged": 0, "waiting": 0, "blocked": 0, "failed": 0,
        },
        "changes": [
            {
                "kind": "create", "object": "permission_set", "account_id": None, "permission_set": "Reader",
                "principal_type": None, "principal": None, "record": reader, "outcome": "succeeded", "reason": None,
            },
            {
                "kind": "create", "object": "assignment", "account_id": world.account_ids["shop"],
                "permission_set": "Reader", "principal_type": "USER", "principal": f"hana@{DOMAIN}",
                "record": record, "outcome": "succeeded", "reason": None,
            },
        ],
        "problems": [],
        "unresolved": [],
        "api_calls": {},
        "seconds": 0,
        "checksum": None,
    }  # fmt: skip
    assert report["seconds"] > 0


def test_report_counts_every_request_to_aws(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    world.aws.faults.add(Fault("sso-admin:ListPermissionSets", code="ThrottlingException", times=2))
    report = sync().report
    assert report["api_calls"] == dict(world.aws.calls)
    assert report["api_calls"]["sso-admin:ListPermissionSets"] == 3


def test_problem_names_record_field_line_and_remedy(world: World) -> None:
    record = world.register_set("Broken", inline_policy='{\n  "Version": "2012-10-17",\n  "Statement": [],\n}')
    [problem] = sync().report["problems"]
    assert problem == {
        "record": record,
        "field": "inline_policy",
        "line": 3,
        "code": "json_trailing_comma",
        "severity": "error",
        "message": problem["message"],
        "remedy": problem["remedy"],
    }
    assert problem["message"]
    assert problem["remedy"]


def test_report_speaks_the_language_of_the_company(world: World, settings: Settings) -> None:
    world.register("shop", "Nowhere", "hana")
    settings.LANGUAGE_CODE = "ja"
    japanese = sync().report["problems"][0]["message"]
    settings.LANGUAGE_CODE = "en"
    assert sync().report["problems"][0]["message"] == "There is no permission set “Nowhere”."
    assert japanese != "There is no permission set “Nowhere”."


def test_text_names_changes_and_counts(world: World, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    world.register("shop", "Nowhere", "hana")
    out = StringIO()
    call_command("sync", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["+ Reader [done]", f"+ {world.account_ids['shop']} Reader hana@{DOMAIN} [done]"]
    assert "“Nowhere”" in lines[2]
    assert lines[-1] == "create 2, update 0, delete 0, unchanged 0, waiting 0, blocked 0, failed 0"


def test_missing_settings_are_one_sentence(settings: Settings) -> None:
    settings.KINTONE_BASE_URL = ""
    outcome = plan()
    assert (outcome.code, outcome.report["status"]) == (1, "failed")
    assert "KINTONE_BASE_URL" in outcome.report["error"]


def test_plan_prints_json_whatever_happens(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncer.preparing.plan_run", lambda *_arguments: 1 / 0)
    outcome = plan()
    assert (outcome.code, outcome.report["status"]) == (1, "failed")
    assert "ZeroDivisionError" in outcome.report["error"]


@pytest.mark.parametrize("reference", ["24", "24:", ":17", "app:17", "24:17:3", "24:-1"])
def test_strange_record_is_a_usage_error(reference: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("sync", "--record", reference)
    assert refused.value.returncode == 2


def test_signals_are_given_back(world: World) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    sync()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


# --- What is nobody's here --------------------------------------------------------------------------------------------


def test_unmanaged_set_is_left_alone(world: World) -> None:
    world.register_set("Legacy")
    world.register("shop", "Legacy", "hana")
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(blocked=2))
    assert outcome.codes == {"set_not_adopted"}
    assert (world.count_writes(), world.granted()) == (0, FOREIGN)
    assert state_of("shop", "Legacy", "taro") == Assignment.State.UNMANAGED


def test_set_of_the_management_account_is_untouched(world: World) -> None:
    world.register_set("Root", managed_policies="AdministratorAccess")
    world.register("shop", "Root", "taro")
    outcome = sync()
    assert (outcome.counts, outcome.codes) == (counts_of(blocked=2), {"managed_in_terraform"})
    assert (world.count_writes(), world.granted()) == (0, FOREIGN)


def test_nothing_is_written_to_the_management_account(world: World) -> None:
    world.register_set("Reader")
    world.register("management", "Reader", "hana")
    outcome = sync()
    assert outcome.counts == counts_of(create=1, blocked=1)
    assert world.granted() == FOREIGN


def test_suspended_account_is_neither_given_nor_taken(settled: World) -> None:
    settled.assign("closed", "Reader", "taro")
    settled.register("closed", "Reader", "hana")
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(blocked=1))
    assert ("closed", "Reader", "taro") in settled.granted()


# --- Who is wanted ----------------------------------------------------------------------------------------------------


def test_waiting_person_is_granted_when_provisioned(settled: World) -> None:
    settled.register("shop", "Reader", NEWCOMER)
    waiting = sync()
    assert (waiting.code, waiting.counts) == (0, counts_of(waiting=1))
    settled.provision(NEWCOMER)
    assert sync().counts == counts_of(create=1)
    assert state_of("shop", "Reader", NEWCOMER) == Assignment.State.GRANTED
    assert not Assignment.objects.filter(state=Assignment.State.WAITING).exists()


def test_disabled_person_is_not_given_access(settled: World) -> None:
    settled.aws.set_user_status(settled.principal_ids["taro"], "DISABLED")
    settled.register("shop", "Reader", "taro")
    assert sync().counts == counts_of(waiting=1)


def test_two_records_want_the_same_once(settled: World) -> None:
    settled.register("shop", "Reader", "hana")
    outcome = sync()
    assert outcome.counts == NOTHING
    assert Assignment.objects.get(principal__name=f"hana@{DOMAIN}", account__name="shop").records.count() == 2


def test_access_lives_as_long_as_one_record_wants_it(settled: World) -> None:
    second = settled.register("shop", "Reader", "hana")
    sync()
    settled.delete(second)
    assert sync().counts == NOTHING
    assert ("shop", "Reader", "hana") in settled.granted()


def test_person_taken_out_loses_access(settled: World) -> None:
    record = settled.register("blog", "Reader", "hana", "taro")
    sync()
    settled.edit(record, users=["taro"])
    outcome = sync()
    assert outcome.changes == [("delete", f"Reader hana@{DOMAIN}", "succeeded")]
    assert outcome.report["changes"][0]["record"] == record
    assert settled.granted() == SETTLED | {("blog", "Reader", "taro")}


def test_moving_between_sets_gives_before_it_takes(settled: World) -> None:
    settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.edit(record, permission_set="Viewer")
    outcome = sync()
    assert [change[:2] for change in outcome.changes] == [
        ("create", f"Viewer taro@{DOMAIN}"),
        ("delete", f"Reader taro@{DOMAIN}"),
    ]
    assert settled.granted() == SETTLED | {("blog", "Viewer", "taro")}


def test_deleted_record_takes_its_access_along(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.delete(record)
    assert sync().counts == counts_of(delete=1)
    assert settled.granted() == SETTLED
    removed = Assignment.objects.get(account__name="blog")
    assert (removed.state, removed.in_aws) == (Assignment.State.REMOVED, False)


def test_last_day_still_counts_and_the_next_does_not(settled: World) -> None:
    """The company's days are those of its own time zone."""
    settled.clock.freeze()
    today = settled.clock.now().astimezone(TOKYO).date()
    settled.register("blog", "Reader", "taro", expires_on=today.isoformat())
    assert sync().counts == counts_of(create=1)
    with time_machine.travel(datetime.combine(today + timedelta(days=1), time(0, 1), TOKYO)):
        outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(delete=1))
    assert settled.granted() == SETTLED


# --- Permission sets --------------------------------------------------------------------------------------------------


def test_created_set_bears_the_tag_and_all_it_consists_of(world: World) -> None:
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    world.register_set("Reader", session_duration="8時間", inline_policy=policy, description="read only")
    sync()
    arn = world.aws.permission_set_arn("Reader")
    there = world.aws.center.sets[arn]
    assert (there.description, there.session_duration, there.managed) == ("read only", "PT8H", [READ_ONLY])
    assert json.loads(there.inline or "") == json.loads(policy)
    assert world.aws.tags_of(arn) == OURS


def test_updated_set_reaches_its_accounts(settled: World) -> None:
    record = f"{settled.sets.id}:{settled.sets.record_ids()[0]}"
    settled.edit(record, managed_policies="ViewOnlyAccess")
    outcome = sync()
    assert outcome.changes == [("update", "Reader", "succeeded")]
    arn = settled.aws.permission_set_arn("Reader")
    assert settled.aws.center.sets[arn].managed == [VIEW_ONLY]
    assert all(
        settled.aws.center.is_latest(role) for _number, role in settled.aws.center.provisions_of(arn).after(None)
    )
    assert plan().counts == NOTHING


def test_stale_account_is_provisioned_although_the_set_agrees(settled: World) -> None:
    arn = settled.aws.permission_set_arn("Reader")
    settled.aws.change_permission_set(arn, session_duration="PT1H")  # a new version with the old contents
    assert sync().counts == counts_of(update=1)
    assert settled.aws.calls["sso-admin:ProvisionPermissionSet"] == 1
    assert sync().counts == NOTHING


def test_suspended_account_does_not_fail_the_sets_it_holds(settled: World) -> None:
    settled.assign("closed", "Reader", "taro")
    settled.aws.change_permission_set(settled.aws.permission_set_arn("Reader"), session_duration="PT2H")
    assert (sync().code, sync().counts) == (0, NOTHING)


def test_set_changed_by_hand_is_brought_back(settled: World, settings: Settings) -> None:
    settings.DRIFT = "overwrite"
    arn = settled.aws.permission_set_arn("Reader")
    settled.aws.change_permission_set(arn, managed=[VIEW_ONLY])
    assert sync().counts == counts_of(update=1)
    assert settled.aws.center.sets[arn].managed == [READ_ONLY]


def test_set_without_record_or_assignment_is_deleted(settled: World) -> None:
    extra = settled.register_set("Extra")
    sync()
    settled.delete(extra)
    assert sync().changes == [("delete", "Extra", "succeeded")]
    assert "Extra" not in {there.name for there in settled.aws.center.sets.values()}
    assert PermissionSet.objects.get(name="Extra").state == PermissionSet.State.REMOVED


def test_set_that_a_record_still_names_stays(settled: World) -> None:
    settled.delete(f"{settled.sets.id}:{settled.sets.record_ids()[0]}")
    outcome = sync()
    assert (outcome.counts["delete"], outcome.codes) == (0, {"set_record_gone"})
    assert settled.granted() == SETTLED


def test_set_and_its_assignments_go_in_one_run(settled: World) -> None:
    extra = settled.register_set("Extra")
    record = settled.register("blog", "Extra", "taro")
    sync()
    settled.delete(record, extra)
    assert sync().changes == [("delete", f"Extra taro@{DOMAIN}", "succeeded"), ("delete", "Extra", "succeeded")]


def test_renamed_set_is_neither_deleted_nor_created(settled: World) -> None:
    settled.edit(f"{settled.sets.id}:{settled.sets.record_ids()[0]}", name="Renamed")
    outcome = sync()
    assert (outcome.counts["create"], outcome.counts["delete"]) == (0, 0)
    assert "set_renamed" in outcome.codes
    assert settled.granted() == SETTLED


def test_ownership_taken_away_between_plan_and_apply_stops_the_write(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled.register("blog", "Reader", "taro")
    arn = settled.aws.permission_set_arn("Reader")
    monkeypatch.setattr("syncer.runs.apply_plan", _after(lambda: settled.aws.set_tags(arn, {}), apply_plan))
    outcome = sync()
    assert outcome.code == 1
    assert outcome.changes == [("create", f"Reader taro@{DOMAIN}", "failed")]
    assert settled.granted() == SETTLED


def test_record_changed_between_plan_and_apply_is_superseded(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled.register("blog", "Reader", "taro")
    grow = Record.objects.filter(kind=AppKind.ASSIGNMENT).update
    monkeypatch.setattr("syncer.runs.apply_plan", _after(lambda: grow(revision=F("revision") + 1), apply_plan))
    outcome = sync()
    assert (outcome.code, outcome.changes) == (0, [("create", f"Reader taro@{DOMAIN}", "superseded")])
    assert settled.granted() == SETTLED


def test_removal_is_superseded_as_well(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have put the person in again since the plan."""
    settled.edit(f"{settled.assignments.id}:1", users=[])
    grow = Record.objects.filter(kind=AppKind.ASSIGNMENT).update
    monkeypatch.setattr("syncer.runs.apply_plan", _after(lambda: grow(revision=F("revision") + 1), apply_plan))
    assert sync().changes == [("delete", f"Reader hana@{DOMAIN}", "superseded")]
    assert settled.granted() == SETTLED


def _after(first: Callable[[], object], then: Callable[..., None]) -> Callable[..., None]:
    def both(*arguments: Any) -> None:
        first()
        then(*arguments)

    return both


# --- What AWS refuses -------------------------------------------------------------------------------------------------

REFUSAL = "Received a 404 status error: Policy not found."


@pytest.fixture
def refused(settled: World) -> World:
    """AWS has refused to assign Reader to Taro in blog, as it does from now on."""
    settled.aws.faults.add(ProvisioningFault(REFUSAL, settled.account_ids["blog"]))
    settled.register("blog", "Reader", "taro")
    assert sync().code == 1
    return settled


def test_refusal_is_reported_with_its_reason(refused: World) -> None:
    outcome = report_of(Run.objects.latest("pk")).as_json()
    assert (outcome["status"], outcome["counts"]["failed"]) == ("failed", 1)
    assert outcome["changes"][-1]["outcome"] == "failed"
    assert REFUSAL in outcome["changes"][-1]["reason"]
    assert state_of("blog", "Reader", "taro") == Assignment.State.FAILED


def test_refusal_is_not_tried_again_at_once(refused: World) -> None:
    writes = refused.count_writes()
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(failed=1))
    assert refused.count_writes() == writes
    row = Assignment.objects.get(account__name="blog")
    assert (row.state, row.reason["params"]) == (Assignment.State.FAILED, {"text": REFUSAL})


def test_plan_counts_what_stands_failed(refused: World) -> None:
    assert plan().counts == counts_of(failed=1)


def test_refusal_is_tried_again_after_an_hour_then_after_two(refused: World) -> None:
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=61)):
        assert sync().code == 1
    with time_machine.travel(start + timedelta(minutes=61 + 61)):
        assert sync().code == 0
    with time_machine.travel(start + timedelta(minutes=61 + 121)):
        assert sync().code == 1


def test_changed_record_is_tried_at_once(refused: World) -> None:
    record = Assignment.objects.get(account__name="blog").records.get()
    refused.aws.faults.clear()
    refused.edit(record.reference, groups="")
    assert sync().counts == counts_of(create=1)
    row = Assignment.objects.get(account__name="blog")
    assert (row.state, row.failures, row.retry_at) == (Assignment.State.GRANTED, 0, None)


def test_full_sync_tries_everything_again(refused: World) -> None:
    refused.aws.faults.clear()
    assert sync("--full").counts == counts_of(create=1)


def test_failed_provisioning_fails_its_set(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault(REFUSAL, settled.account_ids["shop"]))
    settled.edit(f"{settled.sets.id}:{settled.sets.record_ids()[0]}", managed_policies="ViewOnlyAccess")
    outcome = sync()
    assert (outcome.code, outcome.changes) == (1, [("update", "Reader", "failed")])
    assert PermissionSet.objects.get(name="Reader").state == PermissionSet.State.FAILED
    assert sync().counts == counts_of(failed=1)


def test_denied_write_fails_alone(settled: World) -> None:
    settled.aws.faults.add(
        Fault(
            "sso-admin:CreateAccountAssignment",
            code="AccessDeniedException",
            where={"TargetId": settled.account_ids["blog"]},
        )
    )
    settled.register("blog", "Reader", "taro")
    settled.register("shop", "Reader", "ken")
    outcome = sync()
    assert (outcome.code, outcome.counts["create"], outcome.counts["failed"]) == (1, 1, 1)
    assert ("shop", "Reader", "ken") in settled.granted()


def test_throttled_write_is_no_refusal(settled: World) -> None:
    """The next run tries again by itself."""
    settled.aws.faults.add(Fault("sso-admin:CreateAccountAssignment", code="ThrottlingException"))
    settled.register("blog", "Reader", "taro")
    assert sync().code == 1
    assert state_of("blog", "Reader", "taro") == Assignment.State.REQUESTED
    settled.aws.faults.clear()
    assert sync().counts == counts_of(create=1)


def test_write_without_an_answer_is_not_doubled(settled: World) -> None:
    settled.aws.faults.add(Fault("sso-admin:CreateAccountAssignment", hang_up="after", times=1))
    settled.register("blog", "Reader", "taro")
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(create=1))
    assert settled.aws.calls["sso-admin:CreateAccountAssignment"] == 3


def test_set_that_could_not_be_made_holds_back_its_assignments(world: World) -> None:
    world.aws.faults.add(Fault("sso-admin:CreatePermissionSet", code="AccessDeniedException"))
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert sync().code == 1
    assert state_of("shop", "Reader", "hana") == Assignment.State.REQUESTED
    sync()
    assert Assignment.objects.get(account__name="shop", is_wanted=True).reason["code"] == "set_not_made"


# --- Holding ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def emptied(settled: World) -> World:
    """All assignment records are gone: kintone's list is empty."""
    settled.delete(*(f"{settled.assignments.id}:{record_id}" for record_id in settled.assignments.record_ids()))
    return settled


def test_empty_list_of_records_is_held(emptied: World) -> None:
    outcome = sync()
    assert (outcome.code, outcome.report["status"]) == (3, "held")
    assert outcome.counts == NOTHING
    assert {change[2] for change in outcome.changes} == {"held"}
    assert outcome.report["checksum"]
    assert emptied.granted() == SETTLED


def test_plan_says_what_would_be_held(emptied: World) -> None:
    planned = plan()
    assert (planned.code, planned.report["checksum"]) == (3, sync().report["checksum"])


def test_accepted_removals_are_carried_out(emptied: World) -> None:
    checksum = sync().report["checksum"]
    outcome = sync("--accept", checksum)
    assert (outcome.code, outcome.counts["delete"], outcome.report["checksum"]) == (0, 2, None)
    assert emptied.granted() == FOREIGN
    assert sync().counts == NOTHING


def test_wrong_checksum_removes_nothing(emptied: World) -> None:
    outcome = sync("--accept", "000000000000")
    assert outcome.code == 3
    assert emptied.granted() == SETTLED


def test_checksum_of_nothing_held_is_harmless(settled: World) -> None:
    assert sync("--accept", "000000000000").code == 0


def test_accepted_checksum_stays_good_while_fewer_are_held(emptied: World) -> None:
    checksum = sync().report["checksum"]
    emptied.unassign("shop", "Reader", "hana")
    outcome = sync("--accept", checksum)
    assert (outcome.code, outcome.changes) == (0, [("delete", "Reader developers", "succeeded")])


def test_accepted_checksum_is_void_when_more_is_held(emptied: World) -> None:
    checksum = sync().report["checksum"]
    PermissionSet.objects.update(proved_at=None)  # what is found of it now was there before
    emptied.assign("shop", "Reader", "ken")
    outcome = sync("--accept", checksum)
    assert (outcome.code, len(outcome.changes)) == (3, 3)
    assert emptied.granted() == SETTLED | {("shop", "Reader", "ken")}


def test_held_removals_hold_back_nothing_else(emptied: World) -> None:
    emptied.register_set("Extra")
    outcome = sync()
    assert outcome.code == 3
    assert outcome.counts == counts_of(create=1)


def test_failure_beside_something_held_wins(emptied: World) -> None:
    emptied.aws.faults.add(Fault("sso-admin:CreatePermissionSet", code="AccessDeniedException"))
    emptied.register_set("Extra")
    outcome = sync()
    assert (outcome.code, outcome.report["status"]) == (1, "failed")
    assert outcome.report["checksum"]


def test_half_of_the_records_gone_is_held(world: World) -> None:
    world.register_set("Reader")
    records = [world.register("shop", "Reader", "hana") for _ in range(24)] + [world.register("blog", "Reader", "taro")]
    sync()
    world.delete(*records[12:])
    outcome = sync()
    assert (outcome.code, outcome.changes) == (3, [("delete", f"Reader taro@{DOMAIN}", "held")])
    assert ("blog", "Reader", "taro") in world.granted()
    assert Record.objects.live().of_kind(AppKind.ASSIGNMENT).count() == 25


def test_too_large_a_share_of_one_set_is_held(world: World) -> None:
    world.register_set("Reader")
    names = [f"p{number}" for number in range(9)]
    for name in names:
        world.provision(name)
        world.kintone.add_user(name, name, email=f"{name}@{DOMAIN}")
    record = world.register("shop", "Reader", *names)
    sync()
    world.edit(record, users=names[:4])
    held = sync()
    assert (held.code, len(held.changes)) == (3, 5)
    assert sync("--accept", held.report["checksum"]).counts == counts_of(delete=5)


def test_small_steps_within_a_day_add_up(world: World) -> None:
    """What one run would hold is not let through by several runs."""
    world.register_set("Reader")
    names = [f"p{number}" for number in range(9)]
    for name in names:
        world.provision(name)
        world.kintone.add_user(name, name, email=f"{name}@{DOMAIN}")
    record = world.register("shop", "Reader", *names)
    sync()
    world.edit(record, users=names[:6])
    assert sync().counts == counts_of(delete=3)
    world.edit(record, users=names[:4])
    assert sync().code == 3
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert sync().counts == counts_of(delete=2)


# --- Modes ------------------------------------------------------------------------------------------------------------


def test_plan_mode_writes_nothing(world: World, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, counts_of(create=2))
    assert {change[2] for change in outcome.changes} == {"planned"}
    assert (world.count_writes(), world.granted()) == (0, FOREIGN)
    assert not Baseline.objects.exists()


def test_plan_mode_ends_as_plan_does(emptied: World, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    outcome = sync()
    assert (outcome.code, outcome.counts) == (3, NOTHING)


def test_sync_by_hand_confirms_the_baseline(world: World) -> None:
    world.add_set("Reader")
    world.assign("shop", "Reader", "taro")
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().counts == counts_of(create=1)
    assert Baseline.objects.get().confirmed_by == "manage.py sync"


# --- One record -------------------------------------------------------------------------------------------------------


def test_one_record_is_carried_over_with_few_reads(settled: World) -> None:
    wanted = settled.register("blog", "Reader", "taro")
    other = settled.register("blog", "Reader", "ken")
    outcome = sync("--record", wanted)
    assert (outcome.code, outcome.counts) == (0, counts_of(create=1))
    assert ("blog", "Reader", "taro") in settled.granted()
    assert not {name for name in outcome.report["api_calls"] if name.startswith(("organizations", "identitystore"))}
    assert Run.objects.latest("pk").kind == Run.Kind.RECORD
    assert other not in json.dumps(outcome.report["changes"])


def test_one_record_leaves_the_rest_of_the_mirror_alone(settled: World) -> None:
    before = set(Assignment.objects.filter(account__name="shop").values_list("pk", "state", "since", "in_aws"))
    sync("--record", settled.register("blog", "Reader", "taro"))
    assert set(Assignment.objects.filter(account__name="shop").values_list("pk", "state", "since", "in_aws")) == before


def test_deleted_record_ends_by_itself(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.delete(record)
    assert sync("--record", record).counts == counts_of(delete=1)
    assert settled.granted() == SETTLED


def test_record_of_a_set_updates_it(settled: World) -> None:
    record = f"{settled.sets.id}:{settled.sets.record_ids()[0]}"
    settled.edit(record, managed_policies="ViewOnlyAccess")
    assert sync("--record", record).changes == [("update", "Reader", "succeeded")]


def test_first_run_of_one_record_reads_everything(world: World) -> None:
    world.register_set("Reader")
    assert sync("--record", world.register("shop", "Reader", "hana")).code == 0
    assert ("shop", "Reader", "hana") in world.granted()


def test_record_without_a_field_we_know_takes_nothing_away(settled: World) -> None:
    settled.change_form(settled.assignments, lambda form: form.pop("users"))
    settled.edit(f"{settled.assignments.id}:1", groups="developers")
    outcome = sync("--record", f"{settled.assignments.id}:1")
    assert (outcome.code, settled.granted()) == (1, SETTLED)
    assert "users" in outcome.report["error"]


def test_unknown_record_fails_with_its_name(settled: World) -> None:
    outcome = sync("--record", f"{settled.assignments.id}:999")
    assert outcome.code == 1
    assert f"{settled.assignments.id}:999" in outcome.report["error"]


def test_record_of_an_unknown_app_fails(settled: World) -> None:
    assert sync("--record", "77:1").code == 1


def test_changes_of_a_run_point_to_what_they_touched(settled: World) -> None:
    assert not Change.objects.filter(assignment=None, object=Change.Object.ASSIGNMENT).exists()
    assert not Change.objects.filter(permission_set=None).exists()
