"""A small company behind real ports.

Everything between a kintone record and Identity Center is the product's own code. Only the pauses between tries and
polls are taken out: the simulators answer at once. Models may not be imported here: conftest.py imports this.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

from simulators.aws import AwsSimulator, AwsWorld, Limits
from simulators.clock import Clock
from simulators.kintone import App, KintoneSimulator, KintoneWorld
from simulators.kintone.store import RecordStore
from simulators.serving import Serving
from syncer.applying import ApplyOptions
from syncer.gateways.access_analyzer import connect_analyzer
from syncer.gateways.identity_center import connect
from syncer.gateways.kintone import KintoneApp
from syncer.gateways.kintone_domain import KintoneDomain
from syncer.gateways.kintone_settings import KintoneSettings
from syncer.gateways.kintone_users import KintoneUsers

OURS = {"managed-by": "genkan"}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
VIEW_ONLY = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
DOMAIN = "example.com"
MEMBERS = ("hana", "taro", "ken")  # in kintone and in Identity Center
NEWCOMER = "yuki"  # in kintone only, until the world provisions her

Granted = tuple[str, str, str]
"""Names of account, permission set and principal."""


@dataclass
class World:
    """kintone with both apps and no record; AWS with three accounts, four principals, and sets that are not ours.

    The organization: management, platform (the delegated administrator), shop, blog, and closed, which is suspended.
    """

    kintone: KintoneWorld
    aws: AwsWorld
    clock: Clock
    sets: App
    assignments: App
    account_ids: Mapping[str, str]
    principal_ids: dict[str, str]
    environment: Mapping[str, str]

    # Registering, as people do in kintone. Both return APP:ID.

    def register_set(self, name: str = "Reader", **values: Any) -> str:
        record_id = self.sets.add_record({"name": name, "managed_policies": "ReadOnlyAccess", **values})
        return f"{self.sets.id}:{record_id}"

    def register(self, account: str, permission_set: str, *users: str, groups: str = "", **values: Any) -> str:
        wish = {
            "account_id": self.account_ids.get(account, account),
            "permission_set": permission_set,
            "users": list(users),
            "groups": groups,
        }
        return f"{self.assignments.id}:{self.assignments.add_record(wish | values)}"

    def edit(self, reference: str, **values: Any) -> None:
        app, record_id = self._find(reference)
        app.edit_record(record_id, values)

    def delete(self, *references: str) -> None:
        for reference in references:
            app, record_id = self._find(reference)
            app.delete_records([record_id])

    @contextmanager
    def hide(self, *references: str) -> Iterator[None]:
        """Take records out of the token's sight, as rights on records do: without a word."""
        hidden = [(self._store_of(app), app_id) for app, app_id in map(self._find, references)]
        records = [(store, store.records[record_id]) for store, record_id in hidden]
        for store, record in records:
            with self.kintone.transaction():
                store.remove(record.id)
        yield
        for store, record in records:
            with self.kintone.transaction():
                store.put(record)

    def restore(self, reference: str, **state: Any) -> None:
        """Put a record of an older backup in its place: `state` is what differs, its revision or its time."""
        app, record_id = self._find(reference)
        store = self._store_of(app)
        with self.kintone.transaction():
            store.put(replace(store.records[record_id], **state))

    def multiply(self, reference: str, count: int) -> None:
        """Fill the app with copies of its only record, numbered from 1, up to `count` of them; quicker than people."""
        app, record_id = self._find(reference)
        store = self._store_of(app)
        record = store.records[record_id]
        store.records = {number: replace(record, id=number) for number in range(1, count + 1)}
        store.ids = list(store.records)

    def _store_of(self, app: App) -> RecordStore:
        return self.kintone.find_app(app.id).store

    def _find(self, reference: str) -> tuple[App, int]:
        app_id, _colon, record_id = reference.partition(":")
        return self.kintone.app(int(app_id)), int(record_id)

    def change_form(self, app: App, change: Callable[[dict[str, Any]], object]) -> None:
        """Change an app's form, as its administrator does: `change` gets the definitions by field code."""
        state = self.kintone.find_app(app.id)
        form = {code: dict(definition) for code, definition in state.draft.form.items()}
        change(form)
        state.draft = replace(state.draft, form=form)
        state.deploy()

    def post_record(self, values: Mapping[str, Any]) -> str:
        """Register an assignment as a script of the company would: one request to the REST API."""
        answer = requests.post(
            f"{self.environment['KINTONE_BASE_URL']}/k/v1/record.json",
            headers={"X-Cybozu-API-Token": self.environment["KINTONE_ASSIGNMENT_API_TOKEN"]},
            json={"app": self.assignments.id, "record": {code: {"value": value} for code, value in values.items()}},
            timeout=10,
        )
        answer.raise_for_status()
        return f"{self.assignments.id}:{answer.json()['id']}"

    # AWS, as its console shows it

    def add_set(self, name: str, *, ours: bool = True, **values: Any) -> str:
        return self.aws.add_permission_set(name, tags=OURS if ours else {}, **{"managed": [READ_ONLY], **values})

    def assign(self, account: str, permission_set: str, principal: str) -> None:
        """By hand, at once."""
        self.aws.add_assignment(*self._row(account, permission_set, principal))

    def unassign(self, account: str, permission_set: str, principal: str) -> None:
        """By hand, at once."""
        self.aws.remove_assignment(*self._row(account, permission_set, principal))

    def _row(self, account: str, permission_set: str, principal: str) -> tuple[str, str, str, str]:
        kind = "GROUP" if principal == "developers" else "USER"
        arn = self.aws.permission_set_arn(permission_set)
        return self.account_ids[account], arn, kind, self.principal_ids[principal]

    def provision(self, name: str, external_id: str | None = None) -> None:
        """Entra ID brings a person; under a name that was there before, somebody with another id."""
        address = f"{name}@{DOMAIN}"
        self.principal_ids[name] = self.aws.add_user(address, name, address, external_id)

    def change_person(self, name: str, **values: Any) -> None:
        """Entra ID changes what it says of a person."""
        self.aws.change_user(self.principal_ids[name], **values)

    def disable(self, name: str) -> None:
        self.change_person(name, status="DISABLED")

    def enable(self, name: str) -> None:
        self.change_person(name, status="ENABLED")

    def remove_person(self, name: str) -> None:
        """Entra ID deletes a person for good; his assignments stay under an id that means nobody."""
        self.principal_ids[f"late {name}"] = self.principal_ids[name]
        self.aws.remove_user(self.principal_ids.pop(name))

    def remove_group(self, name: str) -> None:
        self.principal_ids[f"late {name}"] = self.principal_ids[name]
        self.aws.remove_group(self.principal_ids.pop(name))

    def add_group(self, name: str) -> None:
        self.principal_ids[name] = self.aws.add_group(name)

    def granted(self) -> set[Granted]:
        """The assignments there are now."""
        accounts = {account_id: name for name, account_id in self.account_ids.items()}
        principals = {principal_id: name for name, principal_id in self.principal_ids.items()}
        sets = {arn: there.name for arn, there in self.aws.center.sets.items()}
        return {(accounts[row[0]], sets[row[1]], principals[row[3]]) for row in self.aws.assignments()}

    def count_writes(self) -> int:
        """Requests so far that change something in AWS."""
        reads = ("List", "Describe", "Get", "Validate")
        return sum(
            count for name, count in self.aws.calls.items() if not name.partition(":")[2].startswith((*reads, "Assume"))
        )


