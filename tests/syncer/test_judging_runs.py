"""Whole runs with records of real people: what is in force, withheld, claimed, and what the tables say of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import (
    Account,
    AccountMove,
    AppKind,
    Assignment,
    AuditEvent,
    Draft,
    Guardrail,
    OrganizationalUnit,
    OwnerEntry,
    PermissionSet,
    Person,
    PortalWrite,
    Principal,
    Problem,
    Record,
    Wish,
    Withheld,
)
from accounts.moves import confirm_moves
from accounts.withholding import confirm, may_confirm
from simulators.aws.faults import Fault
from syncer.drafts.saving import save
from syncer.models import Notice
from syncer.tasks import write_drafts
from tests.factories import make_user
from tests.syncer.running import plan, state_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """One run has been; hana owns shop by tag, nobody owns blog."""
    world.aws.set_tags(world.account_ids["shop"], {"owners": f"hana@{DOMAIN}"})
    world.register_set("Reader")
    sync()
    return world


def register(world: World, account: str, *users: str, by: str, **values: object) -> str:
    wish = {"account_id": world.account_ids[account], "permission_set": "Reader", "users": list(users), **values}
    return f"{world.assignments.id}:{world.assignments.add_record(wish, by=by)}"


def edit(world: World, reference: str, *, by: str, **values: object) -> None:
    world.assignments.edit_record(int(reference.partition(":")[2]), values, by=by)


def held() -> list[tuple[str, str]]:
    return list(Withheld.objects.order_by("pk").values_list("value", "reason__code"))


def granted(world: World) -> set[tuple[str, str, str]]:
    return world.granted() - FOREIGN


def test_owner_by_tag_registers(company: World) -> None:
    register(company, "shop", "taro", by="hana")
    sync()
    assert granted(company) == {("shop", "Reader", "taro")}
    assert held() == []


def test_outsider_is_blocked_and_told_once(company: World) -> None:
    register(company, "shop", "taro", by="ken")
    outcome = sync()
    assert (outcome.code, outcome.counts["blocked"], granted(company)) == (0, 1, set())
    assert state_of("shop", "Reader", "taro") == "blocked"
    (problem,) = Problem.objects.filter(code="values_withheld_who")
    sync()
    assert Problem.objects.get(code="values_withheld_who").pk == problem.pk
    assert held() == [("+kintone_user:taro", "writer_may_not")]


def test_blocked_wish_names_its_record_and_is_not_in_force(company: World) -> None:
    reference = register(company, "shop", "taro", "yuki", by="ken")
    sync()
    wishes = Wish.objects.filter(record__record_id=reference.partition(":")[2])
    assert [wish.is_refused for wish in wishes] == [True, True]
    record = Record.objects.get(record_id=reference.partition(":")[2], kind="assignment")
    assert record.in_force is not None
    assert record.in_force["users"] == []


def test_withheld_stays_through_an_administrators_edit(company: World) -> None:
    reference = register(company, "shop", "taro", by="hana")
    sync()
    edit(company, reference, by="ken", users=["taro", "ken"])
    sync()
    edit(company, reference, by="Administrator", expires_on="2099-01-01")
    sync()
    assert granted(company) == {("shop", "Reader", "taro")}
    assert held() == [("+kintone_user:ken", "writer_may_not")]


def test_confirmed_value_is_granted(company: World) -> None:
    register(company, "shop", "taro", by="ken")
    sync()
    Withheld.objects.update(confirmed_by=make_user(), confirmed_at=timezone.now())
    sync()
    assert granted(company) == {("shop", "Reader", "taro")}
    assert not Problem.objects.filter(code__startswith="values_withheld").exists()
    assert Wish.objects.get(assignment__principal__name=f"taro@{DOMAIN}", record__isnull=False).is_refused is False


def test_what_was_confirmed_for_ones_own_account_is_withheld_in_anothers(company: World) -> None:
    company.aws.set_tags(company.account_ids["blog"], {"owners": f"ken@{DOMAIN}"})
    reference = register(company, "shop", "ken", by="ken")
    sync()
    edit(company, reference, by="ken", account_id=company.account_ids["blog"])
    Withheld.objects.update(confirmed_by=make_user(), confirmed_at=timezone.now())
    sync()
    assert granted(company) == {("blog", "Reader", "ken")}
    edit(company, reference, by="ken", account_id=company.account_ids["shop"])
    sync()
    assert (granted(company), held()) == (set(), [("+kintone_user:ken", "writer_may_not")])
    assert not Withheld.objects.filter(confirmed_at__isnull=False).exists()


def test_value_written_anew_by_the_owner_is_granted(company: World) -> None:
    reference = register(company, "shop", "taro", by="ken")
    sync()
    edit(company, reference, by="hana", users=[])
    sync()
    edit(company, reference, by="hana", users=["taro"])
    sync()
    assert (granted(company), held()) == ({("shop", "Reader", "taro")}, [])


def test_withheld_removal_keeps_access(company: World) -> None:
    reference = register(company, "shop", "taro", "hana", by="hana")
    sync()
    edit(company, reference, by="ken", users=["hana"])
    outcome = sync()
    assert outcome.counts["delete"] == 0
    assert granted(company) == {("shop", "Reader", "taro"), ("shop", "Reader", "hana")}
    edit(company, reference, by="taro", users=["hana"])  # a note, as far as the values go: his going stays withheld
    sync()
    assert held() == [("-kintone_user:taro", "writer_may_not_edit")]


def test_one_takes_himself_out(company: World) -> None:
    reference = register(company, "shop", "taro", "hana", by="hana")
    sync()
    edit(company, reference, by="taro", users=["hana"])
    sync()
    assert granted(company) == {("shop", "Reader", "hana")}


def test_ledger_names_the_writer(company: World) -> None:
    hana = Principal.objects.get(name=f"hana@{DOMAIN}")
    owner = make_user(person=hana.person)
    reference = register(company, "shop", "taro", by="Administrator")
    app_id, _colon, record_id = reference.partition(":")
    PortalWrite.objects.create(app_id=app_id, record_id=record_id, revision=1, user=owner)
    outsider = make_user()
    other = register(company, "shop", "ken", by="Administrator")
    PortalWrite.objects.create(app_id=app_id, record_id=other.partition(":")[2], revision=1, user=outsider)
    sync()
    assert granted(company) == {("shop", "Reader", "taro")}
    assert held() == [("+kintone_user:ken", "writer_unknown")]


def test_registering_claims_a_free_sandbox(company: World) -> None:
    company.aws.organization.units[_unit_of(company)].name = "sandbox"
    sync("--full")
    reference = register(company, "blog", "taro", by="ken")
    sync("--record", reference)
    assert granted(company) == {("blog", "Reader", "taro")}
    entry = OwnerEntry.objects.get()
    assert (entry.account.name if entry.account else "", entry.principal.name, entry.how) == (
        "blog",
        f"ken@{DOMAIN}",
        "claim",
    )
    assert AuditEvent.objects.get(action="account.claim").object_name == "blog"
    assert Notice.objects.get(code="account_claimed").kind == "people"
    register(company, "blog", "hana", by="taro")
    sync()
    assert granted(company) == {("blog", "Reader", "taro")}


def _unit_of(world: World) -> str:
    account = Account.objects.get(name="blog")
    assert account.ou is not None
    return account.ou.ou_id


def test_free_account_elsewhere_needs_an_owner(company: World) -> None:
    register(company, "blog", "taro", by="ken")
    sync()
    assert (granted(company), held()) == (set(), [("+kintone_user:taro", "account_without_owner")])


def test_unread_tags_withhold_nothing_for_good(company: World) -> None:
    Account.objects.update(tags_read_at=None)
    company.aws.faults.add(Fault("organizations:ListTagsForResource", code="ServiceException", status=500))
    register(company, "shop", "taro", by="hana")
    sync()
    assert (granted(company), held()) == (set(), [])
    company.aws.faults.clear()
    sync()
    assert granted(company) == {("shop", "Reader", "taro")}


def test_first_run_takes_what_is_there_and_judges_the_rest(world: World) -> None:
    world.aws.set_tags(world.account_ids["shop"], {"owners": f"hana@{DOMAIN}"})
    world.add_set("Reader")
    world.assign("shop", "Reader", "taro")
    world.register_set("Reader")
    register(world, "shop", "taro", "ken", by="yuki")
    sync()
    assert granted(world) == {("shop", "Reader", "taro")}
    assert held() == [("+kintone_user:ken", "writer_unknown")]


def test_plan_judges_as_sync_does(company: World) -> None:
    register(company, "shop", "taro", by="ken")
    planned = plan()
    assert (planned.counts["blocked"], planned.codes & {"values_withheld_who"}) == (1, {"values_withheld_who"})
    assert held() == []


def test_portals_own_account_is_for_admins(company: World) -> None:
    """Whose credentials the portal has: platform's, which is the delegated administrator."""
    company.aws.set_tags(company.account_ids["platform"], {"owners": f"hana@{DOMAIN}"})
    sync("--full")
    register(company, "platform", "taro", by="hana")
    sync()
    assert (granted(company), held()) == (set(), [("+kintone_user:taro", "account_protected")])


