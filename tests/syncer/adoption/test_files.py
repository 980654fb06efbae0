"""What may be lost and who owns: strict files, each bad line named."""

from typing import Any

import pytest

from syncer.adoption.files import (
    Fault,
    Loss,
    find_paths,
    match_losses,
    parse_losses,
    parse_owners,
    resolve_owners,
)
from syncer.directory import Directory
from syncer.states import ActualAccount, ActualUnit
from tests.syncer.values import MANAGEMENT, PRINCIPALS, SHOP, account, group, key

UNIT, ABOVE = "ou-ab12-cdefgh34", "ou-ab12-cdefgh00"


def codes(faults: list[Fault]) -> list[tuple[int, str]]:
    return [(fault.line, fault.reason.code) for fault in faults]


def test_losses_with_comments_and_names_with_blanks() -> None:
    text = f"\ufeff# gone\n\n{SHOP} Admin left@example.com  # in May\n０００００００００００１ Admin Team A\n"
    assert parse_losses(text) == (
        [Loss(3, SHOP, "Admin", "left@example.com"), Loss(4, SHOP, "Admin", "Team A")], [],
    )  # fmt: skip


@pytest.mark.parametrize("line", ["Admin hana", f"{SHOP} Admin", "12 Admin hana", SHOP])
def test_line_that_is_not_understood_is_named(line: str) -> None:
    losses, faults = parse_losses(f"{SHOP} Admin hana\n{line}\n")
    assert (len(losses), codes(faults)) == (1, [(2, "leave_out_wrong")])


@pytest.mark.parametrize("who", ["left", "LEFT@example.com"])
def test_principal_is_meant_by_id_or_name(who: str) -> None:
    found = match_losses([Loss(1, SHOP, "Admin", who)], [key(principal_id="left"), key()], PRINCIPALS)
    assert found == (frozenset({key(principal_id="left")}), [])


@pytest.mark.parametrize("loss", [Loss(7, SHOP, "Admin", "taro"), Loss(7, SHOP, "Reader", "hana")])
def test_line_that_matches_nothing_is_an_error(loss: Loss) -> None:
    found, faults = match_losses([loss], [key()], PRINCIPALS)
    assert (found, codes(faults)) == (frozenset(), [(7, "leave_out_matches_nothing")])


def test_name_of_two_groups_needs_the_id() -> None:
    principals = {"developers": group("developers"), "developers2": group("developers")}
    keys = [key(principal_id="developers"), key(principal_id="developers2")]
    assert codes(match_losses([Loss(1, SHOP, "Admin", "Developers")], keys, principals)[1]) == [
        (1, "leave_out_ambiguous")
    ]
    assert match_losses([Loss(1, SHOP, "Admin", "developers2")], keys, principals)[0] == {keys[1]}


# --- Owners -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "account,owners", "owners", "account_id,owners,note", "account_id,account_id"])
def test_other_columns_are_refused(header: str) -> None:
    lines, faults = parse_owners(f"{header}\n{SHOP},hana\n")
    assert (lines, codes(faults)) == ([], [(1, "owners_csv_columns")])


@pytest.mark.parametrize(
    "row", ["12,,hana", ",,hana", f"{SHOP},{UNIT},hana", f"{SHOP},,", f"{SHOP},,hana,x", SHOP, ",ou-1,hana"]
)
def test_each_bad_line_is_named(row: str) -> None:
    lines, faults = parse_owners(f"account_id,ou_id,owners\n,{UNIT},hana\n\n{row}\n")
    assert ([line.place for line in lines], codes(faults)) == ([UNIT], [(4, "owners_csv_wrong")])


def test_place_stands_once() -> None:
    assert codes(parse_owners(f"account_id,owners\n{SHOP},hana\n{SHOP},taro\n")[1]) == [(3, "owners_csv_twice")]


def resolve(text: str, **directory: Any) -> tuple[Any, list[tuple[int, str]]]:
    lines, faults = parse_owners(text)
    assert not faults
    accounts = {SHOP: account(SHOP)}
    values = {"user_suffix": "@example.com", **directory}
    owners, faults = resolve_owners(
        lines, Directory(MANAGEMENT, accounts, {}, PRINCIPALS, **values), {}, {SHOP: (UNIT, ABOVE)}
    )
    return owners, codes(faults)


def test_account_goes_before_units_and_near_units_before_those_above() -> None:
    everywhere = f"account_id,ou_id,owners\n,{ABOVE},taro\n,{UNIT},hana taro\n"
    assert resolve(everywhere)[0].find(SHOP) == ("hana", "taro")
    assert resolve(f"{everywhere}{SHOP},,taro@example.com\n")[0].find(SHOP) == ("taro",)
    assert resolve(everywhere)[0].find("000000000009") == ()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f"{SHOP},,stranger", "owners_csv_person"),
        (f"{SHOP},,hana stranger@example.com", "owners_csv_person"),
        ("000000000009,,hana", "owners_csv_place"),
        (",ou-ab12-zzzzzzzz,hana", "owners_csv_place"),
    ],
)
def test_owner_or_place_that_nobody_knows_is_named(row: str, code: str) -> None:
    assert resolve(f"account_id,ou_id,owners\n{row}\n")[1] == [(2, code)]


def test_address_is_the_code_where_names_have_no_suffix() -> None:
    assert resolve(f"account_id,owners\n{SHOP},hana@example.com\n", user_suffix="")[0].find(SHOP) == (
        "hana@example.com",
    )


def test_units_above_by_path_or_by_parents() -> None:
    by_path = ActualAccount(SHOP, "shop", "", "ACTIVE", UNIT, ("r-1", ABOVE, UNIT))
    by_parent = ActualAccount(SHOP, "shop", "", "ACTIVE", UNIT)
    units = [ActualUnit("r-1", "Root"), ActualUnit(ABOVE, "service", "r-1"), ActualUnit(UNIT, "shop", ABOVE)]
    expected = {SHOP: (UNIT, ABOVE, "r-1")}
    assert find_paths({SHOP: by_path}, []) == find_paths({SHOP: by_parent}, units) == expected
