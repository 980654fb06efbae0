"""One reading of everything: what it gives, what it costs, and what each failed question leaves unresolved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from simulators.aws import AwsWorld, Fault
from simulators.serving import Response, Serving
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_reading import ReadOptions, assigned_groups, read_actual
from syncer.states import (
    EVERY_PAIR,
    Actual,
    ActualInstance,
    AssignmentKey,
    Coverage,
    Definition,
    Ownership,
    PrincipalType,
    Scope,
    Unresolved,
)
from tests.syncer.conftest import OURS, READ_ONLY, AwsCast, Connect
from tests.syncer.test_gateway_identity_center import Retouched

USER, GROUP = PrincipalType.USER, PrincipalType.GROUP
OPTIONS = ReadOptions(ownership_tag=OURS)
EVERYTHING = Scope()


def known_names(aws: AwsCast) -> dict[str, str]:
    return {aws.reader: "Reader", aws.admin: "Admin", aws.legacy: "Legacy", aws.terraform: "Root"}


def break_down(world: AwsWorld, operation: str, **where: Any) -> None:
    world.faults.add(Fault(operation, code="AccessDeniedException", where=where))


def notes(actual: Actual) -> set[tuple[Scope, str, str]]:
    """What is unresolved: scope, operation, and what it blocks."""
    return {(note.scope, note.operation, note.blocks) for note in actual.unresolved}


def spent(center: IdentityCenter, before: Mapping[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in center.calls.items() if count > before.get(name, 0)}


# What a whole reading gives


@pytest.mark.parametrize("empty_pages", [False, True])
def test_reads_everything(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, empty_pages: bool) -> None:
    aws_world.empty_pages = empty_pages
    actual = read_actual(center, OPTIONS)
    assert actual.unresolved == ()
    assert actual.instance == center.find_instance()
    assert actual.accounts.keys() == {aws_world.management_account_id, aws.platform, aws.shop, aws.closed}
    assert actual.principals.keys() == {aws.hana, aws.taro, aws.developers}
    assert {unit.name for unit in actual.units or ()} == {"Root", "admin", "service"}
    assert actual.assignments == {
        AssignmentKey(aws.shop, "Reader", GROUP, aws.developers),
        AssignmentKey(aws.shop, "Admin", USER, aws.hana),
        AssignmentKey(aws.closed, "Admin", USER, aws.hana),
        AssignmentKey(aws.shop, "Legacy", USER, aws.taro),
        AssignmentKey(aws_world.management_account_id, "Root", USER, aws.hana),
    }
    assert (actual.memberships, actual.policies, actual.coverage) == (None, None, EVERY_PAIR)


def test_tells_whose_sets_are(center: IdentityCenter, aws: AwsCast) -> None:
    sets = read_actual(center, OPTIONS).sets
    assert {name: one.ownership for name, one in sets.items()} == {
        "Reader": Ownership.OURS,
        "Admin": Ownership.OURS,
        "Legacy": Ownership.NOT_OURS,
        "Root": Ownership.TERRAFORM,
    }


def test_reads_definitions_of_ours_and_terraforms(center: IdentityCenter, aws: AwsCast) -> None:
    sets = read_actual(center, OPTIONS).sets
    assert sets["Reader"].definition == Definition(managed_policies=frozenset({READ_ONLY}))
    assert sets["Legacy"].definition is None
    assert sets["Root"].definition is not None


def test_reads_where_older_versions_can_be_renewed(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    """The closed account holds one as well, and AWS would refuse."""
    aws_world.change_permission_set(aws.admin, description="new")
    assert read_actual(center, OPTIONS).sets["Admin"].stale_accounts == {aws.shop}


def test_finds_orphans(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.remove_user(aws.hana)
    actual = read_actual(center, OPTIONS)
    assert aws.hana not in actual.principals
    assert AssignmentKey(aws.shop, "Admin", USER, aws.hana) in actual.assignments


def test_reads_policies_when_asked(center: IdentityCenter) -> None:
    policies = read_actual(center, replace(OPTIONS, with_policies=True)).policies
    assert READ_ONLY in {policy.arn for policy in policies or ()}


def test_reads_members_of_assigned_groups(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.add_group("unassigned")
    actual = read_actual(center, replace(OPTIONS, with_memberships_of="assigned"))
    assert actual.memberships == {aws.developers: frozenset({aws.hana})}


def test_reads_members_of_the_groups_named(center: IdentityCenter, aws_world: AwsWorld) -> None:
    group = aws_world.add_group("owners")
    actual = read_actual(center, replace(OPTIONS, with_memberships_of=frozenset({group, "gone"})))
    assert actual.memberships == {group: frozenset()}


def test_reads_members_of_the_groups_picked(center: IdentityCenter, aws: AwsCast) -> None:
    actual = read_actual(center, replace(OPTIONS, with_memberships_of=assigned_groups))
    assert actual.memberships == {aws.developers: frozenset({aws.hana})}


def test_says_how_far_it_is(center: IdentityCenter) -> None:
    progress: list[int] = []
    read_actual(center, replace(OPTIONS, progress=progress.append))
    assert progress == sorted(progress)
    assert progress[-1] == center.calls.total()


# What it costs


def test_goes_by_set_where_sets_are_fewer(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    for number in range(5):
        aws_world.add_account(f"more {number}", f"more{number}@example.com")
    actual = read_actual(center, OPTIONS)
    assert len(actual.assignments) == 5
    assert center.calls["sso-admin:ListPermissionSetsProvisionedToAccount"] == 1  # the management account's
    assert center.calls["sso-admin:ListAccountAssignments"] == 5


def test_goes_by_account_where_accounts_are_fewer(center: IdentityCenter, aws: AwsCast) -> None:
    actual = read_actual(center, OPTIONS)
    assert len(actual.assignments) == 5
    assert center.calls["sso-admin:ListPermissionSetsProvisionedToAccount"] == 4
    # Only where older versions of our two sets are.
    assert center.calls["sso-admin:ListAccountsForProvisionedPermissionSet"] == 2


def test_describes_each_set_once(center: IdentityCenter) -> None:
    read_actual(center, OPTIONS)
    assert center.calls["sso-admin:DescribePermissionSet"] == 4
    assert center.calls["sso-admin:ListTagsForResource"] == 3  # not of the management account's


# What a failed question leaves unresolved


@pytest.mark.parametrize(
    "operation",
    [
        "sso-admin:ListInstances",
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        "sso-admin:ListPermissionSets",
    ],
)
def test_without_its_ground_everything_is_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, operation: str
) -> None:
    break_down(aws_world, operation)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(EVERYTHING, operation, "all")}
    assert (actual.sets, actual.assignments) == ({}, frozenset())
    assert actual.unresolved[0].reason.code == "aws_denied"


def test_unknown_management_sets_leave_everything_unresolved(center: IdentityCenter, aws_world: AwsWorld) -> None:
    operation = "sso-admin:ListPermissionSetsProvisionedToAccount"
    break_down(aws_world, operation, AccountId=aws_world.management_account_id)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(EVERYTHING, operation, "all")}
    assert (actual.sets, actual.assignments) == ({}, frozenset())


def test_several_failures_are_all_noted(center: IdentityCenter, aws_world: AwsWorld) -> None:
    break_down(aws_world, "organizations:ListAccounts")
    break_down(aws_world, "identitystore:ListUsers")
    assert notes(read_actual(center, OPTIONS)) == {
        (EVERYTHING, "organizations:ListAccounts", "all"),
        (Scope(principal_type=USER), "identitystore:ListUsers", "names"),
    }


def test_unreachable_aws_leaves_everything_unresolved(connect_center: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with Serving(lambda _request: Response()) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
    actual = read_actual(connect_center(), OPTIONS)
    assert [note.reason.code for note in actual.unresolved] == ["aws_unreachable"]
    assert actual.unresolved[0].scope == EVERYTHING


def test_set_that_cannot_be_described_is_known_by_the_mirror(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    break_down(aws_world, "sso-admin:DescribePermissionSet", PermissionSetArn=aws.reader)
    actual = read_actual(center, replace(OPTIONS, known_names=known_names(aws)))
    assert notes(actual) == {(Scope(permission_set="Reader"), "sso-admin:DescribePermissionSet", "all")}
    assert actual.sets.keys() == {"Admin", "Legacy", "Root"}


def test_set_that_nobody_can_name_leaves_everything_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    break_down(aws_world, "sso-admin:DescribePermissionSet", PermissionSetArn=aws.reader)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(EVERYTHING, "sso-admin:DescribePermissionSet", "all")}
    assert actual.unresolved[0].about == aws.reader


def test_set_without_readable_tags_is_nobodys(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    break_down(aws_world, "sso-admin:ListTagsForResource", ResourceArn=aws.reader)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(permission_set="Reader"), "sso-admin:ListTagsForResource", "all")}
    assert actual.sets["Reader"].ownership is Ownership.UNKNOWN


@pytest.mark.parametrize(
    "operation",
    [
        "sso-admin:ListManagedPoliciesInPermissionSet",
        "sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet",
        "sso-admin:GetInlinePolicyForPermissionSet",
        "sso-admin:GetPermissionsBoundaryForPermissionSet",
    ],
)
def test_unreadable_definition_leaves_its_set_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, operation: str
) -> None:
    break_down(aws_world, operation, PermissionSetArn=aws.admin)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(permission_set="Admin"), operation, "all")}
    assert actual.sets["Admin"].definition is None
    assert actual.sets["Reader"].definition is not None


def test_unreadable_definition_of_terraforms_blocks_nothing(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    operation = "sso-admin:GetInlinePolicyForPermissionSet"
    break_down(aws_world, operation, PermissionSetArn=aws.terraform)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(permission_set="Root"), operation, "none")}
    assert actual.sets["Root"].ownership is Ownership.TERRAFORM


def test_unknown_older_versions_leave_their_set_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    operation = "sso-admin:ListAccountsForProvisionedPermissionSet"
    break_down(aws_world, operation, PermissionSetArn=aws.admin)
    assert notes(read_actual(center, OPTIONS)) == {(Scope(permission_set="Admin"), operation, "all")}


def test_unknown_accounts_of_a_set_leave_it_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    for number in range(5):
        aws_world.add_account(f"more {number}", f"more{number}@example.com")
    operation = "sso-admin:ListAccountsForProvisionedPermissionSet"
    break_down(aws_world, operation, PermissionSetArn=aws.legacy)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(permission_set="Legacy"), operation, "all")}
    assert {key.permission_set for key in actual.assignments} == {"Reader", "Admin", "Root"}


def test_unknown_sets_of_an_account_leave_it_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    operation = "sso-admin:ListPermissionSetsProvisionedToAccount"
    break_down(aws_world, operation, AccountId=aws.closed)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(target_id=aws.closed), operation, "all")}
    assert AssignmentKey(aws.shop, "Admin", USER, aws.hana) in actual.assignments


def test_unlisted_pair_is_unresolved_alone(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    operation = "sso-admin:ListAccountAssignments"
    break_down(aws_world, operation, AccountId=aws.shop, PermissionSetArn=aws.admin)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(aws.shop, "Admin"), operation, "all")}
    assert AssignmentKey(aws.closed, "Admin", USER, aws.hana) in actual.assignments


@pytest.mark.parametrize(
    ("operation", "principal_type"), [("identitystore:ListUsers", USER), ("identitystore:ListGroups", GROUP)]
)
def test_unlisted_principals_block_deletes_and_new_names(
    center: IdentityCenter, aws_world: AwsWorld, operation: str, principal_type: PrincipalType
) -> None:
    break_down(aws_world, operation)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(principal_type=principal_type), operation, "names")}
    assert len(actual.assignments) == 5
    assert {principal.type for principal in actual.principals.values()} == {USER, GROUP} - {principal_type}


def test_store_without_users_is_not_believed(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    for user_id in (aws.hana, aws.taro):
        aws_world.remove_user(user_id)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(Scope(principal_type=USER), "identitystore:ListUsers", "names")}
    assert {note.reason.code for note in actual.unresolved} == {"aws_empty"}


def test_store_without_groups_is_believed_once_aws_knows_none(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    aws_world.remove_group(aws.developers)
    actual = read_actual(center, OPTIONS)
    assert actual.unresolved == ()
    assert center.calls["identitystore:DescribeGroup"] == 1


def test_empty_list_of_groups_that_are_there_is_not_believed(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Serving(Retouched(aws_world, "ListGroups", Groups=[])) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        actual = read_actual(connect_center(), OPTIONS)
    assert notes(actual) == {(Scope(principal_type=GROUP), "identitystore:ListGroups", "names")}


@pytest.mark.parametrize("operation", ["organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent"])
def test_unwalked_units_block_what_depends_on_them(center: IdentityCenter, aws_world: AwsWorld, operation: str) -> None:
    break_down(aws_world, operation)
    actual = read_actual(center, OPTIONS)
    assert notes(actual) == {(EVERYTHING, operation, "units")}
    assert (actual.units, actual.unresolved[0].about) == (None, "organizational units")
    assert len(actual.assignments) == 5


def test_unlisted_members_block_nothing(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    break_down(aws_world, "identitystore:ListGroupMemberships")
    actual = read_actual(center, replace(OPTIONS, with_memberships_of="assigned"))
    assert notes(actual) == {
        (Scope(principal_type=GROUP, principal_id=aws.developers), "identitystore:ListGroupMemberships", "none")
    }
    assert (actual.memberships, actual.unresolved[0].about) == ({}, "members of developers")


def test_unlisted_policies_block_nothing(center: IdentityCenter, aws_world: AwsWorld) -> None:
    break_down(aws_world, "iam:ListPolicies")
    actual = read_actual(center, replace(OPTIONS, with_policies=True))
    assert notes(actual) == {(EVERYTHING, "iam:ListPolicies", "none")}
    assert (actual.policies, actual.unresolved[0].about) == (None, "managed policies")


def test_passing_trouble_leaves_nothing_unresolved(center: IdentityCenter, aws_world: AwsWorld) -> None:
    aws_world.faults.add(Fault("*", code="ThrottlingException", every=3))
    actual = read_actual(center, OPTIONS)
    assert actual.unresolved == ()
    assert len(actual.assignments) == 5


# Listings that look truncated


def test_accounts_without_the_management_account_are_truncated(
    connect_center: Connect, aws_world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Serving(Retouched(aws_world, "ListAccounts", Accounts=[])) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        actual = read_actual(connect_center(), OPTIONS)
    assert notes(actual) == {(EVERYTHING, "organizations:ListAccounts", "all")}
    assert actual.unresolved[0].reason.code == "aws_truncated"


def test_no_sets_where_some_were_known_is_truncated(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Serving(Retouched(aws_world, "ListPermissionSets", PermissionSets=[])) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        actual = read_actual(connect_center(), replace(OPTIONS, known_names=known_names(aws)))
        new = read_actual(connect_center(), OPTIONS)
    assert notes(actual) == {(EVERYTHING, "sso-admin:ListPermissionSets", "all")}
    assert (new.unresolved, new.sets) == ((), {})


# An AWS without paths


def test_walks_the_units_where_accounts_have_no_paths(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Serving(Retouched(aws_world, "ListAccounts", Paths=None)) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        accounts = read_actual(connect_center(), OPTIONS).accounts
    assert accounts[aws.shop].ou_id == aws.service_ou
    assert accounts[aws_world.management_account_id].ou_id == aws_world.root_id


def test_unplaced_accounts_block_what_depends_on_units(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(aws_world, "organizations:ListAccountsForParent")
    with Serving(Retouched(aws_world, "ListAccounts", Paths=None)) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        actual = read_actual(connect_center(), OPTIONS)
    assert notes(actual) == {(EVERYTHING, "organizations:ListAccountsForParent", "units")}
    assert actual.accounts[aws.shop].ou_id == ""


# Targeted readings


@pytest.fixture
def targeted(center: IdentityCenter, aws: AwsCast) -> ReadOptions:
    """What a targeted reading of hana's pair knows from a whole one before."""
    whole = read_actual(center, OPTIONS)
    return replace(
        OPTIONS,
        known_names=known_names(aws),
        pairs=frozenset({(aws.shop, "Admin")}),
        accounts=whole.accounts,
        principals=whole.principals,
        instance=whole.instance,
    )


