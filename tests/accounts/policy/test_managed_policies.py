"""AWS's own policies: nothing in them is an error but their size, which is counted for a permission set's own."""

import pytest

from accounts.policy.findings import Severity
from accounts.policy.validator import validate_policy
from tests.managed_policies import load_texts

PARTS = 8  # all of them take some seconds; the processors share them


@pytest.mark.parametrize("part", range(PARTS))
def test_aws_own_policies_have_no_error_but_size(part: int) -> None:
    names = sorted(load_texts())[part::PARTS]
    errors = {
        (name, finding.code)
        for name in names
        for finding in validate_policy(load_texts()[name])
        if finding.severity is Severity.ERROR and "SIZE" not in finding.code
    }
    assert errors == set()
    assert len(names) > 150
