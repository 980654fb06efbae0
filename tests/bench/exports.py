"""One list as a file, read to its end in a fresh process: prints rows, seconds and peak memory as JSON.

Django is set up by whoever imports this, on the database of `seeding`; the address is the first argument.
"""

import codecs
import csv
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from accounts.models import User
from tests.bench.crowd import ADMIN
from tests.portal.pages import make_client


class Clocked:
    """Chunks, with the seconds that were waited for them."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.seconds = self.first = 0.0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            begin = time.perf_counter()
            chunk = next(self._chunks, None)
            self.seconds += time.perf_counter() - begin
            self.first = self.first or self.seconds
            if chunk is None:
                return
            yield chunk


def measure(url: str) -> dict[str, float]:
    """Rows are counted as a spreadsheet counts them, while they come; `keys` are those that differ from the one before.

    They come by account, set and person, so that twice the same would stand together; to keep them all takes memory.
    """
    client = make_client(User.objects.get(pk=ADMIN + 1))
    client.get("/tokens/")  # what any first page loads
    before, begin = measure_peak(), time.perf_counter()
    response: Any = client.get(url)
    chunks = Clocked(response.streaming_content)
    seconds = time.perf_counter() - begin
    rows = csv.reader(_iter_lines(chunks))
    width, before_it, keys, count = len(next(rows)), ("",) * 4, 0, 0
    for row in rows:
        count += len(row) == width
        keys += before_it != (before_it := (row[0], row[4], row[6], row[7]))
    return {
        "rows": count, "keys": keys, "seconds": seconds + chunks.seconds, "first": seconds + chunks.first,
        "before": before, "megabytes": measure_peak(),
    }  # fmt: skip


def measure_peak() -> float:
    """Megabytes that this process held at most since it began; `getrusage` counts what its parent held as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _iter_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    for chunk in chunks:
        yield from decoder.decode(chunk).splitlines(keepends=True)


def main() -> None:
    json.dump(measure(sys.argv[1]), sys.stdout)
