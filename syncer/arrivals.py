"""Looking for those who are waited for, every minute: a name that Entra ID has brought is not left until a full run.

What is found goes into the mirror, and the records that want it count as changed: the next look at the changes grants
it. Nothing here decides who somebody is; that is done where names are looked up, for all alike.
"""

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from django.conf import settings

from accounts.models import Record
from accounts.names import fold
from syncer.connections import connect_aws
from syncer.gateways.errors import GatewayError, Invalid, NotFound
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.mirror import people, truth
from syncer.mirror.people import Waiting
from syncer.states import ActualPrincipal, PrincipalType

logger = logging.getLogger(__name__)

NAMES_A_MINUTE = 100  # at most three questions each, beside others at the identity store's 20 requests a second
MINUTE = 60


def look_for_waiting(now: datetime) -> int:
    """Ask for everybody who is waited for; how many have come. Nobody waited for: no request at all."""
    return _look_for_all(take_turn(people.load_waiting(), now), now)


def look_for_those_of(record: Record, now: datetime) -> int:
    """The same for whom one record waits for: somebody does not want to wait for the minute."""
    return _look_for_all(people.load_waiting(record)[:NAMES_A_MINUTE], now)


def _look_for_all(waiting: Sequence[Waiting], now: datetime) -> int:
    instance = truth.load_instance()
    if not waiting or instance is None:
        return 0
    try:
        with closing(connect_aws()) as center:
            center.use_instance(instance)
            return sum(_look_for(center, item, now) for item in waiting)
    except GatewayError as error:
        logger.warning("arrivals: waiting people could not be looked for: %s", error.reason)
        return 0


def take_turn(waiting: Sequence[Waiting], now: datetime) -> Sequence[Waiting]:
    """This minute's share, the oldest first; where there are more, each has his turn before anybody has two."""
    turns = -(-len(waiting) // NAMES_A_MINUTE)
    start = int(now.timestamp() // MINUTE) % turns * NAMES_A_MINUTE if turns else 0
    return waiting[start : start + NAMES_A_MINUTE]


def _look_for(center: IdentityCenterQueries, waiting: Waiting, now: datetime) -> bool:
    found = _find(center, waiting)
    if found is None or not found.is_enabled:
        return False
    people.take_in(waiting, found, now)
    logger.info("arrivals: %s %s has come", waiting.type, found.principal_id)
    return True


def _find(center: IdentityCenterQueries, waiting: Waiting) -> ActualPrincipal | None:
    """Who bears the name now; of somebody disabled only he himself counts."""
    fetch = center.fetch_group if waiting.type is PrincipalType.GROUP else center.fetch_user
    is_disabled = waiting.principal_id and not waiting.is_gone
    try:
        principal_id = waiting.principal_id if is_disabled else _find_id(center, waiting)
        return fetch(principal_id) if principal_id else None
    except (NotFound, Invalid):  # a name that AWS does not take is nobody's
        return None


def _find_id(center: IdentityCenterQueries, waiting: Waiting) -> str | None:
    """The same look-ups as for a record's names (`directory.find_match`)."""
    if waiting.type is PrincipalType.GROUP:
        return center.find_group_id(waiting.name)
    found = center.find_user_id(waiting.name)
    if found is None and settings.KINTONE_USER_SUFFIX and not _has_suffix(waiting.name):
        found = center.find_user_id(waiting.name + settings.KINTONE_USER_SUFFIX)
    if found is None and settings.IDENTITY_MATCH_EMAIL:
        found = center.find_user_id(waiting.name, "emails.value")
    return found


def _has_suffix(name: str) -> bool:
    return fold(name).endswith(fold(settings.KINTONE_USER_SUFFIX))
