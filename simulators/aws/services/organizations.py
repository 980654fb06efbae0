"""AWS Organizations, as far as a reader of accounts, units and tags needs it."""

from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.entities import Account, OrganizationalUnit
from simulators.aws.errors import AwsError
from simulators.aws.rows import Rows

PAGE_SIZE = 20
# The older member Status knows three of the five states.
_STATUSES = {"ACTIVE": "ACTIVE", "SUSPENDED": "SUSPENDED", "PENDING_CLOSURE": "PENDING_CLOSURE", "CLOSED": "SUSPENDED"}


def describe_organization(call: Call) -> Answer:
    """Open to every account of the organization."""
    organization = call.world.organization
    if call.caller.account_id not in organization.accounts:
        raise AwsError("AWSOrganizationsNotInUseException", "The account is not a member of an organization")
    management = organization.accounts[organization.management_account_id]
    return {
        "Organization": {
            "Id": organization.id,
            "Arn": _arn(call, "organization"),
            "FeatureSet": "ALL",
            "MasterAccountArn": _arn(call, "account", management.id),
            "MasterAccountId": management.id,
            "MasterAccountEmail": management.email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }
    }


def list_accounts(call: Call) -> Answer:
    _require_reader(call)
    return call.page(call.world.organization.all_accounts, size=_size(call)).answer("Accounts", _account_of(call))


def describe_account(call: Call) -> Answer:
    _require_reader(call)
    account = call.world.organization.accounts.get(call.text("AccountId"))
    if account is None:
        raise AwsError("AccountNotFoundException", "No account with this id is in the organization")
    return {"Account": _account_of(call)(account)}


def list_roots(call: Call) -> Answer:
    _require_reader(call)
    root_id = call.world.organization.root_id
    root = {"Id": root_id, "Arn": _arn(call, "root", root_id), "Name": "Root", "PolicyTypes": []}
    return call.page(Rows([(0, root)]), size=_size(call)).answer("Roots", lambda row: row)


def list_organizational_units_for_parent(call: Call) -> Answer:
    _require_reader(call)
    units = call.world.organization.units_in(_parent(call))
    return call.page(units, size=_size(call)).answer("OrganizationalUnits", lambda unit: _unit(call, unit))


def describe_organizational_unit(call: Call) -> Answer:
    _require_reader(call)
    unit = call.world.organization.units.get(call.text("OrganizationalUnitId"))
    if unit is None:
        raise AwsError("OrganizationalUnitNotFoundException", "No organizational unit has this id")
    return {"OrganizationalUnit": _unit(call, unit)}


def list_accounts_for_parent(call: Call) -> Answer:
    _require_reader(call)
    accounts = call.world.organization.accounts_in(_parent(call))
    return call.page(accounts, size=_size(call)).answer("Accounts", _account_of(call))


def list_children(call: Call) -> Answer:
    _require_reader(call)
    organization, parent_id, kind = call.world.organization, _parent(call), call.text("ChildType")
    children: Rows[Account] | Rows[OrganizationalUnit]
    children = organization.accounts_in(parent_id) if kind == "ACCOUNT" else organization.units_in(parent_id)
    ids = Rows((child.number, child.id) for child in children)
    return call.page(ids, size=_size(call)).answer("Children", lambda child_id: {"Id": child_id, "Type": kind})


def list_parents(call: Call) -> Answer:
    _require_reader(call)
    organization, child_id = call.world.organization, call.text("ChildId")
    child = organization.accounts.get(child_id) or organization.units.get(child_id)
    if child is None:
        raise AwsError("ChildNotFoundException", "No account or organizational unit has this id")
    kind = "ROOT" if child.parent_id == organization.root_id else "ORGANIZATIONAL_UNIT"
    parent = {"Id": child.parent_id, "Type": kind}
    return call.page(Rows([(0, parent)]), size=_size(call)).answer("Parents", lambda row: row)


def list_tags_for_resource(call: Call) -> Answer:
    _require_reader(call)
    organization, resource = call.world.organization, call.text("ResourceId")
    if resource not in organization.accounts and not organization.is_parent(resource):
        raise AwsError("TargetNotFoundException", "No resource has this id")
    tags = Rows(enumerate(call.world.tags_of(resource).items()))
    return call.page(tags, size=PAGE_SIZE).answer("Tags", lambda tag: {"Key": tag[0], "Value": tag[1]})


def list_delegated_administrators(call: Call) -> Answer:
    _require_reader(call)
    organization, service = call.world.organization, call.optional("ServicePrincipal")
    since = {
        account_id: min(services.values()) if service is None else services[service]
        for account_id, services in organization.delegations.items()
        if organization.is_delegated(account_id, service)
    }
    page = call.page(organization.all_accounts, size=_size(call), keep=lambda account: account.id in since)
    described = _account_of(call)
    return page.answer("DelegatedAdministrators", lambda account: _administrator(described(account), since[account.id]))


def _administrator(account: Answer, since: float) -> Answer:
    del account["Paths"]
    return {**account, "DelegationEnabledDate": since}


def _require_reader(call: Call) -> None:
    """The management account reads, and so does any delegated administrator, whatever the service."""
    organization, account_id = call.world.organization, call.caller.account_id
    if account_id not in organization.accounts:
        raise AwsError("AWSOrganizationsNotInUseException", "The account is not a member of an organization")
    if account_id != organization.management_account_id and not organization.is_delegated(account_id):
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")


def _parent(call: Call) -> str:
    parent_id = call.text("ParentId")
    if not call.world.organization.is_parent(parent_id):
        raise AwsError("ParentNotFoundException", "No root or organizational unit has this id")
    return parent_id


def _size(call: Call) -> int:
    return int(call.parameters.get("MaxResults", PAGE_SIZE))


def _arn(call: Call, kind: str, resource_id: str = "") -> str:
    organization = call.world.organization
    tail = f"/{resource_id}" if resource_id else ""
    return f"arn:aws:organizations::{organization.management_account_id}:{kind}/{organization.id}{tail}"


def _unit(call: Call, unit: OrganizationalUnit) -> Answer:
    path = call.world.organization.path(unit.id)
    return {"Id": unit.id, "Arn": _arn(call, "ou", unit.id), "Name": unit.name, "Path": path}


def _account_of(call: Call) -> Callable[[Account], Answer]:
    organization = call.world.organization

    def describe(account: Account) -> Answer:
        invited = account.id == organization.management_account_id
        described = {
            "Id": account.id,
            "Arn": _arn(call, "account", account.id),
            "Email": account.email,
            "Name": account.name,
            "State": account.state,
            "Paths": [f"{organization.path(account.parent_id)}{account.id}/"],
            "JoinedMethod": "INVITED" if invited else "CREATED",
            "JoinedTimestamp": account.joined,
        }
        status = _STATUSES.get(account.state)
        return {**described, "Status": status} if status else described

    return describe


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "DescribeOrganization": describe_organization,
    "ListAccounts": list_accounts,
    "DescribeAccount": describe_account,
    "ListRoots": list_roots,
    "ListOrganizationalUnitsForParent": list_organizational_units_for_parent,
    "DescribeOrganizationalUnit": describe_organizational_unit,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListChildren": list_children,
    "ListParents": list_parents,
    "ListTagsForResource": list_tags_for_resource,
    "ListDelegatedAdministrators": list_delegated_administrators,
}
