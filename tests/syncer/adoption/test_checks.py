"""Whether a set can be adopted: the same desired state and plan that runs use, and what they say of each assignment."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from syncer.adoption.checks import (
    Comparison,
    Evidence,
    Likeness,
    Named,
    Naming,
    Take,
    Verdict,
    find_breakage,
    find_codes,
)
from syncer.desired import Before
from syncer.directory import Directory, LinkKey
from syncer.planning import plan_run
from syncer.states import (
    Actual,
    ActualPolicy,
    AssignmentKey,
    Definition,
    PolicyReference,
    PrincipalType,
    ReadRecord,
    Reason,
    Scope,
    Unresolved,
)
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    NO_LIMITS,
    PRINCIPALS,
    SET_RECORDS,
    SHOP,
    TODAY,
    actual,
    broken,
    desire,
    group,
    key,
    permission_set,
    record,
    set_record,
    user,
)

YESTERDAY = TODAY.replace(day=TODAY.day - 1)
FIELDS = frozenset({"users", "more_users", "groups"})
HANA, TARO, LEFT, DEVELOPERS = (key(principal_id=who) for who in ("hana", "taro", "left", "developers"))


def judge(
    *assignments: ReadRecord,
    there: Actual,
    sets: Collection[ReadRecord] = SET_RECORDS,
    before: dict[str, list[Before]] | None = None,
    fields: Collection[str] = FIELDS,
    **evidence: Any,
) -> Verdict:
    """The verdict on Admin, which is ours in `there`, as adopting imagines it."""
    directory = Directory(MANAGEMENT, there.accounts, there.sets, there.principals, user_suffix="@example.com")
    desired = desire(*assignments, there=there, sets=sets, before=before)
    plan = plan_run(desired, there, NO_LIMITS)
    naming = Naming(directory, fields, {"hana": "hana"})
    return Comparison(Evidence(desired, there, plan, assignments, naming, **evidence)).judge("Admin")


def codes(verdict: Verdict) -> list[tuple[str, AssignmentKey | None]]:
    return [(obstacle.reason.code, obstacle.key) for obstacle in verdict.obstacles]


# --- Alike or not -----------------------------------------------------------------------------------------------------


def test_what_records_want_and_aws_has_is_equal() -> None:
    verdict = judge(record(1, "hana", groups=("developers",)), there=actual(HANA, DEVELOPERS))
    assert (verdict.likeness, verdict.find_doubts(Take.NOTHING)) == (Likeness.EQUAL, ())


def test_what_no_record_wants_is_to_be_registered() -> None:
    verdict = judge(record(1, "hana"), there=actual(HANA, TARO))
    assert (verdict.likeness, verdict.unregistered) == (Likeness.ONLY_AWS, (TARO,))
    assert verdict.find_hindrances(Take.NOTHING) == ()
    assert [doubt.reason.code for doubt in verdict.find_doubts(Take.NOTHING)] == ["adopt_not_wanted"]


def test_set_without_record_is_to_be_written() -> None:
    verdict = judge(there=actual(HANA), sets=())
    assert (verdict.likeness, verdict.lacks_record, verdict.unregistered) == (Likeness.ONLY_AWS, True, (HANA,))
    assert verdict.find_doubts(Take.KINTONE)[0].reason.code == "adopt_record_missing"


def test_records_of_a_set_without_record_give_nobody_access_unsaid() -> None:
    """They wait for nothing but the set's own record."""
    verdict = judge(record(1, "hana", "taro"), there=actual(HANA), sets=())
    assert verdict.more == (TARO,)


@pytest.mark.parametrize(
    ("wish", "there", "fields"),
    [
        ({}, {"description": "other"}, ["description"]),
        ({"inline_policy": '{"a": 1, "b": 2}'}, {"inline_policy": '{ "b":2, "a":1 }'}, []),
        ({"inline_policy": '{"a": 1}'}, {"inline_policy": '{"a": true}'}, ["inline_policy"]),
        ({}, {"customer_managed_policies": frozenset({PolicyReference("/", "X")})}, ["customer_managed_policies"]),
    ],
)
def test_definitions_are_compared_as_the_engine_does(
    wish: dict[str, Any], there: dict[str, Any], fields: list[str]
) -> None:
    own = set_record(1, "Admin")
    assert own.wish is not None
    found = actual(sets={"Admin": permission_set("Admin", **there)})
    verdict = judge(there=found, sets=[replace(own, wish=replace(own.wish, **wish))])
    assert [difference.field for difference in verdict.differences] == fields


@pytest.mark.parametrize(
    ("take", "hindrance", "doubt"),
    [
        (Take.NOTHING, "adopt_different", "adopt_different"),
        (Take.AWS, "", "adopt_still_different"),
        (Take.KINTONE, "", ""),
    ],
)
def test_difference_needs_a_word(take: Take, hindrance: str, doubt: str) -> None:
    verdict = judge(there=actual(sets={"Admin": permission_set("Admin", description="x")}))
    assert [item.reason.code for item in verdict.find_hindrances(take)] == ([hindrance] if hindrance else [])
    assert [item.reason.code for item in verdict.find_doubts(take)] == ([doubt] if doubt else [])


