"""What guardrails say to a case, and what a permission set is taken to be able to do."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.guardrails import Case, Effect, Place, Rule, decide
from accounts.policy.powers import Power

TODAY = date(2026, 11, 25)
SHOP = Place("000000000001", frozenset({"ou-shop", "ou-service", "r-1"}), "production", {"team": "shop"})
HANA = Case(SHOP, "Admin", frozenset({Power.ADMIN, Power.WRITE}), "USER", registered_on=TODAY)
ADMIN, WRITE, BILLING = Power.ADMIN, Power.WRITE, Power.BILLING


def rule(effect: Effect = Effect.REFUSE, **values: Any) -> Rule:
    return Rule(values.pop("name", str(effect)), effect, "なぜなら", **values)


def says(case: Case, *rules: Rule) -> str:
    """The name of the rule that stops the case, empty if none does."""
    stopping = decide(rules, case).rule
    return stopping.name if stopping else ""


# --- Whom a rule speaks about


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"unit_id": "ou-shop"},
        {"unit_id": "r-1"},
        {"account_id": SHOP.account_id},
        {"stage": "production"},
        {"tag": ("team", "shop")},
        {"permission_set": "Admin"},
        {"power": Power.ADMIN},
        {"principal_type": "USER"},
        {"is_owner": False},
        {"unit_id": "ou-service", "stage": "production", "power": Power.WRITE, "principal_type": "USER"},
    ],
)
def test_rule_speaks_where_all_of_it_matches(scope: dict[str, Any]) -> None:
    assert not decide([rule(**scope)], HANA).is_allowed


@pytest.mark.parametrize(
    "scope",
    [
        {"unit_id": "ou-bank"},
        {"unit_id": "OU-SHOP"},
        {"account_id": "000000000002"},
        {"stage": "staging"},
        {"tag": ("team", "bank")},
        {"tag": ("other", "shop")},
        {"permission_set": "admin"},
        {"power": Power.BILLING},
        {"principal_type": "GROUP"},
        {"is_owner": True},
        {"unit_id": "ou-shop", "stage": "staging"},
    ],
)
def test_rule_is_silent_where_one_part_differs(scope: dict[str, Any]) -> None:
    assert decide([rule(**scope)], HANA).is_allowed


def test_unknown_stage_counts_as_production() -> None:
    other = replace(HANA, place=replace(SHOP, stage="other"))
    assert [bool(says(other, rule(stage=stage))) for stage in ("production", "other", "staging", "sandbox")] == [
        True,
        True,
        False,
        False,
    ]


def test_tags_that_were_never_read_let_nothing_through() -> None:
    assert not decide([rule(tag=("team", "bank"))], replace(HANA, place=replace(SHOP, tags=None))).is_allowed


# --- What satisfies an effect


@pytest.mark.parametrize(
    ("effect", "satisfied", "broken"),
    [
        (Effect.OWNERS_ONLY, {"is_owner": True}, {"is_owner": False}),
        (Effect.GROUPS_ONLY, {"principal_type": "GROUP"}, {"principal_type": "USER"}),
        (Effect.ROLES_ONLY, {"writers": frozenset({"ops", "x"})}, {"writers": frozenset({"x"})}),
        (Effect.ROLES_ONLY, {"writers": frozenset({"ops"})}, {"writers": frozenset()}),
        (Effect.EXPIRES_WITHIN, {"expires_on": TODAY + timedelta(days=7)}, {"expires_on": TODAY + timedelta(days=8)}),
        (Effect.EXPIRES_WITHIN, {"expires_on": TODAY}, {"expires_on": None}),
    ],
)
def test_effect_is_satisfied_or_not(effect: Effect, satisfied: dict[str, Any], broken: dict[str, Any]) -> None:
    stopping = rule(effect, days=7, roles=frozenset({"ops"}))
    assert decide([stopping], replace(HANA, **satisfied)).is_allowed
    assert decide([stopping], replace(HANA, **broken)).rule == stopping


def test_days_count_from_registering() -> None:
    within = rule(Effect.EXPIRES_WITHIN, days=7)
    end = replace(HANA, expires_on=TODAY + timedelta(days=9))
    assert not decide([within], end).is_allowed
    assert decide([within], replace(end, registered_on=TODAY + timedelta(days=2))).is_allowed
    assert not decide([within], replace(end, registered_on=None)).is_allowed


# --- Several rules


def test_strictest_of_the_broken_speaks() -> None:
    rules = [rule(effect, days=1) for effect in reversed(Effect)]
    assert says(HANA, *rules) == "refuse"
    assert says(HANA, *rules[:-1]) == "owners_only"


def test_shorter_time_is_stricter() -> None:
    rules = [rule(Effect.EXPIRES_WITHIN, name=f"{days} days", days=days) for days in (30, 7, 90)]
    assert says(HANA, *rules) == "7 days"
    assert says(replace(HANA, expires_on=TODAY + timedelta(days=20)), *rules) == "7 days"


def test_satisfying_a_strict_rule_excuses_from_no_other() -> None:
    """An owner still needs a last day where both are asked for."""
    rules = (rule(Effect.OWNERS_ONLY), rule(Effect.EXPIRES_WITHIN, days=7))
    assert says(replace(HANA, is_owner=True), *rules) == "expires_within"


def test_emergency_access_is_spared_and_lets_nobody_in() -> None:
    keep = rule(Effect.KEEP, permission_set="Admin")
    verdict = decide([keep, rule()], HANA)
    assert (verdict.is_emergency, verdict.is_allowed) == (True, False)
    assert not decide([keep], replace(HANA, permission_set="Reader")).is_emergency


def test_no_rule_allows() -> None:
    assert decide([], HANA).is_allowed


# --- What ends


def test_first_date_of_the_broken_rules_ends_what_is_there() -> None:
    rules = (
        rule(),
        rule(Effect.GROUPS_ONLY, name="later", ends_on=TODAY + timedelta(days=9)),
        rule(Effect.OWNERS_ONLY, name="sooner", ends_on=TODAY),
        rule(Effect.OWNERS_ONLY, name="elsewhere", ends_on=date.min, stage="staging"),
    )
    verdict = decide(rules, HANA)
    assert verdict.rule is not None
    assert verdict.ending is not None
    assert (verdict.rule.name, verdict.ending.name) == ("refuse", "sooner")
    assert decide(rules[:1], HANA).ending is None
