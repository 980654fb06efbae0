"""One reading of what AWS has, in several threads.

A question that fails costs its own scope and nothing more: what could not be read is `Unresolved`, never empty.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

from syncer.gateways.errors import GatewayError, Truncated
from syncer.gateways.identity_center_queries import Description, IdentityCenterQueries
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualSet,
    ActualUnit,
    AssignmentKey,
    Coverage,
    Definition,
    Ownership,
    PrincipalType,
    Reason,
    Scope,
    Unresolved,
)

K = TypeVar("K")
V = TypeVar("V")

THREADS = 8
EVERYTHING = Scope()
Blocks = Literal["all", "deletes", "none"]
Pair = tuple[str, str]
"""An account id and a permission set, by name in the options and by ARN inside."""


@dataclass(frozen=True)
class ReadOptions:
    """What to read, and what is known already.

    ownership_tag: key and value of the tag that makes a set ours.
    known_names: ARN → name of the sets in the mirror; tells which set a failed question was about.
    with_memberships_of: group ids, or a function that picks them from what has been read; `"assigned"` stands for
        all groups that appear in assignments.
    pairs: (account id, set name) to read; None for everything. Where given, only these pairs are read, their sets
        and those named in `sets`, the definitions of the latter only.
    accounts, principals, instance: from the mirror; what is given is not read again, and no units with `accounts`.
    progress: called with the number of requests so far, in the thread that reads.
    """

    ownership_tag: tuple[str, str]
    known_names: Mapping[str, str] = field(default_factory=dict)
    with_policies: bool = False
    with_memberships_of: Literal["assigned"] | frozenset[str] | Callable[[Actual], Collection[str]] = frozenset()
    pairs: frozenset[Pair] | None = None
    sets: frozenset[str] = frozenset()
    accounts: Mapping[str, ActualAccount] | None = None
    principals: Mapping[str, ActualPrincipal] | None = None
    instance: ActualInstance | None = None
    progress: Callable[[int], None] | None = None

    @property
    def wanted_sets(self) -> frozenset[str] | None:
        """The names of the sets to read; None for all."""
        return None if self.pairs is None else self.sets | {name for _, name in self.pairs}


def read_actual(center: IdentityCenterQueries, options: ReadOptions) -> Actual:
    """Read what AWS has. Failed questions are in `Actual.unresolved`; this raises no GatewayError.

    Without the instance, the accounts, the list of sets or what the management account holds, everything is
    unresolved, and of sets and assignments nothing is read.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="reading") as pool:
        try:
            return _Reading(center, options, pool).read()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupt does not wait for thousands of questions
            raise


@dataclass(frozen=True)
class _Question(Generic[V]):
    """Something to ask AWS, and what it means if there is no answer."""

    ask: Callable[[], V]
    scope: Scope = EVERYTHING
    blocks: Blocks = "all"
    about: str = ""


@dataclass(frozen=True)
class _Ground:
    """What the reading of sets and assignments stands on."""

    instance: ActualInstance
    accounts: Mapping[str, ActualAccount]
    arns: frozenset[str]
    in_management: frozenset[str]  # ARNs of the sets provisioned in the management account


