"""What the role may is what the gateway calls, no more and no less; and only where our tag is."""

import ast
import fnmatch
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.policy.catalogue import Action, find_service
from accounts.policy.validator import validate_policy
from syncer.gateways.aws_permissions import Company, Scope, build_policy
from tests.aws_policies import list_allowed

ROOT = Path(__file__).resolve().parents[2]
MANAGEMENT = "111122223333"
COMPANY = Company(management_account=MANAGEMENT)
# What the gateway's attributes and names hold: a client of this service, and IAM's word for it.
CLIENTS = {
    "sso": ("sso-admin", "sso"),
    "store": ("identitystore", "identitystore"),
    "organizations": ("organizations", "organizations"),
    "iam": ("iam", "iam"),
    "sts": ("sts", "sts"),
    "client": ("accessanalyzer", "access-analyzer"),
}
NEED_NO_RIGHT = {"sts:GetCallerIdentity"}


def list_methods(service: str) -> dict[str, str]:
    client = get_session().create_client(service, "ap-northeast-1", aws_access_key_id="x", aws_secret_access_key="x")
    return dict(client.meta.method_to_api_mapping)


def find_calls() -> set[str]:
    """Every method of a client of AWS that the gateway's source names, as IAM calls it."""
    methods = {name: list_methods(service) for name, (service, _prefix) in CLIENTS.items()}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "syncer/gateways").glob("*.py")]
    named = [pair for tree in trees for node in ast.walk(tree) for pair in find_names(node)]
    return {
        f"{CLIENTS[name][1]}:{methods[name][method]}" for name, method in named if method in methods.get(name, {})
    } - NEED_NO_RIGHT


def find_names(node: ast.AST) -> list[tuple[str, str]]:
    """Client and method: of `self._sso.list_instances`, or of a method's name as text, whatever client it may be of."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        return [(node.value.attr.removeprefix("_"), node.attr)]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return [(node.value.id, node.attr)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [(name, node.value) for name in CLIENTS]
    return []


def test_role_may_what_the_gateway_calls_and_nothing_else() -> None:
    allowed = set().union(*(list_allowed(build_policy(scope, COMPANY)) for scope in Scope))
    assert allowed == find_calls()


def look_up(action: str) -> Action:
    """In AWS's own reference of actions."""
    prefix, _colon, name = action.partition(":")
    service = find_service(prefix)
    assert service is not None
    (found,) = service.expand(name)
    return found


def test_reading_policy_changes_nothing() -> None:
    levels = {look_up(action).level for action in list_allowed(build_policy(Scope.READ, COMPANY))}
    assert levels <= {"Read", "List"}


@pytest.mark.parametrize("scope", Scope)
def test_policies_are_valid_and_short_enough_for_a_managed_policy(scope: Scope) -> None:
    text = json.dumps(build_policy(scope, COMPANY), separators=(",", ":"))
    assert [finding for finding in validate_policy(text) if finding.severity == "error"] == []
    assert len(text) < 6144


# --- What AWS would say -----------------------------------------------------------------------------------------------

SET, INSTANCE = "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "arn:aws:sso:::instance/ssoins-1"
SHOP, MANAGED = "arn:aws:sso:::account/444455556666", f"arn:aws:sso:::account/{MANAGEMENT}"
OURS, THEIRS = {"aws:ResourceTag/managed-by": "genkan"}, {"aws:ResourceTag/managed-by": "terraform"}


def may(action: str, resources: dict[str, dict[str, str]], *scopes: Scope, **request: str) -> bool:
    """As IAM decides for these resources with their tags: each by itself, and a denial goes before all."""
    statements = [each for scope in scopes or (Scope.FULL,) for each in build_policy(scope, COMPANY)["Statement"]]
    context = {f"aws:RequestTag/{key.replace('_', '-')}": value for key, value in request.items()}
    keys = [key.replace("_", "-") for key in request]

    def matches(statement: dict[str, Any], resource: str, tags: dict[str, str]) -> bool:
        named = statement["Resource"]
        wanted = statement.get("Condition", {})
        return (
            action in statement["Action"]
            and any(fnmatch.fnmatchcase(resource, each) for each in ([named] if isinstance(named, str) else named))
            and all((context | tags).get(key) == value for key, value in wanted.get("StringEquals", {}).items())
            and set(keys) <= set(wanted.get("ForAllValues:StringEquals", {}).get("aws:TagKeys", keys))
        )

    def decide(resource: str, tags: dict[str, str]) -> bool:
        effects = {statement["Effect"] for statement in statements if matches(statement, resource, tags)}
        return effects == {"Allow"}

    return all(decide(resource, tags) for resource, tags in resources.items())


