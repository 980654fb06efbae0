"""The requests that kintone counted for each app, kept by the hour for all processes together."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import Error, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from syncer.gateways.kintone_usage import Spent, Usage, find_day, find_hour
from syncer.gateways.pacing import StoreAway
from syncer.models import KintoneUsage

KEPT = timedelta(days=35)


class DatabaseUsage:
    """A row an app and hour. A client that is closed within a transaction loses its counts if that fails."""

    def add(self, counts: Mapping[Spent, int]) -> None:
        try:
            with transaction.atomic():
                for spent, count in counts.items():
                    _add(spent, count)
        except Error as error:
            raise StoreAway(str(error)) from error


def _add(spent: Spent, count: int) -> None:
    row = KintoneUsage.objects.filter(app_id=spent.app_id, hour=spent.hour)
    if row.update(requests=F("requests") + count):
        return
    KintoneUsage.objects.bulk_create([KintoneUsage(app_id=spent.app_id, hour=spent.hour)], ignore_conflicts=True)
    row.update(requests=F("requests") + count)
    KintoneUsage.objects.filter(app_id=spent.app_id, hour__lt=spent.hour - KEPT).delete()


def load_usage(app_id: str, now: datetime) -> Usage:
    """What all processes have asked of one app."""
    day, lately = find_day(now), find_hour(now) - timedelta(hours=1)
    sums = KintoneUsage.objects.filter(app_id=app_id, hour__gte=min(day, lately)).aggregate(
        today=Coalesce(Sum("requests", filter=Q(hour__gte=day)), 0),
        lately=Coalesce(Sum("requests", filter=Q(hour__gte=lately)), 0),
    )
    return Usage(sums["today"], sums["lately"])
