"""A company whose kintone is mirrored and judged, without a run: for what happens between the portal and kintone."""

from django.db.models import F

from accounts.models import AppKind, Record
from syncer.mirror.records import load_records, store_in_force
from syncer.models import AppState
from syncer.preparing import read_wish
from syncer.records.rhythm import Occasion


def look_at_kintone() -> None:
    """Read both apps into the mirror, as a run begins."""
    read_wish(Occasion.CHECKED)


def judge_everything() -> None:
    """As a run leaves it where everybody may do what he did: the newest revisions are in force."""
    for state in AppState.objects.all():
        records = load_records(AppKind(state.kind), state.fields)
        store_in_force(records, {str(record.reference) for record in records if record.wish})
    Record.objects.update(is_settled=True, in_force_revision=F("revision"))


def catch_up() -> None:
    look_at_kintone()
    judge_everything()
