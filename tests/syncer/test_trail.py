"""Access that came and went, in the audit trail."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from syncer.models import Change
from syncer.trail import record_success
from tests import factories
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


def test_grant_and_removal_are_in_the_trail_with_their_record(world: World) -> None:
    world.register_set("Reader")
    reference = world.register("shop", "Reader", "hana")
    assert sync().code == 0
    granted = AuditEvent.objects.get(action="access.granted")
    assert granted.after is not None
    assert granted.after["record"] == reference
    world.edit(reference, users=["ken"])
    assert sync().code == 0
    removed = AuditEvent.objects.get(action="access.removed")
    assert (removed.object_id, removed.actor) == (granted.object_id, None)
    assert removed.before is not None
    assert (removed.before["cause"], removed.before["principal"]) == ("withdrawn", granted.after["principal"])


def test_removal_says_until_when_open_sessions_can_go_on() -> None:
    ended = timezone.now()
    details = [{"field": "open_sessions", "before": "", "after": "PT1H30M"}]
    change = factories.make_change(factories.make_run(), kind="delete", details=details, finished_at=ended)
    record_success(change)
    event = AuditEvent.objects.get(action="access.removed")
    assert event.after == {"sessions_until": (ended + timedelta(minutes=90)).isoformat(timespec="seconds")}


@pytest.mark.parametrize(("kind", "word"), [("create", "created"), ("update", "updated"), ("delete", "deleted")])
def test_change_of_a_set_is_in_the_trail(kind: str, word: str) -> None:
    change = factories.make_change(factories.make_run(), kind=kind, object=Change.Object.PERMISSION_SET)
    record_success(change)
    assert AuditEvent.objects.get().action == f"permission_set.{word}"
