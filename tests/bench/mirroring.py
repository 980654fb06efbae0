"""Readings of one app in a fresh process, each beside the same requests bare: prints what they took, as JSON.

The app is that of the assignments, as the environment names it; its mirror is empty at first. Django is set up by
whoever imports this: models are imported here.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import requests

from syncer.connections import connect_kintone
from syncer.records.rhythm import Occasion
from syncer.records.scanning import read_app

SEND = requests.Session.send


def measure(read: Callable[[], object]) -> dict[str, float]:
    """One reading: its seconds, its requests, and the seconds that these take of somebody who looks at no answer."""
    sent: list[requests.PreparedRequest] = []

    def send_and_keep(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> Any:
        sent.append(request)
        return SEND(session, request, **options)

    with mock.patch.object(requests.Session, "send", send_and_keep):
        begin = time.perf_counter()
        read()
        seconds = time.perf_counter() - begin
    peak = measure_peak()
    return {"requests": len(sent), "seconds": seconds, "bare": send_bare(sent), "megabytes": peak}


def send_bare(sent: list[requests.PreparedRequest]) -> float:
    begin = time.perf_counter()
    with requests.Session() as session:
        for request in sent:
            _bytes = session.send(request).content
    return time.perf_counter() - begin


def measure_peak() -> float:
    """Megabytes that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    found: dict[str, Any] = {"before": measure_peak()}
    for name, occasion in (("first", Occasion.LOOK), ("scan", Occasion.CHECKED), ("look", Occasion.LOOK)):
        found[name] = measure(partial(read_app, connect_kintone()[1], occasion))
    json.dump(found, sys.stdout)
