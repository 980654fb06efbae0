"""What guardrails say to access that is wanted or there, and in an account that was moved."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.ground import Answer, Ask, Former, Ground, Say
from accounts.guardrails import Effect, Place, Rule
from accounts.ownership import Holder, Register, Site, Unit
from accounts.policy.powers import EVERYTHING, Power
from accounts.sentences import render

TODAY = date(2026, 11, 25)
YESTERDAY, TOMORROW, NEXT_WEEK = (TODAY + timedelta(days=days) for days in (-1, 1, 7))
SHOP = "000000000001"
REGISTER = Register(
    sites={SHOP: Site(SHOP, "shop", "ou-new", "production", entries=frozenset({"hana"}))},
    holders={"hana": Holder("hana")},
    units={unit.unit_id: unit for unit in (Unit("ou-new", "New", "r-1"), Unit("r-1", "Root"))},
)
OLD = Former(Place(SHOP, frozenset({"ou-old", "r-1"}), "sandbox"), frozenset({"taro"}))
OLDER = Former(Place(SHOP, frozenset({"ou-older", "r-1"}), "sandbox"))
TARO = Ask(SHOP, "Admin", EVERYTHING, "USER", "taro", registered_on=TODAY)
THERE = replace(TARO, is_there=True)


def rule(effect: Effect = Effect.REFUSE, **values: Any) -> Rule:
    return Rule(values.pop("name", str(effect)), effect, "なぜなら", **values)


def ground(*rules: Rule, former: tuple[Former, ...] = ()) -> Ground:
    return Ground(rules, REGISTER, former={SHOP: former})


def says(ask: Ask, *rules: Rule, former: tuple[Former, ...] = ()) -> tuple[Say, str]:
    answer = ground(*rules, former=former).answer(ask, TODAY)
    return answer.say, answer.rule.name if answer.rule else ""


# --- New access and extensions


def test_what_no_rule_is_about_is_allowed() -> None:
    assert says(TARO, rule(unit_id="ou-other"), rule(permission_set="Reader")) == (Say.ALLOWED, "")


def test_new_access_is_refused_by_the_strictest() -> None:
    rules = rule(Effect.GROUPS_ONLY), rule(Effect.OWNERS_ONLY), rule(Effect.EXPIRES_WITHIN, days=1)
    assert says(TARO, *rules) == (Say.REFUSED, "owners_only")


def test_latest_day_is_what_the_shortest_of_rules_about_days_allows() -> None:
    rules = rule(Effect.EXPIRES_WITHIN, name="a", days=7), rule(Effect.EXPIRES_WITHIN, name="b", days=3)
    answer = ground(*rules).answer(TARO, TODAY)
    assert (answer.say, answer.latest) == (Say.REFUSED, TODAY + timedelta(days=3))
    assert says(replace(TARO, expires_on=answer.latest), *rules) == (Say.ALLOWED, "")


def test_no_day_helps_where_another_rule_refuses() -> None:
    rules = rule(Effect.EXPIRES_WITHIN, days=7), rule(Effect.GROUPS_ONLY)
    assert ground(*rules).answer(TARO, TODAY).latest is None


@pytest.mark.parametrize(
    ("was", "now", "say"),
    [
        (TOMORROW, NEXT_WEEK + timedelta(days=1), Say.DAY),
        (TOMORROW, None, Say.DAY),
        (TOMORROW, NEXT_WEEK, Say.ALLOWED),
        (None, None, Say.KEPT),
        (NEXT_WEEK + timedelta(days=9), NEXT_WEEK + timedelta(days=8), Say.KEPT),
    ],
)
def test_only_an_extension_of_what_is_there_is_refused(was: date | None, now: date | None, say: Say) -> None:
    ask = replace(THERE, was_until=was, expires_on=now)
    assert says(ask, rule(Effect.EXPIRES_WITHIN, days=7))[0] == say


# --- What is there already


@pytest.mark.parametrize(("day", "say"), [(None, Say.KEPT), (TODAY, Say.ENDS), (YESTERDAY, Say.ENDED)])
def test_what_is_there_stays_or_ends_on_the_rules_day(day: date | None, say: Say) -> None:
    assert says(THERE, rule(ends_on=day))[0] == say


def test_rule_that_keeps_spares_from_a_rule_that_ends() -> None:
    assert says(THERE, rule(ends_on=YESTERDAY), rule(Effect.KEEP))[0] == Say.KEPT


# --- In an account that was moved

NEW_ENDS = rule(name="new", unit_id="ou-new", ends_on=YESTERDAY)
OLD_ENDS = rule(name="old", unit_id="ou-old", ends_on=TOMORROW)
OLD_KEEPS = rule(Effect.KEEP, unit_id="ou-old")


def test_rule_of_the_new_unit_ends_nothing_until_the_move_is_confirmed() -> None:
    assert says(THERE, NEW_ENDS, former=(OLD,)) == (Say.MOVED, "new")
    assert says(THERE, NEW_ENDS) == (Say.ENDED, "new")


def test_access_that_all_places_end_ends_on_the_latest_day() -> None:
    assert says(THERE, NEW_ENDS, OLD_ENDS, former=(OLD,)) == (Say.ENDS, "old")
    over = replace(OLD_ENDS, ends_on=YESTERDAY - timedelta(days=1))
    assert says(THERE, NEW_ENDS, over, former=(OLD,)) == (Say.ENDED, "new")


def test_each_of_several_places_counts() -> None:
    over = replace(OLD_ENDS, ends_on=YESTERDAY)
    assert says(THERE, NEW_ENDS, over, former=(OLD, OLDER)) == (Say.MOVED, "new")


def test_place_that_spares_goes_on_sparing() -> None:
    both = rule(ends_on=YESTERDAY)
    assert says(THERE, both, OLD_KEEPS, former=(OLD,))[0] == Say.MOVED
    assert [ground(OLD_KEEPS, former=former).is_emergency(THERE) for former in ((OLD,), ())] == [True, False]


def test_whoever_owned_it_where_it_was_counts_as_owner_there() -> None:
    owners_only = rule(Effect.OWNERS_ONLY, ends_on=YESTERDAY)
    assert says(THERE, owners_only, former=(OLD,))[0] == Say.MOVED
    assert says(replace(THERE, principal_id="ken"), owners_only, former=(OLD,))[0] == Say.ENDED


def test_new_access_is_decided_by_where_the_account_is_now() -> None:
    assert says(TARO, NEW_ENDS, former=(OLD,)) == (Say.REFUSED, "new")
    assert says(TARO, rule(unit_id="ou-old"), OLD_KEEPS, former=(OLD,)) == (Say.ALLOWED, "")


@pytest.mark.parametrize(
    ("rules", "former", "name"),
    [
        ((NEW_ENDS,), (), "new"),
        ((NEW_ENDS,), (OLD,), ""),
        ((NEW_ENDS, replace(OLD_ENDS, ends_on=YESTERDAY)), (OLD,), "new"),
        ((NEW_ENDS, OLD_ENDS), (OLD,), ""),
        ((), (OLD,), ""),
    ],
)
def test_what_no_record_speaks_for_ends_where_all_places_have_ended_it(
    rules: tuple[Rule, ...], former: tuple[Former, ...], name: str
) -> None:
    found = ground(*rules, former=former).find_over(THERE, TODAY)
    assert (found.name if found else "") == name


def test_own_last_day_is_all_that_a_rule_about_days_asks() -> None:
    week = rule(Effect.EXPIRES_WITHIN, days=7, ends_on=YESTERDAY)
    assert ground(week).find_over(replace(THERE, expires_on=TOMORROW), TODAY) is None
    assert ground(week).find_over(THERE, TODAY) == week


def test_power_of_the_set_decides_which_rules_speak() -> None:
    no_admin = rule(power=Power.ADMIN)
    assert says(replace(TARO, powers=frozenset({Power.WRITE})), no_admin)[0] == Say.ALLOWED
    assert says(TARO, no_admin)[0] == Say.REFUSED


# --- What people read


@pytest.mark.parametrize("effect", [effect for effect in Effect if effect is not Effect.KEEP])
def test_each_refusal_says_the_rules_sentence_and_a_way_out(effect: Effect) -> None:
    answer = ground(rule(effect, days=1)).answer(replace(TARO, expires_on=NEXT_WEEK), TODAY)
    sentence = render(answer.code, answer.params)
    assert sentence.message == "なぜなら"
    assert str(effect) in sentence.remedy
    assert "—" not in sentence.remedy


@pytest.mark.parametrize("say", [Say.DAY, Say.KEPT, Say.MOVED, Say.ENDS, Say.ENDED])
def test_each_answer_about_what_is_there_has_all_that_its_sentence_asks_for(say: Say) -> None:
    answer = Answer(say, rule(ends_on=TOMORROW), latest=NEXT_WEEK)
    sentence = render(answer.code, answer.params)
    assert "なぜなら" in sentence.message
    assert "—" not in sentence.message + sentence.remedy
