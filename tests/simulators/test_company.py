"""The sample company: its counts, its special cases, and that its three worlds tell one story."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from simulators.aws import Assignment, AwsWorld
from simulators.aws.catalogue import managed_policies
from simulators.clock import Clock
from simulators.company import build_aws, build_entra, build_kintone
from simulators.company.assignments import STRAY_ASSIGNMENTS, Beginning, list_assignment_records
from simulators.company.aws import find_hand_made
from simulators.company.organization import (
    DELEGATED,
    MANAGEMENT,
    NO_LAKE_POLICY,
    SUSPENDED,
    get_account,
    list_accounts,
    list_owners,
    list_units,
)
from simulators.company.people import (
    get_leaver,
    get_newcomer,
    list_cast,
    list_groups,
    list_members,
    list_people,
)
from simulators.company.permission_sets import (
    BROKEN_POLICY_SET,
    MANAGEMENT_SET,
    OWNERSHIP_TAG,
    UNKNOWN_POLICY_SET,
    UNMANAGED_SETS,
    list_permission_sets,
)
from simulators.company.permission_sets import Beginning as SetBeginning
from simulators.kintone import KintoneWorld

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # in Tokyo
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def aws() -> AwsWorld:
    return build_aws()


@pytest.fixture(scope="module")
def kintone() -> KintoneWorld:
    clock = Clock()
    clock.freeze(NOON)
    return build_kintone(clock)


def _wanted(aws: AwsWorld) -> set[Assignment]:
    """What the records want, as far as AWS has the account, the set and the principal."""
    users = {user.user_name: user.id for user in aws.directory.users.values()}
    groups = {group.display_name: group.id for group in aws.directory.groups.values()}
    wanted = set()
    for record in list_assignment_records():
        arn = aws.center.arn_of(record.permission_set)
        principals = [("USER", users.get(person.upn)) for person in record.people]
        principals += [("GROUP", groups[group]) for group in record.groups]
        if arn and record.account_id in aws.organization.accounts:
            wanted |= {Assignment(record.account_id, arn, kind, found) for kind, found in principals if found}
    return wanted


def _owned_assignments(aws: AwsWorld) -> set[Assignment]:
    return {one for one in aws.assignments() if aws.tags_of(one.permission_set_arn) == OWNERSHIP_TAG}


# --- counts and names


def test_company_has_the_promised_size() -> None:
    assert len(list_people()) == 120
    assert len(list_accounts()) == 42
    assert len(list_permission_sets()) == 18
    assert len(list_groups()) == 18
    assert 255 <= len(list_assignment_records()) <= 270


def test_units_are_the_five_and_their_stages() -> None:
    assert {unit.path.partition("/")[0] for unit in list_units()} == {
        "admin",
        "service",
        "professional",
        "business",
        "sandbox",
    }
    assert {unit.name for unit in list_units() if unit.path.count("/") == 2} == {"Production", "Staging", "Development"}


@pytest.mark.parametrize("attribute", ["upn", "name", "oid"])
def test_people_are_told_apart(attribute: str) -> None:
    assert len({getattr(person, attribute) for person in list_people()}) == 120


def test_some_people_have_short_codes_and_some_none() -> None:
    codes = [person.kintone_code for person in list_people()]

    assert sum(code is None for code in codes) == 8
    assert sum(code is not None and "@" not in code for code in codes) == 5


def test_ids_are_the_same_in_every_world() -> None:
    first, second = build_aws().to_state(), build_aws().to_state()

    for part in ("instances", "tags", "access_keys"):
        times = {"created", "joined"}
        assert _without(first[part], times) == _without(second[part], times)


def _without(value: object, names: set[str]) -> object:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    return value


# --- kintone


def test_every_record_fits_the_apps(kintone: KintoneWorld) -> None:
    assert len(kintone.app(1).record_ids()) == 18
    assert len(kintone.app(2).record_ids()) == len(list_assignment_records())


def test_records_are_registered_in_the_past_and_in_order(kintone: KintoneWorld) -> None:
    app = kintone.app(2)
    times = [app.record(record_id)["作成日時"]["value"] for record_id in app.record_ids()]

    assert times == sorted(times)
    assert times[-1] < NOON.isoformat()


def test_last_days_count_from_today(kintone: KintoneWorld) -> None:
    app = kintone.app(2)
    ends = [app.record(record_id)["expires_on"]["value"] for record_id in app.record_ids()]
    days = [date.fromisoformat(end) for end in ends if end]

    assert sum(day < TODAY for day in days) == 1
    assert sum(day > TODAY for day in days) > 20
    assert min(day for day in days if day > TODAY) <= TODAY + timedelta(days=3)


def test_people_without_licence_are_addresses(kintone: KintoneWorld) -> None:
    app = kintone.app(2)
    records = [app.record(record_id) for record_id in app.record_ids()]

    assert sum(bool(record["more_users"]["value"]) for record in records) >= 6
    assert sum(bool(record["groups"]["value"]) for record in records) >= 40


def test_one_set_has_a_trailing_comma() -> None:
    broken = [one for one in list_permission_sets() if one.inline_policy and not _is_json(one.inline_policy)]

    assert [one.name for one in broken] == [BROKEN_POLICY_SET]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def test_one_managed_policy_is_unknown() -> None:
    known = {policy.name for policy in managed_policies().values()} | set(managed_policies())
    unknown = [one.name for one in list_permission_sets() if not known.issuperset(one.managed)]

    assert unknown == [UNKNOWN_POLICY_SET]


def test_one_record_mistypes_its_account() -> None:
    known = {account.id for account in list_accounts()}
    strangers = [record.account_id for record in list_assignment_records() if record.account_id not in known]

    assert len(strangers) == 1
    assert len(strangers[0]) == 12


def test_two_records_want_one_assignment() -> None:
    wanted = Counter(
        (record.account_id, record.permission_set, person.upn)
        for record in list_assignment_records()
        for person in record.people
    )

    assert list(wanted.values()).count(2) == 1


def test_all_writers_but_one_may_widen_access_to_their_accounts() -> None:
    accounts = {account.id: account for account in list_accounts()}
    outsiders = []
    for record in list_assignment_records():
        account = accounts.get(record.account_id)
        if account and not record.writer.roles:
            assert account.unit != "admin"
            if record.writer not in list_owners(account):
                outsiders.append(record)

    (outsider,) = outsiders
    assert outsider.beginning is Beginning.NOTHING
    assert outsider.people == (outsider.writer,)


# --- AWS


def test_aws_has_nearly_all_that_is_wanted(aws: AwsWorld) -> None:
    wanted = _wanted(aws)

    assert 0.93 < len(wanted & aws.assignments()) / len(wanted) < 1


def test_first_run_removes_at_most_four(aws: AwsWorld) -> None:
    leaver = next(user.id for user in aws.directory.users.values() if user.user_name == get_leaver().upn)
    of_leaver = {one for one in aws.assignments() if one.principal_id == leaver}
    expired = [record for record in list_assignment_records() if (record.ends_in or 0) < 0]

    assert len(_owned_assignments(aws) - _wanted(aws)) == len(STRAY_ASSIGNMENTS) == 1
    assert 1 <= len(of_leaver) <= 2
    assert len(expired) == 1


def test_what_is_made_by_hand_is_wanted_by_nobody(aws: AwsWorld) -> None:
    made = find_hand_made(aws)
    assignment = Assignment(made["TargetId"], made["PermissionSetArn"], made["PrincipalType"], made["PrincipalId"])
    owners = [person.upn for person in list_owners(get_account("kaikei-dev"))]

    assert assignment not in aws.assignments() | _wanted(aws)
    assert aws.has_principal(assignment.principal)
    assert list_members("kaikei")[0].upn in owners


def test_one_orphan_holds_a_dead_id(aws: AwsWorld) -> None:
    assert sum(not aws.has_principal(one.principal) for one in aws.assignments()) == 1


def test_only_three_definitions_differ_from_their_records() -> None:
    beginnings = Counter(one.beginning for one in list_permission_sets())

    assert beginnings == {
        SetBeginning.AS_REGISTERED: 12,
        SetBeginning.OLDER: 3,
        SetBeginning.NONE: 2,
        SetBeginning.MANAGEMENT: 1,
    }


def test_leaver_is_disabled_and_newcomer_absent(aws: AwsWorld) -> None:
    status = {user.user_name: user.status for user in aws.directory.users.values()}

    assert status[get_leaver().upn] == "DISABLED"
    assert get_newcomer().upn not in status
    assert len(status) == 119


def test_management_set_is_left_to_terraform(aws: AwsWorld) -> None:
    arn = aws.permission_set_arn(MANAGEMENT_SET)

    assert aws.management_account_id == MANAGEMENT.id
    assert aws.tags_of(arn) == {}
    assert {one.account_id for one in aws.assignments() if one.permission_set_arn == arn} == {MANAGEMENT.id}
    assert sum(record.permission_set == MANAGEMENT_SET for record in list_assignment_records()) == 2


def test_unmanaged_sets_have_assignments_and_no_tag(aws: AwsWorld) -> None:
    for foreign in UNMANAGED_SETS:
        arn = aws.permission_set_arn(foreign.name)
        assert aws.tags_of(arn) == {}
        assert any(one.permission_set_arn == arn for one in aws.assignments())


def test_suspended_account_is_wanted_and_empty(aws: AwsWorld) -> None:
    assert aws.organization.accounts[SUSPENDED.id].state == "SUSPENDED"
    assert sum(record.account_id == SUSPENDED.id for record in list_assignment_records()) == 2
    assert all(one.account_id != SUSPENDED.id for one in aws.assignments())


def test_analysts_policy_is_missing_in_one_wanted_account(aws: AwsWorld) -> None:
    wanted = {record.account_id for record in list_assignment_records() if record.permission_set == "DataAnalyst"}
    missing = [account_id for account_id in wanted if account_id not in aws.customer_policies]

    assert missing == [NO_LAKE_POLICY.id]


def test_portal_role_belongs_to_the_delegated_administrator(aws: AwsWorld) -> None:
    assert {key.account_id for key in aws.access_keys.values()} == {DELEGATED.id}
    assert aws.organization.is_delegated(DELEGATED.id)


def test_owner_tags_name_users_and_groups(aws: AwsWorld) -> None:
    names = {user.user_name for user in aws.directory.users.values()} | set(aws.directory.groups)
    tagged = [tags["owners"].split(" ") for tags in aws.tags.values() if "owners" in tags]

    assert len(tagged) > 15
    assert all(names.issuperset(owners) for owners in tagged)


def test_new_records_are_a_handful() -> None:
    fresh = [record for record in list_assignment_records() if record.beginning is Beginning.NOTHING]

    assert 10 <= len(fresh) <= 20


# --- Entra, and the cast


def test_tenant_knows_everybody_and_the_roles() -> None:
    world = build_entra(9000)
    roles = Counter(role for person in world.list_people() for role in person.roles)

    assert len(world.list_people()) == 120
    assert roles == {"Portal.Admin": 2, "Portal.Auditor": 1}
    assert [person.upn for person in world.list_people() if person.is_disabled] == [get_leaver().upn]


def test_external_ids_are_entra_object_ids(aws: AwsWorld) -> None:
    oids = {person.oid for person in build_entra().list_people()}

    assert oids.issuperset(user.external_id for user in aws.directory.users.values())


def test_cast_shows_different_sides() -> None:
    assert [bool(person.roles) for person, _part in list_cast()] == [True, False, False, False, True]
    assert list_cast()[2][0] in list_owners(get_account("kaikei-prod"))


def test_developer_of_the_cast_has_eight_ways_in() -> None:
    developer = list_cast()[1][0]
    groups = {name for name, members in list_groups().items() if developer in members}
    ways = [
        record
        for record in list_assignment_records()
        if developer in record.people or groups.intersection(record.groups)
    ]

    assert developer in list_members("kaikei")
    assert len(ways) == 8
