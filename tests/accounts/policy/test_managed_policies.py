"""AWS's own policies: nothing in them is an error but their size, which is counted for a permission set's own."""

import json
from collections.abc import Iterator

import pytest

from accounts.policy.findings import Severity
from accounts.policy.validator import validate_policy
from tests.managed_policies import SIMULATED, load_texts, render_simulated

PARTS = 8  # all of them take some seconds; the processors share them


def find_errors(text: str) -> set[str]:
    return {finding.code for finding in validate_policy(text) if finding.severity is Severity.ERROR}


def iter_statements(text: str) -> Iterator[str]:
    """Each statement as a policy of its own: what is far too long as a whole is not looked at further."""
    document = json.loads(text)
    rows = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    yield from (json.dumps({**document, "Statement": [row]}) for row in rows)


@pytest.mark.parametrize("part", range(PARTS))
def test_aws_own_policies_have_no_error_but_size(part: int) -> None:
    names = sorted(load_texts())[part::PARTS]
    errors = {name: find_errors(load_texts()[name]) for name in names}
    assert {name: codes for name, codes in errors.items() if any("SIZE" not in code for code in codes)} == {}
    assert len(names) > 150
    too_long = [text for name in names if errors[name] for text in iter_statements(load_texts()[name])]
    assert {code for text in too_long for code in find_errors(text) if "SIZE" not in code} == set()
    assert len(too_long) > 10


def test_simulator_gives_out_the_texts_of_today() -> None:
    assert SIMULATED.read_text() == render_simulated()
