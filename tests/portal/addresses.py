"""Every address of the portal: an example of each, who may read there, and who may act there.

A row of the table says who is let in; everybody else who is signed in is refused. `test_every_page.py` holds the table
against the resolver, so an address cannot be forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import (
    AccessToken,
    Account,
    AppKind,
    Draft,
    OwnerEntry,
    PermissionSet,
    PrincipalLink,
    Record,
    Shortcut,
    ShortcutSlug,
    User,
)
from syncer.drafts.drafting import make_draft
from syncer.models import AppState, Drift, Run, Withdrawal
from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS
from tests import factories

OUTSIDER, OWNER, ADMIN, AUDITOR = "outsider", "owner", "admin", "auditor"
Roles = frozenset[str]
NOBODY: Roles = frozenset()
EVERYBODY: Roles = frozenset({OUTSIDER, OWNER, ADMIN, AUDITOR})
CHANGING = EVERYBODY - {AUDITOR}  # who reads everything changes nothing
OWNERS: Roles = frozenset({OWNER, ADMIN})
SEEING = OWNERS | {AUDITOR}
ONE: Roles = frozenset({OWNER})  # what is one person's alone
ADMINS: Roles = frozenset({ADMIN})


@dataclass(frozen=True)
class Address:
    """Who may read (GET) and act (POST); None: there is nothing to read, or nothing to do.

    is_wide: `VISIBILITY=own` hides it from nobody. is_open: it asks for no sign-in. is_page: what it answers is a whole
    page, not a part of one, a file or the way to another.
    """

    route: str
    reads: Roles | None = None
    acts: Roles | None = None
    is_wide: bool = field(default=True, kw_only=True)
    is_open: bool = field(default=False, kw_only=True)
    is_page: bool = field(default=True, kw_only=True)


def hidden(route: str, reads: Roles | None = None, acts: Roles | None = None, *, is_page: bool = True) -> Address:
    """An address of something that an outsider does not find where people see only what is their own."""
    return Address(route, reads, acts, is_wide=False, is_page=is_page)


ADDRESSES = (
    Address("", EVERYBODY),
    Address("go/<slug:slug>/", ONE),  # the others are told who can let them in
    Address("shortcuts/", EVERYBODY),
    Address("shortcuts/keep/", CHANGING, CHANGING),
    Address("shortcuts/<int:pk>/edit/", OWNERS, OWNERS),
    Address("shortcuts/<int:pk>/delete/", None, OWNERS),
    Address("shortcuts/<int:pk>/pin/", None, EVERYBODY),
    Address("shortcuts/new/", EVERYBODY),
    hidden("shortcuts/qr.svg", EVERYBODY, is_page=False),
    hidden("pins/<slug:account_id>/<str:permission_set>/", None, EVERYBODY),
    Address("visits/<slug:account_id>/<str:permission_set>/", None, ONE),
    Address("cli/", EVERYBODY, EVERYBODY),
    Address("cli/config", EVERYBODY, is_page=False),
    Address("cli/merge/", EVERYBODY, EVERYBODY),
    Address("accounts/", EVERYBODY),
    hidden("accounts/<slug:account_id>/", EVERYBODY),
    Address("accounts/<slug:account_id>/freeze/", OWNERS, OWNERS),
    Address("accounts/<slug:account_id>/lift-freeze/", None, OWNERS),
    hidden("accounts/<slug:account_id>/moves/", EVERYBODY, OWNERS),
    Address("accounts/<slug:account_id>/owners/", ADMINS, ADMINS),
    hidden("ous/<int:pk>/", EVERYBODY),
    Address("ous/<int:pk>/owners/", ADMINS, ADMINS),
    Address("permission-sets/", EVERYBODY),
    Address("permission-sets/new/", CHANGING, CHANGING),
    Address("permission-sets/check/", None, EVERYBODY),
    Address("permission-sets/format/", None, EVERYBODY),
    Address("permission-sets/suggest/<slug:field>/", EVERYBODY, is_page=False),
    hidden("permission-sets/<int:pk>/", EVERYBODY),
    Address("permission-sets/<int:pk>/edit/", OWNERS, OWNERS),
    Address("permission-sets/<int:pk>/adopt/", ADMINS, ADMINS, is_page=False),
    Address("permission-sets/<int:pk>/rename/", OWNERS, OWNERS),
    Address("permission-sets/<int:pk>/delete/", OWNERS, OWNERS),
    hidden("permission-sets/<int:pk>/history/", EVERYBODY),
    Address("permission-sets/<int:pk>/twin/", OWNERS, OWNERS, is_page=False),
    Address("drafts/", EVERYBODY),
    Address("drafts/<int:pk>/", SEEING),
    Address("drafts/<int:pk>/send/", None, OWNERS),
    Address("drafts/<int:pk>/discard/", OWNERS, OWNERS),
    Address("drafts/<int:pk>/resolve/", None, ONE),
    Address("drift/<int:pk>/put-back/", None, OWNERS),
    Address("drift/<int:pk>/keep/", None, OWNERS),
    Address("people/", EVERYBODY),
    hidden("people/<int:pk>/", EVERYBODY),
    Address("people/<int:pk>/lock-out/", ADMINS, ADMINS),
    Address("people/<int:pk>/lift-lock-out/", None, ADMINS),
    Address("groups/", EVERYBODY),
    hidden("groups/<int:pk>/", EVERYBODY),
    Address("namesakes/<int:pk>/confirm/", None, OWNERS),
    Address("why/", EVERYBODY),
    Address("assignments/", EVERYBODY),
    Address("assignments/new/", CHANGING, CHANGING),
    Address("assignments/choose/<slug:kind>/", EVERYBODY, EVERYBODY, is_page=False),
    Address("assignments/sent/<slug:batch>/", SEEING),
    Address("assignments/sent/<slug:batch>/send/", None, OWNERS),
    hidden("assignments/<int:pk>/", EVERYBODY),
    Address("assignments/<int:pk>/edit/", OWNERS, OWNERS),
    Address("assignments/<int:pk>/remove/", OWNERS, OWNERS),
    Address("assignments/<int:pk>/remove/<int:principal>/", OWNERS, OWNERS),
    Address("assignments/<int:pk>/try-again/", None, OWNERS),
    Address("assignments/<int:pk>/extend/", OWNERS, OWNERS),
    hidden("records/<slug:app_id>/<slug:record_id>/", EVERYBODY, is_page=False),
    hidden("records/<slug:app_id>/<slug:record_id>/extend/", EVERYBODY, is_page=False),
    Address("problems/", EVERYBODY),
    Address("activity/", EVERYBODY),
    Address("doctor/", ADMINS, ADMINS),
    Address("terraform/", ADMINS | {AUDITOR}, ADMINS),
    Address("guardrails/", EVERYBODY),
    Address("guardrails/what-if/", EVERYBODY, EVERYBODY),
    Address("runs/", EVERYBODY),
    Address("runs/sync/", None, EVERYBODY),
    Address("runs/confirm/", None, ADMINS),
    Address("runs/pause/", ADMINS, ADMINS),
    Address("runs/resume/", None, ADMINS),
    Address("runs/<int:pk>/", EVERYBODY),
    Address("runs/<int:pk>/accept/", None, ADMINS),
    Address("messages/", EVERYBODY, EVERYBODY),
    Address("tokens/", EVERYBODY, EVERYBODY),
    Address("tokens/<int:pk>/revoke/", None, OWNERS),
    Address("withdrawals/<int:pk>/undo/", None, ONE),
    Address("api/v1/", EVERYBODY),
    Address("search/", EVERYBODY),
    Address("search/world/", EVERYBODY, is_page=False),
    Address("search/people/", EVERYBODY, is_page=False),
    Address("search/suggest/", EVERYBODY, is_page=False),
    Address("opensearch.xml", EVERYBODY, is_open=True, is_page=False),
    Address("sign-in/", EVERYBODY, is_open=True, is_page=False),
    Address("preferences/language/", None, EVERYBODY, is_open=True, is_page=False),
    Address("preferences/theme/", None, EVERYBODY, is_open=True, is_page=False),
    Address("favicon.ico", EVERYBODY, is_open=True, is_page=False),
    Address("healthz/live", EVERYBODY, is_open=True, is_page=False),
    Address("healthz/ready", EVERYBODY, is_open=True, is_page=False),
)

# Addresses that ask for something else than a sign-in, and where that is tried in all ways.
ELSEWHERE = {
    "sign-in/refused/": "says to anybody that he was refused: test_oidc_pages.py",
    "oidc/authenticate/": "leads to Entra ID: test_oidc_sign_in.py",
    "oidc/callback/": "takes what Entra ID says: test_oidc_sign_in.py",
    "oidc/logout/": "ends a session: test_oidc_logout.py",
    "webhooks/kintone/": "asks for a token in its address: test_kintone_webhook.py",
    "metrics": "asks for a token or comes from loopback: test_metrics.py",
    "webhooks/github/": "asks for a signature: test_github_webhook.py",
    "api/v1/<path:rest>": "answers 404 to everything: api/test_reading.py",
    "admin/": "Django's own site for admins: test_oidc_admin_site.py and accounts/test_admin.py",
}


@dataclass(frozen=True)
class ApiAddress:
    """An operation of the API: with which method, and which scope of a token it asks for."""

    route: str
    method: str = "GET"
    scope: str = "read"


API_ADDRESSES = (
    ApiAddress("api/v1/me"),
    ApiAddress("api/v1/access"),
    ApiAddress("api/v1/cli-config", scope="cli"),
    ApiAddress("api/v1/accounts"),
    ApiAddress("api/v1/accounts/<account_id>"),
    ApiAddress("api/v1/accounts/<account_id>/people"),
    ApiAddress("api/v1/permission-sets"),
    ApiAddress("api/v1/assignments"),
    ApiAddress("api/v1/runs"),
    ApiAddress("api/v1/runs", "POST", "write"),
    ApiAddress("api/v1/runs/<run_id>"),
    ApiAddress("api/v1/shortcut-link"),
    ApiAddress("api/v1/registrations/foreseen", "POST"),
    ApiAddress("api/v1/registrations", "POST", "write"),
    ApiAddress("api/v1/withdrawals", "POST", "write"),
    ApiAddress("api/v1/drafts/<draft_id>"),
)
API_DESCRIPTION = "api/v1/openapi.json"  # open to anybody: it says what there is, and nothing of the company


def list_routes() -> set[str]:
    """What the resolver leads to, a site of Django's as one."""
    return set(_iter_routes(get_resolver().url_patterns, ""))


