"""Last days in the mirror: those that have passed are looked at by the next run, those ahead are told."""

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import Assignment, Instance, Record, RecordPerson, Wish
from syncer.models import Notice
from syncer.telling.reminders import WEEK, Ahead, LastDay, Reminder, find_reminders


def company_day(now: datetime) -> date:
    """The date in the company's own time zone: a last day ends at its midnight."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def unsettle_ended(now: datetime) -> int:
    """Records whose last day has passed while AWS still has what they gave count as changed; how many.

    Only where the end can be carried out, so that nothing is looked at again and again for nothing.
    """
    ended = Wish.objects.filter(
        is_current=True,
        expires_on__lt=company_day(now),
        assignment__in_aws=True,
        assignment__retry_at=None,
        assignment__account__state="ACTIVE",
        assignment__permission_set__ownership="ours",
    )
    return Record.objects.filter(pk__in=ended.values("record"), is_settled=True).update(is_settled=False)


# --- Telling ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def store_reminders(now: datetime) -> int:
    """Write what is to be told about last days into the outbox; how many notices are new."""
    today = company_day(now)
    list(Instance.objects.select_for_update())  # two of these at once would tell everything twice
    last_days = load_last_days(today)
    keys = [Reminder(ahead, ends).key for ends in last_days for ahead in Ahead]
    told = set(Notice.objects.filter(key__in=keys).values_list("key", flat=True))
    notices = [_build_notice(reminder, now) for reminder in find_reminders(last_days, today, told)]
    Notice.objects.bulk_create(notices)
    return len(notices)


def _build_notice(reminder: Reminder, now: datetime) -> Notice:
    ends = reminder.ends
    app_id, _colon, record_id = ends.record.partition(":")
    return Notice(
        kind=Notice.Kind.PEOPLE,
        key=reminder.key,
        code="last_day_tomorrow" if reminder.ahead is Ahead.DAY else "last_day_week",
        params={
            "record": ends.record,
            "account": ends.account,
            "set": ends.permission_set,
            "day": ends.day.isoformat(),
            "names": ", ".join(ends.names),
            "owners": list(ends.owners),
        },
        path=f"/records/{app_id}/{record_id}/extend/",
        created_at=now,
        ended_at=now,  # it happens once: no later run finds it over
    )


def load_last_days(today: date) -> list[LastDay]:
    """What ends within a week by the longest wish for it, gathered by record."""
    wishes = (
        Wish.objects.filter(is_current=True, expires_on__gte=today, expires_on__lte=today + WEEK)
        .filter(expires_on=F("assignment__expires_on"), record__gone_at=None, is_refused=False)
        .exclude(assignment__state=Assignment.State.REMOVED)
        .select_related("record", "assignment__account", "assignment__permission_set", "assignment__principal")
        .prefetch_related("record__people")
        .order_by("record_id", "assignment__principal__name_key")
    )
    by_record: dict[tuple[int, date], list[Wish]] = defaultdict(list)
    for wish in wishes:
        if wish.expires_on:
            by_record[wish.record_id, wish.expires_on].append(wish)
    return [_build_last_day(day, group) for (_record, day), group in by_record.items()]


def _build_last_day(day: date, wishes: list[Wish]) -> LastDay:
    record, assignment = wishes[0].record, wishes[0].assignment
    return LastDay(
        record=record.reference,
        account=assignment.account.name,
        permission_set=assignment.permission_set.name,
        day=day,
        written_on=company_day(record.updated_at),
        names=tuple(str(wish.assignment.principal) for wish in wishes),
        owners=_read_owners(record),
    )


def _read_owners(record: Record) -> tuple[str, ...]:
    """kintone codes of the owners, and of the author where there are none."""
    owners = tuple(person.code for person in record.people.all() if person.role == RecordPerson.Role.OWNER)
    return owners or ((record.creator_code,) if record.creator_code else ())
