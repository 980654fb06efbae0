"""What a policy allows that people should know of: rights over all, over rights, and over what is secret.

Each statement that allows is looked at by itself, as Access Analyzer does; denials elsewhere are not counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from accounts.policy import catalogue
from accounts.policy.actions import Named
from accounts.policy.arns import split_arn
from accounts.policy.documents import Node
from accounts.policy.findings import Report
from accounts.policy.globs import has_wildcard, matches
from accounts.policy.grammar import Statement

HAND_ON = "iam:PassRole"
CREATE_SLR = "iam:CreateServiceLinkedRole"
# With any of these one gives oneself everything else.
ESCALATIONS = tuple(
    f"iam:{action}"
    for action in (
        "AddUserToGroup", "AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy", "CreateAccessKey",
        "CreateLoginProfile", "CreatePolicyVersion", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
        "DeleteUserPermissionsBoundary", "DetachRolePolicy", "PutGroupPolicy", "PutRolePermissionsBoundary",
        "PutRolePolicy", "PutUserPermissionsBoundary", "PutUserPolicy", "SetDefaultPolicyVersion",
        "UpdateAssumeRolePolicy", "UpdateLoginProfile",
    )
) + tuple(
    f"sso:{action}"
    for action in (
        "AttachCustomerManagedPolicyReferenceToPermissionSet", "AttachManagedPolicyToPermissionSet",
        "CreateAccountAssignment", "DeletePermissionsBoundaryFromPermissionSet", "PutInlinePolicyToPermissionSet",
    )
) + ("organizations:AttachPolicy", "organizations:DetachPolicy")  # fmt: skip
# With one of these and the right to pass roles one works as a role that may more.
RUNNERS = (
    "cloudformation:CreateStack", "codebuild:CreateProject", "datapipeline:CreatePipeline", "ec2:RunInstances",
    "ecs:RunTask", "glue:CreateDevEndpoint", "glue:CreateJob", "lambda:CreateFunction",
    "sagemaker:CreateNotebookInstance", "states:CreateStateMachine",
)  # fmt: skip
SECRETS = (
    "secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath",
    "s3:GetObject", "dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem", "kms:Decrypt", "ec2:GetPasswordData",
    "rds-data:ExecuteStatement", "logs:GetLogEvents", "sts:AssumeRole",
)  # fmt: skip
_LISTED = 4


class Grant(NamedTuple):
    """How a statement allows an action: by its own name, or by a wildcard or exception."""

    node: Node
    is_exact: bool


def check_risks(statements: Sequence[tuple[Statement, Named]], report: Report) -> None:
    passing: list[Statement] = []
    for statement, named in statements:
        if not statement.is_allowing or not statement.actions:
            continue
        _check_handing_on(statement, report)
        if statement.excludes_actions:
            report.add("NOT_ACTION_WITH_ALLOW", statement.actions[0])
        if _allows_everything(statement, named):
            report.add("ADMINISTRATOR", _find_star(statement))
            continue
        _check_escalation(statement, report)
        _check_exposure(statement, report)
        if find_grant(statement, HAND_ON) and _find_wide(statement) and not _is_limited(statement, "iam:PassedTo"):
            passing.append(statement)
    if passing:
        _check_runners([statement for statement, _named in statements], report)


def find_grant(statement: Statement, action: str) -> Grant | None:
    """How a statement speaks of an action, or None if it does not."""
    if statement.excludes_actions:
        excepted = any(matches(str(node.value), action) for node in statement.actions)
        return None if excepted or not statement.actions else Grant(statement.actions[0], is_exact=False)
    for node in statement.actions:
        text = str(node.value)
        if text.lower() == action.lower():
            return Grant(node, is_exact=True)
        if has_wildcard(text) and matches(text, action):
            return Grant(node, is_exact=False)
    return None


def _allows_everything(statement: Statement, named: Named) -> bool:
    stars = any(node.value in ("*", "*:*") for node in statement.actions)
    return named.is_everything and stars and not statement.excludes_actions and _find_wide(statement) is not None


def _find_star(statement: Statement) -> Node:
    return next(node for node in statement.actions if node.value in ("*", "*:*"))


def _find_wide(statement: Statement) -> Node | None:
    """The first of its resources that sets no limit; of NotResource the first."""
    if statement.excludes_resources:
        return next(iter(statement.resources), None)
    return next((node for node in statement.resources if _is_wide(str(node.value))), None)


def _is_wide(text: str) -> bool:
    """`*`, or an ARN that names all of a kind: `arn:aws:iam::*:role/*`."""
    if text == "*":
        return True
    arn = split_arn(text)
    if arn is None:
        return False
    service = catalogue.find_service(arn.service)
    kinds = (kind.resource for kind in service.resources.values()) if service else ()
    return not arn.resource.strip("*?/:") or arn.resource in kinds


def _is_limited(statement: Statement, key: str) -> bool:
    """Whether a condition of the statement speaks about a key that begins so."""
    blocks = statement.condition.value.values() if statement.condition else ()
    names = (name for block in blocks if block.kind == "object" for name in block.value)
    return any(name.lower().startswith(key.lower()) for name in names)


# --- Handing on ------------------------------------------------------------------------------------------------------


def _check_handing_on(statement: Statement, report: Report) -> None:
    for stem, action, limit in (
        ("PASS_ROLE", HAND_ON, "iam:PassedTo"),
        ("CREATE_SLR", CREATE_SLR, "iam:AWSServiceName"),
    ):
        grant = find_grant(statement, action)
        if grant and not _is_limited(statement, limit) and (code := _name_handing_on(statement, grant)):
            report.add(f"{stem}_WITH_{code}", grant.node)


def _name_handing_on(statement: Statement, grant: Grant) -> str:
    """Access Analyzer's word for it; empty if the resources set a limit."""
    if statement.excludes_resources:
        if statement.excludes_actions:
            return "NOT_ACTION_AND_NOT_RESOURCE"
        return "NOT_RESOURCE" if grant.is_exact else "STAR_IN_ACTION_AND_NOT_RESOURCE"
    if _find_wide(statement) is None:
        return ""
    if statement.excludes_actions:
        return "STAR_IN_RESOURCE_AND_NOT_ACTION"
    return "STAR_IN_RESOURCE" if grant.is_exact else "STAR_IN_ACTION_AND_RESOURCE"


