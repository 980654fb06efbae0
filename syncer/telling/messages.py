"""A notice as the text of a message, in the company's language.

Slack reads `<…>` as links and mentions and `&` as the beginning of an entity; everything that comes from names is
escaped, and told on one line, so that nobody's name is a link, a mention or a line of ours.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext, override

from accounts.models import Stage
from accounts.sentences import render, render_reason
from syncer.gateways.errors import GatewayError
from syncer.models import Notice
from syncer.telling.matters import shorten

LONGEST = 2900  # characters; Slack takes 3,000 in a section
LONGEST_LINE = 600


def render_notice(notice: Notice) -> str:
    """The message in Slack's mrkdwn, with a link to the portal's page."""
    with override(settings.LANGUAGE_CODE):
        lines = [*_head(notice), *_items(_find_params(notice))]
        if notice.ended_at and notice.ended_at > notice.created_at:
            lines.append(gettext("It is over meanwhile."))
        link = f"<{settings.PUBLIC_URL}{notice.path}|{gettext('Open in Genkan')}>"
        return _fit(lines, link)


def _find_params(notice: Notice) -> Mapping[str, Any]:
    """What it is about; the end of a matter is about what the matter was."""
    was: Mapping[str, Any] = notice.params.get("was") or {}
    return was.get("params") or {} if was else notice.params


def _head(notice: Notice) -> Iterable[str]:
    """What, why, and the way out. The reasons of a hold and of what is over have none that would help here."""
    yield f"*{_line(capfirst(notice.get_kind_display()))}* · {_line(describe_notice(notice))}"
    is_brief = notice.kind in (Notice.Kind.HELD, Notice.Kind.DONE)
    for reason in _find_params(notice).get("because", ()):
        said = render_reason(reason)
        if said:
            yield _line(said.message if is_brief else said.text)
    remedy = render(notice.code, notice.params).remedy
    if remedy:
        yield _line(remedy)


def describe_notice(notice: Notice) -> str:
    """What it tells, in one sentence of the active language, not escaped."""
    was: Mapping[str, Any] = notice.params.get("was") or {}
    what = {"what": render(str(was.get("code", "")), was.get("params")).message} if was else {}
    return render(notice.code, {**notice.params, **what}).message


def _items(params: Mapping[str, Any]) -> Iterable[str]:
    items = params.get("items", ())
    for item in items:
        yield f"• {_line(_describe(item))}"
    more = int(params.get("count") or 0) - len(items)
    if items and more > 0:
        yield gettext("and %(count)d more") % {"count": more}


def _describe(item: Mapping[str, str]) -> str:
    account = item.get("account", "")
    if account and item.get("stage"):
        account = gettext("%(account)s (%(stage)s)") % {"account": account, "stage": Stage(item["stage"]).label}
    scope = describe_scope(item["scope"]) if item.get("scope") else ""
    return " × ".join(filter(None, (scope, account, item.get("permission_set", ""), item.get("who", ""))))


def _fit(lines: Iterable[str], link: str) -> str:
    """As many whole lines as Slack takes, and the link in any case."""
    kept, left = [], LONGEST - len(link)
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join([*kept, link])


def _line(text: str) -> str:
    return escape(shorten(text, LONGEST_LINE))


def escape(text: str) -> str:
    """As Slack wants its three control characters written; backticks would make a block of all that follows."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")


def describe_error(error: GatewayError) -> str:
    """What the outside has answered, and what to do, in the company's language."""
    with override(settings.LANGUAGE_CODE):
        said = render_reason(error.reason.as_json())
        return said.text if said else str(error)


def describe_scope(text: str) -> str:
    """What could not be read, in the active language; `text` is a stored `syncer.states.Scope`."""
    return " × ".join(_describe_part(part) for part in text.split(" × "))


def _describe_part(part: str) -> str:
    word, _blank, name = part.partition(" ")
    if word == "account" and name:
        return gettext("account %(id)s") % {"id": space_digits(name)}
    if part.startswith("permission set "):
        return gettext("permission set %(name)s") % {"name": part.removeprefix("permission set ")}
    words = {"everything": gettext("everything"), "users": gettext("users"), "groups": gettext("groups")}
    return words.get(part, part)


def space_digits(account_id: str) -> str:
    """An account id as people read it."""
    return " ".join(account_id[start : start + 4] for start in range(0, len(account_id), 4))
