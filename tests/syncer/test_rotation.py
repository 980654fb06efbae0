"""What a full run reads: everything in its turn, and in between what is about to change and a share of the rest."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Assignment, Instance, OrganizationalUnit, PermissionSet
from simulators.aws import AwsWorld, Fault, ProvisioningFault
from syncer import runs
from syncer.changes import AssignmentChange, Kind, Plan, SetChange
from syncer.gateways.identity_center_reading import ReadOptions, read_actual
from syncer.gateways.reading_options import Known, Strategy
from syncer.models import Run
from syncer.preparing import Prepared, prepare, read_wish
from syncer.records.rhythm import Occasion
from syncer.rotation import (
    SHARES,
    Touched,
    Turn,
    find_touched,
    is_small,
    next_share,
    select_all,
    select_share,
    take_share,
)
from syncer.runs import Stopping
from syncer.states import ActualUnit, AssignmentKey, Coverage, PrincipalType, Reason, Scope, Unresolved
from tests.factories import make_change, make_run
from tests.syncer.conftest import OURS, AwsCast, Connect
from tests.syncer.running import counts_of, plan, state_of, sync
from tests.syncer.values import BANK, SET_RECORDS, SHOP, actual, key, lines, people, record
from tests.syncer.values import plan as plan_values
from tests.syncer.worlds import DOMAIN, FOREIGN, World

NOTHING = Touched()
SETTLED = FOREIGN | {("shop", "Reader", "hana")}


# --- Pure -------------------------------------------------------------------------------------------------------------


def test_shares_follow_each_other_and_begin_anew() -> None:
    assert [next_share(last) for last in (None, 0, 4, 5)] == [0, 1, 5, 0]


def test_all_shares_together_are_everything() -> None:
    units = {f"set{number}" for number in range(20)}
    shares = [take_share(units, share) for share in range(SHARES)]
    assert frozenset().union(*shares) == units
    assert sum(map(len, shares)) == 20


def test_plan_touches_pairs_sets_and_groups() -> None:
    changes = (AssignmentChange(Kind.CREATE, key(principal_id="developers")), SetChange(Kind.DELETE, "Reader"))
    held = (AssignmentChange(Kind.DELETE, key(BANK)),)
    assert find_touched(Plan(changes, held)) == Touched(
        pairs=frozenset({(SHOP, "Admin"), (BANK, "Admin")}),
        sets=frozenset({"Reader"}),
        whole_sets=frozenset({"Reader"}),
        groups=frozenset({"developers"}),
    )


def known(*assignments: AssignmentKey, **values: Any) -> Known:
    there = actual()
    defaults = {"sets": there.sets, "accounts": frozenset(there.accounts), "assignments": frozenset(assignments)}
    return Known(**defaults | values)


def test_only_what_was_read_is_changed() -> None:
    there = actual(key(), key(BANK), key(SHOP, "Reader"), coverage=Coverage(frozenset(), accounts=frozenset({BANK})))
    assert lines(plan_values(there=there).changes) == ["delete …2 Admin hana"]


def test_set_goes_only_once_all_its_assignments_are_known() -> None:
    coverages = [Coverage(frozenset(), sets=frozenset({name})) for name in ("Admin", "Reader")]
    plans = [plan_values(sets=SET_RECORDS[:1], there=actual(coverage=coverage)) for coverage in coverages]
    assert [lines(made.changes) for made in plans] == [[], ["delete Reader"]]


def test_unread_principal_keeps_what_he_has_and_gets_nothing() -> None:
    scope = Scope(principal_type=PrincipalType.USER, principal_id="hana")
    gap = Unresolved(scope, "sso-admin:ListAccountAssignmentsForPrincipal", Reason("aws_unavailable"))
    there = actual(key(BANK), key(BANK, principal_id="taro"), unresolved=(gap,))
    made = plan_values(record(1, "hana", "taro"), there=there)
    assert lines(made.changes) == ["create …1 Admin taro", "delete …2 Admin taro"]


def test_small_company_is_read_whole_in_every_run() -> None:
    """Five sets: three listings of accounts and 35 questions about sets are less than four seconds."""
    assert is_small(known(), tps=3.8)
    assert not is_small(known(), tps=3.7)


def test_proof_reads_everything() -> None:
    units = (ActualUnit("r-1", "Root"),)
    selection = select_all(actual(units=units), known(key()))
    assert (selection.coverage, selection.sets, selection.groups) == (Coverage(), None, None)
    assert selection.tags == {*actual().accounts, "r-1"}
    assert (selection.strategy, selection.predicted) == (Strategy.BY_ACCOUNT, 3 + 1)


def test_share_goes_by_what_is_cheapest() -> None:
    there = actual(principals=people(2))
    by_account = select_share(there, known(), NOTHING, Turn(is_proof=False, share=1), may=False)
    by_principal = select_share(there, known(), NOTHING, Turn(is_proof=False, share=1), may=True)
    assert (by_account.strategy, by_account.coverage.accounts) == (Strategy.BY_ACCOUNT, frozenset({BANK}))
    assert (by_principal.strategy, by_principal.coverage.principals) == (Strategy.BY_PRINCIPAL, frozenset({"person1"}))
    assert by_principal.in_place.sets == {"Legacy"}


def test_share_by_set_where_sets_are_fewer() -> None:
    there = actual(sets={name: one for name, one in actual().sets.items() if name in ("Admin", "Reader")})
    selection = select_share(there, known(), NOTHING, Turn(is_proof=False, share=1), may=False)
    assert (selection.strategy, selection.coverage.sets) == (Strategy.BY_SET, frozenset({"Reader"}))
    assert selection.sets == frozenset({"Reader"})


def test_what_is_touched_is_read_with_the_share() -> None:
    touched = Touched(frozenset({(SHOP, "Reader")}), frozenset({"Admin"}), frozenset({"Admin"}))
    selection = select_share(actual(), known(key(SHOP)), touched, Turn(is_proof=False, share=5), may=False)
    assert selection.coverage == Coverage(frozenset({(SHOP, "Reader")}), sets=frozenset({"Admin"}))
    assert selection.predicted == 1 + 2  # where Admin is, who has it in shop, and the pair


def test_sets_of_unknown_ownership_are_always_read() -> None:
    selection = select_share(actual(), known(sets={}), NOTHING, Turn(is_proof=False, share=5), may=False)
    assert selection.sets == frozenset(actual().sets)
    mirrored = select_share(actual(), known(), NOTHING, Turn(is_proof=False, share=5), may=False)
    assert mirrored.sets == frozenset({"Riddle"})


def test_accounts_without_tags_do_not_wait_for_their_turn() -> None:
    turn = Turn(is_proof=False, share=5, untagged=frozenset({BANK, "000000000009"}))
    units = (ActualUnit("r-1", "Root"), ActualUnit("ou-1", "new", "r-1"))
    selection = select_share(actual(units=units), known(units=units[:1]), NOTHING, turn, may=False)
    assert selection.tags == {BANK, "r-1", "ou-1"}


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_routine_reading_costs_a_quarter_of_a_proof(connect_center: Connect, aws_world: AwsWorld, aws: AwsCast) -> None:
    _fill(aws_world)
    center = connect_center()
    proof = read_actual(center, ReadOptions(ownership_tag=OURS, with_tags=True))
    assert proof.figures
    assert proof.figures.calls <= 1.05 * (104 + 1005)
    whole = center.calls.total()
    mirror = Known(
        proof.sets,
        frozenset(proof.accounts),
        {there.principal_id: there.type for there in proof.principals.values()},
        proof.units or (),
        proof.assignments,
    )
    options = ReadOptions(
        ownership_tag=OURS,
        known_names={there.arn: name for name, there in proof.sets.items()},
        known=mirror,
        with_units=False,
        select=lambda ground, may: select_share(ground, mirror, NOTHING, Turn(is_proof=False), may=may),
    )
    routine = read_actual(center, options)
    assert routine.unresolved == ()
    assert center.calls.total() - whole <= whole / 4
    assert routine.figures
    assert abs(routine.figures.predicted - routine.figures.calls) <= 5


def _fill(world: AwsWorld) -> None:
    """200 accounts, 100 sets of ours, 300 people and 1,000 pairs of three assignments each, beside what is there."""
    accounts = [world.add_account(f"a{number}", f"a{number}@example.com") for number in range(200)]
    sets = [world.add_permission_set(f"S{number}", tags=dict([OURS])) for number in range(100)]
    users = [world.add_user(f"u{number}@example.com", None, None) for number in range(300)]
    for pair in range(1000):
        account, arn = accounts[pair % 200], sets[(pair + pair // 200) % 100]
        for number in range(3):
            world.add_assignment(account, arn, "USER", users[(pair * 3 + number) % 300])


# --- Runs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(world: World, settings: Settings) -> World:
    """Hana has Reader in shop, after a first run; the company is too large to be read whole in every run."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    settings.IDENTITY_CENTER_TPS, settings.DRIFT = 0.5, "overwrite"
    assert sync().code == 0
    return world


