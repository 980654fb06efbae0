"""The protocols themselves: what unmodified clients never send, and what every answer has to look like."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from simulators.aws import AwsSimulator
from simulators.aws.patterns import compiled
from simulators.aws.services import iam, identity_store, organizations, sso_admin, sts
from simulators.aws.shapes import service_model, violations
from simulators.serving import Request, Response
from tests.simulators.aws.conftest import Clients, Company
from tests.simulators.aws.test_aws_assignments import create, wanted
from tests.simulators.aws.test_aws_permission_sets import ids

TABLES = {
    "organizations": organizations.OPERATIONS,
    "identitystore": identity_store.OPERATIONS,
    "sso-admin": sso_admin.OPERATIONS,
    "sts": sts.OPERATIONS,
    "iam": iam.OPERATIONS,
}


def post(company: Company, target: str, body: str, *, signed_for: str = "sso") -> Response:
    key_id, _ = company.world.add_access_key(company.world.management_account_id, "Tester")
    scope = f"{key_id}/20261102/{company.world.region}/{signed_for}/aws4_request"
    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "x-amz-target": target,
    }
    return AwsSimulator(company.world)(Request("POST", "/", {}, headers, body.encode()))


def error_of(response: Response) -> tuple[int, str]:
    return response.status, json.loads(response.body)["__type"]


@pytest.mark.parametrize(
    ("parameters", "constraint"),
    [
        ({}, "must not be null"),
        ({"InstanceArn": "arn:aws:sso:::instance/short"}, "regular expression"),
        ({"InstanceArn": 5}, "of type string"),
        ({"InstanceArn": "x"}, "length greater than or equal to 10"),
        ({"MaxResults": 101}, "value less than or equal to 100"),
        ({"MaxResults": 0}, "value greater than or equal to 1"),
        ({"MaxResults": True}, "of type integer"),
        ({"Surprise": 1}, "not known"),
    ],
)
def test_input_is_held_to_the_model(company: Company, parameters: dict[str, Any], constraint: str) -> None:
    asked = {"InstanceArn": company.instance, **parameters} if parameters else {}
    response = post(company, "SWBExternalService.ListPermissionSets", json.dumps(asked))
    assert error_of(response) == (400, "ValidationException")
    assert constraint in json.loads(response.body)["Message"]


def test_enums_and_nested_members_are_checked(company: Company) -> None:
    asked = {**wanted(company, TargetType="AWS_OU", PrincipalType="ROLE")}
    response = post(company, "SWBExternalService.CreateAccountAssignment", json.dumps(asked))
    message = json.loads(response.body)["Message"]
    assert message.startswith("2 validation errors detected")
    assert "AWS_OU" in message
    tagged = {"ResourceArn": company.permission_set, "Tags": [{"Key": "ok", "Value": "x" * 257}]}
    response = post(company, "SWBExternalService.TagResource", json.dumps(tagged))
    assert "'tags.1.member.value'" in json.loads(response.body)["Message"]


def test_query_input_is_held_to_the_model(management: Clients) -> None:
    with pytest.raises(ClientError) as refused:
        management.sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/x", RoleSessionName="with space")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError) as refused:
        management.iam.list_policies(MaxItems=1001)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize("body", ["{", "[]", ""])
def test_body_must_be_a_json_object(company: Company, body: str) -> None:
    response = post(company, "SWBExternalService.ListPermissionSets", body)
    assert response.status == 400


def test_operation_outside_of_the_simulator_is_named(company: Company) -> None:
    response = post(company, "SWBExternalService.DeleteInstance", "{}")
    assert error_of(response) == (400, "UnknownOperationException")


def test_unsigned_request_is_refused(company: Company) -> None:
    headers = {"x-amz-target": "SWBExternalService.ListInstances"}
    response = AwsSimulator(company.world)(Request("POST", "/", {}, headers, b"{}"))
    assert error_of(response) == (403, "MissingAuthenticationTokenException")


def test_signature_must_be_for_the_service(company: Company) -> None:
    response = post(company, "SWBExternalService.ListInstances", "{}", signed_for="organizations")
    assert error_of(response) == (403, "InvalidSignatureException")


def test_request_for_no_service_is_not_found(company: Company) -> None:
    assert AwsSimulator(company.world)(Request("GET", "/", {}, {}, b"")).status == 404


def shapes_below(shape: Shape, seen: set[str]) -> list[Shape]:
    if shape.name in seen:
        return []
    seen.add(shape.name)
    members: list[Shape] = []
    if isinstance(shape, StructureShape):
        members = list(shape.members.values())
    elif isinstance(shape, ListShape):
        members = [shape.member]
    elif isinstance(shape, MapShape):
        members = [shape.key, shape.value]
    return [shape, *(below for member in members for below in shapes_below(member, seen))]


@pytest.mark.parametrize("service", TABLES)
def test_all_patterns_of_our_operations_compile(service: str) -> None:
    models = [service_model(service).operation_model(operation) for operation in TABLES[service]]
    shapes = [shape for model in models for shape in (model.input_shape, model.output_shape) if shape]
    patterns = {each.metadata.get("pattern") for shape in shapes for each in shapes_below(shape, set())} - {None}
    assert all(isinstance(compiled(pattern), re.Pattern) for pattern in patterns)


@pytest.mark.parametrize(
    ("text", "fits"), [("部門:決済 1", True), ("a_b.c:d/e=f+g-h@i", True), ("tab\there", False), ("a#b", False)]
)
def test_unicode_categories_are_translated(text: str, *, fits: bool) -> None:
    assert bool(compiled(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*").fullmatch(text)) is fits


def test_category_outside_of_brackets_is_one_character() -> None:
    pattern = compiled(r"\p{L}+(?:\.\p{L}+){0,2}")
    assert pattern.fullmatch("emails.value")
    assert not pattern.fullmatch("emails..value")


def test_checker_sees_what_is_wrong_in_an_answer() -> None:
    shape = service_model("sso-admin").operation_model("ListInstances").output_shape
    assert shape is not None
    found = list(violations(shape, {"Instances": [{"OwnerAccountId": "1", "Color": "blue"}]}))
    assert {each.path for each in found} == {"instances.1.member.ownerAccountId", "instances.1.member.color"}


def test_every_operation_answers_after_its_model(company: Company, management: Clients) -> None:
    """Each operation once, with an answer as full as it gets; the clients of conftest check the shapes."""
    world, sso, store, tree = company.world, management.sso, management.identity_store, management.organizations
    pair: Any = ids(company)
    instance: Any = {"InstanceArn": company.instance}
    reference: Any = {"CustomerManagedPolicyReference": {"Name": "Guard", "Path": "/ops/"}}
    managed: Any = {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    tagged: Any = {"ResourceArn": company.permission_set}
    world.add_customer_policy(company.account, "/ops/", "Guard")
    world.set_tags(company.account, {"owners": "sato@example.com"})

    sso.list_instances()
    sso.describe_instance(**instance)
    created = sso.create_permission_set(**instance, Name="New", Description="Neu", RelayState="https://example.com")
    sso.delete_permission_set(**instance, PermissionSetArn=created["PermissionSet"]["PermissionSetArn"])
    sso.update_permission_set(**pair, Description="Developers", SessionDuration="PT8H")
    sso.describe_permission_set(**pair)
    sso.list_permission_sets(**instance)
    sso.put_inline_policy_to_permission_set(**pair, InlinePolicy='{"Statement": []}')
    sso.get_inline_policy_for_permission_set(**pair)
    sso.delete_inline_policy_from_permission_set(**pair)
    sso.attach_managed_policy_to_permission_set(**pair, **managed)
    sso.list_managed_policies_in_permission_set(**pair)
    sso.detach_managed_policy_from_permission_set(**pair, **managed)
    sso.attach_customer_managed_policy_reference_to_permission_set(**pair, **reference)
    sso.list_customer_managed_policy_references_in_permission_set(**pair)
    sso.detach_customer_managed_policy_reference_from_permission_set(**pair, **reference)
    sso.put_permissions_boundary_to_permission_set(**pair, PermissionsBoundary=reference)
    sso.get_permissions_boundary_for_permission_set(**pair)
    sso.delete_permissions_boundary_from_permission_set(**pair)
    sso.tag_resource(**tagged, Tags=[{"Key": "記録", "Value": "12"}])
    sso.list_tags_for_resource(**tagged)
    sso.untag_resource(**tagged, TagKeys=["記録"])

    world.set_account_state(company.other_account, "SUSPENDED")
    failing = create(company, management, TargetId=company.other_account)
    create(company, management)
    company.wait()
    sso.describe_account_assignment_creation_status(**instance, AccountAssignmentCreationRequestId=failing)
    sso.list_account_assignment_creation_status(**instance)
    sso.list_account_assignments(**pair, AccountId=company.account)
    sso.list_account_assignments_for_principal(**instance, PrincipalType="USER", PrincipalId=company.user)
    sso.list_accounts_for_provisioned_permission_set(**pair)
    sso.list_permission_sets_provisioned_to_account(**instance, AccountId=company.account)
    provisioned = sso.provision_permission_set(**pair, TargetType="AWS_ACCOUNT", TargetId=company.account)
    sso.describe_permission_set_provisioning_status(
        **instance,
        ProvisionPermissionSetRequestId=provisioned["PermissionSetProvisioningStatus"]["RequestId"],
    )
    sso.list_permission_set_provisioning_status(**instance)
    deleted = sso.delete_account_assignment(**wanted(company))
    sso.describe_account_assignment_deletion_status(
        **instance, AccountAssignmentDeletionRequestId=deleted["AccountAssignmentDeletionStatus"]["RequestId"]
    )
    sso.list_account_assignment_deletion_status(**instance)

    tree.describe_organization()
    tree.list_accounts()
    tree.describe_account(AccountId=company.account)
    tree.list_roots()
    tree.list_organizational_units_for_parent(ParentId=world.root_id)
    tree.describe_organizational_unit(OrganizationalUnitId=company.product_ou)
    tree.list_accounts_for_parent(ParentId=company.product_ou)
    tree.list_children(ParentId=company.product_ou, ChildType="ACCOUNT")
    tree.list_parents(ChildId=company.account)
    tree.list_tags_for_resource(ResourceId=company.account)
    tree.list_delegated_administrators()

    in_store: Any = {"IdentityStoreId": company.store}
    external: Any = {"ExternalId": {"Issuer": world.external_id_issuer, "Id": "entra-1"}}
    named: Any = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "payments-team"}}
    store.list_users(**in_store)
    store.describe_user(**in_store, UserId=company.user)
    store.get_user_id(**in_store, AlternateIdentifier=external)
    store.list_groups(**in_store)
    store.describe_group(**in_store, GroupId=company.group)
    store.get_group_id(**in_store, AlternateIdentifier=named)
    store.list_group_memberships(**in_store, GroupId=company.group)
    store.list_group_memberships_for_member(**in_store, MemberId={"UserId": company.user})
    store.is_member_in_groups(**in_store, MemberId={"UserId": company.user}, GroupIds=[company.group])

    management.sts.get_caller_identity()
    role = world.add_role(company.delegated, "Genkan")
    management.sts.assume_role(RoleArn=role, RoleSessionName="portal")
    management.iam.list_policies(Scope="AWS")
    policy = management.iam.get_policy(PolicyArn=managed["ManagedPolicyArn"])["Policy"]
    management.iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])

    assert world.calls.keys() == {f"{service}:{name}" for service, table in TABLES.items() for name in table}
