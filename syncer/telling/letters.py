"""Letters: what single people are to be told, as rows written where it comes about; `delivering` sends them.

Nothing here talks to the outside. A letter waits a little, so that what belongs together goes out together.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from accounts import stops
from accounts.models import Account, Person, Principal, PrincipalLink, Shortcut, User
from accounts.names import fold
from accounts.owner_register import load_register
from accounts.ownership import Register
from syncer.models import Letter, LetterChoice, LetterSettings

WINDOW = timedelta(minutes=1)  # in which what a run does for one person comes together
_BATCH = 500
_MOST_ADMINS = 20


def is_told(kind: str) -> bool:
    """Whether the company sends letters of this kind at all."""
    return bool(LetterSettings.load().find_way(kind))


def may_be_told(person: Person, locked: Container[str | None]) -> bool:
    """Whether he is still there: neither disabled, gone or locked out (`locked`: principal ids), nor barred here.

    Whoever is not provisioned yet is there if he signs in.
    """
    principal, user = person.principal, getattr(person, "user", None)
    if principal is None:
        return user is not None and user.is_active
    is_barred = user is not None and not user.is_active
    is_locked = principal.principal_id in locked
    return principal.is_enabled and principal.gone_at is None and not is_locked and not is_barred


def build_letter(person: Person, kind: str, code: str, params: Mapping[str, Any], **values: Any) -> Letter:
    return Letter(person=person, kind=kind, code=code, params=dict(params), **values)


def write_letters(letters: Iterable[Letter], now: datetime, *, window: timedelta = WINDOW) -> int:
    """Put letters into the outbox; how many. Those whose key is there already were told, or are going to be.

    Who does not want to be told has none written. Call it in the transaction that brings the matter about.
    """
    rows = list(letters)
    muted = _find_muted(rows)
    wanted = [row for row in rows if (row.person_id, row.kind) not in muted]
    for row in wanted:
        row.created_at, row.retry_at = now, now + window
    Letter.objects.bulk_create(wanted, _BATCH, ignore_conflicts=True)
    return len(wanted)


def _find_muted(rows: Collection[Letter]) -> set[tuple[int, str]]:
    choices = LetterChoice.objects.filter(user__person__in={row.person_id for row in rows}).select_related("user")
    return {
        (choice.user.person_id, kind.value)
        for choice in choices
        for kind in Letter.Kind
        if choice.user.person_id and not choice.wants(kind)
    }


def tell_authors(shortcuts: Iterable[Shortcut], now: datetime) -> None:
    """Whose shortcuts lead nowhere any more is told."""
    if not is_told(Letter.Kind.SHORTCUT):
        return
    locked = stops.find_locked()
    letters = [
        build_letter(
            row.author.person, Letter.Kind.SHORTCUT, row.problem["code"], {**row.problem["params"], "name": row.name},
            path=f"/shortcuts/{row.pk}/edit/",
        )
        for row in shortcuts
        if row.author.person and may_be_told(row.author.person, locked)
    ]  # fmt: skip
    write_letters(letters, now)


def find_people(codes: Iterable[str]) -> dict[str, Person]:
    """Whom kintone's codes mean, by the folded code; without those who are not there any more."""
    wanted = {code for code in codes if code}
    keys = {fold(code) for code in wanted}
    links = PrincipalLink.objects.filter(source=PrincipalLink.Source.KINTONE_USER, key__in=keys)
    found = {
        link.key: link.principal.person
        for link in links.select_related("principal__person__user")
        if hasattr(link.principal, "person")
    }
    people = Person.objects.filter(kintone_code__in=wanted).select_related("principal", "user")
    found |= {fold(person.kintone_code): person for person in people}
    locked = stops.find_locked()
    return {code: person for code, person in found.items() if may_be_told(person, locked)}


def find_owners(account_ids: Collection[str]) -> dict[str, list[Person]]:
    """Who is told of each account: its owners; where none is left, those of a unit above, else the portal's admins."""
    register, away = load_register(account_ids), _find_away()
    chosen = {account_id: _choose(register, account_id, away) for account_id in account_ids}
    ids = frozenset[str]().union(*chosen.values())
    people = {
        str(person.principal.principal_id): person
        for person in Person.objects.filter(principal__principal_id__in=ids).select_related("principal")
        if person.principal
    }
    admins = _find_admins() if not all(chosen.values()) else []
    return {
        account_id: [people[key] for key in sorted(keys) if key in people] if keys else admins
        for account_id, keys in chosen.items()
    }


def _find_away() -> frozenset[str]:
    """Whom the register counts as owners and nobody is to write to: locked out, or barred from the portal."""
    barred = Principal.objects.filter(person__user__is_active=False, principal_id__isnull=False)
    return frozenset([*stops.find_locked(), *(key for key in barred.values_list("principal_id", flat=True) if key)])


def _choose(register: Register, account_id: str, away: frozenset[str]) -> frozenset[str]:
    owners = register.find_owners(account_id).people - away
    above = (register.find_owners_of_unit(unit).people - away for unit in register.list_units_above(account_id))
    return owners or next(filter(None, above), frozenset())


def _find_admins() -> list[Person]:
    admins = User.objects.filter(is_staff=True, is_active=True, person__isnull=False).order_by("pk")
    locked = stops.find_locked()
    people = (user.person for user in admins.select_related("person__principal"))
    return list(islice((person for person in people if person and may_be_told(person, locked)), _MOST_ADMINS))


def describe_accounts(account_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Each account as letters name it; one that nobody knows has its id alone."""
    found = {account_id: {"account_id": account_id, "account": "", "stage": ""} for account_id in account_ids}
    for account in Account.objects.filter(account_id__in=account_ids):
        found[account.account_id] |= {"account": account.name, "stage": account.stage}
    return found
