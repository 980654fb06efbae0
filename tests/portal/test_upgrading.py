"""Which migrations the version that is at work survives."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as do
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from portal.upgrading import Hazard, Impact, iter_hazards

THING = (
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=20)),
    ("note", models.TextField(null=True)),
)


def judge(*steps: Operation) -> list[Impact]:
    state = ProjectState()
    state.add_model(ModelState("shop", "Thing", list(THING)))
    migration = type("More", (Migration,), {"operations": list(steps)})("0002_more", "shop")
    return [hazard.impact for hazard in iter_hazards([migration], state)]


@pytest.mark.parametrize(
    "step",
    [
        do.AddField("Thing", "colour", models.CharField(max_length=9, null=True)),
        do.AddField("Thing", "colour", models.CharField(max_length=9, db_default="")),
        do.AddField("Thing", "friends", models.ManyToManyField("shop.Thing")),
        do.AlterField("Thing", "name", models.CharField(max_length=40)),
        do.AlterField("Thing", "name", models.CharField(max_length=20, verbose_name="Name")),
        do.AlterModelOptions("Thing", {"ordering": ["name"]}),
        do.RunPython(do.RunPython.noop),
    ],
)
def test_tables_that_only_grow_stop_nobody(step: Operation) -> None:
    assert judge(step) == []


@pytest.mark.parametrize(
    "step",
    [
        do.RemoveField("Thing", "note"),
        do.DeleteModel("Thing"),
        do.RenameField("Thing", "name", "title"),
        do.RenameModel("Thing", "Item"),
        do.AlterModelTable("Thing", "things"),
        do.AddField("Thing", "colour", models.CharField(max_length=9, default="red")),
        do.AlterField("Thing", "note", models.TextField()),
        do.AlterField("Thing", "name", models.CharField(max_length=10)),
        do.AlterField("Thing", "name", models.IntegerField()),
    ],
)
def test_what_the_old_version_fails_on_stops_it_first(step: Operation) -> None:
    assert judge(step) == [Impact.STOP]


def test_index_lets_writes_wait() -> None:
    assert judge(do.AddIndex("Thing", models.Index(fields=["name"], name="thing_by_name"))) == [Impact.WAIT]


def test_table_that_is_new_concerns_nobody() -> None:
    made = do.CreateModel("Other", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())])
    assert judge(made, do.AddField("Other", "size", models.IntegerField(default=1))) == []


def test_each_operation_is_judged_after_those_before_it() -> None:
    needed = do.AlterField("Thing", "text", models.TextField())
    assert judge(do.RenameField("Thing", "note", "text"), needed) == [Impact.STOP, Impact.STOP]


@pytest.mark.django_db
def test_database_that_has_everything_needs_no_stop() -> None:
    out = StringIO()
    call_command("check_upgrade", stdout=out)
    assert out.getvalue() == "The version that is at work can stay so while you migrate.\n"


@pytest.mark.django_db
def test_command_names_what_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    hazards = [Hazard(Impact.STOP, "shop.0002_more", "Remove field note from thing")]
    monkeypatch.setattr("portal.management.commands.check_upgrade.find_hazards", lambda _connection: hazards)
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_upgrade", stdout=out)
    assert end.value.code == 3
    assert "stop: shop.0002_more: Remove field note from thing" in out.getvalue()
