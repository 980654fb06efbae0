"""What is in force of the records whose newest revision nobody has judged yet: who wrote it, and may he. Pure.

`accounts.judgement` decides about values; here are the people, the register of owners and the parsed records that it
needs, and what follows: what is in force, what is withheld and why, who claims an account.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from accounts.guardrails import Rule
from accounts.judgement import (
    Judged,
    Name,
    Values,
    Writing,
    field_values,
    judge_additions,
    judge_fields,
    judge_revision,
    render_values,
)
from accounts.names import fold
from accounts.ownership import Register
from syncer.directory import Directory, is_by_profile
from syncer.states import (
    AssignmentKey,
    AssignmentWish,
    Ownership,
    PrincipalType,
    Problem,
    Reason,
    Scope,
    SetWish,
    show_value,
)

ADMINISTRATOR = "administrator"  # folded: who writes with an API token (kintone's own user; facts: kintone, tokens)
MAY_WIDEN = ""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

LookUp = Callable[[str, str], str]
"""(source, name as written) → principal id, empty when it is not known."""


@dataclass(frozen=True)
class Signature:
    """Who wrote a revision: by the portal's ledger where there is an entry, else by what kintone says."""

    code: str = ""  # kintone's
    name: str = ""
    user: str = ""  # the portal's user, by the ledger
    principal_id: str = ""  # of the portal's user
    is_admin: bool = False  # of the portal

    @property
    def is_system(self) -> bool:
        """kintone's Administrator, of whom the ledger knows nothing: its word is taken as it is."""
        return not self.user and fold(self.code) == ADMINISTRATOR


@dataclass(frozen=True)
class Case:
    """A record to be judged: what it says, what was in force, and who wrote it.

    wish: what could be read of it, also where it cannot be understood as a whole. by: value → principal id of who
    brought it into force. withheld: value → why, not confirmed.
    """

    wish: SetWish | AssignmentWish | None
    writer: Signature
    author: Signature
    owners: tuple[str, ...] | None = None
    in_force: SetWish | AssignmentWish | None = None
    in_force_owners: tuple[str, ...] | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, Reason] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    is_understood: bool = True
    is_certain: bool = True  # False: the portal is about to say who wrote it
    at_first_run: bool = False
    keeps_access: bool = False
    written_at: datetime = _LONG_AGO


@dataclass(frozen=True)
class Judge:
    """Everything that judging needs beside the records.

    admins: principal ids. codes: folded kintone codes of people, for those whom no link leads to. there: what AWS has;
    unread: where it may have more. rules: the guardrails, which decide what was judged.
    """

    register: Register
    cases: Mapping[str, Case] = field(default_factory=dict)  # by APP:ID
    admins: frozenset[str] = frozenset()
    codes: Mapping[str, str] = field(default_factory=dict)
    there: frozenset[AssignmentKey] = frozenset()
    unread: tuple[Scope, ...] = ()
    rules: tuple[Rule, ...] = ()
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of accounts that were read

    @property
    def first_looks(self) -> frozenset[str]:
        """The records (APP:ID) that the portal met when it came: what AWS has of them is the baseline."""
        return frozenset(name for name, case in self.cases.items() if case.at_first_run and case.in_force is None)


class Refusal(NamedTuple):
    """A name that is written and not in force, and why."""

    name: Name
    reason: Reason


@dataclass(frozen=True)
class Ruling:
    """What became of one case. `wish` is what is in force; None where nothing can be."""

    wish: SetWish | AssignmentWish | None
    written: SetWish | AssignmentWish | None = None
    owners: tuple[str, ...] | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, Reason] = field(default_factory=dict)  # value → why
    refused: tuple[Refusal, ...] = ()
    spent: frozenset[str] = frozenset()
    is_certain: bool = True
    is_understood: bool = True
    writer: str = ""  # his name
    claims: str = ""  # the principal id of who becomes the owner of the account by this


