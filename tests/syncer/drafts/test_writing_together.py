"""The records of one submit: kintone gets all of them or none, whatever breaks."""

from typing import Any

import pytest

from accounts.models import AppKind, Draft, PortalWrite, Record, User
from simulators.kintone import Fault
from syncer.drafts import outcomes as draft_outcomes
from syncer.drafts import saving, writing
from syncer.drafts.saving import Wanted, save_together
from tests.factories import make_person, make_principal, make_user
from tests.syncer.kintone_only import catch_up, judge_everything
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db
BULK = "/k/v1/bulkRequest.json"


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop, Ken in blog; each new record bears the key of its draft."""
    key = {"code": "request_key", "label": "key", "type": "SINGLE_LINE_TEXT", "unique": True}
    world.change_form(world.assignments, lambda form: form.update(request_key=key))
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    world.register("blog", "Reader", "ken")
    for name in ("hana", "taro", "ken"):
        make_person(name, kintone_code=name, principal=make_principal(f"{name}@example.com"))
    catch_up()
    return world


@pytest.fixture
def admin(company: World) -> User:
    return make_user("管理", is_staff=True)


def find_record(company: World, number: int) -> Record:
    return Record.objects.get(app_id=str(company.assignments.id), record_id=str(number))


def want(company: World, account: str, *users: str) -> Wanted:
    values = {"account_id": company.account_ids[account], "permission_set": "Reader", "users": list(users)}
    return Wanted(AppKind.ASSIGNMENT, values)


def edit(company: World, number: int, **values: Any) -> Wanted:
    return Wanted(AppKind.ASSIGNMENT, values, find_record(company, number))


def outcomes_of(drafts: list[Draft]) -> list[tuple[str, str]]:
    for draft in drafts:
        draft.refresh_from_db()
    return [(draft.state, draft.reason.get("code", "")) for draft in drafts]


def users_of(company: World, number: int) -> list[str]:
    return [item["code"] for item in company.assignments.record(number)["users"]["value"]]


WRITTEN = ("written", "")


def test_set_records_and_edits_come_in_one_request(company: World, admin: User) -> None:
    wishes = [
        edit(company, 1, users=["taro"]), want(company, "shop", "ken"), want(company, "blog", "hana"),
        Wanted(AppKind.PERMISSION_SET, {"name": "Admin"}),
    ]  # fmt: skip
    drafts = save_together(admin, wishes)
    for method in ("POST", "PUT"):
        company.kintone.faults.add(Fault(method=method, path="/k/v1/record.json", code="GAIA_NO01"))
    written = writing.write_drafts()
    assert outcomes_of(drafts) == [WRITTEN] * 4
    assert len(written) == PortalWrite.objects.count() == 4
    assert [users_of(company, number) for number in (1, 3, 4)] == [["taro"], ["ken"], ["hana"]]
    assert company.sets.record(2)["name"]["value"] == "Admin"
    assert Record.objects.live().count() == 6  # the mirror follows at once


def test_deletions_go_with_them(company: World, admin: User) -> None:
    drafts = save_together(admin, [edit(company, 1, users=["taro"]), want(company, "blog", "hana")])
    gone = saving.delete(find_record(company, 2), admin)
    Draft.objects.filter(pk=gone.pk).update(batch=drafts[0].batch)
    writing.write_drafts()
    assert outcomes_of([*drafts, gone]) == [WRITTEN] * 3
    assert company.assignments.record_ids() == [1, 3]
    assert find_record(company, 2).gone_at


def test_one_that_is_refused_holds_the_others(company: World, admin: User) -> None:
    drafts = save_together(admin, [want(company, "shop", "ken"), Wanted(AppKind.ASSIGNMENT, {"account_id": ""})])
    for _pass in range(2):
        writing.write_drafts()
        assert outcomes_of(drafts) == [("waiting", "draft_together"), ("refused", "draft_refused")]
    assert company.assignments.record_ids() == [1, 2]


def test_one_that_contradicts_holds_the_others_until_it_is_decided(company: World, admin: User) -> None:
    drafts = save_together(admin, [edit(company, 1, expires_on="2030-01-01"), want(company, "blog", "hana")])
    company.edit(f"{company.assignments.id}:1", expires_on="2031-01-01")
    writing.write_drafts()
    writing.write_drafts()
    assert outcomes_of(drafts) == [("conflict", "draft_conflict"), ("waiting", "draft_together")]
    judge_everything()
    choice = {"expires_on": saving.Choice("mine")}
    saving.resolve(drafts[0], admin, choice, revision=drafts[0].conflict["revision"])
    writing.write_drafts()
    assert outcomes_of(drafts) == [WRITTEN, WRITTEN]
    assert company.assignments.record(1)["expires_on"]["value"] == "2030-01-01"


def test_edit_by_somebody_else_is_judged_before_all_go(company: World, admin: User) -> None:
    drafts = save_together(admin, [edit(company, 1, users=["taro"]), want(company, "blog", "hana")])
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "ken"])
    writing.write_drafts()
    assert writing.find_unjudged() == {f"{company.assignments.id}:1"}
    assert not PortalWrite.objects.exists()
    judge_everything()
    writing.write_drafts()
    assert outcomes_of(drafts) == [WRITTEN, WRITTEN]
    assert users_of(company, 1) == ["taro", "ken"]


def test_lost_answer_doubles_none_of_them(company: World, admin: User) -> None:
    drafts = save_together(admin, [edit(company, 1, users=["taro"]), want(company, "blog", "hana")])
    company.kintone.faults.add(Fault(method="POST", path=BULK, hang_up=True, times=1))
    writing.write_drafts()
    assert outcomes_of(drafts) == [("waiting", "kintone_unreachable")] * 2
    writing.write_drafts()
    assert outcomes_of(drafts) == [WRITTEN, WRITTEN]
    assert company.assignments.record_ids() == [1, 2, 3]
    assert PortalWrite.objects.count() == 2


def test_request_that_never_arrived_is_sent_again_as_a_whole(company: World, admin: User) -> None:
    drafts = save_together(admin, [edit(company, 1, users=["taro"]), want(company, "blog", "hana")])
    company.kintone.faults.add(Fault(method="POST", path=BULK, status=503, text="maintenance", times=1))
    writing.write_drafts()
    assert company.assignments.record_ids() == [1, 2]
    writing.write_drafts()
    assert outcomes_of(drafts) == [WRITTEN, WRITTEN]


def test_deleted_user_in_one_of_them_is_left_out(company: World, admin: User) -> None:
    drafts = save_together(admin, [edit(company, 1, users=["hana", "taro", "ken"]), want(company, "blog", "hana")])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    assert outcomes_of(drafts) == [WRITTEN, WRITTEN]
    assert (users_of(company, 1), find_record(company, 1).beside) == (["hana", "ken"], ["taro@example.com"])


def test_discarding_in_the_last_moment_sends_none(company: World, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = save_together(admin, [want(company, "shop", "ken"), want(company, "blog", "hana")])
    begin = draft_outcomes.begin

    def discard_before(draft: Draft, **options: Any) -> bool:
        if draft.pk == drafts[1].pk:
            saving.discard(draft, admin)
        return begin(draft, **options)

    monkeypatch.setattr("syncer.drafts.carrying.outcomes.begin", discard_before)
    writing.write_drafts()
    assert company.assignments.record_ids() == [1, 2]
