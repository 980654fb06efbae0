"""Which records are told what after a run: what is news, once, and whom it calls."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, PermissionSet, PortalWrite, Problem, Record
from syncer.models import AppState, Baseline, CommentSettings, Notice, RecordComment, Run
from syncer.telling import commenting, notices
from syncer.telling.commenting import note_remarks
from syncer.telling.notices import end_run
from tests import factories
from tests.factories import make_problem, make_run, make_user

pytestmark = pytest.mark.django_db

Kind = RecordComment.Kind


@pytest.fixture(autouse=True)
def company(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.KINTONE_BASE_URL = "https://genkan.example.com", "https://example.cybozu.com"
    Baseline.objects.create()


def make_record(**values: Any) -> Record:
    defaults: dict[str, Any] = {
        "is_settled": True,
        "modifier_code": "hana",
        "modifier_name": "花",
        "creator_code": "taro",
    }
    return factories.make_record(**defaults | values)


def tell(**values: Any) -> None:
    note_remarks(make_run(**values))


def told() -> list[tuple[str, list[str]]]:
    """Kind and codes of all comments, in their order."""
    rows = RecordComment.objects.order_by("pk")
    return [(row.kind, [remark["code"] for remark in row.remarks]) for row in rows]


def note_sent(**values: Any) -> None:
    now = timezone.now()
    RecordComment.objects.filter(sent_at=None).update(sent_at=now, attempts=1, retry_at=None, **values)


def revise(record: Record, *, by: str = "hana") -> None:
    record.revision += 1
    record.modifier_code = by
    record.save()


def mend(record: Record) -> None:
    record.problems.all().delete()


# --- What is news -----------------------------------------------------------------------------------------------------


def test_good_records_are_told_nothing() -> None:
    make_record()
    tell()
    assert told() == []


def test_problems_of_a_record_are_one_comment() -> None:
    record = make_record()
    make_problem(record)
    make_problem(record, "set_unknown", field="permission_set")
    tell()
    assert told() == [("problems", ["account_unknown", "set_unknown"])]


def test_same_problems_are_told_once() -> None:
    make_problem(make_record())
    for _number in range(3):
        tell()
        note_sent()
    assert len(told()) == 1


@pytest.mark.parametrize(
    ("code", "severity"), [("drift", "warning"), ("person_left", "warning"), ("managed_policy_not_listed", "warning")]
)
def test_what_nobody_can_mend_here_is_not_told(code: str, severity: str) -> None:
    make_problem(make_record(), code, severity=severity)
    tell()
    assert told() == []


def test_person_who_is_on_the_way_is_told_of_after_two_hours() -> None:
    problem = make_problem(make_record(), "person_unknown", severity="warning")
    tell()
    assert told() == []
    Problem.objects.filter(pk=problem.pk).update(first_seen=timezone.now() - timedelta(hours=2, minutes=1))
    tell()
    assert told() == [("problems", ["person_unknown"])]


def test_further_problem_is_told_with_those_that_stand() -> None:
    record = make_record()
    make_problem(record)
    tell()
    note_sent()
    make_problem(record, "set_unknown", field="permission_set")
    tell()
    assert told()[1:] == [("problems", ["account_unknown", "set_unknown"])]
    assert RecordComment.objects.filter(ended_at=None).count() == 1


def test_one_problem_less_is_no_news() -> None:
    record = make_record()
    make_problem(record)
    other = make_problem(record, "set_unknown", field="permission_set")
    tell()
    note_sent()
    other.delete()
    tell()
    make_problem(record, "set_unknown", field="permission_set")
    tell()
    assert len(told()) == 1


def test_mistake_that_a_person_saved_again_is_told_again() -> None:
    record = make_record()
    make_problem(record)
    tell()
    note_sent()
    revise(record, by="ken")
    tell()
    tell()
    assert len(told()) == 2
    assert RecordComment.objects.latest("pk").mentions == ["ken"]


def test_mistake_that_a_program_saved_again_is_not() -> None:
    record = make_record()
    make_problem(record)
    tell()
    note_sent()
    revise(record, by="Administrator")
    tell()
    assert len(told()) == 1


def test_decision_is_told_once_through_all_revisions() -> None:
    record = make_record()
    make_problem(record, "values_withheld", severity="warning", field="", params={"values": "+ taro", "name": "花"})
    tell()
    note_sent()
    revise(record)
    tell()
    assert len(told()) == 1


def test_unsent_comment_gives_way_to_what_is_so_now() -> None:
    record = make_record()
    make_problem(record)
    make_problem(record, "set_unknown", field="permission_set")
    tell()
    record.problems.filter(code="set_unknown").delete()
    tell()
    assert told()[-1] == ("problems", ["account_unknown"])
    assert RecordComment.objects.filter(ended_at=None).count() == 1


def test_record_that_no_run_has_judged_waits_for_one() -> None:
    record = make_record(is_settled=False)
    make_problem(record)
    tell()
    assert told() == []


def test_refusal_of_a_set_is_told_to_its_record() -> None:
    record = make_record(kind=AppKind.PERMISSION_SET)
    reason = {"code": "aws_inline_rejected", "params": {"text": "bad action"}}
    factories.make_permission_set(record=record, state=PermissionSet.State.FAILED, failures=1, reason=reason)
    tell()
    assert told() == [("problems", ["aws_inline_rejected"])]


def test_refusal_that_is_tried_again_is_neither_over_nor_new() -> None:
    record = make_record(kind=AppKind.PERMISSION_SET)
    reason = {"code": "aws_refused", "params": {"text": "no"}}
    row = factories.make_permission_set(record=record, state=PermissionSet.State.FAILED, failures=1, reason=reason)
    tell()
    note_sent()
    for state, stored in (("pending", {}), ("failed", {"code": "aws_refused", "params": {"text": "no, again"}})):
        PermissionSet.objects.filter(pk=row.pk).update(state=state, reason=stored)
        tell()
    assert len(told()) == 1


@pytest.mark.parametrize("code", ["aws_iam_denied", "aws_quota"])
def test_refusal_that_the_record_cannot_mend_is_for_operators(code: str) -> None:
    record = make_record(kind=AppKind.PERMISSION_SET)
    factories.make_permission_set(
        record=record, state=PermissionSet.State.FAILED, failures=1, reason={"code": code, "params": {}}
    )
    tell()
    assert told() == []


# --- What is over -----------------------------------------------------------------------------------------------------


def test_end_is_told_once_where_the_beginning_was() -> None:
    record = make_record()
    make_problem(record)
    tell()
    note_sent()
    mend(record)
    for _number in range(2):
        tell()
        note_sent()
    assert told()[1:] == [("well", [])]
    assert RecordComment.objects.get(kind=Kind.WELL).takes_back == RecordComment.objects.earliest("pk").mark


def test_end_of_what_was_never_begun_is_no_news() -> None:
    record = make_record()
    make_problem(record)
    tell()
    mend(record)
    tell()
    assert len(told()) == 1
    assert not RecordComment.objects.filter(ended_at=None).exists()


def test_setting_keeps_the_end_quiet() -> None:
    CommentSettings.objects.update(says_well=False)
    record = make_record()
    make_problem(record)
    tell()
    note_sent()
    mend(record)
    tell()
    assert told() == [("problems", ["account_unknown"])]


def test_gone_record_is_told_nothing_more() -> None:
    record = make_record()
    make_problem(record)
    tell()
    note_sent()
    mend(record)
    Record.objects.update(gone_at=timezone.now(), is_settled=False)
    tell()
    assert len(told()) == 1
    assert not RecordComment.objects.filter(ended_at=None).exists()


def test_what_comes_and_goes_is_told_once_a_day() -> None:
    record = make_record()
    for _number in range(3):
        make_problem(record)
        tell()
        note_sent()
        mend(record)
        tell()
        note_sent()
    assert told() == [("problems", ["account_unknown"]), ("well", [])]
    RecordComment.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    make_problem(record)
    tell()
    assert told()[2:] == [("problems", ["account_unknown"])]
    marks = RecordComment.objects.values_list("mark", flat=True)
    assert len(set(marks)) == len(marks)


# --- Who speaks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "plan"},
        {"kind": "lock_out"},
        {"status": "failed", "error": {"code": "lease_lost"}},
        {"status": "failed", "steps": {"wish": {"state": "failed"}}},
    ],
)
def test_run_that_may_not_write_tells_nothing(values: dict[str, Any]) -> None:
    make_problem(make_record())
    tell(**values)
    assert told() == []


@pytest.mark.parametrize("kind", ["full", "changes", "record"])
def test_every_other_run_does(kind: str) -> None:
    make_problem(make_record())
    tell(kind=kind)
    assert len(told()) == 1


def test_new_database_is_quiet_until_it_is_confirmed() -> None:
    Baseline.objects.all().delete()
    make_problem(make_record())
    tell()
    assert told() == []


@pytest.mark.parametrize(("name", "value"), [("SYNC_MODE", "plan"), ("PUBLIC_URL", "http://localhost:8000")])
def test_portal_that_has_no_business_there_is_quiet(settings: Settings, name: str, value: str) -> None:
    setattr(settings, name, value)
    make_problem(make_record())
    tell()
    assert told() == []


def test_demo_speaks_to_its_own_kintone(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.KINTONE_BASE_URL = "http://localhost:8000", "http://127.0.0.1:8081"
    assert commenting.may_comment()


def test_setting_keeps_all_of_it_quiet() -> None:
    CommentSettings.objects.update(is_on=False)
    make_problem(make_record())
    tell()
    assert told() == []


def test_it_is_written_with_the_end_of_the_run() -> None:
    make_problem(make_record())
    end_run(make_run())
    assert len(told()) == 1


def test_broken_comments_keep_nothing_else_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_run: Run) -> None:
        list(Record.objects.raw("select nonsense"))

    monkeypatch.setattr(notices, "note_remarks", fail)
    run = make_run(status=Run.Status.FAILED, error={"code": "run_lost"}, steps={})
    end_run(run)
    run.refresh_from_db()
    assert run.is_over
    assert Notice.objects.count() == 1


# --- Whom it calls ----------------------------------------------------------------------------------------------------


def people_of(*owners: str) -> dict[str, Any]:
    AppState.objects.get_or_create(kind=AppKind.ASSIGNMENT, app_id="24", fields={"owners": "管理者"})
    return {"body": {"管理者": {"type": "USER_SELECT", "value": [{"code": owner} for owner in owners]}}}


def find_mentions() -> list[str]:
    tell()
    mentions: list[str] = RecordComment.objects.get().mentions
    return mentions


def test_writer_is_called() -> None:
    make_problem(make_record(**people_of("ken")))
    assert find_mentions() == ["hana"]


def test_author_and_owners_are_called_where_they_decide() -> None:
    record = make_record(**people_of("ken", "hana"))
    make_problem(record, "values_withheld", severity="warning", params={"values": "+ x"})
    assert find_mentions() == ["hana", "taro", "ken"]


def test_owners_are_called_where_a_program_wrote() -> None:
    make_problem(make_record(modifier_code="Administrator", creator_code="Administrator", **people_of("ken")))
    assert find_mentions() == ["ken"]


def test_person_behind_the_portals_token_is_called() -> None:
    record = make_record(modifier_code="Administrator", creator_code="Administrator")
    user = make_user("花", person=factories.make_person("花", kintone_code="hana.s"))
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=user)
    make_problem(record)
    assert find_mentions() == ["hana.s"]


def test_person_who_wrote_it_before_a_backup_was_restored_is_not_called() -> None:
    record = make_record(modifier_code="ken", creator_code="hana")
    user = make_user("花", person=factories.make_person("花", kintone_code="hana.s"))
    before = record.updated_at - timedelta(hours=1)
    write = {"app_id": record.app_id, "record_id": record.record_id, "revision": record.revision, "user": user}
    PortalWrite.objects.create(**write, at=before)
    make_problem(record)
    assert find_mentions() == ["ken"]


def test_person_without_a_kintone_code_is_named() -> None:
    record = make_record(modifier_code="Administrator", modifier_name="Administrator", creator_code="Administrator")
    user = make_user("花", person=factories.make_person("花", kintone_code=""))
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=user)
    make_problem(record)
    assert find_mentions() == []
    assert RecordComment.objects.get().writer_name == str(user)


def test_owners_as_text_are_not_called() -> None:
    body = {"管理者": {"type": "SINGLE_LINE_TEXT", "value": "ken@example.com"}}
    people_of()
    make_problem(make_record(modifier_code="Administrator", creator_code="Administrator", body=body))
    assert find_mentions() == []


# --- Many at once -----------------------------------------------------------------------------------------------------


def make_many(count: int, **values: Any) -> None:
    for _number in range(count):
        make_problem(make_record(**values))


def waits() -> list[int]:
    """Minutes that each comment waits for its turn."""
    now = timezone.now()
    rows = RecordComment.objects.order_by("pk")
    return [round((row.retry_at - now).total_seconds() / 60) if row.retry_at else 0 for row in rows]


def test_few_go_at_once_however_old_and_the_others_in_turn() -> None:
    make_many(13, updated_at=timezone.now() - timedelta(days=9))
    tell()
    assert waits() == [0] * 10 + [2, 4, 6]


def test_fresh_one_passes_those_that_wait() -> None:
    make_many(12, updated_at=timezone.now() - timedelta(days=9))
    tell()
    make_many(1)
    make_many(1, updated_at=timezone.now() - timedelta(days=9))
    tell()
    assert waits() == [0] * 10 + [2, 4, 0, 6]


def test_more_than_can_be_sent_in_a_day_is_left_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commenting, "MOST_WAITING", 12)
    make_many(15, updated_at=timezone.now() - timedelta(days=9))
    tell()
    assert len(told()) == 12
    note_sent()
    tell()
    assert len(told()) == 15


def test_number_of_statements_does_not_grow() -> None:
    def count(size: int) -> int:
        make_many(size)
        run = make_run()
        with CaptureQueriesContext(connection) as queries:
            note_remarks(run)
        RecordComment.objects.all().delete()
        Problem.objects.all().delete()
        return len(queries)

    assert count(1) == count(50) <= 16


def test_quiet_run_costs_few_statements() -> None:
    run = make_run()
    with CaptureQueriesContext(connection) as queries:
        note_remarks(run)
    assert len(queries) <= 6


def test_run_of_a_lost_process_tells_nothing() -> None:
    make_problem(make_record())
    tell(status=Run.Status.LOST, steps={})
    assert told() == []
