"""How fast a large plan is carried out."""

import json
import subprocess

import pytest

from tests.bench.figures import Figures


@pytest.mark.timeout(3000)
def test_twelve_hundred_operations(going_on: subprocess.Popen[bytes], figures: Figures) -> None:
    output, _errors = going_on.communicate()
    assert going_on.returncode == 0
    found = json.loads(output)
    rate = found["operations"] / found["seconds"]
    beside = f"{found['seconds']:.0f} s; IC-extensions: 61 minutes"
    figures.add(
        "1,200 operations: rate ÷ what the cap allows", rate / found["allowed"], "×", at_least=0.75, beside=beside
    )
    figures.add("1,200 operations: questions about writes", found["polls"] / found["seconds"], "/s", at_most=2)
    figures.add("1,200 operations: throttled", found["throttled"], at_most=0)
    assert found["operations"] == 1200
    assert found["is_right"]
