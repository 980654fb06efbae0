"""Simulated services behind ports, and the gateways to them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from simulators.aws import AwsSimulator, AwsWorld, Limits
from simulators.clock import Clock
from simulators.kintone import App, KintoneSimulator, KintoneWorld
from simulators.serving import Serving
from syncer.gateways.aws_session import AwsOptions
from syncer.gateways.identity_center import IdentityCenter, connect
from syncer.gateways.kintone import KintoneApp
from tests.syncer.worlds import World, point_settings, serve_world

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OURS = ("managed-by", "genkan")
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


@dataclass(frozen=True)
class AwsCast:
    """Who is who in the small organization: ids of accounts and principals, ARNs of permission sets."""

    platform: str  # the delegated administrator's account
    shop: str
    closed: str
    service_ou: str
    hana: str
    taro: str
    developers: str
    reader: str  # ours, assigned to developers in shop
    admin: str  # ours, with everything a set can have, assigned to hana in shop and in the closed account
    legacy: str  # not ours, assigned to taro in shop
    terraform: str  # provisioned in the management account, though it bears our tag


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aws_world(clock: Clock) -> AwsWorld:
    world = AwsWorld(clock=clock)
    world.limits = Limits.unthrottled()
    return world


@pytest.fixture
def aws(aws_world: AwsWorld) -> AwsCast:
    world, tags = aws_world, dict([OURS])
    admin_ou, service_ou = world.add_ou("admin"), world.add_ou("service")
    platform = world.add_account("platform", "platform@example.com", admin_ou)
    shop = world.add_account("shop", "shop@example.com", service_ou)
    closed = world.add_account("closed", "closed@example.com", service_ou, state="SUSPENDED")
    world.delegate(platform)
    hana = world.add_user("hana@example.com", "花", "hana@example.com", external_id="entra-hana")
    taro = world.add_user("taro@example.com", "太郎", None, status="DISABLED")
    developers = world.add_group("developers", external_id="entra-developers")
    world.add_member(developers, hana)
    world.add_customer_policy(shop, "/team/", "Limits")
    reader = world.add_permission_set("Reader", managed=[READ_ONLY], tags=tags)
    admin = world.add_permission_set(
        "Admin",
        description="everything",
        session_duration="PT90M",
        relay_state="https://example.com/",
        managed=[READ_ONLY],
        customer_managed=[("/team/", "Limits")],
        inline=POLICY,
        boundary=("/team/", "Limits"),
        tags=tags,
    )
    legacy = world.add_permission_set("Legacy", tags={"managed-by": "somebody"})
    terraform = world.add_permission_set("Root", boundary=READ_ONLY, tags=tags)
    world.add_assignment(shop, reader, "GROUP", developers)
    world.add_assignment(shop, admin, "USER", hana)
    world.add_assignment(closed, admin, "USER", hana)
    world.add_assignment(shop, legacy, "USER", taro)
    world.add_assignment(world.management_account_id, terraform, "USER", hana)
    sets = (reader, admin, legacy, terraform)
    return AwsCast(platform, shop, closed, service_ou, hana, taro, developers, *sets)


@pytest.fixture
def aws_url(aws_world: AwsWorld, aws: AwsCast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The simulated AWS, and boto3's environment pointing there as the delegated administrator."""
    key_id, secret = aws_world.add_access_key(aws.platform, "Genkan")
    with Serving(AwsSimulator(aws_world)) as serving:
        environment = {
            "AWS_ENDPOINT_URL": serving.url,
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield serving.url


Connect = Callable[..., IdentityCenter]


@pytest.fixture
def connect_center(aws_url: str, aws_world: AwsWorld, clock: Clock) -> Iterator[Connect]:
    """Connect to the simulated AWS; pauses move its clock instead of taking time."""
    centers: list[IdentityCenter] = []

    def make(**options: Any) -> IdentityCenter:
        values = {"region": aws_world.region, "tps": 1000, "read_timeout": 5, **options}
        center = connect(AwsOptions(**values), sleep=lambda seconds: clock.advance(timedelta(seconds=seconds)))
        centers.append(center)
        return center

    yield make
    for center in centers:
        center.close()


@pytest.fixture
def center(connect_center: Connect) -> IdentityCenter:
    return connect_center()


@pytest.fixture
def kintone_world(clock: Clock) -> KintoneWorld:
    return KintoneWorld(clock)


@pytest.fixture
def assignment_app(kintone_world: KintoneWorld) -> App:
    """An app like the one of assignments, with three records."""
    kintone_world.add_app("許可セット", {"name": {"type": "SINGLE_LINE_TEXT", "unique": True, "required": True}})
    lookup = {"relatedApp": {"app": "1"}, "relatedKeyField": "name", "fieldMappings": []}
    app = kintone_world.add_app(
        "割当",
        {
            "account_id": {"type": "SINGLE_LINE_TEXT", "label": "アカウント", "required": True},
            "permission_set": {"type": "SINGLE_LINE_TEXT", "lookup": lookup},
            "stage": {"type": "DROP_DOWN", "options": {"prod": {"index": "1"}, "dev": {"index": "0"}}},
        },
    )
    for number in range(3):
        app.add_record({"account_id": f"{number:012}"})
    return app


@pytest.fixture
def kintone_url(kintone_world: KintoneWorld) -> Iterator[str]:
    with Serving(KintoneSimulator(kintone_world)) as serving:
        yield serving.url


@pytest.fixture
def pauses() -> list[float]:
    """What the gateway to kintone would have waited, in seconds."""
    return []


@pytest.fixture
def kintone(
    kintone_world: KintoneWorld, kintone_url: str, assignment_app: App, pauses: list[float]
) -> Iterator[KintoneApp]:
    token = kintone_world.add_token([assignment_app.id])
    with KintoneApp(kintone_url, str(assignment_app.id), (token,), sleep=pauses.append) as app:
        yield app


@pytest.fixture
def world(clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A small company behind ports, and this process's settings pointing there."""
    with serve_world(clock) as served:
        point_settings(served, settings, monkeypatch, tmp_path)
        yield served
