"""The row that all processes take from, where there is no Redis."""

import logging
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from pytest_django import DjangoDbBlocker, Settings

from syncer import buckets
from syncer.buckets import DatabaseStore, RedisStore
from syncer.connections import build_pacer
from syncer.gateways.pacing import Grant, Pace, StoreAway
from syncer.models import Bucket
from tests.services.processes import free_port

TEN = Pace(10)
NOW = 1_900_000_000.0

# A test's transaction would hide its rows from the store. Only our tables are emptied after it: the schedule, which
# migrations brought, is for the other tests.
on_real_rows = pytest.mark.django_db(transaction=True, available_apps=["syncer"])


@pytest.fixture(scope="module", autouse=True)
def _rows_of_migrations(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What migrations wrote is emptied, too; another file's tests, which a worker may take on afterwards, need it."""
    with django_db_blocker.unblock():
        rows = [row for model in apps.get_app_config("syncer").get_models() for row in model._base_manager.all()]
    yield
    with django_db_blocker.unblock():
        for row in rows:
            row.save_base(raw=True)


@pytest.fixture(autouse=True)
def _close_copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Django keeps connections to a database in memory open; what the store opened ends with the test."""
    copies: list[BaseDatabaseWrapper] = []
    copy = buckets._copy_connection

    def remember() -> BaseDatabaseWrapper:
        copies.append(copy())
        return copies[-1]

    monkeypatch.setattr(buckets, "_copy_connection", remember)
    yield
    for each in copies:
        if each.connection is not None:
            each.connection.close()


def make_store(now: float = NOW) -> DatabaseStore:
    return DatabaseStore("test", TEN, clock=lambda: now)


def paid_until() -> float:
    return Bucket.objects.get(name="test").paid_until - NOW


@on_real_rows
def test_first_caller_finds_what_was_saved() -> None:
    assert make_store().take(urgent=False) == Grant(2, -0.5)
    assert paid_until() == pytest.approx(-0.3, abs=1e-5)


@on_real_rows
def test_portion_that_stands_keeps_patient_callers_waiting() -> None:
    store = make_store()
    for _ in range(3):
        assert store.take(urgent=False).amount == 2
    assert store.take(urgent=False).amount == 0
    assert paid_until() == pytest.approx(0.1, abs=1e-5)


@on_real_rows
def test_urgent_caller_takes_one_on_credit() -> None:
    Bucket.objects.create(name="test", paid_until=NOW + 1)
    assert make_store().take(urgent=True) == Grant(1, 0.0)
    assert paid_until() == pytest.approx(1.1, abs=1e-5)


@on_real_rows
def test_buckets_of_other_names_do_not_meet() -> None:
    Bucket.objects.create(name="another", paid_until=NOW + 1)
    assert make_store().take(urgent=False).amount == 2


@on_real_rows
def test_who_was_overtaken_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process takes between the look and the write."""
    store, find = make_store(), DatabaseStore._find
    overtakers = [make_store()]

    def find_and_be_overtaken(self: DatabaseStore, cursor: CursorWrapper) -> float:
        found = find(self, cursor)
        if overtakers:
            overtakers.pop().take(urgent=True)
        return found

    monkeypatch.setattr(DatabaseStore, "_find", find_and_be_overtaken)
    store.take(urgent=True)
    assert paid_until() == pytest.approx(-0.3, abs=1e-5)


@on_real_rows
def test_taking_is_no_part_of_the_callers_transaction() -> None:
    """On SQLite its lock would be in the way: then the store is away for this caller, at once and without harm."""
    store = make_store()
    store.take(urgent=True)
    with transaction.atomic():
        Bucket.objects.create(name="mine")
        if connection.vendor == "sqlite":
            with pytest.raises(StoreAway):
                store.take(urgent=True)
        else:
            store.take(urgent=True)
        transaction.set_rollback(True)
    assert paid_until() == pytest.approx(-0.4 if connection.vendor == "sqlite" else -0.3, abs=1e-5)


def test_redis_that_does_not_answer_is_away() -> None:
    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0", "test", TEN)
    with pytest.raises(StoreAway):
        store.take(urgent=False)


@on_real_rows
def test_without_redis_the_row_is_taken_from(settings: Settings) -> None:
    settings.REDIS_URL = ""
    pacer = build_pacer()
    assert pacer is not None
    pacer.acquire()
    assert Bucket.objects.get().name == "sso-admin"


@on_real_rows
def test_with_redis_away_requests_go_on(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    pacer = build_pacer()
    assert pacer is not None
    with caplog.at_level(logging.WARNING):
        pacer.acquire()
        pacer.acquire(urgent=True)
    assert caplog.text.count("the shared bucket is away") == 1
    assert not Bucket.objects.exists()