@dataclass(frozen=True)
class _Answer:
    """Whether a writer may widen access to an account: the code of why not, empty if he may."""

    code: str = MAY_WIDEN
    who: tuple[str, ...] = ()  # principal ids of those who may
    claims: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether the answer holds for good: not while owners are unread, nor where it is not for us to carry out."""
        return self.code not in ("owners_unread", "managed_in_terraform", "being_written")


class Court:
    """Judges the cases of one run in the order in which they were written: who registers first claims."""

    def __init__(self, judge: Judge, directory: Directory, look_up: LookUp) -> None:
        self.judge, self.directory, self.look_up = judge, directory, look_up
        self._claimed: dict[str, str] = {}  # account id → principal id

    def rule(self) -> dict[str, Ruling]:
        """A ruling for each case, by APP:ID."""
        cases = sorted(self.judge.cases.items(), key=lambda item: (item[1].written_at, item[0]))
        return {reference: ruling for reference, case in cases if (ruling := self._rule_on(case))}

    def _rule_on(self, case: Case) -> Ruling | None:
        if isinstance(case.wish, AssignmentWish):
            return self._rule_on_assignment(case, case.wish)
        if isinstance(case.wish, SetWish) and case.is_understood:
            return self._rule_on_set(case, case.wish)
        return None

    # Assignments

    def _rule_on_assignment(self, case: Case, wish: AssignmentWish) -> Ruling | None:
        now = self._read_values(wish, case.owners)
        before = case.in_force if isinstance(case.in_force, AssignmentWish) else None
        force = self._read_values(before, case.in_force_owners) if before else None
        answer = self._ask(case, now, force)
        writing = self._describe(case, now, force, answer)
        if not case.is_understood:
            return self._rule_on_broken(case, now, force, writing, answer)
        judged = judge_revision(now, force, writing)
        claims = self._claim(now.account_id, writing, judged) if answer.claims else ""
        return Ruling(
            wish=_as_wish(judged.in_force),
            written=wish,
            owners=judged.in_force.owners,
            by={**_keep(case.by, judged.in_force.names), **dict.fromkeys(judged.added, writing.principal_id)},
            withheld={value: self._explain(case, value, now, answer) for value in judged.withheld},
            refused=tuple(Refusal(name, self._why(case, name, now, judged, answer)) for name in judged.refused),
            spent=judged.spent,
            is_certain=writing.is_certain or not self._is_open(judged),
            writer=case.writer.name or case.writer.code,
            claims=claims,
        )

    def _rule_on_broken(
        self, case: Case, now: Values, force: Values | None, writing: Writing, answer: _Answer
    ) -> Ruling | None:
        """Nothing of it is in force, but what its writer may not add is withheld from whoever mends it."""
        if force is None or not writing.is_certain:
            return None
        withheld = judge_additions(now, force, writing)
        return Ruling(
            wish=None,
            withheld={value: self._explain(case, value, now, answer) for value in withheld},
            is_understood=False,
            writer=case.writer.name or case.writer.code,
        )

    @staticmethod
    def _is_open(judged: Judged) -> bool:
        """Something is neither in force nor withheld: whether it may be could not be found out."""
        held = {value[1:] for value in judged.withheld}
        return any(name.value not in held for name in judged.refused)

    def _read_values(self, wish: AssignmentWish, owners: tuple[str, ...] | None) -> Values:
        names = tuple(Name(source, written, self.look_up(source, written)) for source, written in iter_names(wish))
        return Values(wish.account_id, wish.permission_set, names, owners, wish.expires_on)

    def _describe(self, case: Case, now: Values, force: Values | None, answer: _Answer) -> Writing:
        return Writing(
            may_edit=self._may_edit(case, force),
            may_widen=answer.code == MAY_WIDEN,
            principal_id=self._find_person(case.writer),
            code=case.writer.code,
            is_certain=answer.is_certain and not (force is None and self._is_unread(case, now)),
            withheld=frozenset(case.withheld),
            confirmed=case.confirmed,
            granted=self._find_granted(case, now) if force is None else frozenset(),
            keeps_access=case.keeps_access,
        )

    def _find_granted(self, case: Case, now: Values) -> frozenset[str]:
        """The baseline: who had the access when the portal came."""
        if not case.at_first_run:
            return frozenset()
        return frozenset(name.principal_id for name in now.names if _key(now, name) in self.judge.there)

    def _is_unread(self, case: Case, now: Values) -> bool:
        return case.at_first_run and any(
            scope.covers(_key(now, name)) for scope in self.judge.unread for name in now.names
        )

    # People

    def _find_person(self, signature: Signature) -> str:
        """The principal id of a writer who is in Identity Center now; empty for everybody else."""
        principal_id = signature.principal_id
        if not principal_id and not signature.user and signature.code:
            is_proven = not is_by_profile(self.directory, signature.code)
            principal_id = self.look_up("kintone_user", signature.code) if is_proven else ""
            principal_id = principal_id or self.judge.codes.get(fold(signature.code), "")
        principal = self.directory.principals.get(principal_id)
        return principal_id if principal and principal.is_enabled else ""

    def _is_admin(self, signature: Signature) -> bool:
        return signature.is_system or signature.is_admin or self._find_person(signature) in self.judge.admins

    def _may_edit(self, case: Case, force: Values | None) -> bool:
        """Its owners and author, the owners of its account, admins. Owners are those in force: nobody names himself."""
        if not case.is_certain:
            return False
        if self._is_admin(case.writer):
            return True
        person = self._find_person(case.writer)
        if _is_same(case.writer, case.author) or (person and person == self._find_person(case.author)):
            return bool(person) or bool(case.writer.user)
        owners = case.in_force_owners if case.in_force is not None else case.owners
        named = {self._find_person(Signature(code)) for code in owners or ()}
        return bool(person) and (
            person in named or (force is not None and self.judge.register.owns(person, force.account_id))
        )

    def _ask(self, case: Case, now: Values, force: Values | None) -> _Answer:
        """Whether the writer may widen access to the account that the revision names."""
        register, account_id = self.judge.register, now.account_id
        if not case.is_certain:
            return _Answer("being_written")
        if account_id not in register.sites and force is not None:
            account_id = force.account_id  # a slip of the pen: the record waits to be mended
        if account_id == self.directory.management_account_id or self._is_admin(case.writer):
            return _Answer()
        person = self._find_person(case.writer)
        there = self.directory.sets.get(now.permission_set)
        if there and there.ownership is Ownership.TERRAFORM and person not in register.find_owners(account_id).people:
            return _Answer("managed_in_terraform")
        if not person:
            return _Answer("writer_unknown", self._find_owners(account_id))
        if register.is_protected(account_id):
            return _Answer("account_protected")
        owners = register.find_owners(account_id)
        if person in owners.people or self._claimed.get(account_id) == person:
            return _Answer()
        if not owners.are_known:
            return _Answer("owners_unread")
        if self._is_claimable(account_id):
            return _Answer(claims=True)
        who = self._find_owners(account_id)
        code = "writer_may_not" if who else "account_without_owner" if owners.is_free else "owners_left"
        return _Answer(code, who)

    def _is_claimable(self, account_id: str) -> bool:
        account = self.directory.accounts.get(account_id)
        is_active = account is not None and account.is_active
        return is_active and account_id not in self._claimed and self.judge.register.is_claimable(account_id)

    def _find_owners(self, account_id: str) -> tuple[str, ...]:
        claimant = self._claimed.get(account_id)
        return (claimant,) if claimant else tuple(sorted(self.judge.register.find_owners(account_id).people))

    def _claim(self, account_id: str, writing: Writing, judged: Judged) -> str:
        """Registering access claims; a record that adds nobody does not."""
        if not judged.added:
            return ""
        self._claimed[account_id] = writing.principal_id
        return writing.principal_id

    # Reasons

    def _explain(self, case: Case, value: str, now: Values, answer: _Answer) -> Reason:
        """Why a value is withheld: as it was when it was, or because of who wrote it now."""
        if value in case.withheld:
            return case.withheld[value]
        is_widening = value.startswith("+") and not value.startswith("+owner:")
        if is_widening and answer.code != MAY_WIDEN:
            return self._reason(answer, case, now.account_id)
        return Reason("writer_may_not_edit", {"name": case.writer.name or case.writer.code})

    def _why(self, case: Case, name: Name, now: Values, judged: Judged, answer: _Answer) -> Reason:
        value = f"+{name.value}"
        if value in judged.withheld:
            return self._explain(case, value, now, answer)
        if answer.code != MAY_WIDEN:
            return self._reason(answer, case, now.account_id)
        place = next((held for held in judged.withheld if held.startswith("+place:")), "")
        return self._explain(case, place or value, now, answer)

    def _reason(self, answer: _Answer, case: Case, account_id: str) -> Reason:
        account = self.directory.accounts.get(account_id)
        params = {"name": case.writer.name or case.writer.code, "account": account.name if account else account_id}
        return Reason(answer.code, {**params, "who": self._render_people(answer.who)} if answer.who else params)

    def _render_people(self, people: Collection[str]) -> str:
        found = (self.directory.principals.get(person) for person in people)
        names = sorted(principal.display_name or principal.name for principal in found if principal)
        return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")

    # Permission sets

    def _rule_on_set(self, case: Case, wish: SetWish) -> Ruling:
        """Who may edit the record of a set may change what it does; everybody who is somebody may register one."""
        before = case.in_force if isinstance(case.in_force, SetWish) else None
        force = _read_fields(before) if before else {}
        may = self._may_edit(case, None)
        name = case.writer.name or case.writer.code
        writing = Writing(may_edit=may, withheld=frozenset(case.withheld), confirmed=case.confirmed)
        kept = judge_fields(_read_fields(wish), force, writing)
        reason = Reason("writer_may_not_edit" if self._find_person(case.writer) else "writer_unknown", {"name": name})
        if before is not None:
            in_force: SetWish | None = replace(wish, **{item: getattr(before, item) for item in kept})
        else:
            in_force = None if kept else wish
        return Ruling(
            wish=in_force,
            owners=self._judge_owners_of_set(case, may),
            withheld={
                value: case.withheld.get(value, reason)
                for value in kept.values()
                if case.is_certain or value in case.withheld
            },
            spent=case.confirmed - field_values(_read_fields(wish)).keys(),
            is_certain=case.is_certain,
            writer=name,
        )

    @staticmethod
    def _judge_owners_of_set(case: Case, may: bool) -> tuple[str, ...] | None:
        return case.owners if may or case.in_force_owners is None else case.in_force_owners


_NAMED = 3  # people in one sentence


def iter_names(wish: AssignmentWish) -> Iterator[tuple[str, str]]:
    """Source and name as written of everybody whom a wish names."""
    yield from (("kintone_user", code) for code in wish.users)
    yield from (("address", address) for address in wish.addresses)
    yield from (("group_name", name) for name in wish.groups)


def _key(values: Values, name: Name) -> AssignmentKey:
    kind = PrincipalType.GROUP if name.source == "group_name" else PrincipalType.USER
    return AssignmentKey(values.account_id, values.permission_set, kind, name.principal_id)


def _as_wish(values: Values) -> AssignmentWish:
    def names(source: str) -> tuple[str, ...]:
        return tuple(name.written for name in values.names if name.source == source)

    return AssignmentWish(
        values.account_id, values.permission_set, names("kintone_user"), names("address"), names("group_name"),
        values.expires_on,
    )  # fmt: skip


def _keep(by: Mapping[str, str], names: Iterable[Name]) -> dict[str, str]:
    return {name.value: by[name.value] for name in names if name.value in by}


def _is_same(one: Signature, other: Signature) -> bool:
    if one.user or other.user:
        return one.user == other.user
    return bool(one.code) and fold(one.code) == fold(other.code)


def _read_fields(wish: SetWish) -> dict[str, str]:
    """The contents of a set's record as text, field by field; the order of policies counts for nothing."""
    return {
        "description": wish.description,
        "session_duration": show_value(wish.session_duration),
        "relay_state": wish.relay_state,
        "managed_policies": "\n".join(sorted(wish.managed_policies)),
        "customer_managed_policies": "\n".join(sorted(map(str, wish.customer_managed_policies))),
        "inline_policy": wish.inline_policy,
        "permissions_boundary": wish.permissions_boundary,
    }


def find_problem(reference: str, ruling: Ruling) -> Problem | None:
    """One problem for a record in which something is withheld: author and owners get one comment of it."""
    if not ruling.withheld:
        return None
    reasons = sorted(ruling.withheld.values(), key=lambda reason: (reason.code, str(sorted(reason.params.items()))))
    params = {"values": render_values(ruling.withheld), **reasons[0].params}
    code = "values_withheld_who" if "who" in params else "values_withheld"
    return Problem(code, "warning", reference, params=params)
