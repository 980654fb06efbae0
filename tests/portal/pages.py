"""Visiting the portal's own pages as somebody who is signed in."""

import re
import time
from html import unescape
from typing import Any

from django.test import Client

from accounts.models import User
from portal.oidc import RENEW_AT
from portal.views.pacing import MOST, PACE, WINDOW, find_wait

TAG = re.compile(r"<[^>]+>")


def make_client(user: User) -> Client:
    """A browser in which this user is signed in, with a session that needs no renewal yet."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    session = client.session
    session[RENEW_AT] = time.time() + 900
    session.save()
    return client


def ask_often(user: User, count: int) -> None:
    """Count so many questions, in this window and in the next, which may begin meanwhile."""
    for now in (time.time(), time.time() + WINDOW):
        for _number in range(count):
            find_wait(user.pk, now, kind=PACE, most=MOST)


def get_html(client: Client, url: str, *, part: str = "") -> str:
    """A page that must be there; with `part`, what htmx gets for that element."""
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    response = client.get(url, headers=headers)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


def get_text(client: Client, url: str, *, part: str = "") -> str:
    """What the page says, without its tags and with white space drawn together."""
    return " ".join(TAG.sub(" ", get_html(client, url, part=part)).split())


def read_form(html: str) -> dict[str, Any]:
    """What a browser would send back of the form of a permission set, without a button."""
    form = html[html.index("data-live-form") :]
    values: dict[str, Any] = {"managed_policies": [], "owners": []}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and 'type="checkbox"' in tag:
            values[name[1]].append(unescape(value[1]) if value else "")
        elif name:
            values[name[1]] = unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea name="(\w+)".*?>\r?\n(.*?)</textarea>', form, re.DOTALL):
        values[name] = unescape(text)
    selected = re.search(r'<option value="([^"]*)" selected', form[form.index('<select name="session_duration"') :])
    values["session_duration"] = unescape(selected[1]) if selected else ""
    values.pop("csrfmiddlewaretoken", None)
    return values
