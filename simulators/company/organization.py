"""The company's AWS accounts: 42 of them below five organizational units, and who owns them. Pure data.

An owner is a group (`team-…`) or a person's UPN. Organizations keeps owners in the tag `owners`; the nearest tag
counts, so that most accounts carry none and belong to the owners of the unit above.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

from simulators.company.people import ADMINS, DOMAIN, Person, get_lead, list_groups, list_members, list_people

OWNERS_TAG = "owners"

PRODUCTION, STAGING, DEVELOPMENT = "Production", "Staging", "Development"
STAGES = (PRODUCTION, STAGING, DEVELOPMENT)


@dataclass(frozen=True)
class Product:
    """A product; its department and the unit `service/<key>` bear the same key."""

    key: str
    name: str


PRODUCTS = (
    Product("kaikei", "あさぎり会計"),
    Product("kintai", "あさぎり勤怠"),
    Product("keihi", "あさぎり経費"),
    Product("denpyo", "あさぎり電子帳票"),
    Product("yoyaku", "あさぎり予約"),
    Product("chat", "あさぎりチャット"),
)


@dataclass(frozen=True)
class Unit:
    """An organizational unit by its path of names below the root; `owners` is what its tag says."""

    path: str
    owners: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The path above, empty for the root."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class Account:
    """An AWS account in the unit `unit` (empty: the root)."""

    name: str
    unit: str
    owners: tuple[str, ...] = ()
    is_active: bool = True
    given_id: str = ""

    @property
    def id(self) -> str:
        """12 digits, the same in every world."""
        return self.given_id or fixed_digits(self.name)

    @property
    def email(self) -> str:
        return f"aws+{self.name}@{DOMAIN}"

    @property
    def stage(self) -> str:
        return self.unit.rpartition("/")[2]

    @property
    def product(self) -> str:
        """The key of the product it runs, empty outside `service`."""
        parts = self.unit.split("/")
        return parts[1] if parts[0] == "service" else ""


def fixed_digits(name: str) -> str:
    return str(int(hashlib.sha256(f"asagiri/account:{name}".encode()).hexdigest(), 16))[-12:]


SEED = "asagiri"
# The organization's own account comes with the world that is made from SEED.
MANAGEMENT = Account("asagiri-management", "", ADMINS, given_id="332585181671")
DELEGATED = Account("asagiri-identity", "admin")
SUSPENDED = Account("ps-hoshizora-poc", "professional", is_active=False)
NO_LAKE_POLICY = Account("data-sandbox", "sandbox", ("team-data",))
"""Where the customer managed policy of the analysts was never rolled out."""


def _list_product_units() -> list[Unit]:
    units = [Unit(f"service/{product.key}", (f"team-{product.key}",)) for product in PRODUCTS]
    return units + [Unit(f"service/{product.key}/{stage}") for product in PRODUCTS for stage in STAGES]


def _list_product_accounts() -> list[Account]:
    suffixes = {PRODUCTION: "prod", STAGING: "stg", DEVELOPMENT: "dev"}
    return [
        Account(f"{product.key}-{suffixes[stage]}", f"service/{product.key}/{stage}")
        for product in PRODUCTS
        for stage in STAGES
    ]


@cache
def list_units() -> tuple[Unit, ...]:
    """Every unit, parents before children."""
    return (
        Unit("admin", ("team-platform",)),
        Unit("service"),
        *_list_product_units(),
        Unit("professional", ("team-professional",)),
        Unit("business", ("team-corporate-it",)),
        Unit("sandbox"),
    )


@cache
def list_accounts() -> tuple[Account, ...]:
    """All 42 accounts, the management account first."""
    return (
        MANAGEMENT,
        DELEGATED,
        Account("asagiri-log-archive", "admin"),
        Account("asagiri-audit", "admin", ("team-security",)),
        Account("asagiri-security-tooling", "admin", ("team-security",)),
        Account("asagiri-network", "admin"),
        Account("asagiri-shared-services", "admin"),
        Account("asagiri-backup", "admin", ("team-sre",)),
        *_list_product_accounts(),
        Account("kaikei-prod-dr", "service/kaikei/Production", ("team-sre", get_lead("kaikei").upn)),
        Account("chat-prod-media", "service/chat/Production"),
        Account("ps-aozora-bank", "professional", (list_members("professional")[1].upn,)),
        Account("ps-minato-logistics", "professional", (list_members("professional")[2].upn,)),
        Account("ps-midori-retail", "professional"),
        Account("ps-training", "professional"),
        SUSPENDED,
        Account("biz-erp", "business", (get_lead("finance").upn, get_lead("corporate-it").upn)),
        Account("biz-workplace", "business"),
        Account("biz-website", "business", ("team-marketing",)),
        Account("biz-data-platform", "business", ("team-data",)),
        Account("biz-support-desk", "business"),
        NO_LAKE_POLICY,
        Account("platform-sandbox", "sandbox", ("team-platform",)),
        Account("engineers-sandbox", "sandbox", ("team-sre",)),
        Account("hackathon-2026", "sandbox"),
    )


def get_account(name: str) -> Account:
    return next(account for account in list_accounts() if account.name == name)


def list_owners(account: Account) -> list[Person]:
    """Who owns the account by the nearest tag, groups expanded; nobody where no tag is found."""
    names = account.owners
    path = account.unit
    owners_of = {unit.path: unit.owners for unit in list_units()}
    while path and not names:
        names, path = owners_of[path], path.rpartition("/")[0]
    return [person for name in names for person in _expand(name)]


def _expand(name: str) -> list[Person]:
    groups = list_groups()
    if name in groups:
        return list(groups[name])
    return [person for person in list_people() if person.upn == name]