def work_off() -> Run:
    runs.queue_full_run()
    assert runs.work_off_queue() == 1
    return Run.objects.latest("pk")


@pytest.mark.django_db
class TestRuns:
    def test_first_run_is_a_proof(self, settled: World) -> None:
        run = Run.objects.get()
        assert (run.is_proof, run.share) == (True, None)
        assert run.reading["strategy"] in ("by_set", "by_account")
        assert {"predicted", "calls", "seconds"} <= run.reading.keys()

    def test_shares_take_turns_between_proofs(self, settled: World) -> None:
        made = [work_off() for _run in range(3)]
        assert [(run.is_proof, run.share) for run in made] == [(False, 0), (False, 1), (False, 2)]

    def test_proof_is_due_after_an_hour(self, settled: World) -> None:
        Run.objects.update(started_at=timezone.now() - timedelta(minutes=56))
        assert work_off().is_proof
        assert not work_off().is_proof

    def test_everything_is_a_proof(self, settled: World) -> None:
        assert sync("--full").code == 0
        assert Run.objects.latest("pk").is_proof

    @pytest.mark.parametrize("status", [Run.Status.LOST, Run.Status.FAILED])
    def test_proof_is_due_after_a_run_went_wrong(self, settled: World, status: Run.Status) -> None:
        run = make_run(status=status, kind=Run.Kind.CHANGES)
        make_change(run, outcome="failed")
        assert work_off().is_proof
        assert not work_off().is_proof

    def test_unread_proof_is_made_again(self, settled: World) -> None:
        where = {"AccountId": settled.account_ids["shop"]}
        settled.aws.faults.add(Fault("sso-admin:ListAccountAssignments", code="AccessDeniedException", where=where))
        Run.objects.update(started_at=timezone.now() - timedelta(minutes=56))
        assert not work_off().is_proof
        settled.aws.faults.clear()
        assert [work_off().is_proof for _run in range(2)] == [True, False]

    def test_small_company_sees_everything_in_every_run(self, settled: World, settings: Settings) -> None:
        settings.IDENTITY_CENTER_TPS = 1000
        settled.aws.organization.units[_unit_of(settled)].name = "products"
        settled.assign("blog", "Reader", "ken")
        run = work_off()
        assert (run.is_proof, run.share, run.counts["delete"]) == (True, None, 1)
        assert OrganizationalUnit.objects.get(ou_id=_unit_of(settled)).name == "products"

    def test_plan_reads_everything(self, settled: World) -> None:
        settled.assign("blog", "Reader", "ken")
        assert plan().counts == counts_of(delete=1)

    def test_what_aws_refused_stands_failed_whatever_the_share(self, settled: World) -> None:
        """Nobody tries it, so nobody reads the pair: that is no reason to promise it for the next run."""
        settled.aws.faults.add(ProvisioningFault("No.", settled.account_ids["blog"]))
        settled.register("blog", "Reader", "taro")
        assert work_off().counts["failed"] == 1
        made = [work_off() for _run in range(SHARES)]
        assert any(not run.is_proof for run in made)
        assert {run.counts["failed"] for run in made} == {1}
        row = Assignment.objects.get(account__name="blog", permission_set__name="Reader")
        assert (row.state, row.reason["code"]) == (Assignment.State.FAILED, "aws_refused")

    def test_new_record_is_applied_whatever_the_share(self, settled: World) -> None:
        for account, person in (("blog", "taro"), ("platform", "ken"), ("shop", "ken")):
            settled.register(account, "Reader", person)
            run = work_off()
            assert (run.is_proof, run.counts["create"], run.counts["failed"]) == (False, 1, 0)
            assert (account, "Reader", person) in settled.granted()

    def test_record_that_came_too_late_is_left_to_the_next_look(
        self, settled: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It came when AWS had been read already, and was mirrored by a look that died."""

        def prepare_and_wait(*arguments: Any, **options: Any) -> Prepared:
            prepared = prepare(*arguments, **options)
            settled.register("blog", "Reader", "taro")
            read_wish(Occasion.LOOK)
            return prepared

        with monkeypatch.context() as patch:
            patch.setattr("syncer.runs.prepare", prepare_and_wait)
            run = work_off()
        assert (run.is_proof, run.counts["create"], run.counts["failed"]) == (False, 0, 0)
        assert state_of("blog", "Reader", "taro") == Assignment.State.REQUESTED
        look = runs.run_changes(Stopping())
        assert look
        assert look.counts["create"] == 1
        assert runs.run_changes(Stopping()) is None

    def test_new_set_comes_with_its_assignment(self, settled: World) -> None:
        settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
        settled.register("blog", "Viewer", "taro")
        run = work_off()
        assert (run.is_proof, run.counts["create"]) == (False, 2)

    def test_set_without_record_goes(self, settled: World) -> None:
        record = settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
        work_off()
        settled.delete(record)
        run = work_off()
        assert (run.is_proof, run.counts["delete"]) == (False, 1)
        assert "Viewer" not in {there.name for there in settled.aws.center.sets.values()}

    def test_set_without_record_stays_while_somebody_has_it(self, settled: World) -> None:
        """Ken got it by hand, which the mirror does not know."""
        record = settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
        work_off()
        settled.delete(record)
        settled.assign("blog", "Viewer", "ken")
        run = work_off()
        assert next((change.object, change.kind) for change in run.changes.all()) == ("assignment", "delete")

    def test_what_was_made_by_hand_is_found_within_six_runs(self, settled: World) -> None:
        settled.assign("blog", "Reader", "ken")
        found = [work_off().counts["delete"] for _run in range(SHARES)]
        assert sum(found) == 1
        assert settled.granted() == SETTLED

    def test_what_a_plan_found_is_read_by_the_next_run(self, settled: World) -> None:
        settled.assign("blog", "Reader", "ken")
        for name in ("Reader", "Viewer"):
            settled.aws.change_permission_set(settled.aws.permission_set_arn("Reader"), description=name)
        assert plan().counts == counts_of(update=1, delete=1)
        run = work_off()
        assert (run.is_proof, run.counts["update"], run.counts["delete"]) == (False, 1, 1)

    def test_definition_changed_by_hand_is_found_within_six_runs(self, settled: World) -> None:
        settled.aws.change_permission_set(settled.aws.permission_set_arn("Reader"), description="by hand")
        assert sum(work_off().counts["update"] for _run in range(SHARES)) == 1

    def test_routine_run_judges_everything(self, settled: World) -> None:
        rows = list(Assignment.objects.order_by("pk").values_list("pk", "state", "in_aws", "since"))
        states = list(PermissionSet.objects.order_by("pk").values_list("pk", "state", "ownership", "read_at"))
        run = work_off()
        assert (run.is_proof, run.counts["unchanged"]) == (False, 2)
        assert list(Assignment.objects.order_by("pk").values_list("pk", "state", "in_aws", "since")) == rows
        after = PermissionSet.objects.order_by("pk").values_list("pk", "state", "ownership", "read_at")
        assert sum(one != other for one, other in zip(states, after, strict=True)) == 0  # the share is Legacy, not ours

    def test_pair_that_could_not_be_read_is_read_again(self, settled: World) -> None:
        where = {"AccountId": settled.account_ids["shop"]}
        fault = Fault("sso-admin:ListAccountAssignments", code="AccessDeniedException", where=where)
        settled.aws.faults.add(fault)
        sync("--full")
        assert state_of("shop", "Reader", "hana") == Assignment.State.UNRESOLVED
        settled.aws.faults.clear()
        make_run(is_proof=True)
        run = work_off()
        assert (run.is_proof, run.status) == (False, Run.Status.DONE)
        assert state_of("shop", "Reader", "hana") == Assignment.State.GRANTED

    def test_set_with_unread_tags_is_whose_it_was(self, settled: World) -> None:
        where = {"ResourceArn": settled.aws.permission_set_arn("Reader")}
        settled.aws.faults.add(Fault("sso-admin:ListTagsForResource", code="AccessDeniedException", where=where))
        sync("--full")
        reader = PermissionSet.objects.get(name="Reader")
        assert (reader.ownership, reader.state) == ("ours", PermissionSet.State.UNRESOLVED)

    def test_statements_of_a_routine_run_do_not_grow_with_rows(self, settled: World) -> None:
        counts = []
        for first, last in ((0, 10), (10, 60)):
            for number in range(first, last):
                settled.provision(f"p{number}")
                settled.kintone.add_user(f"p{number}", f"p{number}", email=f"p{number}@{DOMAIN}")
                settled.register("shop", "Reader", f"p{number}")
                settled.assign("shop", "Reader", f"p{number}")
            work_off()
            Run.objects.update(share=None)  # the same share each time
            with CaptureQueriesContext(connection) as queries:
                assert not work_off().is_proof
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_targeted_run_judges_its_pairs_only(self, settled: World) -> None:
        settled.unassign("shop", "Reader", "hana")
        settled.register("blog", "Reader", "taro")
        run = runs.run_changes(Stopping())
        assert run
        assert (run.counts["create"], run.is_proof, run.share) == (1, False, None)
        assert state_of("shop", "Reader", "hana") == Assignment.State.GRANTED

    def test_listing_by_principal_is_tried_once_a_day(self, settled: World) -> None:
        operation = "sso-admin:ListAccountAssignmentsForPrincipal"
        assert settled.aws.calls[operation] == 1
        work_off()
        assert settled.aws.calls[operation] == 1
        Instance.objects.update(tried_at=timezone.now() - timedelta(hours=25))
        work_off()
        assert settled.aws.calls[operation] == 2
        assert Instance.objects.get().may_list_by_principal is False

    def test_share_is_listed_by_principal_where_that_is_cheaper(self, settled: World) -> None:
        settled.aws.delegated_lists_by_principal = True
        Instance.objects.update(tried_at=None)
        for number in range(20):
            settled.add_set(f"Foreign{number}", ours=False)
            for account in ("shop", "blog", "platform"):
                settled.assign(account, f"Foreign{number}", "hana")
        sync("--full")
        assert Instance.objects.get().may_list_by_principal is True
        run = work_off()
        assert (run.reading["strategy"], run.share, run.status) == ("by_principal", 0, Run.Status.DONE)

    def test_right_taken_away_is_remembered(self, settled: World) -> None:
        Instance.objects.update(may_list_by_principal=True)
        for number in range(20):
            settled.add_set(f"Foreign{number}", ours=False)
            for account in ("shop", "blog", "platform"):
                settled.assign(account, f"Foreign{number}", "hana")
        sync("--full")
        Instance.objects.update(may_list_by_principal=True, tried_at=timezone.now())
        run = work_off()
        assert (run.reading["strategy"], run.status) == ("by_set", Run.Status.DONE)
        assert Instance.objects.get().may_list_by_principal is False


# --- Tags of owners ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestTags:
    def test_tags_are_kept_as_they_are(self, world: World) -> None:
        world.aws.set_tags(world.account_ids["shop"], {"owners": "hana@example.com", "cost": "42"})
        world.aws.set_tags(_unit_of(world), {"owners": "taro@example.com"})
        sync()
        shop = Account.objects.get(name="shop")
        assert (shop.owners_tag, shop.tags) == ("hana@example.com", {"owners": "hana@example.com", "cost": "42"})
        assert shop.tags_read_at
        assert OrganizationalUnit.objects.get(name="service").owners_tag == "taro@example.com"

    def test_key_of_the_tag_is_a_setting(self, world: World, settings: Settings) -> None:
        settings.ACCOUNT_OWNERS_TAG = "responsible"
        world.aws.set_tags(world.account_ids["shop"], {"owners": "hana@example.com", "responsible": "taro@example.com"})
        sync()
        assert Account.objects.get(name="shop").owners_tag == "taro@example.com"

    def test_unreadable_tags_stay_as_last_known(self, settled: World) -> None:
        settled.aws.set_tags(settled.account_ids["shop"], {"owners": "hana@example.com"})
        sync("--full")
        settled.aws.set_tags(settled.account_ids["shop"], {"owners": "taro@example.com"})
        settled.aws.faults.add(Fault("organizations:ListTagsForResource", code="ServiceException", status=500))
        assert sync("--full").code == 1
        assert Account.objects.get(name="shop").owners_tag == "hana@example.com"

    def test_company_without_that_right_is_told_and_goes_on(self, settled: World) -> None:
        settled.aws.faults.add(Fault("organizations:ListTagsForResource", code="AccessDeniedException"))
        outcome = sync("--full")
        assert (outcome.code, outcome.report["unresolved"], outcome.codes) == (0, [], {"owners_tags_denied"})

    def test_new_account_is_asked_for_its_tags_at_once(self, settled: World) -> None:
        new = settled.aws.add_account("new", "new@example.com", _unit_of(settled))
        settled.aws.set_tags(new, {"owners": "hana@example.com"})
        assert not work_off().is_proof
        assert Account.objects.get(name="new").owners_tag == "hana@example.com"


def _unit_of(world: World) -> str:
    """The id of the only unit."""
    return next(iter(world.aws.organization.units))
