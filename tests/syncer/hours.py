"""An hour of a company in seconds: people register, leave and meddle, the schedule runs, and things break.

Time is moved a minute at a time, for the portal and its simulators alike. What must be is read off kintone's own
records by a rule of three lines, not by the product's code; after each minute that is compared with what the runs of
that minute did to AWS.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, Draft, User
from simulators.aws import Fault, ProvisioningFault
from simulators.kintone import Fault as KintoneFault
from syncer import tasks
from syncer.drafts import saving
from syncer.models import Run
from tests.syncer.running import sync
from tests.syncer.worlds import FOREIGN, MEMBERS, NEWCOMER, Granted, World

ACCOUNTS, SETS, GROUP = ("platform", "shop", "blog"), ("Reader", "Writer"), "developers"
FULL_RUN_EACH = 10  # minutes
LONGEST_TROUBLE = 4  # minutes
NOTE = {"note": {"type": "SINGLE_LINE_TEXT", "code": "note", "label": "note"}}

Trouble = Callable[["Hour"], "Iterator[None]"]


def aws_fault(operation: str, **how: Any) -> Trouble:
    def strike(hour: "Hour") -> Iterator[None]:
        hour.world.aws.faults.add(Fault(operation, **how))
        yield
        hour.world.aws.faults.clear()

    return strike


def kintone_fault(**how: Any) -> Trouble:
    def strike(hour: "Hour") -> Iterator[None]:
        hour.world.kintone.faults.add(KintoneFault(**how))
        yield
        hour.world.kintone.faults.clear()

    return strike


def refuse_provisioning(hour: "Hour") -> Iterator[None]:
    hour.world.aws.faults.add(ProvisioningFault("Received a 404 status error: Policy Limits does not exist."))
    yield
    hour.world.aws.faults.clear()


def hide_records(hour: "Hour") -> Iterator[None]:
    hour.hidden = hour.read_wish()
    with hour.world.hide(*hour.references()):
        yield
    hour.hidden = None


def lose_field(hour: "Hour") -> Iterator[None]:
    app, hour.hidden = hour.world.assignments, hour.read_wish()
    definition = dict(hour.world.kintone.find_app(app.id).draft.form["users"])
    hour.world.change_form(app, lambda form: form["users"].update(type="SINGLE_LINE_TEXT"))
    yield
    hour.world.change_form(app, lambda form: form.update(users=definition))
    hour.hidden = None


TROUBLES: Mapping[str, Trouble] = {
    "kintone answers 503 in plain text": kintone_fault(status=503, text="Service Unavailable"),
    "kintone closes each third connection": kintone_fault(every=3, hang=0.01),
    "kintone asks for fewer requests": kintone_fault(code="GAIA_TO04", every=2),
    "kintone takes the token's right": kintone_fault(code="GAIA_NO01"),
    "kintone carries writes out and loses the answer": kintone_fault(method="POST", hang_up=True),
    "kintone's form has another type for a field": lose_field,
    "kintone hides all records": hide_records,
    "AWS throttles each second call": aws_fault("sso-admin:*", code="ThrottlingException", every=2),
    "AWS answers 500": aws_fault("sso-admin:*", code="InternalServerException", status=500),
    "AWS: Organizations denied": aws_fault("organizations:*", code="AccessDeniedException"),
    "AWS: people cannot be listed": aws_fault("identitystore:ListUsers", code="AccessDeniedException"),
    "AWS: groups cannot be listed": aws_fault("identitystore:ListGroups", code="InternalServerException", status=500),
    "AWS: assignments cannot be listed": aws_fault("sso-admin:ListAccountAssignments*", code="AccessDeniedException"),
    "AWS: sets cannot be listed": aws_fault("sso-admin:ListPermissionSets", code="AccessDeniedException"),
    "AWS: giving denied": aws_fault("sso-admin:CreateAccountAssignment", code="AccessDeniedException"),
    "AWS: taking away conflicts": aws_fault("sso-admin:DeleteAccountAssignment", code="ConflictException"),
    "AWS drops the connection before a write": aws_fault("sso-admin:*AccountAssignment", hang_up="before", every=2),
    "AWS drops the connection after a write": aws_fault("sso-admin:*AccountAssignment", hang_up="after", every=2),
    "AWS cannot provision": refuse_provisioning,
    "AWS: the credentials have expired": aws_fault("*", code="ExpiredTokenException", status=403),
}


class Broken(AssertionError):
    """Something that must never be, with the minute and the trouble of that minute."""


@dataclass
class Hour:
    """One company and its hour; `author` is who saves in the portal. `log` counts what runs ended as, by trouble."""

    world: World
    author: User
    chance: random.Random
    traveller: time_machine.Traveller
    disabled: set[str] = field(default_factory=set)
    hidden: set[Granted] | None = None
    minute: int = 0
    trouble: str = ""
    saved: int = 0
    log: dict[str, Counter[str]] = field(default_factory=dict)

    # What must be

    def read_wish(self) -> set[Granted]:
        """What kintone's records say now, of people who are there and enabled."""
        if self.hidden is not None:
            return self.hidden
        names = {account_id: name for name, account_id in self.world.account_ids.items()}
        rows = set()
        for record in self.records():
            account = names[record["account_id"]["value"]]
            principals = [user["code"] for user in record["users"]["value"]] + record["groups"]["value"].split()
            rows |= {(account, record["permission_set"]["value"], name) for name in principals}
        return rows

    def due(self) -> set[Granted]:
        """What may be given. Who was disabled since the last full run is not known to runs of single records."""
        return {row for row in self.read_wish() if row[2] in self.world.principal_ids}

    def records(self) -> list[Mapping[str, Any]]:
        app = self.world.assignments
        return [app.record(number) for number in self.world.kintone.find_app(app.id).store.ids]

    def references(self) -> list[str]:
        app = self.world.assignments
        return [f"{app.id}:{number}" for number in self.world.kintone.find_app(app.id).store.ids]

    # What people do

    def live_a_minute(self) -> None:
        """Something happens in three of four minutes; nobody writes into an app that is out of order."""
        if self.hidden is not None:
            return
        deeds = (self.register, self.register, self.edit, self.delete, self.save, self.come_or_go, self.meddle)
        if self.chance.random() < 0.75:
            self.chance.choice(deeds)()

    def register(self) -> None:
        self.world.register(
            self.chance.choice(ACCOUNTS), self.chance.choice(SETS), *self._people(), groups=self._group()
        )

    def edit(self) -> None:
        if references := self.references():
            self.world.edit(self.chance.choice(references), users=self._people(), groups=self._group())

    def delete(self) -> None:
        if len(references := self.references()) > 3:
            self.world.delete(self.chance.choice(references))

    def save(self) -> None:
        """In the portal; kintone may be down."""
        self.saved += 1
        account_id = self.world.account_ids[self.chance.choice(ACCOUNTS)]
        wish = {"account_id": account_id, "permission_set": self.chance.choice(SETS), "users": self._people()}
        saving.save(AppKind.ASSIGNMENT, self.author, {**wish, "note": f"saved {self.saved}"})

    def come_or_go(self) -> None:
        """Entra ID brings the newcomer, disables somebody, or enables him again."""
        if NEWCOMER not in self.world.principal_ids:
            self.bring_newcomer()
        elif self.disabled:
            self.world.enable(self.disabled.pop())
        else:
            self.disabled.add("ken")
            self.world.disable("ken")

    def bring_newcomer(self) -> None:
        """While a name is unknown, whoever the same edit took out stays: it could be he under another name."""
        if NEWCOMER not in self.world.principal_ids:
            self.world.provision(NEWCOMER)

    def meddle(self) -> None:
        """Somebody with the console gives or takes what is ours to give; it is put back."""
        row = (self.chance.choice(ACCOUNTS), self.chance.choice(SETS), self.chance.choice(MEMBERS))
        if row in self.world.granted():
            self.world.unassign(*row)
        elif row[2] not in self.disabled:
            self.world.assign(*row)

    def _people(self) -> list[str]:
        return self.chance.sample([*MEMBERS, NEWCOMER], self.chance.randint(1, 3))

    def _group(self) -> str:
        return self.chance.choice(("", GROUP))

    def live(self, minutes: int, troubles: Sequence[str]) -> None:
        """One trouble after the other, some with a quiet minute between them."""
        end = self.minute + minutes
        while self.minute < end:
            with self.troubled(self.chance.choice(troubles)):
                for _minute in range(self.chance.randint(1, LONGEST_TROUBLE)):
                    self.live_a_minute()
                    self.run_a_minute()
            if self.chance.random() < 0.5:
                self.live_a_minute()
                self.run_a_minute()
        self.bring_newcomer()

    # What the schedule does

    def run_a_minute(self) -> None:
        """What beat sends in a minute, and what came of it in AWS."""
        before, due = self.world.granted(), self.due()
        last = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        tasks.write_drafts()
        tasks.sweep()
        tasks.run_changes()
        tasks.look_for_waiting()
        if self.minute % FULL_RUN_EACH == 0:
            tasks.run_full()
        self._count(Run.objects.filter(pk__gt=last))
        self._judge(before, due)
        self.minute += 1
        self.traveller.shift(60)

    def _count(self, runs: Iterable[Run]) -> None:
        ends = (" ".join(filter(None, (run.status, (run.error or {}).get("code")))) for run in runs)
        self.log.setdefault(self.trouble, Counter()).update(ends)

    def _judge(self, before: set[Granted], due: set[Granted]) -> None:
        after, kept, due = self.world.granted(), due & self.due(), due | self.due()  # a draft may have been written
        for what, rows in (
            ("given though nobody wished it", after - before - due),
            ("taken away though it is wished", {row for row in (before - after) & kept if row[2] not in self.disabled}),
            ("foreign, and changed", (before ^ after) & FOREIGN),
        ):
            if rows:
                raise Broken(f"minute {self.minute}, {self.trouble or 'no trouble'}: {what}: {sorted(rows)}")

    def settle(self, minutes: int = FULL_RUN_EACH) -> int:
        """Let the schedule go on until all is as wished; how many minutes it took. Raises Broken after `minutes`."""
        for passed in range(minutes + 1):
            if self.world.granted() == self.end() and not self.open_drafts():
                return passed
            self.run_a_minute()
        there, due = self.world.granted(), self.end()
        wrong = f"missing {sorted(due - there)}, left {sorted(there - due)}, open drafts {self.open_drafts()}"
        raise Broken(f"after {minutes} minutes without trouble: {wrong}")

    def end(self) -> set[Granted]:
        """What there must be once the schedule has gone on for long enough."""
        return FOREIGN | {row for row in self.due() if row[2] not in self.disabled}

    def open_drafts(self) -> int:
        return Draft.objects.filter(state__in=Draft.OPEN).count()

    def count_written(self) -> int:
        """What was saved in the portal and came to kintone. Raises Broken where it came twice."""
        notes = [record["note"]["value"] for record in self.records() if record["note"]["value"]]
        if len(notes) != len(set(notes)):
            raise Broken(f"written twice: {sorted(notes)}")
        return Draft.objects.filter(state=Draft.State.WRITTEN).count()

    # Trouble

    @contextmanager
    def troubled(self, name: str) -> Iterator[None]:
        strike = TROUBLES[name](self)
        self.trouble = name
        next(strike)
        try:
            yield
        finally:
            next(strike, None)
            self.trouble = ""


@contextmanager
def begin_hour(world: World, settings: Settings, author: User, seed: int) -> Iterator[Hour]:
    """A settled company, its clock at the present. Removals are not held, what is done by hand is put back."""
    settings.DELETE_LIMIT_COUNT = settings.DELETE_LIMIT_MAX = 10**6
    settings.DELETE_LIMIT_SHARE = 1.0
    settings.DRIFT = "overwrite"
    with time_machine.travel(timezone.now(), tick=True) as traveller:
        world.change_form(world.assignments, lambda form: form.update(NOTE))
        for name in SETS:
            world.register_set(name)
        for account, permission_set, person in zip(ACCOUNTS, ("Reader", "Writer", "Reader"), MEMBERS, strict=True):
            world.register(account, permission_set, person)
        sync("--full")
        yield Hour(world, author, random.Random(seed), traveller)
