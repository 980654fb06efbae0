"""Which code of a write kintone does not know any more."""

from collections.abc import Collection

import pytest

from syncer.drafts.leaving_out import find_unknown
from syncer.gateways.errors import Permanent
from syncer.states import Reason

WROTE = {"users": ["ken", "ken.sato", "user"], "owners": ["hana"], "note": "taro"}


def refuse(code: str, text: str) -> Permanent:
    return Permanent("kintone PUT record.json app 24", Reason("kintone_error"), code, text)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("コードken.satoのユーザーはいません。", {"ken.sato"}),
        ("コードkenのユーザーはいません。", {"ken"}),
        ("The code hana is nobody's.", {"hana"}),
        ("No user has the code ken.", set()),  # `user` is a code, too: nobody is left out on a guess
        ("コードtaroのユーザーはいません。", set()),
        ("Nobody of that code.", set()),
    ],
)
def test_code_stands_in_the_refusal(text: str, unknown: set[str]) -> None:
    assert find_unknown(refuse("GAIA_IL26", text), WROTE, None) == unknown


def test_the_only_code_needs_no_naming() -> None:
    assert find_unknown(refuse("GAIA_IL26", "?"), {"users": ["ken"]}, None) == {"ken"}


@pytest.mark.parametrize(("code", "unknown"), [("GAIA_IL26", {"ken"}), ("CB_VA01", {"ken"}), ("GAIA_LO04", set())])
def test_kintone_s_list_of_users_goes_before_its_words(code: str, unknown: set[str]) -> None:
    def know(codes: Collection[str]) -> frozenset[str]:
        return frozenset(codes) - {"ken"}

    assert find_unknown(refuse(code, "No user has the code user."), WROTE, know) == unknown


def test_other_refusals_are_about_nobody() -> None:
    assert find_unknown(refuse("CB_VA01", "ken"), WROTE, None) == set()
