"""Comments on kintone's records: once each, whatever dies or fails, and readable."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, AuditEvent, Record
from simulators.kintone import Fault
from syncer import leases, tasks
from syncer.connections import connect_kintone
from syncer.gateways.kintone_usage import find_hour
from syncer.models import AppState, CommentSettings, KintoneUsage, RecordComment
from syncer.telling import posting
from syncer.telling.posting import post_due
from syncer.telling.remarks import Remark
from tests.factories import make_record
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db

Kind = RecordComment.Kind
COMMENT = "/k/v1/record/comment.json"
MISSPELT = Remark("managed_policy_misspelt", "managed_policies", 2, {"policy": "ReadOnly", "near": "ReadOnlyAccess"})


@pytest.fixture
def record(world: World) -> Record:
    """A record of the app of sets that nobody has read but this test."""
    reference = world.register_set("Reader")
    AppState.objects.create(
        kind=AppKind.PERMISSION_SET, app_id=str(world.sets.id), fields={"managed_policies": "managed_policies"}
    )
    record_id = reference.partition(":")[2]
    return make_record(
        kind=AppKind.PERMISSION_SET, app_id=str(world.sets.id), record_id=record_id, is_settled=True
    )  # fmt: skip


def write(record: Record, *remarks: Remark, **values: Any) -> RecordComment:
    said = [remark.as_json() for remark in remarks or (MISSPELT,)]
    defaults = {"kind": Kind.PROBLEMS, "revision": 1, "mark": "abcdef012345", "remarks": said}
    return RecordComment.objects.create(record=record, **defaults | values)


def texts(world: World, record: Record) -> list[str]:
    return [comment["text"] for comment in world.kintone.app(int(record.app_id)).comments(int(record.record_id))]


def make_due() -> None:
    RecordComment.objects.update(retry_at=timezone.now() - timedelta(seconds=1))


def test_comment_is_posted_once(world: World, record: Record) -> None:
    write(record)
    assert [post_due(), post_due()] == [1, 0]
    assert len(texts(world, record)) == 1
    comment = RecordComment.objects.get()
    assert (comment.comment_id, bool(comment.sent_at)) == ("1", True)
    assert AuditEvent.objects.get(action="record.comment").object_id == record.reference


def test_it_says_where_what_and_the_way_out(world: World, record: Record, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    world.change_form(world.sets, lambda form: form["managed_policies"].update(label="マネージドポリシー"))
    write(record)
    post_due()
    assert texts(world, record)[0] == (
        "このレコードには直すところがあります。\n"
        "・マネージドポリシー（2 行目）: AWS 管理ポリシー「ReadOnly」は見つかりません。ReadOnlyAccess のことですか。\n"
        f"http://localhost:8000/records/{record.app_id}/{record.record_id}/\n"
        "Genkan · リビジョン 1 · abcdef012345"
    )


def test_it_is_in_the_companys_language(world: World, record: Record, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"
    write(record)
    post_due()
    assert texts(world, record)[0].startswith(
        "There is something to mend in this record.\n• managed_policies, line 2: "
    )


def test_long_lists_end_in_a_number(world: World, record: Record, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"
    many = [Remark("managed_policy_wrong", "managed_policies", line, {"policy": "x" * 5000}) for line in range(1, 301)]
    write(record, *many)
    assert post_due() == 1
    text = texts(world, record)[0]
    assert len(text) < 30_000
    assert text.split("\n")[-3] == "and 280 more"


def test_names_make_no_lines_of_their_own(world: World, record: Record) -> None:
    write(record, Remark("group_unknown", "groups", None, {"name": "x\nGenkan · 1\n\u202eevil"}))
    post_due()
    assert len(texts(world, record)[0].split("\n")) == 4


def test_writer_is_mentioned(world: World, record: Record) -> None:
    write(record, mentions=["hana", "taro"])
    post_due()
    comment = world.sets.comments(int(record.record_id))[0]
    assert [mention["code"] for mention in comment["mentions"]] == ["hana", "taro"]


def test_refused_mention_costs_the_mention_only(world: World, record: Record) -> None:
    write(record, mentions=["somebody who left"], writer_name="花")
    assert post_due() == 1
    comment = world.sets.comments(int(record.record_id))[0]
    assert comment["mentions"] == []
    assert "記入者: 花" in comment["text"]


def test_writer_is_called_alone_where_an_owner_has_left(world: World, record: Record) -> None:
    write(record, mentions=["hana", "somebody who left"])
    assert post_due() == 1
    assert [mention["code"] for mention in world.sets.comments(int(record.record_id))[0]["mentions"]] == ["hana"]


def test_worker_that_died_after_posting_says_nothing_twice(
    world: World, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(record)
    with monkeypatch.context() as patched:
        patched.setattr(posting, "_note_sent", lambda *_values: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            post_due()
    make_due()
    assert post_due() == 0
    assert len(texts(world, record)) == 1
    assert RecordComment.objects.get().sent_at


def test_answer_that_got_lost_is_looked_for(world: World, record: Record) -> None:
    world.kintone.faults.add(Fault(method="POST", path=COMMENT, hang_up=True, times=1))
    write(record)
    assert post_due() == 0
    make_due()
    assert post_due() == 0
    assert len(texts(world, record)) == 1


def test_lost_database_says_nothing_twice(world: World, record: Record) -> None:
    write(record)
    post_due()
    RecordComment.objects.all().delete()
    write(record)
    assert post_due() == 0
    assert len(texts(world, record)) == 1


def test_mark_is_found_behind_many_comments(world: World, record: Record) -> None:
    write(record)
    post_due()
    with connect_kintone()[0].app as app:
        for number in range(21):
            app.post_comment(record.record_id, f"comment {number}")
    RecordComment.objects.all().delete()
    write(record)
    assert post_due() == 0
    assert len(texts(world, record)) == 22


@pytest.mark.parametrize(
    "fault",
    [Fault(status=503, text="Service Unavailable"), Fault(method="POST", path=COMMENT, code="GAIA_TO04", status=429)],
)
def test_kintone_that_is_away_makes_it_wait(world: World, record: Record, fault: Fault) -> None:
    world.kintone.faults.add(fault)
    write(record)
    assert post_due() == 0
    comment = RecordComment.objects.get()
    assert comment.retry_at
    assert comment.error
    RecordComment.objects.update(created_at=timezone.now() - timedelta(days=30))
    make_due()
    world.kintone.faults.clear()
    assert post_due() == 1


def test_app_without_comments_is_asked_again_in_an_hour(world: World, record: Record) -> None:
    world.kintone.faults.add(Fault(method="POST", path=COMMENT, code="CB_NO02"))
    write(record)
    assert post_due() == 0
    retry_at = RecordComment.objects.get().retry_at
    assert retry_at
    assert retry_at - timezone.now() > timedelta(minutes=59)


def test_record_that_is_gone_needs_no_comment(world: World, record: Record) -> None:
    world.delete(record.reference)
    write(record)
    assert post_due() == 0
    assert RecordComment.objects.get().ended_at


def test_record_that_was_written_since_is_looked_at_first(world: World, record: Record) -> None:
    write(record)
    Record.objects.update(is_settled=False)
    assert post_due() == 0


def test_end_follows_only_what_stands_there(world: World, record: Record) -> None:
    write(record, kind=Kind.WELL, remarks=[], mark="111111111111", takes_back="999999999999")
    assert post_due() == 0
    assert texts(world, record) == []
    assert RecordComment.objects.get().ended_at


def test_turns_are_kept(world: World, record: Record) -> None:
    write(record, retry_at=timezone.now() + timedelta(minutes=2))
    assert post_due() == 0


def test_line_stands_still_while_the_quota_is_tight(world: World, record: Record) -> None:
    KintoneUsage.objects.create(app_id=record.app_id, hour=find_hour(timezone.now()), requests=9000)
    comment = write(record, retry_at=timezone.now() - timedelta(minutes=1))
    assert post_due() == 0
    RecordComment.objects.filter(pk=comment.pk).update(retry_at=None)  # somebody has just saved it
    assert post_due() == 1


def test_nothing_to_say_asks_nobody(world: World, record: Record) -> None:
    world.kintone.calls.clear()
    assert post_due() == 0
    assert not world.kintone.calls


def test_comment_costs_three_requests(world: World, record: Record) -> None:
    """Looking, the form's labels once a pass, posting."""
    world.kintone.calls.clear()
    write(record)
    post_due()
    assert sum(world.kintone.calls.values()) == 3


