"""Every address as everybody: signed in or not, outsider, owner, admin, auditor; by the wrong method, with a bad id.

The table is tests/portal/addresses.py; test_every_page.py holds it against the resolver.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from tests import factories
from tests.portal.addresses import (
    ADDRESSES,
    ADMIN,
    API_ADDRESSES,
    AUDITOR,
    OUTSIDER,
    OWNER,
    Address,
    ApiAddress,
    Company,
    make_company,
)
from tests.portal.api.scripts import make_client as make_script
from tests.portal.pages import make_client

pytestmark = pytest.mark.django_db
PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")
BAD_IDS = ("999999999", "9" * 40, "-1", "日本語", "%00", "x" * 3000, "1'--")
REFUSED = (403, 404)
Found = dict[str, int]
"""Addresses with the status that was not expected of them."""


class Cast:
    """The people who come, and the company that is the owner's."""

    def __init__(self) -> None:
        self.users = {
            OUTSIDER: factories.make_user("外 太郎"),
            OWNER: factories.make_user("持 花子"),
            ADMIN: factories.make_user("管 理子", is_staff=True),
            AUDITOR: factories.make_user("監 査", is_auditor=True),
        }
        factories.make_instance()
        self.company = make_company(self.users[OWNER], "payments")


@pytest.fixture
def cast() -> Iterator[Cast]:
    cache.clear()  # how often somebody asks is counted
    with quiet():
        yield Cast()


@contextmanager
def quiet() -> Iterator[None]:
    """Hundreds of refusals are expected here, and each would be logged with its traceback."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def nothing_remains() -> Iterator[None]:
    """What one request does is not there for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(client: Client, method: str, url: str) -> int:
    with nothing_remains():
        return client.generic(method, url, content_type="application/x-www-form-urlencoded").status_code


def is_let_in(status: int, method: str) -> bool:
    """What is wrong with an empty form is said to those alone who may send one."""
    return status in (200, 204, 301, 302) or (method == "POST" and status in (400, 409, 422))


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_anonymous_is_led_to_sign_in(cast: Cast) -> None:
    wrong = {}
    for row in ADDRESSES:
        url = cast.company.fill(row.route)
        response = Client().generic("GET" if row.reads else "POST", url)
        is_asked = response.status_code == 302 and response["Location"].startswith("/sign-in/?next=/")
        if is_asked == row.is_open:
            wrong[url] = response.status_code
    assert wrong == {}


@pytest.mark.parametrize(
    ("role", "visibility"),
    [(OUTSIDER, "all"), (OUTSIDER, "own"), (OWNER, "own"), (ADMIN, "own"), (AUDITOR, "own")],
)
def test_each_role_comes_in_where_it_may(role: str, visibility: str, cast: Cast, settings: Settings) -> None:
    settings.VISIBILITY = visibility
    client = make_client(cast.users[role])
    wrong: Found = {}
    for row in ADDRESSES:
        is_hidden = not row.is_wide and role == OUTSIDER and visibility == "own"
        for method, roles in (("GET", row.reads), ("POST", row.acts)):
            if roles is None:
                continue
            status = ask(client, method, cast.company.fill(row.route))
            is_right = is_let_in(status, method) if role in roles and not is_hidden else status in REFUSED
            if not is_right or (is_hidden and status != 404):
                wrong[f"{method} {row.route}"] = status
    assert wrong == {}


# --- How --------------------------------------------------------------------------------------------------------------


def test_wrong_method_is_405(cast: Cast) -> None:
    client = make_client(cast.users[ADMIN])
    wrong: Found = {}
    for row in ADDRESSES:
        known = {method for method, roles in (("GET", row.reads), ("POST", row.acts)) if roles is not None}
        for method in {"GET", "POST", "PUT", "DELETE"} - known:
            status = ask(client, method, cast.company.fill(row.route))
            if status != 405:
                wrong[f"{method} {row.route}"] = status
    assert wrong == {}


@pytest.mark.parametrize("bad", BAD_IDS)
def test_bad_id_is_404(bad: str, cast: Cast) -> None:
    client = make_client(cast.users[ADMIN])
    wrong: Found = {}
    for row in ADDRESSES:
        for url in spoil(row, bad, cast.company):
            status = ask(client, "GET" if row.reads else "POST", url)
            if status != 404:
                wrong[url[:100]] = status
    assert wrong == {}


def spoil(row: Address | ApiAddress, bad: str, company: Company) -> Iterable[str]:
    """The address with one of its ids after the other replaced; words of which any may be typed are no ids."""
    for match in PLACEHOLDER.finditer(row.route):
        if match[1] != "field":
            yield company.fill(row.route[: match.start()] + bad + row.route[match.end() :])


# --- The API ----------------------------------------------------------------------------------------------------------


def test_api_asks_for_a_token_of_the_right_scope(cast: Cast) -> None:
    weaker = {"cli": None, "read": "cli", "write": "read"}
    scripts = {scope: make_script(cast.users[OWNER], scope) for scope in weaker}
    wrong: Found = {}
    for row in API_ADDRESSES:
        url, less = cast.company.fill(row.route), weaker[row.scope]
        statuses = (
            ask(make_client(cast.users[ADMIN]), row.method, url),
            ask(scripts[less], row.method, url) if less else 403,
        )
        if statuses != (401, 403):
            wrong[f"{row.method} {row.route}"] = statuses[0]
    assert wrong == {}


@pytest.mark.parametrize("role", [OUTSIDER, OWNER, ADMIN, AUDITOR])
def test_api_answers_everybody_in_its_own_words(role: str, cast: Cast, settings: Settings) -> None:
    """What is somebody else's is not found, and what a script forgot to send is said."""
    settings.VISIBILITY = "own"
    script = make_script(cast.users[role], "read" if role == AUDITOR else "write")
    wrong: Found = {}
    for row in API_ADDRESSES:
        status = ask(script, row.method, cast.company.fill(row.route))
        if status not in find_answers(row, role):
            wrong[f"{row.method} {row.route}"] = status
    assert wrong == {}


def find_answers(row: ApiAddress, role: str) -> tuple[int, ...]:
    if role == AUDITOR and row.scope == "write":
        return (403,)
    is_hidden = role == OUTSIDER and any(each in row.route for each in ("<account_id>", "<draft_id>"))
    return (404,) if is_hidden else (200, 202, 422)


def test_api_knows_its_methods(cast: Cast) -> None:
    script = make_script(cast.users[ADMIN], "write")
    known: dict[str, set[str]] = {}
    for row in API_ADDRESSES:
        known.setdefault(row.route, set()).add(row.method)
    asked = [(method, route) for route, methods in known.items() for method in {"GET", "POST", "PUT"} - methods]
    assert {
        f"{method} {route}" for method, route in asked if ask(script, method, cast.company.fill(route)) != 405
    } == set()


@pytest.mark.parametrize("bad", BAD_IDS)
def test_api_finds_nothing_by_a_bad_id(bad: str, cast: Cast) -> None:
    script = make_script(cast.users[ADMIN], "write")
    urls = [url for row in API_ADDRESSES for url in spoil(row, bad, cast.company)]
    assert {url: status for url in urls if (status := ask(script, "GET", url)) not in (404, 422)} == {}