@pytest.mark.parametrize("take", [Take.NOTHING, Take.AWS])
def test_only_kintones_word_lets_the_next_run_give_access(take: Take) -> None:
    verdict = judge(record(1, "hana", "taro"), there=actual(HANA))
    assert verdict.more == (TARO,)
    assert [(item.reason.code, item.key) for item in verdict.find_hindrances(take)] == [("adopt_more", TARO)]
    assert verdict.find_doubts(Take.KINTONE) == ()


@pytest.mark.parametrize("take", [Take.NOTHING, Take.AWS])
def test_older_versions_need_kintones_word(take: Take) -> None:
    stale = replace(permission_set("Admin"), stale_accounts=frozenset({SHOP}))
    verdict = judge(there=actual(sets={"Admin": stale}))
    assert [item.reason.code for item in verdict.find_hindrances(take)] == ["adopt_stale"]
    assert verdict.find_doubts(Take.KINTONE) == ()


# --- Who cannot be adopted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "code"),
    [(LEFT, "adopt_disabled"), (key(principal_id="nobody"), "adopt_orphan")],
    ids=str,
)
@pytest.mark.parametrize("is_wanted", [True, False])
def test_who_would_lose_access_at_once_stands_in_the_way(who: AssignmentKey, code: str, *, is_wanted: bool) -> None:
    wanted = [record(1, who.principal_id)] if is_wanted else []
    verdict = judge(*wanted, there=actual(who))
    assert (verdict.likeness, codes(verdict)) == (Likeness.CANNOT, [(code, who)])


def test_what_may_be_lost_stands_in_nobodys_way() -> None:
    orphan = key(principal_id="nobody")
    verdict = judge(record(1, "hana"), there=actual(HANA, LEFT, orphan), left_out=frozenset({LEFT, orphan}))
    assert (verdict.likeness, verdict.left_out) == (Likeness.EQUAL, (LEFT, orphan))
    assert verdict.find_doubts(Take.NOTHING) == ()


def test_locked_out_person_stands_in_the_way() -> None:
    verdict = judge(record(1, "hana"), there=actual(HANA), locked={"hana": Reason("locked_out", {})})
    assert codes(verdict) == [("locked_out", HANA)]


def test_passed_last_day_is_not_written_anew() -> None:
    verdict = judge(record(1, "hana", until=YESTERDAY), there=actual(HANA))
    assert codes(verdict) == [("adopt_ended", HANA)]


def test_last_day_moved_into_the_past_is_not_written_anew() -> None:
    """It did not pass by itself, but a record says that it is over."""
    late = record(1, "hana", until=YESTERDAY.replace(year=2020))
    verdict = judge(late, there=actual(HANA))
    assert codes(verdict) == [("adopt_ended", HANA)]


def test_longer_wish_of_another_record_counts() -> None:
    verdict = judge(record(1, "hana", until=YESTERDAY), record(2, "hana"), there=actual(HANA))
    assert verdict.likeness is Likeness.EQUAL


def test_what_was_taken_back_is_not_written_anew() -> None:
    verdict = judge(record(1, "taro"), there=actual(HANA, TARO), before={"24:1": [Before(HANA, None)]})
    assert codes(verdict) == [("adopt_withdrawn", HANA)]


def test_what_only_a_broken_record_wants_is_not_understood() -> None:
    mended = broken(1, account_id=SHOP, permission_set="Admin", was_valid=True)
    verdict = judge(mended, there=actual(HANA), before={"24:1": [Before(HANA, None)]})
    assert codes(verdict) == [("adopt_not_understood", HANA)]


@pytest.mark.parametrize(
    ("other", "is_unclear"),
    [
        (record(1, "hanna"), True),
        (record(1, groups=("hanna",)), False),
        (record(1, "hanna", at=BANK), False),
        (record(1, "hanna", name="Reader"), False),
        (broken(1, account_id=SHOP, permission_set="Admin"), True),
        (broken(1, account_id=SHOP), True),
        (broken(1, account_id=BANK), False),
        (broken(1), False),
    ],
)
def test_name_that_may_mean_somebody_keeps_him_from_being_written(other: ReadRecord, *, is_unclear: bool) -> None:
    verdict = judge(other, there=actual(HANA))
    assert codes(verdict) == ([("adopt_name_unclear", HANA)] if is_unclear else [])


def test_unknown_name_beside_people_who_are_wanted_only_waits() -> None:
    verdict = judge(record(1, "hana", "newcomer"), there=actual(HANA))
    assert (verdict.likeness, verdict.find_doubts(Take.NOTHING)) == (Likeness.EQUAL, ())


def test_broken_record_of_unknown_account_keeps_the_set() -> None:
    verdict = judge(broken(1, permission_set="Admin"), there=actual())
    assert codes(verdict) == [("adopt_not_understood", None)]


def test_broken_set_is_not_adopted() -> None:
    verdict = judge(there=actual(HANA), sets=[set_record(1, "Admin", wish=None)])
    assert codes(verdict)[0] == ("set_broken", None)
    assert not verdict.lacks_record