# What was there before Genkan and is none of its business.
FOREIGN: set[Granted] = {("shop", "Legacy", "taro"), ("management", "Root", "hana")}


@contextmanager
def serve_world(clock: Clock | None = None) -> Iterator[World]:
    """The company on two ports of its own."""
    clock = clock or Clock()
    aws, account_ids, principal_ids = _build_aws(clock)
    kintone, sets, assignments = _build_kintone(clock)
    key_id, secret = aws.add_access_key(account_ids["platform"], "Genkan")
    tokens = {app.id: kintone.add_token([app.id], ("view", "add", "edit", "delete")) for app in (sets, assignments)}
    with Serving(KintoneSimulator(kintone)) as kintone_port, Serving(AwsSimulator(aws)) as aws_port:
        environment = {
            "KINTONE_BASE_URL": kintone_port.url,
            "KINTONE_PERMISSION_SET_APP_ID": str(sets.id),
            "KINTONE_PERMISSION_SET_API_TOKEN": tokens[sets.id],
            "KINTONE_ASSIGNMENT_APP_ID": str(assignments.id),
            "KINTONE_ASSIGNMENT_API_TOKEN": tokens[assignments.id],
            "KINTONE_USER_SUFFIX": f"@{DOMAIN}",
            "AWS_ENDPOINT_URL": aws_port.url,
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "IDENTITY_CENTER_REGION": aws.region,
            "IDENTITY_CENTER_TPS": "1000",
        }
        yield World(kintone, aws, clock, sets, assignments, account_ids, principal_ids, environment)
        aws.faults.clear()


