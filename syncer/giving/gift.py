"""What somebody wants to give, as one value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accounts.models import Account
from syncer.giving.names import Name


@dataclass(frozen=True)
class Gift:
    """These accounts × one set × these names."""

    accounts: Sequence[Account] = ()
    set_name: str = ""
    names: Sequence[Name] = ()
    until: date | None = None

    @property
    def count(self) -> int:
        return len(self.accounts) * len(self.names)
