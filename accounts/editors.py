"""Who may take access out of records: for many records at once, and by name for whoever may not."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import Q

from accounts.access import find_principal_id, list_codes, list_owned, may_change
from accounts.authors import Ledger, load_ledger
from accounts.models import Person, PortalWrite, Principal, PrincipalLink, Record, User
from accounts.names import fold
from accounts.owner_register import load_register

_NAMED = 6  # people in one sentence


class Removable(NamedTuple):
    """What somebody may take away of a page of assignments: records as a whole, and himself everywhere."""

    records: frozenset[int] = frozenset()  # rows that he may narrow
    himself: int = 0  # his principal's row


def find_removable(user: User, records: Collection[Record], ledger: Ledger | None = None) -> Removable:
    """Which of these records he may narrow, in a handful of statements. ledger: theirs, where it is loaded."""
    if not may_change(user):
        return Removable()
    principal = user.person.principal_id or 0 if user.person and find_principal_id(user) else 0
    live = [record for record in records if record.gone_at is None]
    if user.is_staff:
        return Removable(frozenset(record.pk for record in live), principal)
    return Removable(frozenset(_iter_editable(user, live, load_ledger(live) if ledger is None else ledger)), principal)


def _iter_editable(user: User, records: Collection[Record], ledger: Ledger) -> Iterable[int]:
    """As `access.may_edit_record` decides one."""
    codes = list_codes(user)
    owned = list_owned(user)
    for record in records:
        in_force = record.in_force or {}
        write = ledger.get((record.app_id, record.record_id, 1))
        writer = (write.user_id or -1) if write and write.is_of(record) else 0
        is_author = writer == user.pk if writer else fold(record.creator_code) in codes
        is_owner = not codes.isdisjoint(fold(code) for code in in_force.get("owners", ()))
        if is_author or is_owner or in_force.get("account_id", "") in owned:
            yield record.pk


# --- By name ----------------------------------------------------------------------------------------------------------


def name_editors(record: Record) -> list[str]:
    """Who may narrow a record, by name: its owners, its author, the owners of its account. Empty: portal admins."""
    in_force = record.in_force or {}
    codes = {fold(code) for code in in_force.get("owners", ())}
    return list(
        dict.fromkeys([*_name_people(codes), *_name_author(record), *name_owners(in_force.get("account_id", ""))])
    )[:_NAMED]


def _name_people(codes: Collection[str]) -> list[str]:
    """The people of folded kintone codes."""
    links = PrincipalLink.objects.filter(source=PrincipalLink.Source.KINTONE_USER, key__in=codes)
    linked = Q(principal__in=links.values("principal"))
    return [str(person) for person in Person.objects.filter(linked | Q(kintone_code__in=codes)).order_by("name", "pk")]


def _name_author(record: Record) -> Iterable[str]:
    first = PortalWrite.objects.filter(app_id=record.app_id, record_id=record.record_id, revision=1)
    write = first.select_related("user").first()
    if write and write.is_of(record):
        return [str(write.user)] if write.user else []
    return [record.creator_name] if record.creator_name else []


def name_owners(account_id: str) -> list[str]:
    """The owners of an account by name, those who left not among them."""
    if not account_id:
        return []
    ids = load_register([account_id]).find_owners(account_id).people
    found = Principal.objects.filter(principal_id__in=ids).order_by("display_name", "pk")[:_NAMED]
    return [str(principal) for principal in found]
