"""Who may give access: said before a record is written as a run decides it afterwards."""

from dataclasses import replace

import pytest

from accounts.models import Account, User
from accounts.ownership import Protection, Register, Site, Unit
from syncer.giving.rights import ask
from tests.syncer.test_judging import HANA, REGISTER, SANDBOX, TARO, THERE, case, judged, states
from tests.syncer.values import SHOP, record, user

STRANGER = replace(HANA, code="nobody", name="Nobody")
REGISTERS = {
    "as it is": REGISTER,
    "protected": replace(REGISTER, protection=Protection(accounts=frozenset({SHOP, SANDBOX}))),
    "owner left": replace(
        REGISTER, holders={**REGISTER.holders, "hana": replace(REGISTER.holders["hana"], is_active=False)}
    ),
    "owners unread": replace(
        REGISTER, sites={**REGISTER.sites, SHOP: Site(SHOP, "shop", stage="production", tag=None)}
    ),
    "free": replace(REGISTER, sites={**REGISTER.sites, SHOP: Site(SHOP, "shop", stage="production")}),
    "unit owns": replace(
        REGISTER,
        sites={**REGISTER.sites, SHOP: Site(SHOP, "shop", "ou-sandbox", "production")},
        units={"ou-sandbox": Unit("ou-sandbox", "sandbox", entries=frozenset({"taro"}))},
    ),
    "nothing claimable": replace(REGISTER, claimable_stages=frozenset()),
}


@pytest.mark.parametrize("account_id", [SHOP, SANDBOX])
@pytest.mark.parametrize("writer", [HANA, TARO, STRANGER], ids=["hana", "taro", "nobody"])
@pytest.mark.parametrize("name", REGISTERS)
def test_form_says_what_a_run_will_decide(name: str, writer: object, account_id: str) -> None:
    register: Register = REGISTERS[name]
    who = next(each for each in (HANA, TARO, STRANGER) if each == writer)
    person = "" if who is STRANGER else who.code
    account = Account(account_id=account_id, state="ACTIVE")
    said, _owners = ask(User(), person, account, register)
    there = replace(THERE, principals={**THERE.principals, "ken": user("ken")})
    written = record(1, "ken", at=account_id)
    decided = states(judged((written, case(written, who)), register=register, there=there))["ken"]
    assert decided == (("wanted", "") if not said else ("withheld", said))
