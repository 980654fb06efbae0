"""Condition keys: those that every service knows, and those of one service."""

from functools import lru_cache

from accounts.policy import catalogue
from accounts.policy.catalogue import ConditionKey
from accounts.policy.documents import Node, shorten
from accounts.policy.findings import Report

_GLOBAL_TYPES = {
    "String": (
        "CalledViaAWSMCP CalledViaFirst CalledViaLast Ec2InstanceSourceVpc FederatedProvider PrincipalAccount "
        "PrincipalOrgID PrincipalServiceName PrincipalType RequestedRegion ResourceAccount ResourceOrgID "
        "SourceAccount SourceIdentity SourceOrgID SourceVpc SourceVpce UserAgent ViaCustomerDomain VpceAccount "
        "VpceOrgID referer userid username"
    ),
    "ARN": "ChatbotSourceArn PrincipalArn SignInSessionArn SourceArn SourceVpcArn",
    "Bool": (
        "AssumedRoot IsMcpServiceAction MultiFactorAuthPresent PrincipalIsAWSService SecureTransport ViaAWSMCPService "
        "ViaAWSService"
    ),
    "Numeric": "MultiFactorAuthAge",
    "Date": "CurrentTime EpochTime TokenIssueTime",
    "IPAddress": "Ec2InstanceSourcePrivateIPv4 SourceIp VpcSourceIp",
}
_GLOBAL_LISTS = (
    "CalledVia PrincipalOrgPaths PrincipalServiceNamesList ResourceOrgPaths SourceOrgPaths TagKeys VpceOrgPaths"
)
GLOBAL_KEYS = {
    key.name.lower(): key
    for key in (
        *(ConditionKey(f"aws:{name}", kind, False) for kind, names in _GLOBAL_TYPES.items() for name in names.split()),
        *(ConditionKey(f"aws:{name}", "String", True) for name in _GLOBAL_LISTS.split()),
        ConditionKey("ec2:RoleDelivery", "Numeric", False),
        ConditionKey("ec2:SourceInstanceARN", "ARN", False),
        ConditionKey("glue:RoleAssumedBy", "String", False),
        ConditionKey("glue:CredentialIssuingService", "String", False),
        ConditionKey("lambda:SourceFunctionArn", "ARN", False),
        ConditionKey("ssm:SourceInstanceARN", "ARN", False),
        ConditionKey("identitystore:UserId", "String", False),
    )
}
_TAG_KEYS = ("aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/")
DEPRECATED = {"aws:arn": "aws:PrincipalArn"}
_GLOBAL_NAMES = (*(key.name for key in GLOBAL_KEYS.values()), *_TAG_KEYS)


def is_global(name: str) -> bool:
    return name.lower().startswith("aws:") or name.lower() in GLOBAL_KEYS


@lru_cache(maxsize=4096)
def find_key(name: str) -> ConditionKey | None:
    """A key as it is known, or None."""
    lower = name.lower()
    if lower in GLOBAL_KEYS:
        return GLOBAL_KEYS[lower]
    if any(lower.startswith(prefix.lower()) and len(lower) > len(prefix) for prefix in _TAG_KEYS):
        return ConditionKey(name, "String", False)
    if lower in DEPRECATED:
        return ConditionKey(name, "ARN", False)
    known = (service.find_key(name) for service in catalogue.find_services_of_key(name.partition(":")[0]))
    return next((key for key in known if key), None)


def check_key_name(name: str, node: Node, report: Report, *, at_key: bool = False) -> ConditionKey | None:
    """Say what is wrong with the name of a key; the key, if it is known."""
    prefix, colon, _rest = name.partition(":")
    if not colon or not prefix:
        report.add("INVALID_CONDITION_KEY_FORMAT", node, at_key=at_key, found=shorten(name))
        return None
    key = find_key(name)
    if key is None:
        _warn_of_unknown(name, node, report, at_key=at_key)
    elif name.lower() in DEPRECATED:
        near = DEPRECATED[name.lower()]
        report.add("DEPRECATED_GLOBAL_CONDITION_KEY", node, at_key=at_key, found=name, near=near)
    return key


def _warn_of_unknown(name: str, node: Node, report: Report, *, at_key: bool) -> None:
    prefix = name.partition(":")[0]
    if prefix.lower() == "aws":
        code, near = "INVALID_GLOBAL_CONDITION_KEY", report.suggest(name, _GLOBAL_NAMES)
    elif not catalogue.is_there() or "." in prefix:  # a sign-in provider of somebody's own
        return
    else:
        known = [key.name for service in catalogue.find_services_of_key(prefix) for key in service.keys.values()]
        code, near = "INVALID_SERVICE_CONDITION_KEY", report.suggest(name, tuple(known))
    sentence = f"policy_{code.lower()}_near" if near else ""
    report.add(code, node, sentence=sentence, at_key=at_key, found=shorten(name), near=", ".join(near))
