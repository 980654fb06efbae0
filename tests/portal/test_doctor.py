"""The doctor: all is well where all is well; what is broken fails its own check, with a way out, and no other."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from accounts import stops
from accounts.models import AppKind
from accounts.sentences import render
from portal.doctor import asking, entra, ground, kintone, reports, standing
from portal.doctor.asking import Question, ask_all
from portal.doctor.aws import check_clock, examine_aws
from portal.doctor.reports import Check, Status, build_failed_start, passed
from portal.views.health import Ground
from simulators.aws import Fault
from simulators.clock import Clock
from simulators.entra import Certificate, EntraSimulator, EntraWorld, make_certificate
from simulators.kintone.directory import Right
from simulators.serving import Serving
from syncer.gateways.aws_permissions import Company, Scope, build_policy
from syncer.gateways.aws_session import AwsSession
from syncer.gateways.identity_center_probes import DETAILS, LISTINGS, UNTRIED
from syncer.models import AppState, Baseline, KintoneUsage, Lease, Run, SecretEnd
from syncer.states import Reason
from tests import factories
from tests.aws_policies import list_allowed
from tests.portal.visiting import CLIENT_ID, SECRET, TENANT
from tests.syncer.worlds import World, point_settings, serve_world

RIGHTS: tuple[Right, ...] = ("view", "add", "edit", "delete")
SETS, ASSIGNMENTS = "kintone.permission_sets", "kintone.assignments"


class Examined(NamedTuple):
    """What `doctor --json` said: the exit code, and its checks by name."""

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
    checks = {check["name"]: check for check in report["checks"]}
    assert len(checks) == len(report["checks"])
    assert all(set(check) == {"name", "status", "message", "remedy"} for check in report["checks"])
    return Examined(code, checks)


def failures(checks: list[Check]) -> dict[str, str]:
    """Code by name of what failed."""
    return {check.name: check.reason.code for check in checks if check.status == "fail"}


def warnings(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.reason.code for check in checks if check.status == "warn"}


@pytest.fixture(scope="module")
def entra_simulator() -> EntraSimulator:
    world = EntraWorld("portal", TENANT)
    world.list_keys()
    world.add_client(CLIENT_ID, SECRET, ["http://localhost:8000/oidc/callback/"])
    return EntraSimulator(world)


@pytest.fixture
def tenant(settings: Settings, entra_simulator: EntraSimulator) -> Iterator[str]:
    with Serving(entra_simulator) as serving:
        point_entra(settings, serving.url)
        yield serving.url


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
def company(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """kintone and AWS in which everything works."""
    with serve_world(Clock()) as world:
        point_settings(world, settings, monkeypatch, tmp_path)
        monkeypatch.setattr("syncer.connections.AwsSession", partial(AwsSession, sleep=lambda _seconds: None))
        settings.KINTONE_USERS_API_TOKEN = world.kintone.add_users_token()
        settings.KINTONE_WEBHOOK_TOKEN = "only-for-tests"
        world.register_set("Reader")
        world.register("shop", "Reader", "hana")
        yield world


@pytest.fixture
def at_work(db: None) -> None:
    """Worker, beat and baseline as after some days."""
    now = timezone.now()
    Run.objects.create(started_at=now, finished_at=now, status=Run.Status.DONE)
    Baseline.objects.create()
    PeriodicTask.objects.update(last_run_at=now)


def ask_kintone(known: dict[str, kintone.Known] | None = None) -> list[Check]:
    return ask_all(kintone.build_questions(known or {}, kintone.Counts()))


# --- The whole --------------------------------------------------------------------------------------------------------


def test_everything_is_green_and_nothing_is_changed(company: World, tenant: str, at_work: None) -> None:
    revisions = [record.revision for record in company.kintone.find_app(company.assignments.id).store.records.values()]
    found = examine()
    assert (found.code, found.named("fail"), found.named("warn")) == (0, set(), set())
    assert company.count_writes() == 0
    assert [
        record.revision for record in company.kintone.find_app(company.assignments.id).store.records.values()
    ] == revisions
    assert KintoneUsage.objects.count() == 2  # its own requests are counted as everybody's


def test_each_broken_thing_fails_alone_with_a_remedy(
    company: World, tenant: str, at_work: None, settings: Settings
) -> None:
    settings.KINTONE_PERMISSION_SET_API_TOKEN = "mistyped"
    settings.ENTRA_CLIENT_SECRET = "expired"
    company.aws.faults.add(Fault("sso-admin:ListAccountAssignments", code="AccessDeniedException"))
    found = examine()
    broken = {f"{SETS}.app", "entra.client", "aws.sso-admin:ListAccountAssignments"}
    assert (found.code, found.named("fail")) == (1, broken)
    assert all(found.checks[name]["remedy"] for name in broken)
    assert found.named("warn") == {f"{SETS}.{part}" for part in kintone.PARTS}  # not tried without the token


def test_without_a_database_the_rest_is_examined(company: World, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: BaseDatabaseWrapper) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", refuse)
    found = examine()
    assert (found.code, found.named("fail")) == (1, {"database"})
    assert "DATABASE_URL" in found.checks["database"]["remedy"]
    assert found.named("warn") == {"worker", "beat", "pause", "baseline", "secret_ends"}
    assert found.checks[f"{ASSIGNMENTS}.view"]["status"] == "ok"


def test_with_nothing_set_each_setting_is_named(settings: Settings, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENTRA_TENANT_ID", "KINTONE_BASE_URL", "IDENTITY_CENTER_REGION"):
        setattr(settings, name, "")
    found = examine()
    assert found.named("fail") == {"settings"}
    message = found.checks["settings"]["message"]
    assert "KINTONE_BASE_URL=https://example.cybozu.com" in message
    assert "IDENTITY_CENTER_REGION=ap-northeast-1" in message
    assert {"kintone", "entra", "aws.operations", "sign_in"} <= found.named("warn")


def test_app_without_a_token_hides_nothing_of_the_other(company: World, settings: Settings) -> None:
    settings.KINTONE_PERMISSION_SET_API_TOKEN = ""
    checks = ask_kintone()
    assert (failures(checks), warnings(checks)) == ({}, {f"{SETS}.app": "doctor_skipped"})
    assert f"{ASSIGNMENTS}.view" in {check.name for check in checks}


def test_people_read_marks_and_remedies(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Check("database", Status.FAIL, Reason("doctor_database_away", {"text": "refused"}))
    checks = [passed("drift", Reason("doctor_drift_notify")), wrong]
    monkeypatch.setattr("portal.management.commands.doctor.examine", lambda: checks)
    settings.LANGUAGE_CODE = "en"
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--no-color", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "ok   drift: Changes made by hand are told and left."
    assert lines[1] == "FAIL database: The database does not answer: refused"
    assert lines[2].startswith("     → Check DATABASE_URL")


def test_start_that_fails_has_the_same_shape() -> None:
    [check] = build_failed_start("SYNC_MODE: wrong")["checks"]
    remedy = "Set it in the environment or in .env."
    assert check == {"name": "settings", "status": "fail", "message": "SYNC_MODE: wrong", "remedy": remedy}


def test_wrong_setting_is_set_aside_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """`manage.py doctor` then starts without it, and names it beside everything else."""
    monkeypatch.setattr(reports, "wrong_settings", [])
    environment = {"DRIFT": "sideways"}
    assert reports.set_aside("DRIFT: 'sideways' is none of grace. Example: DRIFT=grace", environment)
    assert environment == {"DRIFT": ""}
    assert not reports.set_aside("DRIFT: '' is none of grace.", environment)
    assert not reports.set_aside("Something without a name.", environment)
    assert reports.wrong_settings == ["DRIFT: 'sideways' is none of grace. Example: DRIFT=grace"]


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_check_that_raises_fails_alone() -> None:
    def fall() -> list[Check]:
        raise RuntimeError("off the table")

    good = passed("good", Reason("doctor_settings"))
    checks = ask_all([Question("bad", fall), Question("good", lambda: [good])])
    assert failures(checks) == {"bad": "doctor_raised"}
    assert good in checks


def test_check_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.05)
    for_ever = threading.Event()

    def hang() -> list[Check]:
        for_ever.wait()
        return []

    good = passed("good", Reason("doctor_settings"))
    checks = ask_all([Question("slow", hang), Question("good", lambda: [good])])
    for_ever.set()
    assert failures(checks) == {"slow": "doctor_no_answer"}
    assert good in checks


# --- kintone ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rights", "failing"),
    [
        (("view", "add", "delete"), {f"{ASSIGNMENTS}.edit": "doctor_kintone_no_edit"}),
        (("view", "add", "edit"), {f"{ASSIGNMENTS}.delete": "doctor_kintone_no_delete"}),
        (("add", "edit", "delete"), {f"{ASSIGNMENTS}.view": "kintone_no_right"}),
    ],
)
def test_missing_right_is_told(
    company: World, settings: Settings, rights: tuple[Right, ...], failing: dict[str, str]
) -> None:
    settings.KINTONE_ASSIGNMENT_API_TOKEN = company.kintone.add_token([company.assignments.id], rights)
    assert failures(ask_kintone()) == failing


def test_missing_field_is_named(company: World) -> None:
    company.change_form(company.assignments, lambda form: form.pop("account_id"))
    checks = ask_kintone()
    assert failures(checks) == {f"{ASSIGNMENTS}.fields": "kintone_fields_missing"}
    [wrong] = [check for check in checks if check.status == "fail"]
    assert wrong.reason.params["fields"] == "account_id"


def test_unknown_app_and_unreachable_kintone_are_told_apart(company: World, settings: Settings) -> None:
    settings.KINTONE_ASSIGNMENT_APP_ID = "99"
    assert set(failures(ask_kintone())) == {f"{ASSIGNMENTS}.app"}
    settings.KINTONE_BASE_URL = "http://localhost:9"
    found = failures(ask_kintone())
    assert found == dict.fromkeys((f"{SETS}.app", f"{ASSIGNMENTS}.app", "kintone.users"), "kintone_unreachable")


def test_missing_users_token_says_what_is_lost(company: World, settings: Settings) -> None:
    settings.KINTONE_USERS_API_TOKEN = ""
    assert warnings(ask_kintone()) == {"kintone.users": "doctor_users_missing"}
    settings.KINTONE_USERS_API_TOKEN = "mistyped"
    assert failures(ask_kintone()) == {"kintone.users": "kintone_login_refused"}


@pytest.mark.django_db
def test_people_of_records_whom_kintone_made_inactive_are_told(company: World) -> None:
    company.kintone.add_user("hana", "花", email="hana@example.com", valid=False)
    app_id = company.assignments.id
    factories.make_record(app_id=str(app_id), body={"users": {"value": [{"code": "hana"}, {"code": "taro"}]}})
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id=app_id, read_at=timezone.now())
    known = kintone.load_all_known()
    [told] = [check for check in ask_kintone(known) if check.name == "kintone.users"]
    assert (told.status, told.reason.code, told.reason.params["names"]) == ("warn", "doctor_users_inactive", "hana")


def test_empty_app_has_no_comments_and_no_values_to_read(company: World) -> None:
    company.delete(f"{company.assignments.id}:1")
    codes = {check.name: check.reason.code for check in ask_kintone()}
    assert codes[f"{ASSIGNMENTS}.comments"] == "doctor_comments_none"
    assert codes[f"{ASSIGNMENTS}.values"] == "doctor_values_none"


def test_field_that_rights_hide_from_the_token_is_named(company: World) -> None:
    """The form still has it, and each record looks as if nobody had filled it in."""
    rights = [
        {"code": "expires_on", "entities": [{"accessibility": "NONE", "entity": {"type": "GROUP", "code": "everyone"}}]}
    ]
    app = company.kintone.find_app(company.assignments.id)
    app.draft = replace(app.draft, field_acl=rights)
    app.deploy()
    company.kintone.tokens_obey_rights = True
    checks = ask_kintone()
    assert failures(checks) == {f"{ASSIGNMENTS}.values": "doctor_values_hidden"}
    [hidden] = [check for check in checks if check.name == f"{ASSIGNMENTS}.values"]
    assert hidden.reason.params["fields"] == "expires_on"


@pytest.mark.parametrize(
    ("visible", "mirrored", "status"),
    [(5, 5, "ok"), (0, 1, "fail"), (89, 100, "fail"), (90, 100, "ok"), (7, None, "ok")],
)
def test_records_that_vanished_are_told(visible: int, mirrored: int | None, status: str) -> None:
    assert kintone.check_mirror("mirror", visible, mirrored).status == status


@pytest.mark.django_db
def test_mirror_and_quota_come_from_the_database() -> None:
    now = timezone.now()
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", read_at=now, records=12, fields={"users": "利用者"})
    KintoneUsage.objects.create(app_id="24", hour=now.replace(minute=0, second=0, microsecond=0), requests=9_000)
    known = kintone.load_all_known()
    assert (known["24"].records, known["24"].fields, known["23"].records) == (12, {"users": "利用者"}, None)
    assert {check.name: check.status for check in kintone.list_quotas(known)} == {
        f"{SETS}.quota": "ok",
        f"{ASSIGNMENTS}.quota": "warn",
    }


def test_webhook_may_be_missing(settings: Settings) -> None:
    settings.KINTONE_WEBHOOK_TOKEN = ""
    assert kintone.check_webhook().status == "warn"


# --- AWS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "status"),
    [("identitystore:ListUsers", "fail"), ("iam:ListPolicies", "warn"), ("sso-admin:DescribePermissionSet", "fail")],
)
def test_denied_operation_counts_by_what_is_lost(company: World, operation: str, status: str) -> None:
    company.aws.faults.add(Fault(operation, code="AccessDeniedException", status=403))
    found = {check.name: (check.status, check.reason.code) for check in examine_aws() if check.status != "ok"}
    assert found == {f"aws.{operation}": (status, "aws_denied")}


def test_throttling_says_nothing_about_rights(company: World) -> None:
    company.aws.faults.add(Fault("sso-admin:ListAccountAssignments", code="ThrottlingException"))
    checks = list(examine_aws())
    assert (failures(checks), warnings(checks)) == ({}, {"aws.sso-admin:ListAccountAssignments": "aws_throttled"})


def test_wrong_credentials_end_the_questions_to_aws(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONG")
    checks = list(examine_aws())
    assert failures(checks) == {"aws.credentials": "aws_credentials"}
    assert warnings(checks) == {"aws.operations": "doctor_skipped"}


def test_plain_member_account_has_no_instance(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key_id, secret = company.aws.add_access_key(company.account_ids["shop"], "Genkan")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    assert failures(list(examine_aws())) == {"aws.instance": "aws_instance_missing"}


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (29, "ok"), (60, "warn"), (-60, "warn"), (300, "fail")])
def test_clocks_that_differ_are_told(seconds: int, status: str) -> None:
    assert check_clock("clock", "AWS", timezone.now() + timedelta(seconds=seconds)).status == status


def test_operations_are_those_that_the_role_is_allowed() -> None:
    """What the policies allow is asked here, or named as not tried."""
    allowed = set().union(*(list_allowed(build_policy(scope, Company())) for scope in Scope))
    prefixes = {"sso-admin": "sso", "accessanalyzer": "access-analyzer"}
    operations = [probe.operation.partition(":") for probe in (*LISTINGS, *DETAILS)]
    asked = {f"{prefixes.get(service, service)}:{name}" for service, _colon, name in operations}
    found_first = {"sso:ListInstances", "organizations:DescribeOrganization"}
    assert asked | set(UNTRIED) | found_first == allowed


# --- Entra ID ---------------------------------------------------------------------------------------------------


def test_tenant_that_is_away_is_told(tenant: str, settings: Settings) -> None:
    point_entra(settings, "http://localhost:9")
    assert set(failures(ask_all(entra.build_questions()))) == {"entra.discovery", "entra.keys", "entra.client"}


def test_document_of_somebody_else_is_told(tenant: str, settings: Settings) -> None:
    settings.ENTRA_ISSUER = "https://login.microsoftonline.com/other/v2.0"
    assert failures(ask_all(entra.build_questions())) == {"entra.discovery": "doctor_entra_differs"}


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate("genkan", datetime(2026, 1, 1, tzinfo=UTC), days=100)


@pytest.mark.parametrize(("day", "status"), [(50, "ok"), (80, "warn"), (101, "fail")])
def test_end_of_the_certificate_is_told_ahead(
    settings: Settings, certificate: Certificate, day: int, status: str
) -> None:
    settings.ENTRA_CLIENT_CERTIFICATE = certificate.certificate_pem
    assert entra.check_certificate(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)).status == status


# --- The portal itself ------------------------------------------------------------------------------------------------


def test_weak_key_is_told(settings: Settings) -> None:
    settings.SECRET_KEY = "django-insecure-short"
    settings.SECRET_KEY_FALLBACKS = ["short"]
    check = ground.check_key()
    assert (check.status, check.reason.params["text"]) == ("fail", "SECRET_KEY, SECRET_KEY_FALLBACKS")


@pytest.mark.parametrize(
    ("url", "status"),
    [("https://genkan.example.com", "ok"), ("http://localhost:8000", "ok"), ("http://genkan.example.com", "fail")],
)
def test_address_is_encrypted_outside_this_machine(settings: Settings, url: str, status: str) -> None:
    settings.PUBLIC_URL = url
    assert ground.check_public_url().status == status


def test_sign_in_with_a_hole_is_told(settings: Settings) -> None:
    settings.OIDC_USE_PKCE = False
    assert "OIDC_USE_PKCE" in ground.check_sign_in_settings().reason.params["text"]


def test_broker_that_is_away_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.views.health.find_broker", lambda: "unreachable")
    assert ground.check_broker().status == "fail"


def test_cache_that_is_away_is_told_with_its_setting(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "portal.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/1"}}
    check = ground.check_cache()
    assert (check.status, "CACHE_URL=" in render(check.reason.code, check.reason.params).remedy) == ("fail", True)


@pytest.mark.django_db
def test_silent_worker_and_beat_are_told() -> None:
    assert {ground.check_worker().status, ground.check_beat().status} == {"warn"}  # never seen: a new portal
    long_ago = timezone.now() - timedelta(hours=1)
    Lease.objects.create(name="full", heartbeat_at=long_ago)
    PeriodicTask.objects.update(last_run_at=long_ago)
    assert {ground.check_worker().status, ground.check_beat().status} == {"fail"}


@pytest.mark.django_db
def test_missing_migrations_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.views.health.examine", lambda _connection: Ground("ok", "unapplied"))
    assert failures(list(ground.check_database())) == {"migrations": "doctor_migrations_missing"}


@pytest.mark.django_db
def test_what_keeps_runs_from_changing_anything_is_told(settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    stops.begin_pause(None, "moving house", timezone.now() + timedelta(hours=1))
    found = [standing.check_mode(), standing.check_pause(), standing.check_baseline()]
    assert list(warnings(found).values()) == ["doctor_mode_plan", "paused", "doctor_baseline_missing"]


@pytest.mark.parametrize("drift", ["grace", "overwrite", "notify"])
def test_rule_for_drift_is_shown(settings: Settings, drift: str) -> None:
    settings.DRIFT = drift
    assert standing.check_drift().reason.code == f"doctor_drift_{drift}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "status", "code"),
    [
        (None, "ok", "doctor_secret_ends_none"),
        (31, "ok", "doctor_secret_ends"),
        (30, "warn", "notice_secret_ends"),
        (0, "warn", "notice_secret_ends"),
        (-1, "fail", "notice_secret_over"),
    ],
)
def test_next_end_of_a_secret_is_shown(days: int | None, status: str, code: str) -> None:
    today = timezone.localdate()
    for more in () if days is None else (days, days + 90):
        SecretEnd.objects.create(kind="aws_key", name=str(more), ends_on=today + timedelta(days=more))
    check = standing.check_secret_ends()
    assert (check.status, check.reason.code) == (status, code)
