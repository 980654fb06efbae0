"""Every page that a person opens, asked for by those who see most and least, beside an empty page: prints JSON.

Requests go through Django's test client: the whole stack of middleware, sessions in the database, templates, and no
socket. Django is set up by whoever imports this, on the database of `seeding`; models are imported here.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from accounts.finding import (
    search_accounts,
    search_groups,
    search_people,
    search_permission_sets,
    search_principals,
    search_units,
)
from accounts.models import User
from portal.garbage import settle
from portal.urls import handler400, handler403, handler404, handler500, urlpatterns
from tests.bench import crowd
from tests.bench.visits import EMPTY, Visit, list_slow_visits, list_visits
from tests.portal.pages import make_client

FEWEST, MOST, SECONDS = 20, 60, 1.2  # requests for one page, and how long they take together
FEW, PATIENCE = 8, 3.0  # of a page that takes so long that its place is clear
SLOW = 3  # requests for what takes seconds
__all__ = ["handler400", "handler403", "handler404", "handler500"]


def empty(request: HttpRequest) -> HttpResponse:
    """What any page costs that knows who is there."""
    return HttpResponse(str(request.user))


urlpatterns = [path(EMPTY.strip("/") + "/", empty), *urlpatterns]


@dataclass
class Counter:
    """Statements, and the seconds that they took."""

    statements: int = 0
    seconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.statements += 1
            self.seconds += time.perf_counter() - begin


@dataclass
class Times:
    """Seconds of one page's requests, and of the empty page's between them; `cpu` is what this process worked."""

    fewest: int = FEWEST
    page: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def is_enough(self) -> bool:
        requests, seconds = len(self.page), sum(self.page)
        if requests >= self.fewest:
            return requests >= MOST or seconds >= SECONDS
        return requests >= FEW and seconds >= PATIENCE


def measure(client: Client, visit: Visit, fewest: int = FEWEST) -> dict[str, Any]:
    """One page by one person. The first requests only warm up, and show whether it is the right page."""
    counter, times = Counter(), Times(fewest)
    problem = visit.check(client)
    with connection.execute_wrapper(counter):
        visit.send(client)
    while not times.is_enough:
        begin = time.process_time()
        times.page.append(clock(visit.send, client))
        times.cpu.append(time.process_time() - begin)
        times.empty.append(clock(client.get, EMPTY))
    return {
        "name": visit.name,
        "problem": problem,
        "statements": counter.statements,
        "sql": counter.seconds,
        "p95": find_p95(times.page),
        "median": statistics.median(times.page),
        "cpu": statistics.median(times.cpu),
        "empty": find_p95(times.empty),
        "empty_median": statistics.median(times.empty),
    }


def clock(act: Callable[..., object], *arguments: object) -> float:
    begin = time.perf_counter()
    act(*arguments)
    return time.perf_counter() - begin


def find_p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def measure_visits(visits: Iterable[Visit], *, fewest: int = FEWEST) -> Iterator[dict[str, Any]]:
    for visit in visits:
        with override_settings(VISIBILITY=visit.visibility):
            client = make_client(User.objects.get(pk=visit.who + 1))
            client.raise_request_exception = False
            yield measure(client, visit, fewest)


_SEARCHES: dict[str, tuple[Callable[[User, str, int], list[Any]], str]] = {
    "accounts": (search_accounts, "pay-01"),
    "units": (search_units, "決済"),
    "permission sets": (search_permission_sets, "reader"),
    "people": (search_people, "渡辺"),
    "groups": (search_groups, "team-01"),
    "principals": (search_principals, "person012"),
}


def measure_searches() -> Iterator[dict[str, Any]]:
    for name, (search, words) in _SEARCHES.items():
        admin = User.objects.get(pk=crowd.ADMIN + 1)
        times = [clock(search, admin, words, 8) for _time in range(MOST)]
        yield {"name": name, "found": len(search(admin, words, 8)), "p95": find_p95(times)}


def main() -> None:
    with override_settings(ROOT_URLCONF="tests.bench.pages"):
        settle()
        found = {
            "pages": list(measure_visits(list_visits())),
            "slow": list(measure_visits(list_slow_visits(), fewest=SLOW)),
            "searches": list(measure_searches()),
        }
    json.dump(found, sys.stdout)
