"""The audit trail: what an event is found by, and that nobody changes it, not even with SQL of his own."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.audit import record_event
from accounts.audit_about import About, find_about
from accounts.models import AuditEvent
from tests import factories

OWN_WORDS = {
    "postgresql": (
        "TRUNCATE accounts_auditevent",
        "SET LOCAL session_replication_role = replica; DELETE FROM accounts_auditevent",
    ),
    "sqlite": ("INSERT OR REPLACE INTO accounts_auditevent SELECT * FROM accounts_auditevent",),
}
"""What only one of the databases can be told."""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET actor_name = 'somebody else'",
        "DELETE FROM accounts_auditevent",
        "DELETE FROM accounts_auditevent WHERE action = 'account.freeze'",
        (
            "INSERT INTO accounts_auditevent SELECT * FROM accounts_auditevent WHERE true"
            " ON CONFLICT (id) DO UPDATE SET actor_name = ''"
        ),
        *OWN_WORDS[connection.vendor],
    ],
)
def test_database_refuses_every_change(statement: str) -> None:
    event = record_event("account.freeze", by="somebody")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEvent.objects.get().actor_name == event.actor_name


@pytest.mark.django_db
def test_models_refuse_every_change() -> None:
    event = record_event("account.freeze")
    for change in (event.save, event.delete, AuditEvent.objects.all().delete, AuditEvent.objects.all().update):
        with pytest.raises(TypeError):
            change()


@pytest.mark.django_db
def test_account_may_go_and_its_events_stay() -> None:
    user, account = factories.make_user(), factories.make_account()
    record_event("account.freeze", actor=user, obj=("account", account.account_id, account.name))
    account.delete()
    user.delete()
    assert AuditEvent.objects.get().about_account == account.account_id


@pytest.mark.parametrize(
    ("obj", "before", "after", "found"),
    [
        (("account", "012345678901", "x"), None, None, About(account="012345678901")),
        (("assignment", "x", "x"), {"account_id": "012345678901", "principal_id": "p-1", "record": "24:7"}, None,
         About("012345678901", "p-1", "24:7")),
        (("record", "24:7", "24:7"), None, {"account_id": "012345678901"}, About("012345678901", record="24:7")),
        (("draft", "3", "24:7"), {"account_id": "111111111111"}, {"account_id": "222222222222"},
         About("222222222222", record="24:7")),
        (("draft", "3", ""), None, {"account_id": "not an id", "record": 7}, About()),
        (("user", "012345678901", "012345678901"), None, ["account_id"], About()),
    ],
)  # fmt: skip
def test_event_is_found_by_what_it_names(obj: tuple[str, str, str], before: Any, after: Any, found: About) -> None:
    assert find_about(obj, before, after) == found


def test_what_is_given_goes_before_what_is_found() -> None:
    about = find_about(("account", "012345678901", ""), None, {"principal_id": "p-1"}, About(principal="p-2"))
    assert about == About("012345678901", "p-2")