# --- Escalation and exposure -----------------------------------------------------------------------------------------


def iter_granted(statement: Statement, actions: Iterable[str]) -> Iterator[tuple[str, Grant]]:
    for action in actions:
        if grant := find_grant(statement, action):
            yield action, grant


def _check_escalation(statement: Statement, report: Report) -> None:
    granted = list(iter_granted(statement, ESCALATIONS))
    if granted:
        report.add("PRIVILEGE_ESCALATION", granted[0][1].node, actions=_list(granted))


def _check_exposure(statement: Statement, report: Report) -> None:
    if statement.condition is not None and statement.condition.value:
        return
    granted = list(iter_granted(statement, SECRETS))
    if granted and _find_wide(statement):
        report.add("DATA_EXPOSURE", granted[0][1].node, actions=_list(granted))


def _check_runners(statements: Iterable[Statement], report: Report) -> None:
    for statement in statements:
        granted = list(iter_granted(statement, RUNNERS)) if statement.is_allowing else []
        if granted and not _has_star(statement):
            report.add("PRIVILEGE_ESCALATION", granted[0][1].node, sentence="policy_escalation_by_role",
                       actions=_list(granted))  # fmt: skip
            return


def _has_star(statement: Statement) -> bool:
    return any(node.value in ("*", "*:*") for node in statement.actions)


def _list(granted: Sequence[tuple[str, Grant]]) -> str:
    names = [action for action, _grant in granted]
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
