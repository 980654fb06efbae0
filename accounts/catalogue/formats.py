"""A link with its words as other tools write links. Pure.

The link itself holds no bracket, quotation mark or blank; its words may hold anything, and are kept from ending early.
"""

import re
from collections.abc import Callable
from html import escape
from typing import NamedTuple

_MARKDOWN = re.compile(r"([\\\[\]`*_<>~|])")
_CONFLUENCE = re.compile(r"([\\\[\]{}|])")
_BACKLOG = str.maketrans({"[": "［", "]": "］", ">": "＞"})  # Backlog knows no escape


class Copy(NamedTuple):
    """One way of writing a link. `name` is the tool's own, the same in every language."""

    key: str
    name: str
    text: str


def render_copies(url: str, words: str) -> tuple[Copy, ...]:
    """The link in all formats, the bare URL first. `words` become one line."""
    line = " ".join(words.split())
    return tuple(Copy(key, name, render(url, line)) for key, (name, render) in _FORMATS.items())


def render_markdown(url: str, words: str) -> str:
    return "[" + _MARKDOWN.sub(r"\\\1", words) + f"]({url})"


def _render_slack(url: str, words: str) -> str:
    """As Slack's API and incoming webhooks take it."""
    return f"<{escape(url, quote=False)}|{escape(words, quote=False)}>"


def _render_html(url: str, words: str) -> str:
    return f'<a href="{escape(url)}">{escape(words)}</a>'


def _render_backlog(url: str, words: str) -> str:
    return f"[[{words.translate(_BACKLOG)}>{url}]]"


def _render_confluence(url: str, words: str) -> str:
    return "[" + _CONFLUENCE.sub(r"\\\1", words) + f"|{url}]"


_FORMATS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "url": ("URL", lambda url, _words: url),
    "markdown": ("Markdown", render_markdown),
    "slack": ("Slack", _render_slack),
    "html": ("HTML", _render_html),
    "backlog": ("Backlog", _render_backlog),
    "confluence": ("Confluence", _render_confluence),
}
