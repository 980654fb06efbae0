"""Permission sets, their roles in accounts and the assignments, indexed by account × set and by principal."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from simulators.aws.entities import Assignment, Boundary, PermissionSet, PolicyReference, Principal, Provision
from simulators.aws.rows import Rows

Pair = tuple[str, str]
"""An account id and a permission set's ARN."""


class IdentityCenter:
    """What is true in the organization's instance at this moment; how it comes true is `provisioning`'s business."""

    def __init__(self) -> None:
        self.sets: dict[str, PermissionSet] = {}
        self.all_sets: Rows[PermissionSet] = Rows()
        self._arns: dict[str, str] = {}
        self._provisions: dict[Pair, Provision] = {}
        self._provisions_of: defaultdict[str, Rows[Provision]] = defaultdict(Rows)
        self._provisions_to: defaultdict[str, Rows[Provision]] = defaultdict(Rows)
        self._numbers: dict[Assignment, int] = {}
        self._by_pair: defaultdict[Pair, Rows[Assignment]] = defaultdict(Rows)
        self._by_principal: defaultdict[Principal, Rows[Assignment]] = defaultdict(Rows)

    # Permission sets

    def put_set(self, permission_set: PermissionSet) -> None:
        if permission_set.name in self._arns:
            raise ValueError(f"permission set {permission_set.name} exists")
        self.sets[permission_set.arn] = permission_set
        self.all_sets.add(permission_set.number, permission_set)
        self._arns[permission_set.name] = permission_set.arn

    def remove_set(self, arn: str) -> None:
        permission_set = self.sets.pop(arn)
        self.all_sets.remove(permission_set.number)
        del self._arns[permission_set.name]

    def arn_of(self, name: str) -> str | None:
        return self._arns.get(name)

    # Roles

    def provision(self, account_id: str, permission_set_arn: str, number: int) -> None:
        """Make the role, or bring it to the set's present version."""
        version = self.sets[permission_set_arn].version
        known = self._provisions.get((account_id, permission_set_arn))
        if known:
            known.version = version
        else:
            self._put_provision(Provision(account_id, permission_set_arn, number, version))

    def provision_of(self, account_id: str, permission_set_arn: str) -> Provision | None:
        return self._provisions.get((account_id, permission_set_arn))

    def provisions_of(self, permission_set_arn: str) -> Rows[Provision]:
        return self._provisions_of.get(permission_set_arn) or Rows()

    def provisions_to(self, account_id: str) -> Rows[Provision]:
        return self._provisions_to.get(account_id) or Rows()

    def is_latest(self, provision: Provision) -> bool:
        return provision.version == self.sets[provision.permission_set_arn].version

    def _put_provision(self, provision: Provision) -> None:
        self._provisions[provision.account_id, provision.permission_set_arn] = provision
        self._provisions_of[provision.permission_set_arn].add(provision.number, provision)
        self._provisions_to[provision.account_id].add(provision.number, provision)

    # Assignments

    def add_assignment(self, assignment: Assignment, number: int) -> None:
        """Add the row; the role has to be there. Adding it twice changes nothing."""
        if assignment in self._numbers:
            return
        self._numbers[assignment] = number
        self._by_pair[assignment.account_id, assignment.permission_set_arn].add(number, assignment)
        self._by_principal[assignment.principal].add(number, assignment)

    def remove_assignment(self, assignment: Assignment) -> None:
        """Remove the row, and the role with its last one."""
        number = self._numbers.pop(assignment)
        pair = (assignment.account_id, assignment.permission_set_arn)
        self._by_pair[pair].remove(number)
        self._by_principal[assignment.principal].remove(number)
        if not self._by_pair[pair]:
            del self._by_pair[pair]
            provision = self._provisions.pop(pair)
            self._provisions_of[provision.permission_set_arn].remove(provision.number)
            self._provisions_to[provision.account_id].remove(provision.number)

    def has_assignment(self, assignment: Assignment) -> bool:
        return assignment in self._numbers

    def all_assignments(self) -> list[Assignment]:
        return list(self._numbers)

    def assignments_of(self, account_id: str, permission_set_arn: str) -> Rows[Assignment]:
        return self._by_pair.get((account_id, permission_set_arn)) or Rows()

    def assignments_to(self, principal: Principal) -> Rows[Assignment]:
        return self._by_principal.get(principal) or Rows()

    # Keeping

    def to_state(self) -> dict[str, Any]:
        return {
            "sets": [asdict(permission_set) for permission_set in self.sets.values()],
            "provisions": [asdict(provision) for provision in self._provisions.values()],
            "assignments": [[number, *assignment] for assignment, number in self._numbers.items()],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "IdentityCenter":
        center = cls()
        for values in state["sets"]:
            references = [PolicyReference(*reference) for reference in values["customer_managed"]]
            boundary = _boundary(values["boundary"])
            center.put_set(PermissionSet(**{**values, "customer_managed": references, "boundary": boundary}))
        for values in state["provisions"]:
            center._put_provision(Provision(**values))
        for number, *assignment in state["assignments"]:
            center.add_assignment(Assignment(*assignment), number)
        return center


def _boundary(value: str | list[str] | None) -> Boundary | None:
    return PolicyReference(*value) if isinstance(value, list | tuple) else value
