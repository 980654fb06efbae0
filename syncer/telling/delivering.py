"""The outbox's end towards single people: letters of one kind to one person go out as one message, in Slack or by mail.

A worker that dies between sending and noting it makes the person get that one message twice; a mail then has the same
Message-ID. Whom Slack does not know is told by mail, where there is mail.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, override

from accounts import stops
from accounts.models import Person
from syncer.gateways.errors import GatewayError, NotFound, Temporary
from syncer.gateways.mail import Mail
from syncer.models import Letter, LetterChoice, LetterSettings
from syncer.states import Reason
from syncer.telling.letter_wording import Message, build_message, find_language, write_html, write_slack, write_text
from syncer.telling.letters import may_be_told
from syncer.telling.outbox import claim, is_due, postpone

logger = logging.getLogger(__name__)

BATCH = 50  # messages of a pass, by each way
CLAIM = timedelta(minutes=5)  # longer than all tries of one message can take
LIFE = timedelta(days=2)  # what nobody could be told by then is no news any more
Way = Letter.Way


class People(Protocol):
    """What of Slack's bot is asked."""

    def find_person(self, email: str) -> str: ...
    def post_to(self, person: str, text: str) -> None: ...


class Posts(Protocol):
    """What of the mailer is asked."""

    def send(self, mail: Mail) -> None: ...


@dataclass
class Carriers:
    """By what letters can go out now. One that is away is not asked again in this pass."""

    slack: People | None = None
    mail: Posts | None = None
    away: set[str] = field(default_factory=set)

    def list_ways(self, wanted: str) -> list[str]:
        """The ways to try, in their order."""
        there = {Way.SLACK.value: self.slack, Way.MAIL.value: self.mail}
        ways = [Way.SLACK.value, Way.MAIL.value] if wanted == Way.SLACK else [Way.MAIL.value]
        return [way for way in ways if there[way] is not None]


def send_letters(carriers: Carriers, *, at_once: bool = False) -> int:
    """Send what is due; how many messages went out. `at_once`: without waiting for what may come beside it."""
    now = timezone.now()
    _give_up_old(now)
    chosen, sent = LetterSettings.load(), 0
    for letters in _list_bundles(now, _group_kinds(chosen, carriers), at_once=at_once):
        try:
            sent += _send_bundle(letters, chosen.find_way(letters[0].kind), carriers)
        except Exception:  # one that cannot be written keeps nobody else from being told
            logger.exception("letters: those to person %s could not be written", letters[0].person_id)
    return sent


def _group_kinds(chosen: LetterSettings, carriers: Carriers) -> list[list[str]]:
    """The kinds of letters by the way that they take first; what has no way now waits, and what is off ends.

    Each way has its own turn in a pass, so that one that does not answer keeps nobody waiting for the other.
    """
    by_way: dict[str, list[str]] = {}
    for kind in Letter.Kind.values:
        wanted = chosen.find_way(kind)
        ways = carriers.list_ways(wanted) if wanted else [""]
        if ways:
            by_way.setdefault(ways[0], []).append(kind)
    return list(by_way.values())


def _list_bundles(now: datetime, groups: Iterable[Sequence[str]], *, at_once: bool) -> list[list[Letter]]:
    """Letters by person and kind, wherever one is due: the fresh ones come along though their time is not up."""
    open_letters = Letter.objects.filter(sent_at__isnull=True, ended_at__isnull=True)
    due = open_letters if at_once else open_letters.filter(is_due(now))
    keys = [key for kinds in groups for key in _list_keys(due.filter(kind__in=kinds))]
    rows = open_letters.filter(person__in={person for person, _kind in keys})
    rows = rows.select_related("person__principal", "person__user")
    bundles: dict[tuple[int, str], list[Letter]] = {key: [] for key in keys}
    for letter in rows.order_by("pk"):
        is_ripe = letter.attempts == 0 or letter.retry_at is None or letter.retry_at <= now
        if is_ripe and (bundle := bundles.get((letter.person_id, letter.kind))) is not None:
            bundle.append(letter)
    return [bundle for bundle in bundles.values() if bundle]


