"""Letters as one message to one person, in his own language where it is known.

What is to be said is worked out once, as values, and written three times: for Slack, as plain text and as HTML. Names
are escaped wherever they would be more than text, and stay on one line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override

from accounts.access_portal import find_access_portal
from accounts.models import Person, Stage, User
from accounts.sentences import join, render
from accounts.shortcuts import build_console_link
from syncer.models import Letter
from syncer.telling.matters import shorten
from syncer.telling.messages import LONGEST, escape

MOST = 20  # things of a section that are named before it says how many more there are
LONGEST_NAME = 120
LONGEST_DETAIL = 400
_LINK_SIGNS = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", " ": "%20"})


class Line(NamedTuple):
    """One thing: what it is and where it leads, and what there is to say about it."""

    text: str
    detail: str = ""
    url: str = ""
    more_url: str = ""
    more_word: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    lines: tuple[Line, ...]
    more: int = 0

    @property
    def more_words(self) -> str:
        return gettext("and %(count)d more") % {"count": self.more} if self.more else ""


@dataclass(frozen=True)
class Message:
    subject: str
    sections: tuple[Section, ...]
    language: str
    more_url: str  # the page that has it all
    choice_url: str  # where one says what one wants to be told


def find_language(person: Person) -> str:
    """The one he chose in the portal, else the company's."""
    user = User.objects.filter(person=person).first()
    language = user.language if user else ""
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def build_message(letters: Sequence[Letter], language: str) -> Message | None:
    """One message of letters of one kind to one person; None where what they say comes to nothing."""
    with override(language):
        build = {
            Letter.Kind.ACCESS: _tell_access, Letter.Kind.EXPIRY: _tell_expiry, Letter.Kind.LEAVER: _tell_leavers,
            Letter.Kind.SHORTCUT: _tell_shortcuts,
        }  # fmt: skip
        subject, sections, path = build[Letter.Kind(letters[0].kind)](letters)
        if not any(section.lines for section in sections):
            return None
        shown = tuple(section for section in sections if section.lines)
        return Message(subject, shown, language, f"{settings.PUBLIC_URL}{path}", f"{settings.PUBLIC_URL}/messages/")


def describe_letter(letter: Letter) -> str:
    """What it tells, in one line of the active language, not escaped."""
    place = shorten(str(letter.params.get("name", "")), LONGEST_NAME) or _name_place(letter.params)
    return f"{place}: {_explain(letter)}" if place else _explain(letter)


_Parts = tuple[str, tuple[Section, ...], str]


def _tell_access(letters: Sequence[Letter]) -> _Parts:
    """What there is now that was not, and the other way round: what came and went meanwhile is no news."""
    kept = _settle(letters)
    gains = [letter for letter in kept if letter.params.get("is_gain")]
    losses = [letter for letter in kept if not letter.params.get("is_gain")]
    access_portal = find_access_portal()
    portal_url = access_portal.url if access_portal else ""
    sections = (
        _build_section(gettext("You can enter now"), [_build_access_line(letter, portal_url) for letter in gains]),
        _build_section(gettext("You cannot enter any more"), [_build_access_line(letter, "") for letter in losses]),
    )
    subject = gettext("Your access to AWS: %(gains)d new, %(losses)d ended")
    return subject % {"gains": len(gains), "losses": len(losses)}, sections, "/"


def _settle(letters: Sequence[Letter]) -> list[Letter]:
    first: dict[tuple[Any, Any], Letter] = {}
    last: dict[tuple[Any, Any], Letter] = {}
    for letter in letters:
        place = (letter.params.get("account_id"), letter.params.get("set"))
        first.setdefault(place, letter)
        last[place] = letter
    return [
        letter for place, letter in last.items() if letter.params.get("is_gain") == first[place].params.get("is_gain")
    ]


def _build_access_line(letter: Letter, portal_url: str) -> Line:
    params = letter.params
    details = [render(letter.code, params).message]
    if day := _show_day(params.get("day")):
        details.append(gettext("Until %(day)s.") % {"day": day})
    if params.get("sessions_at"):
        details.append(render("letter_sessions", params).message)
    url = build_console_link(portal_url, params["account_id"], params["set"]) if portal_url else ""
    return Line(_name_place(params), _join(details), url, _find_url(letter), gettext("record"))


