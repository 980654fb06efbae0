"""`manage.py sync` as a process of its own: what it prints, and what becomes of it when it is ended or killed."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from simulators.aws import Fault
from tests.integration.processes import Portal, describe_portal, end, wait_until
from tests.syncer.worlds import FOREIGN, World, serve_world

HANGING = "sso-admin:CreateAccountAssignment"


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("database")
    migrated = describe_portal(folder, DATABASE_URL=f"sqlite:///{folder / 'empty.sqlite3'}").run(
        "migrate", "--no-input"
    )
    assert migrated.code == 0, migrated.errors
    return folder / "empty.sqlite3"


@pytest.fixture
def company() -> Iterator[World]:
    """Reader is registered, and Hana is to have it in shop."""
    with serve_world() as world:
        world.register_set("Reader")
        world.register("shop", "Reader", "hana")
        yield world


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    with closing(sqlite3.connect(empty_database)) as source, closing(sqlite3.connect(tmp_path / "db.sqlite3")) as copy:
        source.backup(copy)
    return tmp_path / "db.sqlite3"


@pytest.fixture
def portal(company: World, database: Path, tmp_path: Path) -> Portal:
    return describe_portal(tmp_path, DATABASE_URL=f"sqlite:///{database}", **company.environment)


Select = Callable[[str], list[Any]]


@pytest.fixture
def select(database: Path) -> Select:
    """Ask the database for the values of one column."""

    def ask(query: str) -> list[Any]:
        with closing(sqlite3.connect(database)) as connection:
            return [row[0] for row in connection.execute(query)]

    return ask


def begin_and_hang(portal: Portal, company: World) -> subprocess.Popen[str]:
    """A sync that has sent a write to which AWS does not answer."""
    company.aws.faults.add(Fault(HANGING, hang=True))
    process = portal.begin("sync", "--json")
    wait_until(lambda: company.aws.calls[HANGING])
    return process


def test_output_is_one_json_object_and_nothing_else(portal: Portal, company: World) -> None:
    done = portal.run("sync", "--json")
    assert (done.code, done.report["status"]) == (0, "done")
    assert len(done.output.strip().splitlines()) == 1
    assert "run: 1 ends status=done" in done.errors
    assert company.granted() == FOREIGN | {("shop", "Reader", "hana")}


def test_second_process_and_plan_have_nothing_to_do(portal: Portal, company: World) -> None:
    portal.run("sync")
    writes = company.count_writes()
    again, planned = portal.run("sync", "--json"), portal.run("plan", "--json")
    for ended in (again, planned):
        assert (ended.code, ended.report["changes"]) == (0, [])
    assert company.count_writes() == writes


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_failure_is_one_json_object_too(portal: Portal, command: str) -> None:
    failed = portal.with_variables(KINTONE_ASSIGNMENT_API_TOKEN="wrong", LANGUAGE_CODE="en").run(command, "--json")
    assert (failed.code, failed.report["status"]) == (1, "failed")
    assert failed.report["error"] == "kintone does not accept the API token of app 2."


def test_no_secret_is_printed(portal: Portal, company: World) -> None:
    ended = [portal.run("sync"), portal.with_variables(KINTONE_ASSIGNMENT_API_TOKEN="wrong").run("sync")]
    secrets = [value for name, value in company.environment.items() if name.endswith(("TOKEN", "SECRET_ACCESS_KEY"))]
    assert len(secrets) == 3
    assert not [secret for secret in secrets for each in ended if secret in each.output + each.errors]


def test_held_removals_end_with_three(portal: Portal, company: World) -> None:
    portal.run("sync")
    company.delete(f"{company.assignments.id}:1")
    held = portal.run("sync", "--json")
    accepted = portal.run("sync", "--json", "--accept", held.report["checksum"])
    assert (held.code, accepted.code) == (3, 0)
    assert company.granted() == FOREIGN


def test_unknown_option_ends_with_two(portal: Portal) -> None:
    assert portal.run("sync", "--record", "17").code == 2
    assert portal.run("sync", "--nonsense").code == 2


def test_next_process_takes_over_from_a_killed_one(portal: Portal, company: World, select: Select) -> None:
    killed = begin_and_hang(portal, company)
    end(killed, signal.SIGKILL)
    company.aws.faults.clear()
    done = portal.run("sync", "--json")
    assert (done.code, done.report["status"]) == (0, "done")
    assert done.report["seconds"] < 10
    assert select("SELECT status FROM syncer_run ORDER BY id") == ["lost", "done"]
    assert company.granted() == FOREIGN | {("shop", "Reader", "hana")}


def test_intent_of_a_killed_process_is_in_the_database(portal: Portal, company: World, select: Select) -> None:
    killed = begin_and_hang(portal, company)
    end(killed, signal.SIGKILL)
    assert select("SELECT outcome FROM syncer_change ORDER BY position") == ["succeeded", "sent"]
    company.aws.faults.clear()
    portal.run("sync")
    assert select("SELECT outcome FROM syncer_change WHERE run_id = 1 ORDER BY position") == ["succeeded", "failed"]


def test_process_asked_to_end_follows_what_is_under_way(portal: Portal, company: World) -> None:
    company.aws.async_seconds = 2.0
    company.register("shop", "Reader", "taro")
    process = portal.begin("sync", "--json")
    wait_until(lambda: company.aws.calls[HANGING])
    ended = end(process, signal.SIGTERM)
    assert ended.code == 1
    outcomes = [change["outcome"] for change in ended.report["changes"]]
    assert outcomes == ["succeeded", "succeeded", "planned"]
    assert portal.run("sync", "--json").report["counts"]["create"] == 1


def test_second_process_waits_for_the_first(portal: Portal, company: World, select: Select) -> None:
    company.aws.async_seconds = 1.0
    first = portal.begin("sync", "--json")
    wait_until(lambda: company.aws.calls[HANGING])
    second = portal.run("sync", "--json")
    assert (end(first).code, second.code) == (0, 0)
    assert json.dumps(second.report["changes"]) == "[]"
    [first_end, second_begin] = [
        *select("SELECT finished_at FROM syncer_run WHERE id = 1"),
        *select("SELECT started_at FROM syncer_run WHERE id = 2"),
    ]
    assert first_end <= second_begin
