"""The whole examination: what this process stands on first, then everything outside at once.

The database is asked from this thread alone, before and after; threads only speak to the outside. Without a database
the rest is examined all the same.
"""

import logging
from collections.abc import Callable, Iterator, Mapping

from portal.doctor import aws, entra, ground, kintone, standing, telling
from portal.doctor.asking import Question, answer, ask_all, attempt
from portal.doctor.reports import Check, skipped
from syncer.gateways.pacing import StoreAway
from syncer.models import LetterSettings, TerraformOffer
from syncer.records.usage import DatabaseUsage

logger = logging.getLogger(__name__)

_SETTINGS: Mapping[str, Callable[[], Check]] = {
    "settings": ground.check_settings,
    "secret_key": ground.check_key,
    "public_url": ground.check_public_url,
    "sign_in": ground.check_sign_in_settings,
}
_SERVERS: Mapping[str, Callable[[], Check]] = {"cache": ground.check_cache, "broker": ground.check_broker}
_IN_DATABASE: Mapping[str, Callable[[], Check]] = {
    "worker": ground.check_worker,
    "beat": ground.check_beat,
    "pause": standing.check_pause,
    "baseline": standing.check_baseline,
    "secret_ends": standing.check_secret_ends,
}
_CHOSEN: Mapping[str, Callable[[], Check]] = {
    "sync_mode": standing.check_mode,
    "drift": standing.check_drift,
    "ownership_tag": standing.check_ownership_tag,
}


def examine() -> list[Check]:
    """Every check, in the order in which people read them. Takes half a minute at the longest, and never raises."""
    return list(_examine())


def _examine() -> Iterator[Check]:
    yield from (attempt(name, check) for name, check in _SETTINGS.items())
    database = answer(Question("database", ground.check_database))
    yield from database
    cause = next((check.name for check in database if not check.is_ok), "")
    yield from ask_all([_question(name, check) for name, check in _SERVERS.items()])
    for name, check in _IN_DATABASE.items():
        yield skipped(name, cause) if cause else attempt(name, check)
    yield from (attempt(name, check) for name, check in _CHOSEN.items())
    yield from answer(Question("kintone", lambda: _examine_outside(has_database=not cause)))
    yield from answer(Question(aws.CREDENTIALS, lambda: aws.examine_aws(has_database=not cause)))


def _question(name: str, check: Callable[[], Check]) -> Question:
    return Question(name, lambda: [check()])


def _examine_outside(*, has_database: bool) -> Iterator[Check]:
    """kintone, Entra ID, Slack and GitHub; requests to kintone are counted where there is a place for that."""
    counts = kintone.Counts()
    known = kintone.load_all_known() if has_database else {}
    letters = LetterSettings.load() if has_database else LetterSettings()
    offer = TerraformOffer.load() if has_database else TerraformOffer()
    questions = kintone.build_questions(known, counts)
    yield from ask_all([*questions, *entra.build_questions(), *telling.build_questions(letters, offer)])
    yield from kintone.list_quotas(known)
    yield attempt("kintone.webhook", kintone.check_webhook)
    if has_database:
        _count(counts)


def _count(counts: kintone.Counts) -> None:
    try:
        DatabaseUsage().add(counts.counts)
    except StoreAway:
        logger.warning("doctor: requests to kintone are not counted", exc_info=True)
