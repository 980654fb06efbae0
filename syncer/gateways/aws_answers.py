"""AWS's answers turned into our values. Pure; only members that AWS guarantees are taken for granted."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from syncer.states import (
    DEFAULT_SESSION,
    ActualAccount,
    ActualPolicy,
    ActualPrincipal,
    ActualUnit,
    Boundary,
    PolicyReference,
    PrincipalType,
)

if TYPE_CHECKING:  # the stubs are installed for mypy only
    from mypy_boto3_iam.type_defs import PolicyTypeDef
    from mypy_boto3_identitystore.type_defs import (
        AlternateIdentifierTypeDef,
        DescribeGroupResponseTypeDef,
        DescribeUserResponseTypeDef,
        ExternalIdTypeDef,
        GroupTypeDef,
        UserTypeDef,
    )
    from mypy_boto3_organizations.type_defs import AccountTypeDef, OrganizationalUnitTypeDef, RootTypeDef
    from mypy_boto3_sso_admin.type_defs import CustomerManagedPolicyReferenceTypeDef, PermissionsBoundaryTypeDef

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def parse_duration(text: str) -> timedelta:
    """ISO 8601 as AWS writes it; the default for an empty text. Raises ValueError for anything else."""
    if not text:
        return DEFAULT_SESSION
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"not a duration: {text}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_account(account: "AccountTypeDef") -> ActualAccount:
    """`ou_id` stays empty where AWS does not give the path. State replaces Status, which AWS is retiring."""
    paths = account.get("Paths") or [""]
    return ActualAccount(
        account_id=account["Id"],
        name=account.get("Name", ""),
        email=account.get("Email", ""),
        state=account.get("State") or account.get("Status") or "",
        ou_id=parent_in_path(paths[0]),
        ou_path=units_in_path(paths[0]),
    )


def parent_in_path(path: str) -> str:
    """The unit or root right above the account in `o-…/r-…/ou-…/123456789012/`."""
    return next(reversed(units_in_path(path)), "")


def units_in_path(path: str) -> tuple[str, ...]:
    """The root and the units above the account, from the top."""
    return tuple(path.strip("/").split("/")[1:-1])


def parse_unit(unit: "OrganizationalUnitTypeDef | RootTypeDef", parent_id: str) -> ActualUnit:
    return ActualUnit(unit["Id"], unit.get("Name", ""), parent_id)


def parse_user(user: "UserTypeDef | DescribeUserResponseTypeDef") -> ActualPrincipal:
    emails = user.get("Emails") or [{}]
    return ActualPrincipal(
        type=PrincipalType.USER,
        principal_id=user["UserId"],
        name=user.get("UserName", ""),
        display_name=user.get("DisplayName", ""),
        email=emails[0].get("Value", ""),
        external_ids=_external_ids(user.get("ExternalIds")),
        is_enabled=user.get("UserStatus") != "DISABLED",
        external_issuer=_issuer(user.get("ExternalIds")),
    )


def parse_group(group: "GroupTypeDef | DescribeGroupResponseTypeDef") -> ActualPrincipal:
    name = group.get("DisplayName", "")
    rows = group.get("ExternalIds")
    return ActualPrincipal(
        PrincipalType.GROUP,
        group["GroupId"],
        name,
        name,
        external_ids=_external_ids(rows),
        external_issuer=_issuer(rows),
    )


def _external_ids(rows: "list[ExternalIdTypeDef] | None") -> tuple[str, ...]:
    return tuple(row["Id"] for row in rows or ())


def _issuer(rows: "list[ExternalIdTypeDef] | None") -> str:
    return rows[0].get("Issuer", "") if rows else ""


def parse_policy(policy: "PolicyTypeDef") -> ActualPolicy:
    version = policy.get("DefaultVersionId", "")
    return ActualPolicy(policy["Arn"], policy["PolicyName"], policy.get("IsAttachable", True), version)


def parse_reference(reference: "CustomerManagedPolicyReferenceTypeDef") -> PolicyReference:
    return PolicyReference(reference.get("Path") or "/", reference["Name"])


def parse_boundary(boundary: "PermissionsBoundaryTypeDef") -> Boundary | None:
    if "CustomerManagedPolicyReference" in boundary:
        return Boundary(customer_managed=parse_reference(boundary["CustomerManagedPolicyReference"]))
    arn = boundary.get("ManagedPolicyArn", "")
    return Boundary(managed_policy=arn) if arn else None


def render_attribute(path: str, value: str) -> "AlternateIdentifierTypeDef":
    # The stubs take the model's "document" for an object; it is any JSON, and AWS wants a text here.
    return {"UniqueAttribute": {"AttributePath": path, "AttributeValue": cast(Any, value)}}


def render_reference(reference: PolicyReference) -> "CustomerManagedPolicyReferenceTypeDef":
    return {"Name": reference.name, "Path": reference.path}


def render_boundary(boundary: Boundary) -> "PermissionsBoundaryTypeDef":
    if boundary.customer_managed:
        return {"CustomerManagedPolicyReference": render_reference(boundary.customer_managed)}
    return {"ManagedPolicyArn": boundary.managed_policy}
