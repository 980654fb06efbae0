"""Session durations: ISO 8601, between one hour and twelve."""

import re
from datetime import timedelta

SHORTEST, LONGEST = timedelta(hours=1), timedelta(hours=12)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


def is_session_duration(text: str) -> bool:
    """Whether Identity Center takes the text as the duration of a session: `PT8H` and `PT480M` are one."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return False
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return SHORTEST <= timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds) <= LONGEST
