"""The simulator's own pages: who are you, which account signs out, signed out, and errors. Plain HTML, no script."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from simulators.entra.world import Person
from simulators.serving import Response

STYLE = (Path(__file__).parent / "entra.css").read_text(encoding="utf-8")

# A field for searching is shown when there are more people than fit a screen.
SEARCH_FROM = 9

TEXTS = {
    "en": {
        "pick": "Pick an account",
        "pick_note": "This stands in for Microsoft Entra ID on this machine. No password is asked.",
        "search": "Name or address",
        "search_button": "Search",
        "found": "{count} people",
        "nobody": "Nobody fits “{query}”.",
        "signed_in": "signed in",
        "guest": "guest",
        "disabled": "disabled",
        "cancel": "Cancel",
        "sign_out": "Which account signs out?",
        "signed_out": "You are signed out",
        "signed_out_note": "You can close this window.",
        "error": "Sign-in did not work",
        "error_note": "What the real service would say:",
    },
    "ja": {
        "pick": "アカウントを選択",
        "pick_note": "このマシン上で Microsoft Entra ID の代わりをしています。パスワードは不要です。",
        "search": "名前またはアドレス",
        "search_button": "検索",
        "found": "{count} 名",
        "nobody": "「{query}」に該当する人はいません。",
        "signed_in": "サインイン中",
        "guest": "ゲスト",
        "disabled": "無効",
        "cancel": "キャンセル",
        "sign_out": "どのアカウントからサインアウトしますか",
        "signed_out": "サインアウトしました",
        "signed_out_note": "このウィンドウは閉じてかまいません。",
        "error": "サインインできませんでした",
        "error_note": "実際のサービスの表示:",
    },
}


def choose_language(accept_language: str) -> str:
    """`ja` or `en`, whichever the browser names first; English when it names neither."""
    for part in accept_language.split(","):
        primary = part.split(";")[0].strip().split("-")[0].lower()
        if primary in TEXTS:
            return primary
    return "en"


@dataclass(frozen=True)
class Picker:
    """A list of people to pick one from. `action` is where the choice is posted, `search_url` where the search goes."""

    people: tuple[Person, ...]
    signed_in: frozenset[str]
    action: str
    search_url: str = ""
    hidden: Mapping[str, str] | None = None
    query: str = ""
    has_search: bool = False
    may_cancel: bool = True


def find_people(people: Iterable[Person], query: str) -> tuple[Person, ...]:
    """The people whose name, address or role holds every word of the query."""
    words = query.casefold().split()
    return tuple(
        person
        for person in people
        if all(
            word in " ".join((person.name, person.upn, person.email or "", *person.roles)).casefold() for word in words
        )
    )


def render_picker(picker: Picker, language: str) -> Response:
    texts = TEXTS[language]
    parts = [f"<p class='note'>{texts['pick_note']}</p>", _render_search(picker, texts), _render_people(picker, texts)]
    if picker.may_cancel:
        parts.append(
            f"<form method='post' action='{escape(picker.action)}'>"
            f"<button class='quiet' name='cancel' value='1'>{texts['cancel']}</button></form>"
        )
    return _render_page(texts["pick"], "".join(parts), language)


def render_sign_out_picker(picker: Picker, language: str) -> Response:
    texts = TEXTS[language]
    return _render_page(texts["sign_out"], _render_people(picker, texts), language)


def render_signed_out(language: str) -> Response:
    texts = TEXTS[language]
    return _render_page(texts["signed_out"], f"<p class='note'>{texts['signed_out_note']}</p>", language)


def render_error(description: str, language: str) -> Response:
    texts = TEXTS[language]
    body = f"<p class='note'>{texts['error_note']}</p><p class='error' role='alert'>{escape(description)}</p>"
    return _render_page(texts["error"], body, language, status=400)


def _render_search(picker: Picker, texts: Mapping[str, str]) -> str:
    if not picker.has_search:
        return ""
    hidden = "".join(
        f"<input type='hidden' name='{escape(name)}' value='{escape(value)}'>"
        for name, value in (picker.hidden or {}).items()
    )
    return (
        f"<form role='search' action='{escape(picker.search_url)}'>{hidden}"
        f"<label for='q'>{texts['search']}</label>"
        f"<div class='field'><input id='q' name='q' type='search' value='{escape(picker.query)}' autofocus>"
        f"<button>{texts['search_button']}</button></div></form>"
    )


def _render_people(picker: Picker, texts: Mapping[str, str]) -> str:
    if not picker.people:
        nobody = escape(texts["nobody"].format(query=picker.query))
        return f"<p role='status'>{nobody}</p>"
    first = sorted(picker.people, key=lambda person: person.oid not in picker.signed_in)
    rows = "".join(f"<li>{_render_person(person, picker, texts)}</li>" for person in first)
    count = texts["found"].format(count=len(first))
    return (
        f"<p class='count' role='status'>{count}</p>"
        f"<form method='post' action='{escape(picker.action)}'><ul>{rows}</ul></form>"
    )


def _render_person(person: Person, picker: Picker, texts: Mapping[str, str]) -> str:
    marks = [
        *person.roles,
        *([texts["guest"]] if person.is_guest else []),
        *([texts["disabled"]] if person.is_disabled else []),
        *([texts["signed_in"]] if person.oid in picker.signed_in else []),
    ]
    tags = "".join(f" <span class='mark'>{escape(mark)}</span>" for mark in marks)
    return (
        f"<button class='person' name='oid' value='{escape(person.oid)}'>"
        f"<span class='initial' aria-hidden='true'>{escape(person.name[:1])}</span>"
        f"<span><span class='name'>{escape(person.name)}</span>{tags}"
        f"<span class='address'>{escape(person.preferred_username)}</span></span></button>"
    )


def _render_page(title: str, body: str, language: str, status: int = 200) -> Response:
    html = (
        f"<!doctype html><html lang='{language}'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        # No icon: browsers would ask for /favicon.ico and note its absence as an error.
        "<link rel='icon' href='data:,'>"
        f"<title>{title}</title><style>{STYLE}</style></head>"
        "<body><main><p class='brand'>Entra ID <span class='mark'>simulator</span></p>"
        f"<h1>{title}</h1>{body}</main></body></html>"
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(status, html.encode(), headers)
