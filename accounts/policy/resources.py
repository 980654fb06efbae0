"""Resource and NotResource: the form of ARNs, and whether the actions of the statement can be limited to them."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from accounts.policy import catalogue
from accounts.policy.actions import Named
from accounts.policy.arns import PARTITIONS, Arn, split_arn
from accounts.policy.catalogue import Action, ResourceType
from accounts.policy.documents import Node, shorten
from accounts.policy.findings import Report, Severity
from accounts.policy.globs import has_wildcard, may_meet
from accounts.policy.grammar import Statement
from accounts.policy.variables import check_variables

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_DIGITS = re.compile(r"[\d\s-]+", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", re.ASCII)
_IAM_KINDS = (
    "user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
    "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/", "role-template/", "root",
)  # fmt: skip
_S3_WITH_REGION = ("accesspoint/", "job/", "storage-lens", "access-grants/", "async-request/", "accesspoint")
_LONGEST = 2048  # of an ARN worth comparing


def check_resources(statement: Statement, named: Named, report: Report, *, has_variables: bool) -> None:
    sound = [node for node in statement.resources if _check_resource(node, report, has_variables=has_variables)]
    if statement.excludes_resources or statement.excludes_actions or not catalogue.is_there():
        return
    arns = [(node, arn) for node in sound if node.value != "*" and (arn := split_arn(str(node.value)))]
    if len(sound) < len(statement.resources) or not sound or named.is_everything:
        return
    fitting = _check_actions_fit(named, arns, report, has_star=len(arns) < len(sound))
    if not named.has_unknown:
        unused = [(node, arn) for node, arn in arns if node not in fitting]
        _check_arns_used(named, unused, report, is_told=not fitting and len(unused) == len(sound))


# --- One ARN by itself -----------------------------------------------------------------------------------------------


def _check_resource(node: Node, report: Report, *, has_variables: bool) -> bool:
    """Whether the text is `*` or an ARN whose parts are worth comparing."""
    text = str(node.value)
    if text == "*":
        return True
    before = len(report.findings)
    check_variables(node, report, has_variables=has_variables)
    if not text.startswith("arn:"):
        report.add("INVALID_ARN_PREFIX", node, found=shorten(text))
        return False
    arn = split_arn(text)
    if arn is None or not arn.service or not arn.partition:
        report.add("MISSING_ARN_FIELD", node, found=shorten(text))
        return False
    _check_parts(node, arn, report)
    return len(report.findings) == before and len(text) <= _LONGEST


def _check_parts(node: Node, arn: Arn, report: Report) -> None:
    if not has_wildcard(arn.partition) and arn.partition not in PARTITIONS:
        report.add("INVALID_PARTITION", node, found=shorten(arn.partition), known=", ".join(PARTITIONS[:3]))
    _check_service(node, arn.service, report)
    if _DIGITS.fullmatch(arn.account) and not _ACCOUNT.fullmatch(arn.account):
        report.add("INVALID_ARN_ACCOUNT", node, found=shorten(arn.account))
    if arn.region and not has_wildcard(arn.region) and not _REGION.fullmatch(arn.region):
        report.add("INVALID_REGION", node, found=shorten(arn.region))
    _check_iam_and_s3(node, arn, report)
    if not arn.region and _needs_region(arn):
        report.add("MISSING_ARN_REGION", node, service=shorten(arn.service))


def _needs_region(arn: Arn) -> bool:
    """Whether all resources that it could mean have a region. AWS itself writes models of bedrock without one."""
    service = catalogue.find_service(arn.service) if arn.service != "bedrock" else None
    kinds = service.resources.values() if service else ()
    meant = [kind for kind in kinds if kind.service == arn.service and may_meet(arn.resource, kind.resource)]
    return bool(meant) and all(kind.region == "*" for kind in meant)


def _check_service(node: Node, service: str, report: Report) -> None:
    if has_wildcard(service):
        report.add("WILDCARD_IN_SERVICE_NAME", node, found=shorten(service))
    elif service != service.lower():
        report.add("INVALID_ARN_SERVICE_CASE", node, found=shorten(service), near=shorten(service.lower()))
    elif catalogue.is_there() and service not in catalogue.list_prefixes() and service not in _list_arn_services():
        near = ", ".join(report.suggest(service, catalogue.list_prefixes()))
        sentence = "policy_invalid_service_near" if near else ""
        report.add("INVALID_SERVICE", node, sentence=sentence, found=shorten(service), near=near)


@cache
def _list_arn_services() -> frozenset[str]:
    """What stands in ARNs is not always a prefix of actions."""
    return frozenset(each.service for service in catalogue.iter_everything() for each in service.resources.values())


def _check_iam_and_s3(node: Node, arn: Arn, report: Report) -> None:
    """What IAM refuses itself, whatever the data says."""
    if arn.service == "iam":
        if arn.region:
            report.add("ARN_REGION_NOT_ALLOWED", node, service="iam", found=shorten(arn.region))
        if not arn.resource.startswith(("*", *_IAM_KINDS)) and not has_wildcard(arn.resource.partition("/")[0]):
            kinds = ", ".join(_IAM_KINDS[:4])
            report.add("INVALID_ARN_RESOURCE", node, sentence="policy_iam_resource", severity=Severity.ERROR,
                       found=shorten(arn.resource), known=kinds)  # fmt: skip
    elif arn.service == "s3" and not arn.resource.startswith(_S3_WITH_REGION) and not arn.resource.startswith("*"):
        if arn.region:
            report.add("ARN_REGION_NOT_ALLOWED", node, service="s3", found=shorten(arn.region))
        elif _ACCOUNT.fullmatch(arn.account):
            report.add("ARN_ACCOUNT_NOT_ALLOWED", node, service="s3", found=shorten(arn.account))


# --- ARNs and actions ------------------------------------------------------------------------------------------------


def _check_actions_fit(named: Named, arns: list[tuple[Node, Arn]], report: Report, *, has_star: bool) -> set[Node]:
    """Warn of actions that none of the resources is for; the resources that some action is for."""
    fitting: set[Node] = set()
    for node, actions in named.known:
        kinds = {(action.service, name) for action in actions for name in action.resources}
        met = [each for each, arn in arns if any(_fits(*kind, arn) for kind in kinds)]
        fitting.update(met)
        if met or has_star or not arns:
            continue
        if not any(action.resources for action in actions):
            report.add("RESOURCE_STAR_NEEDED", node, action=shorten(str(node.value)))
        else:
            report.add("RESOURCE_NOT_FOR_ACTION", node, action=shorten(str(node.value)), wanted=_show_wanted(actions))
    return fitting


def _check_arns_used(named: Named, arns: Iterable[tuple[Node, Arn]], report: Report, *, is_told: bool) -> None:
    """Warn of resources that no action of the statement is for. is_told: each action has said so of all of them."""
    for node, arn in arns:
        if not _exists(arn):
            report.add("INVALID_ARN_RESOURCE", node, found=shorten(str(node.value)), service=shorten(arn.service))
        elif not is_told:
            report.add("RESOURCE_NOT_FOR_ACTION", node, sentence="policy_resource_not_used",
                       found=shorten(str(node.value)), wanted=_show_wanted(named.actions))  # fmt: skip


def _show_wanted(actions: Iterable[Action]) -> str:
    """ARNs as the actions want them, the two plainest."""
    templates = {kind.template for action in actions for kind in list_types(action)}
    return ", ".join(sorted(templates, key=lambda template: (len(template), template))[:2]) or "*"


def list_types(action: Action) -> Iterator[ResourceType]:
    service = catalogue.find_service(action.service)
    known = service.resources if service else {}
    return (known[name] for name in action.resources if name in known)


@lru_cache(maxsize=16384)
def _fits(prefix: str, name: str, arn: Arn) -> bool:
    service = catalogue.find_service(prefix)
    kind = service.resources.get(name) if service else None
    if kind is None:  # the data names a type that it does not describe
        return True
    if kind.service == "s3" and kind.resource == "*" and not kind.region and "/" in arn.resource:
        return False  # a bucket, and this is what lies in it
    return (
        may_meet(arn.service, kind.service)
        and _meets_part(arn.region, kind.region)
        and _meets_part(arn.account, kind.account)
        and may_meet(arn.resource, kind.resource)
    )


def _meets_part(written: str, wanted: str) -> bool:
    """Region or account. Where the data has a placeholder, real ARNs of some services leave it empty."""
    return wanted == "*" or may_meet(written, wanted)


@lru_cache(maxsize=4096)
def _exists(arn: Arn) -> bool:
    """Whether some service knows such a resource."""
    own = catalogue.find_service(arn.service)
    services = [own] if own else list(catalogue.iter_everything())
    return any(
        may_meet(arn.service, kind.service) and may_meet(arn.resource, kind.resource)
        for service in services
        for kind in service.resources.values()
    )
