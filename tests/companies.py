"""Companies of any size behind real ports: records want every assignment in AWS, so the first run plans nothing.

Nothing here imports Django: companies are also served from processes of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulators.aws import AwsSimulator, AwsWorld, Fault, Limits
from simulators.aws.limits import Rate
from simulators.kintone import App, KintoneSimulator, KintoneWorld
from simulators.serving import Serving

OURS = {"managed-by": "genkan"}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DOMAIN = "example.com"
TPS = 18.0  # requests a second that the portal takes of AWS's 20; at the default of 10 everything takes longer
LATENCY = 0.04
ASYNC_SECONDS = 2.0


@dataclass(frozen=True)
class Size:
    """Member accounts, permission sets, users, groups, pairs of account and set in use, and principals of each pair.

    Every tenth pair has a group for its last user. A pair is one record; where it has many principals they are users.
    """

    accounts: int = 200
    sets: int = 100
    users: int = 300
    groups: int = 20
    pairs: int = 1000
    each: int = 3

    def place(self, pair: int) -> tuple[int, int]:
        """The account and the set of a pair, all different as long as there are no more pairs than places."""
        return pair % self.accounts, (pair // self.accounts + pair) % self.sets

    def members(self, pair: int) -> tuple[list[int], int | None]:
        """The users of a pair, and its group."""
        first = pair * self.each
        has_group = self.groups > 0 and pair % 10 == 0
        users = [(first + number) % self.users for number in range(self.each - has_group)]
        return users, (pair // 10) % self.groups if has_group else None

    @property
    def assignments(self) -> int:
        return self.pairs * self.each


LARGE = Size()


@dataclass
class Company:
    """A served company. Accounts, sets, users and groups are numbered; ids and records stand in lists by number."""

    size: Size
    aws: AwsWorld
    kintone: KintoneWorld
    sets: App
    assignments: App
    environment: dict[str, str] = field(default_factory=dict)
    account_ids: list[str] = field(default_factory=list)
    arns: list[str] = field(default_factory=list)
    user_ids: list[str] = field(default_factory=list)
    group_ids: list[str] = field(default_factory=list)
    records: list[int] = field(default_factory=list)

    def register(self, account: int, permission_set: int, *users: int, group: int | None = None) -> str:
        """Register an assignment record; returns APP:ID."""
        record = self.assignments.add_record(
            {
                "account_id": self.account_ids[account],
                "permission_set": name_of_set(permission_set),
                "users": [name_of_user(user) for user in users],
                "groups": "" if group is None else name_of_group(group),
            }
        )
        self.records.append(record)
        return f"{self.assignments.id}:{record}"

    def count_throttled(self) -> int:
        return self.aws.throttled.total()

    def count_calls(self, *operations: str) -> int:
        return sum(self.aws.calls[operation] for operation in operations)


def name_of_set(number: int) -> str:
    return f"Set{number:04}"


def name_of_user(number: int) -> str:
    return f"person{number:05}"


def name_of_group(number: int) -> str:
    return f"team{number:04}"


@contextmanager
def serve_company(size: Size = LARGE, *, limits: Limits | None = None, latency: float = LATENCY) -> Iterator[Company]:
    """The company on two ports of its own, with AWS's rates and its slowness unless told otherwise."""
    company = _build(size)
    company.aws.limits = limits or Limits(sso_admin=Rate(20, 20))
    company.aws.async_seconds = ASYNC_SECONDS
    if latency:
        company.aws.faults.add(Fault("*", latency=latency))
    with Serving(KintoneSimulator(company.kintone)) as kintone, Serving(AwsSimulator(company.aws)) as aws:
        company.environment |= _environment(company, kintone.url, aws.url)
        yield company
        company.aws.faults.clear()


def _build(size: Size) -> Company:
    aws, kintone = AwsWorld(), KintoneWorld()
    aws.limits = Limits.unthrottled()
    company = Company(size, aws, kintone, *_add_apps(kintone))
    unit = aws.add_ou("service")
    company.account_ids = [aws.add_account(f"a{n:04}", f"a{n:04}@{DOMAIN}", unit) for n in range(size.accounts)]
    aws.delegate(company.account_ids[0])
    company.user_ids = [_add_user(company, name_of_user(number)) for number in range(size.users)]
    company.group_ids = [aws.add_group(name_of_group(number)) for number in range(size.groups)]
    for number in range(size.sets):
        company.arns.append(aws.add_permission_set(name_of_set(number), managed=[READ_ONLY], tags=OURS))
        company.sets.add_record({"name": name_of_set(number), "managed_policies": "ReadOnlyAccess"})
    with aws.change():
        for pair in range(size.pairs):
            _add_pair(company, pair)
    return company


def _add_user(company: Company, name: str) -> str:
    company.kintone.add_user(name, name, email=f"{name}@{DOMAIN}")
    return company.aws.add_user(f"{name}@{DOMAIN}", name, f"{name}@{DOMAIN}", external_id=f"entra-{name}")


def _add_pair(company: Company, pair: int) -> None:
    """A record, and its assignments in AWS."""
    account, permission_set = company.size.place(pair)
    users, group = company.size.members(pair)
    place = company.account_ids[account], company.arns[permission_set]
    for user in users:
        company.aws.add_assignment(*place, "USER", company.user_ids[user])
    if group is not None:
        company.aws.add_assignment(*place, "GROUP", company.group_ids[group])
    company.register(account, permission_set, *users, group=group)


def _add_apps(world: KintoneWorld) -> tuple[App, App]:
    text, lines = {"type": "SINGLE_LINE_TEXT"}, {"type": "MULTI_LINE_TEXT"}
    sets = world.add_app("許可セット", {"name": {**text, "unique": True, "required": True}, "managed_policies": lines})
    assignments = world.add_app(
        "割当",
        {
            "account_id": {**text, "required": True},
            "permission_set": text,
            "users": {"type": "USER_SELECT"},
            "groups": lines,
        },
    )
    return sets, assignments


def _environment(company: Company, kintone_url: str, aws_url: str) -> dict[str, str]:
    key_id, secret = company.aws.add_access_key(company.account_ids[0], "Genkan")
    kintone, sets, assignments = company.kintone, company.sets, company.assignments
    tokens = {app.id: kintone.add_token([app.id], ("view", "add", "edit", "delete")) for app in (sets, assignments)}
    return {
        "KINTONE_BASE_URL": kintone_url,
        "KINTONE_PERMISSION_SET_APP_ID": str(sets.id),
        "KINTONE_PERMISSION_SET_API_TOKEN": tokens[sets.id],
        "KINTONE_ASSIGNMENT_APP_ID": str(assignments.id),
        "KINTONE_ASSIGNMENT_API_TOKEN": tokens[assignments.id],
        "KINTONE_USER_SUFFIX": f"@{DOMAIN}",
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "IDENTITY_CENTER_REGION": company.aws.region,
        "IDENTITY_CENTER_TPS": str(TPS),
        "SYNC_MODE": "apply",
    }
