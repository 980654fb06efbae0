"""The database is lost: what kintone and AWS hold is read anew, the rest comes from the settings file."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Assignment, Guardrail, OwnerEntry, Person, StageRule, Stop
from syncer import runs
from syncer.backup.document import parse_document
from syncer.backup.exporting import export_settings
from syncer.backup.importing import Placed, import_settings
from syncer.models import Baseline
from tests.factories import get_principal, make_user
from tests.syncer.running import counts_of, plan, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db


class Lost(Exception):
    """The database is thrown away."""


@contextlib.contextmanager
def database() -> Iterator[None]:
    """One that does not outlive the block; kintone and AWS do."""
    with contextlib.suppress(Lost), transaction.atomic():
        yield
        raise Lost


def write() -> str:
    return export_settings(timezone.now()).render()


def read(text: str, **options: Any) -> dict[str, Placed]:
    return {placed.name: placed for placed in import_settings(parse_document(text), **options)}


def granted(world: World) -> set[tuple[str, str, str]]:
    return world.granted() - FOREIGN


def register(world: World, account: str, *users: str, by: str, **values: object) -> str:
    wish = {"account_id": world.account_ids[account], "permission_set": "Reader", "users": list(users), **values}
    return f"{world.assignments.id}:{world.assignments.add_record(wish, by=by)}"


def edit(world: World, reference: str, *, by: str, **values: object) -> None:
    world.assignments.edit_record(int(reference.partition(":")[2]), values, by=by)


def link_person(name: str) -> Any:
    """A sign-in of somebody whom Identity Center knows."""
    person, _made = Person.objects.get_or_create(principal__name=f"{name}@{DOMAIN}")
    return make_user(person=person)


def live(world: World) -> str:
    """A company in which people have decided things, and the settings file of its last night.

    hana owns shop by an entry. ken wrote himself into her record, which is withheld, and Administrator has saved that
    record since. taro is locked out, blog is frozen, a guardrail refuses the set Kept; each has a record that waits.
    """
    world.register_set("Reader")
    world.register_set("Kept")
    sync()
    hana = link_person("hana")
    OwnerEntry.objects.create(account=Account.objects.get(name="shop"), principal=get_principal(hana), created_by=hana)
    reference = register(world, "shop", "hana", by="hana")
    sync()
    edit(world, reference, by="ken", users=["hana", "ken"])
    sync()
    edit(world, reference, by="Administrator", users=["hana", "ken"], expires_on="2099-01-01")
    sync()
    taro = link_person("taro")
    Stop.objects.create(kind="lock_out", principal=get_principal(taro), reason="stolen laptop", begun_by=hana)
    register(world, "shop", "taro", by="hana")
    Stop.objects.create(kind="freeze", account=Account.objects.get(name="blog"), reason="audit", begun_by=hana)
    world.register("blog", "Reader", "hana")
    Guardrail.objects.create(name="No Kept", sentence="not here", permission_set_name="Kept", effect="refuse")
    world.register("shop", "Kept", "hana")
    StageRule.objects.filter(ou_name="sandbox").delete()
    StageRule.objects.create(ou_name="service", stage="staging")
    sync()
    return write()


def test_lost_database_comes_back_as_it_was(world: World) -> None:
    with database():
        text = live(world)
        before, states = granted(world), load_states()
    assert before == {("shop", "Reader", "hana")}
    assert sorted(states.values()) == ["blocked", "blocked", "blocked", "blocked", "granted"]

    assert plan().code == 0
    placed = read(text)
    assert {name for name, each in placed.items() if each.unplaced or each.left} == set()
    assert not Baseline.objects.exists()
    assert (sync().counts, granted(world), load_states()) == (counts_of(blocked=4), before, states)
    assert parse_document(write()).sections == parse_document(text).sections
    again = read(text)
    assert {name for name, each in again.items() if each.added or each.changed or each.removed} == set()


def test_without_the_file_kintones_last_writer_counts(world: World) -> None:
    """What the file is for: a value that was withheld comes into force with Administrator's word."""
    with database():
        live(world)
    sync()
    assert ("shop", "Reader", "ken") in granted(world)


def test_runs_that_only_planned_before_the_import_are_judged_anew(world: World) -> None:
    """Beat was quicker than whoever restores: nothing was written, and what was worked out is worked out again."""
    with database():
        text = live(world)
        before, states = granted(world), load_states()
    run = runs.queue_full_run()
    runs.work_off_queue()
    run.refresh_from_db()
    assert (run.problems[0]["code"], granted(world)) == ("baseline_missing", before)
    read(text)
    sync()
    assert (granted(world), load_states()) == (before, states)


def test_namesake_of_somebody_who_left_still_inherits_nothing(world: World) -> None:
    with database():
        world.register_set("Reader")
        world.provision("yuki", "entra-1")
        world.register("shop", "Reader", "yuki")
        sync()
        assert granted(world) == {("shop", "Reader", "yuki")}
        world.remove_person("yuki")
        sync()
        assert granted(world) == set()
        text = write()
    world.provision("yuki", "entra-2")
    plan()
    read(text)
    sync()
    assert (granted(world), load_states()) == (set(), {f"shop Reader yuki@{DOMAIN}": "blocked"})


def load_states() -> dict[str, str]:
    rows = Assignment.objects.exclude(permission_set__name__in=("Legacy", "Root"))
    return {f"{row.account} {row.permission_set} {row.principal.name}": row.state for row in rows.with_places()}
