"""Kill a sync at one of its calls to AWS, sync again, and look what came of it.

The company's 40 changes are of every kind: sets made, changed and deleted, assignments of both kinds, people who move.
A kill point is a call by what it is for and its number, for instance the seventh write, killed before AWS has carried
it out or after, when the answer is on its way.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from simulators.aws import AwsSimulator, AwsWorld, Limits
from simulators.serving import Hangup, Request, Response, Serving
from tests.companies import Company, Size, name_of_set, name_of_user, serve_company
from tests.integration.processes import PROJECT, describe_portal

SIZE = Size(accounts=8, sets=3, users=60, groups=0, pairs=16, each=2)
CHANGES = 40
ASYNC_SECONDS = 0.12
VIEW_ONLY = "job-function/ViewOnlyAccess"
ENVIRONMENT = {
    "IDENTITY_CENTER_TPS": "1000",
    "DELETE_LIMIT_COUNT": "1000",
    "DELETE_LIMIT_SHARE": "1",
    "DELETE_LIMIT_MAX": "1000",
    "CELERY_BROKER_URL": "memory://",
    "CACHE_URL": "locmemcache://killing",
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "SYNC_MODE": "apply",
}

Purpose = Literal["read", "write", "poll"]
Moment = Literal["before", "after"]


class Point(NamedTuple):
    """The call at which the process is killed: the `number`-th of those for this purpose, counted from 1."""

    purpose: Purpose
    number: int
    moment: Moment


class Write(NamedTuple):
    """A call that AWS accepted and that changes something."""

    operation: str
    parameters: str


class End(NamedTuple):
    """What there is in AWS: sets with their policies, and who has which of them where."""

    sets: frozenset[tuple[str, tuple[str, ...]]]
    assignments: frozenset[tuple[str, str, str]]  # account, name of the set, user


@dataclass
class Verdict:
    """What became of one kill and the sync after it. `was_killed` is false when the calls ended before the point."""

    point: Point
    was_killed: bool
    code: int
    errors: str
    repeated: dict[Write, int]
    end: End


@dataclass
class Watch:
    """Stands before the simulated AWS: counts calls by purpose, notes accepted writes, and kills at the point."""

    application: Callable[[Request], Response]
    point: Point | None = None
    kill: Callable[[], None] = lambda: None
    counts: Counter[Purpose] = field(default_factory=Counter)
    writes: list[Write] = field(default_factory=list)
    has_killed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Response:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        purpose = purpose_of(operation)
        with self.lock:
            self.counts[purpose] += 1
            point = self.point
            is_due = point is not None and (point.purpose, point.number) == (purpose, self.counts[purpose])
        if is_due and point is not None and point.moment == "before":
            self._strike()
        response = self.application(request)
        if purpose == "write" and response.status == 200:
            with self.lock:
                self.writes.append(Write(operation, json.dumps(json.loads(request.body), sort_keys=True)))
        if is_due:
            self._strike()
        return response

    def _strike(self) -> None:
        self.has_killed = True
        self.kill()
        raise Hangup


def purpose_of(operation: str) -> Purpose:
    if operation.endswith("Status"):
        return "poll"
    return "read" if not operation or operation.startswith(("List", "Describe", "Get")) else "write"


class Stage:
    """One company with its portal, set back before each kill. Not thread safe: as many stages as kills at once."""

    def __init__(self, company: Company, folder: Path, forking: subprocess.Popen[str], watch: Watch) -> None:
        self.company, self.folder, self._forking, self._watch = company, folder, forking, watch
        self._database, self._snapshot = folder / "db.sqlite3", folder / "before.sqlite3"
        self._state: dict[str, Any] = {}
        self.wish = End(frozenset(), frozenset())

    def prepare(self) -> Counter[Purpose]:
        """The first sync, then the wishes for 40 changes; returns how many calls an undisturbed sync makes of each."""
        assert self.run("migrate", "--no-input") == 0, self.errors()
        assert self.run("sync", "--json") == 0, self.errors()
        self.wish = wish_forty(self.company)
        self._state = self.company.aws.to_state()
        with closing(sqlite3.connect(self._database)) as source, closing(sqlite3.connect(self._snapshot)) as copy:
            source.backup(copy)
        self.reset()
        code, report = self.run("sync", "--json"), json.loads((self.folder / "output").read_text())
        assert (code, len(report["changes"])) == (0, CHANGES), (report, self.errors())
        assert self.look() == self.wish
        assert not self.repeated()
        return self._watch.counts.copy()

    def reset(self, point: Point | None = None) -> None:
        """Everything as it was before the 40 changes."""
        faults = self.company.aws.faults
        world = AwsWorld.from_state(self._state)
        world.limits, world.async_seconds, world.faults = Limits.unthrottled(), ASYNC_SECONDS, faults
        world.provisioning._faults = faults
        self.company.aws = world
        self._watch.application = AwsSimulator(world)
        self._watch.point, self._watch.has_killed = point, False
        self._watch.counts.clear()
        self._watch.writes.clear()
        for left in self.folder.glob("db.sqlite3*"):
            left.unlink()
        shutil.copy(self._snapshot, self._database)

    def play(self, point: Point) -> Verdict:
        """Kill a sync at this point, and sync again."""
        self.reset(point)
        self.run("sync", "--json")
        was_killed, self._watch.point = self._watch.has_killed, None
        code = self.run("sync", "--json")
        return Verdict(point, was_killed, code, self.errors(), self.repeated(), self.look())

    def run(self, *arguments: str) -> int:
        """Run one command to its end; its exit code, negative for a signal."""
        assert self._forking.stdin is not None
        assert self._forking.stdout is not None
        self._forking.stdin.write(json.dumps(arguments) + "\n")
        self._forking.stdin.flush()
        pid = int(self._forking.stdout.readline())
        self._watch.kill = lambda: os.kill(pid, signal.SIGKILL)
        return int(self._forking.stdout.readline())

    def errors(self) -> str:
        return (self.folder / "errors").read_text(errors="replace")[-3000:]

    def repeated(self) -> dict[Write, int]:
        """Writes that AWS accepted more than once."""
        return {write: count for write, count in Counter(self._watch.writes).items() if count > 1}

    def look(self) -> End:
        aws, names = self.company.aws, {}
        for arn, there in aws.center.sets.items():
            names[arn] = there.name
        accounts = {account_id: str(number) for number, account_id in enumerate(self.company.account_ids)}
        users = {user_id: name_of_user(number) for number, user_id in enumerate(self.company.user_ids)}
        return End(
            frozenset(
                (there.name, tuple(sorted(policy.rpartition(":policy/")[2] for policy in there.managed)))
                for there in aws.center.sets.values()
            ),
            frozenset((accounts[row[0]], names[row[1]], users[row[3]]) for row in aws.assignments()),
        )


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """A company of its own on ports of its own, and a process that forks the portal's commands."""
    with ExitStack() as stack:
        company = stack.enter_context(serve_company(SIZE, limits=Limits.unthrottled(), latency=0))
        company.aws.async_seconds = ASYNC_SECONDS
        old = company.register(6, add_old_set(company), 58), company.register(7, len(company.arns) - 1, 59)
        assert len(old) == 2
        watch = Watch(AwsSimulator(company.aws))
        port = stack.enter_context(Serving(watch))
        variables = {"AWS_ENDPOINT_URL": port.url, "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"}
        portal = describe_portal(folder, **company.environment | ENVIRONMENT | variables)
        forking = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.forking"],
            cwd=folder,
            env={**portal.environment, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Stage(company, folder, forking, watch)
        finally:
            forking.kill()
            forking.communicate()


def add_old_set(company: Company) -> int:
    """A set that two accounts hold and that is to go; returns its number."""
    number = len(company.arns)
    company.arns.append(
        company.aws.add_permission_set(
            name_of_set(number), managed=["arn:aws:iam::aws:policy/ReadOnlyAccess"], tags={"managed-by": "genkan"}
        )
    )
    company.sets.add_record({"name": name_of_set(number), "managed_policies": "ReadOnlyAccess"})
    for account, user in ((6, 58), (7, 59)):
        company.aws.add_assignment(company.account_ids[account], company.arns[number], "USER", company.user_ids[user])
    return number


def wish_forty(company: Company) -> End:
    """Edit the records so that 40 changes are due; returns what there should be afterwards."""
    assignments, sets, old = company.assignments, company.sets, name_of_set(SIZE.sets)
    wanted: set[tuple[str, str, str]] = set()
    for pair, record in enumerate(company.records[: SIZE.pairs]):  # 32: in each pair somebody goes and somebody comes
        account, permission_set = SIZE.place(pair)
        _gone, stays = SIZE.members(pair)[0]
        users = [name_of_user(number) for number in (stays, 32 + pair)]
        assignments.edit_record(record, {"users": users})
        wanted |= {(str(account), name_of_set(permission_set), user) for user in users}
    assignments.delete_records(company.records[SIZE.pairs :])  # 3: a set goes, and its assignments before it
    ids = sets.record_ids()
    sets.delete_records([ids[-1]])
    sets.edit_record(ids[0], {"managed_policies": f"ReadOnlyAccess\n{VIEW_ONLY}"})  # 1: and every account that has it
    sets.add_record({"name": "New", "managed_policies": "ReadOnlyAccess"})  # 4: a set and its assignments
    for account in range(3):
        user = name_of_user(50 + account)
        assignments.add_record(
            {"account_id": company.account_ids[account], "permission_set": "New", "users": [user], "groups": ""}
        )
        wanted.add((str(account), "New", user))
    policies: dict[str, tuple[str, ...]] = {name_of_set(number): ("ReadOnlyAccess",) for number in range(SIZE.sets)}
    policies |= {"New": ("ReadOnlyAccess",), name_of_set(0): tuple(sorted(("ReadOnlyAccess", VIEW_ONLY)))}
    assert old not in policies
    return End(frozenset(policies.items()), frozenset(wanted))


def list_points(counts: Counter[Purpose]) -> list[Point]:
    """Every call of an undisturbed sync; writes twice, before and after AWS has carried them out."""
    moments: dict[Purpose, tuple[Moment, ...]] = {
        "read": ("before",),
        "write": ("before", "after"),
        "poll": ("before",),
    }
    return [
        Point(purpose, number, moment)
        for purpose in moments
        for number in range(1, counts[purpose] + 1)
        for moment in moments[purpose]
    ]