def test_twin_keeps_access_whoever_moves_it(company: World) -> None:
    reference = register(company, "shop", "taro", by="hana")
    sync()
    company.register_set("Twin")
    edit(company, reference, by="Administrator", permission_set="Twin")
    record_id = reference.partition(":")[2]
    write = {"app_id": str(company.assignments.id), "record_id": record_id, "revision": 2, "user": make_user()}
    PortalWrite.objects.create(**write, keeps_access=True)
    sync()
    sync()
    assert (granted(company), held()) == ({("shop", "Twin", "taro")}, [])


def move(world: World, account: str, unit: str) -> None:
    world.aws.move_account(world.account_ids[account], unit)


def end_below(unit_id: str) -> Guardrail:
    """A rule that has ended what is there in a unit."""
    yesterday = timezone.localdate() - timedelta(days=1)
    return Guardrail.objects.create(
        name="groups", sentence="グループだけです。", effect="groups_only", ou_id=unit_id, existing="end",
        ends_on=yesterday,
    )  # fmt: skip


def test_moved_account_is_told_and_loses_nothing(company: World) -> None:
    """The rule of the new unit has ended what is there, long ago."""
    register(company, "shop", "taro", by="hana")
    sync()
    sandbox = company.aws.add_ou("sandbox")
    end_below(sandbox)
    move(company, "shop", sandbox)
    outcome = sync("--full")
    assert (outcome.code, granted(company)) == (0, {("shop", "Reader", "taro")})
    (problem,) = Problem.objects.filter(code="account_moved")
    assert (problem.params["old"], problem.params["new"]) == ("service", "sandbox")
    assert (problem.params["stage_before"], problem.params["stage_after"]) == ("other", "sandbox")
    assert (problem.params["rules_before"], problem.params["rules_after"]) == ("—", "groups")
    assert Assignment.objects.get(in_aws=True, permission_set__name="Reader").reason["code"] == "guardrail_moved"
    assert Notice.objects.filter(code="account_moved").count() == 1
    sync("--full")
    assert AuditEvent.objects.filter(action="account.move").count() == 1
    assert granted(company) == {("shop", "Reader", "taro")}