def test_targeted_reading_takes_four_requests(center: IdentityCenter, aws: AwsCast, targeted: ReadOptions) -> None:
    before = center.calls
    actual = read_actual(center, targeted)
    assert spent(center, before) == {
        "sso-admin:ListPermissionSets": 1,
        "sso-admin:ListPermissionSetsProvisionedToAccount": 1,
        "sso-admin:ListTagsForResource": 1,
        "sso-admin:ListAccountAssignments": 1,
    }
    assert actual.assignments == {AssignmentKey(aws.shop, "Admin", USER, aws.hana)}
    assert (actual.coverage, actual.units, actual.unresolved) == (Coverage(targeted.pairs), None, ())
    assert actual.sets.keys() == {"Admin"}
    assert (actual.sets["Admin"].ownership, actual.sets["Admin"].definition) == (Ownership.OURS, None)


def test_targeted_reading_keeps_what_the_mirror_gave(center: IdentityCenter, targeted: ReadOptions) -> None:
    actual = read_actual(center, targeted)
    assert (actual.accounts, actual.principals) == (targeted.accounts, targeted.principals)


def test_targeted_reading_reads_definitions_of_the_sets_named(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, targeted: ReadOptions
) -> None:
    aws_world.change_permission_set(aws.reader, description="new")
    options = replace(targeted, pairs=frozenset(), sets=frozenset({"Reader"}))
    actual = read_actual(center, options)
    assert actual.sets["Reader"].definition == Definition("new", managed_policies=frozenset({READ_ONLY}))
    assert actual.sets["Reader"].stale_accounts == {aws.shop}
    assert actual.assignments == frozenset()


