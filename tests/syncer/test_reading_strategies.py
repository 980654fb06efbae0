"""Ways to find out who is assigned what: what they see, what they cost, and which one is taken."""

from dataclasses import replace
from typing import Any

import pytest

from simulators.aws import AwsWorld, Fault
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_reading import ReadOptions, read_actual
from syncer.gateways.reading_costs import Counts, choose, predict
from syncer.gateways.reading_options import Known, Selection, Strategy
from syncer.states import Actual, AssignmentKey, Coverage, PrincipalType, Scope
from tests.syncer.conftest import OURS, AwsCast

USER, GROUP = PrincipalType.USER, PrincipalType.GROUP
OPTIONS = ReadOptions(ownership_tag=OURS)
BY_PRINCIPAL = replace(OPTIONS, strategy=Strategy.BY_PRINCIPAL)
LARGE = Counts(accounts=200, sets=100, pairs=1000, principals=300)


# --- Prediction -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "calls"), [(Strategy.BY_SET, 1100), (Strategy.BY_ACCOUNT, 1199), (Strategy.BY_PRINCIPAL, 300)]
)
def test_cost_of_a_large_organization(strategy: Strategy, calls: int) -> None:
    assert predict(strategy, LARGE) == calls


def test_listings_of_many_rows_take_pages() -> None:
    assert predict(Strategy.BY_SET, Counts(accounts=300, sets=2, pairs=500, principals=0)) == 2 * 3 + 500


def test_empty_organization_costs_nothing() -> None:
    nothing = Counts(accounts=1, sets=0, pairs=0, principals=0)
    assert {predict(strategy, nothing) for strategy in Strategy} == {0}


@pytest.mark.parametrize(
    ("sizes", "may", "needs_everything", "chosen"),
    [
        (LARGE, False, False, Strategy.BY_SET),
        (replace(LARGE, sets=300), False, False, Strategy.BY_ACCOUNT),
        (LARGE, True, False, Strategy.BY_PRINCIPAL),
        (LARGE, True, True, Strategy.BY_SET),
        (replace(LARGE, principals=2000), True, False, Strategy.BY_SET),
    ],
)
def test_cheapest_way_that_sees_enough_is_taken(
    sizes: Counts, may: bool, needs_everything: bool, chosen: Strategy
) -> None:
    assert choose(sizes, may_list_by_principal=may, needs_everything=needs_everything) is chosen


# --- By principal -----------------------------------------------------------------------------------------------------


@pytest.fixture
def allowed(center: IdentityCenter, aws_world: AwsWorld) -> IdentityCenter:
    """A gateway of a delegated administrator who may list by principal."""
    aws_world.delegated_lists_by_principal = True
    return center


def test_by_principal_gives_what_the_pairs_give(allowed: IdentityCenter, aws: AwsCast) -> None:
    """Hana is a member of developers: what she has by the group is the group's alone."""
    actual = read_actual(allowed, BY_PRINCIPAL)
    assert actual.assignments == read_actual(allowed, OPTIONS).assignments
    assert (actual.unresolved, actual.coverage.is_complete) == ((), False)
    assert all(actual.coverage.covers(key) for key in actual.assignments)


def test_by_principal_asks_once_for_each(allowed: IdentityCenter, aws: AwsCast) -> None:
    figures = read_actual(allowed, BY_PRINCIPAL).figures
    assert figures
    assert (figures.strategy, figures.predicted, figures.calls) == (Strategy.BY_PRINCIPAL, 3, 3)
    assert (figures.may_list_by_principal, figures.is_proof) == (True, False)


