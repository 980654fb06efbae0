"""The outbox: told once while it stands, ended by a full run that no longer meets it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Assignment, PermissionSet
from simulators.aws import Fault, ProvisioningFault
from syncer import runs
from syncer.models import Change, Drift, Notice, Run
from syncer.states import Reason
from syncer.telling import notices
from syncer.telling.matters import Kind, Matter
from syncer.telling.notices import tell_event, tell_run
from tests import factories
from tests.factories import make_change, make_run
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db

REFUSED = {"code": "aws_refused", "params": {"text": "no such policy"}}


def make_failed_run(count: int = 1, **values: Any) -> Run:
    run = make_run(status=Run.Status.FAILED, error={"code": "changes_failed", "params": {"count": count}}, **values)
    for _number in range(count):
        make_change(run, outcome=Change.Outcome.FAILED, reason=REFUSED)
    return run


def open_keys() -> list[str]:
    return list(Notice.objects.filter(ended_at=None).order_by("pk").values_list("key", flat=True))


def note_all_sent() -> None:
    Notice.objects.update(sent_at=timezone.now())


def resolved() -> list[str]:
    return [notice.key for notice in Notice.objects.filter(kind=Notice.Kind.DONE)]


def test_calm_run_writes_nothing() -> None:
    tell_run(make_run())
    assert not Notice.objects.exists()


def test_matter_that_stands_is_written_once() -> None:
    for _number in range(3):
        tell_run(make_failed_run())
    assert Notice.objects.count() == 1


def test_notice_leads_to_the_run_and_names_what_failed() -> None:
    account = factories.make_account("payments-prod")
    run = make_run(status=Run.Status.FAILED)
    make_change(
        run, outcome="failed", reason=REFUSED, account_id=account.account_id, permission_set_name="Deploy",
        principal_name="鈴木 蓮",
    )  # fmt: skip
    tell_run(run)
    notice = Notice.objects.get()
    assert notice.path == f"/runs/{run.pk}/"
    assert notice.params["items"] == [
        {"account": "payments-prod", "stage": "production", "permission_set": "Deploy", "who": "鈴木 蓮"}
    ]


def test_matter_that_doubled_is_written_anew() -> None:
    tell_run(make_failed_run(3))
    note_all_sent()
    tell_run(make_failed_run(5))
    assert Notice.objects.count() == 1
    tell_run(make_failed_run(6))
    assert [notice.params["count"] for notice in Notice.objects.order_by("pk")] == [3, 6]
    assert len(open_keys()) == 1
    assert resolved() == []


def test_good_full_run_ends_the_matter_and_says_so_once() -> None:
    tell_run(make_failed_run())
    note_all_sent()
    for _number in range(2):
        tell_run(make_run())
    assert open_keys() == []
    assert len(resolved()) == 1


def test_end_of_what_was_never_sent_is_no_news() -> None:
    tell_run(make_failed_run())
    tell_run(make_run())
    assert open_keys() == []
    assert resolved() == []


def test_matter_that_comes_back_is_told_again() -> None:
    for run in (make_failed_run(), make_run(), make_failed_run()):
        tell_run(run)
        note_all_sent()
    assert Notice.objects.exclude(kind=Notice.Kind.DONE).count() == 2


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "record"},
        {"kind": "changes"},
        {"mode": "plan"},
        {"status": "failed", "steps": {"wish": {"state": "failed"}}, "error": {"code": "kintone_unreachable"}},
        {"status": "failed", "error": {"code": "lease_lost"}},
    ],
)
def test_run_that_has_not_tried_everything_ends_no_failure(values: dict[str, Any]) -> None:
    tell_run(make_failed_run())
    tell_run(make_run(**values))
    assert any(key.startswith("failed:") for key in open_keys())


def test_run_that_could_not_read_everything_ends_quietly() -> None:
    tell_run(make_failed_run())
    note_all_sent()
    item = {"scope": "account 1", "operation": "sso-admin:A", "reason": {"code": "aws_throttled", "params": {}}}
    tell_run(make_run(status=Run.Status.FAILED, unresolved=[item]))
    assert open_keys() == ["unresolved:sso-admin:A:aws_throttled"]
    assert resolved() == []


def test_only_a_proof_says_that_everything_can_be_read_again() -> None:
    item = {"scope": "account 1", "operation": "sso-admin:A", "reason": {"code": "aws_throttled", "params": {}}}
    tell_run(make_run(status=Run.Status.FAILED, unresolved=[item]))
    note_all_sent()
    tell_run(make_run(share=3))
    assert open_keys() == ["unresolved:sso-admin:A:aws_throttled"]
    tell_run(make_run(is_proof=True))
    assert resolved() == ["unresolved:sso-admin:A:aws_throttled"]


def test_refusal_that_waits_for_its_next_try_still_stands() -> None:
    assignment = factories.make_assignment(state=Assignment.State.FAILED, failures=1)
    run = make_run(status=Run.Status.FAILED)
    make_change(run, outcome="failed", reason=REFUSED, assignment=assignment)
    tell_run(run)
    tell_run(make_run())
    assert len(open_keys()) == 1
    Assignment.objects.update(state=Assignment.State.GRANTED, failures=0)
    tell_run(make_run())
    assert open_keys() == []


def test_drift_is_told_while_any_of_it_is_open() -> None:
    seen = timezone.now()
    rows = [
        Drift.objects.create(
            kind=Drift.Kind.ADDED, permission_set_name="Deploy", principal_id=str(number), seen_at=seen, told_at=seen
        )
        for number in range(2)
    ]
    tell_run(make_run())
    note_all_sent()
    for row in rows:
        assert Notice.objects.filter(kind=Notice.Kind.DRIFT, ended_at=None).count() == 1
        row.ended_at = timezone.now()
        row.save()
        tell_run(make_run())
    assert open_keys() == []
    assert len(resolved()) == 1


def test_drift_that_comes_each_hour_is_not_told_each_hour() -> None:
    Drift.objects.create(kind=Drift.Kind.ADDED, permission_set_name="Deploy", principal_id="1", told_at=None)
    tell_run(make_run())
    assert not Notice.objects.exists()


def test_news_end_without_a_word() -> None:
    problem = {"record": "", "code": "account_moved", "params": {"account": "shop"}}
    tell_run(make_run(problems=[problem]))
    note_all_sent()
    tell_run(make_run())
    assert open_keys() == []
    assert resolved() == []


def test_event_has_no_end_and_may_happen_again() -> None:
    for _number in range(2):
        tell_event(Matter(Kind.PEOPLE, "claimed:123456789012", Reason("baseline_missing"), "/accounts/123456789012/"))
    tell_run(make_run())
    assert Notice.objects.count() == 2
    assert open_keys() == []


def test_number_of_statements_does_not_grow() -> None:
    def count(size: int) -> int:
        run = make_failed_run(size)
        for number in range(size):
            make_change(
                run, outcome="held", reason={"code": "too_many_removals", "params": {}}, account_id=f"{number:012}"
            )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            tell_run(run)
        Notice.objects.all().delete()
        return len(queries)

    assert count(1) == count(50) <= 12


def test_run_is_ended_though_the_telling_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_run: Run) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(notices, "tell_run", fail)
    run = make_run(status=Run.Status.RUNNING, finished_at=None)
    run.status = Run.Status.DONE
    notices.end_run(run)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE


# --- Real runs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(world: World) -> World:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert sync().code == 0
    return world


def test_unreadable_kintone_is_told_and_its_return_too(settled: World) -> None:
    settled.aws.faults.add(Fault("sso-admin:ListInstances", code="AccessDeniedException"))
    sync()
    assert open_keys() == ["run:aws_denied"]
    note_all_sent()
    settled.aws.faults.clear()
    sync()
    assert resolved() == ["run:aws_denied"]


def test_refusal_of_aws_is_told_with_its_reason(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault("no such policy"))
    settled.register("blog", "Reader", "taro")
    sync()
    notice = Notice.objects.get()
    assert notice.code == "notice_changes_failed"
    assert "no such policy" in str(notice.params["because"])
    settled.aws.faults.clear()
    sync()  # not tried again yet
    assert Notice.objects.filter(ended_at=None).count() == 1
    sync("--full")
    assert open_keys() == []


def test_lost_run_is_told(settled: World) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    make_run(status=Run.Status.RUNNING, started_at=long_ago, finished_at=None, steps={})
    runs.recover_lost_runs()
    assert open_keys() == ["run:run_lost"]


def test_set_of_ours_in_the_management_account_is_critical(settled: World) -> None:
    aws, hana = settled.aws, settled.principal_ids["hana"]
    aws.add_assignment(aws.management_account_id, aws.permission_set_arn("Reader"), "USER", hana)
    sync()
    critical = Notice.objects.get(kind=Notice.Kind.CRITICAL)
    assert (critical.key, critical.params["set"]) == ("captured:Reader", "Reader")
    row = PermissionSet.objects.get(name="Reader")
    assert critical.path == f"/permission-sets/{row.pk}/"
    note_all_sent()
    aws.remove_assignment(aws.management_account_id, aws.permission_set_arn("Reader"), "USER", hana)
    sync()
    assert resolved() == ["captured:Reader"]


def test_set_that_was_never_ours_is_not_critical(settled: World) -> None:
    assert PermissionSet.objects.get(name="Root").ownership == PermissionSet.Ownership.TERRAFORM
    sync()
    assert not Notice.objects.exists()
