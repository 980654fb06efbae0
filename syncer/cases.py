"""The records of a run that are to be judged, by whom they were written, and what came of it, as values. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from accounts.ground import Former
from accounts.guardrails import Rule
from accounts.judgement import Name, PutBack
from accounts.names import fold
from accounts.ownership import Register
from syncer.directory import KINTONE_USER, Directory, LinkKey, find_alike, is_by_profile
from syncer.sets.widening import Places
from syncer.states import AssignmentKey, AssignmentWish, Reason, Scope, SetWish

ADMINISTRATOR = "administrator"  # folded: who writes with an API token (kintone's own user; facts: kintone, tokens)
_NAMED = 3  # people in one sentence
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
class Undone:
    """What a revision of the portal puts back of a record, and whose that record was."""

    back: PutBack
    author: Signature
    owners: tuple[str, ...] | None = None


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
    confirmers: Mapping[str, Signature] = field(default_factory=dict)
    is_understood: bool = True
    is_certain: bool = True  # False: the portal is about to say who wrote it
    at_first_run: bool = False
    keeps_access: bool = False
    undone: Undone | None = None
    written_at: datetime = _LONG_AGO


class Gone(NamedTuple):
    """The record of a set that is gone: what was in force, and whose it was."""

    wish: SetWish
    author: Signature
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judge:
    """Everything that judging needs beside the records.

    admins, locked: principal ids; who is locked out says nothing that counts. codes: folded kintone codes of
    people, for those whom no link leads to. there: what AWS has; unread: where it may have more. rules: the
    guardrails, which decide what was judged. former: where accounts were until moves that nobody has confirmed.
    places, gone: of the sets whose records are to be judged. texts: what AWS's policies among theirs say, by name.
    """

    register: Register
    cases: Mapping[str, Case] = field(default_factory=dict)  # by APP:ID
    admins: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()
    codes: Mapping[str, str] = field(default_factory=dict)
    there: frozenset[AssignmentKey] = frozenset()
    unread: tuple[Scope, ...] = ()
    rules: tuple[Rule, ...] = ()
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of accounts that were read
    former: Mapping[str, tuple[Former, ...]] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    gone: Mapping[str, Gone] = field(default_factory=dict)  # by name
    texts: Mapping[str, str] = field(default_factory=dict)

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


class Bench:
    """Who the people are that wrote and author records, and what they may edit."""

    def __init__(self, judge: Judge, directory: Directory, look_up: LookUp) -> None:
        self.judge, self.directory, self.look_up = judge, directory, look_up

    def find_person(self, signature: Signature) -> str:
        """The principal id of a writer who is in Identity Center now and not locked out; empty for everybody else."""
        if not signature.user and find_alike(self.directory, LinkKey(KINTONE_USER, fold(signature.code))):
            return ""
        principal_id = signature.principal_id
        if not principal_id and not signature.user and signature.code:
            is_proven = not is_by_profile(self.directory, signature.code)
            principal_id = self.look_up("kintone_user", signature.code) if is_proven else ""
            principal_id = principal_id or self.judge.codes.get(fold(signature.code), "")
        principal = self.directory.principals.get(principal_id)
        is_welcome = principal is not None and principal.is_enabled and principal_id not in self.judge.locked
        return principal_id if is_welcome else ""

    def is_admin(self, signature: Signature) -> bool:
        if signature.is_system:
            return True
        is_locked = bool(signature.principal_id) and signature.principal_id in self.judge.locked
        return not is_locked and (signature.is_admin or self.find_person(signature) in self.judge.admins)

    def may_edit(self, case: Case, account_id: str = "") -> bool:
        """Its owners and author, the owners of its account, admins. Owners are those in force: nobody names himself."""
        if not case.is_certain:
            return False
        if self.is_admin(case.writer):
            return True
        person = self.find_person(case.writer)
        if is_same(case.writer, case.author) or (person and person == self.find_person(case.author)):
            return bool(person) or bool(case.writer.user)
        owners = case.in_force_owners if case.in_force is not None else case.owners
        named = {self.find_person(Signature(code)) for code in owners or ()}
        return bool(person) and (person in named or (bool(account_id) and self.judge.register.owns(person, account_id)))

    def render_people(self, people: Collection[str]) -> str:
        found = (self.directory.principals.get(person) for person in people)
        names = sorted(principal.display_name or principal.name for principal in found if principal)
        return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def is_same(one: Signature, other: Signature) -> bool:
    if one.user or other.user:
        return one.user == other.user
    return bool(one.code) and fold(one.code) == fold(other.code)
