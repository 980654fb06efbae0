"""Who owns an account: the first hit wins, who left is skipped, and nothing that was ever named becomes free."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from accounts.ownership import Holder, Protection, Register, Site, Source, Unit

HOLDERS = {
    holder.principal_id: holder
    for holder in (
        Holder("hana", name="hana@example.com", external_id="oid-hana"),
        Holder("taro", name="taro@example.com", external_id="oid-taro"),
        Holder("left", name="left@example.com", external_id="oid-left", is_active=False),
        Holder("team", is_group=True, name="team"),
    )
}
SHOP = "000000000001"
ROOT = Unit("r-1", "Root")
SERVICE_UNIT, SHOP_UNIT = Unit("ou-service", "service", "r-1"), Unit("ou-shop", "Shop", "ou-service")
UNPROTECTED = Protection()


@dataclass(frozen=True)
class Company:
    """The account shop in service/Shop below the root; `team` is taro and somebody who left."""

    tag: str | None = ""
    entries: frozenset[str] = frozenset()
    near: Unit = SHOP_UNIT
    far: Unit = SERVICE_UNIT
    stage: str = "sandbox"
    holders: Mapping[str, Holder] = field(default_factory=lambda: HOLDERS)
    protection: Protection = UNPROTECTED
    is_management: bool = False

    @property
    def register(self) -> Register:
        site = Site(SHOP, "shop", self.near.unit_id, self.stage, self.tag, self.entries, self.is_management)
        units = {unit.unit_id: unit for unit in (self.near, self.far, ROOT)}
        members = {"team": frozenset({"taro", "left"})}
        return Register({SHOP: site}, units, self.holders, members, self.protection, frozenset({"sandbox"}))

    @property
    def owners(self) -> tuple[Source, set[str]]:
        owners = self.register.find_owners(SHOP)
        return owners.source, set(owners.people)


def names(*principals: str) -> frozenset[str]:
    return frozenset(principals)


NEAR = replace(SHOP_UNIT, tag="taro@example.com")
FAR = replace(SERVICE_UNIT, tag="hana@example.com")


# --- The first hit wins


def test_entry_goes_before_tag() -> None:
    assert Company(entries=names("hana"), tag="taro@example.com").owners == (Source.ENTRY, {"hana"})


def test_tag_goes_before_unit() -> None:
    assert Company(tag="hana@example.com", near=NEAR).owners == (Source.TAG, {"hana"})


def test_nearest_unit_decides() -> None:
    assert Company(near=NEAR, far=FAR).owners == (Source.UNIT, {"taro"})


def test_units_pass_owners_down() -> None:
    assert Company(far=FAR).owners == (Source.UNIT, {"hana"})


def test_entry_of_unit_goes_before_its_tag() -> None:
    assert Company(near=replace(NEAR, entries=names("hana"))).owners == (Source.UNIT, {"hana"})


def test_nobody_named_is_nobody() -> None:
    assert Company().owners == (Source.NOBODY, set())


def test_account_without_unit_has_no_inherited_owner() -> None:
    site = Site(SHOP, tag="")
    assert Register({SHOP: site}, {"ou-service": FAR}, HOLDERS).find_owners(SHOP).is_free


# --- Who is meant


def test_members_of_a_group_own() -> None:
    assert Company(tag="team").owners == (Source.TAG, {"taro"})


def test_group_itself_owns_for_rules_about_owners() -> None:
    assert Company(tag="team").register.find_owners(SHOP).principals == {"team"}


def test_tag_names_several_in_any_case_and_width() -> None:
    assert Company(tag=" HANA@example.com  ｔａｒｏ@example.com ").owners == (Source.TAG, {"hana", "taro"})


def test_group_name_is_no_group_id() -> None:
    holders = {**HOLDERS, "g-1": Holder("g-1", is_group=True, name="admins")}
    assert Company(tag="admins", holders=holders).owners == (Source.TAG, set())


def test_who_left_the_group_owns_no_more() -> None:
    company = Company(tag="team")
    assert not replace(company.register, members={"team": names("hana")}).owns("taro", SHOP)


def test_user_name_given_to_somebody_else_names_nobody() -> None:
    gone = Holder("old", name="hana@example.com", external_id="oid-old", is_active=False)
    assert Company(tag="hana@example.com", holders={**HOLDERS, "old": gone}).owners == (Source.TAG, set())


def test_same_person_made_anew_owns_on() -> None:
    gone = Holder("old", name="hana@example.com", external_id="OID-HANA", is_active=False)
    assert Company(tag="hana@example.com", holders={**HOLDERS, "old": gone}).owners == (Source.TAG, {"hana"})


# --- Who left, and what is not known


@pytest.mark.parametrize("tag", ["left@example.com", "nobody@example.com", "deleted-group"])
def test_owners_who_left_do_not_free_the_account(tag: str) -> None:
    company = Company(tag=tag, far=FAR)
    assert company.owners == (Source.TAG, set())
    assert not company.register.is_claimable(SHOP)


def test_entry_of_somebody_never_provisioned_does_not_free_it() -> None:
    assert Company(entries=names("")).owners == (Source.ENTRY, set())


def test_unread_tags_are_not_nobody() -> None:
    assert Company(tag=None, far=FAR).owners == (Source.UNREAD, set())
    assert not Company(tag=None).register.is_claimable(SHOP)


def test_unread_tag_of_a_unit_hides_what_is_above() -> None:
    assert Company(near=replace(SHOP_UNIT, tag=None), far=FAR).owners == (Source.UNREAD, set())


def test_entry_needs_no_tag() -> None:
    assert Company(entries=names("hana"), tag=None).owners == (Source.ENTRY, {"hana"})


def test_unknown_account_is_unread() -> None:
    assert not Company().register.find_owners("000000000009").are_known


def test_nobody_is_no_owner() -> None:
    assert not Company(entries=names("")).register.owns("", SHOP)


# --- Claimable


@pytest.mark.parametrize(
    ("stage", "is_claimable"), [("sandbox", True), ("staging", False), ("production", False), ("other", False)]
)
def test_only_some_stages_are_claimable(stage: str, is_claimable: bool) -> None:
    assert Company(stage=stage).register.is_claimable(SHOP) is is_claimable


def test_unknown_stage_counts_as_production() -> None:
    register = replace(Company(stage="other").register, claimable_stages=frozenset({"production"}))
    assert register.is_claimable(SHOP)


def test_owned_account_is_not_claimable() -> None:
    assert not Company(tag="hana@example.com").register.is_claimable(SHOP)


def test_management_account_is_not_claimable() -> None:
    assert not Company(is_management=True).register.is_claimable(SHOP)


# --- Protected


@pytest.mark.parametrize(
    "unit", ["service", "SERVICE", "ｓｅｒｖｉｃｅ", "/service/", "service/shop", "ou-service", "OU-shop", "r-1"]
)
def test_everything_below_a_protected_unit_is_protected(unit: str) -> None:
    company = Company(protection=Protection((unit,)))
    assert company.register.is_protected(SHOP)
    assert not company.register.is_claimable(SHOP)


@pytest.mark.parametrize("unit", ["serv", "shop", "Root/service", "service/shop/deeper", "ou-serv", ""])
def test_only_whole_paths_protect(unit: str) -> None:
    assert not Company(protection=Protection((unit,))).register.is_protected(SHOP)


def test_portal_account_is_protected_wherever_it_is() -> None:
    assert Company(protection=Protection(accounts=frozenset({SHOP}))).register.is_protected(SHOP)


def test_protection_that_matches_nothing_is_found() -> None:
    company = Company(protection=Protection(("service", "admin", "ou-gone")))
    assert company.register.find_unmatched_protection() == ("admin", "ou-gone")