def _iter_routes(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and pattern.app_name != "admin":
            yield from _iter_routes(pattern.url_patterns, route)
        else:
            yield route


# --- One of everything ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Company:
    """One of everything, the owner's; `fill` puts it into a route."""

    account: Account
    permission_set: PermissionSet
    examples: dict[str, str]

    def fill(self, route: str) -> str:
        """An address that leads somewhere."""
        for placeholder, value in self.examples.items():
            route = route.replace(placeholder, value)
        return f"/{route}"


def make_company(user: User, name: str = "") -> Company:
    """One of everything, called `name` wherever people choose the name; all of it is the user's."""
    account = factories.make_account(name, ou=f"service/{name}")
    person = factories.get_principal(user)
    OwnerEntry.objects.create(account=account, principal=person)
    PrincipalLink.objects.create(source=PrincipalLink.Source.KINTONE_USER, key=_own_codes(user)[0], principal=person)
    record = _make_record(user, account, name)
    set_record = factories.make_record(
        AppKind.PERMISSION_SET,
        revision=2,
        in_force={"name": "Deploy", "inline_policy": name, "managed_policies": [name], "owners": _own_codes(user)},
        body={"inline_policy": {"value": name}},
    )
    AppState.objects.create(
        kind=AppKind.PERMISSION_SET, app_id="23", fields={field: field for field in PERMISSION_SETS.types}
    )
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields={field: field for field in ASSIGNMENTS.types})
    permission_set = factories.make_permission_set("Deploy", description=name, record=set_record)
    group = factories.make_group(name, person)
    today = timezone.localdate()
    factories.make_assignment(user, account=account, permission_set=permission_set, record=record, until=today)
    factories.make_assignment(group, account=account, permission_set=permission_set, record=record)
    draft = _make_draft(user, record, name)
    factories.make_problem(record, params={"account": name})
    factories.make_problem(set_record, "json_trailing_comma", field="inline_policy", line=1, params={"column": name})
    run = _make_run(record, name)
    shortcut = _make_shortcut(user, account, name)
    drift = Drift.objects.create(
        kind="added", permission_set_name="Deploy", account_id=account.account_id, principal_type="USER",
        principal_id=person.principal_id or "", principal_name=name,
    )  # fmt: skip
    token = AccessToken.objects.create(user=user, name=name or "token", digest="0" * 64, expires_at=timezone.now())
    withdrawal = Withdrawal.objects.create(draft=draft, reference=record.reference)
    assert user.person
    assert account.ou
    return Company(account, permission_set, {
        "accounts/<slug:account_id>": f"accounts/{account.account_id}",
        "<account_id>": account.account_id,
        "<slug:account_id>/<str:permission_set>": f"{account.account_id}/Deploy",
        "ous/<int:pk>": f"ous/{account.ou.pk}",
        "permission-sets/<int:pk>": f"permission-sets/{permission_set.pk}",
        "<slug:field>": "owners",
        "drafts/<int:pk>": f"drafts/{draft.pk}",
        "<draft_id>": str(draft.pk),
        "drift/<int:pk>": f"drift/{drift.pk}",
        "people/<int:pk>": f"people/{user.person.pk}",
        "groups/<int:pk>": f"groups/{group.pk}",
        "namesakes/<int:pk>": f"namesakes/{_make_namesake(account, record).pk}",
        "<slug:kind>": "people",
        "<slug:batch>": draft.batch,
        "assignments/<int:pk>": f"assignments/{record.pk}",
        "<int:principal>": str(person.pk),
        "<slug:app_id>/<slug:record_id>": f"24/{record.record_id}",
        "runs/<int:pk>": f"runs/{run.pk}",
        "<run_id>": str(run.pk),
        "tokens/<int:pk>": f"tokens/{token.pk}",
        "withdrawals/<int:pk>": f"withdrawals/{withdrawal.pk}",
        "shortcuts/<int:pk>": f"shortcuts/{shortcut.pk}",
        "<slug:slug>": shortcut.slug,
        "qr.svg": f"qr.svg?account={account.account_id}&set=Deploy&service=cloudwatch-log-groups",
    })  # fmt: skip