def _list_keys(due: QuerySet[Letter]) -> list[tuple[int, str]]:
    return list(dict.fromkeys(due.order_by("pk").values_list("person_id", "kind")[: BATCH * 20]))[:BATCH]


def _send_bundle(letters: list[Letter], wanted: str, carriers: Carriers) -> bool:
    person = letters[0].person
    if not wanted or not _wants(person, letters[0].kind) or not may_be_told(person, stops.find_locked()):
        _end(letters)
        return False
    ways = carriers.list_ways(wanted)
    if not ways or ways[0] in carriers.away:
        return False
    mine = [letter for letter in letters if claim(letter, CLAIM)]
    message = build_message(mine, find_language(person)) if mine else None
    if message is None:
        _end(mine)
        return False
    return _try_ways(mine, message, ways, carriers)


def _try_ways(letters: list[Letter], message: Message, ways: Sequence[str], carriers: Carriers) -> bool:
    error: GatewayError | None = None
    for way in ways:
        try:
            _carry(letters, message, way, carriers)
        except NotFound as missing:
            error = missing  # the next way may know him
        except GatewayError as failure:
            error = failure
            break
        else:
            _note_sent(letters, way)
            return True
    if error is not None:
        if isinstance(error, Temporary):
            carriers.away.add(way)
        _postpone(letters, error)
    return False


def _carry(letters: Sequence[Letter], message: Message, way: str, carriers: Carriers) -> None:
    address = find_address(letters[0].person)
    if way == Way.SLACK and carriers.slack:
        carriers.slack.post_to(carriers.slack.find_person(address), write_slack(message))
    elif carriers.mail:
        carriers.mail.send(build_mail(letters, message, address))


def find_address(person: Person) -> str:
    """His mail address, as Identity Center has it. Raises NotFound where there is none."""
    principal = person.principal
    user = getattr(person, "user", None)
    known = (principal.email if principal else "", person.email, user.email if user else "")
    for address in known:
        try:
            validate_email(address)
        except ValidationError:
            continue
        return str(address)
    raise NotFound("address", Reason("letter_no_address"))


def build_mail(letters: Sequence[Letter], message: Message, address: str) -> Mail:
    identity = sha256(" ".join(str(letter.pk) for letter in letters).encode()).hexdigest()[:24]
    headers = {
        "Message-ID": f"<{identity}@{settings.PUBLIC_HOST or 'localhost'}>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": message.language,
        "List-Unsubscribe": f"<{message.choice_url}>",
    }
    return Mail(address, " ".join(message.subject.split()), write_text(message), write_html(message), headers)


def _wants(person: Person, kind: str) -> bool:
    choice = LetterChoice.objects.filter(user__person=person).first()
    return choice is None or choice.wants(kind)


# --- Rows -------------------------------------------------------------------------------------------------------------


def _rows(letters: Iterable[Letter]) -> list[int]:
    return [letter.pk for letter in letters]


def _note_sent(letters: Sequence[Letter], way: str) -> None:
    Letter.objects.filter(pk__in=_rows(letters)).update(sent_at=timezone.now(), error="", way=way)


def _end(letters: Sequence[Letter]) -> None:
    Letter.objects.filter(pk__in=_rows(letters)).update(ended_at=timezone.now())


def _postpone(letters: Sequence[Letter], error: GatewayError) -> None:
    for letter in letters:
        postpone(letter, error)
    logger.warning("letters: %d letters to person %s were not sent: %s", len(letters), letters[0].person_id, error)


def _give_up_old(now: datetime) -> None:
    old = Letter.objects.filter(sent_at__isnull=True, ended_at__isnull=True, created_at__lte=now - LIFE)
    with override(settings.LANGUAGE_CODE):
        text = gettext("Nobody was told: neither Slack nor mail could be used.")
    old.filter(error="").update(error=text, ended_at=now)
    old.update(ended_at=now)
