"""The stage of an account, from the names of the OUs above it. Pure."""

from collections.abc import Iterable, Mapping

from accounts.names import fold

DEFAULT_STAGE = "other"


def find_stage(ou_names: Iterable[str], rules: Mapping[str, str]) -> str:
    """The stage that the nearest OU with a rule gives; `ou_names` run from the nearest to the root.

    `rules` maps folded whole OU names to stages.
    """
    return next((rules[key] for key in map(fold, ou_names) if key in rules), DEFAULT_STAGE)
