"""The company that the pages are measured in, in numbers and names: 20,000 people, 1,000 accounts, 200,000 assignments.

Everything is numbered from 0; a row's key is its number + 1. Some are larger than others on purpose: one set is
assigned 30,000 times, one account 3,000 times, one group has 2,000 members, one person has 400 ways in, another owns
100 accounts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from accounts.models import Stage

ACCOUNTS, PEOPLE, GROUPS, SETS, SIGN_INS = 1_000, 20_000, 1_000, 500, 2_000
EACH = 10  # principals of a record: nine people and a group
COMMON_EACH = 30  # of each record for the common set, which is assigned in every account
BUSY_PAIRS = 280  # further sets in the busy account
PAIRS = 17_000 - BUSY_PAIRS  # records elsewhere
FORMER, RUNS, CHANGES, EVENTS = 20_000, 2_000, 5_000, 200_000
ADMIN, ENGINEER, OWNER, MEMBER, AUDITOR = range(5)
COMMON, BUSY, CROWD = 0, 7, 3  # the set, the account and the group that are larger than others
OWNED, CROWDED, ENGINEER_GROUPS = 100, 2_000, 24
NOW = timezone.now()
TODAY = timezone.localdate()
DIVISIONS = ("決済", "物流", "会員", "広告", "データ基盤", "社内IT", "店舗", "海外", "研究", "共通")
STAGES = {"Production": Stage.PRODUCTION, "Staging": Stage.STAGING, "Sandbox": Stage.SANDBOX, "Tools": Stage.OTHER}
TEAMS = 5  # of a division; each has a unit of each stage
SURNAMES = (
    "佐藤", "鈴木", "高橋", "田中", "渡邊", "伊藤", "山本", "中村", "小林", "加藤",
    "吉田", "山田", "佐々木", "山口", "齋藤", "松本", "井上", "木村", "林", "清水",
)  # fmt: skip
GIVEN = (
    "悠真", "陽菜", "蓮", "葵", "湊", "凛", "樹", "結衣", "大翔", "咲良",
    "颯太", "美咲", "健", "由美", "翔", "直子", "修", "恵", "誠", "花子",
    "太郎", "亮", "薫", "渚", "航",
)  # fmt: skip
MANAGED = ("ReadOnlyAccess", "AdministratorAccess", "PowerUserAccess", "AmazonS3ReadOnlyAccess", "SecurityAudit")


@dataclass(frozen=True)
class Pair:
    """One record: an account, a set, and who gets it."""

    number: int
    account: int
    permission_set: int
    users: tuple[int, ...]
    group: int | None

    @property
    def codes(self) -> list[str]:
        """The kintone codes of the people."""
        return [f"person{number:05d}" for number in self.users]

    @property
    def last_day(self) -> date | None:
        return TODAY + timedelta(days=self.number // 10 % 200) if self.number % 10 == 0 else None

    @property
    def principals(self) -> Iterator[int]:
        yield from self.users
        if self.group is not None:
            yield PEOPLE + self.group


def iter_pairs() -> Iterator[Pair]:
    for number in range(PAIRS):
        account, nth = number % ACCOUNTS, number // ACCOUNTS
        yield _build_pair(number, account, _find_set(account, nth))
    for nth in range(BUSY_PAIRS):
        yield _build_pair(PAIRS + nth, BUSY, _find_set(BUSY, 20 + nth))
    for account in range(ACCOUNTS):
        first = account * COMMON_EACH * 7
        users = tuple((first + nth) % PEOPLE for nth in range(COMMON_EACH))
        yield Pair(PAIRS + BUSY_PAIRS + account, account, COMMON, users, None)


def _find_set(account: int, nth: int) -> int:
    """Another one for each nth of an account: 499 is a prime."""
    return 1 + (account + 7 * nth) % (SETS - 1)


def _build_pair(number: int, account: int, permission_set: int) -> Pair:
    users = tuple((number * (EACH - 1) + nth) * 7919 % PEOPLE for nth in range(EACH - 1))
    return Pair(number, account, permission_set, users, number * 13 % GROUPS)


def id_of_account(number: int) -> str:
    return f"{210_000_000_000 + number * 7_919:012d}"


def name_of_account(number: int) -> str:
    return f"{('pay', 'ship', 'club', 'ads', 'data')[number % 5]}-{number:04d}"


def name_of_set(number: int) -> str:
    return f"{('Reader', 'Deploy', 'Operator', 'Analyst', 'Admin')[number % 5]}{number:04d}"


def mail_of(number: int) -> str:
    return f"person{number:05d}@example.com"


def id_of_principal(number: int) -> str:
    return f"9067642ac7-{number:08d}-1111-4111-8111-111111111111"


def name_of_person(number: int) -> str:
    return f"{SURNAMES[number % len(SURNAMES)]} {GIVEN[number // len(SURNAMES) % len(GIVEN)]}"
