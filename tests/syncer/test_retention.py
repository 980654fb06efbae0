"""What is forgotten after some time, and what never is."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import record_event
from accounts.models import AppKind, Assignment, AuditEvent, Principal, Record, Stop
from syncer import retention
from syncer.drafts.drafting import make_draft
from syncer.models import Change, Letter, Notice, Operation, Run
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)


@pytest.fixture(autouse=True)
def _thirty_days(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RETENTION_DAYS = 30
    monkeypatch.setattr(retention, "_KEPT_RUNS", 1)
    monkeypatch.setattr(retention, "BATCH", 2)


def make_run(at: Any, **values: Any) -> Run:
    return factories.make_run(requested_at=at, started_at=at, finished_at=at, **values)


def test_old_runs_go_with_their_changes_in_batches() -> None:
    for _number in range(5):
        factories.make_change(make_run(OLD))
    young, newest = make_run(YOUNG), make_run(NOW)
    assert retention.forget_the_past(NOW)["runs"] == 5
    assert set(Run.objects.all()) == {young, newest}
    assert not Change.objects.exists()
    assert retention.forget_the_past(NOW)["runs"] == 0


def test_newest_run_and_proofs_stay() -> None:
    proof, share = make_run(OLD, is_proof=True), make_run(OLD, share=0.5)
    newest = make_run(OLD)
    retention.forget_the_past(NOW)
    assert set(Run.objects.all()) == {proof, share, newest}


@pytest.mark.parametrize("status", [Run.Status.QUEUED, Run.Status.RUNNING])
def test_run_that_is_not_over_stays(status: Run.Status) -> None:
    run = make_run(OLD, status=status)
    make_run(NOW)
    retention.forget_the_past(NOW)
    assert Run.objects.filter(pk=run.pk).exists()


def test_run_that_is_still_followed_stays() -> None:
    change = factories.make_change(make_run(OLD))
    Operation.objects.create(change=change, kind="create", account_id="123456789012")
    stop = Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=factories.make_principal(), reason="lost laptop")
    locking = make_run(OLD, stop=stop)
    make_run(NOW)
    retention.forget_the_past(NOW)
    assert set(Run.objects.filter(pk__in=[change.run_id, locking.pk])) == {change.run, locking}


def test_removed_assignments_go_and_what_is_there_stays() -> None:
    removed: dict[str, Any] = {"state": Assignment.State.REMOVED, "in_aws": False, "is_wanted": False}
    factories.make_assignment(**removed, since=OLD)
    kept = {
        factories.make_assignment(**removed, since=YOUNG),
        factories.make_assignment(**removed | {"in_aws": True}, since=OLD),
        factories.make_assignment(state=Assignment.State.GRANTED, since=OLD),
    }
    assert retention.forget_the_past(NOW)["assignments"] == 1
    assert set(Assignment.objects.all()) == kept


def test_records_that_are_long_gone_go() -> None:
    factories.make_record(gone_at=OLD, is_settled=True)
    wanted, drafted = (factories.make_record(gone_at=OLD, is_settled=True) for _number in range(2))
    factories.make_assignment(record=wanted)
    make_draft(AppKind.ASSIGNMENT, factories.make_user(), {}, record=drafted).save()
    named = factories.make_record(gone_at=OLD, is_settled=True)
    factories.make_permission_set(record=named)
    kept = {
        wanted, drafted, named, factories.make_record(gone_at=YOUNG, is_settled=True),
        factories.make_record(gone_at=OLD, is_settled=False), factories.make_record(is_settled=True),
    }  # fmt: skip
    assert retention.forget_the_past(NOW)["records"] == 1
    assert set(Record.objects.all()) == kept


def test_people_who_left_and_the_trail_stay() -> None:
    gone = factories.make_principal(gone_at=OLD - timedelta(days=900))
    AuditEvent(at=OLD - timedelta(days=900), action="signed_in").save()
    record_event("signed_out")
    retention.forget_the_past(NOW)
    assert Principal.objects.filter(pk=gone.pk).exists()
    assert AuditEvent.objects.count() == 2


def test_old_notices_and_letters_go_once_they_are_over() -> None:
    person = factories.make_person()
    for at, ended in ((OLD, OLD), (OLD, None), (YOUNG, YOUNG)):
        Notice.objects.create(kind="mind", key=f"{at} {ended}", code="paused", created_at=at, ended_at=ended)
    for at in (OLD, YOUNG):
        Letter.objects.create(person=person, kind="access", code="letter_given", created_at=at)
    counts = retention.forget_the_past(NOW)
    assert (counts["notices"], counts["letters"]) == (1, 1)
    assert (Notice.objects.count(), Letter.objects.count()) == (2, 1)