def test_confirmed_move_lets_the_rules_of_the_new_unit_end_access(company: World) -> None:
    register(company, "shop", "taro", by="hana")
    sync()
    sandbox = company.aws.add_ou("sandbox")
    end_below(sandbox)
    move(company, "shop", sandbox)
    sync("--full")
    confirm_moves(Account.objects.get(name="shop"), make_user(is_staff=True), until=AccountMove.objects.get().pk)
    sync("--full")
    assert granted(company) == set()
    assert not Problem.objects.filter(code="account_moved").exists()


def test_new_access_in_a_moved_account_is_decided_by_where_it_is_now(company: World) -> None:
    register(company, "shop", "taro", by="hana")
    sync()
    sandbox = company.aws.add_ou("sandbox")
    end_below(sandbox)
    move(company, "shop", sandbox)
    register(company, "shop", "ken", by="hana")
    sync("--full")
    assert granted(company) == {("shop", "Reader", "taro")}


def test_emergency_access_stays_when_its_account_leaves_the_unit(company: World) -> None:
    """Its record is gone, and so is the unit whose rule spares it."""
    old = company.aws.add_ou("emergency")
    move(company, "shop", old)
    sync("--full")
    register(company, "shop", "ken", by="hana")
    reference = register(company, "shop", "taro", by="hana")
    Guardrail.objects.create(name="keep", sentence="緊急用です。", effect="keep", ou_id=old)
    sync()
    company.delete(reference)
    sync("--full")
    both = {("shop", "Reader", "taro"), ("shop", "Reader", "ken")}
    assert granted(company) == both
    move(company, "shop", company.aws.add_ou("sandbox"))
    company.aws.remove_ou(old)
    sync("--full")
    move(company, "shop", company.aws.add_ou("third"))
    sync("--full")
    assert Notice.objects.filter(code__startswith="account_moved").count() == 3, "each move is told"
    assert granted(company) == both
    admin, last = make_user(is_staff=True), AccountMove.objects.latest("pk").pk
    confirm_moves(Account.objects.get(name="shop"), admin, until=last)
    sync("--full")
    assert granted(company) == {("shop", "Reader", "ken")}


