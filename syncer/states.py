"""What is wanted and what is there, as frozen values. Pure: no Django, no clock, no network.

A permission set is known by its name here, not by its ARN: the name is unique in an instance and cannot be changed,
and a set that is planned together with its assignments has no ARN yet.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple


class PrincipalType(StrEnum):
    USER = "USER"
    GROUP = "GROUP"


class AssignmentKey(NamedTuple):
    """One account assignment. A tuple, because sets of a million of them are compared."""

    target_id: str  # AWS account id, 12 digits, kept as text: it may start with 0
    permission_set: str  # its name
    principal_type: PrincipalType
    principal_id: str  # identity store id, never an e-mail address


class Scope(NamedTuple):
    """A part of the world: what is None is not narrowed down, so `Scope()` is everything."""

    target_id: str | None = None
    permission_set: str | None = None
    principal_type: PrincipalType | None = None
    principal_id: str | None = None

    def covers(self, key: AssignmentKey) -> bool:
        return (
            self.target_id in (None, key.target_id)
            and self.permission_set in (None, key.permission_set)
            and self.principal_type in (None, key.principal_type)
            and self.principal_id in (None, key.principal_id)
        )

    def covers_set(self, name: str) -> bool:
        """Whether the definition of this set lies in the scope; the listing of one pair does not concern it."""
        narrowed = (self.target_id, self.principal_type, self.principal_id)
        return narrowed == (None, None, None) and self.permission_set in (None, name)

    @property
    def whole_type(self) -> PrincipalType | None:
        """The type of principal if the scope is all of that type, wherever they are."""
        narrowed = (self.target_id, self.permission_set, self.principal_id)
        return self.principal_type if narrowed == (None, None, None) else None

    def __str__(self) -> str:
        kind = self.principal_type.lower() if self.principal_type else ""
        parts = [
            f"account {self.target_id}" if self.target_id else "",
            f"permission set {self.permission_set}" if self.permission_set else "",
            f"{kind} {self.principal_id}" if self.principal_id else f"{kind}s" if kind else "",
        ]
        return " × ".join(filter(None, parts)) or "everything"


@dataclass(frozen=True)
class Reason:
    """Why something is as it is: a code of `accounts.sentences` and what to put into its sentence."""

    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": dict(self.params)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Reason":
        """A reason as the database has it, or what else bears a code and parameters; {} is one without a code."""
        return cls(str(stored.get("code", "")), stored.get("params") or {})


@dataclass(frozen=True)
class Unresolved:
    """A read that failed or looked truncated. Nothing in its scope is changed.

    `blocks` names what the scope forbids: everything (`all`); removals (`deletes`); removals, and creates for names
    that no stored link leads to (`names`); what depends on where an account is in the organization (`units`); or
    nothing but the truth of what is shown (`none`).
    """

    scope: Scope
    operation: str  # service:Operation, or kintone and the path
    reason: Reason
    blocks: str = "all"
    about: str = ""  # what was being read, where the scope does not say it


def find_unread_types(unresolved: Iterable[Unresolved]) -> frozenset[PrincipalType]:
    """The types of principal of which it is not known who is there."""
    types = (item.scope.whole_type for item in unresolved if item.blocks != "none")
    return frozenset(kind for kind in types if kind)


# --- What AWS has ----------------------------------------------------------------------------------------------------


class PolicyReference(NamedTuple):
    """A customer managed policy: looked up by path and name in each target account."""

    path: str  # begins and ends with "/"
    name: str

    def __str__(self) -> str:
        return f"{self.path}{self.name}"


@dataclass(frozen=True)
class Boundary:
    """A permissions boundary: exactly one of the two."""

    managed_policy: str = ""  # an ARN
    customer_managed: PolicyReference | None = None

    def __str__(self) -> str:
        return str(self.customer_managed or self.managed_policy)


DEFAULT_SESSION = timedelta(hours=1)
LONGEST_SESSION = timedelta(hours=12)  # AWS's limit


@dataclass(frozen=True)
class Definition:
    """The contents of a permission set as AWS holds them."""

    description: str = ""
    session_duration: timedelta = DEFAULT_SESSION
    relay_state: str = ""
    managed_policies: frozenset[str] = frozenset()  # ARNs
    customer_managed_policies: frozenset[PolicyReference] = frozenset()
    inline_policy: str = ""  # JSON text, empty for none
    permissions_boundary: Boundary | None = None

    def differences(self, wanted: "Definition") -> tuple["Difference", ...]:
        """What would change, field by field, if this became `wanted`."""
        mine, theirs = self.comparable(), wanted.comparable()
        return tuple(
            Difference(item.name, show_value(getattr(self, item.name)), show_value(getattr(wanted, item.name)))
            for item in fields(self)
            if mine[item.name] != theirs[item.name]
        )

    def comparable(self) -> dict[str, Any]:
        """Policies as what their JSON says, everything else as it is."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values["inline_policy"] = _canonical(self.inline_policy)
        return values


