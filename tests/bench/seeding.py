"""The company of `crowd` as rows. Django is set up by whoever imports this: models are imported here."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from accounts.models import (
    Account,
    AppKind,
    Assignment,
    AuditEvent,
    AwsPolicy,
    GroupMembership,
    Instance,
    OrganizationalUnit,
    OwnerEntry,
    PermissionSet,
    Person,
    PortalWrite,
    Principal,
    PrincipalLink,
    Record,
    RecordPerson,
    User,
    Wish,
)
from accounts.names import fold
from syncer.mirror.records import wish_as_json
from syncer.mirror.truth import definition_as_json
from syncer.models import AppState, Baseline, SetVersion
from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS
from syncer.states import AssignmentWish, Definition, SetWish
from tests.bench import happenings
from tests.bench.bulk import Row, store, tidy
from tests.bench.crowd import (
    ACCOUNTS,
    ADMIN,
    AUDITOR,
    CROWD,
    CROWDED,
    DIVISIONS,
    ENGINEER,
    ENGINEER_GROUPS,
    FORMER,
    GROUPS,
    MANAGED,
    NOW,
    OWNED,
    OWNER,
    PAIRS,
    PEOPLE,
    SETS,
    SIGN_INS,
    STAGES,
    TEAMS,
    Pair,
    id_of_account,
    id_of_principal,
    iter_pairs,
    mail_of,
    name_of_account,
    name_of_person,
    name_of_set,
)

_POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:PutObject", "logs:*", '
    '"cloudwatch:*"], "Resource": "arn:aws:s3:::bucket-%04d/*"}, {"Effect": "Allow", "Action": "ec2:Describe*", '
    '"Resource": "*"}]}'
)


def seed() -> dict[str, int]:
    """Everything; table → rows."""
    pairs = list(iter_pairs())
    with transaction.atomic():  # rows name one another both ways: whether they are all there is asked at the end
        counts = _seed_all(pairs)
    tidy()
    return counts


def _seed_all(pairs: list[Pair]) -> dict[str, int]:
    counts = {
        "accounts": _seed_organization(),
        "people": _seed_people(),
        "permission sets": _seed_sets(len(pairs)),
        "records": store(Record, _iter_records(pairs)),
        "assignments": store(Assignment, _iter_assignments(pairs)) - FORMER,
    }
    store(Wish, _iter_wishes(pairs))
    store(RecordPerson, _iter_record_people(pairs))
    store(PortalWrite, _iter_writes(pairs))
    _seed_owners()
    happenings.seed_troubles(pairs)
    happenings.seed_runs()
    happenings.seed_shortcuts()
    return counts | {"events": store(AuditEvent, happenings.iter_events(pairs))}


# --- The organization and its people ----------------------------------------------------------------------------------


def _seed_organization() -> int:
    units = [{"ou_id": f"ou-abcd-{number:08d}", **unit} for number, unit in enumerate(_iter_units())]
    store(OrganizationalUnit, units)
    Instance.objects.create(
        instance_arn="arn:aws:sso:::instance/ssoins-1234567890abcdef",
        identity_store_id="d-1234567890",
        region="ap-northeast-1",
        management_account_id="999999999999",
        read_at=NOW,
        principals_read_at=NOW,
    )
    Baseline.objects.create()
    for kind, app, schema in ((AppKind.PERMISSION_SET, "23", PERMISSION_SETS), (AppKind.ASSIGNMENT, "24", ASSIGNMENTS)):
        AppState.objects.create(kind=kind, app_id=app, fields={name: name for name in schema.types}, read_at=NOW)
    leaves = [number for number, unit in enumerate(units, start=1) if unit["name"] in STAGES]
    return store(Account, (_build_account(number, leaves, units) for number in range(ACCOUNTS)))


def _iter_units() -> Iterator[Row]:
    """The root, ten divisions, five teams in each, and four stages in each of these."""
    yield _build_unit("Root", "", None)
    above = 1
    for division in DIVISIONS:
        yield _build_unit(division, division, 1)
        above_team = above = above + 1
        for team in range(TEAMS):
            path = f"{division}/team-{team}"
            yield _build_unit(f"team-{team}", path, above_team)
            above += 1
            own = above
            for stage in STAGES:
                yield _build_unit(stage, f"{path}/{stage}", own)
                above += 1


def _build_unit(name: str, path: str, parent: int | None) -> Row:
    return {"name": name, "path": path, "parent_id": parent, "tags_read_at": NOW}


def _build_account(number: int, leaves: Sequence[int], units: Sequence[Row]) -> Row:
    unit = leaves[number % len(leaves)]
    return {
        "account_id": id_of_account(number),
        "name": name_of_account(number),
        "email": f"aws-{number:04d}@example.com",
        "ou_id": unit,
        "stage": STAGES[units[unit - 1]["name"]],
        "state": Account.State.SUSPENDED if number % 100 == 99 else Account.State.ACTIVE,
        "tags": {"team": f"team-{number % TEAMS}", "cost-center": f"{number:04d}"},
        "tags_read_at": NOW,
    }


def _seed_people() -> int:
    store(Principal, map(_build_principal, range(PEOPLE + GROUPS)))
    people = store(
        Person,
        (
            {"name": name_of_person(n), "email": mail_of(n), "kintone_code": f"person{n:05d}", "principal_id": n + 1}
            for n in range(PEOPLE)
        ),
    )
    store(User, map(_build_user, range(SIGN_INS)))
    store(GroupMembership, _iter_memberships())
    store(
        PrincipalLink,
        (
            {"source": PrincipalLink.Source.KINTONE_USER, "key": f"person{n:05d}", "principal_id": n + 1}
            for n in range(PEOPLE)
        ),
    )
    return people


def _build_principal(number: int) -> Row:
    if number < PEOPLE:
        named = {"type": Principal.Type.USER, "name": mail_of(number), "display_name": name_of_person(number)}
        known = {"email": mail_of(number), "external_id": f"entra-{number}", "is_enabled": number % 500 != 499}
    else:
        name = f"team-{number - PEOPLE:04d}"
        named, known = {"type": Principal.Type.GROUP, "name": name, "display_name": name}, {}
    return {"principal_id": id_of_principal(number), "name_key": fold(named["name"]), **named, **known}


def _build_user(number: int) -> Row:
    oid = f"{number:08d}-2222-4222-8222-222222222222"
    return {
        "username": oid, "password": "", "entra_tid": "11111111-1111-4111-8111-111111111111", "entra_oid": oid,
        "display_name": name_of_person(number), "email": mail_of(number), "person_id": number + 1,
        "is_staff": number == ADMIN, "is_auditor": number == AUDITOR, "language": "ja",
    }  # fmt: skip


def _iter_memberships() -> Iterator[Row]:
    """Three groups each; the engine is in more, and one group is a crowd."""
    known: set[tuple[int, int]] = set()
    wanted = [(person * 3 + nth * 331) % GROUPS for person in range(PEOPLE) for nth in range(3)]
    pairs = [*((group, index // 3) for index, group in enumerate(wanted))]
    pairs += [(CROWD, person) for person in range(CROWDED)] + [(100 + n, ENGINEER) for n in range(ENGINEER_GROUPS)]
    for group, person in pairs:
        if (group, person) not in known:
            known.add((group, person))
            yield {"group_id": PEOPLE + group + 1, "member_id": person + 1}


def _seed_owners() -> None:
    """One owner among a few hundred for most accounts, groups for the last ones; some have nobody."""
    rows = [{"account_id": number + 1, "principal_id": OWNER + 1} for number in range(OWNED)]
    rows += [{"account_id": number + 1, "principal_id": 101 + number % 400} for number in range(ACCOUNTS - 100)]
    rows += [{"account_id": number + 1, "principal_id": PEOPLE + number + 1} for number in range(ACCOUNTS - 100, 970)]
    store(OwnerEntry, rows)


# --- Records and what they want ---------------------------------------------------------------------------------------


def _seed_sets(first_record: int) -> int:
    names = (*MANAGED, *(f"ManagedPolicy{number:04d}" for number in range(1_000)))
    store(AwsPolicy, ({"arn": f"arn:aws:iam::aws:policy/{name}", "name": name, "read_at": NOW} for name in names))
    store(
        SetVersion,
        (
            {
                "name": name_of_set(n),
                "reference": f"23:{n + 1}",
                "revision": nth + 1,
                "values": wish_as_json(_wish_set(n)),
            }
            for n in range(SETS)
            for nth in range(4)
        ),
    )
    # The records of the sets follow those of the assignments, and are not there yet.
    return store(PermissionSet, (_build_set(n, first_record + n + 1) for n in range(SETS)))


def _build_set(number: int, record: int) -> Row:
    return {
        "name": name_of_set(number),
        "arn": f"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-{number:016d}",
        "description": _describe_set(number),
        "ownership": PermissionSet.Ownership.OURS,
        "state": PermissionSet.State.IN_SYNC,
        "record_id": record,
        "actual": definition_as_json(_define_set(number)),
        "settled": definition_as_json(_define_set(number)),
        "read_at": NOW,
        "proved_at": NOW,
    }


def _wish_set(number: int) -> SetWish:
    """Every other one has a policy of its own."""
    return SetWish(
        name_of_set(number),
        description=_describe_set(number),
        session_duration=timedelta(hours=8),
        managed_policies=(MANAGED[number % len(MANAGED)],),
        inline_policy=_POLICY % number if number % 2 else "",
    )


def _describe_set(number: int) -> str:
    return f"{DIVISIONS[number % len(DIVISIONS)]}の担当者用"


def _define_set(number: int) -> Definition:
    wish = _wish_set(number)
    managed = frozenset(f"arn:aws:iam::aws:policy/{name}" for name in wish.managed_policies)
    return Definition(wish.description, timedelta(hours=8), managed_policies=managed, inline_policy=wish.inline_policy)


def _iter_records(pairs: list[Pair]) -> Iterator[Row]:
    for pair in pairs:
        names = tuple(pair.codes)
        groups = () if pair.group is None else (f"team-{pair.group:04d}",)
        place = id_of_account(pair.account), name_of_set(pair.permission_set)
        wish = AssignmentWish(*place, names, groups=groups, expires_on=pair.last_day)
        by = {f"kintone_user:{name}": id_of_principal(100 + pair.account % 400) for name in names}
        values = wish_as_json(wish) | {"owners": [f"person{pair.number % 700:05d}"]}
        yield _build_record(pair.number, "24", AppKind.ASSIGNMENT, wish.account_id, {**values, "by": by}, values)
    for number in range(SETS):
        values = wish_as_json(_wish_set(number)) | {"owners": [f"person{number % 700:05d}"]}
        yield _build_record(number, "23", AppKind.PERMISSION_SET, values["name"], values, values)


def _build_record(
    number: int, app: str, kind: AppKind, title: str, in_force: dict[str, Any], body: dict[str, Any]
) -> Row:
    revision = 1 + number % 3
    author = 100 + number % 400
    return {
        "kind": kind, "app_id": app, "record_id": str(number + 1), "revision": revision, "title": title,
        "body": {name: _write_cell(value) for name, value in body.items()},
        "creator_code": f"person{author:05d}", "creator_name": name_of_person(author),
        "modifier_code": f"person{author:05d}", "modifier_name": name_of_person(author),
        "created_at": NOW - timedelta(days=300), "updated_at": NOW - timedelta(days=number % 300),
        "is_settled": True, "in_force": in_force, "in_force_revision": revision,
    }  # fmt: skip


def _write_cell(value: Any) -> dict[str, Any]:
    if isinstance(value, list) and value and str(value[0]).startswith("person"):
        return {"type": "USER_SELECT", "value": [{"code": code, "name": code} for code in value]}
    text = "\n".join(value) if isinstance(value, list) else str(value or "")
    return {"type": "MULTI_LINE_TEXT", "value": text}


_STATES = {
    1: Assignment.State.WAITING, 2: Assignment.State.FAILED, 3: Assignment.State.BLOCKED,
    4: Assignment.State.REQUESTED, 5: Assignment.State.DRIFTED,
}  # fmt: skip
_REASONS = {
    Assignment.State.WAITING: {"code": "user_not_provisioned", "params": {"user": "person"}},
    Assignment.State.FAILED: {"code": "aws_refused", "params": {"text": "ConflictException"}},
}


def _iter_assignments(pairs: list[Pair]) -> Iterator[Row]:
    number = 0
    for pair in pairs:
        for principal in pair.principals:
            state = _STATES.get(number % 200, Assignment.State.GRANTED)
            yield {
                "account_id": pair.account + 1,
                "permission_set_id": pair.permission_set + 1,
                "principal_id": principal + 1,
                "state": state,
                "reason": _REASONS.get(state, {}),
                "in_aws": state in (Assignment.State.GRANTED, Assignment.State.DRIFTED),
                "is_wanted": True,
                "expires_on": pair.last_day,
                "since": NOW - timedelta(days=number % 300),
            }
            number += 1
    for former in range(FORMER):
        pair = pairs[former * 7 % PAIRS]
        gone = {"state": Assignment.State.REMOVED, "in_aws": False, "is_wanted": False}
        yield {
            "account_id": pair.account + 1, "permission_set_id": pair.permission_set + 1,
            "principal_id": (pair.users[0] + 1 + former // PAIRS) % PEOPLE + 1, **gone,
        }  # fmt: skip


def _iter_wishes(pairs: list[Pair]) -> Iterator[Row]:
    number = 0
    for pair in pairs:
        for _principal in pair.principals:
            yield {"assignment_id": number + 1, "record_id": pair.number + 1, "expires_on": pair.last_day}
            number += 1


def _iter_record_people(pairs: list[Pair]) -> Iterator[Row]:
    for pair in pairs:
        roles = [("owner", pair.number % 700), ("author", 100 + pair.number % 400)]
        for role, number in (*roles, *(("user", user) for user in pair.users)):
            code = f"person{number:05d}"
            yield {"record_id": pair.number + 1, "role": role, "key": code, "code": code}


def _iter_writes(pairs: list[Pair]) -> Iterator[Row]:
    """Every other record was written in the portal."""
    for pair in pairs[::2]:
        key = {"app_id": "24", "record_id": str(pair.number + 1)}
        yield {**key, "revision": 1, "user_id": 101 + pair.number % 400, "at": NOW - timedelta(days=300)}


def main() -> None:
    json.dump(seed(), sys.stdout)
