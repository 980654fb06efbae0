"""A small company as frozen values, for tests of what decides: no database, no network.

Accounts: shop and bank are active, closed is suspended, management is the management account. Sets: Admin and Reader
are ours and have records, Legacy is not ours, Root is Terraform's, Riddle could not be read. Hana and Taro are
enabled, Left is disabled; developers is a group. The kintone code of a person is his id.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncer.cases import Judge
from syncer.changes import Change, Kind, Limits, Plan, SetChange
from syncer.desired import Before, Desired
from syncer.directory import Directory
from syncer.planning import CALM, Circumstances, plan_run
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualSet,
    AssignmentKey,
    AssignmentWish,
    Definition,
    Ownership,
    PrincipalType,
    ReadRecord,
    RecordReference,
    SetWish,
)
from syncer.wishes import build_desired

SHOP, BANK, CLOSED, MANAGEMENT = "000000000001", "000000000002", "000000000003", "999999999999"
TODAY = date(2026, 11, 23)
TOKYO = ZoneInfo("Asia/Tokyo")
PUBLIC_URL = "https://genkan.example.com"
NO_LIMITS = Limits(count=10**6, share=1.0, maximum=10**6, people_count=10**6)


def user(principal_id: str, *, is_enabled: bool = True) -> ActualPrincipal:
    return ActualPrincipal(PrincipalType.USER, principal_id, f"{principal_id}@example.com", is_enabled=is_enabled)


def group(principal_id: str) -> ActualPrincipal:
    return ActualPrincipal(PrincipalType.GROUP, principal_id, principal_id)


PRINCIPALS = {
    principal.principal_id: principal
    for principal in (user("hana"), user("taro"), user("left", is_enabled=False), group("developers"))
}
OWNERSHIP = {
    "Admin": Ownership.OURS,
    "Reader": Ownership.OURS,
    "Legacy": Ownership.NOT_OURS,
    "Root": Ownership.TERRAFORM,
    "Riddle": Ownership.UNKNOWN,
}


def account(account_id: str, state: str = "ACTIVE") -> ActualAccount:
    return ActualAccount(account_id, f"account {account_id[-1]}", f"{account_id}@example.com", state)


def permission_set(name: str, ownership: Ownership = Ownership.OURS, **definition: Any) -> ActualSet:
    return ActualSet(name, f"arn:{name}", ownership, Definition(**definition))


def key(target_id: str = SHOP, name: str = "Admin", principal_id: str = "hana") -> AssignmentKey:
    kind = PrincipalType.GROUP if principal_id.startswith("developers") else PrincipalType.USER
    return AssignmentKey(target_id, name, kind, principal_id)


def people(count: int) -> dict[str, ActualPrincipal]:
    return {f"person{number}": user(f"person{number}") for number in range(count)}


def keys_of(count: int, target_id: str = SHOP, name: str = "Admin", start: int = 0) -> list[AssignmentKey]:
    return [key(target_id, name, f"person{number}") for number in range(start, start + count)]


def actual(*assignments: AssignmentKey, **values: Any) -> Actual:
    defaults: dict[str, Any] = {
        "instance": ActualInstance("arn:aws:sso:::instance/ssoins-1", "d-1", "ap-northeast-1", MANAGEMENT),
        "accounts": {
            SHOP: account(SHOP),
            BANK: account(BANK),
            CLOSED: account(CLOSED, "SUSPENDED"),
            MANAGEMENT: account(MANAGEMENT),
        },
        "sets": {name: permission_set(name, ownership) for name, ownership in OWNERSHIP.items()},
        "principals": PRINCIPALS,
        "assignments": frozenset(assignments),
    }
    return Actual(**defaults | values)


def set_record(record_id: int, name: str, **values: Any) -> ReadRecord:
    """A record of the permission-set app: valid with default contents, unless `wish` says otherwise."""
    reference = RecordReference("23", str(record_id), 1)
    defaults: dict[str, Any] = {"wish": SetWish(name), "permission_set": name}
    return ReadRecord(reference, **defaults | values)


def record(
    record_id: int, *users: str, at: str = SHOP, name: str = "Admin", until: date | None = None, **values: Any
) -> ReadRecord:
    """A valid assignment record; `groups` and `addresses` go into the wish."""
    wish = AssignmentWish(at, name, users, values.pop("addresses", ()), values.pop("groups", ()), until)
    written = datetime(2026, 11, 1, 12, tzinfo=UTC)
    defaults: dict[str, Any] = {"wish": wish, "account_id": at, "permission_set": name, "updated_at": written}
    return ReadRecord(RecordReference("24", str(record_id), 1), **defaults | values)


def broken(record_id: int, **values: Any) -> ReadRecord:
    """An assignment record that cannot be understood."""
    return ReadRecord(RecordReference("24", str(record_id), 2), None, **values)


SET_RECORDS = (set_record(1, "Admin"), set_record(2, "Reader"))


def desire(
    *assignments: ReadRecord,
    sets: Collection[ReadRecord] = SET_RECORDS,
    there: Actual | None = None,
    before: Mapping[str, Collection[Before]] | None = None,
    judge: Judge | None = None,
    **directory: Any,
) -> Desired:
    """The desired state of these records, looked up in `there`."""
    found = there or actual()
    defaults: dict[str, Any] = {"user_suffix": "@example.com", "policies": ()}
    return build_desired(
        sets,
        assignments,
        Directory(MANAGEMENT, found.accounts, found.sets, found.principals, **defaults | directory),
        before=before or {},
        today=TODAY,
        zone=TOKYO,
        public_url=PUBLIC_URL,
        judge=judge,
    )


def plan(
    *assignments: ReadRecord,
    there: Actual,
    limits: Limits = NO_LIMITS,
    circumstances: Circumstances = CALM,
    **values: Any,
) -> Plan:
    """The plan that makes `there` what these records want; `leaving`, `ending`, `emergency` as in `Desired`."""
    fate = {name: values.pop(name) for name in ("leaving", "ending", "emergency") if name in values}
    desired = replace(desire(*assignments, there=there, **values), **fate)
    return plan_run(desired, there, limits, circumstances)


def lines(changes: Collection[Change]) -> list[str]:
    """Changes in a form that reads well in a test: `create Admin`, `delete …1 Admin hana`."""
    return [
        f"{change.kind} {change.name}"
        if isinstance(change, SetChange)
        else f"{change.kind} …{change.key.target_id[-1]} {change.key.permission_set} {change.key.principal_id}"
        for change in changes
    ]


def apply(planned: Plan, there: Actual) -> Actual:
    """What AWS holds once everything in the plan has been carried out."""
    assignments, sets = set(there.assignments), dict(there.sets)
    for change in planned.changes:
        if not isinstance(change, SetChange):
            (assignments.add if change.kind is Kind.CREATE else assignments.remove)(change.key)
        elif change.kind is Kind.DELETE:
            del sets[change.name]
        else:
            sets[change.name] = ActualSet(change.name, f"arn:{change.name}", Ownership.OURS, change.definition)
    return replace(there, assignments=frozenset(assignments), sets=sets)