def test_move_of_an_account_that_nobody_enters_asks_nothing(company: World) -> None:
    move(company, "shop", company.aws.add_ou("sandbox"))
    sync("--full")
    assert Problem.objects.filter(code="account_moved_empty").count() == 1
    assert not AccountMove.objects.open().exists()


def test_guardrail_refuses_new_access_and_keeps_what_was_there(company: World) -> None:
    register(company, "shop", "taro", by="hana")
    sync()
    shop = company.account_ids["shop"]
    rule = Guardrail.objects.create(
        name="closed", sentence="本番には登録できません。", account_id=shop, effect="refuse"
    )
    register(company, "shop", "ken", by="hana")
    sync()
    sync()
    assert granted(company) == {("shop", "Reader", "taro")}
    assert [state_of("shop", "Reader", name) for name in ("taro", "ken")] == ["granted", "blocked"]
    kept = Assignment.objects.get(principal__name=f"taro@{DOMAIN}", permission_set__name="Reader")
    assert kept.reason["code"] == "guardrail_kept"
    rule.delete()
    sync()
    assert granted(company) == {("shop", "Reader", "taro"), ("shop", "Reader", "ken")}


def test_guardrail_ends_what_was_there_on_its_date(company: World) -> None:
    register(company, "shop", "taro", by="hana")
    sync()
    yesterday = timezone.localdate() - timedelta(days=1)
    Guardrail.objects.create(name="closed", sentence="…", effect="groups_only", existing="end", ends_on=yesterday)
    sync()
    assert granted(company) == set()
    assert sync().counts["create"] == 0


def test_unread_units_stop_changes_where_they_matter(company: World) -> None:
    register(company, "shop", "taro", by="hana")
    OrganizationalUnit.objects.all().delete()
    company.aws.faults.add(Fault("organizations:ListRoots", code="ServiceException", status=500))
    outcome = sync("--full")
    assert (outcome.code, granted(company)) == (1, set())
    company.aws.faults.clear()
    sync("--full")
    assert granted(company) == {("shop", "Reader", "taro")}


def test_what_the_portal_is_writing_is_judged_once_its_writer_is_known(company: World) -> None:
    """Between kintone's answer and the ledger the revision looks like Administrator's."""
    reference = register(company, "shop", "taro", by="hana")
    sync()
    record = Record.objects.get(record_id=reference.partition(":")[2], kind="assignment")
    outsider = make_user()
    draft = Draft.objects.create(
        kind="assignment", record=record, author=outsider, request_key="k", values={}, attempts=1, sent_revision=1
    )
    edit(company, reference, by="Administrator", users=["taro", "ken"])
    sync()
    assert (granted(company), held()) == ({("shop", "Reader", "taro")}, [])
    write = {"app_id": record.app_id, "record_id": record.record_id, "revision": 2, "user": outsider}
    PortalWrite.objects.create(**write)
    Draft.objects.filter(pk=draft.pk).update(state=Draft.State.WRITTEN)
    sync()
    assert (granted(company), held()) == ({("shop", "Reader", "taro")}, [("+kintone_user:ken", "writer_unknown")])


def test_ledger_names_nobody_for_what_was_written_after_a_backup_was_restored(company: World) -> None:
    """The same revision a second time, by somebody else."""
    reference = register(company, "shop", "taro", by="hana")
    app_id, _colon, record_id = reference.partition(":")
    admin, at = make_user(is_staff=True), timezone.now() - timedelta(hours=1)
    PortalWrite.objects.create(app_id=app_id, record_id=record_id, revision=2, user=admin, at=at)
    sync()
    edit(company, reference, by="ken", users=["taro", "ken"])
    sync()
    assert (granted(company), held()) == ({("shop", "Reader", "taro")}, [("+kintone_user:ken", "writer_may_not")])


def test_record_that_the_portal_is_making_waits_for_its_writer_in_an_app_without_a_key(company: World) -> None:
    outsider = make_user()
    made = {"kind": "assignment", "author": outsider, "request_key": "k", "values": {}, "attempts": 1}
    draft = Draft.objects.create(**made)
    reference = register(company, "shop", "ken", by="Administrator")
    sync()
    assert (granted(company), held()) == (set(), [])
    app_id, _colon, record_id = reference.partition(":")
    PortalWrite.objects.create(app_id=app_id, record_id=record_id, revision=1, user=outsider)
    Draft.objects.filter(pk=draft.pk).update(state=Draft.State.WRITTEN)
    sync()
    assert (granted(company), held()) == (set(), [("+kintone_user:ken", "writer_unknown")])


