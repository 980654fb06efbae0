"""Taking access out of a record in the portal, through kintone and a run: a person's word."""

import pytest
from django.utils import timezone

from accounts.models import Draft, Guardrail, Person, Principal, Record, User
from syncer.drafts import withdrawing
from syncer.mirror.withdrawals import GOOD_FOR, load_asked
from syncer.models import Change, Withdrawal
from syncer.states import AssignmentKey, PrincipalType
from syncer.tasks import write_drafts
from tests.factories import make_record, make_user
from tests.syncer.running import sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db
HERS = AssignmentKey("123456789012", "Reader", PrincipalType.USER, "1")


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().code == 0
    return world


def make_member(name: str) -> User:
    return make_user(name, person=Person.objects.get(kintone_code=name))


def take_out(user: User, name: str) -> Draft:
    record = Record.objects.get(kind="assignment")
    whom = Principal.objects.get(name=f"{name}@{DOMAIN}")
    checksum = withdrawing.make_list_checksum([withdrawing.plan_removal(record, whom)])
    return withdrawing.take_out(user, whom, [record], checksum, chosen={record.pk})


def test_who_takes_himself_out_loses_it_by_his_word(company: World) -> None:
    take_out(make_member("taro"), "taro")
    write_drafts.apply()
    assert company.granted() - FOREIGN == {("shop", "Reader", "hana")}
    assert Change.objects.get(kind="delete").confirmed


def test_record_that_is_not_understood_holds_nobody(company: World) -> None:
    company.edit(f"{company.assignments.id}:1", account_id="?")
    sync()
    take_out(make_member("taro"), "taro")
    write_drafts.apply()
    assert company.granted() - FOREIGN == {("shop", "Reader", "hana")}


def test_emergency_access_goes_by_a_word(company: World) -> None:
    Guardrail.objects.create(name="break glass", effect="keep", sentence="kept")
    withdrawal = withdrawing.plan_end(Record.objects.get(kind="assignment"))
    admin = make_user("管理", is_staff=True)
    withdrawing.end_record(admin, withdrawal.record, withdrawing.make_list_checksum([withdrawal]))
    write_drafts.apply()
    assert company.granted() == FOREIGN


# --- For how long a word is good --------------------------------------------------------------------------------------


def note(state: str = "written", *, in_force: int = 2, undo: str = "", **values: object) -> Withdrawal:
    """A removal that kintone has as revision 2."""
    record, user = make_record(revision=2, in_force_revision=in_force), make_user()
    options = {"kind": "assignment", "author": user, "values": {}, "record": record, "written_revision": 2}
    draft = Draft.objects.create(state=state, request_key=str(user.pk), **options)
    undoing = Draft.objects.create(state=undo, request_key=f"undo {user.pk}", **options) if undo else None
    return Withdrawal.objects.create(
        draft=draft, reference=record.reference, removals=[list(HERS)], undo=undoing, **values
    )


def is_asked(withdrawal: Withdrawal, *others: str) -> bool:
    return load_asked({HERS: {withdrawal.reference, *others}}, timezone.now()) == {HERS}


def test_word_counts_once_it_is_written() -> None:
    assert is_asked(note())
    assert not is_asked(note("waiting"))
    assert not is_asked(note("discarded"))


def test_other_record_that_wanted_it_keeps_it() -> None:
    assert not is_asked(note(), "24:99")


def test_what_no_record_wanted_is_not_asked_for() -> None:
    note()
    assert load_asked({}, timezone.now()) == frozenset()


def test_word_is_good_for_a_day_or_until_the_record_is_understood() -> None:
    before = timezone.now() - GOOD_FOR
    assert not is_asked(note(at=before))
    assert is_asked(note(at=before, in_force=1))


@pytest.mark.parametrize(("undo", "counts"), [("waiting", False), ("written", False), ("refused", True)])
def test_word_that_was_taken_back_is_none(undo: str, counts: bool) -> None:
    assert is_asked(note(undo=undo)) is counts
