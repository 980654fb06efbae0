"""What a change of a permission set would do, and whether this person may make it: for the editor before it saves, and
for the service that saves. The run judges once more what was written (`judging`), by the same decision (`widening`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts import access
from accounts.ground import Ask, Ground
from accounts.guardrails import Effect, Rule, covers, decide
from accounts.models import Account, AppKind, Assignment, GroupMembership, PermissionSet, Record, User
from accounts.owner_register import load_register
from accounts.policy.powers import Power
from accounts.policy.summary import SetPolicies, find_powers_of_set
from accounts.rulebook import load_rules, load_tags
from accounts.set_reach import find_places
from syncer.mirror.judging import read_set_in_force
from syncer.mirror.policy_texts import load_texts
from syncer.mirror.truth import definition_from_json
from syncer.records.parsing import Notes, as_fields, normalise_set_name, parse_permission_set
from syncer.sets.registrations import Registration, load_registrations
from syncer.sets.widening import (
    Change,
    Strange,
    Texts,
    Words,
    explain_defining,
    explain_taking,
    explain_widening,
    find_strange,
    is_refused,
    read_policies,
    read_policies_there,
)
from syncer.states import Definition, Problem, Reason, SetWish

AT_ONCE = 3  # provisionings that AWS carries out at a time in an instance
SECONDS_OF_ONE = 3  # that it takes for one of them, as a rule


@dataclass(frozen=True)
class ReachedAccount:
    """An account that the set is assigned in. people: who can enter it with the set, members of groups included.

    owners: those whom the editor may see. is_yours: the editor may answer for it. is_there: AWS has the set there, so
    that it is provisioned anew. is_seen: the editor may see it by name.
    """

    account: Account
    owners: tuple[str, ...]
    is_yours: bool
    is_there: bool
    people: int
    is_seen: bool = True


@dataclass(frozen=True)
class GuardVerdict:
    """A guardrail that the set does not satisfy in an account after the change.

    is_new: it did before. refuses_new: it lets no more people in who own nothing there. existing: assignments that
    break it; they stay and are listed, or end on the day `ends_on`.
    """

    account: Account
    rule: str
    sentence: str
    is_new: bool
    refuses_new: bool
    existing: int
    ends_on: date | None


@dataclass(frozen=True)
class Preview:
    """What a change would do. problems: what keeps the values from being understood, by field and line."""

    is_allowed: bool
    does_more: bool
    is_rename: bool
    is_changed: bool
    reasons: tuple[Reason, ...] = ()
    problems: tuple[Problem, ...] = ()
    accounts: tuple[ReachedAccount, ...] = ()
    people: int = 0
    seconds: int = 0
    guardrails: tuple[GuardVerdict, ...] = ()

    @property
    def strange(self) -> tuple[ReachedAccount, ...]:
        """The accounts that stand in the way of a change that does more."""
        return tuple(reached for reached in self.accounts if not reached.is_yours)

    @property
    def provisioned(self) -> int:
        """In how many accounts the set is provisioned anew."""
        return sum(reached.is_there for reached in self.accounts) if self.is_changed else 0


def preview_change(user: User, permission_set: PermissionSet | None, values: Mapping[str, Any]) -> Preview:
    """What it would do if `user` gave a set these values, by our names for the fields; None for a new set.

    Fields that are not among the values stay as they are in force.
    """
    change = _Change(user, permission_set, values)
    places = _Places(user, change.name) if change.name else None
    return Preview(
        is_allowed=not change.reasons,
        does_more=change.does_more,
        is_rename=change.is_rename,
        is_changed=change.is_changed,
        reasons=change.reasons,
        problems=change.problems,
        accounts=places.accounts if places else (),
        people=places.count_people() if places else 0,
        seconds=estimate_seconds(places.provisioned if places and change.is_changed else 0),
        guardrails=tuple(places.iter_verdicts(change)) if places else (),
    )


def find_refusals(user: User, record: Record | None, values: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Why the values may not be saved; empty where they may. What cannot be read is for the run to say."""
    found = record.permission_sets.first() if record else None
    change = _Change(user, found, values, record=record)
    if change.is_rename:
        return (Reason("set_rename_here", {"set": change.old_name}), *change.reasons)
    return change.reasons


