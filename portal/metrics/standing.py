"""How things stand, asked of the database at each scrape: one cheap statement a question, whatever the size."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet, Sum
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeMetricFamily

from accounts.models import Assignment, Draft
from accounts.stops import find_pause
from portal import VERSION
from syncer.gateways.kintone_usage import DAILY_QUOTA, find_day
from syncer.github.answering import list_unanswered
from syncer.models import AppState, Change, Drift, KintoneUsage, Letter, Notice, RecordComment, Run

_REDIS_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}  # seconds

GOOD = (Run.Status.DONE, Run.Status.HELD)


def describe_standing(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Every gauge that the database knows."""
    yield from _describe_access()
    yield from _describe_runs(now)
    yield from _describe_held()
    yield from _describe_drafts(now)
    yield from _describe_outboxes(now)
    yield from _describe_kintone(now)
    yield from _describe_schedule()


def gauge(name: str, text: str, values: Mapping[Any, float], *labels: str) -> GaugeMetricFamily:
    """A family with a value for each label, or for each tuple of them."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric([str(part) for part in (key if isinstance(key, tuple) else (key,))], value)
    return family


def single(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _describe_access() -> Iterator[GaugeMetricFamily]:
    counted = _count(Assignment.objects.all(), "state", Assignment.State.values)
    yield gauge("genkan_assignments", "Assignments by state; removed ones are history.", counted, "state")


def _describe_runs(now: datetime) -> Iterator[GaugeMetricFamily]:
    under_way = (Run.Status.QUEUED, Run.Status.RUNNING)
    rows = list(Run.objects.filter(status__in=under_way).values_list("status", "kind", "requested_at", "started_at"))
    counted = {(str(status), kind): 0 for status in under_way for kind in Run.Kind.values}
    for status, kind, _requested, _started in rows:
        counted[status, kind] += 1
    yield gauge("genkan_runs_under_way", "Runs that wait or go on.", counted, "status", "kind")
    waiting = [requested for status, _kind, requested, _started in rows if status == Run.Status.QUEUED]
    going = [started for status, _kind, _requested, started in rows if status == Run.Status.RUNNING and started]
    yield single("genkan_queued_run_age_seconds", "Age of the run that waits longest; 0: none.", _age(waiting, now))
    yield single("genkan_running_run_age_seconds", "Age of the run that goes on longest; 0: none.", _age(going, now))
    yield gauge(
        "genkan_last_good_run_timestamp_seconds",
        "When the last run of a kind ended that did all it could.",
        {kind: at.timestamp() for kind in Run.Kind.values if (at := _find_last_good(kind))},
        "kind",
    )


def _find_last_good(kind: str) -> datetime | None:
    ended = Run.objects.filter(kind=kind, status__in=GOOD, finished_at__isnull=False)
    return ended.order_by("-finished_at").values_list("finished_at", flat=True).first()


def _describe_held() -> Iterator[GaugeMetricFamily]:
    last = Run.objects.filter(kind=Run.Kind.FULL).exclude(finished_at=None).order_by("-requested_at", "-id")
    newest = last.values_list("pk", "checksum").first()
    held = Change.objects.filter(run=newest[0], outcome=Change.Outcome.HELD).count() if newest and newest[1] else 0
    yield single("genkan_held_removals", "Removals that the brake holds, by the last full run.", held)
    drift = _count(Drift.objects.filter(ended_at=None), "kind", Drift.Kind.values)
    yield gauge("genkan_drift", "Differences that somebody made by hand in AWS.", drift, "kind")


def _describe_drafts(now: datetime) -> Iterator[GaugeMetricFamily]:
    rows = Draft.objects.open().order_by().values_list("state").annotate(Count("pk"), Min("created_at"))
    counted = dict.fromkeys(Draft.OPEN, 0)
    oldest: list[datetime] = []
    for state, number, first in rows:
        counted[Draft.State(state)] = number
        oldest.append(first)
    yield gauge("genkan_drafts", "What was saved and is not in kintone.", counted, "state")
    yield single("genkan_draft_age_seconds", "Age of the oldest of them; 0: none.", _age(oldest, now))


def _describe_outboxes(now: datetime) -> Iterator[GaugeMetricFamily]:
    boxes = {
        "notices": Notice.objects.filter(sent_at=None),
        "comments": RecordComment.objects.filter(sent_at=None, ended_at=None),
        "github": list_unanswered(),
        "letters": Letter.objects.filter(sent_at=None, ended_at=None),
    }
    found = {name: rows.aggregate(number=Count("pk"), first=Min("created_at")) for name, rows in boxes.items()}
    numbers = {name: item["number"] for name, item in found.items()}
    ages = {name: _age([item["first"]] if item["first"] else [], now) for name, item in found.items()}
    yield gauge("genkan_outbox", "What is still to be told.", numbers, "outbox")
    yield gauge("genkan_outbox_age_seconds", "Age of the oldest of it; 0: nothing.", ages, "outbox")


def _describe_kintone(now: datetime) -> Iterator[GaugeMetricFamily]:
    apps = list(AppState.objects.values_list("kind", "app_id", "read_at", "error"))
    today = dict(
        KintoneUsage.objects.filter(hour__gte=find_day(now)).order_by().values_list("app_id").annotate(Sum("requests"))
    )
    spent = {app_id: today.get(app_id, 0) for _kind, app_id, _read_at, _error in apps} | today
    yield gauge("genkan_kintone_requests_today", "Requests that the app's quota has counted today.", spent, "app_id")
    quotas = dict.fromkeys(spent, DAILY_QUOTA)
    yield gauge("genkan_kintone_daily_quota", "How many it may count in a day.", quotas, "app_id")
    read = {kind: read_at.timestamp() for kind, _app_id, read_at, _error in apps if read_at}
    yield gauge("genkan_kintone_read_timestamp_seconds", "When an app was last read.", read, "app")
    failing = {kind: int(bool(error)) for kind, _app_id, _read_at, error in apps}
    yield gauge("genkan_kintone_app_failing", "1: the app could not be read the last time.", failing, "app")


def _describe_schedule() -> Iterator[GaugeMetricFamily]:
    seen = PeriodicTask.objects.filter(enabled=True).aggregate(seen=Max("last_run_at"))["seen"]
    ticked = {(): seen.timestamp()} if seen else {}
    yield gauge("genkan_beat_tick_timestamp_seconds", "When beat last wrote that it had started a task.", ticked)
    stops_writing = settings.SYNC_MODE == "plan" or find_pause() is not None
    yield single("genkan_plans_only", "1: paused, or SYNC_MODE=plan.", int(stops_writing))


# --- What is asked of others ------------------------------------------------------------------------------------------


def describe_program() -> GaugeMetricFamily:
    facts = (VERSION, settings.SYNC_MODE)
    return gauge("genkan_info", "Always 1; the labels say what runs.", {facts: 1}, "version", "sync_mode")


def describe_broker(answers: bool) -> Iterator[GaugeMetricFamily]:
    """Whether it answers, and how many messages wait in it, where it is Redis."""
    yield single("genkan_broker_up", "1: the broker takes a connection.", int(answers))
    is_redis = settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://"))
    lengths = _ask_lengths() if answers and is_redis else {}
    yield gauge("genkan_queue_messages", "Tasks that wait for a worker.", lengths, "queue")


def _ask_lengths() -> Mapping[str, float]:
    """By queue; of one that is empty Redis knows nothing. Empty where Redis does not say."""
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, **_REDIS_TIMEOUTS)
    try:
        with client, client.pipeline(transaction=False) as pipeline:
            for queue in settings.QUEUES:
                pipeline.llen(queue)
            return dict(zip(settings.QUEUES, pipeline.execute(), strict=True))
    except redis.RedisError:
        return {}


# --- Parts ------------------------------------------------------------------------------------------------------------


def _count(rows: "QuerySet[Any]", field: str, values: Iterable[str]) -> dict[str, float]:
    """A number for each value, 0 for those that no row has: an alert cannot tell a missing series from a good one."""
    # "*": the index on the state is enough to count by, the table is not read.
    found = dict(rows.order_by().values_list(field).annotate(number=Count("*")))
    return {value: found.get(value, 0) for value in values}


def _age(times: Iterable[datetime], now: datetime) -> float:
    return max(((now - at).total_seconds() for at in times), default=0.0)