@pytest.mark.parametrize(
    ("scope", "blocks", "is_hidden"),
    [
        (Scope(SHOP, "Admin"), "all", True),
        (Scope(permission_set="Admin"), "all", True),
        (Scope(BANK), "all", True),
        (Scope(principal_type=PrincipalType.USER), "names", True),
        (Scope(SHOP, "Reader"), "all", False),
        (Scope(), "none", False),
    ],
)
def test_incomplete_reading_keeps_the_set(scope: Scope, blocks: str, *, is_hidden: bool) -> None:
    unread = Unresolved(scope, "sso-admin:X", Reason("aws_denied", {}), blocks)
    verdict = judge(record(1, "hana"), there=actual(HANA, unresolved=(unread,)))
    assert (("aws_denied", None) in codes(verdict)) is is_hidden


def test_access_in_a_suspended_account_is_wanted_like_any_other() -> None:
    there = actual(key(CLOSED))
    assert judge(there=there).unregistered == (key(CLOSED),)
    assert judge(record(1, "hana", at=CLOSED), there=there).likeness is Likeness.EQUAL


def test_planned_removal_that_nobody_was_shown_is_a_doubt() -> None:
    """Whatever the reason: what the planner would do is the last word."""
    there = actual(HANA)
    desired = desire(record(1, "hana"), there=there)
    plan = plan_run(replace(desired, leaving=frozenset({"hana"})), there, NO_LIMITS)
    naming = Naming(Directory(MANAGEMENT, there.accounts, there.sets, there.principals), FIELDS, {})
    verdict = Comparison(Evidence(desired, there, plan, (), naming)).judge("Admin")
    assert [doubt.reason.code for doubt in verdict.find_doubts(Take.KINTONE)] == ["adopt_would_change"]


def test_checksum_stands_for_what_was_shown() -> None:
    verdicts = [judge(record(1, "hana"), there=actual(*there)) for there in ((HANA,), (HANA,), (HANA, TARO))]
    assert verdicts[0].checksum == verdicts[1].checksum != verdicts[2].checksum


# --- Names ------------------------------------------------------------------------------------------------------------


def name(
    who: AssignmentKey, *, fields: Collection[str] = FIELDS, codes: dict[str, str] | None = None, **there: Any
) -> Any:
    values = {"principals": PRINCIPALS, "user_suffix": "@example.com", **there}
    directory = Directory(MANAGEMENT, {}, {}, **values)
    found = Naming(directory, fields, {"hana": "hana"} if codes is None else codes).name(who)
    return found if isinstance(found, Named) else found.code


def test_people_by_code_else_by_address_groups_by_name() -> None:
    assert name(HANA) == Named("users", "hana")
    assert name(TARO) == Named("more_users", "taro@example.com")
    assert name(HANA, fields={"more_users"}) == Named("more_users", "hana@example.com")
    assert name(DEVELOPERS) == Named("groups", "developers")


@pytest.mark.parametrize(
    ("who", "there", "code"),
    [
        (TARO, {"fields": {"users", "groups"}}, "adopt_nameless"),
        (DEVELOPERS, {"fields": {"users"}}, "adopt_nameless"),
        (DEVELOPERS, {"principals": {**PRINCIPALS, "g2": replace(group("g2"), name="Developers")}}, "adopt_ambiguous"),
        (TARO, {"links": {LinkKey("address", "taro@example.com"): "hana"}}, "adopt_ambiguous"),
        (TARO, {"namesakes": {LinkKey("address", "taro@example.com"): "taro"}}, "adopt_ambiguous"),
        (TARO, {"principals": {"taro": replace(user("taro"), name="two\nlines")}}, "adopt_nameless"),
    ],
)
def test_no_record_can_name_them(who: AssignmentKey, there: dict[str, Any], code: str) -> None:
    assert name(who, **there) == code


def test_code_that_leads_to_somebody_else_is_not_written() -> None:
    assert name(TARO, codes={"taro": "hana"}) == Named("more_users", "taro@example.com")


def test_codes_of_kintone_are_believed_where_they_lead_to_one_person() -> None:
    directory = Directory(MANAGEMENT, {}, {}, PRINCIPALS, user_suffix="@example.com")
    assert find_codes(directory, ["hana", "taro", "taro@example.com", "stranger"]) == {"hana": "hana"}


# --- What a record could not say --------------------------------------------------------------------------------------

READ_ONLY = ActualPolicy("arn:aws:iam::aws:policy/ReadOnlyAccess", "ReadOnlyAccess", is_attachable=True)


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"managed_policies": frozenset({READ_ONLY.arn})}, ""),
        ({"managed_policies": frozenset({"arn:aws:iam::aws:policy/Withdrawn"})}, "managed_policies"),
        ({"inline_policy": '{"Statement": '}, "inline_policy"),
    ],
)
def test_definition_that_would_make_a_broken_record(definition: dict[str, Any], field: str) -> None:
    directory = Directory(MANAGEMENT, {}, {}, {}, policies=(READ_ONLY,))
    found = find_breakage("Admin", Definition(**definition), directory)
    assert (found.params["field"] if found else "") == field
