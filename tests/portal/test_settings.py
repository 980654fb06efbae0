"""The settings as a process reads them at its start: what stops it, what it may do without."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with this environment and no other."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=BARE | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def read_setting(name: str, **environment: str) -> str:
    code = f"from portal import settings; print(settings.{name})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=BARE | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("command", ["makemigrations --check --dry-run", "collectstatic --dry-run --noinput"])
def test_commands_that_need_no_service_need_no_setting(command: str) -> None:
    result = manage(*command.split())
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://genkan.example.com"),
        ("ENTRA_TENANT_ID", "common"),
        ("KINTONE_BASE_URL", "example"),
        ("KINTONE_ASSIGNMENT_FIELDS", "colour=色"),
        ("IDENTITY_CENTER_TPS", "fast"),
        ("DELETE_LIMIT_SHARE", "30"),
        ("SYNC_MODE", "dry-run"),
        ("OWNERSHIP_TAG", "genkan"),
        ("GITHUB_SYNC_ISSUE", "12"),
        ("DATABASE_URL", "genkan"),
        ("DATABASE_URL", "mysql://genkan@localhost/genkan"),
        ("CACHE_URL", "localhost:6379"),
    ],
)
def test_wrong_value_stops_the_start_with_its_name_and_an_example(name: str, value: str) -> None:
    result = manage("plan", **{name: value})
    assert result.returncode == 1
    assert name in result.stderr
    assert f"{name}=" in result.stderr
    assert "Traceback" not in result.stderr


def test_url_that_is_empty_is_the_default() -> None:
    unset = "DATABASES['default']['ENGINE'], settings.CACHES['default']['BACKEND']"
    assert read_setting(unset, DATABASE_URL="", CACHE_URL="") == read_setting(unset)


def test_another_authority_is_for_localhost_only() -> None:
    foreign = {"ENTRA_AUTHORITY_HOST": "https://login.example.com"}
    assert manage("check", **foreign).returncode == 0
    refused = manage("check", PUBLIC_URL="https://genkan.example.com", **foreign)
    assert "ENTRA_AUTHORITY_HOST" in refused.stderr


def test_bot_needs_its_channel() -> None:
    refused = manage("check", SLACK_BOT_TOKEN="xoxb-1", SLACK_CHANNEL="")
    assert refused.returncode == 1
    assert "SLACK_CHANNEL=C0123456789" in refused.stderr
    assert manage("check", SLACK_BOT_TOKEN="xoxb-1", SLACK_CHANNEL="C0123456789").returncode == 0


def test_https_makes_cookies_secure() -> None:
    https = {"PUBLIC_URL": "https://genkan.example.com"}
    assert read_setting("SESSION_COOKIE_NAME", **https) == "__Host-session"
    assert read_setting("SESSION_COOKIE_SECURE", **https) == "True"
    assert read_setting("SECURE_SSL_REDIRECT", **https) == "True"
    assert read_setting("ALLOWED_HOSTS[0]", **https) == "genkan.example.com"


def test_debugging_is_off_unless_asked() -> None:
    assert read_setting("DEBUG") == "False"
    assert read_setting("DEBUG", DEBUG="true") == "True"


def test_forwarded_protocol_is_trusted_only_when_asked() -> None:
    given = "__dict__.get('SECURE_PROXY_SSL_HEADER')"
    assert read_setting(given) == "None"
    assert "HTTP_X_FORWARDED_PROTO" in read_setting(given, TRUST_FORWARDED_PROTO="true")


def test_doctor_goes_on_without_settings_that_are_wrong(tmp_path: Path) -> None:
    environment = {"SYNC_MODE": "sideways", "DRIFT": "never", "DATABASE_URL": f"sqlite:///{tmp_path}/no/such.sqlite3"}
    result = manage("doctor", "--json", **environment)
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 1
    assert "SYNC_MODE=apply" in checks["settings"]["message"]
    assert "DRIFT=grace" in checks["settings"]["message"]
    assert checks["settings"]["message"].count("Example: SYNC_MODE") == 1
    assert checks["database"]["status"] == "fail"
    assert checks["broker"]["status"] == "ok"


def test_web_server_does_not_start_without_its_settings() -> None:
    code = "import portal.wsgi"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=BARE, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode != 0
    for name in ("SECRET_KEY", "ENTRA_TENANT_ID", "ENTRA_CLIENT_SECRET", "KINTONE_BASE_URL", "IDENTITY_CENTER_REGION"):
        assert f"{name} is not set" in result.stderr


def test_web_server_searches_what_it_has_loaded_for_garbage_no_more() -> None:
    code = "import gc, portal.wsgi; print(gc.get_freeze_count() / len(gc.get_objects()))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert float(result.stdout) > 10


def test_load_balancer_closes_an_idle_connection_before_the_web_server() -> None:
    assert runpy.run_path(str(ROOT / "gunicorn.conf.py"))["keepalive"] > 60
