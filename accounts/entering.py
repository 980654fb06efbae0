"""With which of several permission sets somebody enters. Pure."""

from collections.abc import Mapping

from accounts.policy.summary import Level

# From the least powerful to the most. What is not known comes last: it may do anything.
LEVELS = (Level.READ_ONLY, Level.BILLING, Level.CUSTOM, Level.WRITE, Level.POWER, Level.ADMIN)
CHANGES = frozenset({Level.WRITE, Level.POWER, Level.ADMIN, Level.CUSTOM})


def choose_least(levels: Mapping[str, Level | None]) -> str:
    """The least powerful of the sets by name; of equal ones the first by name. Raises ValueError for none."""
    return min(levels, key=lambda name: (rank_level(levels[name]), name))


def may_change(level: Level | None) -> bool:
    """Whether a set of this level changes something where it is used, as far as we know."""
    return level is None or level in CHANGES


def rank_level(level: Level | None) -> int:
    """How much a set of this level may do, from 0."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
