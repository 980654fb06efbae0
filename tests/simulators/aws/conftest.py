"""A small organization behind the simulator, and boto3 clients whose every answer is held to botocore's models."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import OperationModel, Shape
from mypy_boto3_iam import IAMClient
from mypy_boto3_identitystore import IdentityStoreClient
from mypy_boto3_organizations import OrganizationsClient
from mypy_boto3_sso_admin import SSOAdminClient
from mypy_boto3_sts import STSClient

from simulators.aws import AwsSimulator, AwsWorld, Limits
from simulators.aws.shapes import violations
from simulators.clock import Clock
from simulators.serving import Request, Response, Serving

NOON = datetime(2026, 11, 2, 3, tzinfo=UTC)
ASYNC_SECONDS = 5.0
_SESSION: Any = boto3.Session()  # the stubs of `client` know literal names only


def require_conforming(response_dict: dict[str, Any], operation_model: OperationModel, **_: Any) -> None:
    """Hold an answer to the shape of its operation or error, unknown members included. XML is rendered from shapes."""
    is_json = operation_model.service_model.protocol == "json"
    if not is_json or not operation_model.output_shape:
        return
    answer = json.loads(response_dict["body"])
    shape: Shape | None = operation_model.output_shape
    if response_dict["status_code"] != 200:
        shape = error_shape(operation_model, answer.pop("__type"))
    # AWS itself breaks its model here: no inline policy is an empty string.
    if shape and answer != {"InlinePolicy": ""}:
        assert not [str(each) for each in violations(shape, answer)]


def error_shape(operation_model: OperationModel, code: str) -> Shape | None:
    """The shape of an error, which has to be among the operation's own; None for errors that all of AWS has."""
    shapes = {str(shape.name): shape for shape in operation_model.error_shapes}
    assert code in shapes or code not in operation_model.service_model.shape_names
    return shapes.get(code)


class Clients:
    """boto3 clients of one caller."""

    def __init__(self, url: str, region: str, access_key: tuple[str, str], token: str | None = None) -> None:
        self._url, self._region, self._access_key, self._token = url, region, access_key, token
        self._made: list[Any] = []

    @cached_property
    def sso(self) -> SSOAdminClient:
        client: SSOAdminClient = self._make("sso-admin")
        return client

    @cached_property
    def organizations(self) -> OrganizationsClient:
        client: OrganizationsClient = self._make("organizations")
        return client

    @cached_property
    def identity_store(self) -> IdentityStoreClient:
        client: IdentityStoreClient = self._make("identitystore")
        return client

    @cached_property
    def sts(self) -> STSClient:
        client: STSClient = self._make("sts")
        return client

    @cached_property
    def iam(self) -> IAMClient:
        client: IAMClient = self._make("iam")
        return client

    @cached_property
    def analyzer(self) -> Any:
        return self._make("accessanalyzer")

    def close(self) -> None:
        for client in self._made:
            client.close()

    def _make(self, service: str) -> Any:
        key_id, secret = self._access_key
        client = _SESSION.client(
            service,
            endpoint_url=self._url,
            region_name=self._region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=self._token,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=5, parameter_validation=True),
        )
        client.meta.events.register("before-parse", require_conforming)
        self._made.append(client)
        return client


def members(error: pytest.ExceptionInfo[ClientError]) -> dict[str, Any]:
    """The answer of a refused call, with the members that the error's own shape has."""
    return {**error.value.response}


@dataclass
class Company:
    """The organization the tests play in, and the ways to call it."""

    world: AwsWorld
    clock: Clock
    url: str
    product_ou: str
    delegated: str
    account: str
    other_account: str
    user: str
    group: str
    permission_set: str
    opened: list[Clients]

    def caller(self, account_id: str, *, region: str | None = None) -> Clients:
        key = self.world.add_access_key(account_id, "Tester")
        return self.open(key, region=region)

    def open(self, key: tuple[str, str], token: str | None = None, region: str | None = None) -> Clients:
        clients = Clients(self.url, region or self.world.region, key, token)
        self.opened.append(clients)
        return clients

    @property
    def instance(self) -> str:
        return self.world.instance_arn

    @property
    def store(self) -> str:
        return self.world.identity_store_id

    def wait(self, seconds: float = ASYNC_SECONDS) -> None:
        self.clock.advance(timedelta(seconds=seconds))


class Port:
    """One port for all tests, each of which brings its own world: starting and stopping a server takes longer."""

    def __init__(self) -> None:
        self.simulator = AwsSimulator(AwsWorld())
        self.url = ""

    def __call__(self, request: Request) -> Response:
        return self.simulator(request)


@pytest.fixture(scope="session")
def port() -> Iterator[Port]:
    port = Port()
    with Serving(port) as serving:
        port.url = serving.url
        yield port


@pytest.fixture
def company(port: Port) -> Iterator[Company]:
    clock = Clock()
    clock.freeze(NOON)
    world = AwsWorld("tests", clock)
    world.limits, world.async_seconds = Limits.unthrottled(), ASYNC_SECONDS
    service = world.add_ou("service")
    product = world.add_ou("payments", service)
    delegated = world.add_account("identity", "identity@example.com")
    world.delegate(delegated)
    account = world.add_account("payments-prod", "payments-prod@example.com", product)
    other = world.add_account("payments-dev", "payments-dev@example.com", product)
    user = world.add_user("sato@example.com", "佐藤 花子", "sato@example.com", "entra-1", family_name="佐藤")
    group = world.add_group("payments-team", "entra-2")
    world.add_member(group, user)
    permission_set = world.add_permission_set("Developer", description="Developers", tags={"managed-by": "genkan"})
    opened: list[Clients] = []
    port.simulator = AwsSimulator(world)
    yield Company(world, clock, port.url, product, delegated, account, other, user, group, permission_set, opened)
    world.faults.clear()
    for clients in opened:
        clients.close()


@pytest.fixture
def management(company: Company) -> Clients:
    return company.caller(company.world.management_account_id)


@pytest.fixture
def delegate(company: Company) -> Clients:
    return company.caller(company.delegated)
