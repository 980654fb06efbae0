"""Who may still put back what he took out, at the moment of the run."""

from accounts.judgement import PutBack
from syncer.cases import Signature, Undone
from tests.syncer.test_judging import GRANTED, HANA, KEN, SANDBOX, TARO, one, states
from tests.syncer.values import SHOP, record

HERS = record(1, "hana")


def undone(*names: str, author: Signature = HANA, owners: tuple[str, ...] = (), account: str = SHOP) -> Undone:
    return Undone(PutBack((account, "Admin"), {f"kintone_user:{name}": name for name in names}), author, owners)


def test_who_took_himself_out_is_back() -> None:
    desired = one(record(1, "hana", "taro"), TARO, HERS, undone=undone("taro"))
    assert states(desired)["taro"] == GRANTED


def test_who_may_narrow_the_record_puts_others_back() -> None:
    found = undone("taro", owners=("ken",))
    assert states(one(record(1, "hana", "taro"), KEN, HERS, undone=found))["taro"] == GRANTED


def test_who_lost_that_meanwhile_puts_nobody_else_back() -> None:
    desired = one(record(1, "hana", "taro"), KEN, HERS, undone=undone("taro"))
    assert states(desired)["taro"][1] == "writer_may_not"


def test_new_record_is_judged_by_whose_the_old_one_was() -> None:
    """Its author is he himself, which is no right to what somebody else had registered."""
    back = undone("taro")
    assert states(one(record(1, "taro"), KEN, undone=back))["taro"][1] == "writer_may_not"
    assert states(one(record(1, "taro"), KEN, undone=undone("taro", author=KEN)))["taro"] == GRANTED


def test_putting_back_claims_no_account() -> None:
    written = record(1, "taro", at=SANDBOX)
    desired = one(written, KEN, undone=undone("taro", author=KEN, account=SANDBOX))
    assert states(desired)["taro"] == GRANTED
    assert desired.rulings["24:1"].claims == ""
    assert one(written, KEN).rulings["24:1"].claims == "ken"
