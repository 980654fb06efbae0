"""Which pages are measured, and what stands on each: by whom, and whether he sees everything or only his own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.models import Group, PermissionSet
from tests.bench import crowd
from tests.bench.crowd import (
    ADMIN,
    AUDITOR,
    BUSY,
    COMMON,
    CROWD,
    ENGINEER,
    MEMBER,
    OWNER,
    id_of_account,
    mail_of,
    name_of_account,
    name_of_person,
    name_of_set,
)

EMPTY = "/empty/"
ALL, OWN = "all", "own"


@dataclass(frozen=True)
class Visit:
    """One address, asked for by one person. `says` stands on the page, else it is the wrong one."""

    name: str
    who: int
    url: str
    says: str = ""
    visibility: str = ALL
    values: dict[str, Any] = field(default_factory=dict)  # of a POST that changes nothing

    def send(self, client: Client) -> Any:
        return client.post(self.url, self.values) if self.values else client.get(self.url)

    def check(self, client: Client) -> str:
        """What is wrong with the page; empty where nothing is."""
        response = self.send(client)
        if response.status_code != 200:
            return f"{self.name}: {self.url}: {response.status_code}"
        text = response.content.decode()
        return "" if self.says in text else f"{self.name}: {self.url} does not say {self.says!r}"


def list_slow_visits() -> Iterator[Visit]:
    """What nobody opens as a page of many: everything is decided anew."""
    rule = "effect=groups_only&existing=keep&is_owner=unknown"
    yield Visit("what if, a rule about everything", ADMIN, f"/guardrails/what-if/?{rule}", "<form")
    by_day = "effect=expires_within&days=30&existing=keep&is_owner=unknown"
    yield Visit("what if, last days everywhere", ADMIN, f"/guardrails/what-if/?{by_day}", "<form")


def list_visits() -> Iterator[Visit]:
    yield from _list_own_pages()
    yield from _list_accounts()
    yield from _list_sets()
    yield from _list_people()
    yield from _list_access()
    yield from _list_giving()
    yield from _list_attention()
    yield from _list_activity()
    yield from _list_runs()
    yield from _list_small_pages()


def _list_own_pages() -> Iterator[Visit]:
    yield Visit("home, 60 ways in", MEMBER, "/", name_of_set(COMMON)[:3])
    yield Visit("home, 60 ways in, own", MEMBER, "/", name_of_set(COMMON)[:3], OWN)
    yield Visit("home, 400 ways in", ENGINEER, "/", name_of_set(COMMON)[:3])
    yield Visit("home, 400 ways in, with words", ENGINEER, "/?q=deploy", "Deploy")
    yield Visit("home, owner of 100 accounts", OWNER, "/", "<main")
    yield Visit("home, owner of 100 accounts, own", OWNER, "/", "<main", OWN)
    yield Visit("CLI profiles", ENGINEER, "/cli/", "genkan")
    yield Visit("CLI file", ENGINEER, "/cli/config", "[profile")


def _list_accounts() -> Iterator[Visit]:
    busy = f"/accounts/{id_of_account(BUSY)}/"
    yield Visit("accounts", ADMIN, "/accounts/", "pay-")
    yield Visit("accounts, last page", ADMIN, "/accounts/?page=20", "-0")
    yield Visit("accounts, with words", ADMIN, "/accounts/?q=pay", "pay-")
    yield Visit("accounts, without owners", ADMIN, "/accounts/?kind=unowned", "-0")
    yield Visit("accounts, own, 60 ways in", MEMBER, "/accounts/", "-0", OWN)
    yield Visit("accounts, own, 400 ways in", ENGINEER, "/accounts/", "-0", OWN)
    yield Visit("accounts, own, owner of 100", OWNER, "/accounts/", "-0", OWN)
    yield Visit("account of 3,000 assignments", ADMIN, busy, name_of_account(BUSY))
    yield Visit("account, owner", OWNER, busy, name_of_account(BUSY))
    yield Visit("account, owner, own", OWNER, busy, name_of_account(BUSY), OWN)
    yield Visit("account, filtered", ADMIN, f"{busy}?q=reader&kind=user&ends=never", "Reader")
    yield Visit("account, freeze", ADMIN, f"{busy}freeze/", name_of_account(BUSY))
    yield Visit("account, owners", ADMIN, f"{busy}owners/", name_of_account(BUSY))
    yield Visit("unit", ADMIN, "/ous/2/", crowd.DIVISIONS[0])
    yield Visit("unit, own", OWNER, "/ous/2/", crowd.DIVISIONS[0], OWN)
    yield Visit("unit, owners", ADMIN, "/ous/2/owners/", crowd.DIVISIONS[0])


def _list_sets() -> Iterator[Visit]:
    common, number = PermissionSet.objects.get(name=name_of_set(COMMON)).pk, COMMON + 2
    yield Visit("permission sets", ADMIN, "/permission-sets/", "Admin")
    yield Visit("permission sets, last page", ADMIN, "/permission-sets/?page=10", "Reader")
    yield Visit("permission sets, with words", ADMIN, "/permission-sets/?q=deploy", "Deploy")
    yield Visit("permission sets, own, 60 ways in", MEMBER, "/permission-sets/", "0", OWN)
    yield Visit("permission sets, own, owner of 100", OWNER, "/permission-sets/", "0", OWN)
    yield Visit("set of 30,000 assignments", ADMIN, f"/permission-sets/{common}/", name_of_set(COMMON))
    yield Visit("set of 30,000, owner", OWNER, f"/permission-sets/{common}/", name_of_set(COMMON))
    yield Visit("set of 30,000, owner, own", OWNER, f"/permission-sets/{common}/", name_of_set(COMMON), OWN)
    yield Visit("set of 30,000, filtered", ADMIN, f"/permission-sets/{common}/?q=渡辺&ends=30", name_of_set(COMMON))
    yield Visit("set of 30,000, page 200", ADMIN, f"/permission-sets/{common}/?page=200", name_of_set(COMMON))
    yield Visit("set of 340", ADMIN, f"/permission-sets/{number}/", name_of_set(number - 1))
    yield Visit("set, edit", ADMIN, f"/permission-sets/{number}/edit/", name_of_set(number - 1))
    yield Visit("set, rename", ADMIN, f"/permission-sets/{number}/rename/?name=New", name_of_set(number - 1))
    yield Visit("set, delete", ADMIN, f"/permission-sets/{number}/delete/", name_of_set(number - 1))
    yield Visit("set, history", ADMIN, f"/permission-sets/{number}/history/", name_of_set(number - 1))
    yield Visit("set, new", MEMBER, "/permission-sets/new/", "<form")


def _list_people() -> Iterator[Visit]:
    crowd = Group.objects.get(name=f"team-{CROWD:04d}").pk
    yield Visit("people", ADMIN, "/people/", "example.com")
    yield Visit("people, page 200", ADMIN, "/people/?page=200", "example.com")
    yield Visit("people, with words", ADMIN, "/people/?q=渡辺", "渡邊")
    yield Visit("people, disabled", ADMIN, "/people/?standing=disabled", "example.com")
    yield Visit("people, own", MEMBER, "/people/", mail_of(MEMBER), OWN)
    yield Visit("person, 60 ways in", MEMBER, f"/people/{MEMBER + 1}/", name_of_person(MEMBER))
    yield Visit("person, 400 ways in", ADMIN, f"/people/{ENGINEER + 1}/", name_of_person(ENGINEER))
    yield Visit("person, lock-out", ADMIN, f"/people/{ENGINEER + 1}/lock-out/", name_of_person(ENGINEER))
    yield Visit("groups", ADMIN, "/groups/", "team-")
    yield Visit("groups, with words", ADMIN, "/groups/?q=team-01", "team-01")
    yield Visit("groups, own", MEMBER, "/groups/", "team-", OWN)
    yield Visit("group of 2,000", ADMIN, f"/groups/{crowd}/", f"team-{CROWD:04d}")


def _list_access() -> Iterator[Visit]:
    yield Visit("assignments", ADMIN, "/assignments/", "ads-0")
    yield Visit("assignments, page 200", AUDITOR, "/assignments/?page=200", "<main")
    yield Visit("assignments, a person", ADMIN, "/assignments/?q=person01234", "person01234")
    yield Visit("assignments, words that fit many", ADMIN, "/assignments/?q=佐藤 reader", "Reader")
    yield Visit("assignments, words that fit nothing", ADMIN, "/assignments/?q=nobody-at-all", "<main")
    yield Visit("assignments, failed", ADMIN, "/assignments/?state=failed", "<main")
    yield Visit("assignments, production, groups", ADMIN, "/assignments/?stage=production&kind=group", "team-")
    yield Visit("assignments, end this week", ADMIN, "/assignments/?ends=7", "<main")
    yield Visit("assignments, own, 60 ways in", MEMBER, "/assignments/", "<main", OWN)
    yield Visit("assignments, own, owner of 100", OWNER, "/assignments/", "<main", OWN)
    yield Visit("assignments, own, owner, with words", OWNER, "/assignments/?q=reader", "Reader", OWN)
    yield Visit("record of 30", ADMIN, f"/assignments/{crowd.PAIRS + crowd.BUSY_PAIRS + 1}/", "Reader0000")
    yield Visit("record", OWNER, f"/assignments/{BUSY + 1}/", id_of_account(BUSY), OWN)
    yield Visit("record, remove", ADMIN, f"/assignments/{BUSY + 1}/remove/", id_of_account(BUSY))
    yield Visit("record, extend", ADMIN, "/assignments/11/extend/", id_of_account(10)[-4:])
    question = f"?person={mail_of(MEMBER)}&account={id_of_account(BUSY)}&set={name_of_set(COMMON)}"
    yield Visit("why", ADMIN, "/why/", "<form")
    yield Visit("why, answered", ADMIN, f"/why/{question}", name_of_person(MEMBER))
    yield Visit("why, words that fit many", ADMIN, "/why/?person=佐藤&account=pay&set=reader", "<form")


def _list_giving() -> Iterator[Visit]:
    new, account = "/assignments/new/", id_of_account(BUSY)
    form = {
        "token": "a-form-that-was-opened", "account": [account, id_of_account(BUSY + 1)], "do": "preview",
        "permission_set": name_of_set(COMMON), "users": [f"person{number:05d}" for number in range(300, 303)],
        "expires_on": "", "note": "", "owners": [],
    }  # fmt: skip
    yield Visit("give access", ADMIN, new, "<form")
    yield Visit("give access, owner, own", OWNER, new, "<form", OWN)
    yield Visit("give access, filled by a link", OWNER, f"{new}?account={account}", account)
    yield Visit("give access, preview", OWNER, new, account[-4:], ALL, form)
    yield Visit("give access, choose people", OWNER, "/assignments/choose/people/?q=渡辺", "渡邊")
    yield Visit("give access, choose accounts", OWNER, "/assignments/choose/account/?q=pay", "pay-")
    yield Visit("give access, choose accounts, own", OWNER, "/assignments/choose/account/?q=pay", "pay-", OWN)
    yield Visit("give access, choose a unit", OWNER, "/assignments/choose/account/?q=決済", crowd.DIVISIONS[0])
    yield Visit("record, edit", ADMIN, f"/assignments/{BUSY + 1}/edit/", account)


def _list_attention() -> Iterator[Visit]:
    yield Visit("problems", ADMIN, "/problems/", "<main")
    yield Visit("problems, page 20", ADMIN, "/problems/?page=20", "<main")
    yield Visit("problems, errors", ADMIN, "/problems/?severity=error", "<main")
    yield Visit("problems, mine", OWNER, "/problems/?mine=1", "<main")
    yield Visit("problems, own, 60 ways in", MEMBER, "/problems/", "<main", OWN)
    yield Visit("problems, own, owner of 100", OWNER, "/problems/", "<main", OWN)
    yield Visit("drafts", MEMBER, "/drafts/", "<main")
    yield Visit("drafts of everybody", ADMIN, "/drafts/?all=1", "<main")
    yield Visit("draft", ADMIN, "/drafts/2/", "<main")
    yield Visit("guardrails", ADMIN, "/guardrails/", "rule 00")
    yield Visit("guardrails, own", OWNER, "/guardrails/", "<main", OWN)
    yield Visit("what if", ADMIN, "/guardrails/what-if/", "<form")
    scoped = f"account_id={id_of_account(BUSY)}&effect=groups_only&existing=keep&is_owner=unknown"
    yield Visit("what if, one account", ADMIN, f"/guardrails/what-if/?{scoped}", "<form")


def _list_activity() -> Iterator[Visit]:
    yield Visit("activity", ADMIN, "/activity/", "<main")
    yield Visit("activity of an account", ADMIN, f"/activity/?account={id_of_account(BUSY)}", "<main")
    yield Visit("activity, account by words", ADMIN, "/activity/?account=pay", "<main")
    yield Visit("activity of a person", ADMIN, f"/activity/?person={MEMBER + 1}", "<main")
    yield Visit("activity, person by words", ADMIN, "/activity/?person=渡辺", "<main")
    yield Visit("activity of a record", ADMIN, "/activity/?record=24:8", "24:8")
    yield Visit("activity, kind and days", ADMIN, "/activity/?kind=access&from=2026-01-01&to=2026-12-31", "<main")
    yield Visit("activity, own", MEMBER, "/activity/", "<main", OWN)
    yield Visit("activity, own, owner of 100", OWNER, "/activity/", "<main", OWN)


def _list_runs() -> Iterator[Visit]:
    yield Visit("runs", ADMIN, "/runs/", "<main")
    yield Visit("all runs", ADMIN, "/runs/?all=1", "<main")
    yield Visit("run of 5,000 changes", ADMIN, f"/runs/{crowd.RUNS}/", "<main")
    yield Visit("run of 5,000 changes, own", OWNER, f"/runs/{crowd.RUNS}/", "<main", OWN)
    yield Visit("runs, pause", ADMIN, "/runs/pause/", "<form")


def _list_small_pages() -> Iterator[Visit]:
    account = id_of_account(BUSY)
    yield Visit("shortcuts", MEMBER, "/shortcuts/", "shortcut-")
    yield Visit("shortcuts, with words", MEMBER, "/shortcuts/?q=pay", "shortcut-")
    yield Visit("shortcuts, own, owner of 100", OWNER, "/shortcuts/", "shortcut-", OWN)
    yield Visit("shortcut, new", ENGINEER, "/shortcuts/new/", "<form")
    filled = f"?account={account}&set={name_of_set(COMMON)}&service=cloudwatch-log-search"
    yield Visit("shortcut, new, filled by a link", ADMIN, f"/shortcuts/new/{filled}", account)
    yield Visit("shortcut, keep", ENGINEER, "/shortcuts/keep/", "<form")
    yield Visit("search, accounts", ENGINEER, "/search/?q=pay", "pay-")
    yield Visit("search, people", ADMIN, "/search/?q=渡辺", "渡邊")
    yield Visit("search, own, owner of 100", OWNER, "/search/?q=pay", "pay-", OWN)
    yield Visit("what the palette knows", ENGINEER, "/search/world/")
    yield Visit("doctor", ADMIN, "/doctor/", "<main")
    yield Visit("tokens", MEMBER, "/tokens/", "<form")
