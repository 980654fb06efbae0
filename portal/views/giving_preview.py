"""The preview beside a form of access: what would be foreseen, gathered into a few lines that people can read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.guardrails import Effect
from accounts.models import Account, Record
from accounts.objections import Objection
from accounts.sentences import Sentence, render
from syncer.giving.foresight import BLOCKED, CREATED, EXISTS, WAITING, Foresight, Giving, Part
from syncer.giving.names import Named
from syncer.states import Reason

Item = TypeVar("Item")
SHOWN = 6  # of one kind; the rest is counted


class Existing(NamedTuple):
    """Somebody who has it already, where, and by which records."""

    label: str
    account: Account
    records: tuple[Record, ...]


class Pending(NamedTuple):
    """People for whom nothing happens yet, and why."""

    why: Sentence
    labels: tuple[str, ...]


class Speaking(NamedTuple):
    """A guardrail that is not satisfied: where, for whom, and the way out."""

    rule: str
    sentence: str
    remedy: str
    accounts: tuple[str, ...]
    labels: tuple[str, ...]


class Refused(NamedTuple):
    """An account in which this cannot be done, and why. owners: who may."""

    account: Account
    why: Sentence
    owners: tuple[str, ...]


class Own(NamedTuple):
    """A record that people could be added to."""

    account: Account
    record: Record


class Place(NamedTuple):
    """An account with how many people and groups come in."""

    account: Account
    comers: int


@dataclass(frozen=True)
class Few(Generic[Item]):
    """The first of a list, and how many are left."""

    items: tuple[Item, ...] = ()
    more: int = 0


def take_few(items: Iterable[Item]) -> Few[Item]:
    listed = tuple(items)
    return Few(listed[:SHOWN], max(0, len(listed) - SHOWN))


@dataclass(frozen=True)
class Edit:
    """What a form changes in a record that is there, by what people call it."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.added or self.removed or self.fields)


class Links(NamedTuple):
    """What addresses of forms say: of this very form, and of one for its people alone."""

    form: str = ""
    people: str = ""


NO_LINKS = Links()


@dataclass(frozen=True)
class Preview:
    """What stands beside the form."""

    foresight: Foresight
    places: Few[Place]
    existing: Few[Existing]
    pending: Few[Pending]
    guardrails: tuple[Speaking, ...]
    refused: Few[Refused]
    claims: Few[Account]
    own: Few[Own]
    reasons: tuple[Sentence, ...]
    last_day: date | None
    message: str = ""
    people_query: str = ""
    lacking: tuple[str, ...] = ()  # fields that are to be filled in first
    edit: Edit | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        return self.foresight.counts

    @property
    def created(self) -> int:
        return self.counts.get(CREATED, 0)

    @property
    def waiting(self) -> int:
        return self.counts.get(WAITING, 0)

    @property
    def blocked(self) -> int:
        return self.counts.get(BLOCKED, 0)

    @property
    def records(self) -> int:
        """How many records are written."""
        return sum(bool(part.new) for part in self.foresight.parts)

    @property
    def is_all_there(self) -> bool:
        """There is nothing left to register."""
        return self.edit is None and EXISTS in self.counts and self.foresight.is_empty

    @property
    def may_save(self) -> bool:
        if self.foresight.is_refused or self.lacking:
            return False
        return not self.edit.is_nothing if self.edit else not self.foresight.is_empty


def build_preview(
    foresight: Foresight, *, links: Links = NO_LINKS, lacking: Iterable[str] = (), edit: Edit | None = None
) -> Preview:
    """What people read of a foresight."""
    parts = foresight.parts
    return Preview(
        foresight,
        places=take_few(Place(part.account, len(part.new)) for part in parts if not part.refusal),
        existing=take_few(_iter_existing(parts)),
        pending=take_few(_iter_pending(parts)),
        guardrails=tuple(_gather_objections(parts)),
        refused=take_few(_refuse(part, part.refusal) for part in parts if part.refusal),
        claims=take_few(part.account for part in parts if part.right.claims),
        own=take_few(Own(part.account, record) for part in parts for record in part.own),
        reasons=tuple(render(reason.code, reason.params) for reason in foresight.reasons),
        last_day=foresight.last_day,
        message=_write_message(foresight, links.form),
        people_query=links.people,
        lacking=tuple(lacking),
        edit=edit,
    )


