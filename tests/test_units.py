"""The systemd units run what docker-compose.yml runs, and can do as little."""

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
UNITS = ROOT / "deploy/systemd"
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "genkan"]
BIN = "/opt/genkan/.venv/bin/"


class Unit(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def read_unit(path: str) -> Unit:
    unit = Unit(interpolation=None, strict=True)
    unit.read_string((UNITS / path).read_text(encoding="utf-8"))
    return unit


def list_words(service: str) -> list[str]:
    """What the container runs. Where it listens, and what a worker is called, is for the machine to say."""
    image = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    command: list[str] = SERVICES[service].get("command") or json.loads(
        re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)[0]
    )
    return [re.sub(r"^[0-9.]+:", "127.0.0.1:", word) for word in command]


@pytest.mark.parametrize("service", OURS)
def test_unit_runs_what_the_container_runs(service: str) -> None:
    words = read_unit(f"genkan-{service}.service")["Service"]["ExecStart"].split()
    assert words[0].startswith(BIN)
    words[0] = words[0].removeprefix(BIN)
    if "--hostname" in words:
        del words[words.index("--hostname") :]
    assert words == list_words(service)


def test_target_wants_all_that_go_on() -> None:
    wanted = read_unit("genkan.target")["Unit"]["Wants"].split()
    assert sorted(wanted) == sorted(f"genkan-{name}.service" for name in OURS if name != "migrate")


@pytest.mark.parametrize("service", [name for name in OURS if name != "migrate"])
def test_unit_begins_anew_and_waits_for_the_migration(service: str) -> None:
    unit = read_unit(f"genkan-{service}.service")
    assert unit["Unit"]["Requires"] == unit["Unit"]["After"] == "genkan-migrate.service"
    assert unit["Service"]["Restart"] == "always"


def test_units_can_write_nowhere_and_gain_nothing() -> None:
    common = read_unit("genkan-.service.d/10-common.conf")["Service"]
    assert common["User"] == "genkan"
    assert (common["NoNewPrivileges"], common["ProtectSystem"], common["CapabilityBoundingSet"]) == (
        "yes",
        "strict",
        "",
    )
    assert "ReadWritePaths" not in common
    for service in OURS:
        own = read_unit(f"genkan-{service}.service")["Service"]
        assert not [name for name in own if name.startswith(("Protect", "Private", "Capab", "ReadWrite", "User"))]


def test_files_are_mounted_into_every_container_of_ours() -> None:
    page = (ROOT / "docs/production.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    mounts = {name: service["volumes"] for name, service in yaml.safe_load(text)["services"].items()}
    assert mounts == {name: ["/etc/genkan/secrets:/run/secrets:ro"] for name in OURS}
