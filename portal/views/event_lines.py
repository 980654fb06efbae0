"""A page of the audit trail as lines: who did what to which thing, and where that thing is shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils import timezone

from accounts.activity_sentences import find_icon, show_action
from accounts.models import Account, AuditEvent, Record
from portal.views.definitions import describe_record
from portal.views.differences import FieldDifference
from portal.views.event_values import as_mapping, build_values
from syncer.drafts.undoing import WITHIN
from syncer.telling.messages import space_digits

_REMOVALS = frozenset({"record.take_out", "record.end"})


@dataclass(frozen=True)
class EventLine:
    """One event. `thing` is what it was done to, with `url` where that has a page; `places` are links beside it."""

    event: AuditEvent
    word: str
    icon: str
    who: str
    who_url: str
    thing: str
    url: str
    places: Sequence[tuple[str, str]]
    values: Sequence[FieldDifference]

    @property
    def day(self) -> date:
        return timezone.localtime(self.event.at).date()

    @property
    def clock(self) -> str:
        return f"{timezone.localtime(self.event.at):%H:%M}"

    @property
    def undo(self) -> int:
        """The draft of a removal that can still be undone by who made it; 0 for everything else."""
        event = self.event
        kind, _blank, number = event.outcome.partition(" ")
        is_fresh = event.action in _REMOVALS and event.at + WITHIN > timezone.now()
        return int(number) if is_fresh and kind == "draft" and number.isdecimal() else 0

    @property
    def exact(self) -> str:
        return f"{timezone.localtime(self.event.at):%Y-%m-%d %H:%M:%S %Z}"


def build_lines(events: Sequence[AuditEvent], known: Mapping[str, str] | None = None) -> list[EventLine]:
    """In a constant number of statements: names of accounts and of records, for all lines at once.

    known: account id → name, of accounts that the page has already.
    """
    names = dict(known or {})
    wanted = {event.about_account for event in events} - {"", *names}
    names.update(Account.objects.filter(account_id__in=wanted).values_list("account_id", "name"))
    titles = _load_titles({event.about_record for event in events} - {""})
    return [_build_line(event, names, titles) for event in events]


def _load_titles(references: Iterable[str]) -> Mapping[str, str]:
    pairs = [reference.partition(":")[::2] for reference in references]
    rows = Record.objects.filter(record_id__in={record_id for _app, record_id in pairs})
    return {row.reference: describe_record(row) for row in rows}


def _build_line(event: AuditEvent, names: Mapping[str, str], titles: Mapping[str, str]) -> EventLine:
    return EventLine(
        event=event,
        word=show_action(event.action),
        icon=find_icon(event.action),
        who=event.actor_name,
        who_url=_find_page_of_actor(event),
        thing=describe_thing(event),
        url=_find_url(event),
        places=list(_iter_places(event, names, titles)),
        values=build_values(event),
    )


def describe_thing(event: AuditEvent) -> str:
    """What it was done to, in the words of the event; empty where an account or a record stands for it."""
    if event.object_type == "assignment":
        facts = {**as_mapping(event.before), **as_mapping(event.after)}
        return " · ".join(filter(None, (str(facts.get(name) or "") for name in ("permission_set", "principal"))))
    if event.object_type in ("account", "record", "draft") and (event.about_account or event.about_record):
        return ""
    return "" if event.object_name == event.actor_name else event.object_name


def _find_page_of_actor(event: AuditEvent) -> str:
    person = event.actor.person_id if event.actor else None
    return reverse("person_detail", args=[person]) if person else ""


def _find_url(event: AuditEvent) -> str:
    kind, key = event.object_type, event.object_id
    if kind == "permission_set" and not key.isdecimal():
        return f"{reverse('permission_set_list')}?q={key}"
    address = {
        "permission_set": "permission_set_detail",
        "person": "person_detail",
        "run": "run_detail",
        "ou": "unit_detail",
    }.get(kind)
    return reverse(address, args=[int(key)]) if address and key.isdecimal() else ""


def _iter_places(event: AuditEvent, names: Mapping[str, str], titles: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if event.about_account:
        name = names.get(event.about_account, space_digits(event.about_account))
        yield name, reverse("account_detail", args=[event.about_account])
    if event.about_record:
        title = titles.get(event.about_record)
        text = f"{title} ({event.about_record})" if title and title != event.about_record else event.about_record
        yield text, reverse("record_redirect", args=event.about_record.split(":"))