def estimate_seconds(accounts: int) -> int:
    """About how long AWS takes to bring a set to so many accounts."""
    rounds = -(-accounts // AT_ONCE)
    return 1 + rounds * SECONDS_OF_ONE if accounts else 0


# --- The change -------------------------------------------------------------------------------------------------------


class _Change:
    """Values against what is in force."""

    def __init__(
        self,
        user: User,
        permission_set: PermissionSet | None,
        values: Mapping[str, Any],
        *,
        record: Record | None = None,
    ) -> None:
        self.user, self.values = user, values
        self._record = record or (permission_set.record if permission_set else None)
        self.old_name = self._find_old_name(permission_set)
        written = normalise_set_name(str(values.get("name", self.old_name)))
        self.is_rename = bool(self.old_name and written and written != self.old_name)
        self.name = self.old_name or written
        self.there = _find_set(self.name) if self.old_name == "" else permission_set or _find_set(self.name)
        self.after, self.problems = _read_wish(values, self.name)

    def _find_old_name(self, permission_set: PermissionSet | None) -> str:
        in_force = (self._record.in_force or {}) if self._record else {}
        return str(in_force.get("name", "")) or (permission_set.name if permission_set else "")

    @cached_property
    def before(self) -> SetPolicies:
        """What is in force; of a set whose record is gone what AWS has; of one that never was, nothing."""
        if found := self._in_force or self._own_once:
            return read_policies(found, self._definition, self._texts)
        return read_policies_there(self._definition, self._texts) if self._definition else SetPolicies()

    @cached_property
    def _in_force(self) -> SetWish | None:
        return read_set_in_force(self._record.in_force) if self._record and self._record.in_force else None

    @cached_property
    def _own_once(self) -> SetWish | None:
        """What was in force of a record of this name that was his and is gone."""
        own = (record for record in self._gone if record.in_force and access.may_edit_record(self.user, record))
        record = next(own, None)
        return read_set_in_force(record.in_force) if record and record.in_force else None

    @cached_property
    def _gone(self) -> list[Record]:
        rows = Record.objects.of_kind(AppKind.PERMISSION_SET).filter(gone_at__isnull=False, in_force__name=self.name)
        return list(rows.order_by("-gone_at"))

    @cached_property
    def _definition(self) -> Definition | None:
        stored = self.there.actual if self.there else None
        return definition_from_json(stored) if stored is not None else None

    @cached_property
    def wanted(self) -> SetPolicies:
        if self.after is None:
            return self.before
        changed = {field: getattr(self.after, field) for field in self.values.keys() & _COMPARED}
        return read_policies(replace(self._in_force or SetWish(self.name), **changed), self._definition, self._texts)

    @cached_property
    def _texts(self) -> Texts:
        """What the AWS managed policies of either side say, as far as it is known."""
        sides = (self._in_force, self._own_once, self._definition, self.after)
        return load_texts({policy for side in sides if side for policy in side.managed_policies})

    @cached_property
    def does_more(self) -> bool:
        return Change(self.before, self.wanted).does_more

    @cached_property
    def is_changed(self) -> bool:
        if self.after is None or self._in_force is None:
            return True
        return any(
            getattr(self.after, name) != getattr(self._in_force, name) for name in self.values.keys() & _COMPARED
        )

    @cached_property
    def strange(self) -> Strange:
        if self.user.is_staff:
            return Strange()
        places = find_places(self.name) if self.name else frozenset[str]()
        return find_strange(load_register(places), access.find_principal_id(self.user), places)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        if self.after is None or not self.strange:
            return ()
        if self._is_taking:
            explain = explain_taking if self._is_there or self._gone else explain_defining
            return (explain(self._words),)
        refused = is_refused(Change(self.before, self.wanted), self.strange)
        return (explain_widening(self._words),) if refused else ()

    @property
    def _is_taking(self) -> bool:
        """A record that never was in force takes a name that people have, or are to have, in accounts of others."""
        return self._in_force is None and (self._own_once is None or self.does_more)

    @property
    def _is_there(self) -> bool:
        return self.there is not None and self.there.arn is not None

    @property
    def _words(self) -> Words:
        """By the names that he may see; of accounts the others are counted."""
        accounts = access.visible_accounts(self.user).filter(account_id__in=self.strange.accounts)
        people = access.visible_principals(self.user).filter(principal_id__in=self.strange.people)
        names = [person.display_name or person.name for person in people]
        named = list(accounts.values_list("name", flat=True))
        return Words(self.name, str(self.user), named, names, len(self.strange.accounts) - len(named))


_COMPARED = frozenset({
    "description", "session_duration", "relay_state", "managed_policies", "customer_managed_policies",
    "inline_policy", "permissions_boundary",
})  # fmt: skip


def _find_set(name: str) -> PermissionSet | None:
    return PermissionSet.objects.filter(name=name).first() if name else None


def _read_wish(values: Mapping[str, Any], name: str) -> tuple[SetWish | None, tuple[Problem, ...]]:
    """The values as a run would read them."""
    notes = Notes("")
    wish = parse_permission_set(as_fields({**values, "name": name}), notes)
    return wish, tuple(notes.problems)


# --- Where it reaches -------------------------------------------------------------------------------------------------


class _Places:
    """The accounts of a set, their owners, who is in them, and what guardrails say there."""

    def __init__(self, user: User, name: str) -> None:
        self.user, self.name = user, name
        rows = Assignment.objects.filter(permission_set__name=name, in_aws=True).select_related("account", "principal")
        self._rows: dict[int, list[Assignment]] = defaultdict(list)
        for row in rows:
            self._rows[row.account_id].append(row)
        places = find_places(name)
        self._register = load_register(places)
        self._accounts = list(Account.objects.filter(account_id__in=places).select_related("ou").order_by("name"))

    @cached_property
    def accounts(self) -> tuple[ReachedAccount, ...]:
        person = access.find_principal_id(self.user)
        names, seen = self._load_names(), self._find_seen()
        return tuple(
            ReachedAccount(
                account,
                tuple(sorted(names[owner] for owner in self._find_owners(account) if owner in names)),
                self.user.is_staff or not find_strange(self._register, person, [account.account_id]),
                account.pk in self._rows,
                len(self._find_people(self._rows[account.pk])) if account.pk in self._rows else 0,
                account.pk in seen,
            )
            for account in self._accounts
        )

    @property
    def provisioned(self) -> int:
        return len(self._rows)

    def count_people(self) -> int:
        return len(self._find_people(row for rows in self._rows.values() for row in rows))

    def _find_owners(self, account: Account) -> Collection[str]:
        return self._register.find_owners(account.account_id).people

    def _load_names(self) -> dict[str, str]:
        owners = {owner for account in self._accounts for owner in self._find_owners(account)}
        rows = access.visible_principals(self.user).filter(principal_id__in=owners)
        return {row.principal_id or "": row.display_name or row.name for row in rows}

    def _find_seen(self) -> set[int]:
        keys = {account.pk for account in self._accounts}
        if access.sees_everything(self.user):
            return keys
        return set(access.visible_accounts(self.user).filter(pk__in=keys).values_list("pk", flat=True))

    def _find_people(self, rows: Iterable[Assignment]) -> set[int]:
        principals = [row.principal for row in rows]
        groups = [principal.pk for principal in principals if principal.is_group]
        return {principal.pk for principal in principals if not principal.is_group}.union(
            *(self._members.get(group, ()) for group in groups)
        )

    @cached_property
    def _members(self) -> Mapping[int, set[int]]:
        groups = {row.principal_id for rows in self._rows.values() for row in rows if row.principal.is_group}
        found: dict[int, set[int]] = defaultdict(set)
        members = GroupMembership.objects.filter(group__in=groups).values_list("group", "member")
        for group, member in members:
            found[group].add(member)
        return found

    # Guardrails

    def iter_verdicts(self, change: _Change) -> Iterator[GuardVerdict]:
        """Each rule that somebody there breaks, or that lets nobody new in; powers by name, as a run counts them."""
        before, after = (find_powers_of_set(replace(each, texts={})) for each in (change.before, change.wanted))
        for account in self._accounts if self._ground.rules else ():
            place = self._ground.find_place(account.account_id)
            near = [rule for rule in self._ground.rules if covers(rule, place) and rule.effect is not Effect.KEEP]
            for rule in near:
                if verdict := self._decide(account, rule, after):
                    yield replace(verdict, is_new=self._decide(account, rule, before) is None)

    @cached_property
    def _ground(self) -> Ground:
        places = [account.account_id for account in self._accounts]
        return Ground(load_rules(), self._register, tags=load_tags(places))

    def _decide(self, account: Account, rule: Rule, powers: frozenset[Power]) -> GuardVerdict | None:
        rows = self._rows.get(account.pk, ())
        existing = sum(
            not any(self._allows(rule, ask) for ask in self._iter_asks(account, powers, row)) for row in rows
        )
        refuses = not any(self._allows(rule, self._ask(account, powers, kind)) for kind in ("USER", "GROUP"))
        if not existing and not refuses:
            return None
        return GuardVerdict(account, rule.name, rule.sentence, True, refuses, existing, rule.ends_on)

    def _allows(self, rule: Rule, ask: Ask) -> bool:
        return decide([rule], self._ground.build_case(ask)).is_allowed

    def _ask(self, account: Account, powers: frozenset[Power], kind: str) -> Ask:
        """A newcomer who owns nothing, registered by whoever edits."""
        writers = frozenset(filter(None, [access.find_principal_id(self.user)]))
        return Ask(
            account.account_id, self.name, powers, kind, writers=writers, registered_on=timezone.localdate()
        )  # fmt: skip

    def _iter_asks(self, account: Account, powers: frozenset[Power], row: Assignment) -> Iterator[Ask]:
        """What each record says that wants it: one that satisfies a rule is enough, as in a run."""
        principal = row.principal
        bare = Registration(row.expires_on, timezone.localdate(row.since), frozenset())
        for said in self._registrations.get(row.pk, [bare]):
            yield Ask(
                account.account_id, self.name, powers, principal.type, principal.principal_id or "",
                writers=said.writers, expires_on=said.expires_on, registered_on=said.registered_on, is_there=True,
            )  # fmt: skip

    @cached_property
    def _registrations(self) -> Mapping[int, list[Registration]]:
        return load_registrations([row for rows in self._rows.values() for row in rows])
