"""What every test of the API needs."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _no_request_yet() -> None:
    """Requests are counted by a token's number, which the rows of another test had."""
    cache.clear()
