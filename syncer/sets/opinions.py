"""What IAM Access Analyzer says about the policies here, asked beside everything else: it decides nothing.

Asked about what is in force, what is written and not in force, and what somebody drafts; each text once, and anew after
a while, because AWS adds checks without saying so. Where the portal's role may not ask, that is noted and tried again
once a day. What is not known is never taken for good.
"""

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import AppKind, Draft, PermissionSet, PolicyOpinion, Record
from accounts.policy.layout import digest_policy, format_policy
from accounts.policy.limits import MAX_CHECKED
from syncer.connections import connect_access_analyzer
from syncer.gateways.access_analyzer import LOCALES, AccessAnalyzer
from syncer.gateways.errors import Denied, GatewayError, Temporary
from syncer.records.parsing import find_anywhere

logger = logging.getLogger(__name__)

ASK_ANEW = timedelta(days=14)
TRY_DENIED = timedelta(days=1)
KEPT = timedelta(days=30)  # after it was asked last, of a text that nobody has any more
MOST = 40  # texts at a time; the next turn goes on

_Outcome = PolicyOpinion.Outcome


def ask_for_opinions(now: datetime) -> int:
    """Ask about what is not known or long ago; how many texts an answer came for."""
    texts = {digest_policy(text): text for text in _collect_texts() if text.strip() and len(text) <= MAX_CHECKED}
    _forget(texts, now)
    due = _find_due(texts, now)
    if not due or _was_denied_lately(now):
        return 0
    try:
        with connect_access_analyzer() as analyzer:
            return _ask(analyzer, {digest: texts[digest] for digest in due[:MOST]}, now)
    except GatewayError as error:
        logger.info("opinions: Access Analyzer cannot be reached: %s", error)
        return 0


def _ask(analyzer: AccessAnalyzer, texts: Mapping[str, str], now: datetime) -> int:
    answered = 0
    for digest, text in texts.items():
        try:
            found = {language: analyzer.validate(format_policy(text), language) for language in LOCALES}
        except Temporary as error:  # too many questions, or out of reach: the next turn goes on
            logger.info("opinions: put off: %s", error)
            break
        except GatewayError as error:
            outcome = _Outcome.DENIED if isinstance(error, Denied) else _Outcome.FAILED
            _store(digest, outcome, now, reason=error.reason.as_json())
            if outcome == _Outcome.DENIED:
                break
        else:
            findings = {language: [dataclasses.asdict(each) for each in rows] for language, rows in found.items()}
            _store(digest, _Outcome.CHECKED, now, findings=findings)
            answered += 1
    return answered


def _store(
    digest: str,
    outcome: PolicyOpinion.Outcome,
    now: datetime,
    *,
    findings: Mapping[str, object] | None = None,
    reason: Mapping[str, object] | None = None,
) -> None:
    values = {"outcome": outcome, "findings": findings or {}, "reason": reason or {}, "checked_at": now}
    PolicyOpinion.objects.update_or_create(digest=digest, defaults=values)
    if outcome != _Outcome.DENIED:
        PolicyOpinion.objects.filter(outcome=_Outcome.DENIED).exclude(digest=digest).delete()


def _was_denied_lately(now: datetime) -> bool:
    return PolicyOpinion.objects.filter(outcome=_Outcome.DENIED, checked_at__gt=now - TRY_DENIED).exists()


def _find_due(texts: Iterable[str], now: datetime) -> list[str]:
    """What was never asked about first, then what was longest ago."""
    known = dict(PolicyOpinion.objects.exclude(outcome=_Outcome.DENIED).values_list("digest", "checked_at"))
    fresh = {digest for digest, at in known.items() if at > now - ASK_ANEW}
    return sorted((digest for digest in texts if digest not in fresh), key=lambda digest: _rank(known.get(digest)))


def _rank(checked_at: datetime | None) -> float:
    return checked_at.timestamp() if checked_at else 0.0


def _forget(texts: Iterable[str], now: datetime) -> None:
    PolicyOpinion.objects.filter(checked_at__lt=now - KEPT).exclude(digest__in=texts).delete()


# --- Whose texts -----------------------------------------------------------------------------------------------------


def _collect_texts() -> Iterator[str]:
    live = PermissionSet.objects.exclude(state=PermissionSet.State.REMOVED)
    for in_force, actual in live.values_list("record__in_force", "actual").iterator():
        yield str((in_force or actual or {}).get("inline_policy") or "")
    for record in Record.objects.live().of_kind(AppKind.PERMISSION_SET).iterator():
        if not record.is_in_force:
            code = settings.KINTONE_PERMISSION_SET_FIELDS.get("inline_policy", "inline_policy")
            yield str((find_anywhere(record.body, code) or {}).get("value") or "")
    drafts = Draft.objects.open().filter(kind=AppKind.PERMISSION_SET, is_deletion=False)
    for values in drafts.values_list("values", flat=True):
        yield str(values.get("inline_policy") or "")
