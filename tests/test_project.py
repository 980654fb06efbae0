"""The project's own files: locks, containers, settings and documents agree with each other and with the code."""

import ast
import re
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.conf import settings

from syncer.backup.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("production", "development", "uv")
PURE_MODULES = (
    *(f"syncer/{name}.py" for name in ("changes", "planning", "records/parsing", "states", "wishes")),
    *(f"accounts/{name}.py" for name in ("names", "shortcuts", "stages")),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "accounts/policy").rglob("*.py")),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "accounts/catalogue").rglob("*.py")),
)


def lock_lines(name: str) -> list[str]:
    return (ROOT / f"requirements/{name}.txt").read_text().splitlines()


def pins(name: str) -> dict[str, str]:
    """What a lock pins: name to version and marker."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(.+?) \\$", "\n".join(lock_lines(name)), re.MULTILINE))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def tracked_files() -> list[Path]:
    """Every text file of the project, as git knows it, committed or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file() and b"\0" not in path.read_bytes()]


# --- Locks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_names_versions_markers_and_hashes_only(name: str) -> None:
    pin = re.compile(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ; [A-Za-z0-9_ '.<>=!()]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    strange = [line for line in lock_lines(name) if not pin.fullmatch(line) and not digest.fullmatch(line)]
    assert strange == []


def test_development_holds_all_of_production() -> None:
    assert pins("production").items() <= pins("development").items()


def named(requirements: list[str]) -> set[str]:
    """The names alone, without extras, versions and markers."""
    return {re.split(r"[^a-z0-9-]", each)[0] for each in requirements}


def test_locks_hold_what_the_project_names() -> None:
    groups = project()["dependency-groups"]
    assert named(project()["project"]["dependencies"]) <= pins("production").keys()
    assert named(groups["test"]) | named(groups["lint"]) <= pins("development").keys()


def test_each_dependency_has_its_reason() -> None:
    groups = project()["dependency-groups"].values()
    wanted = named([*project()["project"]["dependencies"], *(each for group in groups for each in group)]) | {"uv"}
    rows = re.findall(r"^\| ([a-z0-9-]+) \| \S.*\|$", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert set(rows) - {"package"} == wanted


# --- The settings file of each night ----------------------------------------------------------------------------------


def test_worker_that_writes_the_settings_file_has_a_volume_for_it() -> None:
    routes: dict[str, str] = settings.CELERY_TASK_ROUTES
    queue = routes.get("syncer.tasks.export_nightly", settings.CELERY_TASK_DEFAULT_QUEUE)
    workers = [service for service in compose()["services"].values() if "--queues" in service.get("command", ())]
    writers = [worker for worker in workers if queue in worker["command"][worker["command"].index("--queues") + 1]]
    assert writers
    assert all(worker["environment"]["BACKUP_DIR"] == "/backup" for worker in writers)
    assert all("backup:/backup" in worker["volumes"] for worker in writers)


# --- Tables ---------------------------------------------------------------------------------------------------------


def test_what_a_lost_database_costs_is_known_of_each_table() -> None:
    """A new model: say in syncer/backup/catalogue.py what becomes of it, and if it is carried, how in sections.py."""
    assert {model._meta.label for model in apps.get_models()} == CATALOGUE.keys()
    text = (ROOT / "docs/backup.md").read_text()
    rows = [f"| {label} | {entry.care} | {entry.why} |" for label, entry in CATALOGUE.items()]
    assert [row for row in rows if row not in text] == []


# --- Containers -----------------------------------------------------------------------------------------------------


def test_compose_has_the_services_of_the_design() -> None:
    assert compose()["services"].keys() == {"web", "worker", "worker-runs", "beat", "migrate", "postgres", "redis"}


def test_everything_of_ours_waits_for_the_migration() -> None:
    services = compose()["services"]
    waiting = {name for name, service in services.items() if "migrate" in service.get("depends_on", {})}
    assert waiting == {"web", "worker", "worker-runs", "beat"}


def test_containers_of_ours_can_write_nowhere_and_gain_nothing() -> None:
    ours = [service for service in compose()["services"].values() if service["image"] == "genkan"]
    assert len(ours) == 5
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_containers_are_limited_watched_and_begun_anew() -> None:
    for name, service in compose()["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
        assert service["logging"]["options"]["max-size"]
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
        assert name in ("web", "migrate") or service["healthcheck"]["test"]  # the image has web's, migrate ends


def test_data_is_kept_in_named_volumes() -> None:
    mounted = {
        volume.partition(":")[0] for service in compose()["services"].values() for volume in service.get("volumes", ())
    }
    assert mounted == compose()["volumes"].keys()


def test_celery_starts_from_our_application() -> None:
    services = compose()["services"]
    commands = {name: services[name]["command"] for name in ("worker", "worker-runs", "beat")}
    assert all(command[:4] == ["celery", "--quiet", "-A", "portal"] for command in commands.values())
    assert {name: command[4] for name, command in commands.items()} == {
        "worker": "worker", "worker-runs": "worker", "beat": "beat",
    }  # fmt: skip
    assert (ROOT / "portal/celery.py").is_file()


def test_image_serves_what_exists() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    urls = (ROOT / "portal/urls.py").read_text()
    assert '"portal.wsgi"' in dockerfile
    assert (ROOT / "portal/wsgi.py").is_file()
    assert "/healthz/live" in dockerfile
    assert "healthz/live" in urls


def test_secrets_stay_out_of_the_image() -> None:
    rules = (ROOT / ".dockerignore").read_text().split()
    assert "*" in rules
    assert not any(rule.startswith("!.") for rule in rules)


# --- Settings -------------------------------------------------------------------------------------------------------


def settings_read() -> set[str]:
    """Every variable that the settings read."""
    tree = ast.parse((ROOT / "portal/settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    first = [call.args[0].value for call in calls if is_reading(call) and isinstance(call.args[0], ast.Constant)]
    return {name for name in first if isinstance(name, str)}


def is_reading(call: ast.Call) -> bool:
    reader = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(reader, ast.Name) and reader.id in ("read", "env") and bool(call.args)


def example_names() -> list[str]:
    return re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_example_names_every_setting_once() -> None:
    boto3s_own = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CREDENTIAL_EXPIRATION"}
    compose_only = {"POSTGRES_PASSWORD"}
    assert sorted(example_names()) == sorted((settings_read() - boto3s_own) | compose_only)


def test_example_explains_each_line() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    setting = re.compile(r"#?[A-Z][A-Z0-9_]+=")
    unexplained = [line for before, line in pairwise(lines) if setting.match(line) and not before.startswith("# ")]
    assert unexplained == []


def test_readme_documents_every_setting() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in settings_read() if f"`{name}`" not in readme] == []


# --- Commands and documents -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["demo", "test", "setup", "lint", "bench", "help"])
def test_make_knows_and_readme_shows(target: str) -> None:
    assert f"\n{target}: " in (ROOT / "Makefile").read_text()
    assert f"make {target}" in (ROOT / "README.md").read_text()


def test_help_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    phony = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
    assert {line.split()[1] for line in shown.splitlines()} == set(phony)


def test_continuous_integration_calls_make_test() -> None:
    assert "exec make test" in (ROOT / ".ci/run").read_text()
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_no_file_names_a_folder_of_this_machine() -> None:
    places = [f"{folder}/" for folder in (ROOT, Path.home()) if len(folder.parts) > 2 or folder == Path.home()]
    found = [path.relative_to(ROOT) for path in tracked_files() if any(place in path.read_text() for place in places)]
    assert found == []


def test_licence_is_the_one_declared() -> None:
    assert project()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("module", PURE_MODULES)
def test_pure_module_never_asks_the_clock(module: str) -> None:
    tree = ast.parse((ROOT / module).read_text())
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & {
        "now",
        "today",
        "utcnow",
        "monotonic",
    }
    assert asked == set()
