"""What guardrails have against access before it is registered: the same decision as a run's, for forms and pages.

    find_objections(writer, [Wanted(account_id, permission_set, "USER", principal_id, expires_on=…), …], record=None)

answers with one `Objection` for each wish that a guardrail speaks against: refused or kept, which rule, the sentence
with its way out, the last day that would be allowed. What is allowed is not in the answer. A dozen statements, however
many wishes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import F
from django.utils import timezone

from accounts.access import find_principal_id
from accounts.ground import Answer, Ask, Ground, Say
from accounts.guardrails import Effect, anchor_of
from accounts.models import Record, User, Wish
from accounts.policy.powers import Power
from accounts.rulebook import load_ground, load_powers
from accounts.sentences import Sentence, render


@dataclass(frozen=True)
class Wanted:
    """Access that a record is to want. principal_id: empty for somebody who is not provisioned yet."""

    account_id: str
    permission_set: str
    principal_type: str  # USER or GROUP
    principal_id: str = ""
    expires_on: date | None = None


@dataclass(frozen=True)
class Objection:
    """What the guardrails say against one wish. is_refused: it would not come into force as it is wanted."""

    wanted: Wanted
    answer: Answer

    @property
    def is_refused(self) -> bool:
        return self.answer.is_refused

    @property
    def is_about_day(self) -> bool:
        """An earlier last day is all that is asked for: up to `latest`."""
        return self.answer.latest is not None

    @property
    def latest(self) -> date | None:
        return self.answer.latest

    @property
    def effect(self) -> Effect | None:
        """What the strictest rule does."""
        return self.answer.rule.effect if self.answer.rule else None

    @property
    def rule(self) -> str:
        """The name of the strictest rule."""
        return self.answer.rule.name if self.answer.rule else ""

    @property
    def anchor(self) -> str:
        """Its place on the page of all guardrails."""
        return anchor_of(self.rule)

    @property
    def own_words(self) -> str:
        """What the admin who wrote the rule says about it."""
        return self.answer.rule.sentence if self.answer.rule else ""

    @property
    def sentence(self) -> Sentence:
        """Why, and what to do, in the active language."""
        return render(self.answer.code, self.answer.params)


def find_objections(
    writer: User,
    wanted: Collection[Wanted],
    *,
    record: Record | None = None,
    powers: Mapping[str, frozenset[Power]] | None = None,
    today: date | None = None,
    ground: Ground | None = None,
) -> list[Objection]:
    """What guardrails would say if `writer` registered these today, in the order in which they are wanted.

    record: the one that is edited; what it has in force and in AWS is kept as a run keeps it. powers: of sets that are
    to do something else than they do now. ground: one that knows the accounts, where it is loaded already.
    """
    day, accounts = today or timezone.localdate(), {each.account_id for each in wanted}
    ground = ground or load_ground(accounts)
    if not ground.rules or not wanted:
        return []
    may = {**load_powers({each.permission_set for each in wanted}), **(powers or {})}
    there, writers = _load_there(record), frozenset(filter(None, [find_principal_id(writer)]))
    asks = ((each, _ask(each, may[each.permission_set], writers, there, day)) for each in wanted)
    answers = ((each, ground.answer(ask, day)) for each, ask in asks)
    return [Objection(each, answer) for each, answer in answers if answer.say is not Say.ALLOWED]


_Key = tuple[str, str, str]
"""Account, set and principal."""


def _ask(
    each: Wanted,
    powers: frozenset[Power],
    writers: frozenset[str],
    there: Mapping[_Key, date | None],
    today: date,
) -> Ask:
    key = (each.account_id, each.permission_set, each.principal_id)
    return Ask(
        account_id=each.account_id,
        permission_set=each.permission_set,
        powers=powers,
        principal_type=each.principal_type,
        principal_id=each.principal_id,
        writers=writers,
        expires_on=each.expires_on,
        registered_on=today,
        is_there=bool(each.principal_id) and key in there,
        was_until=there.get(key),
    )


def _load_there(record: Record | None) -> dict[_Key, date | None]:
    """What the record has in force and AWS has, with its last day in this record."""
    if record is None:
        return {}
    rows = Wish.objects.filter(record=record, is_current=True, is_refused=False, assignment__in_aws=True)
    named = rows.values_list(
        F("assignment__account__account_id"), F("assignment__permission_set__name"),
        F("assignment__principal__principal_id"), F("expires_on"),
    )  # fmt: skip
    return {(account, name, principal or ""): end for account, name, principal, end in named}
