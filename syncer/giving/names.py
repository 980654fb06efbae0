"""Names of people and groups, as records have them and as people write them, and whom they mean.

A record names people by kintone code (`users`) or address (`more_users`), and groups by name (`groups`). What a run
will make of a name is found out here in a few statements for all of a form; the run decides once more.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q

from accounts.models import Person, Principal, PrincipalLink, User
from accounts.names import fold
from accounts.search import fold_text
from syncer.giving.pasting import Pasted, is_address, split_pasted
from syncer.states import Reason

FIELDS = ("users", "more_users", "groups")
_SOURCES = {
    "users": PrincipalLink.Source.KINTONE_USER,
    "more_users": PrincipalLink.Source.ADDRESS,
    "groups": PrincipalLink.Source.GROUP_NAME,
}
_MOST_FULL = 200  # full names of one list; each is looked for in the names of everybody
_BATCH = 400  # names in one statement: SQLite takes a limited number of parameters


class Name(NamedTuple):
    """A name as a record has it."""

    field: str
    text: str

    @property
    def source(self) -> str:
        return str(_SOURCES[self.field])

    @property
    def is_group(self) -> bool:
        return self.field == "groups"


@dataclass(frozen=True)
class Named:
    """A name, whom it means now, and why it gives nothing yet, if so. `label` is what people call him."""

    name: Name
    label: str
    principal: Principal | None = None
    waits: Reason | None = None

    @property
    def principal_id(self) -> str:
        """Empty while Identity Center does not know the name."""
        return (self.principal.principal_id or "") if self.principal and self.principal.gone_at is None else ""


def iter_names(values: Mapping[str, Sequence[str]]) -> Iterator[Name]:
    """The names of a record's values, in order."""
    for field in FIELDS:
        yield from (Name(field, text) for text in values.get(field, ()))


# --- Whom a name means ------------------------------------------------------------------------------------------------


def load_named(names: Collection[Name]) -> list[Named]:
    """Whom these names mean, in their order."""
    rows = _Rows(names)
    return [rows.find(name) for name in names]


class _Rows:
    """Everything that these names may mean, loaded at once."""

    def __init__(self, names: Collection[Name]) -> None:
        keys = sorted({key for name in names for key in _keys_of(name)})
        self._links = {(str(link.source), link.key): link for link in _load_links(keys)}
        self._principals = _index(_load_principals(keys))
        codes = [name.text for name in names if name.field == "users"]
        self._people = {fold(person.kintone_code): person for person in _load_people(codes)}

    def find(self, name: Name) -> Named:
        link = self._links.get((name.source, fold(name.text)))
        principal = link.principal if link else self._match(name)
        return Named(name, self._label(name, principal), principal, _why_not(name, principal, link))

    def _match(self, name: Name) -> Principal | None:
        """As a run does: the one exact match. A person who is linked to his code here is the one."""
        kind = Principal.Type.GROUP if name.is_group else Principal.Type.USER
        for key in _keys_of(name):
            found = self._principals.get((str(kind), key), [])
            if len(found) == 1:
                return found[0]
        person = self._people.get(fold(name.text)) if name.field == "users" else None
        return person.principal if person else None

    def _label(self, name: Name, principal: Principal | None) -> str:
        person = self._people.get(fold(name.text)) if name.field == "users" else None
        if person and person.name:
            return person.name
        return str(principal) if principal and principal.principal_id else name.text


def _keys_of(name: Name) -> tuple[str, ...]:
    key, suffix = fold(name.text), fold(settings.KINTONE_USER_SUFFIX)
    return (key, key + suffix) if suffix and not name.is_group else (key,)


def _why_not(name: Name, principal: Principal | None, link: PrincipalLink | None) -> Reason | None:
    """Why the name gives nothing now."""
    if principal is None or principal.principal_id is None:
        return Reason("not_provisioned", {"name": name.text})
    if link and link.namesake_id is not None:
        return Reason("may_be_namesake", {"name": name.text, "candidate": str(link.namesake)})
    if principal.gone_at is not None:
        return Reason("principal_gone", {"name": str(principal)})
    return None if principal.is_enabled else Reason("principal_disabled", {"name": str(principal)})


def _load_links(keys: Sequence[str]) -> Iterator[PrincipalLink]:
    for batch in _batches(keys):
        yield from PrincipalLink.objects.filter(key__in=batch).select_related("principal__person", "namesake")


def _load_principals(keys: Sequence[str]) -> Iterator[Principal]:
    there = Principal.objects.filter(principal_id__isnull=False, gone_at__isnull=True).select_related("person")
    for batch in _batches(keys):
        yield from there.filter(name_key__in=batch)


def _load_people(codes: Sequence[str]) -> Iterator[Person]:
    for batch in _batches(codes):
        yield from Person.objects.filter(kintone_code__in=batch).select_related("principal")


def _index(principals: Iterable[Principal]) -> dict[tuple[str, str], list[Principal]]:
    found: dict[tuple[str, str], list[Principal]] = {}
    for principal in principals:
        found.setdefault((str(principal.type), principal.name_key), []).append(principal)
    return found


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))


# --- How a record names somebody --------------------------------------------------------------------------------------


def name_person(person: Person, fields: Collection[str]) -> Name | None:
    """By kintone code where he has one, else by UserName; None where the app has no field for that.

    Who has signed in and is not in Identity Center yet comes there under the name that he signed in with.
    """
    if person.kintone_code and "users" in fields:
        return Name("users", person.kintone_code)
    return _name_user(person.principal.name if person.principal else _find_sign_in(person), fields)