def _build_aws(clock: Clock) -> tuple[AwsWorld, dict[str, str], dict[str, str]]:
    world = AwsWorld(clock=clock)
    world.limits, world.async_seconds = Limits.unthrottled(), 0.0
    unit = world.add_ou("service")
    ids = {name: world.add_account(name, f"{name}@{DOMAIN}", unit) for name in ("platform", "shop", "blog")}
    ids["closed"] = world.add_account("closed", f"closed@{DOMAIN}", unit, state="SUSPENDED")
    ids["management"] = world.management_account_id
    world.delegate(ids["platform"])
    principals = {name: world.add_user(f"{name}@{DOMAIN}", name, f"{name}@{DOMAIN}") for name in MEMBERS}
    principals["developers"] = world.add_group("developers")
    world.add_member(principals["developers"], principals["ken"])
    legacy, root = world.add_permission_set("Legacy"), world.add_permission_set("Root", tags=OURS)
    world.add_assignment(ids["shop"], legacy, "USER", principals["taro"])
    world.add_assignment(ids["management"], root, "USER", principals["hana"])
    return world, ids, principals


def _build_kintone(clock: Clock) -> tuple[KintoneWorld, App, App]:
    world = KintoneWorld(clock)
    for name in (*MEMBERS, NEWCOMER):
        world.add_user(name, name, email=f"{name}@{DOMAIN}")
    text, lines = {"type": "SINGLE_LINE_TEXT"}, {"type": "MULTI_LINE_TEXT"}
    sets = world.add_app(
        "許可セット",
        {
            "name": {**text, "unique": True, "required": True},
            "description": text,
            "session_duration": text,
            "managed_policies": lines,
            "inline_policy": lines,
        },
    )
    assignments = world.add_app(
        "割当",
        {
            "account_id": {**text, "required": True},
            "permission_set": text,
            "users": {"type": "USER_SELECT"},
            "groups": lines,
            "expires_on": {"type": "DATE"},
        },
    )
    return world, sets, assignments


def point_settings(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    """Let this process talk to the world, and wait for nothing. `nowhere` is a folder without files for boto3."""
    for name, value in world.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
        else:
            setattr(settings, name, float(value) if name == "IDENTITY_CENTER_TPS" else value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
    for client in (KintoneApp, KintoneDomain, KintoneSettings, KintoneUsers):
        monkeypatch.setattr(f"syncer.connections.{client.__name__}", partial(client, sleep=_go_on))
    monkeypatch.setattr("syncer.connections.connect", partial(connect, sleep=_go_on))
    monkeypatch.setattr("syncer.connections.connect_analyzer", partial(connect_analyzer, sleep=_go_on))
    # Its own connection would meet the lock of the test's transaction.
    monkeypatch.setattr("syncer.connections.build_pacer", lambda: None)
    pauses = _Pauses()
    monkeypatch.setattr("syncer.runs.ApplyOptions", partial(ApplyOptions, sleep=pauses.sleep, now=pauses.now))
    # A test's transaction is its own: a heartbeat from another thread would not find the lease.
    monkeypatch.setattr("syncer.leases.BEAT_SECONDS", 3600.0)


class _Pauses:
    """Pauses that take no time, and whose time is over all the same: who waits for AWS would else never give up."""

    def __init__(self) -> None:
        self._slept = 0.0

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def now(self) -> float:
        return time.monotonic() + self._slept


def _go_on(_seconds: float) -> None:
    """No pause."""
