"""Drafts whose answer was lost, whose process died or whose kintone is away: written once all the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AppKind, Draft, PortalWrite, User
from simulators.kintone import Fault
from syncer import leases
from syncer.drafts import carrying, saving, writing
from syncer.drafts.drafting import make_draft
from tests.syncer.drafts.drafted import (
    RECORD,
    TEXT,
    add_fields,
    draft_edit,
    draft_new,
    fill,
    make_author,
    state_of,
    value_of,
)
from tests.syncer.kintone_only import judge_everything, look_at_kintone
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    return fill(world)


@pytest.fixture
def author(company: World) -> User:
    return make_author()


@pytest.mark.parametrize("with_key", [True, False])
def test_lost_answer_makes_no_second_record(with_key: bool, company: World, author: User) -> None:
    if with_key:
        add_fields(company, request_key={**TEXT, "unique": True})
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(method="POST", path=RECORD, hang_up=True, times=1))
    assert writing.write_drafts() == frozenset()
    assert state_of(draft) == ("waiting", "kintone_unreachable")
    assert writing.write_drafts() == {f"{company.assignments.id}:2"}
    assert company.assignments.record_ids() == [1, 2]
    assert PortalWrite.objects.get().record_id == "2"


def test_record_that_never_arrived_is_sent_again(company: World, author: User) -> None:
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(method="POST", path=RECORD, status=503, text="maintenance", times=1))
    writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.assignments.record_ids() == [1, 2]


def test_process_that_died_after_sending_leaves_no_second_record(
    company: World, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_new(company, author)
    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_read_back", _die)
        with pytest.raises(KeyboardInterrupt):
            writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.assignments.record_ids() == [1, 2]


def _die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_missing_right_waits_for_it(company: World, author: User) -> None:
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(method="POST", path=RECORD, code="GAIA_NO01", times=1))
    writing.write_drafts()
    assert state_of(draft) == ("waiting", "kintone_no_right")
    writing.write_drafts()
    assert state_of(draft) == ("written", "")


def test_one_app_that_is_away_does_not_keep_the_other_waiting(company: World, author: User) -> None:
    first, second = draft_new(company, author), draft_new(company, author)
    other = make_draft(AppKind.PERMISSION_SET, author, {"name": "Other"})
    other.save()
    company.kintone.faults.add(Fault(method="POST", path=RECORD, status=503, text="maintenance", nth=1))
    writing.write_drafts()
    assert [state_of(item)[0] for item in (first, second, other)] == ["waiting", "waiting", "written"]


def test_only_one_process_writes(company: World, author: User) -> None:
    draft = draft_new(company, author)
    with leases.hold_lease(writing.LEASE):
        assert writing.write_drafts() == frozenset()
    assert state_of(draft) == ("waiting", "")


def test_edit_whose_answer_was_lost_is_found(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, hang_up=True, times=1))
    writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.assignments.record(1)["$revision"]["value"] == "2"


def test_revision_of_somebody_else_is_never_ours(company: World, author: User) -> None:
    """It says what the draft says and more: the ledger must not make that more our author's word."""
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, status=503, text="maintenance", times=1))
    writing.write_drafts()
    company.edit(f"{company.assignments.id}:1", users=["taro"], groups="developers")
    writing.write_drafts()
    judge_everything()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")  # there was nothing left to write
    assert company.assignments.record(1)["$revision"]["value"] == "2"
    assert not PortalWrite.objects.exists()


def test_record_with_the_draft_s_key_is_the_draft_s_own(company: World, author: User) -> None:
    """A try whose trace was lost: kintone refuses the second record, and nobody loses the first."""
    add_fields(company, request_key={**TEXT, "unique": True})
    draft = draft_new(company, author)
    writing.write_drafts()
    Draft.objects.filter(pk=draft.pk).update(state="waiting", attempts=0)
    assert writing.write_drafts() == {f"{company.assignments.id}:2"}
    assert company.assignments.record_ids() == [1, 2]


def test_killed_after_an_update_takes_it_for_what_it_is(
    company: World, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_edit(company, author, users=["taro"])
    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_read_back", _die)
        with pytest.raises(KeyboardInterrupt):
            writing.write_drafts()
    look_at_kintone()  # a run may come in between: the mirror is no witness
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert PortalWrite.objects.get().revision == 2


def test_what_somebody_wrote_after_our_lost_answer_stays_his(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, hang_up=True, times=1))
    writing.write_drafts()
    company.edit(f"{company.assignments.id}:1", groups="developers")
    writing.write_drafts()
    judge_everything()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert (value_of(company, 1, "users"), value_of(company, 1, "groups")) == (["taro"], "developers")
    assert not PortalWrite.objects.filter(revision=3).exists()


def test_kintone_away_is_tried_after_longer_and_longer_pauses(company: World, author: User) -> None:
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(status=503, text="maintenance"))
    pauses = []
    for _try in range(6):
        Draft.objects.update(retry_at=None)
        writing.write_drafts()
        draft.refresh_from_db()
        pauses.append(round((draft.retry_at - timezone.now()).total_seconds() / 60) if draft.retry_at else 0)
    assert pauses == [0, 1, 2, 4, 8, 15]
    assert state_of(draft) == ("waiting", "kintone_unavailable")
    company.kintone.faults.clear()
    assert writing.write_drafts() == frozenset()  # not before its time
    Draft.objects.update(retry_at=timezone.now())
    writing.write_drafts()
    assert (state_of(draft)[0], draft.tries) == ("written", 6)


def test_discarded_while_its_answer_was_lost_is_watched_until_it_cannot_arrive(company: World, author: User) -> None:
    """What arrives late without the ledger would count as Administrator's word."""
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, status=503, text="maintenance", times=1))
    writing.write_drafts()
    saving.discard(draft, author)
    writing.write_drafts()
    assert state_of(draft)[0] == "waiting"
    sent = {**(draft.sent or {}), "at": (timezone.now() - timedelta(minutes=3)).isoformat()}
    Draft.objects.filter(pk=draft.pk).update(sent=sent)
    writing.write_drafts()
    assert (state_of(draft)[0], value_of(company, 1, "users")) == ("discarded", ["hana", "taro"])


def test_discarded_too_late_is_written_and_says_so(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, hang_up=True, times=1))
    writing.write_drafts()
    saving.discard(draft, author)
    writing.write_drafts()
    assert state_of(draft) == ("written", "draft_discarded_too_late")
    assert PortalWrite.objects.get().revision == 2
