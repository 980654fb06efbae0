"""What guardrails say to access before it is registered, and what would satisfy them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from accounts import access
from accounts.ground import Ask, Ground
from accounts.guardrails import Effect
from accounts.models import Account, User
from accounts.policy.powers import Power
from accounts.rulebook import load_powers
from syncer.giving.gift import Gift
from syncer.giving.names import Named


@dataclass(frozen=True)
class Rail:
    """A rule that is not satisfied in an account, and whom it concerns.

    last_day: with a last day up to this one it is satisfied.
    """

    name: str
    sentence: str
    effect: Effect
    labels: tuple[str, ...]
    last_day: date | None = None


class Rails:
    """The guardrails for one permission set, decided as a run decides them."""

    def __init__(self, user: User, gift: Gift, ground: Ground) -> None:
        self._gift, self._ground = gift, ground
        self._writers = frozenset(filter(None, [access.find_principal_id(user)]))
        self._powers = load_powers([gift.set_name])[gift.set_name] if ground.rules else frozenset[Power]()

    def decide(self, account: Account, named: Iterable[Named], today: date) -> tuple[Rail, ...]:
        """What speaks against these people and groups in this account: one for each rule."""
        if not self._ground.rules:
            return ()
        answers = [(each, self._ground.answer(self._build(account, each, today), today)) for each in named]
        stopped = [(each, answer.rule, answer.latest) for each, answer in answers if answer.is_refused and answer.rule]
        labels: dict[str, list[str]] = defaultdict(list)
        for each, rule, _latest in stopped:
            labels[rule.name].append(each.label)
        rails = {
            rule.name: Rail(rule.name, rule.sentence, rule.effect, tuple(labels[rule.name]), latest)
            for _each, rule, latest in stopped
        }
        return tuple(rails.values())

    def _build(self, account: Account, named: Named, today: date) -> Ask:
        gift = self._gift
        return Ask(
            account.account_id,
            gift.set_name,
            self._powers,
            "GROUP" if named.name.is_group else "USER",
            named.principal_id,
            self._writers,
            expires_on=gift.until,
            registered_on=today,
            is_there=named.name in gift.kept,
            was_until=gift.was_until,
        )
