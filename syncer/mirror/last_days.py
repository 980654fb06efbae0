"""Last days in the mirror: those that have passed are looked at by the next run, those ahead are told."""

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import Assignment, Instance, Person, Record, RecordPerson, Wish
from accounts.names import fold
from syncer.models import Letter, Notice
from syncer.telling.letters import build_letter, find_owners, find_people, is_told, write_letters
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
    _write_letters(find_reminders(last_days, today, ()), now)
    return len(notices)


def _write_letters(reminders: list[Reminder], now: datetime) -> None:
    """Tell the owners of record and account, each once. Their keys stand: who was told is not told again."""
    if not reminders or not is_told(Letter.Kind.EXPIRY):
        return
    of_accounts = find_owners({reminder.ends.account_id for reminder in reminders})
    of_codes = find_people(code for reminder in reminders for code in reminder.ends.owners)
    letters = []
    for reminder in reminders:
        named = [of_codes[key] for code in reminder.ends.owners if (key := fold(code)) in of_codes]
        people = {person.pk: person for person in (*named, *of_accounts[reminder.ends.account_id])}
        letters += [_build_letter(reminder, person) for person in people.values()]
    write_letters(letters, now)


def _build_letter(reminder: Reminder, person: Person) -> Letter:
    ends = reminder.ends
    params = {
        "account_id": ends.account_id, "account": ends.account, "stage": ends.stage, "set": ends.permission_set,
        "day": ends.day.isoformat(), "names": ", ".join(ends.names),
    }  # fmt: skip
    key = f"{reminder.key}:{person.pk}"
    return build_letter(person, Letter.Kind.EXPIRY, "letter_ends", params, path=_find_path(ends), key=key)


def _find_path(ends: LastDay) -> str:
    app_id, _colon, record_id = ends.record.partition(":")
    return f"/records/{app_id}/{record_id}/extend/"


def _build_notice(reminder: Reminder, now: datetime) -> Notice:
    ends = reminder.ends
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
        path=_find_path(ends),
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
        account_id=assignment.account.account_id,
        stage=assignment.account.stage,
    )


def _read_owners(record: Record) -> tuple[str, ...]:
    """kintone codes of the owners, and of the author where there are none."""
    owners = tuple(person.code for person in record.people.all() if person.role == RecordPerson.Role.OWNER)
    return owners or ((record.creator_code,) if record.creator_code else ())
