"""What a form of access is filled with: accounts, people and groups, owners; as they were picked, typed or pasted.

Texts become picks where it is certain what they mean; the others stay in their box, each with why.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.datastructures import MultiValueDict

from accounts.access import visible_accounts, visible_units
from accounts.models import Account, OrganizationalUnit, Person, User
from accounts.names import fold
from accounts.sentences import Sentence, render
from syncer.giving.names import FIELDS, Answer, Name, iter_names, load_named, read_pasted
from syncer.giving.pasting import split_pasted
from syncer.records.parsing import normalise_account_id
from syncer.states import Reason

PEOPLE = ("users", "more_users")


class Chip(NamedTuple):
    """A pick as a page shows it. tone: the stage of an account, or `waits`."""

    name: str
    value: str
    label: str
    icon: str = ""
    tone: str = ""
    hint: str = ""


class Unread(NamedTuple):
    """A text that became no pick, its line in the box, and why."""

    line: int
    text: str
    why: Sentence


@dataclass(frozen=True)
class Picks:
    """Everything that is picked. unread: box → what stayed in it."""

    accounts: tuple[Account, ...] = ()
    names: tuple[Name, ...] = ()
    owners: tuple[str, ...] = ()
    unread: Mapping[str, tuple[Unread, ...]] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, str]:
        """What stays in each box."""
        return {box: "\n".join(item.text for item in items) for box, items in self.unread.items()}

    def as_values(self) -> dict[str, list[str]]:
        return {name: [each.text for each in self.names if each.field == name] for name in FIELDS}


def read_sent(user: User, data: MultiValueDict[str, str], fields: Collection[str]) -> Picks:
    """What a form brought back: its picks, and what stands in its boxes."""
    found, lost = read_accounts(user, [*data.getlist("account")], data.get("add-account", ""))
    more, lines = read_people(data.get("add-people", ""), fields)
    picked = [Name(name, text) for name in FIELDS if name in fields for text in _clean(data.getlist(name))]
    people, nobody = read_owners(_clean(data.getlist("owners")), data.get("add-owners", ""))
    return Picks(
        tuple(found), tuple(dict.fromkeys([*picked, *more])), tuple(people),
        {"account": lost, "people": lines, "owners": nobody},
    )  # fmt: skip


def read_address(user: User, query: MultiValueDict[str, str], fields: Collection[str], owners: Sequence[str]) -> Picks:
    """What a link to the form fills in: `account` (an id or a unit), `user`, `group`; each may stand several times."""
    found, lost = read_accounts(user, (), "\n".join(query.getlist("account")))
    names, lines = read_people(_join_people(query), fields)
    return Picks(tuple(found), tuple(names), tuple(owners), {"account": lost, "people": lines})


def _join_people(query: MultiValueDict[str, str]) -> str:
    return "\n".join([*query.getlist("user"), *query.getlist("group")])


def read_record(
    user: User, values: Mapping[str, Any], query: MultiValueDict[str, str], fields: Collection[str]
) -> Picks:
    """What a record says, and whom a link to its form adds: `user`, `group`. An unknown account stays as a text."""
    found, lost = read_accounts(user, (), str(values.get("account_id", "")))
    more, lines = read_people(_join_people(query), fields)
    names = dict.fromkeys([*iter_names(values), *more])
    return Picks(tuple(found), tuple(names), tuple(values.get("owners", ())), {"account": lost, "people": lines})


def _clean(texts: Iterable[str]) -> list[str]:
    return [text for text in (text.replace("\0", "").strip()[:1000] for text in texts) if text]


def _explain(answers: Iterable[Answer]) -> tuple[Unread, ...]:
    return tuple(
        Unread(answer.pasted.line, answer.pasted.text, _say(answer.reason)) for answer in answers if answer.reason
    )


def _say(reason: Reason) -> Sentence:
    return render(reason.code, reason.params)


# --- Accounts ---------------------------------------------------------------------------------------------------------


def read_accounts(user: User, picked: Collection[str], typed: str) -> tuple[list[Account], tuple[Unread, ...]]:
    """Accounts by id, name, or unit (its id or path), which stands for all that are in it and below."""
    pasted = split_pasted(typed)
    texts = [*_clean(picked), *(item.text for item in pasted)]
    known = _load_accounts(user, texts)
    found = [known.get(text, []) for text in texts]
    lost = tuple(
        Unread(item.line, item.text, render("give_account_unknown", {"account": item.text}))
        for item in pasted if not known.get(item.text)
    )  # fmt: skip
    return list(dict.fromkeys(chain.from_iterable(found))), lost


def _load_accounts(user: User, texts: Collection[str]) -> dict[str, list[Account]]:
    """What each text stands for."""
    ids = {text: normalise_account_id(text) for text in texts}
    accounts = visible_accounts(user).filter(gone_at__isnull=True).select_related("ou").order_by("name", "account_id")
    rows = accounts.filter(Q(account_id__in=set(ids.values()) - {""}) | Q(name__in=texts)) if texts else ()
    by_id, by_name = {row.account_id: row for row in rows}, dict[str, list[Account]]()
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    found = {text: [by_id[ids[text]]] if ids[text] in by_id else by_name.get(text, []) for text in texts}
    units = visible_units(user).filter(Q(ou_id__in=texts) | Q(path__in=[text.strip("/ ") for text in texts]))
    left = [text for text in texts if not found[text]]
    for unit in units if left else ():
        below = list(below_unit(accounts, unit))
        found |= {text: below for text in left if text == unit.ou_id or text.strip("/ ") == unit.path}
    return found


def below_unit(accounts: QuerySet[Account], unit: OrganizationalUnit) -> QuerySet[Account]:
    """The accounts in a unit and below that can be entered."""
    rows = accounts.filter(state=Account.State.ACTIVE, gone_at__isnull=True, is_management=False)
    return rows.filter(Q(ou=unit) | Q(ou__path__startswith=f"{unit.path}/")) if unit.path else rows


# --- People and groups ------------------------------------------------------------------------------------------------


def read_people(typed: str, fields: Collection[str]) -> tuple[list[Name], tuple[Unread, ...]]:
    """The people and groups of a list, and what became of none."""
    answers = read_pasted(typed, fields)
    return list(dict.fromkeys(answer.name for answer in answers if answer.name)), _explain(answers)


# --- Owners of the record ---------------------------------------------------------------------------------------------


def read_owners(picked: Sequence[str], typed: str) -> tuple[list[str], tuple[Unread, ...]]:
    """kintone codes. Only kintone's users can own a record there."""
    answers = read_pasted(typed, ("users",))
    codes = [answer.name.text for answer in answers if answer.name]
    return list(dict.fromkeys([*picked, *codes])), _explain(answers)


# --- Chips ------------------------------------------------------------------------------------------------------------


def build_account_chips(accounts: Iterable[Account]) -> list[Chip]:
    return [Chip("account", row.account_id, row.name, tone=row.stage, hint=_place(row)) for row in accounts]


def _place(account: Account) -> str:
    return f"{account.spaced_id} {account.ou.path if account.ou else ''}".strip()


def build_name_chips(names: Sequence[Name]) -> list[Chip]:
    return [
        Chip(
            each.name.field, each.name.text, each.label, "users" if each.name.is_group else "user-round",
            "waits" if each.waits else "", each.name.text,
        )
        for each in load_named(names)
    ]  # fmt: skip


def build_owner_chips(codes: Sequence[str]) -> list[Chip]:
    people = Person.objects.filter(kintone_code__in=codes)
    names = {fold(person.kintone_code): str(person) for person in people}
    return [Chip("owners", code, names.get(fold(code), code), "user-round", hint=code) for code in codes]
