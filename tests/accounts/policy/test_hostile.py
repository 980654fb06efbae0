"""Whatever the text is, there is a verdict: findings, each with a place, and never an exception."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.findings import MAX_FINDINGS
from accounts.policy.powers import find_powers_of_text
from accounts.policy.summary import SetPolicies, summarise
from accounts.policy.validator import has_errors, validate_policy
from accounts.policy.widening import does_more
from tests.accounts.policy.hostile import iter_mutations, list_monsters

SECONDS = 3  # the bench holds the bound of 0.2; a busy machine may take its time


def test_accidents_have_a_verdict() -> None:
    for text in iter_mutations(400, seed=2026):
        for finding in validate_policy(text):
            assert finding.line >= 1
            assert finding.column >= 1


@pytest.mark.parametrize("number", range(len(list_monsters())))
def test_monsters_have_a_verdict_in_time(number: int) -> None:
    text = list_monsters()[number]
    began = time.perf_counter()
    findings = validate_policy(text)
    assert time.perf_counter() - began < SECONDS
    assert 0 < len(findings) <= MAX_FINDINGS + 1


def test_accidents_can_be_summed_up_and_compared() -> None:
    before = SetPolicies(inline='{"Version": "2012-10-17", "Statement": []}')
    for text in iter_mutations(100, seed=5):
        after = SetPolicies(inline=text)
        summarise(after)
        assert does_more(before, after) in (True, False)


NAMES = ("Version", "Statement", "Sid", "Effect", "Action", "Resource", "Condition", "Bool", "aws:username")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES) | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(JSON)
def test_any_json_has_a_verdict(value: object) -> None:
    text = json.dumps(value)
    assert isinstance(has_errors(validate_policy(text)), bool)
    find_powers_of_text(text)


@settings(deadline=None, max_examples=150)
@given(JSON, JSON, JSON, JSON)
def test_any_statement_has_a_verdict(action: object, resource: object, condition: object, effect: object) -> None:
    statement = {"Effect": effect, "Action": action, "Resource": resource, "Condition": condition}
    validate_policy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