def test_save_in_the_portal_lets_in_nobody_whom_another_wrote_by_hand(company: World) -> None:
    """Ken writes himself in between the form and its save; the save goes onto that, and stays what its author said."""
    reference = register(company, "shop", "taro", by="hana")
    sync()
    record = Record.objects.get(record_id=reference.partition(":")[2], kind="assignment")
    draft = save(AppKind.ASSIGNMENT, make_user(is_staff=True), {"expires_on": "2099-01-01"}, record=record)
    edit(company, reference, by="ken", users=["taro", "ken"])
    write_drafts()
    draft.refresh_from_db()
    record.refresh_from_db()
    assert (draft.state, draft.written_revision, record.revision) == ("written", 3, 3)
    assert (granted(company), held()) == (
        {("shop", "Reader", "taro")}, [("+kintone_user:ken", "writer_may_not")],
    )  # fmt: skip
    assert record.in_force is not None
    assert (record.in_force["users"], record.in_force["expires_on"]) == (["taro"], "2099-01-01")


def test_draft_that_was_given_up_holds_nothing(company: World) -> None:
    reference = register(company, "shop", "taro", by="hana")
    sync()
    record = Record.objects.get(record_id=reference.partition(":")[2], kind="assignment")
    values = {"kind": "assignment", "record": record, "author": make_user(), "values": {}, "base_revision": 1}
    Draft.objects.create(**values, request_key="refused", attempts=3, state=Draft.State.REFUSED)
    Draft.objects.create(**values, request_key="not begun")
    edit(company, reference, by="Administrator", users=["taro", "ken"])
    sync()
    assert granted(company) == {("shop", "Reader", "taro"), ("shop", "Reader", "ken")}


# --- Permission sets --------------------------------------------------------------------------------------------------


def test_set_does_more_by_the_word_of_who_answers_for_its_accounts(company: World) -> None:
    """Taro registered the set and owns nothing; hana owns shop, where it is in use."""
    number = company.sets.add_record({"name": "Writer", "managed_policies": "ReadOnlyAccess"}, by="taro")
    wish = {"account_id": company.account_ids["shop"], "permission_set": "Writer", "users": ["ken"]}
    company.assignments.add_record(wish, by="hana")
    sync()
    company.sets.edit_record(number, {"managed_policies": "AdministratorAccess", "description": "new"}, by="taro")
    assert "set_widens" in [problem["code"] for problem in sync().report["problems"]]
    assert policies_of("Writer") == (["arn:aws:iam::aws:policy/ReadOnlyAccess"], "new")
    company.sets.edit_record(number, {"description": "newer"}, by="taro")
    sync()
    assert policies_of("Writer") == (["arn:aws:iam::aws:policy/ReadOnlyAccess"], "newer")
    withheld = Withheld.objects.get()
    hana = make_user("hana", person=Person.objects.get(kintone_code="hana"))
    assert not may_confirm(make_user("taro", person=Person.objects.get(kintone_code="taro")), withheld)
    confirm(withheld, hana)
    sync()
    assert policies_of("Writer") == (["arn:aws:iam::aws:policy/AdministratorAccess"], "newer")
    company.sets.edit_record(number, {"managed_policies": ""}, by="taro")
    sync()
    assert policies_of("Writer") == ([], "newer"), "narrowing always goes through"


def policies_of(name: str) -> tuple[list[str], str]:
    actual = PermissionSet.objects.get(name=name).actual or {}
    return actual["managed_policies"], actual["description"]


def test_name_of_a_set_in_use_is_not_taken_by_a_new_record(company: World) -> None:
    company.assignments.add_record(
        {"account_id": company.account_ids["shop"], "permission_set": "Reader", "users": ["ken"]}, by="hana"
    )
    sync()
    company.sets.delete_records([1])
    company.sets.add_record({"name": "Reader", "managed_policies": "AdministratorAccess"}, by="taro")
    sync()
    assert policies_of("Reader")[0] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert granted(company) == {("shop", "Reader", "ken")}
    assert [code for _value, code in held()] == ["set_taken"]
