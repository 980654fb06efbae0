"""What a revision brings into force, value by value, by who wrote it; and how people might try to get around it."""

from dataclasses import replace
from datetime import date

import pytest

from accounts.judgement import (
    Judged,
    Name,
    Values,
    Writing,
    judge_additions,
    judge_fields,
    judge_revision,
    name_value,
    render_values,
)

SHOP, BANK = "000000000001", "000000000002"
HANA, TARO, KEN = (Name("kintone_user", name, f"id-{name}") for name in ("hana", "taro", "ken"))
TEAM = Name("group_name", "team", "id-team")
STRANGER = Name("kintone_user", "yuki")
JUNE, JULY = date(2026, 6, 30), date(2026, 7, 1)

OWNER = Writing(may_edit=True, may_widen=True, principal_id="id-owner", code="owner")
EDITOR = Writing(may_edit=True, principal_id="id-editor", code="editor")
OUTSIDER = Writing(principal_id="id-outsider", code="outsider")
NEIGHBOUR = Writing(may_widen=True, principal_id="id-neighbour")  # owns the account named now, not the record
ADMINISTRATOR = OWNER  # kintone's, outside the ledger: its word is taken as it is


def record(*names: Name, account: str = SHOP, end: date | None = None, owners: tuple[str, ...] = ("owner",)) -> Values:
    return Values(account, "Reader", names, owners, end)


def after(judged: Judged, writing: Writing) -> Writing:
    """The next revision's writer meets what is withheld so far."""
    return replace(writing, withheld=judged.withheld)


def held(judged: Judged) -> set[str]:
    return set(judged.withheld)


def who(judged: Judged) -> set[str]:
    return {name.written for name in judged.in_force.names}


# --- A new record


def test_owner_registers() -> None:
    assert judge_revision(record(HANA, TEAM), None, OWNER) == Judged(
        record(HANA, TEAM), added=frozenset({"kintone_user:hana", "group_name:team"})
    )


@pytest.mark.parametrize("writing", [OUTSIDER, EDITOR])
def test_nobody_else_registers(writing: Writing) -> None:
    judged = judge_revision(record(HANA), None, writing)
    assert (who(judged), held(judged), judged.refused) == (set(), {"+kintone_user:hana"}, (HANA,))


def test_what_aws_had_at_the_first_run_is_the_baseline() -> None:
    judged = judge_revision(record(HANA, TARO), None, replace(OUTSIDER, granted=frozenset({"id-hana"})))
    assert (who(judged), held(judged)) == ({"hana"}, {"+kintone_user:taro"})


def test_nothing_is_withheld_for_good_while_owners_are_unread() -> None:
    judged = judge_revision(record(HANA), None, replace(OUTSIDER, is_certain=False))
    assert (who(judged), held(judged), judged.refused) == (set(), set(), (HANA,))


# --- What is added


def test_owner_adds() -> None:
    assert who(judge_revision(record(HANA, TARO), record(HANA), OWNER)) == {"hana", "taro"}


@pytest.mark.parametrize("writing", [OUTSIDER, EDITOR])
def test_addition_of_others_is_withheld(writing: Writing) -> None:
    judged = judge_revision(record(HANA, TARO), record(HANA), writing)
    assert (who(judged), held(judged)) == ({"hana"}, {"+kintone_user:taro"})


def test_one_cannot_add_oneself() -> None:
    oneself = Name("kintone_user", "outsider", "id-outsider")
    assert who(judge_revision(record(HANA, oneself), record(HANA), OUTSIDER)) == {"hana"}


def test_note_only_edit_changes_nothing() -> None:
    assert judge_revision(record(HANA), record(HANA), OUTSIDER) == Judged(record(HANA))


def test_person_under_another_name_is_no_addition() -> None:
    by_address = Name("address", "hana@example.com", "id-hana")
    judged = judge_revision(record(by_address), record(HANA), EDITOR)
    assert (judged.in_force.names, held(judged)) == ((by_address,), set())


def test_same_name_of_somebody_else_is_an_addition() -> None:
    """A user name that was given to somebody new."""
    namesake = Name("kintone_user", "hana", "id-new-hana")
    judged = judge_revision(record(namesake), record(HANA), EDITOR)
    assert judged.in_force.names == ()
    assert held(judged) == {"+kintone_user:hana"}


def test_name_that_is_not_known_yet_is_compared_folded() -> None:
    spelt = Name("kintone_user", "ＹＵＫＩ")
    assert held(judge_revision(record(spelt), record(STRANGER), OUTSIDER)) == set()


# --- What is taken away


