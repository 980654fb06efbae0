"""What somebody who left leaves without an owner: accounts and records, told once to whoever is nearest to them.

Looked for when a run has taken a leaver's access, so that it goes out beside that, and each morning for those who had
none of their own. When very many are gone at once it is a fault of the source of identities, which operators are told.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import AppKind, Person, Principal, PrincipalLink, Record, RecordPerson
from accounts.names import fold
from accounts.owner_register import load_register
from syncer.models import Letter
from syncer.telling.letters import build_letter, describe_accounts, find_owners, find_people, is_told, write_letters

LATELY = timedelta(days=7)
GATHERING = timedelta(minutes=5)  # in which all that a leaver had comes together
MOST, MOST_SHARE = 10, 0.03  # people gone at once; as the brake has it


def tell_orphans(now: datetime) -> int:
    """Write letters about what nobody owns any more since somebody left; how many."""
    if not is_told(Letter.Kind.LEAVER):
        return 0
    leavers = _find_leavers(now)
    if not leavers:
        return 0
    letters = [*_tell_accounts(leavers), *_tell_records(leavers)]
    return write_letters(letters, now, window=GATHERING)


def _find_leavers(now: datetime) -> list[Principal]:
    users = Principal.objects.filter(type=Principal.Type.USER, principal_id__isnull=False)
    since = now - LATELY
    left = users.filter(Q(is_enabled=False, disabled_at__gt=since) | Q(gone_at__gt=since)).order_by("pk")
    most = max(MOST, int(users.count() * MOST_SHARE))
    found = list(left[: most + 1])
    return found if len(found) <= most else []


def _tell_accounts(leavers: Iterable[Principal]) -> Iterator[Letter]:
    """Accounts that such a one owned, and whose other owners have left as well."""
    register = load_register()
    by_id = {leaver.principal_id or "": leaver for leaver in leavers}
    found = {}
    for account_id in register.sites:
        owners = register.find_owners(account_id)
        gone = sorted(owners.left & by_id.keys())
        if gone and not owners.people:
            found[account_id] = by_id[gone[0]]
    nearest, described = find_owners(found), describe_accounts(found)
    for account_id, leaver in found.items():
        params = {**described[account_id], "who": str(leaver)}
        for person in nearest[account_id]:
            yield build_letter(
                person, Letter.Kind.LEAVER, "letter_ownerless", params, path=f"/accounts/{account_id}/",
                key=f"ownerless:{account_id}:{leaver.pk}:{person.pk}",
            )  # fmt: skip


def _tell_records(leavers: Iterable[Principal]) -> Iterator[Letter]:
    """Records that name such a one as their owner and nobody who is left."""
    by_code = _find_codes(leavers)
    rows = RecordPerson.objects.filter(
        role=RecordPerson.Role.OWNER, key__in=by_code, record__gone_at__isnull=True, record__kind=AppKind.ASSIGNMENT
    ).select_related("record")
    named = {row.record: by_code[row.key] for row in rows}
    owners = find_record_owners(named)
    found = {record: leaver for record, leaver in named.items() if not any(map(is_there, owners[record.pk]))}
    accounts = {record: str((record.in_force or {}).get("account_id", "")) for record in found}
    nearest, described = find_owners({*accounts.values()} - {""}), describe_accounts({*accounts.values()})
    for record, leaver in found.items():
        account_id = accounts[record]
        params = {**described[account_id], "who": str(leaver), "record": record.reference}
        params["set"] = str((record.in_force or {}).get("permission_set", ""))
        for person in nearest.get(account_id, ()):
            yield build_letter(
                person, Letter.Kind.LEAVER, "letter_left_alone", params,
                path=f"/records/{record.app_id}/{record.record_id}/",
                key=f"alone:{record.reference}:{leaver.pk}:{person.pk}",
            )  # fmt: skip


def _find_codes(leavers: Iterable[Principal]) -> dict[str, Principal]:
    """kintone's codes of these, folded."""
    people = Person.objects.filter(principal__in=leavers).exclude(kintone_code="").select_related("principal")
    found = {fold(person.kintone_code): person.principal for person in people if person.principal}
    links = PrincipalLink.objects.filter(source=PrincipalLink.Source.KINTONE_USER, principal__in=leavers)
    return found | {link.key: link.principal for link in links.select_related("principal")}


def find_record_owners(records: Collection[Record]) -> dict[int, list[Person]]:
    """For each record (by its row) those whom it names as its owners, else who made it."""
    rows = RecordPerson.objects.filter(record__in=records).exclude(role=RecordPerson.Role.USER)
    by_record: dict[int, list[RecordPerson]] = {record.pk: [] for record in records}
    for row in rows.select_related("user__person__principal"):
        by_record[row.record_id].append(row)
    named = {pk: [row for row in rows if row.role == RecordPerson.Role.OWNER] or rows for pk, rows in by_record.items()}
    by_code = find_people(row.code for rows in named.values() for row in rows)
    return {pk: _find_bearers(rows, by_code) for pk, rows in named.items()}


def _find_bearers(rows: Iterable[RecordPerson], by_code: Mapping[str, Person]) -> list[Person]:
    found = [by_code.get(fold(row.code)) or (row.user and row.user.person) for row in rows]
    return list({person.pk: person for person in found if person}.values())


def is_there(person: Person) -> bool:
    principal = person.principal
    return principal is not None and principal.is_enabled and principal.gone_at is None