def _find_sign_in(person: Person) -> str:
    """As accounts.people finds him: never a guest, never by mail, which need not be the UserName that he will have."""
    user = User.objects.filter(person=person).first()
    if user is None or user.is_guest:
        return ""
    return user.upn or (user.preferred_username if settings.IDENTITY_MATCH_UPN else "")


def _name_user(name: str, fields: Collection[str]) -> Name | None:
    """By UserName; where the app has no field for addresses, by the kintone code that goes with it, if one does."""
    suffix = settings.KINTONE_USER_SUFFIX
    if name and "more_users" in fields:
        return Name("more_users", name)
    is_code = bool(suffix) and name.endswith(suffix) and name != suffix
    return Name("users", name.removesuffix(suffix)) if is_code and "users" in fields else None


def name_principal(principal: Principal, fields: Collection[str]) -> Name | None:
    """The name under which a record means this user or group."""
    if principal.is_group:
        return Name("groups", principal.name) if "groups" in fields else None
    person = getattr(principal, "person", None)
    if isinstance(person, Person) and (name := name_person(person, fields)):
        return name
    return _name_user(principal.name, fields)


# --- What somebody typed or pasted ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What became of one name of a list: how a record says it, or why not."""

    pasted: Pasted
    name: Name | None = None
    reason: Reason | None = None


def read_pasted(text: str, fields: Collection[str]) -> list[Answer]:
    """Each name of a list resolved or explained, whatever it is: code, address, user name, group, full name."""
    pasted = split_pasted(text)
    reading = _Reading([item.text for item in pasted], fields)
    return [answer for item in pasted for answer in reading.read(item)]


class _Reading:
    """Everything that these texts may mean, loaded at once."""

    def __init__(self, texts: Collection[str], fields: Collection[str]) -> None:
        self._fields = fields
        words = {word for text in texts for word in (text, *text.split())}
        self._codes, self._mails, self._full = _load_known(sorted(words))
        self._principals = _index(_load_principals(sorted({fold(word) for word in words})))

    def read(self, item: Pasted) -> list[Answer]:
        """One answer; several where blanks divide what nobody is called as a whole."""
        answer = self._read_whole(item)
        parts = item.text.split()
        if answer.name or len(parts) < 2:
            return [answer]
        several = [self._read_whole(Pasted(item.line, part)) for part in parts]
        return several if all(each.name for each in several) else [answer]

    def _read_whole(self, item: Pasted) -> Answer:
        people = self._find_people(item.text)
        groups = self._principals.get((str(Principal.Type.GROUP), fold(item.text)), [])
        if len(people) + len(groups) > 1:
            return Answer(item, reason=Reason("give_name_ambiguous", {"name": item.text}))
        if people:
            return self._say(item, _name_either(people[0], self._fields))
        if groups:
            return self._say(item, name_principal(groups[0], self._fields))
        if is_address(item.text):
            return self._say(item, Name("more_users", item.text) if "more_users" in self._fields else None)
        return Answer(item, reason=Reason("give_name_unknown", {"name": item.text}))

    def _say(self, item: Pasted, name: Name | None) -> Answer:
        if name:
            return Answer(item, name)
        code = "give_name_not_there" if "more_users" in self._fields else "keep_no_kintone_user"
        return Answer(item, reason=Reason(code, {"name": item.text}))

    def _find_people(self, text: str) -> list[Person | Principal]:
        """Those of the surest kind of name: code, user name, mail, full name. Who is shown is seen before it counts."""
        key = fold(text)
        users: list[Person | Principal] = list(self._principals.get((str(Principal.Type.USER), key), []))
        full = self._full.get(fold_text(text), [])
        kinds: tuple[list[Person | Principal], ...] = (
            [self._codes[key]] if key in self._codes else [], users, self._mails.get(key, []), full
        )  # fmt: skip
        return next(filter(None, kinds), [])


def _name_either(found: Person | Principal, fields: Collection[str]) -> Name | None:
    return name_person(found, fields) if isinstance(found, Person) else name_principal(found, fields)


_Known = tuple[dict[str, Person], dict[str, list[Person | Principal]], dict[str, list[Person | Principal]]]


def _load_known(words: Sequence[str]) -> _Known:
    """People by folded kintone code, by mail, and by full name, with or without its blank."""
    codes: dict[str, Person] = {}
    mails: dict[str, list[Person | Principal]] = {}
    for batch in _batches(words):
        keys = {fold(word) for word in batch}
        either = {*batch, *keys}
        rows = Person.objects.filter(Q(kintone_code__in=either) | Q(email__in=either)).select_related("principal")
        for person in rows:
            if person.kintone_code:
                codes[fold(person.kintone_code)] = person
            if fold(person.email) in keys:
                mails.setdefault(fold(person.email), []).append(person)
    return codes, mails, _load_by_full_name([word for word in words if not is_address(word)])


def _load_by_full_name(words: Sequence[str]) -> dict[str, list[Person | Principal]]:
    """By the name folded as searches fold it. The name is the first line of what a person is searched by.

    Where people see only what is theirs, nobody finds out somebody's address by his name.
    """
    if settings.VISIBILITY == "own":
        return {}
    found: dict[str, list[Person | Principal]] = {}
    keys = sorted({fold_text(word) for word in words} - {""})[:_MOST_FULL]
    lines = [Q(search_key=key) | Q(search_key__startswith=f"{key}\n") for key in keys]
    rows = Person.objects.filter(reduce(or_, lines)).select_related("principal") if lines else ()
    for person in rows:
        found.setdefault(fold_text(person.name), []).append(person)
    return found
