"""Which values of a record are in force, judged by who wrote them. Pure; decided at once, and nobody is asked.

A revision is judged value by value against what is in force: what it takes away applies if its writer may edit the
record, or is that very person; what it adds or extends applies if its writer may widen access to the account. What does
not apply is withheld, and stays so in all later revisions, whoever writes them, until somebody who may confirms it or
it is taken out and written anew.

A withheld value has a name: `+` for one that was added, `-` for one that was taken away, then what it is, such as
`+kintone_user:hana`, `-group_name:developers`, `+place:123456789012/ReadOnly`, `+expires_on:never`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from accounts.names import fold

GROUP = "group_name"
_LONGEST = 400  # characters of a name in its column; the rest of a longer one is hashed


class Name(NamedTuple):
    """A person or group as a record names it. `source` is one of PrincipalLink.Source."""

    source: str
    written: str
    principal_id: str = ""  # empty while Identity Center does not know the name

    @property
    def identity(self) -> str:
        """Who it is, whichever field and spelling names him."""
        return self.principal_id or self.value

    @property
    def value(self) -> str:
        return name_value(self.source, fold(self.written))


def name_value(field: str, text: str) -> str:
    """The name of a value without its sign, never longer than its column."""
    value = f"{field}:{text}"
    return value if len(value) < _LONGEST else f"{value[: _LONGEST - 66]}~{_digest(value, 64)}"


def _digest(text: str, length: int = 16) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


@dataclass(frozen=True)
class Values:
    """What one assignment record says. `owners` are kintone codes; None where they are not known."""

    account_id: str
    permission_set: str
    names: tuple[Name, ...] = ()
    owners: tuple[str, ...] | None = None
    expires_on: date | None = None

    @property
    def place(self) -> tuple[str, str]:
        return self.account_id, self.permission_set


@dataclass(frozen=True)
class PutBack:
    """What the portal puts back, where it was: that was in force a moment ago, and its writer took it out himself.

    names: value → principal id, empty where nobody knew it.
    """

    place: tuple[str, str]
    names: Mapping[str, str]
    expires_on: date | None = None


@dataclass(frozen=True)
class Writing:
    """Who wrote the revision, and what he may do.

    may_edit: take away; may_widen: add, extend and move to the account named now. is_certain is False where it could
    not be found out whether he may widen: then nothing is added, and nothing is withheld for good.
    granted: identities that AWS had at the first run, which are the baseline.
    keeps_access: the portal moved the same people with the same last day to a twin of the set, which widens nothing.
    put_back: nor do these names, in this place and no longer than they were there.
    """

    may_edit: bool = False
    may_widen: bool = False
    principal_id: str = ""
    code: str = ""
    is_certain: bool = True
    withheld: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    keeps_access: bool = False
    put_back: PutBack | None = None


@dataclass(frozen=True)
class Judged:
    """What is in force now, what is withheld, and which names of the revision are therefore not in force."""

    in_force: Values
    withheld: frozenset[str] = frozenset()
    refused: tuple[Name, ...] = ()
    added: frozenset[str] = frozenset()  # values that this revision brought into force
    put_back: frozenset[str] = frozenset()  # those of them that were in force a moment ago
    spent: frozenset[str] = frozenset()  # confirmations of values that are no longer written


def judge_revision(now: Values, force: Values | None, writing: Writing) -> Judged:
    """Judge one revision of an assignment record. `force` is what was in force, None if nothing ever was."""
    judging = _Judging(now, writing)
    in_force = judging.judge_first() if force is None else judging.judge_later(force)
    holding = {name.identity for name in in_force.names} if in_force.place == now.place else set[str]()
    return Judged(
        in_force,
        judging.find_withheld(),
        tuple(name for name in now.names if name.identity not in holding),
        frozenset(judging.added),
        frozenset(judging.put_back),
        judging.find_spent(),
    )


def judge_additions(now: Values, force: Values, writing: Writing) -> frozenset[str]:
    """What a revision withholds that cannot be understood as a whole: the names that its writer may not add.

    Nothing of such a revision is in force, but whoever mends it later must not let in what somebody else has written.
    """
    judging, known = _Judging(now, writing), {name.identity for name in force.names}
    for name in now.names:
        if name.identity not in known:
            judging.let(f"+{name.value}", writing.may_widen)
    return judging.find_withheld() | writing.withheld


class JudgedOwners(NamedTuple):
    """Who owns a record now, what is withheld of what is written, and which confirmations have had their time."""

    owners: tuple[str, ...] | None
    withheld: frozenset[str]
    spent: frozenset[str]


def judge_owners(now: tuple[str, ...] | None, force: tuple[str, ...] | None, writing: Writing) -> JudgedOwners:
    """Judge the owners alone of a revision of any record."""
    judging = _Judging(Values("", "", owners=now), writing)
    owners = judging.judge_owners(force)
    about = frozenset(value for value in judging.find_withheld() | judging.find_spent() if is_of_owner(value))
    return JudgedOwners(owners, about & judging.find_withheld(), about & judging.find_spent())


def is_of_owner(value: str) -> bool:
    """Whether a withheld value is about an owner who came or went."""
    return value[1:].startswith(_owner(""))


class _Judging:
    def __init__(self, now: Values, writing: Writing) -> None:
        self.now, self.writing = now, writing
        self.added: set[str] = set()
        self.put_back: set[str] = set()
        self._withheld: set[str] = set()

    def let(self, value: str, may: bool) -> bool:
        """Whether a value applies. What somebody before was not allowed stays withheld, whoever writes now."""
        writing = self.writing
        if value in writing.confirmed or (may and value not in writing.withheld):
            return True
        self._withheld.add(value)
        return False

    def find_withheld(self) -> frozenset[str]:
        """Where it is not certain who may, nothing new is withheld for good."""
        return frozenset(self._withheld if self.writing.is_certain else self._withheld & self.writing.withheld)

    def find_spent(self) -> frozenset[str]:
        """Confirmations that have had their time: what they let in is taken out, what they let go is back.

        Those of another place are spent as well.
        """
        now = self.now
        named = {name.value for name in now.names} | {_owner(code) for code in now.owners or ()}
        alive = {f"+{value}" for value in (*named, _place(now), _end(now.expires_on))} | {f"-{_end(now.expires_on)}"}
        return frozenset(
            value
            for value in self.writing.confirmed
            if value in self._withheld
            or (value not in alive and (value[0] == "+" or value[1:] in named or value.startswith("-expires_on:")))
        )

    def judge_first(self) -> Values:
        """Nothing is in force yet: everything is added, but what AWS had at the first run."""
        now, granted = self.now, self.writing.granted
        names = tuple(name for name in now.names if name.identity in granted or self._let_name(name))
        return Values(*now.place, names, now.owners, now.expires_on)

    def judge_later(self, force: Values) -> Values:
        now, writing = self.now, self.writing
        owners = self.judge_owners(force.owners)
        if now.place == force.place or self._lets_move(force):
            return Values(*now.place, self._judge_names(force), owners, self._judge_end(force, writing.may_widen))
        if writing.may_edit and writing.is_certain and f"+{_place(now)}" not in writing.withheld:
            # He takes access away here, which he may, and gives it elsewhere, which he may not. What was confirmed
            # was confirmed for the place before.
            self._withheld |= {f"+{name.value}" for name in now.names}
            return Values(*now.place, (), owners, now.expires_on)
        return self._stay(force, owners)

    def _lets_move(self, force: Values) -> bool:
        writing, value = self.writing, f"+{_place(self.now)}"
        if value in writing.confirmed or (writing.keeps_access and self._is_same_access(force)):
            return True
        return writing.may_edit and writing.may_widen and value not in writing.withheld

    def _is_same_access(self, force: Values) -> bool:
        known = {name.identity for name in force.names}
        same_end = not _is_later(self.now.expires_on, force.expires_on)
        return (
            self.now.account_id == force.account_id
            and same_end
            and known.issuperset(n.identity for n in self.now.names)
        )

    def _stay(self, force: Values, owners: tuple[str, ...] | None) -> Values:
        """The move is withheld as a whole: what is in force stays where it is, less what the writer may take away."""
        self.let(f"+{_place(self.now)}", may=False)
        known = {name.identity for name in force.names}
        for name in self.now.names:
            if name.identity not in known:
                self.let(f"+{name.value}", self.writing.may_widen)
        return Values(*force.place, self._find_remaining(force), owners, self._judge_end(force, may_widen=False))

    def _find_remaining(self, force: Values) -> tuple[Name, ...]:
        named = {name.identity for name in self.now.names}
        return tuple(name for name in force.names if name.identity in named or not self._let_removal(name))

    def _judge_names(self, force: Values) -> tuple[Name, ...]:
        known, named = ({name.identity for name in values.names} for values in (force, self.now))
        kept = [name for name in self.now.names if name.identity in known or self._let_name(name)]
        stay = [name for name in force.names if name.identity not in named and not self._let_removal(name)]
        return (*kept, *stay)

    def _let_name(self, name: Name) -> bool:
        is_back = self._is_put_back(name)
        is_let = self.let(f"+{name.value}", self.writing.may_widen or is_back)
        if is_let:
            self.added.add(name.value)
        if is_let and is_back:
            self.put_back.add(name.value)
        return is_let

    def _is_put_back(self, name: Name) -> bool:
        """The very name, for the very person, in the place where it was, and no longer than it was there."""
        back, now = self.writing.put_back, self.now
        if back is None or back.place != now.place or _is_later(now.expires_on, back.expires_on):
            return False
        known = back.names.get(name.value)
        return known is not None and known in ("", name.principal_id)

    def _let_removal(self, name: Name) -> bool:
        is_oneself = name.source != GROUP and bool(name.principal_id) and name.principal_id == self.writing.principal_id
        return self.let(f"-{name.value}", self.writing.may_edit or is_oneself)

    def _judge_end(self, force: Values, may_widen: bool) -> date | None:
        new, old = self.now.expires_on, force.expires_on
        if new == old:
            return old
        sign, may = ("+", may_widen) if _is_later(new, old) else ("-", self.writing.may_edit)
        return new if self.let(f"{sign}{_end(new)}", may) else old

    def judge_owners(self, force: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Owners may edit, which is less than owning the account: whoever may edit names them."""
        now, writing = self.now.owners, self.writing
        if now is None:
            return None
        before = force or ()
        known, named = ({fold(code) for code in codes} for codes in (before, now))
        kept = [code for code in now if fold(code) in known or self.let(f"+{_owner(code)}", writing.may_edit)]
        gone = [code for code in before if fold(code) not in named]
        mine = fold(writing.code)
        stay = [code for code in gone if not self.let(f"-{_owner(code)}", writing.may_edit or fold(code) == mine)]
        return (*kept, *stay)