def _iter_existing(parts: Iterable[Part]) -> Iterator[Existing]:
    for part in parts:
        for giving in part.givings:
            if giving.outcome == EXISTS:
                yield Existing(giving.named.label, part.account, tuple(filter(None, giving.records)))


def _refuse(part: Part, reason: Reason) -> Refused:
    return Refused(part.account, render(reason.code, reason.params), part.right.owners)


def _iter_pending(parts: Iterable[Part]) -> Iterator[Pending]:
    """Each sentence once, with everybody whom it is about."""
    found: dict[Sentence, dict[str, None]] = defaultdict(dict)
    for giving in _iter_givings(parts):
        if giving.outcome in (WAITING, BLOCKED) and giving.reason:
            found[render(giving.reason.code, giving.reason.params)][giving.named.label] = None
    for why, labels in found.items():
        yield Pending(why, tuple(labels))


def _iter_givings(parts: Iterable[Part]) -> Iterator[Giving]:
    return (giving for part in parts for giving in part.givings)


def _gather_objections(parts: Iterable[Part]) -> Iterator[Speaking]:
    """Each rule once, with the accounts and people that it stops."""
    rules: dict[str, Objection] = {}
    accounts: dict[str, dict[str, None]] = defaultdict(dict)
    labels: dict[str, dict[str, None]] = defaultdict(dict)
    for part in parts:
        for named, objection in part.objected:
            rules.setdefault(objection.rule, objection)
            accounts[objection.rule][part.account.name] = None
            labels[objection.rule][named.label] = None
    for name, objection in rules.items():
        remedy = _explain(objection)
        yield Speaking(name, objection.own_words, remedy, _cut(accounts[name]), _cut(labels[name]))


def _cut(texts: Iterable[str]) -> tuple[str, ...]:
    listed = tuple(texts)
    return (*listed[:SHOWN], "…") if len(listed) > SHOWN else listed


def _explain(objection: Objection) -> str:
    """What would satisfy the rule; empty where a button does it."""
    match objection.effect:
        case Effect.EXPIRES_WITHIN:
            return ""  # the button says it
        case Effect.GROUPS_ONLY:
            return _("Choose a group in place of people.")
        case Effect.OWNERS_ONLY:
            return _("Only owners of the account can be given this.")
        case Effect.ROLES_ONLY:
            return _("Somebody whom the rule names has to register it.")
        case _:
            return _("Choose another permission set or account.")


# --- Whom to ask ------------------------------------------------------------------------------------------------------


def _write_message(foresight: Foresight, query: str) -> str:
    """What somebody who may not can send to somebody who may. The link opens the form as it is filled here."""
    accounts = [part.account.name for part in foresight.parts if not part.right.may]
    if not accounts or not query:
        return ""
    address = f"{settings.PUBLIC_URL}{reverse('new_assignment')}?{query}"
    who = ", ".join(_cut(named.label for named in foresight.names)) or _("me")
    return _("Could you give %(who)s access to %(accounts)s? This link has it all filled in: %(address)s") % {
        "who": who, "accounts": ", ".join(_cut(accounts)), "address": address,
    }  # fmt: skip


def build_query(accounts: Iterable[Account], names: Iterable[Named], **single: str) -> str:
    """The address of a form that is filled like this one."""
    pairs = [("account", account.account_id) for account in accounts]
    pairs += [("group" if named.name.is_group else "user", named.name.text) for named in names]
    pairs += [(name, value) for name, value in single.items() if value]
    return urlencode(pairs)
