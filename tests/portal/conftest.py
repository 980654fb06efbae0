"""Entra ID at hand: a simulated tenant, and the portal pointed at it. Models may not be imported up here."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from simulators.clock import Clock
from simulators.entra import EntraSimulator, EntraWorld
from simulators.serving import Serving
from tests.portal.visiting import ADMIN, AUDITOR, CALLBACK, CLIENT_ID, GUEST, MEMBER, SECRET, TEMPLATES, TENANT, Visitor


@pytest.fixture(scope="session")
def entra_state() -> dict[str, Any]:
    """A tenant with its people and keys; the keys take a while to make."""
    world = EntraWorld("portal", TENANT)
    world.list_keys()
    world.add_client(CLIENT_ID, SECRET, [CALLBACK], ["http://testserver/"])
    world.add_person(ADMIN, "hana@example.com", "山田 花", email="hana@example.com", roles=["Portal.Admin"])
    world.add_person(MEMBER, "taro@example.com", "鈴木 太郎", email="taro@example.com")
    world.add_person(AUDITOR, "aki@example.com", "佐藤 秋", roles=["Portal.Auditor"])
    world.add_person(GUEST, "g_home.example#EXT#@example.com", "Guest", email="g@home.example", guest=True)
    return world.to_state()


@pytest.fixture(scope="session")
def entra_simulator(entra_state: dict[str, Any]) -> Iterator[tuple[EntraSimulator, str]]:
    """One server for all tests; each test gives it a world of its own."""
    simulator = EntraSimulator(EntraWorld.from_state(entra_state))
    with Serving(simulator) as serving:
        yield simulator, serving.url


def build_templates(engine: dict[str, Any]) -> dict[str, Any]:
    """The portal's template engine with the small site's pages in place of its own."""
    loaders = [
        ("django.template.loaders.locmem.Loader", TEMPLATES),
        "django.template.loaders.app_directories.Loader",
    ]
    processors = [name for name in engine["OPTIONS"]["context_processors"] if name.startswith("django.")]
    options = {**engine["OPTIONS"], "context_processors": processors, "loaders": loaders}
    return {**engine, "DIRS": [], "APP_DIRS": False, "OPTIONS": options}


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    """How often somebody asked is counted by his number, which the next test gives to somebody else."""
    cache.clear()


@pytest.fixture
def entra(
    entra_simulator: tuple[EntraSimulator, str], entra_state: dict[str, Any], settings: Settings
) -> Iterator[EntraWorld]:
    """The tenant, new for each test, with the portal's settings pointing at it."""
    simulator, host = entra_simulator
    simulator.world = EntraWorld.from_state(entra_state, Clock())
    authority = f"{host}/{TENANT}"
    settings.ROOT_URLCONF = "tests.portal.small_site"
    settings.CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
    settings.TEMPLATES = [build_templates(settings.TEMPLATES[0])]
    settings.ENTRA_AUTHORITY_HOST, settings.ENTRA_AUTHORITY = host, authority
    settings.ENTRA_ISSUER = f"{authority}/v2.0"
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{authority}/oauth2/v2.0/authorize"
    settings.OIDC_OP_TOKEN_ENDPOINT = f"{authority}/oauth2/v2.0/token"
    settings.OIDC_OP_JWKS_ENDPOINT = f"{authority}/discovery/v2.0/keys"
    cache.clear()
    yield simulator.world
    cache.clear()


@pytest.fixture
def make_visitor(db: None, entra: EntraWorld) -> Iterator[Callable[[], Visitor]]:
    sessions: list[requests.Session] = []

    def make() -> Visitor:
        sessions.append(requests.Session())
        return Visitor(Client(raise_request_exception=False), sessions[-1])

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def visitor(make_visitor: Callable[[], Visitor]) -> Visitor:
    return make_visitor()