def _place(values: Values) -> str:
    return name_value("place", "/".join(values.place))


def _owner(code: str) -> str:
    return name_value("owner", fold(code))


def _end(day: date | None) -> str:
    return name_value("expires_on", day.isoformat() if day else "never")


def _is_later(new: date | None, old: date | None) -> bool:
    return old is not None and (new is None or new > old)


# --- Permission sets --------------------------------------------------------------------------------------------------


def judge_fields(now: Mapping[str, str], force: Mapping[str, str], writing: Writing) -> Mapping[str, str]:
    """The fields of a permission set's record that are not in force → the name of what is withheld.

    This is about editing alone: whether a set may do more is judged beside it (`syncer.sets.widening`).
    """
    return {
        field: value
        for value, field in field_values(now).items()
        if now[field] != force.get(field, "") and value not in writing.confirmed
        if value in writing.withheld or not writing.may_edit
    }


def field_values(now: Mapping[str, str]) -> Mapping[str, str]:
    """The name of each field's contents → the field."""
    return {f"+{name_value(field, _digest(text))}": field for field, text in now.items()}


REACHES_OTHERS = frozenset({
    "set_widens", "set_widens_admin", "set_taken", "set_taken_admin", "set_wished", "set_wished_admin",
})  # fmt: skip
"""Why something of a set is withheld: not for who edits it, but for the accounts that it is assigned in."""

_SHOWN = frozenset({"kintone_user", "address", GROUP, "owner", "place", "expires_on"})


def render_values(values: Iterable[str]) -> str:
    """Withheld values as people read them: what was added and taken away; of long contents only the field."""
    shown = ((value[0], *value[1:].partition(":")[::2]) for value in sorted(values))
    return ", ".join(f"{sign} {text if field in _SHOWN else field}" for sign, field, text in shown)