def test_by_principal_is_blind_to_orphans(allowed: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.remove_user(aws.hana)
    orphan = AssignmentKey(aws.shop, "Admin", USER, aws.hana)
    actual = read_actual(allowed, BY_PRINCIPAL)
    assert orphan not in actual.assignments
    assert not actual.coverage.covers(orphan)


def test_unlisted_principal_is_unresolved_alone(allowed: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    operation = "sso-admin:ListAccountAssignmentsForPrincipal"
    aws_world.faults.add(Fault(operation, code="InternalServerException", status=500, where={"PrincipalId": aws.hana}))
    actual = read_actual(allowed, BY_PRINCIPAL)
    [note] = actual.unresolved
    assert (note.scope, note.operation) == (Scope(principal_type=USER, principal_id=aws.hana), operation)
    assert str(note.scope) == f"user {aws.hana}"
    assert AssignmentKey(aws.shop, "Legacy", USER, aws.taro) in actual.assignments


def test_denial_falls_back_to_pairs(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    actual = read_actual(center, BY_PRINCIPAL)
    assert (actual.unresolved, actual.coverage) == ((), Coverage())
    assert len(actual.assignments) == 5
    figures = actual.figures
    assert figures
    assert (figures.strategy, figures.may_list_by_principal) == (Strategy.BY_ACCOUNT, False)


def test_denial_halfway_falls_back_too(allowed: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    fault = Fault("sso-admin:ListAccountAssignmentsForPrincipal", code="AccessDeniedException", nth=2)
    aws_world.faults.add(fault)
    actual = read_actual(allowed, BY_PRINCIPAL)
    assert (actual.unresolved, len(actual.assignments)) == ((), 5)


# --- A part of everything ---------------------------------------------------------------------------------------------


def known(actual: Actual) -> ReadOptions:
    """Options of a reading that picks, after one of everything."""
    names = {there.arn: name for name, there in actual.sets.items()}
    principals = {key: principal.type for key, principal in actual.principals.items()}
    mirror = Known(actual.sets, frozenset(actual.accounts), principals, actual.units or (), actual.assignments)
    return replace(OPTIONS, known_names=names, known=mirror, with_units=False)


def pick(options: ReadOptions, coverage: Coverage, **values: Any) -> ReadOptions:
    selection = replace(Selection(coverage, Strategy.BY_SET, sets=frozenset()), **values)
    return replace(options, select=lambda _actual, _may: selection)


def test_whole_set_is_read_alone(center: IdentityCenter, aws: AwsCast) -> None:
    options = pick(known(read_actual(center, OPTIONS)), Coverage(frozenset(), sets=frozenset({"Admin"})))
    actual = read_actual(center, options)
    assert actual.assignments == {
        AssignmentKey(aws.shop, "Admin", USER, aws.hana),
        AssignmentKey(aws.closed, "Admin", USER, aws.hana),
    }
    assert actual.coverage.covers_set("Admin")
    assert actual.sets.keys() == {"Reader", "Admin", "Legacy", "Root"}


def test_whole_account_is_read_alone(center: IdentityCenter, aws: AwsCast) -> None:
    options = pick(known(read_actual(center, OPTIONS)), Coverage(frozenset(), accounts=frozenset({aws.closed})))
    assert read_actual(center, options).assignments == {AssignmentKey(aws.closed, "Admin", USER, aws.hana)}


def test_definitions_not_picked_are_the_mirrors(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    options = known(read_actual(center, OPTIONS))
    for arn in (aws.reader, aws.admin):
        aws_world.change_permission_set(arn, description="new")
    actual = read_actual(center, pick(options, Coverage(frozenset()), sets=frozenset({"Reader"})))
    descriptions = {name: there.definition.description for name, there in actual.sets.items() if there.definition}
    assert (descriptions["Reader"], descriptions["Admin"]) == ("new", "everything")
    assert actual.sets_read == frozenset({"Reader"})
    assert actual.sets["Admin"].stale_accounts == frozenset()


def test_sets_of_pairs_keep_their_definition(center: IdentityCenter, aws: AwsCast) -> None:
    """Only whose they are is asked."""
    whole = read_actual(center, OPTIONS)
    actual = read_actual(center, pick(known(whole), Coverage(frozenset({(aws.shop, "Admin")}))))
    assert actual.sets["Admin"] == whole.sets["Admin"]


def test_new_sets_are_always_described_with_their_tags(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    options = known(read_actual(center, OPTIONS))
    aws_world.add_permission_set("New", tags=dict([OURS]))
    actual = read_actual(center, pick(options, Coverage(frozenset())))
    assert (actual.sets["New"].ownership, actual.sets["New"].definition) == ("ours", None)


def test_units_are_walked_again_once_an_account_has_moved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    options = pick(known(read_actual(center, OPTIONS)), Coverage(frozenset()))
    assert read_actual(center, options).units is None
    aws_world.move_account(aws.shop, aws_world.add_ou("new", aws.service_ou))
    assert "new" in {unit.name for unit in read_actual(center, options).units or ()}


def test_pair_that_vanished_from_the_listings_is_asked_for(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    options = replace(known(read_actual(center, OPTIONS)), strategy=Strategy.BY_SET)
    aws_world.remove_assignment(aws.shop, aws.admin, "USER", aws.hana)
    before = center.calls["sso-admin:ListAccountAssignments"]
    actual = read_actual(center, options)
    assert AssignmentKey(aws.shop, "Admin", USER, aws.hana) not in actual.assignments
    assert center.calls["sso-admin:ListAccountAssignments"] - before == 5


# --- Tags of owners ---------------------------------------------------------------------------------------------------


def test_tags_of_accounts_and_units_are_read(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.set_tags(aws.shop, {"owners": "hana@example.com"})
    aws_world.set_tags(aws.service_ou, {"owners": "taro@example.com", "cost": "42"})
    tags = read_actual(center, replace(OPTIONS, with_tags=True)).tags
    assert tags[aws.shop] == {"owners": "hana@example.com"}
    assert tags[aws.service_ou] == {"owners": "taro@example.com", "cost": "42"}
    assert tags[aws.platform] == {}


def test_tags_that_may_not_be_read_are_told_once(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(Fault("organizations:ListTagsForResource", code="AccessDeniedException"))
    actual = read_actual(center, replace(OPTIONS, with_tags=True))
    [note] = actual.unresolved
    assert (note.scope, note.blocks, note.about) == (Scope(), "none", "tags of accounts and units")
    assert actual.tags == {}


def test_unread_tags_of_one_account_stay_unknown(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    operation = "organizations:ListTagsForResource"
    aws_world.faults.add(Fault(operation, code="ServiceException", status=500, where={"ResourceId": aws.shop}))
    actual = read_actual(center, replace(OPTIONS, with_tags=True))
    [note] = actual.unresolved
    assert (note.scope, note.blocks) == (Scope(target_id=aws.shop), "none")
    assert aws.shop not in actual.tags
    assert aws.platform in actual.tags