def _own_codes(user: User) -> list[str]:
    assert user.person
    return [user.person.kintone_code]


def _make_record(user: User, account: Account, name: str) -> Record:
    """A newer revision has another note; the rest of it is in force."""
    codes, place = _own_codes(user), {"account_id": account.account_id, "permission_set": "Deploy"}
    people = {field: {"value": [{"code": code} for code in codes]} for field in ("users", "owners")}
    texts = {field: {"value": value} for field, value in (*place.items(), ("groups", name), ("note", name))}
    end = timezone.localdate().isoformat()
    lists = {"users": codes, "owners": codes, "groups": [name], "addresses": []}
    return factories.make_record(
        title=name, creator_name=name, modifier_name=name, revision=2, body={**texts, **people},
        in_force={**place, **lists, "expires_on": end},
    )  # fmt: skip


def _make_draft(user: User, record: Record, name: str) -> Draft:
    draft = make_draft(AppKind.ASSIGNMENT, user, {"note": name, "users": [name]}, record=record)
    draft.state, draft.reason, draft.batch = Draft.State.REFUSED, {"code": name, "params": {}}, "batch0"
    draft.save()
    return draft


def _make_run(record: Record, name: str) -> Run:
    run = factories.make_run(
        status="held",
        checksum="0123456789ab",
        problems=[{"record": record.reference, "field": name, "line": 1, "code": name, "severity": "error"}],
        unresolved=[{"scope": name, "operation": name, "reason": {"code": name, "params": {}}}],
        error={"code": "unexpected", "params": {"text": name}},
    )
    factories.make_change(run, kind="delete", outcome="held", principal_name=name)
    factories.make_change(run, outcome="failed", principal_name=name, reason={"code": name, "params": {}})
    return run


def _make_shortcut(user: User, account: Account, name: str) -> Shortcut:
    destination = {"service": "cloudwatch-log-groups", "region": "ap-northeast-1"}
    shortcut = Shortcut.objects.create(
        slug="logs", name=name, note=name, tags=[name], author=user, audience="company", account=account,
        destination=destination,
    )  # fmt: skip
    ShortcutSlug.objects.create(slug="logs", shortcut=shortcut)
    return shortcut


def _make_namesake(account: Account, record: Record) -> PrincipalLink:
    """Somebody new with the name of one who is gone."""
    gone, new = factories.make_principal("taro@example.com", gone_at=timezone.now()), factories.make_principal()
    factories.make_assignment(gone, account=account, record=record)
    return PrincipalLink.objects.create(
        source=PrincipalLink.Source.ADDRESS, key="taro@example.com", principal=gone, namesake=new
    )