def test_somebody_elses_pass_is_not_doubled(world: World, record: Record) -> None:
    write(record)
    with leases.hold_lease(posting.LEASE):
        assert post_due() == 0


@pytest.mark.parametrize(("name", "value"), [("SYNC_MODE", "plan"), ("KINTONE_BASE_URL", "https://example.cybozu.com")])
def test_portal_that_has_no_business_there_sends_nothing(
    world: World, record: Record, settings: Settings, name: str, value: str
) -> None:
    write(record)
    setattr(settings, name, value)
    assert post_due() == 0
    assert RecordComment.objects.get().attempts == 0


def test_setting_stops_what_waits(world: World, record: Record) -> None:
    CommentSettings.objects.update(is_on=False)
    write(record)
    assert post_due() == 0


# --- Whole runs -------------------------------------------------------------------------------------------------------


def test_record_is_told_what_is_wrong_and_that_it_is_mended(
    world: World,
) -> None:
    reference = world.register_set("Reader")
    sync()
    world.sets.edit_record(1, {"managed_policies": "ReadOnlyAccess\nViewOnly"}, by="hana")
    sync()
    tasks.post_comments()
    record = Record.objects.get(app_id=world.sets.id)
    assert record.reference == reference
    assert len(texts(world, record)) == 1
    assert world.sets.comments(1)[0]["mentions"] == [{"code": "hana", "type": "USER"}]
    world.sets.edit_record(1, {"managed_policies": "ReadOnlyAccess"}, by="hana")
    sync()
    tasks.post_comments()
    assert [text.split("\n")[0] for text in texts(world, record)[1:]] == ["直すところはなくなりました。"]


def test_sync_by_hand_posts_without_a_worker(world: World) -> None:
    reference = world.register_set("Reader", managed_policies="ReadonlyAccess")
    sync()
    record = Record.objects.get(record_id=reference.partition(":")[2], kind=AppKind.PERMISSION_SET)
    (text,) = texts(world, record)
    assert "ReadOnlyAccess" in text
    sync()
    assert len(texts(world, record)) == 1


def test_report_comes_though_nothing_can_be_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError

    monkeypatch.setattr(posting, "post_due", fail)
    world.register_set("Reader")
    assert sync().code == 0