def _canonical(policy: str) -> str:
    """One text for all ways to write the same JSON. Texts, unlike Python's values, keep `true` and `1` apart."""
    try:
        return json.dumps(json.loads(policy), sort_keys=True) if policy else ""
    except (ValueError, RecursionError):  # whatever AWS holds there, it is not what a record wants
        return policy


class Difference(NamedTuple):
    field: str
    before: str
    after: str


def show_value(value: Any) -> str:
    """A value of a definition as text that people read, stable in its order."""
    if isinstance(value, frozenset):
        return "\n".join(sorted(str(item) for item in value))
    if isinstance(value, timedelta):
        return render_duration(value)
    return "" if value is None else str(value)


def render_duration(duration: timedelta) -> str:
    """ISO 8601 as AWS takes it: PT8H, PT90M."""
    minutes = int(duration.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return f"PT{hours}H" if not rest else f"PT{hours}H{rest}M" if hours else f"PT{minutes}M"


class Ownership(StrEnum):
    OURS = "ours"
    NOT_OURS = "not_ours"
    TERRAFORM = "terraform"  # provisioned in the management account: a delegated administrator may not touch it
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ActualSet:
    """A permission set as AWS has it. `definition` is None for sets that are not ours and were not read."""

    name: str
    arn: str
    ownership: Ownership
    definition: Definition | None = None
    stale_accounts: frozenset[str] = frozenset()  # active ones, where an older version is provisioned


@dataclass(frozen=True)
class ActualAccount:
    """An account of the organization."""

    account_id: str
    name: str
    email: str
    state: str  # AWS's word
    ou_id: str = ""
    # Ids of the units above it, the root first; empty where AWS gave no path. Where it is, is `ou_id`.
    ou_path: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @property
    def is_active(self) -> bool:
        return self.state == "ACTIVE"


@dataclass(frozen=True)
class ActualUnit:
    """An organizational unit, or the root (no parent)."""

    ou_id: str
    name: str
    parent_id: str = ""


@dataclass(frozen=True)
class ActualPrincipal:
    """A user or group of the identity store."""

    type: PrincipalType
    principal_id: str
    name: str  # UserName or DisplayName
    display_name: str = ""
    email: str = ""
    external_ids: tuple[str, ...] = ()
    is_enabled: bool = True
    external_issuer: str = ""  # of the first of them


@dataclass(frozen=True)
class ActualPolicy:
    """An AWS managed policy."""

    arn: str
    name: str
    is_attachable: bool
    version: str = ""  # the one in force, where it is known


@dataclass(frozen=True)
class ActualInstance:
    """The organization's Identity Center instance."""

    instance_arn: str
    identity_store_id: str
    region: str
    management_account_id: str


@dataclass(frozen=True)
class Coverage:
    """What of the assignments a reading has seen, or is to see; the others are as they were last known.

    pairs: account and set by name, None for every pair. principals: all assignments of these, wherever they are. sets,
    accounts: all assignments of these sets (by name) and in these accounts, those of principals that are gone included.
    """

    pairs: frozenset[tuple[str, str]] | None = None
    principals: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        return self.pairs is None

    def covers(self, key: AssignmentKey) -> bool:
        return (
            self.pairs is None
            or key[:2] in self.pairs
            or key.principal_id in self.principals
            or key.permission_set in self.sets
            or key.target_id in self.accounts
        )

    def covers_set(self, name: str) -> bool:
        """Whether all assignments with this set were seen."""
        return self.pairs is None or name in self.sets


EVERY_PAIR = Coverage()


@dataclass(frozen=True)
class Focus:
    """What a targeted run looks at: assignments of these pairs, definitions of these sets."""

    pairs: frozenset[tuple[str, str]]
    sets: frozenset[str]


@dataclass(frozen=True)
class ReadingFigures:
    """How a reading went about the assignments, and what that took."""

    strategy: str
    predicted: int  # requests for the assignments
    calls: int  # the true number of them
    seconds: float  # of the whole reading
    is_proof: bool = False  # every pair was read, and nothing that blocks a change is unresolved
    share: int | None = None  # which of the shares of a routine run was proved
    may_list_by_principal: bool | None = None  # None: not tried

    def as_json(self) -> dict[str, Any]:
        return {
            "strategy": self.strategy,
            "predicted": self.predicted,
            "calls": self.calls,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Actual:
    """What AWS reported in one reading, and what it did not."""

    instance: ActualInstance
    accounts: Mapping[str, ActualAccount]  # by id
    sets: Mapping[str, ActualSet]  # by name
    principals: Mapping[str, ActualPrincipal]  # by principal id
    assignments: frozenset[AssignmentKey]
    unresolved: tuple[Unresolved, ...] = ()
    units: tuple[ActualUnit, ...] | None = None  # None: not read this time
    memberships: Mapping[str, frozenset[str]] | None = None  # group id → user ids, of the groups that were read
    policies: tuple[ActualPolicy, ...] | None = None  # None: not read this time
    coverage: Coverage = EVERY_PAIR  # which assignments were read
    sets_read: frozenset[str] | None = None  # the sets whose definition was asked for; None: all
    focus: Focus | None = None  # what a targeted run looks at; None: a full run, which judges everything
    tags: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)  # account or unit → its tags
    figures: ReadingFigures | None = None


# --- What kintone wants ----------------------------------------------------------------------------------------------


class RecordReference(NamedTuple):
    """One revision of one kintone record."""

    app_id: str
    record_id: str
    revision: int = 0

    def __str__(self) -> str:
        return f"{self.app_id}:{self.record_id}"


@dataclass(frozen=True)
class Problem:
    """Something in a record, or between it and AWS, that a person should mend."""

    code: str
    severity: str = "error"  # or "warning"
    record: str = ""  # APP:ID, empty when no record is concerned
    field: str = ""  # our name of the field
    line: int | None = None  # from 1
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class SetWish:
    """What a record of the permission-set app wants, as written: names are not looked up yet."""

    name: str
    description: str = ""
    session_duration: timedelta = DEFAULT_SESSION
    relay_state: str = ""
    managed_policies: tuple[str, ...] = ()  # names or ARNs, in order
    customer_managed_policies: tuple[PolicyReference, ...] = ()
    inline_policy: str = ""
    permissions_boundary: str = ""  # as normalised: an ARN, /path/name, or a bare AWS name
    absent: frozenset[str] = frozenset()  # fields that the app does not have: AWS keeps what it has there


@dataclass(frozen=True)
class AssignmentWish:
    """What a record of the assignment app wants, as written."""

    account_id: str
    permission_set: str
    users: tuple[str, ...] = ()  # kintone user codes
    addresses: tuple[str, ...] = ()  # of people without a kintone licence
    groups: tuple[str, ...] = ()  # names
    expires_on: date | None = None


@dataclass(frozen=True)
class ReadRecord:
    """A mirrored record after parsing. `wish` is None when this revision cannot be understood.

    `account_id` and `permission_set` are given also where the rest is broken, as far as they can be read.
    """

    reference: RecordReference
    wish: SetWish | AssignmentWish | None
    problems: tuple[Problem, ...] = ()
    account_id: str = ""
    permission_set: str = ""
    updated_at: datetime | None = None
    at_first_run: bool = False
    was_valid: bool = False  # some revision of it has been in force here
    in_force_name: str = ""  # permission sets: the name that was in force last
    in_force_principals: frozenset[str] = frozenset()  # assignments: folded names of people and groups in force
    by: Mapping[str, str] = dataclasses.field(default_factory=dict)  # value in force → principal id of who registered
    lines: Mapping[str, int] = dataclasses.field(default_factory=dict)  # AWS managed policy as read → its line
