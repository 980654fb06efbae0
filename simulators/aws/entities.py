"""The things a world consists of. Times are seconds since 1970, as AWS's JSON protocol sends them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

DEFAULT_SESSION_DURATION = "PT1H"


class PrincipalType(StrEnum):
    USER = "USER"
    GROUP = "GROUP"


class RequestKind(StrEnum):
    CREATION = "creation"
    DELETION = "deletion"
    PROVISIONING = "provisioning"


class RequestStatus(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass
class OrganizationalUnit:
    id: str
    number: int
    name: str
    parent_id: str


@dataclass
class Account:
    """`state` is one of ACTIVE, PENDING_ACTIVATION, SUSPENDED, PENDING_CLOSURE, CLOSED."""

    id: str
    number: int
    name: str
    email: str
    parent_id: str
    state: str
    joined: float


@dataclass
class User:
    """`status` is ENABLED or DISABLED. What a user need not have is None and missing from AWS's answers."""

    id: str
    number: int
    user_name: str
    display_name: str | None
    email: str | None
    external_id: str | None
    status: str
    given_name: str | None
    family_name: str | None
    created: float
    updated: float


@dataclass
class Group:
    id: str
    number: int
    display_name: str
    external_id: str | None
    created: float


@dataclass
class Membership:
    id: str
    number: int
    group_id: str
    user_id: str
    created: float


class PolicyReference(NamedTuple):
    """A customer managed policy, to be found by path and name inside each account."""

    path: str
    name: str


Boundary = str | PolicyReference
"""A permissions boundary: the ARN of a policy of AWS, or a customer managed policy."""


@dataclass
class PermissionSet:
    """`version` grows with each change of what the role in an account is made of."""

    arn: str
    number: int
    name: str
    created: float
    description: str | None = None
    session_duration: str = DEFAULT_SESSION_DURATION
    relay_state: str | None = None
    managed: list[str] = field(default_factory=list)
    customer_managed: list[PolicyReference] = field(default_factory=list)
    inline: str | None = None
    boundary: Boundary | None = None
    version: int = 1


class Principal(NamedTuple):
    type: str
    id: str


class Assignment(NamedTuple):
    account_id: str
    permission_set_arn: str
    principal_type: str
    principal_id: str

    @property
    def principal(self) -> Principal:
        return Principal(self.principal_type, self.principal_id)


@dataclass
class Provision:
    """The role of a permission set in an account, made from `version` of the set."""

    account_id: str
    permission_set_arn: str
    number: int
    version: int


@dataclass
class AsyncRequest:
    """A write that AWS carries out after it has answered.

    `accounts` are those whose roles it updates, `renews` those of them that had the role when the request came.
    `principal` is None for provisioning; `target` is the one account, or None for all accounts that have the role.
    """

    id: str
    number: int
    kind: RequestKind
    permission_set_arn: str
    target: str | None
    accounts: list[str]
    renews: list[str]
    created: float
    due: float
    principal: Principal | None = None
    status: RequestStatus = RequestStatus.IN_PROGRESS
    reason: str | None = None


@dataclass(frozen=True)
class AccessKey:
    """Credentials, for good (`token` is None) or of an assumed role until `expires`."""

    id: str
    secret: str
    account_id: str
    role: str
    role_id: str
    session: str
    token: str | None = None
    expires: float | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account_id}:assumed-role/{self.role}/{self.session}"


@dataclass(frozen=True)
class Instance:
    """An instance of IAM Identity Center, of the organization or of one member account."""

    arn: str
    number: int
    identity_store_id: str
    owner_account_id: str
    created: float
