"""Quotas and request rates of AWS, and the token buckets that hold callers to them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Rate(NamedTuple):
    """Requests a second in the long run, and how many at once after a pause."""

    per_second: float
    burst: float


_IDENTITY_CENTER_RATE = Rate(20, 20)  # source: quotas of IAM Identity Center, the burst is a guess

# Per account and per organization; source: quotas of AWS Organizations.
_ORGANIZATIONS_RATES: dict[str, tuple[Rate, Rate | None]] = {
    "ListAccounts": (Rate(8, 12), Rate(9, 15)),
    "ListChildren": (Rate(6, 10), Rate(7, 12)),
    "ListParents": (Rate(5, 8), Rate(6, 10)),
    "ListAccountsForParent": (Rate(5, 8), Rate(6, 10)),
    "ListOrganizationalUnitsForParent": (Rate(5, 8), Rate(6, 10)),
    "ListDelegatedAdministrators": (Rate(5, 8), Rate(6, 10)),
    "ListRoots": (Rate(1, 2), Rate(1, 3)),
    "DescribeOrganization": (Rate(1, 2), None),
    "DescribeAccount": (Rate(20, 30), Rate(24, 36)),
    "DescribeOrganizationalUnit": (Rate(2, 2), Rate(2, 3)),
    "ListTagsForResource": (Rate(10, 15), Rate(12, 18)),
}


@dataclass(frozen=True)
class Limits:
    """Request rates (None: no limit) and counts. Defaults are AWS's; `unthrottled()` is for tests of other things.

    `sso_admin` holds for all calls to sso-admin together, `identity_store` for each of its operations.
    `policies_per_role` is IAM's quota inside each account, AWS managed and customer managed together.
    `provisionings_of_all_accounts` counts those under way at once.
    """

    sso_admin: Rate | None = _IDENTITY_CENTER_RATE
    identity_store: Rate | None = _IDENTITY_CENTER_RATE
    organizations: bool = True
    outstanding_creations: int | None = 10
    provisionings_of_all_accounts: int = 3
    permission_sets: int = 3500
    permission_sets_per_account: int = 500
    policies_per_set: int = 25
    policies_per_role: int = 20
    groups_per_pair: int = 100
    tags_per_resource: int = 75

    @classmethod
    def unthrottled(cls) -> "Limits":
        return cls(sso_admin=None, identity_store=None, organizations=False, outstanding_creations=None)


@dataclass
class _Bucket:
    rate: Rate
    tokens: float
    filled: float

    def fill(self, now: float) -> None:
        self.tokens = min(self.rate.burst, self.tokens + (now - self.filled) * self.rate.per_second)
        self.filled = now


class Throttle:
    """Token buckets in real time: a world's clock that is moved gives no tokens."""

    def __init__(self, limits: Limits, seconds: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._seconds, self._lock = limits, seconds, threading.Lock()
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def admits(self, service: str, operation: str, account_id: str) -> bool:
        """Take a token from every bucket the call needs, or none and say no."""
        with self._lock:
            now = self._seconds()
            rates = self._rates(service, operation, account_id)
            buckets = [self._bucket(key, rate, now) for key, rate in rates if rate]
            for bucket in buckets:
                bucket.fill(now)
            if any(bucket.tokens < 1 for bucket in buckets):
                return False
            for bucket in buckets:
                bucket.tokens -= 1
            return True

    def _rates(self, service: str, operation: str, account_id: str) -> list[tuple[tuple[str, ...], Rate | None]]:
        if service == "sso-admin":
            return [((service,), self._limits.sso_admin)]
        if service == "identitystore":
            return [((service, operation), self._limits.identity_store)]
        if service == "organizations" and self._limits.organizations:
            of_account, of_organization = _ORGANIZATIONS_RATES.get(operation, (None, None))
            return [((service, operation, account_id), of_account), ((service, operation), of_organization)]
        return []

    def _bucket(self, key: tuple[str, ...], rate: Rate, now: float) -> _Bucket:
        return self._buckets.setdefault(key, _Bucket(rate, rate.burst, now))
