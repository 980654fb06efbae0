"""Running `plan` and `sync` in this process, and looking at what came of it."""

import json
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command

from accounts.models import Assignment
from tests.syncer.worlds import DOMAIN


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and the JSON object it printed."""

    code: int
    report: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """create, update and delete, and of the others those that are not 0."""
        counts: dict[str, int] = self.report["counts"]
        always = ("create", "update", "delete")
        return {name: count for name, count in counts.items() if name != "unchanged" and (count or name in always)}

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Kind, permission set with its principal if there is one, and outcome of each change."""
        return [
            (change["kind"], " ".join(filter(None, (change["permission_set"], change["principal"]))), change["outcome"])
            for change in self.report["changes"]
        ]

    @property
    def codes(self) -> set[str]:
        """The codes of the problems."""
        return {problem["code"] for problem in self.report["problems"]}


def counts_of(create: int = 0, update: int = 0, delete: int = 0, **others: int) -> dict[str, int]:
    return {"create": create, "update": update, "delete": delete, **others}


NOTHING = counts_of()


def command(*arguments: str) -> Outcome:
    """Run `manage.py … --json` in this process."""
    out, code = StringIO(), 0
    try:
        call_command(*arguments, "--json", stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return Outcome(code, json.loads(out.getvalue()))


def sync(*arguments: str) -> Outcome:
    return command("sync", *arguments)


def plan() -> Outcome:
    return command("plan")


def state_of(account: str, permission_set: str, principal: str) -> str:
    """The state that the portal shows for an assignment."""
    return Assignment.objects.get(
        account__name=account, permission_set__name=permission_set, principal__name=f"{principal}@{DOMAIN}"
    ).state
