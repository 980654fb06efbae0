"""Moving the last day of an assignment record further away: by whoever may widen it, as far as guardrails allow."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F

from accounts import access
from accounts.audit import record_event
from accounts.models import Account, AppKind, Draft, Record, User, Wish
from accounts.objections import Objection, Wanted, find_objections
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible
from syncer.records.parsing import parse_date
from syncer.states import Reason

USUAL = timedelta(days=90)  # what is offered where no guardrail sets a limit


@dataclass(frozen=True)
class Extension:
    """What can become of a record's last day.

    latest: the last one that guardrails allow; None: they set no limit. objection: what says so.
    """

    record: Record
    account: Account | None
    last_day: date
    today: date
    latest: date | None = None
    objection: Objection | None = None

    @property
    def is_possible(self) -> bool:
        return self.latest is None or self.latest > max(self.last_day, self.today)

    @property
    def offered(self) -> date:
        return self.latest or max(self.last_day, self.today) + USUAL


def may_extend(user: User, extension: Extension) -> bool:
    return extension.account is not None and access.may_widen(user, extension.account)


def plan_extension(user: User, record: Record, today: date) -> Extension:
    """Raises NotPossible where there is no last day to move."""
    if record.gone_at is not None:
        raise NotPossible(Reason("draft_record_gone"))
    in_force = record.in_force or {}
    last_day = parse_date(in_force.get("expires_on") or "")
    if last_day is None:
        raise NotPossible(Reason("extend_no_day", {"record": record.reference}))
    account = Account.objects.filter(account_id=in_force.get("account_id", "")).first()
    limits = [item for item in _find_limits(user, record, today) if item.latest]
    strictest = min(limits, key=lambda item: item.latest or date.max, default=None)
    return Extension(record, account, last_day, today, strictest.latest if strictest else None, strictest)


def _find_limits(user: User, record: Record, today: date) -> list[Objection]:
    """What guardrails have against access without end of all whom the record gives it."""
    wishes = Wish.objects.filter(record=record, is_current=True, is_refused=False)
    named = wishes.values_list(
        F("assignment__account__account_id"), F("assignment__permission_set__name"), F("assignment__principal__type"),
        F("assignment__principal__principal_id"),
    )  # fmt: skip
    wanted = [Wanted(account, name, kind, principal or "") for account, name, kind, principal in named.distinct()]
    return [item for item in find_objections(user, wanted, record=record, today=today) if item.is_refused]


@transaction.atomic
def extend(user: User, record: Record, day: date, *, seen: date, today: date) -> Draft:
    """Move the last day from the one that was seen. The caller checks the right. Raises NotPossible."""
    record = Record.objects.select_for_update().get(pk=record.pk)
    extension = plan_extension(user, record, today)
    if extension.last_day != seen:
        raise NotPossible(Reason("list_changed"))
    require_day(extension, day)
    draft = saving.save(AppKind.ASSIGNMENT, user, {"expires_on": day.isoformat()}, record=record)
    record_event(
        "record.extend",
        actor=user,
        obj=("record", record.reference, record.title),
        before={"expires_on": seen.isoformat()},
        after={"expires_on": day.isoformat()},
        outcome=f"draft {draft.pk}",
    )
    return draft


def require_day(extension: Extension, day: date) -> None:
    """Raises NotPossible for a day that is no extension, or longer than guardrails allow."""
    if day <= extension.last_day or day < extension.today:
        raise NotPossible(Reason("extend_not_later", {"day": extension.last_day.isoformat()}))
    if extension.latest and day > extension.latest and extension.objection:
        answer = extension.objection.answer
        raise NotPossible(Reason(answer.code, dict(answer.params)))
