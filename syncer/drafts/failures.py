"""Why a draft could not be written now: what passes, what its author decides, what is refused."""

import logging

from django.utils import timezone

from accounts.models import Draft, Record
from syncer.drafts import outcomes
from syncer.drafts.carrying import Apps, Discarded, NotYet, Overtaken, UnderWay, is_record_gone
from syncer.gateways.errors import Denied, GatewayError, NotFound, Race, Temporary
from syncer.records.rendering import DoesNotFit
from syncer.records.schema import SchemaError
from syncer.states import Reason

logger = logging.getLogger(__name__)

FAILURES = (NotYet, Discarded, UnderWay, Overtaken, DoesNotFit, GatewayError, SchemaError)
"""All that carrying a draft raises."""


def tell(draft: Draft, error: Exception, apps: Apps) -> None:
    """Leave the draft as this failure wants it. What passes stays for the next time."""
    match error:
        case NotYet(record=record):
            _wait_for_judgement(draft, record)
        case Discarded():
            outcomes.discard_marked(draft)
        case Overtaken():
            outcomes.stop_in_conflict(draft, error.conflicts, theirs=error.theirs, record=error.record)
        case DoesNotFit():
            outcomes.stop(draft, Draft.State.REFUSED, error.reason)
        case Race():  # of this record alone
            outcomes.delay([draft], error.reason, timezone.now())
        case Temporary() | Denied() | SchemaError():  # the settings and rights of kintone can be mended
            logger.warning("writing: draft %s waits: %s", draft.pk, error)
            apps.failed[draft.kind] = error.reason
            outcomes.delay([draft], error.reason, timezone.now())
        case GatewayError():
            outcomes.stop(draft, Draft.State.REFUSED, _explain_refusal(error))


def _wait_for_judgement(draft: Draft, record: Record) -> None:
    """The run that is asked for tells soon; one that could not find out who may is not the last."""
    reason = Reason("draft_waits_for_judgement")
    if record.is_settled:
        outcomes.delay([draft], reason, timezone.now())
    else:
        outcomes.note(draft, reason)


def _explain_refusal(error: GatewayError) -> Reason:
    """What the person who saved can do about it."""
    if isinstance(error, NotFound) and is_record_gone(error):
        return Reason("draft_record_gone")
    if error.reason.code == "kintone_error":
        return Reason("draft_refused", {"text": error.text or error.code})
    return error.reason
