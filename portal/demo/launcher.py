"""One demo, from the first process to the last: simulators and migrations, the first run, then web, worker and beat."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from portal.demo.folder import DemoFolder, DemoRefused, is_free
from portal.demo.supervisor import Stopped, Supervised, Supervisor
from portal.demo.variables import build_machine_environment, build_portal_environment

SIMULATORS = ("kintone", "aws", "entra")
START_SECONDS = 60.0
"""How long a process may take to come up: many times what it takes on a small machine."""

_WORKER = (
    "-m", "celery", "--app", "portal", "worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "INFO",
    "--without-gossip", "--without-mingle",
)  # fmt: skip
_BEAT = ("-m", "celery", "--app", "portal", "beat", "--loglevel", "INFO")


@dataclass
class Demo:
    """A demo of the project at `base` on `port`. `say` gets each line that people are to read."""

    base: Path
    folder: DemoFolder
    port: int
    say: Callable[[str], None]
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def run(self, *, is_reset: bool) -> None:
        """Start everything and go on until somebody ends it.

        Raises DemoRefused when it cannot begin, and ProcessFailed when a process ends by itself; all others are
        ended by then.
        """
        with self.folder.occupied(self.url):
            if not is_free(self.port):
                raise DemoRefused(f"Port {self.port} is taken by another program. Choose another: make demo PORT=9000")
            if is_reset:
                self.folder.reset()
            self.folder.prepare()
            with Supervisor(self.base, self.folder.logs) as supervisor:
                try:
                    self._start(supervisor)
                    supervisor.watch()
                except Stopped:
                    self.say("Stopping …")
        self.say(f"Stopped. The data stays in {self.folder.path}.")

    def _start(self, supervisor: Supervisor) -> None:
        self.say(f"Starting the simulators of kintone, AWS and Entra ID. Logs: {self.folder.logs}")
        simulators = self._start_simulators(supervisor)
        environment = build_portal_environment(self.folder, self.port, {})
        migrate = supervisor.start("migrate", ("manage.py", "migrate", "--no-input"), environment, ends=True)
        for child in simulators:
            supervisor.wait_until(partial(self._has_answered, child.name), child, START_SECONDS)
        self._require_success(supervisor, migrate)
        environment = build_portal_environment(self.folder, self.port, self._simulated_variables())
        is_new = not self.folder.is_synced
        if is_new:
            self._sync(supervisor, environment)
            self._assign_by_hand(supervisor, environment)
        self._start_portal(supervisor, environment)
        if is_new:
            supervisor.start(
                "second-sync",
                ("manage.py", "sync", "--json"),
                environment,
                answer=self._answer_of("second-sync"),
                ends=True,
            )
        self._introduce()

    def _start_simulators(self, supervisor: Supervisor) -> list[Supervised]:
        shutil.rmtree(self.folder.answers)
        self.folder.answers.mkdir()
        ports = self.folder.choose_ports(SIMULATORS)
        return [
            supervisor.start(
                name,
                self._simulate(name, ports[name]),
                build_machine_environment(),
                answer=self._answer_of(name),
                outlasts=True,
            )
            for name in SIMULATORS
        ]

    def _simulate(self, name: str, port: int) -> tuple[str, ...]:
        state = str(self.folder.state_of(name).resolve())
        away = str(self.folder.away_of(name).resolve())
        command = ("manage.py", "simulate", name, "--port", str(port), "--state", state, "--away", away)
        if name == "kintone":
            hook = f"{self.url}/webhooks/kintone/?token={self.folder.webhook_token()}"
            return (*command, "--webhook", hook)
        return (*command, "--portal-port", str(self.port))

    def _answer_of(self, name: str) -> Path:
        return self.folder.answers / f"{name}.json"

    def _has_answered(self, name: str) -> bool:
        """Whether the process has said its line; keeps what it says."""
        text = self._answer_of(name).read_text(encoding="utf-8")
        if not text.endswith("\n"):
            return False
        self._answers[name] = json.loads(text)
        return True

    def _simulated_variables(self) -> dict[str, str]:
        return {name: value for key in SIMULATORS for name, value in self._answers[key]["environment"].items()}

    def _require_success(self, supervisor: Supervisor, child: Supervised) -> None:
        code = supervisor.finish(child)
        if code:
            raise child.fail(f"ended with exit code {code}")

    def _sync(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        """The first run on this database, which a person has to ask for.

        Single changes may fail in it, and the sample has one that does. A run that did not even come to a plan has
        counted nothing; it ends the demo.
        """
        self.say("Carrying the records into AWS for the first time: less than a minute …")
        command = ("manage.py", "sync", "--json")
        child = supervisor.start("sync", command, environment, answer=self._answer_of("sync"), ends=True)
        code = supervisor.finish(child)
        if not self._has_answered("sync"):
            raise child.fail(f"ended with exit code {code}")
        outcome = self._answers["sync"]
        if not any(outcome["counts"].values()):
            raise child.fail(f"carried nothing over: {outcome['error']}")
        self.folder.mark_synced(outcome["counts"])
        counts = ", ".join(f"{name} {count}" for name, count in outcome["counts"].items())
        self.say(f"First run: {counts}.")

    def _assign_by_hand(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        """Somebody in AWS's console: the second run finds it, so that there is a decision to take."""
        command = ("-m", "portal.demo.console", json.dumps(self._answers["aws"]["hand_made"]))
        self._require_success(supervisor, supervisor.start("console", command, environment, ends=True))
        self.say("Somebody has assigned something in AWS by hand: “Problems” shows it within a minute.")

    def _sync_again(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        """Without waiting for it: the portal can be looked at meanwhile."""
        command, answer = ("manage.py", "sync", "--json"), self._answer_of("second-sync")
        supervisor.start("second-sync", command, environment, answer=answer, ends=True)

    def _start_portal(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        self.say("Starting the portal, its worker and beat …")
        web = supervisor.start("web", self._serve(), environment)
        supervisor.start("worker", _WORKER, environment)
        supervisor.start("beat", _BEAT, environment)
        supervisor.wait_until(self._is_ready, web, START_SECONDS)

    def _serve(self) -> tuple[str, ...]:
        address = f"127.0.0.1:{self.port}"
        return (
            "-m", "gunicorn", "portal.wsgi:application", "--bind", address, "--worker-class", "gthread",
            "--workers", "1", "--threads", "8", "--no-control-socket",
        )  # fmt: skip

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz/ready")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _introduce(self) -> None:
        """Say where it is and who may come in."""
        self.say(
            f"\nGenkan is ready. Open {self.url} and sign in as one of these, or as anybody else on the list there:"
        )
        for member in self._answers["entra"]["cast"]:
            self.say(f"  {member['upn']:<36} {member['name']} – {member['part']}")
        for name in ("kintone", "aws"):
            self.say(f"  {name}: {self._answers[name]['url']}  (ids and keys: {self._answer_of(name)})")
        self.say(f"Logs: {self.folder.logs}. Ctrl-C ends it all and keeps the data; RESET=1 begins anew.")
