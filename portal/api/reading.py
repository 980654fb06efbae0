"""Reading through the API: what its person sees on the pages, from the same loaders."""

from typing import Annotated

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from accounts.access import (
    find_own_assignments,
    visible_accounts,
    visible_assignments,
    visible_groups,
    visible_people,
    visible_permission_sets,
)
from accounts.access_portal import find_access_portal
from accounts.cli.rendering import is_region, render_config
from accounts.models import Account, Assignment, GroupMembership, PermissionSet, Principal
from accounts.models.access import AssignmentQuerySet
from accounts.names import fold
from portal.api.answers import (
    MOST,
    AccessOut,
    AccountOut,
    AccountPage,
    AssignmentPage,
    Me,
    PermissionSetPage,
    PersonPage,
    cut_page,
)
from portal.api.refusals import ERRORS, Refused
from portal.api.shaping import (
    shape_access,
    shape_account,
    shape_assignment,
    shape_people,
    shape_set,
)
from portal.api.signing_in import CLI, READ, token_of, user_of
from portal.views.cli_naming import list_own_profiles, load_naming

router = Router(auth=READ, tags=["reading"])
After = Annotated[int, Query(ge=0, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MOST)]


# --- Oneself ----------------------------------------------------------------------------------------------------------


@router.get("/me", response={200: Me, **ERRORS})
def read_me(request: HttpRequest) -> Me:
    """Whom the token stands for, and until when."""
    user, token = user_of(request), token_of(request)
    principal = user.person.principal if user.person else None
    return Me(
        name=str(user), user_name=principal.name if principal else "", email=user.email, is_admin=user.is_staff,
        is_auditor=user.is_auditor, scope=token.scope, expires_at=token.expires_at,
    )  # fmt: skip


@router.get("/access", response={200: list[AccessOut], **ERRORS})
def list_own_access(
    request: HttpRequest, account_id: str = "", permission_set: str = "", state: str = ""
) -> list[AccessOut]:
    """What one may enter oneself, or is about to, directly and through groups."""
    rows = _narrow(find_own_assignments(user_of(request)), account_id, permission_set, state)
    access_portal = find_access_portal()
    return [shape_access(row, access_portal) for row in _with_everything(rows).order_by("pk")]


@router.get("/cli-config", auth=CLI, response={200: str, **ERRORS})
def read_cli_config(request: HttpRequest, region: str = "") -> HttpResponse:
    """The whole `~/.aws/config` for everything one may enter, as plain text."""
    if region and not is_region(region):
        raise Refused(422, "api_input_wrong", text=f"region: {region}")
    access_portal = find_access_portal()
    if access_portal is None:
        raise Refused(503, "api_no_portal")
    naming = load_naming(user_of(request))
    profiles = list_own_profiles(user_of(request), access_portal, naming)
    text = render_config(access_portal.url, access_portal.region, profiles, region=region or naming.region)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


# --- Places -----------------------------------------------------------------------------------------------------------


@router.get("/accounts", response={200: AccountPage, **ERRORS})
def list_accounts(request: HttpRequest, q: str = "", after: After = 0, limit: Limit = 100) -> AccountPage:
    """AWS accounts that one sees. `q` fits a part of the name or the beginning of the id."""
    rows = visible_accounts(user_of(request)).select_related("ou")
    if words := _clean(q):
        rows = rows.filter(Q(name__icontains=words) | Q(account_id__startswith=words))
    found, following = cut_page(rows, after, limit)
    return AccountPage(items=[shape_account(row) for row in found], next=following)


@router.get("/accounts/{account_id}", response={200: AccountOut, **ERRORS})
def read_account(request: HttpRequest, account_id: str) -> AccountOut:
    """One account by its twelve digits."""
    return shape_account(_get_account(request, account_id))


@router.get("/accounts/{account_id}/people", response={200: PersonPage, **ERRORS})
def list_people_of_account(
    request: HttpRequest, account_id: str, permission_set: str = "", after: After = 0, limit: Limit = 100
) -> PersonPage:
    """Who may enter the account now, with which sets, themselves or through which group."""
    user, account = user_of(request), _get_account(request, account_id)
    rows = _narrow(visible_assignments(user).filter(account=account, in_aws=True), "", permission_set, "")
    assignments = list(rows.select_related("permission_set", "principal").order_by("permission_set__name"))
    groups = visible_groups(user).filter(pk__in=[row.principal_id for row in assignments])
    members = GroupMembership.objects.filter(group__in=groups.values("pk"))
    direct = [row.principal_id for row in assignments if not row.principal.is_group]
    people = visible_people(user).filter(Q(principal__in=direct) | Q(principal__in=members.values("member")))
    found, following = cut_page(people.select_related("principal"), after, limit)
    shown = members.filter(member__in=[person.principal_id for person in found])
    return PersonPage(items=shape_people(found, assignments, shown), next=following)


@router.get("/permission-sets", response={200: PermissionSetPage, **ERRORS})
def list_permission_sets(request: HttpRequest, q: str = "", after: After = 0, limit: Limit = 100) -> PermissionSetPage:
    """Permission sets that one sees. `q` fits a part of the name."""
    rows = visible_permission_sets(user_of(request)).exclude(state=PermissionSet.State.REMOVED).select_related("record")
    if words := _clean(q):
        rows = rows.filter(name__icontains=words)
    found, following = cut_page(rows, after, limit)
    return PermissionSetPage(items=[shape_set(row) for row in found], next=following)


@router.get("/assignments", response={200: AssignmentPage, **ERRORS})
def list_assignments(
    request: HttpRequest,
    account_id: str = "",
    permission_set: str = "",
    principal: Annotated[str, Query(description="UserName, group name or principal id")] = "",
    state: str = "",
    after: After = 0,
    limit: Limit = 100,
) -> AssignmentPage:
    """Who has access to what, one account × permission set × principal a row."""
    rows = _narrow(visible_assignments(user_of(request)), account_id, permission_set, state)
    if name := _clean(principal):
        rows = rows.filter(principal__in=_find_principals(name).values("pk"))
    found, following = cut_page(_with_everything(rows), after, limit)
    return AssignmentPage(items=[shape_assignment(row) for row in found], next=following)


# --- What is asked for ---------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """What was asked for, without NUL, which PostgreSQL refuses."""
    return text.replace("\0", "").strip()[:200]


def _get_account(request: HttpRequest, account_id: str) -> Account:
    return get_object_or_404(
        visible_accounts(user_of(request)).select_related("ou"), account_id=_clean(account_id).replace("-", "")
    )


def _narrow(rows: AssignmentQuerySet, account_id: str, permission_set: str, state: str) -> AssignmentQuerySet:
    if account_id:
        rows = rows.filter(account__account_id=_clean(account_id).replace("-", ""))
    if permission_set:
        rows = rows.filter(permission_set__name=_clean(permission_set))
    if state and state not in Assignment.State.values:
        raise Refused(422, "api_input_wrong", text=f"state: {', '.join(Assignment.State.values)}")
    return rows.filter(state=state) if state else rows


def _find_principals(name: str) -> QuerySet[Principal]:
    return Principal.objects.filter(Q(name_key=fold(name)) | Q(principal_id=name))


def _with_everything(rows: AssignmentQuerySet) -> AssignmentQuerySet:
    return rows.with_places().prefetch_related("records")
