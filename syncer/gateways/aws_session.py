"""How requests reach AWS: credentials, clients, pace, tries and tally.

botocore's own retries are off: they would send writes again past the token bucket, and hide throttling from the tally.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeVar, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader
from botocore.session import Session, get_session

from syncer.gateways.aws_errors import RAISED_BY_BOTO, UNREADABLE, foreign_answer, translate
from syncer.gateways.counting import counted
from syncer.gateways.errors import (
    Denied,
    GatewayError,
    NoAnswer,
    OutcomeUnknown,
    Race,
    Temporary,
    Throttled,
    Truncated,
    Unavailable,
    Unreachable,
)
from syncer.gateways.pacing import Backoff, Pacer, Rate, Sleep, Tally, TokenBucket, try_again
from syncer.measures import BUDGET_WAIT, CALLS, SUMS
from syncer.states import Reason

if TYPE_CHECKING:  # the stubs are installed for mypy only
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_sso_admin import SSOAdminClient
    from mypy_boto3_sts.client import STSClient

P = ParamSpec("P")
T = TypeVar("T")
Page = TypeVar("Page", bound=Mapping[str, object])

READS = Backoff(tries=8, first=0.25, longest=8.0)
WRITES = Backoff(tries=6, first=0.5, longest=8.0)
RACES = Backoff(tries=5, first=1.0, longest=8.0)
REST_SECONDS = 30.0  # after a service could not be reached at all, requests to it fail at once for so long

# AWS's requests a second and burst for one account; source: quotas of AWS Organizations and of IAM Identity Center. IAM
# and Access Analyzer publish none: two a second are more than is asked of them. Each session keeps below them: requests
# do not arrive as evenly as they were sent, and the session before may have spent the burst.
_RATES: Mapping[str, Rate] = {
    "organizations:DescribeAccount": Rate(20, 30),
    "organizations:DescribeOrganization": Rate(1, 2),
    "organizations:ListAccounts": Rate(8, 12),
    "organizations:ListAccountsForParent": Rate(5, 8),
    "organizations:ListOrganizationalUnitsForParent": Rate(5, 8),
    "organizations:ListRoots": Rate(1, 2),
    "organizations:ListTagsForResource": Rate(10, 15),
    "iam:ListPolicies": Rate(2, 2),
    "iam:GetPolicyVersion": Rate(2, 4),
    "accessanalyzer:ValidatePolicy": Rate(2, 4),
}
_IDENTITY_STORE_RATE = Rate(20, 20)  # each of its operations


@dataclass(frozen=True)
class AwsOptions:
    """How to reach the instance. Endpoints and credentials come from boto3's own environment.

    region: the instance's primary region. role_arn: assumed on top of boto3's credentials when given.
    instance_arn: found when not given. tps: requests a second to sso-admin, of the 20 that all callers share.
    urgent: its readings go before those of sessions that are not; writes, and asking what became of them, always do.
    Timeouts are in seconds. reads: how often and after which pauses a question is asked.
    """

    region: str
    role_arn: str = ""
    instance_arn: str = ""
    tps: float = 10.0
    urgent: bool = False
    connections: int = 16
    connect_timeout: float = 3.0
    read_timeout: float = 20.0
    reads: Backoff = READS


class Traffic(StrEnum):
    """What a request is for: that is how calls, throttling and waiting are told apart."""

    READ = "read"
    WRITE = "write"
    POLL = "poll"  # asking how far AWS is with a write


class Flow(NamedTuple):
    """Requests of one kind so far, every try counted; how many AWS turned away; seconds they waited for their turn."""

    calls: int = 0
    throttled: int = 0
    waited: float = 0.0

    def plus(self, more: "Flow") -> "Flow":
        return Flow(self.calls + more.calls, self.throttled + more.throttled, self.waited + more.waited)


class _Manner(NamedTuple):
    """How a request is sent: what it is for, and after which errors it is sent again."""

    traffic: Traffic
    backoff: Backoff
    worth: tuple[type[Temporary], ...]


_READING = _Manner(Traffic.READ, READS, (Throttled, Unavailable, NoAnswer, Unreachable))
_POLLING = _READING._replace(traffic=Traffic.POLL)
_WRITING = _Manner(Traffic.WRITE, WRITES, (Throttled,))


@dataclass(frozen=True)
class Settled(Generic[T]):
    """What became of a write, once that is known: the value the write would have given."""

    value: T


@dataclass(frozen=True)
class Clients:
    """One client a service. Clients may be shared by threads, sessions may not: they are made together at the start."""

    sso: "SSOAdminClient"
    store: "IdentityStoreClient"
    organizations: "OrganizationsClient"
    iam: "IAMClient"
    sts: "STSClient"


class AwsSession:
    """Sends requests to AWS: paced, counted, tried again, and failing with our errors only. Thread safe.

    pacer: holds all requests to sso-admin together to a rate; a bucket of this session when not given.
    """

    def __init__(self, options: AwsOptions, pacer: Pacer | None = None, sleep: Sleep = time.sleep) -> None:
        self._sleep, self._is_urgent, self._reads = sleep, options.urgent, options.reads
        self._pacers: dict[str, Pacer] = {
            "sso-admin": pacer or _bucket(Rate(options.tps, max(1.0, options.tps)), sleep)
        }
        self._resting: dict[str, tuple[float, GatewayError]] = {}
        self._lock = threading.Lock()
        self._calls, self._throttled = Tally(), Tally()
        self._flows = dict.fromkeys(Traffic, Flow())
        self._options, self._opened = options, list[BaseClient]()
        self.clients = self._connect(options)

    def close(self) -> None:
        clients = self.clients
        for client in (clients.sso, clients.store, clients.organizations, clients.iam, clients.sts, *self._opened):
            client.close()

    def open_client(self, service: str) -> BaseClient:
        """A client of one more service, which few sessions need: its model takes its time to read."""
        options = self._options
        try:
            client = self._botocore.create_client(service, options.region, config=_configure(options))
        except RAISED_BY_BOTO as error:
            raise translate("aws:Session", error, {}) from error
        self._opened.append(client)
        return client

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far by operation, every try counted."""
        return self._calls.counts()

    @property
    def throttled(self) -> Counter[str]:
        """How many of them AWS turned away because there were too many."""
        return self._throttled.counts()

    @property
    def flows(self) -> Mapping[Traffic, Flow]:
        """Requests to sso-admin, by what they were for."""
        with self._lock:
            return dict(self._flows)

    def read(self, method: Callable[P, T], *args: P.args, **parameters: P.kwargs) -> T:
        """Ask; up to eight times where another try may help, unless the options say otherwise."""
        manner = _POLLING if operation_of(method).endswith("Status") else _READING
        return self._try_again(manner._replace(backoff=self._reads), method, *args, **parameters)

    def pages(self, method: Callable[P, Page], *args: P.args, **parameters: P.kwargs) -> Iterator[Page]:
        """All pages of a listing, empty ones included.

        Raises Truncated if AWS hands out the same token twice: going on would never end, ending would lose the rest.
        """
        ask = cast("Callable[..., Page]", method)
        page = self.read(ask, *args, **parameters)
        yield page
        token = _next_page(page)
        while token:
            page = self.read(ask, *args, **{**parameters, **token})
            yield page
            token, last = _next_page(page), token
            if token == last:
                operation = operation_of(method)
                raise Truncated(operation, Reason("aws_truncated", {"operation": operation}))

    def write(self, method: Callable[P, T], *args: P.args, **parameters: P.kwargs) -> T:
        """Change something; tried again only where AWS surely did nothing because of too many requests.

        Raises OutcomeUnknown where it may have been carried out, and Race for a concurrent change.
        """
        try:
            return self._try_again(_WRITING, method, *args, **parameters)
        except (NoAnswer, Unavailable) as error:
            params = {"operation": error.operation, "code": error.code, "text": error.text}
            reason = Reason("aws_outcome_unknown", params)
            raise OutcomeUnknown(error.operation, reason, error.code, error.text) from error

    def carry_out(self, send: Callable[[], T], look: Callable[[], Settled[T] | None]) -> T:
        """Write, and where it is open what became of it, look before anything is sent again.

        look: asks AWS whether the write is done or under way; None if it is not. A race that is not settled so is
        sent again a few times; a write that may still arrive is not. What raises then is Race or OutcomeUnknown.
        """

        def send_once() -> T:
            try:
                return send()
            except (OutcomeUnknown, Race) as error:
                settled = _look(look, error)
                if settled is None:
                    raise
                return settled.value

        return try_again(send_once, RACES, (Race,), self._sleep)

    def _try_again(self, manner: _Manner, method: Callable[P, T], *args: P.args, **parameters: P.kwargs) -> T:
        operation = operation_of(method)
        service = operation.partition(":")[0]
        self._require_awake(service)

        def send() -> T:
            self._await_turn(operation, manner.traffic)
            try:
                return self._send(operation, method, *args, **parameters)
            except Throttled:
                self._count(operation, manner.traffic, Flow(throttled=1))
                raise

        try:
            return try_again(send, manner.backoff, manner.worth, self._sleep)
        except Unreachable as error:
            self._resting[service] = (time.monotonic() + REST_SECONDS, error)
            raise

    def _await_turn(self, operation: str, traffic: Traffic) -> None:
        begin = time.monotonic()
        self._pacer(operation).acquire(urgent=self._is_urgent or traffic is not Traffic.READ)
        waited = time.monotonic() - begin
        SUMS.add(BUDGET_WAIT, (operation.partition(":")[0], traffic), waited)
        self._count(operation, traffic, Flow(calls=1, waited=waited))

    def _count(self, operation: str, traffic: Traffic, more: Flow) -> None:
        if more.calls:
            self._calls.add(operation)
        if more.throttled:
            self._throttled.add(operation)
        if operation.startswith("sso-admin:"):
            with self._lock:
                self._flows[traffic] = self._flows[traffic].plus(more)

    def _send(self, operation: str, method: Callable[P, T], *args: P.args, **parameters: P.kwargs) -> T:
        service, _colon, name = operation.partition(":")
        with counted(service, name):
            try:
                answer = method(*args, **parameters)
            except RAISED_BY_BOTO as error:
                raise translate(operation, error, parameters) from error
            except UNREADABLE as error:
                raise foreign_answer(operation) from error
            if not _is_awss(answer):
                raise foreign_answer(operation)
            return answer

    def _require_awake(self, service: str) -> None:
        """A reading asks thousands of times: without this rest, an AWS out of reach would take it hours to report."""
        until, error = self._resting.get(service, (0.0, None))
        if error and time.monotonic() < until:
            raise Unreachable(error.operation, error.reason, error.code, error.text)

    def _pacer(self, operation: str) -> Pacer:
        service = operation.partition(":")[0]
        key = service if service == "sso-admin" else operation
        with self._lock:
            if key not in self._pacers:
                self._pacers[key] = _bucket(_below(_RATES.get(operation, _IDENTITY_STORE_RATE)), self._sleep)
            return self._pacers[key]

    def _connect(self, options: AwsOptions) -> Clients:
        config = _configure(options)
        operation = "sts:AssumeRole" if options.role_arn else "aws:Session"
        try:
            session = self._botocore = self._open_session(options)
            return Clients(
                sso=cast("SSOAdminClient", session.create_client("sso-admin", options.region, config=config)),
                store=cast(
                    "IdentityStoreClient", session.create_client("identitystore", options.region, config=config)
                ),
                organizations=cast(
                    "OrganizationsClient", session.create_client("organizations", options.region, config=config)
                ),
                iam=cast("IAMClient", session.create_client("iam", options.region, config=config)),
                sts=cast("STSClient", session.create_client("sts", options.region, config=config)),
            )
        except RAISED_BY_BOTO as error:
            raise translate(operation, error, {}) from error

    def _open_session(self, options: AwsOptions) -> Session:
        """boto3's own credentials, or those of the role, which botocore renews before they end."""
        own = _new_session()
        if not options.role_arn:
            return own
        source = own.get_credentials()
        if source is None:
            raise NoCredentialsError

        def create_client(_service: str, **credentials: Any) -> BaseClient:
            config = Config(retries={"mode": "standard"}, connect_timeout=options.connect_timeout)
            client = own.create_client("sts", options.region, config=config, **credentials)
            client.meta.events.register("before-send.sts.AssumeRole", self._count_assume_role)
            return client

        arguments = {"RoleSessionName": "genkan"}
        fetcher = AssumeRoleCredentialFetcher(create_client, source, options.role_arn, extra_args=arguments)
        assumed = _new_session()
        assumed.register_component("credential_provider", CredentialResolver([_AssumedRole(fetcher)]))
        return assumed

    def _count_assume_role(self, **_event: object) -> None:
        self._calls.add("sts:AssumeRole")
        SUMS.add(CALLS, ("sts", "AssumeRole", "sent"))


