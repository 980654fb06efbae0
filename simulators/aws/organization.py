"""Accounts and organizational units of one organization, with the indexes its listings need."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from simulators.aws.entities import Account, OrganizationalUnit
from simulators.aws.rows import Rows

IDENTITY_CENTER_SERVICE = "sso.amazonaws.com"
MAX_DEPTH = 5  # organizational units below the root; source: quotas of AWS Organizations


class Organization:
    """The tree below one root. Knows nothing of callers or of the wire."""

    def __init__(self, organization_id: str, root_id: str, management_account_id: str) -> None:
        self.id, self.root_id, self.management_account_id = organization_id, root_id, management_account_id
        self.units: dict[str, OrganizationalUnit] = {}
        self.accounts: dict[str, Account] = {}
        self.all_accounts: Rows[Account] = Rows()
        self.delegations: dict[str, dict[str, float]] = {}
        self._accounts_in: defaultdict[str, Rows[Account]] = defaultdict(Rows)
        self._units_in: defaultdict[str, Rows[OrganizationalUnit]] = defaultdict(Rows)

    def put_unit(self, unit: OrganizationalUnit) -> None:
        """Add a unit below an existing parent; raises ValueError for an unknown one or below depth 5."""
        if self.depth(unit.parent_id) >= MAX_DEPTH:
            raise ValueError(f"organizational units nest {MAX_DEPTH} deep at most")
        self.units[unit.id] = unit
        self._units_in[unit.parent_id].add(unit.number, unit)

    def remove_unit(self, unit_id: str) -> None:
        """Remove a unit with nothing in it; raises ValueError for another, as AWS does."""
        if len(self.accounts_in(unit_id)) or len(self.units_in(unit_id)):
            raise ValueError(f"{unit_id} is not empty")
        unit = self.units.pop(unit_id)
        self._units_in[unit.parent_id].remove(unit.number)

    def put_account(self, account: Account) -> None:
        if not self.is_parent(account.parent_id):
            raise ValueError(f"no root or organizational unit {account.parent_id}")
        if account.id in self.accounts:
            raise ValueError(f"account {account.id} exists")
        self.accounts[account.id] = account
        self.all_accounts.add(account.number, account)
        self._accounts_in[account.parent_id].add(account.number, account)

    def move_account(self, account_id: str, parent_id: str) -> None:
        if not self.is_parent(parent_id):
            raise ValueError(f"no root or organizational unit {parent_id}")
        account = self.accounts[account_id]
        self._accounts_in[account.parent_id].remove(account.number)
        account.parent_id = parent_id
        self._accounts_in[parent_id].add(account.number, account)

    def is_parent(self, parent_id: str) -> bool:
        return parent_id == self.root_id or parent_id in self.units

    def accounts_in(self, parent_id: str) -> Rows[Account]:
        return self._accounts_in.get(parent_id) or Rows()

    def units_in(self, parent_id: str) -> Rows[OrganizationalUnit]:
        return self._units_in.get(parent_id) or Rows()

    def depth(self, parent_id: str) -> int:
        """How many units lie between the root and the children of `parent_id`, itself included."""
        if parent_id == self.root_id:
            return 0
        if parent_id not in self.units:
            raise ValueError(f"no root or organizational unit {parent_id}")
        return 1 + self.depth(self.units[parent_id].parent_id)

    def path(self, parent_id: str) -> str:
        """`o-…/r-…/ou-…/…/`, from the organization down to `parent_id`."""
        if parent_id == self.root_id:
            return f"{self.id}/{self.root_id}/"
        return f"{self.path(self.units[parent_id].parent_id)}{parent_id}/"

    def is_delegated(self, account_id: str, service: str | None = None) -> bool:
        """Whether the account is delegated administrator for the service, or for any if None is given."""
        services = self.delegations.get(account_id, {})
        return bool(services) if service is None else service in services

    def to_state(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "root_id": self.root_id,
            "management_account_id": self.management_account_id,
            "units": [asdict(unit) for unit in self.units.values()],
            "accounts": [asdict(account) for account in self.accounts.values()],
            "delegations": {account_id: dict(services) for account_id, services in self.delegations.items()},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Organization":
        organization = cls(state["id"], state["root_id"], state["management_account_id"])
        for unit in state["units"]:
            organization.put_unit(OrganizationalUnit(**unit))
        for account in state["accounts"]:
            organization.put_account(Account(**account))
        organization.delegations = {account_id: dict(services) for account_id, services in state["delegations"].items()}
        return organization
