"""Which part of the desired state is the management account's: what goes into its HCL, what not, and why. Pure.

What is wanted was decided by the planner, as for every other account. Here only the line is drawn: assignments in the
management account, and with sets that are provisioned there those in all accounts, because the portal can change
neither. A set that the portal hands out in other accounts is left out: assigned in the management account by Terraform
it would be out of the portal's hands everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from syncer.changes import AssignmentChange, Kind, Plan
from syncer.desired import Desired, Standing, State
from syncer.states import (
    Actual,
    ActualPrincipal,
    ActualSet,
    AssignmentKey,
    Definition,
    Ownership,
    PrincipalType,
    Reason,
)


@dataclass(frozen=True)
class Scope:
    """What Terraform is to hold. recorded: names of the sets that have, or had, a valid record."""

    management_account_id: str
    sets: frozenset[str]  # provisioned in the management account
    recorded: frozenset[str] = frozenset()

    def covers(self, target_id: str, permission_set: str) -> bool:
        return target_id == self.management_account_id or permission_set in self.sets


@dataclass(frozen=True)
class ExportedSet:
    """A permission set: what it shall be, and what AWS has of it. `reason` says why it is as AWS has it."""

    name: str
    record: str
    definition: Definition
    there: ActualSet | None
    reason: Reason | None = None

    @property
    def surplus(self) -> tuple[str, ...]:
        """The policies that AWS has on it and it shall not have: Terraform removes only what it knows."""
        had = self.there.definition if self.there else None
        if had is None:
            return ()
        managed = sorted(had.managed_policies - self.definition.managed_policies)
        customer = sorted(had.customer_managed_policies - self.definition.customer_managed_policies)
        return (*managed, *map(str, customer))

    @property
    def loses(self) -> tuple[str, ...]:
        """Fields of which AWS has a value and it shall have none."""
        had = self.there.definition if self.there else None
        fields = ("inline_policy", "permissions_boundary")
        return tuple(name for name in fields if had and getattr(had, name) and not getattr(self.definition, name))


@dataclass(frozen=True)
class ExportedAssignment:
    key: AssignmentKey
    is_there: bool
    records: tuple[str, ...]
    last_day: date | None


@dataclass(frozen=True)
class LeftOut:
    """A wish that is not exported."""

    target_id: str
    permission_set: str
    principal_type: PrincipalType
    who: str
    records: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True)
class Selection:
    """What the management account's HCL says. looked_up: sets that are named, not made; strangers: in no record."""

    actual: Actual
    sets: tuple[ExportedSet, ...] = ()
    looked_up: tuple[str, ...] = ()
    assignments: tuple[ExportedAssignment, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    strangers: tuple[AssignmentKey, ...] = ()

    @property
    def principals(self) -> tuple[ActualPrincipal, ...]:
        """Everybody who is assigned something, users after groups, by name."""
        ids = {each.key.principal_id for each in self.assignments}
        found = (self.actual.principals[principal_id] for principal_id in ids)
        return tuple(sorted(found, key=lambda each: (each.type, each.name, each.principal_id)))


def lift_fence(actual: Actual) -> Actual:
    """The world as if the portal could change everything in it: what a planner wants there, Terraform is to do."""
    sets = {name: _lift(there) for name, there in actual.sets.items()}
    return replace(actual, instance=replace(actual.instance, management_account_id=""), sets=sets)


def _lift(there: ActualSet) -> ActualSet:
    return replace(there, ownership=Ownership.OURS) if there.ownership is Ownership.TERRAFORM else there


def find_scope(actual: Actual, recorded: frozenset[str]) -> Scope:
    """Of the world as it is."""
    sets = (name for name, there in actual.sets.items() if there.ownership is Ownership.TERRAFORM)
    return Scope(actual.instance.management_account_id, frozenset(sets), recorded)


def select(desired: Desired, actual: Actual, plan: Plan, scope: Scope) -> Selection:
    """Draw the line. `desired`, `actual` and `plan` are those of a world where the portal could change everything."""
    return _Selecting(desired, actual, plan, scope).select()


class _Selecting:
    def __init__(self, desired: Desired, actual: Actual, plan: Plan, scope: Scope) -> None:
        self.desired, self.actual, self.plan, self.scope = desired, actual, plan, scope
        changes = [change for change in (*plan.changes, *plan.held) if isinstance(change, AssignmentChange)]
        self.coming = {change.key for change in changes if change.kind is Kind.CREATE}
        self.going = {change.key for change in changes if change.kind is Kind.DELETE}
        self.shared = self._find_shared()

    def _find_shared(self) -> frozenset[str]:
        """The sets of the portal's own that are used elsewhere, or are to be."""
        elsewhere = self.scope.management_account_id
        wanted = {each.permission_set for each in self.desired.standings if each.target_id != elsewhere}
        there = {key.permission_set for key in self.actual.assignments if key.target_id != elsewhere}
        return frozenset(wanted | there) - self.scope.sets

    def select(self) -> Selection:
        keys = sorted(filter(self._is_exported, self.coming | self.actual.assignments), key=self._order)
        sets = tuple(self._iter_sets({key.permission_set for key in keys}))
        made = {each.name for each in sets}
        return Selection(
            self.actual,
            sets=sets,
            looked_up=tuple(sorted({key.permission_set for key in keys} - made)),
            assignments=tuple(map(self._describe, keys)),
            left_out=tuple(self._iter_left_out(set(keys))),
            strangers=tuple(sorted(filter(self._is_stranger, self.actual.assignments), key=self._order)),
        )

    def _order(self, key: AssignmentKey) -> tuple[str, str, str, str, str]:
        principal = self.actual.principals.get(key.principal_id)
        name = principal.name if principal else ""
        return key.permission_set, key.target_id, key.principal_type, name, key.principal_id

    # Assignments

    def _covers(self, key: AssignmentKey) -> bool:
        return self.scope.covers(key.target_id, key.permission_set)

    def _is_exported(self, key: AssignmentKey) -> bool:
        """What will be there once everything is done that may be, if somebody wants it and AWS knows him."""
        if not self._covers(key) or key in self.going or key.principal_id not in self.actual.principals:
            return False
        if key.permission_set in self.shared:
            return False
        return key in self.coming or key in self.desired.wanted or key in self.desired.kept

    def _is_stranger(self, key: AssignmentKey) -> bool:
        is_known = key in self.desired.wanted or key in self.desired.kept or key in self.desired.before
        return self._covers(key) and not is_known

    def _describe(self, key: AssignmentKey) -> ExportedAssignment:
        standing = self.desired.wanted.get(key)
        records = standing.records if standing else tuple(self.desired.before.get(key, ()))
        day = standing.expires_on if standing else None
        return ExportedAssignment(key, key in self.actual.assignments, tuple(sorted(records)), day)

    def _iter_left_out(self, exported: set[AssignmentKey]) -> Iterable[LeftOut]:
        """Wishes that come to nothing, with the reason."""
        found = [
            LeftOut(
                each.target_id, each.permission_set, each.principal_type, self._name(each), tuple(sorted(each.records)),
                self._find_reason(each),
            )
            for each in self.desired.standings
            if self.scope.covers(each.target_id, each.permission_set) and each.key not in exported
        ]  # fmt: skip
        return sorted(found, key=lambda item: (item.permission_set, item.target_id, item.principal_type, item.who))

    def _name(self, standing: Standing) -> str:
        principal = self.actual.principals.get(standing.principal_id)
        return principal.name if principal else standing.written_as

    def _find_reason(self, standing: Standing) -> Reason:
        key, name = standing.key, standing.permission_set
        verdict = self.plan.verdicts.get(key) if key else None
        if standing.state is State.WITHHELD and standing.reason:
            return standing.reason
        if name in self.shared:
            return Reason("terraform_set_shared", {"set": name})
        reason = verdict.reason if verdict and verdict.reason else standing.reason
        return reason or Reason("set_not_made", {"set": name})

    # Permission sets

    def _iter_sets(self, used: set[str]) -> Iterable[ExportedSet]:
        """Those that are provisioned in the management account, and those that are used there and nowhere else."""
        for name in sorted(self.scope.sets | used):
            if exported := self._describe_set(name, is_used=name in used or name in self.desired.kept_sets):
                yield exported

    def _describe_set(self, name: str, *, is_used: bool) -> ExportedSet | None:
        there, wished = self.actual.sets.get(name), self.desired.sets.get(name)
        if wished:
            return ExportedSet(name, wished.record, wished.definition, there)
        reason = self.desired.set_states.get(name)
        if there is None or there.definition is None or name not in self.scope.recorded:
            return None
        if reason is None and not is_used:
            return None  # its record is gone, and nothing names it any more
        # Not understood is not withdrawn: without its block Terraform would delete the set.
        return ExportedSet(name, "", there.definition, there, reason or Reason("set_without_record", {"set": name}))