def _tell_expiry(letters: Sequence[Letter]) -> _Parts:
    days = sorted({str(letter.params.get("day", "")) for letter in letters})
    sections = tuple(
        _build_section(
            gettext("Last day: %(day)s") % {"day": _show_day(day)},
            [_build_line(letter, gettext("Extend")) for letter in letters if letter.params.get("day") == day],
        )
        for day in days
    )
    count = len(letters)
    subject = ngettext("Access ends soon: %(count)d record", "Access ends soon: %(count)d records", count)
    return subject % {"count": count}, sections, "/problems/?mine=1"


def _tell_leavers(letters: Sequence[Letter]) -> _Parts:
    who = list(dict.fromkeys(str(letter.params.get("who", "")) for letter in letters))
    names = ", ".join(shorten(name, LONGEST_NAME) for name in who[:3])
    ended = [_build_line(letter) for letter in letters if letter.code == "letter_left"]
    alone = [_build_line(letter) for letter in letters if letter.code != "letter_left"]
    sections = (
        _build_section(gettext("Access that ended"), ended),
        _build_section(gettext("What nobody looks after now"), alone),
    )
    return gettext("Left: %(names)s") % {"names": names}, sections, "/problems/?mine=1"


def _tell_shortcuts(letters: Sequence[Letter]) -> _Parts:
    lines = [
        Line(
            shorten(str(letter.params.get("name", "")), LONGEST_NAME),
            _explain(letter),
            "",
            _find_url(letter),
            gettext("See it"),
        )
        for letter in letters
    ]
    subject = ngettext(
        "A shortcut of yours leads nowhere", "%(count)d shortcuts of yours lead nowhere", len(lines)
    )  # fmt: skip
    sections = (_build_section(gettext("Shortcuts that lead nowhere"), lines),)
    return subject % {"count": len(lines)}, sections, "/shortcuts/"


def _build_section(title: str, lines: Sequence[Line]) -> Section:
    return Section(title, tuple(lines[:MOST]), max(len(lines) - MOST, 0))


def _build_line(letter: Letter, more_word: str = "") -> Line:
    return Line(_name_place(letter.params), _explain(letter), "", _find_url(letter), more_word or gettext("See it"))


def _explain(letter: Letter) -> str:
    said = render(letter.code, letter.params)
    return shorten(said.text, LONGEST_DETAIL)


def _join(sentences: Iterable[str]) -> str:
    text = ""
    for sentence in sentences:
        text = join(text, shorten(sentence, LONGEST_DETAIL))
    return text


def _name_place(params: Any) -> str:
    account = shorten(str(params.get("account") or params.get("account_id") or ""), LONGEST_NAME)
    stage = str(params.get("stage") or "")
    if stage in Stage.values:
        account = gettext("%(account)s (%(stage)s)") % {"account": account, "stage": Stage(stage).label}
    return " × ".join(filter(None, (account, shorten(str(params.get("set") or ""), LONGEST_NAME))))


def _show_day(text: Any) -> str:
    day = parse_date(str(text)) if text else None
    return date_format(day, "DATE_FORMAT") if day else ""


def _find_url(letter: Letter) -> str:
    return f"{settings.PUBLIC_URL}{letter.path}" if letter.path else ""


# --- Writing ----------------------------------------------------------------------------------------------------------


def write_slack(message: Message) -> str:
    """In Slack's mrkdwn."""
    with override(message.language):
        links = [
            f"<{message.more_url}|{gettext('Open in Genkan')}>",
            f"<{message.choice_url}|{gettext('Choose what you are told')}>",
        ]
        end = " · ".join(links)
        kept, left = [f"*{escape(message.subject)}*"], LONGEST - len(end) - len(message.subject) * 4
        for line in _list_slack_lines(message):
            left -= len(line) + 1
            if left < 0:
                break
            kept.append(line)
        return "\n".join([*kept, end])


def _list_slack_lines(message: Message) -> Iterable[str]:
    for section in message.sections:
        yield f"*{escape(section.title)}*"
        for line in section.lines:
            name = _link(line.url, line.text)
            more = f" ({_link(line.more_url, line.more_word)})" if line.more_url else ""
            yield f"• {name}: {escape(line.detail)}{more}"
        if section.more:
            yield section.more_words


def _link(url: str, text: str) -> str:
    return f"<{url.translate(_LINK_SIGNS)}|{escape(text)}>" if url else escape(text)


def write_text(message: Message) -> str:
    with override(message.language):
        return render_to_string("letters/letter.txt", {"message": message})


def write_html(message: Message) -> str:
    with override(message.language):
        return render_to_string("letters/letter.html", {"message": message})
