"""Every read operation failing in turn: nothing is removed in its scope, everything else goes on, and it is named."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from accounts.models import Assignment
from simulators.aws import AwsSimulator, AwsWorld, Fault
from simulators.serving import Request, Response, Serving
from syncer.gateways.errors import Truncated
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_reading import ReadOptions, read_actual
from syncer.gateways.reading_options import Known, Strategy
from syncer.gateways.reading_questions import require_whole
from syncer.states import Actual, PrincipalType, Scope
from tests.syncer.conftest import OURS, AwsCast, Connect
from tests.syncer.running import sync
from tests.syncer.worlds import DOMAIN, Granted, World

EVERYTHING = "everything"
OPTIONS = ReadOptions(
    ownership_tag=OURS, with_policies=True, with_memberships_of="assigned", with_tags=True, strategy=Strategy.BY_SET
)

# --- From kintone to what is granted ----------------------------------------------------------------------------------

# What is due to go in the world below: whom each record names no longer.
DUE: set[Granted] = {
    ("shop", "Reader", "taro"),
    ("blog", "Reader", "taro"),
    ("shop", "Writer", "taro"),
    ("blog", "Writer", "taro"),
    ("platform", "Writer", "developers"),
}


@pytest.fixture
def due(world: World) -> World:
    """Five removals are due: four of Taro, over two accounts and two sets, and one of a group."""
    for name in ("Reader", "Writer"):
        world.register_set(name)
    records = [
        world.register(account, name, "hana", "taro", "ken")
        for account in ("shop", "blog")
        for name in ("Reader", "Writer")
    ]
    group = world.register("platform", "Writer", "hana", "taro", groups="developers")
    assert sync().code == 0
    for reference in records:
        world.edit(reference, users=["hana", "ken"])
    world.edit(group, groups="")
    return world


@dataclass(frozen=True)
class Case:
    """An operation, which of its calls fail, what stays therefore, and the scope that is named."""

    operation: str
    where: Callable[[World], dict[str, str]]
    stays: Callable[[Granted], bool]
    scope: str


def _anywhere(_world: World) -> dict[str, str]:
    return {}


def _of_reader(world: World) -> dict[str, str]:
    return {"PermissionSetArn": world.aws.permission_set_arn("Reader")}


def _tags_of_reader(world: World) -> dict[str, str]:
    return {"ResourceArn": world.aws.permission_set_arn("Reader")}


def _reader_in_shop(world: World) -> dict[str, str]:
    return {**_of_reader(world), "AccountId": world.account_ids["shop"]}


def _all(_key: Granted) -> bool:
    return True


def _none(_key: Granted) -> bool:
    return False


def _reader(key: Granted) -> bool:
    return key[1] == "Reader"


GROUND = (
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "sso-admin:ListInstances",
    "sso-admin:ListPermissionSets",
    "sso-admin:ListPermissionSetsProvisionedToAccount",  # of the management account
)
OF_A_SET = (
    "sso-admin:DescribePermissionSet",
    "sso-admin:GetInlinePolicyForPermissionSet",
    "sso-admin:GetPermissionsBoundaryForPermissionSet",
    "sso-admin:ListAccountsForProvisionedPermissionSet",
    "sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso-admin:ListManagedPoliciesInPermissionSet",
)
CASES = [
    *(Case(operation, _anywhere, _all, EVERYTHING) for operation in GROUND),
    *(Case(operation, _of_reader, _reader, "permission set Reader") for operation in OF_A_SET),
    Case("sso-admin:ListTagsForResource", _tags_of_reader, _reader, "permission set Reader"),
    Case(
        "sso-admin:ListAccountAssignments",
        _reader_in_shop,
        lambda key: key[:2] == ("shop", "Reader"),
        "account {shop} × permission set Reader",
    ),
    Case("identitystore:ListUsers", _anywhere, lambda key: key[2] == "taro", "users"),
    Case("identitystore:ListGroups", _anywhere, lambda key: key[2] == "developers", "groups"),
    Case("identitystore:ListGroupMemberships", _anywhere, _none, "group {developers}"),
    Case("organizations:ListRoots", _anywhere, _none, "organizational units"),
    Case("organizations:ListOrganizationalUnitsForParent", _anywhere, _none, "organizational units"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation)
def test_unread_scope_keeps_what_it_has(due: World, case: Case) -> None:
    due.aws.faults.add(Fault(case.operation, code="AccessDeniedException", where=case.where(due)))
    before = due.granted()
    outcome = sync("--full")
    assert before - due.granted() == {key for key in DUE if not case.stays(key)}
    scope = case.scope.format(**due.account_ids, **due.principal_ids)
    named = {(item["scope"], item["operation"]) for item in outcome.report["unresolved"]}
    assert (scope, case.operation) in named
    assert outcome.code == 1


@pytest.mark.django_db
@pytest.mark.parametrize("operation", ["iam:ListPolicies", "organizations:ListTagsForResource"])
def test_rights_that_need_not_be_given_fail_no_run(due: World, operation: str) -> None:
    due.aws.faults.add(Fault(operation, code="AccessDeniedException"))
    before = due.granted()
    assert sync("--full").code == 0
    assert before - due.granted() == DUE


@pytest.mark.django_db
def test_unlisted_users_stop_only_names_that_were_never_found(due: World) -> None:
    """Taro's link is kept; Jun's name stands in the old list of users, where he is not linked to it."""
    due.provision("jun")
    due.kintone.add_user("jun", "jun", email=f"jun@{DOMAIN}")
    sync()
    due.register("platform", "Reader", "taro", "jun")
    due.aws.faults.add(Fault("identitystore:ListUsers", code="AccessDeniedException"))
    sync("--full")
    assert ("platform", "Reader", "taro") in due.granted()
    assert ("platform", "Reader", "jun") not in due.granted()
    waiting = Assignment.objects.get(account__name="platform", principal__name="jun")
    assert (waiting.state, waiting.reason["code"]) == (Assignment.State.WAITING, "name_unread")
    due.aws.faults.clear()
    sync("--full")
    assert ("platform", "Reader", "jun") in due.granted()


# --- The reading itself -----------------------------------------------------------------------------------------------

OPERATIONS = (
    *GROUND,
    *OF_A_SET,
    "iam:ListPolicies",
    "identitystore:ListGroupMemberships",
    "identitystore:ListGroups",
    "identitystore:ListUsers",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "organizations:ListTagsForResource",
    "sso-admin:ListAccountAssignments",
    "sso-admin:ListTagsForResource",
)
TROUBLES: dict[str, dict[str, Any]] = {
    "breaks off": {"hang_up": "before"},
    "is throttled for good": {"code": "ThrottlingException"},
    "is out of order": {"code": "InternalServerException", "status": 500},
}


def operations_in(actual: Actual) -> set[str]:
    return {note.operation for note in actual.unresolved}


def test_these_are_all_operations_of_a_reading(center: IdentityCenter, aws: AwsCast) -> None:
    read_actual(center, OPTIONS)
    assert set(center.calls) == set(OPERATIONS)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_that_stays_without_answer_is_named(
    center: IdentityCenter, aws_world: AwsWorld, operation: str, trouble: str
) -> None:
    aws_world.faults.add(Fault(operation, **TROUBLES[trouble]))
    assert operations_in(read_actual(center, OPTIONS)) == {operation}


@pytest.mark.parametrize("operation", ["identitystore:ListUsers", "sso-admin:ListAccountAssignments"])
def test_operation_that_hangs_is_named(connect_center: Connect, aws_world: AwsWorld, operation: str) -> None:
    aws_world.faults.add(Fault(operation, hang=True))
    try:
        assert operations_in(read_actual(connect_center(read_timeout=0.1), OPTIONS)) == {operation}
    finally:
        aws_world.faults.clear()


class Turning:
    """The simulated AWS with an operation that hands out one and the same page token for ever."""

    def __init__(self, world: AwsWorld, operation: str) -> None:
        self._simulator, self._operation = AwsSimulator(world), operation

    def __call__(self, request: Request) -> Response:
        if not request.headers.get("x-amz-target", "").endswith(f".{self._operation}"):
            return self._simulator(request)
        asked = json.loads(request.body)
        asked.pop("NextToken", None)
        response = self._simulator(replace(request, body=json.dumps(asked).encode()))
        answer = json.loads(response.body) | {"NextToken": "again"}
        return Response(response.status, json.dumps(answer).encode(), response.headers)


# ListInstances is read no further than to the organization's instance; the others do not page so.
NOT_PAGED = ("iam:ListPolicies", "sso-admin:ListInstances", "sso-admin:ListTagsForResource")
PAGED = sorted(
    operation.partition(":")[2] for operation in OPERATIONS if ":List" in operation and operation not in NOT_PAGED
)


@pytest.mark.parametrize("operation", PAGED)
def test_listing_that_turns_in_a_circle_is_truncated(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    with Serving(Turning(aws_world, operation)) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        actual = read_actual(connect_center(), OPTIONS)
    assert {name.partition(":")[2] for name in operations_in(actual)} == {operation}
    assert {note.reason.code for note in actual.unresolved} == {"aws_truncated"}


# --- Listings that come back far shorter than before ------------------------------------------------------------------


class Shortened:
    """The simulated AWS whose listing holds the first rows only, without saying so."""

    def __init__(self, world: AwsWorld, operation: str, member: str, rows: int) -> None:
        self._simulator, self._operation, self._member, self._rows = AwsSimulator(world), operation, member, rows

    def __call__(self, request: Request) -> Response:
        response = self._simulator(request)
        if not request.headers.get("x-amz-target", "").endswith(f".{self._operation}"):
            return response
        answer = json.loads(response.body)
        answer.pop("NextToken", None)
        answer[self._member] = answer[self._member][: self._rows]
        return Response(response.status, json.dumps(answer).encode(), response.headers)


@dataclass(frozen=True)
class Listing:
    """A listing, the member of its answer, and the scope and blocks that follow when it is too short."""

    operation: str
    member: str
    scope: Scope
    blocks: str
    confirm: str  # what asks for the missing ones

    def __str__(self) -> str:
        return self.operation


USERS = Listing(
    "identitystore:ListUsers", "Users", Scope(principal_type=PrincipalType.USER), "names", "identitystore:DescribeUser"
)
GROUPS = Listing(
    "identitystore:ListGroups",
    "Groups",
    Scope(principal_type=PrincipalType.GROUP),
    "names",
    "identitystore:DescribeGroup",
)
ACCOUNTS = Listing("organizations:ListAccounts", "Accounts", Scope(), "all", "organizations:DescribeAccount")
SETS = Listing("sso-admin:ListPermissionSets", "PermissionSets", Scope(), "all", "sso-admin:DescribePermissionSet")


@dataclass(frozen=True)
class Crowd:
    """What is there in such numbers that a short listing is noticed, and the options of who knew it all."""

    users: list[str]
    groups: list[str]
    options: ReadOptions


@pytest.fixture
def crowd(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> Crowd:
    users = [aws_world.add_user(f"u{number}@example.com", None, None) for number in range(18)]
    groups = [aws_world.add_group(f"g{number}") for number in range(18)]
    for number in range(16):
        aws_world.add_account(f"a{number}", f"a{number}@example.com")
        aws_world.add_permission_set(f"S{number}")
    actual = read_actual(center, ReadOptions(ownership_tag=OURS))
    known = Known(
        actual.sets,
        frozenset(actual.accounts),
        {key: principal.type for key, principal in actual.principals.items()},
        actual.units or (),
        actual.assignments,
    )
    names = {there.arn: name for name, there in actual.sets.items()}
    return Crowd(users, groups, ReadOptions(ownership_tag=OURS, known=known, known_names=names))


@contextmanager
def _shortened(world: AwsWorld, listing: Listing, rows: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    operation = listing.operation.partition(":")[2]
    with Serving(Shortened(world, operation, listing.member, rows)) as serving:
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
        yield


@pytest.mark.parametrize("rows", [0, 8])
@pytest.mark.parametrize("listing", [USERS, GROUPS, SETS], ids=str)
def test_listing_far_shorter_than_before_is_not_believed(
    connect_center: Connect, aws_world: AwsWorld, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, listing: Listing,
    rows: int,
) -> None:  # fmt: skip
    with _shortened(aws_world, listing, rows, monkeypatch):
        center = connect_center()
        actual = read_actual(center, crowd.options)
    notes = {(note.scope, note.operation, note.blocks, note.reason.code) for note in actual.unresolved}
    assert notes == {(listing.scope, listing.operation, listing.blocks, "aws_truncated")}
    assert 1 <= center.calls[listing.confirm] <= 5


def test_short_listing_of_accounts_is_not_believed(
    connect_center: Connect, aws_world: AwsWorld, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _shortened(aws_world, ACCOUNTS, 8, monkeypatch):
        actual = read_actual(connect_center(), crowd.options)
    assert [(note.scope, note.operation, note.blocks) for note in actual.unresolved] == [
        (Scope(), "organizations:ListAccounts", "all")
    ]


def test_listing_that_lacks_a_few_is_believed(
    connect_center: Connect, aws_world: AwsWorld, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _shortened(aws_world, USERS, 12, monkeypatch):
        actual = read_actual(connect_center(), crowd.options)
    assert actual.unresolved == ()


def test_departure_of_many_is_believed_once_aws_knows_none(
    center: IdentityCenter, aws_world: AwsWorld, crowd: Crowd
) -> None:
    for user_id in crowd.users:
        aws_world.remove_user(user_id)
    before = center.calls["identitystore:DescribeUser"]
    actual = read_actual(center, crowd.options)
    assert actual.unresolved == ()
    assert center.calls["identitystore:DescribeUser"] - before == 5


def test_short_listing_that_cannot_be_confirmed_is_not_believed(
    center: IdentityCenter, aws_world: AwsWorld, crowd: Crowd
) -> None:
    for group_id in crowd.groups:
        aws_world.remove_group(group_id)
    aws_world.faults.add(Fault("identitystore:DescribeGroup", code="AccessDeniedException"))
    [note] = read_actual(center, crowd.options).unresolved
    assert (note.scope, note.operation, note.blocks) == (GROUPS.scope, "identitystore:DescribeGroup", "names")


def test_management_account_without_its_sets_is_not_believed(
    connect_center: Connect, aws_world: AwsWorld, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform's sets would look like ours."""
    listing = replace(SETS, operation="sso-admin:ListPermissionSetsProvisionedToAccount")
    with _shortened(aws_world, listing, 0, monkeypatch):
        [note] = read_actual(connect_center(), crowd.options).unresolved
    assert (note.scope, note.operation, note.blocks) == (Scope(), listing.operation, "all")


def test_set_that_left_the_management_account_is_believed(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, crowd: Crowd
) -> None:
    aws_world.remove_assignment(aws_world.management_account_id, aws.terraform, "USER", aws.hana)
    assert read_actual(center, crowd.options).unresolved == ()


@pytest.mark.parametrize(("found", "known"), [(0, 0), (90, 100), (380, 400)])
def test_one_in_twenty_or_ten_may_be_missing(found: int, known: int) -> None:
    _compare(found, known)


@pytest.mark.parametrize(("found", "known"), [(0, 1), (89, 100), (379, 400)])
def test_more_than_that_is_truncated(found: int, known: int) -> None:
    with pytest.raises(Truncated):
        _compare(found, known)


def _compare(found: int, known: int) -> None:
    ids = [f"{number:03}" for number in range(known)]
    require_whole(frozenset(ids[:found]), frozenset(ids), lambda _id: True, "x:List")
