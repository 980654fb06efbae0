"""Addresses of what stands on a page by the hundred: each is put together from one that `reverse` found once."""

from functools import lru_cache
from urllib.parse import quote

from django.urls import reverse
from django.utils.http import RFC3986_SUBDELIMS

_STAND_IN = 900_000_001  # for a value; it fits whatever kind of value the address takes


def find_address(url_name: str, *values: str | int) -> str:
    """The same as `reverse` for values that the address takes, which nobody looks at again."""
    quoted = (value if isinstance(value, int) else quote(value, safe=f"{RFC3986_SUBDELIMS}/~:@") for value in values)
    return _find_pattern(url_name, len(values)).format(*quoted)


@lru_cache(maxsize=100)
def _find_pattern(url_name: str, count: int) -> str:
    stand_ins = [_STAND_IN + number for number in range(count)]
    pattern = reverse(url_name, args=stand_ins).replace("{", "{{").replace("}", "}}")
    for number in stand_ins:
        pattern = pattern.replace(str(number), "{}")
    return pattern
