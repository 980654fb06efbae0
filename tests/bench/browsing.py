"""Many people at once, each with a browser of his own: they sign in and look around. Writes what they met as JSON.

The address of the portal, how many people and within how many seconds they come are the arguments.
"""

import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

import requests

from tests.portal.visiting import TENANT

EMPTY = "/healthz/live"
PAGES = ("/", "/accounts/", "/permission-sets/", "/search/?q=prod+logs", "/shortcuts/", "/problems/", "/people/?q=1")
THINKING = 6.0  # seconds on a page, on the average
Answer = tuple[str, float, str]  # what was asked for, seconds, and the status or what became of the connection


def name_of_oid(number: int) -> str:
    return f"{number:08d}-3333-4333-8333-333333333333"


def browse(portal: str, number: int, begin: float) -> list[Answer]:
    """One person's visit."""
    chance, session = random.Random(number), requests.Session()
    time.sleep(max(0.0, begin - time.monotonic()))
    answers = [_time("sign in", partial(_sign_in, session, portal, name_of_oid(number)))]
    for page in chance.sample(PAGES, len(PAGES) - 2):
        answers += [_time(address, partial(_visit, session, portal + address)) for address in (page, EMPTY)]
        time.sleep(chance.expovariate(1 / THINKING))
    return answers


def _time(what: str, ask: Callable[[], int]) -> Answer:
    begin = time.perf_counter()
    try:
        status = str(ask())
    except requests.RequestException as error:
        status = type(error).__name__
    return what, time.perf_counter() - begin, status


def _visit(session: requests.Session, address: str) -> int:
    return session.get(address, timeout=30).status_code


def _sign_in(session: requests.Session, portal: str, oid: str) -> int:
    """From the portal to Entra ID, an account picked there, and back to the own page."""
    picker = session.get(f"{portal}/oidc/authenticate/", timeout=30)
    login = urlsplit(picker.url)
    if not login.path.startswith(f"/{TENANT}/"):
        return picker.status_code
    address = f"{login.scheme}://{login.netloc}/{TENANT}/login?{login.query}"
    home = session.post(address, data={"oid": oid}, timeout=30)
    return home.status_code if home.url == f"{portal}/" else 599


def main(portal: str, people: int, seconds: float) -> None:
    start = time.monotonic() + 1
    with ThreadPoolExecutor(people) as pool:
        visits = [pool.submit(browse, portal, n, start + seconds * n / people) for n in range(people)]
        answers = [answer for visit in visits for answer in visit.result()]
    times: dict[str, list[float]] = defaultdict(list)
    for what, took, _status in answers:
        times[what].append(took)
    wrong = [f"{status} {what}" for what, _took, status in answers if status != "200"]
    json.dump({"times": times, "wrong": wrong, "seconds": time.monotonic() - start}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
