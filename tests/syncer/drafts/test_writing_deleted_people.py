"""Records that name people whom kintone has deleted."""

import pytest
from pytest_django import Settings

from accounts.models import AppKind, Draft, PortalWrite, Record, User, Withheld
from syncer.drafts import writing
from syncer.mirror.records import load_records
from syncer.models import AppState
from syncer.states import AssignmentWish
from tests.syncer.drafts.drafted import add_fields, draft_edit, fill, make_author, state_of, value_of
from tests.syncer.kintone_only import catch_up
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    return fill(world)


@pytest.fixture
def author(company: World) -> User:
    return make_author()


def notes_of(draft: Draft) -> list[str]:
    draft.refresh_from_db()
    return [item["code"] for item in draft.notes]


def test_deleted_user_is_written_by_address_where_there_is_a_field(company: World, author: User) -> None:
    add_fields(company, more_users={"type": "MULTI_LINE_TEXT"})
    draft = draft_edit(company, author, users=["hana", "taro", "ken"])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    assert (state_of(draft), notes_of(draft)) == (("written", ""), ["draft_code_moved"])
    assert value_of(company, 1, "users") == ["hana", "ken"]
    assert value_of(company, 1, "more_users") == "taro@example.com"


def test_deleted_user_is_kept_beside_the_record_where_there_is_none(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["hana", "taro", "ken"])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    record = Record.objects.get(kind="assignment")
    assert (notes_of(draft), record.beside) == (["draft_code_beside"], ["taro@example.com"])
    (read,) = load_records(AppKind.ASSIGNMENT, AppState.objects.get(kind="assignment").fields)
    assert isinstance(read.wish, AssignmentWish)
    assert (read.wish.users, read.wish.addresses) == (("hana", "ken"), ("taro@example.com",))


def test_deleted_user_who_is_withheld_is_let_in_under_no_other_name(company: World, author: User) -> None:
    Withheld.objects.create(record=Record.objects.get(kind="assignment"), value="+kintone_user:taro", revision=1)
    draft = draft_edit(company, author, users=["hana", "taro", "ken"])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    assert (notes_of(draft), value_of(company, 1, "users")) == (["draft_code_left_out"], ["hana", "ken"])
    assert Record.objects.get(kind="assignment").beside == []


def test_who_was_kept_beside_the_record_is_taken_out_or_moved_into_it(company: World, author: User) -> None:
    Record.objects.filter(kind="assignment").update(beside=["yuki@example.com", "ken@example.com"])
    draft_edit(company, author, more_users=["ken@example.com"])
    writing.write_drafts()
    assert Record.objects.get(kind="assignment").beside == ["ken@example.com"]
    assert PortalWrite.objects.get().revision == 2
    add_fields(company, more_users={"type": "MULTI_LINE_TEXT"})
    draft_edit(company, author, more_users=["ken@example.com", "taro@example.com"])
    writing.write_drafts()
    assert Record.objects.get(kind="assignment").beside == []
    assert value_of(company, 1, "more_users") == "ken@example.com\ntaro@example.com"


def test_several_deleted_users_and_the_writer_himself_are_left_out(company: World, author: User) -> None:
    add_fields(company, changed_by={"type": "USER_SELECT"}, owners={"type": "USER_SELECT"})
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "yuki"], owners=["hana"])
    catch_up()
    draft = draft_edit(company, author, users=["hana", "taro", "yuki", "ken"], owners=["hana", "ken"])
    for name in ("hana", "taro", "yuki"):
        company.kintone.remove_user(name)
    writing.write_drafts()
    assert sorted(notes_of(draft)) == [
        "draft_code_beside", "draft_code_beside", "draft_code_left_out", "draft_owner_left_out",
    ]  # fmt: skip
    assert (value_of(company, 1, "users"), value_of(company, 1, "owners")) == (["ken"], ["ken"])
    assert value_of(company, 1, "changed_by") == []
    assert sorted(Record.objects.get(kind="assignment").beside) == ["hana@example.com", "taro@example.com"]


def test_somebody_new_whom_nobody_knows_is_refused(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["hana", "taro", "nobody"])
    writing.write_drafts()
    assert state_of(draft) == ("refused", "draft_refused")
    assert value_of(company, 1, "users") == ["hana", "taro"]


def test_kintone_s_own_list_of_users_tells_who_is_deleted(company: World, author: User, settings: Settings) -> None:
    """`ken` stands in what kintone says about `ken.sato`; with a token for its users nobody has to read that."""
    settings.KINTONE_USERS_API_TOKEN = company.kintone.add_users_token()
    company.kintone.add_user("ken.sato", "ken.sato", email="ken.sato@example.com")
    company.edit(f"{company.assignments.id}:1", users=["ken", "ken.sato"])
    catch_up()
    draft = draft_edit(company, author, users=["ken", "ken.sato", "hana"])
    company.kintone.remove_user("ken.sato")
    writing.write_drafts()
    assert (notes_of(draft), value_of(company, 1, "users")) == (["draft_code_left_out"], ["ken", "hana"])
