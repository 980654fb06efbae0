"""IAM: the managed policies of AWS and of the caller's own account."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from simulators.aws.calls import Answer, Call
from simulators.aws.catalogue import find_version, managed_policies
from simulators.aws.errors import AwsError
from simulators.aws.rows import Rows

PAGE_SIZE = 100
_PUBLISHED = 1_423_094_400.0  # most AWS managed policies say February 2015


@dataclass(frozen=True)
class _Policy:
    """A managed policy with how often roles of the caller's account use it: attached, and as a boundary."""

    arn: str
    path: str
    name: str
    is_attachable: bool
    attached: int
    bounding: int


def list_policies(call: Call) -> Answer:
    prefix, usage = call.optional("PathPrefix") or "/", call.optional("PolicyUsageFilter")
    only_attached = bool(call.parameters.get("OnlyAttached"))

    def wanted(policy: _Policy) -> bool:
        used = policy.bounding if usage == "PermissionsBoundary" else policy.attached
        return policy.path.startswith(prefix) and (bool(used) or not (usage or only_attached))

    size = int(call.parameters.get("MaxItems", PAGE_SIZE))
    page = call.page(Rows(enumerate(_policies(call))), size=size, cursor="Marker", keep=wanted)
    return {**page.answer("Policies", _describe, "Marker"), "IsTruncated": page.token is not None}


def get_policy(call: Call) -> Answer:
    arn = call.text("PolicyArn")
    policy = next((policy for policy in _all_policies(call) if policy.arn == arn), None)
    if policy is None:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    return {"Policy": {**_describe(policy), "Tags": []}}


def get_policy_version(call: Call) -> Answer:
    """The text percent-encoded, as IAM gives it. Of the versions only the one in force is there."""
    arn, version_id = call.text("PolicyArn"), call.text("VersionId")
    policy = managed_policies().get(arn)
    version = find_version(policy.name) if policy else None
    if version is None or version.number != version_id:
        raise AwsError("NoSuchEntity", f"Policy {arn} version {version_id} does not exist or is not attachable.", 404)
    return {
        "PolicyVersion": {
            "Document": quote(version.document, safe=""),
            "VersionId": version.number,
            "IsDefaultVersion": True,
            "CreateDate": _PUBLISHED,
        }
    }


def _policies(call: Call) -> Iterator[_Policy]:
    scope = call.optional("Scope") or "All"
    return (policy for policy in _all_policies(call) if scope in {"All", _scope(policy)})


def _scope(policy: _Policy) -> str:
    return "AWS" if policy.arn in managed_policies() else "Local"


def _all_policies(call: Call) -> Iterator[_Policy]:
    account_id = call.caller.account_id
    center = call.world.center
    sets = [center.sets[provision.permission_set_arn] for provision in center.provisions_to(account_id)]
    attached = [reference for each in sets for reference in (*each.managed, *each.customer_managed)]
    bounding = [each.boundary for each in sets]
    for reference in call.world.customer_policies.get(account_id, []):
        arn = f"arn:aws:iam::{account_id}:policy{reference.path}{reference.name}"
        uses = attached.count(reference), bounding.count(reference)
        yield _Policy(arn, reference.path, reference.name, True, *uses)
    for arn, policy in managed_policies().items():
        uses = attached.count(arn), bounding.count(arn)
        yield _Policy(arn, policy.path, policy.name, policy.is_attachable, *uses)


def _describe(policy: _Policy) -> Answer:
    version = find_version(policy.name) if policy.arn in managed_policies() else None
    return {
        "PolicyName": policy.name,
        "PolicyId": f"ANPA{hashlib.sha256(policy.arn.encode()).hexdigest()[:17].upper()}",
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": version.number if version else "v1",
        "AttachmentCount": policy.attached,
        "PermissionsBoundaryUsageCount": policy.bounding,
        "IsAttachable": policy.is_attachable,
        "CreateDate": _PUBLISHED,
        "UpdateDate": _PUBLISHED,
    }


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "ListPolicies": list_policies,
    "GetPolicy": get_policy,
    "GetPolicyVersion": get_policy_version,
}
