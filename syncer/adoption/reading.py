"""One permission set as AWS has it now, all of it: what adopting has to know just before it tags the set.

Nothing of it may come from the mirror, and nothing may be missing: the first question that fails, fails the whole.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from accounts.tracing import TracedPool
from syncer.gateways.errors import GatewayError
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.states import Actual, ActualSet, AssignmentKey, Ownership, Reason

THREADS = 8


class NotFree(Exception):
    """The set cannot be adopted, whoever has access with it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SetReading:
    """A set as if it were ours, the accounts that hold it, and its assignments (None where they were not asked for)."""

    there: ActualSet
    holders: frozenset[str]
    assignments: frozenset[AssignmentKey] | None


@dataclass(frozen=True)
class SetReader:
    """Asks about sets one by one. `actual` is what was read of the rest of the world."""

    center: IdentityCenterQueries
    actual: Actual
    tag: tuple[str, str]

    def read_all(
        self, names: Collection[str], *, with_assignments: bool
    ) -> tuple[Mapping[str, SetReading], Mapping[str, Reason]]:
        """The sets that could be read, and why the others could not, or cannot be ours."""

        def read(name: str) -> SetReading | Reason:
            try:
                return self._read(name, with_assignments=with_assignments)
            except (GatewayError, NotFree) as error:
                return error.reason

        with TracedPool(THREADS, thread_name_prefix="adopting") as pool:
            found = dict(zip(names, pool.map(read, names), strict=True))
        readings = {name: item for name, item in found.items() if isinstance(item, SetReading)}
        return readings, {name: item for name, item in found.items() if isinstance(item, Reason)}

    def _read(self, name: str, *, with_assignments: bool) -> SetReading:
        there = self.actual.sets[name]
        holders = self.require_free(there)
        definition = self.center.fetch_definition(there.arn)
        active = {key for key, account in self.actual.accounts.items() if account.is_active}
        stale = self.center.list_provisioned_accounts(there.arn, stale_only=True) & active
        as_ours = ActualSet(name, there.arn, Ownership.OURS, definition, stale)
        return SetReading(as_ours, holders, self._read_assignments(there, holders) if with_assignments else None)

    def require_free(self, there: ActualSet) -> frozenset[str]:
        """The accounts that hold the set. Raises NotFree where it is ours already, or the management account's."""
        key, value = self.tag
        holders = self.center.list_provisioned_accounts(there.arn)
        if self.actual.instance.management_account_id in holders:
            raise NotFree(Reason("managed_in_terraform", {"set": there.name}))
        if self.center.fetch_tags(there.arn).get(key) == value:
            raise NotFree(Reason("adopt_ours_already", {"set": there.name}))
        return holders

    def _read_assignments(self, there: ActualSet, holders: Collection[str]) -> frozenset[AssignmentKey]:
        """Of all accounts that hold the set, and of those that were known to have somebody assigned with it."""
        known = {key.target_id for key in self.actual.assignments if key.permission_set == there.name}
        return frozenset(
            AssignmentKey(account_id, there.name, kind, principal_id)
            for account_id in sorted({*holders, *known})
            for kind, principal_id in self.center.list_assignments(account_id, there.arn)
        )
