"""The doctor: all is well where all is well, and one broken thing fails its own check with a way out, and no other."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from pytest_django import Settings

from portal.doctor import asking
from portal.doctor.asking import Question, ask_all
from portal.doctor.reports import passed
from simulators.aws import Fault
from simulators.clock import Clock
from simulators.entra import EntraSimulator, EntraWorld
from simulators.kintone.faults import Fault as KintoneFault
from simulators.serving import Serving
from syncer.models import AppState, Baseline, KintoneUsage, Run
from syncer.states import Reason
from tests.portal.visiting import CLIENT_ID, SECRET, TENANT
from tests.syncer.worlds import World, point_settings, serve_world

TOKENS = {"kintone.permission_sets": "KINTONE_PERMISSION_SET_API_TOKEN", "kintone.assignments": "KINTONE_ASSIGNMENT_API_TOKEN"}


class Examined(NamedTuple):
    """What `doctor --json` said: the exit code, and message and remedy by name and status."""

    code: int
    checks: dict[str, dict[str, str]]

    def named(self, status: str) -> set[str]:
        return {name for name, check in self.checks.items() if check["status"] == status}


def examine() -> Examined:
    out, code = StringIO(), 0
    try:
        call_command("doctor", "--json", stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    report = json.loads(out.getvalue())
    assert set(report) == {"checks"}
    names = [check["name"] for check in report["checks"]]
    assert len(names) == len(set(names))
    assert all(set(check) == {"name", "status", "message", "remedy"} for check in report["checks"])
    return Examined(code, {check["name"]: check for check in report["checks"]})


@pytest.fixture(scope="module")
def entra_world() -> EntraWorld:
    world = EntraWorld("portal", TENANT)
    world.list_keys()
    world.add_client(CLIENT_ID, SECRET, ["http://localhost:8000/oidc/callback/"])
    return world


@pytest.fixture
def company(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, entra_world: EntraWorld
) -> Iterator[World]:
    """A portal in which everything works, as far as it can be tried."""
    with serve_world(Clock()) as world, Serving(EntraSimulator(entra_world)) as entra:
        point_settings(world, settings, monkeypatch, tmp_path)
        settings.KINTONE_USERS_API_TOKEN = world.kintone.add_users_token()
        settings.KINTONE_WEBHOOK_TOKEN = "secret"
        point_entra(settings, entra.url)
        world.register_set("Reader")
        world.register("shop", "Reader", "hana")
        yield world


def point_entra(settings: Settings, url: str) -> None:
    authority = f"{url}/{TENANT}"
    settings.ENTRA_AUTHORITY_HOST, settings.ENTRA_AUTHORITY = url, authority
    settings.ENTRA_TENANT_ID, settings.ENTRA_ISSUER = TENANT, f"{authority}/v2.0"
    settings.ENTRA_CLIENT_ID, settings.ENTRA_CLIENT_SECRET = CLIENT_ID, SECRET
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{authority}/oauth2/v2.0/authorize"
    settings.OIDC_OP_TOKEN_ENDPOINT = f"{authority}/oauth2/v2.0/token"
    settings.OIDC_OP_JWKS_ENDPOINT = f"{authority}/discovery/v2.0/keys"
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**directives, "form-action": ["'self'", url]}}


@pytest.fixture
def at_work(db: None) -> None:
    """Worker, beat and baseline as after some days."""
    now = timezone.now()
    Run.objects.create(started_at=now, finished_at=now, status=Run.Status.DONE)
    Baseline.objects.create()
    from django_celery_beat.models import PeriodicTask

    PeriodicTask.objects.update(last_run_at=now)


# --- All is well ----------------------------------------------------------------------------------------------------


def test_everything_is_green(company: World, at_work: None) -> None:
    before = company.count_writes(), dict(company.sets.records()) if hasattr(company.sets, "records") else None
    found = examine()
    assert (found.code, found.named("fail"), found.named("warn")) == (0, set(), set())
    assert company.count_writes() == before[0]
    for n, c in found.checks.items(): print(c["status"], n, c["message"], c["remedy"])
