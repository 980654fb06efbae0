"""Everything at one address, whichever process is asked: what all have handed over, and how things stand now.

A process never adds what it alone knows: another one would answer the next scrape, and a sum would seem to fall.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from portal.metrics.standing import describe_broker, describe_program, describe_standing, single
from portal.views import health
from syncer.measured import load_sums
from syncer.measures import COUNTS, SUM, TIMES, Count, Series, Times


class _Everything(Collector):
    """What one scrape is told."""

    def collect(self) -> Iterable[Metric]:
        health.BROKER.put()
        is_there = health.find_ground().bears
        yield describe_program()
        yield single("genkan_database_up", "1: the database answers and has every migration.", int(is_there))
        yield from describe_broker(health.BROKER.ask() == health.OK)
        if is_there:
            yield from describe_standing(timezone.now())
            yield from describe_sums(load_sums())


def build_registry() -> CollectorRegistry:
    """A registry of its own, for one answer: nothing of this process alone is in it."""
    registry = CollectorRegistry()
    registry.register(_Everything())
    return registry


def describe_sums(sums: Mapping[Series, float]) -> Iterator[Metric]:
    by_name = defaultdict[str, dict[tuple[str, ...], float]](dict)
    for series, value in sums.items():
        by_name[series.name][series.labels] = value
    for measure in COUNTS:
        yield _describe_count(measure, by_name[measure.name])
    for times in TIMES:
        yield _describe_times(times, by_name[times.name])


def _describe_count(measure: Count, values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(measure.name, measure.help, labels=measure.labels)
    for labels, value in sorted(values.items()):
        if len(labels) == len(measure.labels):  # what another version counted otherwise is not told
            family.add_metric(labels, value)
    return family


def _describe_times(measure: Times, values: Mapping[tuple[str, ...], float]) -> Metric:
    by_labels = defaultdict[tuple[str, ...], dict[str, float]](dict)
    for (*labels, bound), value in values.items():
        by_labels[tuple(labels)][bound] = value
    family = HistogramMetricFamily(measure.name, measure.help, labels=measure.labels)
    for key, found in sorted(by_labels.items()):
        if len(key) == len(measure.labels):
            family.add_metric(key, _add_up(measure, found), found.get(SUM, 0.0))
    return family


def _add_up(measure: Times, found: Mapping[str, float]) -> list[tuple[str, float]]:
    """Each bucket holds those below it as well; here each is stored alone."""
    total, buckets = 0.0, []
    for bound in (*map(str, measure.bounds), "+Inf"):
        total += found.get(bound, 0.0)
        buckets.append((bound, total))
    return buckets
