"""The two files that `adopt` takes: what may be lost, and who owns which account. Pure.

Both are strict. A line that is not understood, or that is about nothing, is named with its number, and nothing is done:
a slip of the pen must neither take access away nor leave an owner out.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from accounts.names import fold
from syncer.adoption.checks import find_principal
from syncer.directory import Directory, LinkKey
from syncer.records.parsing import normalise_account_id
from syncer.states import ActualAccount, ActualPrincipal, ActualUnit, AssignmentKey, Reason


class Fault(NamedTuple):
    """What is wrong with a line of a file; lines count from 1, and 0 is the file as a whole."""

    line: int
    reason: Reason


# --- What may be lost -------------------------------------------------------------------------------------------------


class Loss(NamedTuple):
    """One line of `--leave-out`: an assignment in AWS that no record has to want."""

    line: int
    account_id: str
    permission_set: str
    principal: str  # its id or its name

    @property
    def shown(self) -> str:
        return f"{self.account_id} {self.permission_set} {self.principal}"


def parse_losses(text: str) -> tuple[list[Loss], list[Fault]]:
    """Account id, name of the set, and id or name of the principal, one assignment a line; `#` begins a comment."""
    losses: list[Loss] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        written = re.sub(r"(^|\s)#.*", "", line).strip()
        parts = written.split(maxsplit=2)
        if not parts:
            continue
        account_id = normalise_account_id(parts[0])
        if len(parts) < 3 or not account_id:
            faults.append(Fault(number, Reason("leave_out_wrong", {"text": written})))
        else:
            losses.append(Loss(number, account_id, parts[1], parts[2].strip()))
    return losses, faults


def match_losses(
    losses: Iterable[Loss], keys: Collection[AssignmentKey], principals: Mapping[str, ActualPrincipal]
) -> tuple[frozenset[AssignmentKey], list[Fault]]:
    """The assignments that are meant; `keys` are those in AWS of the sets that can be adopted."""
    by_place: dict[tuple[str, str], list[AssignmentKey]] = {}
    for key in keys:
        by_place.setdefault(key[:2], []).append(key)
    found: set[AssignmentKey] = set()
    faults: list[Fault] = []
    for loss in losses:
        meant = [
            key for key in by_place.get((loss.account_id, loss.permission_set), ()) if _means(loss, key, principals)
        ]
        if len(meant) == 1:
            found.add(meant[0])
        else:
            code = "leave_out_ambiguous" if meant else "leave_out_matches_nothing"
            faults.append(Fault(loss.line, Reason(code, {"text": loss.shown})))
    return frozenset(found), faults


def _means(loss: Loss, key: AssignmentKey, principals: Mapping[str, ActualPrincipal]) -> bool:
    principal = principals.get(key.principal_id)
    is_named = principal is not None and fold(principal.name) == fold(loss.principal)
    return loss.principal == key.principal_id or is_named


# --- Owners -----------------------------------------------------------------------------------------------------------

_OU_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
_COLUMNS = ("account_id", "ou_id", "owners")


class OwnersLine(NamedTuple):
    line: int
    place: str  # an account's id or a unit's
    owners: tuple[str, ...]  # as written: kintone codes or addresses


@dataclass(frozen=True)
class Owners:
    """Who owns the records of an account, by kintone code: the account's own line, else the nearest unit's above."""

    by_place: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # account → units above it, the nearest first

    def find(self, account_id: str) -> tuple[str, ...]:
        places = (account_id, *self.paths.get(account_id, ()))
        return next((self.by_place[place] for place in places if place in self.by_place), ())


def parse_owners(text: str) -> tuple[list[OwnersLine], list[Fault]]:
    """A CSV with the columns `owners` and `account_id` or `ou_id`, or both of these; owners stand between blanks."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        return [], [Fault(reader.line_num, Reason("owners_csv_wrong", {"text": str(error)}))]
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    if not _is_header(header):
        return [], [Fault(1, Reason("owners_csv_columns", {"columns": ", ".join(header)}))]
    lines: list[OwnersLine] = []
    faults: list[Fault] = []
    for number, row in rows[1:]:
        found = _parse_line(number, header, row, {line.place for line in lines})
        if isinstance(found, Fault):
            faults.append(found)
        else:
            lines.append(found)
    return lines, faults


def _is_header(header: Collection[str]) -> bool:
    known = set(header) <= set(_COLUMNS) and len(set(header)) == len(header)
    return known and "owners" in header and len(header) > 1


def _parse_line(number: int, header: list[str], row: list[str], taken: Collection[str]) -> OwnersLine | Fault:
    cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
    written = ", ".join(row)
    account, unit = cells.get("account_id", ""), cells.get("ou_id", "")
    place = normalise_account_id(account) if account else unit if _OU_ID.fullmatch(unit) else ""
    owners = tuple(dict.fromkeys(re.split(r"[\s,;]+", cells.get("owners", "").strip(" ,;"))))
    if len(row) != len(header) or not place or (account and unit) or owners == ("",):
        return Fault(number, Reason("owners_csv_wrong", {"text": written}))
    if place in taken:
        return Fault(number, Reason("owners_csv_twice", {"place": place}))
    return OwnersLine(number, place, owners)


def resolve_owners(
    lines: Iterable[OwnersLine],
    directory: Directory,
    codes: Mapping[str, str],
    paths: Mapping[str, tuple[str, ...]],
) -> tuple[Owners, list[Fault]]:
    """Who is meant. codes: principal id → kintone code; paths: account → units above it, the nearest first."""
    places = {*directory.accounts, *(unit for path in paths.values() for unit in path)}
    by_place: dict[str, tuple[str, ...]] = {}
    faults: list[Fault] = []
    for line in lines:
        if line.place not in places:
            faults.append(Fault(line.line, Reason("owners_csv_place", {"place": line.place})))
        found = {owner: _find_code(owner, directory, codes) for owner in line.owners}
        faults += [Fault(line.line, Reason("owners_csv_person", {"name": name})) for name in found if not found[name]]
        by_place[line.place] = tuple(dict.fromkeys(filter(None, found.values())))
    return Owners(by_place, paths), faults


def _find_code(owner: str, directory: Directory, codes: Mapping[str, str]) -> str:
    """The kintone code of an owner, empty where nobody is known by what is written."""
    is_address, key = "@" in owner, fold(owner)
    principal_id = find_principal(directory, LinkKey("address" if is_address else "kintone_user", key))
    principal = directory.principals.get(principal_id)
    if principal is None or not is_address:
        return owner if principal else ""
    # A UserName is the kintone code with the suffix that the settings name, which may be none.
    return codes.get(principal_id) or principal.name.removesuffix(directory.user_suffix)


def find_paths(accounts: Mapping[str, ActualAccount], units: Iterable[ActualUnit]) -> dict[str, tuple[str, ...]]:
    """The units above each account, the nearest first."""
    parents = {unit.ou_id: unit.parent_id for unit in units}
    return {
        account_id: tuple(reversed(account.ou_path)) or tuple(_climb(account.ou_id, parents))
        for account_id, account in accounts.items()
    }


def _climb(unit: str, parents: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    while unit and unit not in seen:
        seen.add(unit)
        yield unit
        unit = parents.get(unit, "")
