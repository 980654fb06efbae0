"""kintone's records as rows: bodies in, parsed records out, and what is in force."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from accounts.models import AppKind, Record
from syncer.desired import Before
from syncer.mirror import records
from syncer.states import AssignmentKey, AssignmentWish, PrincipalType, SetWish
from tests.factories import make_assignment, make_record
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db

CODES = {"account_id": "アカウント", "permission_set": "許可セット", "users": "利用者"}


def body(record_id: int = 1, revision: int = 1, **values: Any) -> dict[str, Any]:
    """A record as kintone gives it, under localised codes."""
    person = {"code": "hana", "name": "花"}
    return {
        "$id": {"type": "__ID__", "value": str(record_id)},
        "$revision": {"type": "__REVISION__", "value": str(revision)},
        "作成者": {"type": "CREATOR", "value": person},
        "更新者": {"type": "MODIFIER", "value": {"code": "taro", "name": "太郎"}},
        "作成日時": {"type": "CREATED_TIME", "value": "2026-01-02T03:04:00Z"},
        "更新日時": {"type": "UPDATED_TIME", "value": "2026-02-03T04:05:00Z"},
        "アカウント": {"type": "SINGLE_LINE_TEXT", "value": "111122223333"},
        "許可セット": {"type": "SINGLE_LINE_TEXT", "value": "Reader"},
        "利用者": {"type": "USER_SELECT", "value": [person]},
        **values,
    }


def store(*bodies: dict[str, Any]) -> set[str]:
    return records.store_bodies(AppKind.ASSIGNMENT, "24", bodies, title_code="アカウント", codes=CODES)


def test_body_is_kept_with_who_and_when() -> None:
    assert store(body()) == {"1"}
    row = Record.objects.get()
    assert (row.reference, row.revision, row.title) == ("24:1", 1, "111122223333")
    assert (row.creator_code, row.creator_name, row.modifier_code) == ("hana", "花", "taro")
    assert (row.created_at, row.updated_at) == (
        datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2026, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_body_is_kept_to_the_letter() -> None:
    """Also where a database takes a page as one text."""
    odd = """ 'q' "d" \\ \\n %s %% {x} $1 \n\t\r 𠮷🚪 \u2028 null """
    note = {"type": "MULTI_LINE_TEXT", "value": odd}
    table = {"type": "SUBTABLE", "value": [{"id": "1", "value": {"n": {"type": "NUMBER", "value": None}}}]}
    sent = [body(1, note=note, アカウント={"type": "SINGLE_LINE_TEXT", "value": odd}), body(2, table=table)]
    for revision in ("1", "2"):  # created, then changed
        for each in sent:
            each["$revision"] = {"type": "__REVISION__", "value": revision}
        assert store(*sent) == {"1", "2"}
        assert [row.body for row in Record.objects.order_by("record_id")] == sent
    row = Record.objects.get(record_id="2")
    assert (row.in_force, row.beside, row.gone_at, row.is_settled) == (None, [], None, False)


def test_same_revision_is_no_change() -> None:
    store(body())
    assert store(body()) == set()


@pytest.mark.parametrize("revision", [1, 3])
def test_any_other_revision_is_a_change(revision: int) -> None:
    store(body(revision=2))
    assert store(body(revision=revision)) == {"1"}
    assert Record.objects.get().revision == revision


def test_record_of_a_deleted_user_is_kept() -> None:
    store(body(作成者={"type": "CREATOR", "value": None}))
    assert Record.objects.get().creator_code == ""


def test_fields_are_found_by_their_codes() -> None:
    store(body())
    [read] = records.load_records(AppKind.ASSIGNMENT, CODES)
    assert read.wish == AssignmentWish("111122223333", "Reader", users=("hana",))
    assert (str(read.reference), read.account_id, read.permission_set) == ("24:1", "111122223333", "Reader")


def test_broken_record_still_tells_its_place() -> None:
    store(body(アカウント={"type": "SINGLE_LINE_TEXT", "value": "12"}))
    [read] = records.load_records(AppKind.ASSIGNMENT, CODES)
    assert (read.wish, read.account_id, read.permission_set) == (None, "", "Reader")
    assert [problem.code for problem in read.problems] == ["account_wrong"]


def test_gone_and_left_out_records_are_not_read() -> None:
    store(body(1), body(2), body(3))
    records.mark_gone(["24:1"])
    read = records.load_records(AppKind.ASSIGNMENT, CODES, without={"24:2"})
    assert [str(record.reference) for record in read] == ["24:3"]


def test_valid_revision_comes_into_force() -> None:
    store(body(revision=4))
    read = records.load_records(AppKind.ASSIGNMENT, CODES)
    records.store_in_force(read, {"24:1"})
    row = Record.objects.get()
    assert row.is_in_force
    assert row.in_force
    assert (row.in_force["account_id"], row.in_force["users"]) == ("111122223333", ["hana"])


def test_revision_that_is_not_valid_leaves_the_last_one_in_force() -> None:
    store(body())
    records.store_in_force(records.load_records(AppKind.ASSIGNMENT, CODES), {"24:1"})
    store(body(revision=2, アカウント={"type": "SINGLE_LINE_TEXT", "value": "?"}))
    records.store_in_force(records.load_records(AppKind.ASSIGNMENT, CODES), set())
    row = Record.objects.get()
    assert (row.in_force_revision, row.is_in_force) == (1, False)
    assert records.load_records(AppKind.ASSIGNMENT, CODES)[0].was_valid


def test_set_in_force_keeps_every_value_as_text(world: World) -> None:
    world.register_set("Reader", session_duration="90分", description="読み取り")
    sync()
    in_force = Record.objects.get(title="Reader").in_force
    assert in_force
    assert (in_force["session_duration"], in_force["description"]) == (5400, "読み取り")
    assert in_force["managed_policies"] == ["ReadOnlyAccess"]
    assert set(in_force) == set(SetWish.__dataclass_fields__)


def test_what_a_record_wanted_is_remembered_when_it_is_gone() -> None:
    record = make_record()
    assignment = make_assignment(record=record, until=date(2026, 1, 31))
    records.mark_gone([record.reference])
    principal_id = assignment.principal.principal_id
    assert principal_id
    key = AssignmentKey(assignment.account.account_id, assignment.permission_set.name, PrincipalType.USER, principal_id)
    assert records.load_before() == {record.reference: [Before(key, date(2026, 1, 31), is_current=True)]}


def test_text_that_no_database_holds_is_mended() -> None:
    store(body(備考={"type": "MULTI_LINE_TEXT", "value": "half \ud83d of a character, \x00 and 花"}))
    assert Record.objects.get().body["備考"]["value"] == "half \ufffd of a character, \ufffd and 花"


def test_writer_without_a_name_is_nobody() -> None:
    store(body(更新者={"type": "MODIFIER", "value": {"code": None, "name": None}}))
    assert Record.objects.get().modifier_code == ""