@pytest.mark.parametrize("writing", [OWNER, EDITOR])
def test_who_may_edit_takes_away(writing: Writing) -> None:
    assert who(judge_revision(record(HANA), record(HANA, TARO), writing)) == {"hana"}


@pytest.mark.parametrize("writing", [OUTSIDER, NEIGHBOUR])
def test_removal_by_others_is_withheld(writing: Writing) -> None:
    judged = judge_revision(record(HANA), record(HANA, TARO), writing)
    assert (who(judged), held(judged)) == ({"hana", "taro"}, {"-kintone_user:taro"})


def test_anybody_takes_himself_out_and_nobody_else() -> None:
    judged = judge_revision(record(), record(HANA, TARO), replace(OUTSIDER, principal_id="id-taro"))
    assert (who(judged), held(judged)) == ({"hana"}, {"-kintone_user:hana"})


def test_nobody_known_is_not_somebody_unknown() -> None:
    judged = judge_revision(record(), record(STRANGER), Writing())
    assert held(judged) == {"-kintone_user:yuki"}


def test_group_is_nobody_himself() -> None:
    assert who(judge_revision(record(), record(TEAM), replace(OUTSIDER, principal_id="id-team"))) == {"team"}


# --- What stays withheld, and until when


@pytest.mark.parametrize("later", [ADMINISTRATOR, OWNER, EDITOR, OUTSIDER])
def test_withheld_addition_stays_withheld_whoever_writes(later: Writing) -> None:
    first = judge_revision(record(HANA, TARO), record(HANA), OUTSIDER)
    second = judge_revision(record(HANA, TARO), first.in_force, after(first, later))
    assert (who(second), held(second)) == ({"hana"}, {"+kintone_user:taro"})


@pytest.mark.parametrize("later", [ADMINISTRATOR, OUTSIDER])
def test_withheld_removal_stays_withheld_whoever_writes(later: Writing) -> None:
    first = judge_revision(record(HANA), record(HANA, TARO), OUTSIDER)
    second = judge_revision(record(HANA), first.in_force, after(first, later))
    assert (who(second), held(second)) == ({"hana", "taro"}, {"-kintone_user:taro"})


def test_written_anew_by_who_may_is_in_force() -> None:
    first = judge_revision(record(HANA, TARO), record(HANA), OUTSIDER)
    out = judge_revision(record(HANA), first.in_force, after(first, OWNER))
    again = judge_revision(record(HANA, TARO), out.in_force, after(out, OWNER))
    assert held(out) == set()
    assert (who(again), held(again)) == ({"hana", "taro"}, set())


def test_written_anew_by_another_outsider_is_withheld_again() -> None:
    first = judge_revision(record(HANA, TARO), record(HANA), OUTSIDER)
    out = judge_revision(record(HANA), first.in_force, after(first, OWNER))
    again = judge_revision(record(HANA, TARO), out.in_force, after(out, EDITOR))
    assert (who(again), held(again)) == ({"hana"}, {"+kintone_user:taro"})


def test_confirmed_addition_is_in_force() -> None:
    confirmed = replace(OUTSIDER, confirmed=frozenset({"+kintone_user:taro"}))
    judged = judge_revision(record(HANA, TARO), record(HANA), confirmed)
    assert (who(judged), held(judged), set(judged.spent)) == ({"hana", "taro"}, set(), set())


def test_confirmation_ends_with_its_value() -> None:
    confirmed = replace(OWNER, confirmed=frozenset({"+kintone_user:taro", "-kintone_user:ken"}))
    judged = judge_revision(record(HANA, KEN), record(HANA, TARO), confirmed)
    assert judged.spent == confirmed.confirmed


def test_others_go_on_beside_what_is_withheld() -> None:
    first = judge_revision(record(HANA, TARO), record(HANA), OUTSIDER)
    second = judge_revision(record(HANA, TARO, KEN), first.in_force, after(first, OWNER))
    assert (who(second), held(second)) == ({"hana", "ken"}, {"+kintone_user:taro"})


# --- The last day


@pytest.mark.parametrize(("old", "new"), [(JUNE, JULY), (JUNE, None)])
def test_extension_needs_who_may_widen(old: date, new: date | None) -> None:
    now, force = record(HANA, end=new), record(HANA, end=old)
    assert judge_revision(now, force, OWNER).in_force.expires_on == new
    withheld = judge_revision(now, force, EDITOR)
    assert withheld.in_force.expires_on == old
    assert held(withheld) == {f"+expires_on:{new or 'never'}"}


