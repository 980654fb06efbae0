"""What the reading of sets and assignments stands on: instance, organization, people, and the list of sets.

A listing that comes back far shorter than what was known is taken for truncated, unless what is missing is really gone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from syncer.gateways.errors import GatewayError
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.gateways.reading_options import ReadOptions
from syncer.gateways.reading_questions import Asker, Question, require_whole, truncated
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualUnit,
    Coverage,
    Ownership,
    PrincipalType,
    Reason,
    Scope,
    Unresolved,
)


@dataclass(frozen=True)
class Ground:
    """What the reading of sets and assignments stands on."""

    instance: ActualInstance
    accounts: Mapping[str, ActualAccount]
    arns: frozenset[str]
    in_management: frozenset[str]  # ARNs of the sets provisioned in the management account


class GroundReader:
    def __init__(self, center: IdentityCenterQueries, options: ReadOptions, asker: Asker) -> None:
        self._center, self._options, self._asker = center, options, asker

    def read_instance(self) -> ActualInstance | None:
        instance = self._options.instance or self._asker.ask(Question(self._center.find_instance))
        if instance:
            self._center.use_instance(instance)
        return instance

    def read(self, instance: ActualInstance) -> tuple[Ground | None, Actual]:
        """What everything else stands on, beside what can be read without it."""
        asker, options = self._asker, self._options
        accounts = Question(lambda: self._list_accounts(instance.management_account_id))
        arns = Question(self._list_arns)
        in_management = Question(lambda: self._list_management_sets(instance.management_account_id))
        policies = Question(self._center.list_policies, blocks="none", about="managed policies")
        policies_begun = asker.begin(policies) if options.with_policies else None
        accounts_begun = asker.begin(accounts) if options.accounts is None else None
        arns_begun, in_management_begun = asker.begin(arns), asker.begin(in_management)
        principals = self._read_principals() if options.principals is None else options.principals
        found_accounts = asker.end(accounts, accounts_begun) if accounts_begun else options.accounts
        found_arns, found_in_management = asker.end(arns, arns_begun), asker.end(in_management, in_management_begun)
        units = self._read_units(found_accounts or {}) if options.accounts is None else None
        placed = self._place(found_accounts or {}, units)
        actual = replace(
            self.bare(instance),
            accounts=placed,
            principals=principals,
            units=units,
            policies=asker.end(policies, policies_begun) if policies_begun else None,
        )
        if found_accounts is None or found_arns is None or found_in_management is None:
            return None, actual
        return Ground(instance, placed, found_arns, found_in_management), actual

    def bare(self, instance: ActualInstance) -> Actual:
        return Actual(instance, {}, {}, {}, frozenset(), coverage=Coverage(self._options.pairs))

    # The organization

    def _list_accounts(self, management_account_id: str) -> Mapping[str, ActualAccount]:
        accounts = self._center.list_accounts()
        if management_account_id not in accounts:  # it is in every organization, so the listing is not whole
            raise truncated("organizations:ListAccounts")
        known = self._options.known.accounts
        require_whole(frozenset(accounts), known, self._center.has_account, "organizations:ListAccounts")
        return accounts

    def _read_units(self, accounts: Mapping[str, ActualAccount]) -> tuple[ActualUnit, ...] | None:
        """The tree of units, walked anew where it is asked for or where an account is not where the mirror has it."""
        if not (self._options.with_units or self._have_moved(accounts.values())):
            return None
        question = Question(self._center.list_units, blocks="units", about="organizational units")
        return self._asker.ask(question)

    def _have_moved(self, accounts: Iterable[ActualAccount]) -> bool:
        """Whether a path that AWS gives leads through other units than the mirror's, or AWS gives none."""
        parents = {unit.ou_id: unit.parent_id for unit in self._options.known.units}
        return any(not account.ou_path or account.ou_path != _path_to(account.ou_id, parents) for account in accounts)

    def _place(
        self, accounts: Mapping[str, ActualAccount], units: tuple[ActualUnit, ...] | None
    ) -> Mapping[str, ActualAccount]:
        """The accounts with their units, which have to be walked where AWS gives no paths."""
        if not units or all(account.ou_id for account in accounts.values()):
            return accounts
        ou_ids = [unit.ou_id for unit in units]
        question = Question(lambda: self._center.list_placements(ou_ids), blocks="units", about="organizational units")
        placements = self._asker.ask(question) or {}
        return {
            account_id: replace(account, ou_id=account.ou_id or placements.get(account_id, ""))
            for account_id, account in accounts.items()
        }

    # People

    def _read_principals(self) -> dict[str, ActualPrincipal]:
        """Users and groups by id."""
        found = self._asker.ask_all(
            {
                PrincipalType.USER: self._principals(
                    PrincipalType.USER, self._center.list_users, self._center.has_user, "identitystore:ListUsers"
                ),
                PrincipalType.GROUP: self._principals(
                    PrincipalType.GROUP, self._center.list_groups, self._center.has_group, "identitystore:ListGroups"
                ),
            }
        )
        return {principal.principal_id: principal for some in found.values() for principal in some}

    def _principals(
        self,
        kind: PrincipalType,
        listing: Callable[[], tuple[ActualPrincipal, ...]],
        is_there: Callable[[str], bool],
        operation: str,
    ) -> Question[tuple[ActualPrincipal, ...]]:
        """Without them nobody is taken for gone, and a name that no stored link leads to may mean anybody."""

        def ask() -> tuple[ActualPrincipal, ...]:
            found = listing()
            ids = frozenset(principal.principal_id for principal in found)
            require_whole(ids, self._options.known.principals_of(kind), is_there, operation)
            return found

        return Question(ask, Scope(principal_type=kind), blocks="names")

    def doubt_empty_store(self, actual: Actual) -> None:
        """No users, or no groups, although some are assigned: that would make orphans of them all.

        An identity store has users; groups may all have gone, which AWS is asked about.
        """
        if self._options.principals is not None:
            return
        unread = {item.scope.principal_type for item in self._asker.unresolved}
        known = {principal.type for principal in actual.principals.values()}
        for kind in sorted({key.principal_type for key in actual.assignments} - known - unread):
            assigned = frozenset(key.principal_id for key in actual.assignments if key.principal_type is kind)
            if kind is PrincipalType.USER or not self._are_gone(assigned):
                operation = f"identitystore:List{kind.capitalize()}s"
                reason = Reason("aws_empty", {"operation": operation})
                note = Unresolved(Scope(principal_type=kind), operation, reason, blocks="names")
                self._asker.unresolved.append(note)

    def _are_gone(self, group_ids: frozenset[str]) -> bool:
        try:
            require_whole(frozenset(), group_ids, self._center.has_group, "identitystore:ListGroups")
        except GatewayError:
            return False
        return True

    # The list of sets

    def _list_arns(self) -> frozenset[str]:
        arns = self._center.list_permission_set_arns()
        known = frozenset(self._options.known_names)
        require_whole(arns, known, self._center.has_set, "sso-admin:ListPermissionSets")
        return arns

    def _list_management_sets(self, management_account_id: str) -> frozenset[str]:
        """Without them a set of Terraform's would look like one of ours."""
        center = self._center
        known = frozenset(
            there.arn for there in self._options.known.sets.values() if there.ownership is Ownership.TERRAFORM
        )
        arns = center.list_provisioned_sets(management_account_id)

        def is_there(arn: str) -> bool:
            return center.has_set(arn) and management_account_id in center.list_provisioned_accounts(arn)

        require_whole(arns, known, is_there, "sso-admin:ListPermissionSetsProvisionedToAccount")
        return arns


def _path_to(ou_id: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """The units from the root down to this one, as the mirror has them; empty if it does not know this one."""
    path: list[str] = []
    while ou_id and ou_id in parents:
        path.insert(0, ou_id)
        ou_id = parents[ou_id]
    return tuple(path)
