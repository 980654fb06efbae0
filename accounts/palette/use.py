"""How much somebody's own use of a place counts."""

ENTERED = 10  # an account that one may enter, beside one that one may only look at
PINNED = 30
_MOST_FOR_COUNT = 20
_EACH_DOUBLING = 4
_FOR_AGE = ((1, 10), (7, 6), (30, 3))  # days since the last time, and what they count


def weigh_use(count: int, days: float, *, is_pinned: bool = False) -> int:
    """Often and lately: at most 60, nothing for what was never used."""
    if not count:
        return PINNED if is_pinned else 0
    often = min(_MOST_FOR_COUNT, _EACH_DOUBLING * count.bit_length())
    lately = next((points for limit, points in _FOR_AGE if days <= limit), 0)
    return often + lately + (PINNED if is_pinned else 0)