@pytest.mark.parametrize("old", [JULY, None])
def test_shortening_needs_who_may_edit(old: date | None) -> None:
    now, force = record(HANA, end=JUNE), record(HANA, end=old)
    assert judge_revision(now, force, EDITOR).in_force.expires_on == JUNE
    withheld = judge_revision(now, force, OUTSIDER)
    assert (withheld.in_force.expires_on, held(withheld)) == (old, {"-expires_on:2026-06-30"})


def test_withheld_extension_stays_withheld_until_it_is_another() -> None:
    force = record(HANA, end=JUNE)
    first = judge_revision(record(HANA, end=JULY), force, EDITOR)
    same = judge_revision(record(HANA, end=JULY), first.in_force, after(first, ADMINISTRATOR))
    other = judge_revision(record(HANA, end=None), same.in_force, after(same, OWNER))
    assert same.in_force.expires_on == JUNE
    assert (other.in_force.expires_on, held(other)) == (None, set())


def test_confirmed_shortening_stays_confirmed() -> None:
    confirmed = replace(OUTSIDER, confirmed=frozenset({"-expires_on:2026-06-30"}))
    judged = judge_revision(record(HANA, end=JUNE), record(HANA), confirmed)
    assert (judged.in_force.expires_on, set(judged.spent)) == (JUNE, set())


# --- Another account or set


def test_owner_of_both_moves_the_record() -> None:
    judged = judge_revision(record(HANA, account=BANK), record(HANA), OWNER)
    assert (judged.in_force.place, who(judged), held(judged)) == ((BANK, "Reader"), {"hana"}, set())


def test_editor_gives_up_here_and_gives_nothing_there() -> None:
    judged = judge_revision(record(HANA, account=BANK), record(HANA, TARO), EDITOR)
    assert (judged.in_force.place, who(judged)) == ((BANK, "Reader"), set())
    assert held(judged) == {"+kintone_user:hana"}


def test_moving_back_is_widening_too() -> None:
    there = judge_revision(record(HANA, account=BANK), record(HANA), EDITOR)
    back = judge_revision(record(HANA), there.in_force, after(there, EDITOR))
    assert who(back) == set()


@pytest.mark.parametrize("writing", [OUTSIDER, NEIGHBOUR])
def test_who_may_not_edit_moves_nothing(writing: Writing) -> None:
    judged = judge_revision(record(HANA, account=BANK), record(HANA, TARO), writing)
    assert (judged.in_force.place, who(judged)) == ((SHOP, "Reader"), {"hana", "taro"})
    assert held(judged) == {"+place:000000000002/Reader", "-kintone_user:taro"}
    assert judged.refused == (HANA,)


def test_withheld_move_stays_withheld_whoever_writes() -> None:
    first = judge_revision(record(HANA, account=BANK), record(HANA), OUTSIDER)
    second = judge_revision(record(HANA, account=BANK), first.in_force, after(first, ADMINISTRATOR))
    assert (second.in_force.place, who(second)) == ((SHOP, "Reader"), {"hana"})


def test_move_taken_back_withholds_nothing() -> None:
    first = judge_revision(record(HANA, account=BANK), record(HANA), OUTSIDER)
    assert judge_revision(record(HANA), first.in_force, after(first, OUTSIDER)) == Judged(record(HANA))


def test_addition_under_a_withheld_move_is_withheld() -> None:
    first = judge_revision(record(HANA, account=BANK), record(HANA), OUTSIDER)
    second = judge_revision(record(HANA, KEN, account=BANK), first.in_force, after(first, EDITOR))
    assert who(second) == {"hana"}
    assert {"+place:000000000002/Reader", "+kintone_user:ken"} == held(second)


def test_one_takes_himself_out_of_a_record_that_somebody_moved() -> None:
    judged = judge_revision(record(HANA, account=BANK), record(HANA, TARO), replace(OUTSIDER, principal_id="id-taro"))
    assert who(judged) == {"hana"}


def test_confirmed_move_moves() -> None:
    confirmed = replace(OUTSIDER, confirmed=frozenset({"+place:000000000002/Reader"}))
    judged = judge_revision(record(HANA, account=BANK), record(HANA), confirmed)
    assert (judged.in_force.place, who(judged)) == ((BANK, "Reader"), {"hana"})


def test_confirmation_does_not_move_along() -> None:
    """Confirmed for one account, by its owner: in another one that says nothing, and it is not used up later."""
    confirmed = replace(EDITOR, confirmed=frozenset({"+kintone_user:ken"}))
    judged = judge_revision(record(KEN, account=BANK), record(KEN), confirmed)
    assert (judged.in_force.place, who(judged)) == ((BANK, "Reader"), set())
    assert held(judged) == judged.spent == {"+kintone_user:ken"}


