"""ARNs as policies write them: six parts, each of which may hold wildcards and variables."""

import re
from functools import lru_cache
from typing import NamedTuple

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
_VARIABLE = re.compile(r"\$\{[^}]*+\}")
ESCAPES = {"${*}": "*", "${?}": "?", "${$}": "$"}


class Arn(NamedTuple):
    """The parts behind `arn:`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


@lru_cache(maxsize=4096)
def split_arn(text: str) -> Arn | None:
    """The parts, or None if there are not enough of them. Variables count as wildcards."""
    parts = _VARIABLE.sub(_widen, text).split(":", 5)
    return Arn(*parts[1:]) if len(parts) == 6 else None


def _widen(match: re.Match[str]) -> str:
    """A variable can be anything; `${*}` and its like stand for one sign."""
    return "?" if match[0] in ESCAPES else "*"