def test_only_sets_with_our_tag_are_edited() -> None:
    for action in ("sso:PutInlinePolicyToPermissionSet", "sso:DeletePermissionSet", "sso:UpdatePermissionSet"):
        assert may(action, {INSTANCE: {}, SET: OURS})
        assert not may(action, {INSTANCE: {}, SET: THEIRS})
        assert not may(action, {INSTANCE: {}, SET: {}})


def test_only_sets_with_our_tag_are_assigned_and_never_in_the_management_account() -> None:
    for action in ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment", "sso:ProvisionPermissionSet"):
        assert may(action, {INSTANCE: {}, SHOP: {}, SET: OURS})
        assert not may(action, {INSTANCE: {}, SHOP: {}, SET: THEIRS})
        assert not may(action, {INSTANCE: {}, MANAGED: {}, SET: OURS})


def test_sets_are_created_with_our_tag_only() -> None:
    assert may("sso:CreatePermissionSet", {INSTANCE: {}, SET: {}}, managed_by="genkan")
    assert not may("sso:CreatePermissionSet", {INSTANCE: {}, SET: {}}, managed_by="me")
    assert not may("sso:CreatePermissionSet", {INSTANCE: {}, SET: {}})


def test_only_the_adopting_policy_tags_and_with_nothing_but_our_tag() -> None:
    assert not may("sso:TagResource", {SET: {}}, managed_by="genkan")
    assert may("sso:TagResource", {SET: {}}, Scope.FULL, Scope.ADOPT, managed_by="genkan")
    assert not may("sso:TagResource", {SET: {}}, Scope.FULL, Scope.ADOPT, managed_by="me")
    assert not may("sso:TagResource", {SET: {}}, Scope.ADOPT, managed_by="genkan", cost="12")


def test_reading_policy_alone_assigns_nothing() -> None:
    assert not may("sso:CreateAccountAssignment", {INSTANCE: {}, SHOP: {}, SET: OURS}, Scope.READ)


def test_each_resource_that_aws_looks_at_is_allowed() -> None:
    """IAM's own list of what an operation is checked against."""
    arns: dict[str, dict[str, dict[str, str]]] = {
        "Instance": {INSTANCE: {}}, "Account": {SHOP: {}}, "PermissionSet": {SET: OURS}
    }  # fmt: skip
    for action in sorted(list_allowed(build_policy(Scope.FULL, COMPANY))):
        kinds = look_up(action).resources
        resources = {arn: tags for kind in kinds for arn, tags in arns.get(kind.rstrip("*"), {}).items()}
        assert may(action, resources, managed_by="genkan"), action


# --- Command and document ---------------------------------------------------------------------------------------------


def run_command(*arguments: str) -> Any:
    out = StringIO()
    call_command("aws_policy", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_command_prints_a_policy_for_this_company(settings: Settings) -> None:
    settings.OWNERSHIP_TAG = "team=access"
    policy = run_command("full", "--management-account", MANAGEMENT)
    assert policy == build_policy(Scope.FULL, Company(("team", "access"), MANAGEMENT))


def test_full_policy_is_not_printed_without_the_account_to_deny() -> None:
    with pytest.raises(CommandError, match="--management-account"):
        run_command("full", "--management-account", "123")


def test_documented_policies_are_the_built_ones() -> None:
    text = (ROOT / "docs/aws-permissions.md").read_text(encoding="utf-8")
    blocks = [json.loads(part.partition("```")[0]) for part in text.split("```json\n")[1:]]
    reading, full, adopting = (build_policy(scope, Company()) for scope in Scope)
    changing = [statement for statement in full["Statement"] if statement not in reading["Statement"]]
    assert blocks == [reading, full | {"Statement": changing}, adopting]
