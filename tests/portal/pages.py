"""Visiting the portal's own pages as somebody who is signed in."""

import re
import time

from django.test import Client

from accounts.models import User
from portal.oidc import RENEW_AT

TAG = re.compile(r"<[^>]+>")


def make_client(user: User) -> Client:
    """A browser in which this user is signed in, with a session that needs no renewal yet."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    session = client.session
    session[RENEW_AT] = time.time() + 900
    session.save()
    return client


def get_html(client: Client, url: str, *, part: str = "") -> str:
    """A page that must be there; with `part`, what htmx gets for that element."""
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    response = client.get(url, headers=headers)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


def get_text(client: Client, url: str, *, part: str = "") -> str:
    """What the page says, without its tags and with white space drawn together."""
    return " ".join(TAG.sub(" ", get_html(client, url, part=part)).split())
