"""sso-admin: which instances there are, and tags."""

from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.entities import Instance
from simulators.aws.errors import invalid, not_found, quota_exceeded
from simulators.aws.rows import Rows
from simulators.aws.services.sso_access import administers, page_size, require_may_change, visible_instances

TAG_PAGE_SIZE = 50


def list_instances(call: Call) -> Answer:
    everywhere = call.optional("RegionScope") == "ALL_REGIONS"
    instances = visible_instances(call) if everywhere or call.region == call.world.region else []
    rows = Rows(enumerate(instances))
    return call.page(rows, size=page_size(call)).answer("Instances", lambda instance: _describe(call, instance))


def describe_instance(call: Call) -> Answer:
    known = {instance.arn: instance for instance in visible_instances(call)}
    instance = known.get(call.text("InstanceArn"))
    if instance is None:
        raise call.denied(call.text("InstanceArn"))
    return {
        **_describe(call, instance),
        "EncryptionConfigurationDetails": {"KeyType": "AWS_OWNED_KMS_KEY", "EncryptionStatus": "ENABLED"},
        "PermissionSetsEnabled": instance is call.world.instance,
    }


def tag_resource(call: Call) -> Answer:
    resource = _resource(call, change=True)
    tags = new_tags(call)
    merged = {**call.world.tags_of(resource), **tags}
    if len(merged) > call.world.limits.tags_per_resource:
        raise quota_exceeded("The resource has too many tags.")
    call.world.set_tags(resource, merged)
    return {}


def untag_resource(call: Call) -> Answer:
    resource = _resource(call, change=True)
    gone = set(call.parameters["TagKeys"])
    kept = {key: value for key, value in call.world.tags_of(resource).items() if key not in gone}
    call.world.set_tags(resource, kept)
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    tags = Rows(enumerate(call.world.tags_of(_resource(call, change=False)).items()))
    return call.page(tags, size=TAG_PAGE_SIZE).answer("Tags", lambda tag: {"Key": tag[0], "Value": tag[1]})


def new_tags(call: Call) -> dict[str, str]:
    """The tags that the call brings; refuses doubled keys and keys that are AWS's own."""
    rows = call.parameters.get("Tags", [])
    tags = {row["Key"]: row["Value"] for row in rows}
    if len(tags) < len(rows):
        raise invalid("A tag key was given twice.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys that begin with aws: are reserved.")
    return tags


def _resource(call: Call, *, change: bool) -> str:
    """The ARN of the permission set or instance to tag. `InstanceArn` is optional here."""
    arn = call.text("ResourceArn")
    if not administers(call):
        raise call.denied(arn)
    permission_set = call.world.center.sets.get(arn)
    if permission_set is None and arn != call.world.instance_arn:
        raise not_found(f"Resource {arn} not found.")
    if call.region != call.world.region or call.optional("InstanceArn") not in {None, call.world.instance_arn}:
        raise not_found("Instance not found.")
    if permission_set and change:
        require_may_change(call, permission_set)
    return arn


def _describe(call: Call, instance: Instance) -> Answer:
    region = {
        "RegionName": call.world.region,
        "Status": "ACTIVE",
        "AddedDate": instance.created,
        "IsPrimaryRegion": True,
    }
    store = f"arn:aws:identitystore::{instance.owner_account_id}:identitystore/{instance.identity_store_id}"
    return {
        "InstanceArn": instance.arn,
        "IdentityStoreId": instance.identity_store_id,
        "IdentityStoreArn": store,
        "OwnerAccountId": instance.owner_account_id,
        "CreatedDate": instance.created,
        "Status": "ACTIVE",
        "PrimaryRegion": call.world.region,
        "Regions": [region],
    }


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "ListInstances": list_instances,
    "DescribeInstance": describe_instance,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
