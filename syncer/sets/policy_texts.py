"""The texts of AWS managed policies, read beside everything else: of those that a set names, or somebody asked for.

They say whether one policy is less than another, and a new set can begin with one. Where the portal's role may not
read them, that is noted and tried again once a day: until then such a policy counts by its name, and doubt as more.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from accounts.models import AppKind, Draft, PermissionSet, PolicyText
from accounts.policy.summary import name_of
from syncer.connections import connect_aws
from syncer.gateways.errors import Denied, GatewayError, Temporary
from syncer.gateways.identity_center import IdentityCenter
from syncer.mirror.policy_texts import find_asked, find_due, load_versions, was_denied_lately

logger = logging.getLogger(__name__)

KEPT = timedelta(days=30)  # a text that no set names any more
MOST = 40  # texts at a time; the next turn goes on
_Outcome = PolicyText.Outcome


def read_texts(now: datetime) -> int:
    """Read what is needed and not known; how many texts came."""
    named = set(map(name_of, _collect_policies()))
    _forget(load_versions(named), now)
    due = find_due(load_versions({*named, *map(name_of, find_asked())}), now)[:MOST]
    if not due or was_denied_lately(now):
        return 0
    try:
        with connect_aws() as center:
            return _read(center, due, now)
    except GatewayError as error:
        logger.info("policy texts: AWS cannot be reached: %s", error)
        return 0


def _read(center: IdentityCenter, due: list[tuple[str, str]], now: datetime) -> int:
    read = 0
    for arn, version in due:
        try:
            text = center.fetch_policy_text(arn, version)
        except Temporary as error:  # too many questions, or out of reach: the next turn goes on
            logger.info("policy texts: put off: %s", error)
            break
        except GatewayError as error:
            is_denied = isinstance(error, Denied)
            outcome = _Outcome.DENIED if is_denied else _Outcome.FAILED
            _store(arn, version, {"outcome": outcome, "reason": error.reason.as_json(), "asked_at": now})
            if is_denied:
                break
        else:
            _store(arn, version, {"outcome": _Outcome.READ, "text": text, "reason": {}, "asked_at": now})
            read += 1
    return read


def _store(arn: str, version: str, values: dict[str, object]) -> None:
    PolicyText.objects.update_or_create(arn=arn, version=version, defaults=values)
    if values["outcome"] == _Outcome.READ:  # whoever may read one may read all
        PolicyText.objects.filter(outcome=_Outcome.DENIED).update(outcome=_Outcome.WANTED)


def _forget(named: Mapping[str, str], now: datetime) -> None:
    """Texts that were asked for once, and versions that are no longer in force."""
    old = PolicyText.objects.filter(asked_at__lt=now - KEPT).values_list("pk", "arn", "version")
    PolicyText.objects.filter(pk__in=[pk for pk, arn, version in old if named.get(arn) != version]).delete()


def _collect_policies() -> Iterator[str]:
    """Those that sets have, in force, in AWS or drafted."""
    live = PermissionSet.objects.exclude(state=PermissionSet.State.REMOVED)
    for in_force, actual in live.values_list("record__in_force", "actual").iterator():
        for values in (in_force, actual):
            yield from (values or {}).get("managed_policies", ())
    drafts = Draft.objects.open().filter(kind=AppKind.PERMISSION_SET, is_deletion=False)
    for values in drafts.values_list("values", flat=True):
        yield from values.get("managed_policies", ())
