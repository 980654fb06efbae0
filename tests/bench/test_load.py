"""Three hundred people sign in within a minute and look around: gunicorn, PostgreSQL, Redis, and the large company.

Browsers, Entra ID and PostgreSQL run on the same machine, so times are to be read beside those of the empty page.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
import requests

from simulators.entra import EntraSimulator, EntraWorld
from simulators.serving import Serving
from tests.bench.browsing import EMPTY, name_of_oid
from tests.bench.crowd import mail_of, name_of_person
from tests.bench.figures import Figures
from tests.bench.test_pages import run
from tests.integration.processes import PROJECT, describe_portal, postgres_database, wait_until
from tests.portal.visiting import CLIENT_ID, SECRET, TENANT
from tests.services.processes import free_port

PEOPLE, SECONDS = int(os.environ.get("BENCH_PEOPLE", "300")), 60
FIRST = 5_000  # of those who come; they have never signed in
WEB = ("-m", "gunicorn", "portal.wsgi", "--worker-class", "gthread", "--workers", "2", "--threads", "4")


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, broker: str) -> Iterator[str]:
    """The address of a portal with the large company, its people known to Entra ID."""
    port, entra = free_port(), EntraWorld("load", TENANT)
    url = f"http://localhost:{port}"
    entra.add_client(CLIENT_ID, SECRET, [f"{url}/oidc/callback/"], [f"{url}/"])
    for number in range(PEOPLE):
        entra.add_person(name_of_oid(number), mail_of(FIRST + number), name_of_person(FIRST + number))
    with Serving(EntraSimulator(entra)) as authority, postgres_database("genkan_load") as database:
        portal = describe_portal(
            tmp_path_factory.mktemp("load"), DATABASE_URL=database, CACHE_URL=broker, CELERY_BROKER_URL=broker,
            PUBLIC_URL=url, ENTRA_AUTHORITY_HOST=authority.url, DJANGO_SETTINGS_MODULE="portal.settings",
        )  # fmt: skip
        assert portal.run("migrate", "--no-input", seconds=300).code == 0
        run(portal, "seeding")
        with psycopg.connect(database, autocommit=True) as connection:
            for number in range(PEOPLE):
                person = (name_of_oid(number), mail_of(FIRST + number))
                connection.execute("UPDATE accounts_principal SET external_id = %s WHERE name = %s", person)
        with portal.running("web", (*WEB, "--bind", f"127.0.0.1:{port}")):
            wait_until(lambda: _is_up(url))
            yield url


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}{EMPTY}", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.mark.timeout(1200)
def test_three_hundred_people_within_a_minute(site: str, figures: Figures) -> None:
    command = [sys.executable, "-m", "tests.bench.browsing", site, str(PEOPLE), str(SECONDS)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    found = json.loads(ended.stdout)
    empty = _p95(found["times"][EMPTY])
    count = sum(map(len, found["times"].values()))
    figures.add(f"{PEOPLE} people within a minute: requests", count, beside=f"in {found['seconds']:.0f} s")
    for what, times in sorted(found["times"].items()):
        beside = f"{_p95(times) / empty:.0f} × empty; median {statistics.median(times) * 1000:.0f} ms"
        figures.add(f"{PEOPLE} people within a minute: {what}: p95", _p95(times) * 1000, "ms", beside=beside)
    figures.add(f"{PEOPLE} people within a minute: errors", len(found["wrong"]), at_most=0)
    assert found["wrong"] == []


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]
