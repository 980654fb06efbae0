"""The texts of AWS managed policies that were read, by the version that is in force now."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import AwsPolicy, PolicyText
from accounts.policy.summary import name_of

TRY_DENIED = timedelta(days=1)  # again what the role was denied, or what could not be read


def load_texts(policies: Iterable[str]) -> dict[str, str]:
    """Name → text, of those among the policies (names or ARNs) whose text is known."""
    versions = load_versions(map(name_of, policies))
    rows = PolicyText.objects.filter(arn__in=versions, outcome=PolicyText.Outcome.READ)
    return {name_of(row.arn): row.text for row in rows if versions[row.arn] == row.version}


def load_versions(names: Iterable[str]) -> Mapping[str, str]:
    """ARN → the version in force, as far as IAM's list says it."""
    found = AwsPolicy.objects.filter(name__in=set(names)).exclude(version="")
    return dict(found.values_list("arn", "version"))


def ask_for_texts(policies: Iterable[str], now: datetime) -> bool:
    """Note that somebody needs these texts; whether there is something to be read now."""
    versions = load_versions(map(name_of, policies))
    rows = [PolicyText(arn=arn, version=version, asked_at=now) for arn, version in versions.items()]
    PolicyText.objects.bulk_create(rows, ignore_conflicts=True)
    return bool(find_due(versions, now)) and not was_denied_lately(now)


def find_due(versions: Mapping[str, str], now: datetime) -> list[tuple[str, str]]:
    """The versions that are not known and may be tried."""
    rows = PolicyText.objects.filter(arn__in=versions)
    settled = {(row.arn, row.version) for row in rows.defer("text") if not _is_due(row, now)}
    return sorted(set(versions.items()) - settled)


def _is_due(row: PolicyText, now: datetime) -> bool:
    if row.outcome == PolicyText.Outcome.FAILED:
        return row.asked_at <= now - TRY_DENIED
    return row.outcome != PolicyText.Outcome.READ


def was_denied_lately(now: datetime) -> bool:
    denied: QuerySet[PolicyText] = PolicyText.objects.filter(outcome=PolicyText.Outcome.DENIED)
    return denied.filter(asked_at__gt=now - TRY_DENIED).exists()


def find_asked() -> Collection[str]:
    """The ARNs of policies that somebody asked for and nobody has read."""
    return set(PolicyText.objects.exclude(outcome=PolicyText.Outcome.READ).values_list("arn", flat=True))