def test_targeted_reading_finds_sets_that_the_mirror_does_not_know(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, targeted: ReadOptions
) -> None:
    arn = aws_world.add_permission_set("New", tags=dict([OURS]))
    before = center.calls
    actual = read_actual(center, replace(targeted, pairs=frozenset({(aws.shop, "New")})))
    assert actual.sets["New"].arn == arn
    assert spent(center, before)["sso-admin:DescribePermissionSet"] == 1


def test_targeted_reading_of_a_set_that_is_gone_finds_none(
    center: IdentityCenter, aws: AwsCast, targeted: ReadOptions
) -> None:
    actual = read_actual(center, replace(targeted, pairs=frozenset({(aws.shop, "Gone")})))
    assert (actual.sets, actual.assignments, actual.unresolved) == ({}, frozenset(), ())


def test_targeted_reading_sees_what_terraform_took_since(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, targeted: ReadOptions
) -> None:
    aws_world.add_assignment(aws_world.management_account_id, aws.admin, "USER", aws.hana)
    assert read_actual(center, targeted).sets["Admin"].ownership is Ownership.TERRAFORM


@pytest.mark.parametrize(
    ("operation", "scope"),
    [
        ("sso-admin:ListPermissionSets", EVERYTHING),
        ("sso-admin:ListPermissionSetsProvisionedToAccount", EVERYTHING),
        ("sso-admin:ListTagsForResource", Scope(permission_set="Admin")),
    ],
)
def test_failed_targeted_reading_is_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, targeted: ReadOptions, operation: str, scope: Scope
) -> None:
    break_down(aws_world, operation)
    assert notes(read_actual(center, targeted)) == {(scope, operation, "all")}


def test_failed_pair_of_a_targeted_reading_is_unresolved(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, targeted: ReadOptions
) -> None:
    break_down(aws_world, "sso-admin:ListAccountAssignments")
    [note] = read_actual(center, targeted).unresolved
    assert note == Unresolved(Scope(aws.shop, "Admin"), note.operation, note.reason)


def test_instance_from_the_mirror_is_not_looked_for(connect_center: Connect, targeted: ReadOptions) -> None:
    center = connect_center()
    actual = read_actual(center, targeted)
    assert isinstance(targeted.instance, ActualInstance)
    assert actual.instance == targeted.instance
    assert center.calls["sso-admin:ListInstances"] == 0


def test_a_bug_is_no_unresolved_read(center: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(center, "list_users", fail)
    with pytest.raises(ZeroDivisionError):
        read_actual(center, OPTIONS)