class _Reading:
    def __init__(self, center: IdentityCenterQueries, options: ReadOptions, pool: ThreadPoolExecutor) -> None:
        self._center, self._options, self._pool = center, options, pool
        self._unresolved: list[Unresolved] = []

    def read(self) -> Actual:
        instance = self._read_instance()
        if instance is None:
            return self._bare(ActualInstance("", "", self._center.region, ""))
        ground, actual = self._read_ground(instance)
        if ground is None:
            return replace(actual, unresolved=tuple(self._unresolved))
        names, descriptions = self._name_sets(ground)
        sets = self._read_sets(ground, names, descriptions)
        assignments = self._read_assignments(ground, names)
        actual = replace(actual, sets=sets, assignments=assignments, coverage=Coverage(self._options.pairs))
        self._doubt_empty_store(actual)
        actual = replace(actual, memberships=self._read_memberships(actual))
        return replace(actual, unresolved=tuple(self._unresolved))

    # Asking

    def _begin(self, question: _Question[V]) -> "Future[V]":
        return self._pool.submit(question.ask)

    def _end(self, question: _Question[V], future: "Future[V]") -> V | None:
        """The answer, or None where there is none: then it is noted as unresolved."""
        try:
            return future.result()
        except GatewayError as error:
            note = Unresolved(question.scope, error.operation, error.reason, question.blocks, question.about)
            self._unresolved.append(note)
            return None
        finally:
            if self._options.progress:
                self._options.progress(self._center.calls.total())

    def _ask(self, question: _Question[V]) -> V | None:
        return self._end(question, self._begin(question))

    def _ask_all(self, questions: Mapping[K, _Question[V]]) -> dict[K, V]:
        """The answers there are, by the keys of their questions."""
        begun = [(key, question, self._begin(question)) for key, question in questions.items()]
        ended = ((key, self._end(question, future)) for key, question, future in begun)
        return {key: answer for key, answer in ended if answer is not None}

    # Instance, organization, principals

    def _read_instance(self) -> ActualInstance | None:
        instance = self._options.instance or self._ask(_Question(self._center.find_instance))
        if instance:
            self._center.use_instance(instance)
        return instance

    def _read_ground(self, instance: ActualInstance) -> tuple[_Ground | None, Actual]:
        """What everything else stands on, beside what can be read without it."""
        center, options = self._center, self._options
        accounts = _Question(lambda: self._list_accounts(instance.management_account_id))
        arns = _Question(self._list_arns)
        in_management = _Question(lambda: center.list_provisioned_sets(instance.management_account_id))
        policies = _Question(center.list_policies, blocks="none", about="managed policies")
        policies_begun = self._begin(policies) if options.with_policies else None
        accounts_begun = self._begin(accounts) if options.accounts is None else None
        arns_begun, in_management_begun = self._begin(arns), self._begin(in_management)
        principals = self._read_principals() if options.principals is None else options.principals
        units = self._read_units() if options.accounts is None else None
        found_accounts = self._end(accounts, accounts_begun) if accounts_begun else options.accounts
        found_arns, found_in_management = self._end(arns, arns_begun), self._end(in_management, in_management_begun)
        placed = self._place(found_accounts or {}, units)
        actual = replace(
            self._bare(instance),
            accounts=placed,
            principals=principals,
            units=units,
            policies=self._end(policies, policies_begun) if policies_begun else None,
        )
        if found_accounts is None or found_arns is None or found_in_management is None:
            return None, actual
        return _Ground(instance, placed, found_arns, found_in_management), actual

    def _bare(self, instance: ActualInstance) -> Actual:
        return Actual(
            instance, {}, {}, {}, frozenset(), tuple(self._unresolved), coverage=Coverage(self._options.pairs)
        )

    def _list_accounts(self, management_account_id: str) -> Mapping[str, ActualAccount]:
        accounts = self._center.list_accounts()
        if management_account_id not in accounts:  # it is in every organization, so the listing is not whole
            raise _truncated("organizations:ListAccounts")
        return accounts

    def _list_arns(self) -> frozenset[str]:
        arns = self._center.list_permission_set_arns()
        if not arns and self._options.known_names:
            raise _truncated("sso-admin:ListPermissionSets")
        return arns

    def _read_principals(self) -> dict[str, ActualPrincipal]:
        """Users and groups by id."""
        questions = {
            PrincipalType.USER: _Question(
                self._center.list_users, Scope(principal_type=PrincipalType.USER), blocks="deletes"
            ),
            PrincipalType.GROUP: _Question(
                self._center.list_groups, Scope(principal_type=PrincipalType.GROUP), blocks="deletes"
            ),
        }
        found = self._ask_all(questions)
        return {principal.principal_id: principal for some in found.values() for principal in some}

    def _doubt_empty_store(self, actual: Actual) -> None:
        """No users, or no groups, although some are assigned: that would make orphans of them all."""
        if self._options.principals is not None:
            return
        unread = {item.scope.principal_type for item in self._unresolved}
        known = {principal.type for principal in actual.principals.values()}
        for kind in sorted({key.principal_type for key in actual.assignments} - known - unread):
            operation = f"identitystore:List{kind.capitalize()}s"
            reason = Reason("aws_empty", {"operation": operation})
            self._unresolved.append(Unresolved(Scope(principal_type=kind), operation, reason, blocks="deletes"))

    def _read_units(self) -> tuple[ActualUnit, ...] | None:
        return self._ask(_Question(self._center.list_units, blocks="none", about="organizational units"))

    def _place(
        self, accounts: Mapping[str, ActualAccount], units: tuple[ActualUnit, ...] | None
    ) -> Mapping[str, ActualAccount]:
        """The accounts with their units, which have to be walked where AWS gives no paths."""
        if not units or all(account.ou_id for account in accounts.values()):
            return accounts
        ou_ids = [unit.ou_id for unit in units]
        question = _Question(lambda: self._center.list_placements(ou_ids), blocks="none", about="organizational units")
        placements = self._ask(question) or {}
        return {
            account_id: replace(account, ou_id=account.ou_id or placements.get(account_id, ""))
            for account_id, account in accounts.items()
        }

    # Permission sets

    def _name_sets(self, ground: _Ground) -> tuple[dict[str, str], dict[str, Description]]:
        """The names of the sets to read by ARN, and the descriptions that were fetched for it.

        A set's name never changes, so the mirror's names hold as long as the ARN is there. A targeted reading
        describes only what the mirror does not know, and only if one of its names is missing.
        """
        wanted = self._options.wanted_sets
        if wanted is None:
            descriptions = self._describe(ground.arns)
            return {arn: description.name for arn, description in descriptions.items()}, descriptions
        known = {arn: name for arn, name in self._options.known_names.items() if arn in ground.arns}
        is_complete = wanted <= set(known.values())
        descriptions = {} if is_complete else self._describe(ground.arns - known.keys())
        names = {**known, **{arn: description.name for arn, description in descriptions.items()}}
        return {arn: name for arn, name in names.items() if name in wanted}, descriptions

    def _describe(self, arns: Iterable[str]) -> dict[str, Description]:
        def question(arn: str) -> _Question[Description]:
            return _Question(
                lambda: self._center.describe(arn),
                Scope(permission_set=self._options.known_names.get(arn)),
                about=arn,
            )

        return self._ask_all({arn: question(arn) for arn in sorted(arns)})

    def _read_sets(
        self, ground: _Ground, names: Mapping[str, str], descriptions: Mapping[str, Description]
    ) -> dict[str, ActualSet]:
        """The sets by name: whose they are, and what those of ours and the management account's consist of."""
        owners = self._read_ownership(ground, names)
        defined = {arn for arn in names if self._is_defined(names[arn])}
        ours = {arn for arn in defined if owners[arn] is Ownership.OURS}
        in_terraform = {arn for arn in defined if owners[arn] is Ownership.TERRAFORM}
        definitions = self._ask_all(
            {
                **{arn: self._definition(arn, names[arn], descriptions.get(arn), "all") for arn in sorted(ours)},
                **{
                    arn: self._definition(arn, names[arn], descriptions.get(arn), "none")
                    for arn in sorted(in_terraform)
                },
            }
        )
        stale = self._ask_all({arn: self._stale_accounts(arn, names[arn], ground) for arn in sorted(ours)})
        return {
            name: ActualSet(name, arn, owners[arn], definitions.get(arn), stale.get(arn, frozenset()))
            for arn, name in names.items()
        }

    def _is_defined(self, name: str) -> bool:
        return self._options.pairs is None or name in self._options.sets

    def _read_ownership(self, ground: _Ground, names: Mapping[str, str]) -> dict[str, Ownership]:
        """Whose each set is. The management account's sets are Terraform's, whatever their tags say."""

        def question(arn: str) -> _Question[dict[str, str]]:
            return _Question(lambda: self._center.fetch_tags(arn), Scope(permission_set=names[arn]))

        tags = self._ask_all({arn: question(arn) for arn in sorted(names.keys() - ground.in_management)})
        return {
            arn: Ownership.TERRAFORM if arn in ground.in_management else self._ownership(tags.get(arn)) for arn in names
        }

    def _ownership(self, tags: Mapping[str, str] | None) -> Ownership:
        if tags is None:
            return Ownership.UNKNOWN
        key, value = self._options.ownership_tag
        return Ownership.OURS if tags.get(key) == value else Ownership.NOT_OURS

    def _definition(
        self, arn: str, name: str, description: Description | None, blocks: Blocks
    ) -> _Question[Definition]:
        return _Question(lambda: self._center.fetch_definition(arn, description), Scope(permission_set=name), blocks)

    def _stale_accounts(self, arn: str, name: str, ground: _Ground) -> _Question[frozenset[str]]:
        """The accounts with an older version that can be brought to the present one: AWS refuses what is not active."""
        active = {account_id for account_id, account in ground.accounts.items() if account.is_active}
        return _Question(
            lambda: self._center.list_provisioned_accounts(arn, stale_only=True) & active, Scope(permission_set=name)
        )

    # Assignments

    def _read_assignments(self, ground: _Ground, names: Mapping[str, str]) -> frozenset[AssignmentKey]:
        """The assignments of all pairs to read, those of sets that are not ours included."""

        def question(pair: Pair) -> _Question[frozenset[tuple[PrincipalType, str]]]:
            account_id, arn = pair
            return _Question(lambda: self._center.list_assignments(account_id, arn), Scope(account_id, names[arn]))

        found = self._ask_all({pair: question(pair) for pair in sorted(self._find_pairs(ground, names))})
        return frozenset(
            AssignmentKey(account_id, names[arn], principal_type, principal_id)
            for (account_id, arn), principals in found.items()
            for principal_type, principal_id in principals
        )

    def _find_pairs(self, ground: _Ground, names: Mapping[str, str]) -> set[Pair]:
        """The pairs of account and set (by ARN) to read: those asked for, else all that are provisioned."""
        if self._options.pairs is not None:
            arns = {name: arn for arn, name in names.items()}
            return {(account_id, arns[name]) for account_id, name in self._options.pairs if name in arns}
        management_id = ground.instance.management_account_id
        others = ground.accounts.keys() - {management_id}
        if len(names) <= len(others):
            return self._find_pairs_by_set(names)
        in_management = {(management_id, arn) for arn in ground.in_management if arn in names}
        return in_management | self._find_pairs_by_account(others, names)

    def _find_pairs_by_set(self, names: Mapping[str, str]) -> set[Pair]:
        def question(arn: str) -> _Question[frozenset[str]]:
            return _Question(lambda: self._center.list_provisioned_accounts(arn), Scope(permission_set=names[arn]))

        found = self._ask_all({arn: question(arn) for arn in sorted(names)})
        return {(account_id, arn) for arn, account_ids in found.items() for account_id in account_ids}

    def _find_pairs_by_account(self, account_ids: Iterable[str], names: Mapping[str, str]) -> set[Pair]:
        def question(account_id: str) -> _Question[frozenset[str]]:
            return _Question(lambda: self._center.list_provisioned_sets(account_id), Scope(target_id=account_id))

        found = self._ask_all({account_id: question(account_id) for account_id in sorted(account_ids)})
        return {(account_id, arn) for account_id, arns in found.items() for arn in arns if arn in names}

    # Memberships

    def _read_memberships(self, actual: Actual) -> dict[str, frozenset[str]] | None:
        """The members of the groups asked for that the identity store knows; None if none were asked for."""
        wanted = self._options.with_memberships_of
        if wanted == "assigned":
            ids: Collection[str] = assigned_groups(actual)
        else:
            ids = wanted(actual) if callable(wanted) else wanted
        if not ids:
            return None
        known = {group_id: actual.principals[group_id] for group_id in ids if group_id in actual.principals}

        def question(group: ActualPrincipal) -> _Question[frozenset[str]]:
            return _Question(
                lambda: self._center.list_memberships(group.principal_id),
                Scope(principal_type=PrincipalType.GROUP),
                blocks="none",
                about=f"members of {group.name}",
            )

        return self._ask_all({group_id: question(known[group_id]) for group_id in sorted(known)})


def assigned_groups(actual: Actual) -> frozenset[str]:
    """The ids of all groups that appear in assignments."""
    return frozenset(key.principal_id for key in actual.assignments if key.principal_type is PrincipalType.GROUP)


def _truncated(operation: str) -> Truncated:
    return Truncated(operation, Reason("aws_truncated", {"operation": operation}))