class _AssumedRole(CredentialProvider):
    """The only source of credentials of a session that acts in a role."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)


def _configure(options: AwsOptions) -> Config:
    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        max_pool_connections=options.connections,
    )


def _new_session() -> Session:
    session = get_session()
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Loader:
    """AWS's service models: megabytes of JSON, read once a process and not once a run."""
    return cast(Loader, get_session().get_component("data_loader"))


def operation_of(method: Callable[..., object]) -> str:
    """`sso-admin:ListPermissionSets` for the client's method `list_permission_sets`."""
    bound = cast(MethodType, method)
    meta = cast(BaseClient, bound.__self__).meta
    return f"{meta.service_model.service_name}:{meta.method_to_api_mapping[bound.__name__]}"


def _is_awss(answer: object) -> bool:
    """A member that AWS's model knows, or AWS's request id: botocore reads any other page as an empty answer."""
    members = dict(cast("Mapping[str, Any]", answer))
    metadata = members.pop("ResponseMetadata", {})
    return bool(members or metadata.get("RequestId"))


def _look(look: Callable[[], Settled[T] | None], error: GatewayError) -> Settled[T] | None:
    """What AWS says became of a write; `error` stays the truth where AWS does not say."""
    try:
        return look()
    except (Temporary, Denied) as blind:
        raise error from blind


def _next_page(page: Mapping[str, object]) -> dict[str, object]:
    """The parameter that asks for the page after this one; empty after the last."""
    for name in ("NextToken", "nextToken"):
        if page.get(name):
            return {name: page[name]}
    return {"Marker": page["Marker"]} if page.get("IsTruncated") else {}


def _below(limit: Rate) -> Rate:
    return Rate(0.9 * limit.per_second, max(1.0, limit.burst / 2))


def _bucket(rate: Rate, sleep: Sleep) -> TokenBucket:
    return TokenBucket(rate.per_second, rate.burst, sleep=sleep)
