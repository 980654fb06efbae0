"""Counts requests to the outside, by operation and by what came of them."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from syncer.gateways.errors import GatewayError
from syncer.measures import CALL_SECONDS, CALLS, SUMS

OK, BROKEN = "ok", "broken"


@contextmanager
def counted(service: str, operation: str) -> Iterator[None]:
    """One request, the body of the block or of the function that this decorates."""
    begin, result = time.monotonic(), BROKEN
    try:
        yield
        result = OK
    except GatewayError as error:
        result = name_result(error)
        raise
    finally:
        SUMS.add(CALLS, (service, operation, result))
        SUMS.add(CALL_SECONDS, (service, operation), time.monotonic() - begin)


def name_result(error: GatewayError) -> str:
    """`outcome_unknown` for OutcomeUnknown."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
