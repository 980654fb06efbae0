"""Questions to IAM Identity Center, against the simulated AWS."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from simulators.aws import AwsSimulator, AwsWorld
from simulators.serving import Request, Response, Serving
from syncer.gateways.aws_answers import parent_in_path, parse_account, parse_duration, parse_group, parse_user
from syncer.gateways.errors import Invalid, NotFound, Permanent
from syncer.gateways.identity_center import IdentityCenter
from syncer.states import (
    ActualAccount,
    ActualInstance,
    ActualPolicy,
    ActualPrincipal,
    Boundary,
    Definition,
    PolicyReference,
    PrincipalType,
)
from tests.syncer.conftest import POLICY, READ_ONLY, AwsCast, Connect

LIMITS = PolicyReference("/team/", "Limits")


@pytest.fixture(params=[False, True], ids=["full pages", "empty pages"])
def any_pages(aws_world: AwsWorld, request: pytest.FixtureRequest) -> None:
    """AWS may begin a listing with an empty page, and cut it into pages of any size."""
    aws_world.empty_pages = request.param


# The instance


def test_finds_the_instance_of_the_management_account(center: IdentityCenter, aws_world: AwsWorld) -> None:
    assert center.find_instance() == ActualInstance(
        aws_world.instance_arn, aws_world.identity_store_id, aws_world.region, aws_world.management_account_id
    )


def test_is_not_misled_by_an_account_instance(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.add_account_instance(aws.platform)
    assert center.find_instance().instance_arn == aws_world.instance_arn


def test_takes_the_instance_it_is_given(connect_center: Connect, aws_world: AwsWorld) -> None:
    assert connect_center(instance_arn=aws_world.instance_arn).find_instance().instance_arn == aws_world.instance_arn


def test_instance_that_is_not_there_is_missing(connect_center: Connect) -> None:
    with pytest.raises(NotFound) as caught:
        connect_center(instance_arn="arn:aws:sso:::instance/ssoins-0000000000000000").find_instance()
    assert caught.value.reason.code == "aws_instance_missing"
    assert caught.value.reason.params["instance_arn"].endswith("0000")


def test_plain_member_sees_no_instance(
    connect_center: Connect, aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, secret = aws_world.add_access_key(aws.shop, "Worker")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with pytest.raises(NotFound) as caught:
        connect_center().find_instance()
    assert caught.value.reason.code == "aws_instance_missing"


def test_instance_is_looked_for_once(center: IdentityCenter) -> None:
    center.list_users()
    center.list_groups()
    assert center.calls["sso-admin:ListInstances"] == 1


def test_known_instance_is_not_looked_for(center: IdentityCenter, aws_world: AwsWorld) -> None:
    known = ActualInstance(aws_world.instance_arn, aws_world.identity_store_id, aws_world.region, "")
    center.use_instance(known)
    assert len(center.list_permission_set_arns()) == 4
    assert center.calls == {"sso-admin:ListPermissionSets": 1}


# The organization


@pytest.mark.usefixtures("any_pages")
def test_lists_accounts_with_state_and_unit(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    for number in range(25):
        aws_world.add_account(f"more {number}", f"more{number}@example.com", aws.service_ou)
    accounts = center.list_accounts()
    assert len(accounts) == 29
    closed = ActualAccount(aws.closed, "closed", "closed@example.com", "SUSPENDED", aws.service_ou)
    assert accounts[aws.closed] == closed


@pytest.mark.usefixtures("any_pages")
def test_lists_units_from_the_root_down(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    production = aws_world.add_ou("Production", aws_world.add_ou("shop", aws.service_ou))
    units = {unit.ou_id: unit for unit in center.list_units()}
    path = []
    ou_id = production
    while ou_id:
        path.append(units[ou_id].name)
        ou_id = units[ou_id].parent_id
    assert path == ["Production", "shop", "service", "Root"]


def test_lists_placements(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.list_placements([aws.service_ou]) == {aws.shop: aws.service_ou, aws.closed: aws.service_ou}


# The identity store


@pytest.mark.usefixtures("any_pages")
def test_lists_users(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    users = {user.principal_id: user for user in center.list_users()}
    hana = ("hana@example.com", "花", "hana@example.com", ("entra-hana",), True, aws_world.external_id_issuer)
    taro = ("taro@example.com", "太郎", "", (), False)
    assert users == {
        aws.hana: ActualPrincipal(PrincipalType.USER, aws.hana, *hana),
        aws.taro: ActualPrincipal(PrincipalType.USER, aws.taro, *taro),
    }


@pytest.mark.usefixtures("any_pages")
def test_lists_groups_and_members(center: IdentityCenter, aws: AwsCast) -> None:
    [group] = center.list_groups()
    assert (group.type, group.principal_id, group.name) == (PrincipalType.GROUP, aws.developers, "developers")
    assert group.external_ids == ("entra-developers",)
    assert center.list_memberships(aws.developers) == {aws.hana}


def test_finds_principals_by_name(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.find_user_id("hana@example.com") == aws.hana
    assert center.find_group_id("developers") == aws.developers


def test_finds_a_user_by_mail(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.find_user_id("hana@example.com", "emails.value") == aws.hana
    assert center.find_user_id("taro@example.com", "emails.value") is None  # he has none


def test_fetches_principals_by_id(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    hana, taro = center.fetch_user(aws.hana), center.fetch_user(aws.taro)
    assert (hana.name, hana.external_ids, hana.is_enabled) == ("hana@example.com", ("entra-hana",), True)
    assert hana.external_issuer == aws_world.external_id_issuer
    assert not taro.is_enabled
    assert center.fetch_group(aws.developers).external_ids == ("entra-developers",)


def test_principal_that_is_gone_is_not_found(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    aws_world.remove_user(aws.hana)
    aws_world.remove_group(aws.developers)
    with pytest.raises(NotFound):
        center.fetch_user(aws.hana)
    with pytest.raises(NotFound):
        center.fetch_group(aws.developers)


def test_unknown_names_are_none(center: IdentityCenter) -> None:
    assert center.find_user_id("nobody@example.com") is None
    assert center.find_group_id("nobody") is None


def test_tolerates_users_with_what_is_guaranteed_only() -> None:
    bare = parse_user({"IdentityStoreId": "d-1", "UserId": "u", "UserArn": "a", "Revision": "1"})
    assert bare == ActualPrincipal(PrincipalType.USER, "u", "")
    group = parse_group({"IdentityStoreId": "d-1", "GroupId": "g", "GroupArn": "a", "Revision": "1"})
    assert group == ActualPrincipal(PrincipalType.GROUP, "g", "")


# Permission sets


@pytest.mark.usefixtures("any_pages")
def test_fetches_everything_a_set_consists_of(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.fetch_definition(aws.admin) == Definition(
        description="everything",
        session_duration=timedelta(minutes=90),
        relay_state="https://example.com/",
        managed_policies=frozenset({READ_ONLY}),
        customer_managed_policies=frozenset({LIMITS}),
        inline_policy=POLICY,
        permissions_boundary=Boundary(customer_managed=LIMITS),
    )


def test_bare_set_has_a_bare_definition(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.fetch_definition(aws.legacy) == Definition()


def test_boundary_may_be_managed_by_aws(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.fetch_definition(aws.terraform).permissions_boundary == Boundary(managed_policy=READ_ONLY)


def test_description_saves_a_request(center: IdentityCenter, aws: AwsCast) -> None:
    description = center.describe(aws.admin)
    before = center.calls.total()
    center.fetch_definition(aws.admin, description)
    assert center.calls.total() - before == 4


def test_set_that_is_gone_is_not_found(center: IdentityCenter, aws: AwsCast) -> None:
    with pytest.raises(NotFound):
        center.fetch_definition(f"{aws.admin[:-4]}0000")


@pytest.mark.usefixtures("any_pages")
def test_fetches_tags(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.fetch_tags(aws.legacy) == {"managed-by": "somebody"}


@pytest.mark.usefixtures("any_pages")
def test_lists_policies_of_aws(center: IdentityCenter) -> None:
    policies = center.list_policies()
    assert ActualPolicy(READ_ONLY, "ReadOnlyAccess", True, "v190") in policies
    assert any(not policy.is_attachable for policy in policies)


def test_fetches_what_a_policy_says(center: IdentityCenter) -> None:
    text = center.fetch_policy_text("arn:aws:iam::aws:policy/AdministratorAccess", "v1")
    assert json.loads(text)["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def test_version_that_is_gone_is_not_found(center: IdentityCenter) -> None:
    with pytest.raises(NotFound):
        center.fetch_policy_text(READ_ONLY, "v1")


# Where sets are, and who has them


@pytest.mark.usefixtures("any_pages")
def test_lists_where_sets_are_provisioned(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    assert center.list_provisioned_accounts(aws.admin) == {aws.shop, aws.closed}
    assert center.list_provisioned_sets(aws.shop) == {aws.reader, aws.admin, aws.legacy}
    assert center.list_provisioned_sets(aws_world.management_account_id) == {aws.terraform}


def test_lists_accounts_with_an_older_version(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    assert center.list_provisioned_accounts(aws.admin, stale_only=True) == frozenset()
    aws_world.change_permission_set(aws.admin, description="new")
    assert center.list_provisioned_accounts(aws.admin, stale_only=True) == {aws.shop, aws.closed}


@pytest.mark.usefixtures("any_pages")
def test_lists_assignments_of_all_pages(center: IdentityCenter, aws: AwsCast, aws_world: AwsWorld) -> None:
    for number in range(120):
        user = aws_world.add_user(f"user{number}@example.com", None, None)
        aws_world.add_assignment(aws.shop, aws.reader, "USER", user)
    assignments = center.list_assignments(aws.shop, aws.reader)
    assert len(assignments) == 121
    assert (PrincipalType.GROUP, aws.developers) in assignments


def test_pair_without_role_has_no_assignments(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.list_assignments(aws.platform, aws.reader) == frozenset()


# Answers that differ


class Retouched:
    """The simulated AWS with members of some answers changed; None leaves a member out."""

    def __init__(self, world: AwsWorld, operation: str, **members: object) -> None:
        self._simulator, self._operation, self._members = AwsSimulator(world), operation, members

    def __call__(self, request: Request) -> Response:
        response = self._simulator(request)
        if not request.headers.get("x-amz-target", "").endswith(f".{self._operation}"):
            return response
        body = json.loads(response.body, object_hook=self._retouch)
        return Response(response.status, json.dumps(body).encode(), response.headers)

    def _retouch(self, value: dict[str, object]) -> dict[str, object]:
        changed = {name: self._members.get(name, member) for name, member in value.items()}
        return {name: member for name, member in changed.items() if member is not None}


Retouch = Callable[..., IdentityCenter]


@pytest.fixture
def retouch(connect_center: Connect, aws_world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Retouch]:
    """Connect to an AWS that answers one operation differently: `retouch("ListAccounts", State=None)`."""
    with ExitStack() as stack:

        def make(operation: str, **members: object) -> IdentityCenter:
            serving = stack.enter_context(Serving(Retouched(aws_world, operation, **members)))
            monkeypatch.setenv("AWS_ENDPOINT_URL", serving.url)
            return connect_center()

        yield make


def test_state_may_come_as_status_without_path(retouch: Retouch, aws: AwsCast) -> None:
    account = retouch("ListAccounts", State=None, Paths=None).list_accounts()[aws.shop]
    assert (account.state, account.ou_id) == ("ACTIVE", "")


def test_member_left_out_is_an_empty_listing(retouch: Retouch, aws: AwsCast) -> None:
    center = retouch("ListPermissionSetsProvisionedToAccount", PermissionSets=None)
    assert center.list_provisioned_sets(aws.platform) == frozenset()


def test_other_primary_region_is_said(retouch: Retouch, aws_world: AwsWorld) -> None:
    with pytest.raises(Permanent) as caught:
        retouch("ListInstances", PrimaryRegion="eu-central-1").find_instance()
    assert caught.value.reason.code == "aws_wrong_region"
    assert caught.value.reason.params == {"region": aws_world.region, "primary_region": "eu-central-1"}


def test_duration_that_is_none_is_no_crash(retouch: Retouch, aws: AwsCast) -> None:
    with pytest.raises(Invalid) as caught:
        retouch("DescribePermissionSet", SessionDuration="3600").describe(aws.reader)
    assert caught.value.code == "SessionDuration"


# Pure parts


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("PT8H", 480), ("PT90M", 90), ("PT1H30M", 90), ("PT3600S", 60), ("P1D", 1440), ("", 60)],
)
def test_parses_durations(text: str, minutes: int) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


def test_refuses_what_is_no_duration() -> None:
    with pytest.raises(ValueError, match="8 hours"):
        parse_duration("8 hours")


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("o-1/r-1/ou-1-a/ou-1-b/111122223333/", "ou-1-b"),
        ("o-1/r-1/111122223333/", "r-1"),
        ("111122223333/", ""),
        ("", ""),
    ],
)
def test_reads_the_parent_from_the_path(path: str, parent: str) -> None:
    assert parent_in_path(path) == parent


def test_account_without_anything_but_an_id() -> None:
    assert parse_account({"Id": "111122223333"}) == ActualAccount("111122223333", "", "", "")