def test_move_takes_nothing_away_while_owners_are_unread() -> None:
    judged = judge_revision(record(HANA, account=BANK), record(HANA), replace(EDITOR, is_certain=False))
    assert (judged.in_force.place, who(judged), held(judged)) == ((SHOP, "Reader"), {"hana"}, set())


def test_twin_keeps_access_and_nothing_more() -> None:
    twin = replace(record(HANA), permission_set="Reader-member")
    moving = replace(OUTSIDER, keeps_access=True)
    assert (
        judge_revision(twin, record(HANA, TARO), replace(moving, may_edit=True)).in_force.permission_set
        == twin.permission_set
    )
    wider = replace(twin, names=(HANA, KEN))
    assert judge_revision(wider, record(HANA), moving).in_force == record(HANA)
    longer = replace(twin, expires_on=None)
    assert judge_revision(longer, record(HANA, end=JUNE), moving).in_force.place == (SHOP, "Reader")


# --- Owners of the record


def test_owner_named_by_an_outsider_is_withheld() -> None:
    judged = judge_revision(record(HANA, owners=("owner", "outsider")), record(HANA), OUTSIDER)
    assert (judged.in_force.owners, held(judged)) == (("owner",), {"+owner:outsider"})


def test_who_may_edit_names_owners_which_lets_them_narrow_only() -> None:
    judged = judge_revision(record(HANA, TARO, owners=("owner", "editor")), record(HANA), EDITOR)
    assert judged.in_force.owners == ("owner", "editor")
    assert who(judged) == {"hana"}


def test_owner_removed_by_an_outsider_stays_owner() -> None:
    judged = judge_revision(record(HANA, owners=()), record(HANA), OUTSIDER)
    assert (judged.in_force.owners, held(judged)) == (("owner",), {"-owner:owner"})


def test_owner_steps_down_by_himself() -> None:
    judged = judge_revision(record(HANA, owners=()), record(HANA), replace(OUTSIDER, code="OWNER"))
    assert judged.in_force.owners == ()


def test_app_without_owners_has_none() -> None:
    bare = replace(record(HANA), owners=None)
    assert judge_revision(bare, bare, OUTSIDER).in_force.owners is None


# --- What cannot be understood as a whole


def test_broken_revision_withholds_what_its_writer_may_not_add() -> None:
    assert judge_additions(record(HANA, TARO), record(HANA, KEN), OUTSIDER) == {"+kintone_user:taro"}
    assert judge_additions(record(HANA, TARO), record(HANA), OWNER) == set()


def test_broken_revision_frees_nothing_that_was_withheld() -> None:
    held = replace(OWNER, withheld=frozenset({"-kintone_user:ken"}))
    assert judge_additions(record(HANA), record(HANA, KEN), held) == {"-kintone_user:ken"}


# --- Permission sets

FIELDS = {"inline_policy": "{}", "description": "読み取り"}


def test_who_may_edit_changes_what_a_set_does() -> None:
    assert judge_fields({**FIELDS, "inline_policy": "{…}"}, FIELDS, EDITOR) == {}


def test_others_change_nothing_of_a_set() -> None:
    kept = judge_fields({**FIELDS, "inline_policy": "{…}"}, FIELDS, OUTSIDER)
    assert list(kept) == ["inline_policy"]


def test_withheld_contents_stay_withheld_until_they_are_others() -> None:
    changed = {**FIELDS, "inline_policy": "{…}"}
    held = replace(ADMINISTRATOR, withheld=frozenset(judge_fields(changed, FIELDS, OUTSIDER).values()))
    assert list(judge_fields({**changed, "description": "読む"}, FIELDS, held)) == ["inline_policy"]
    assert judge_fields({**FIELDS, "inline_policy": "{ }"}, FIELDS, held) == {}


def test_confirmed_contents_are_in_force() -> None:
    changed = {**FIELDS, "inline_policy": "{…}"}
    values = frozenset(judge_fields(changed, FIELDS, OUTSIDER).values())
    assert judge_fields(changed, FIELDS, replace(OUTSIDER, confirmed=values)) == {}


# --- Names of values


def test_long_names_stay_apart_and_within_their_column() -> None:
    one, other = name_value("group_name", "x" * 1000 + "1"), name_value("group_name", "x" * 1000 + "2")
    assert one != other
    assert len(one) < 400


def test_values_read_without_our_field_names() -> None:
    values = ["-kintone_user:taro", "+place:000000000001/Reader", "+inline_policy:0123456789abcdef"]
    assert render_values(values) == "+ inline_policy, + 000000000001/Reader, - taro"
