"""What was changed by hand: shown where it belongs, and decided by those who answer for it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import require_user, visible_accounts, visible_permission_sets
from accounts.models import Account, Draft, PermissionSet, Principal, User
from accounts.ownership import Register
from portal.views.obstacles import tell
from syncer import decisions
from syncer.decisions import Rights
from syncer.drafts.drafting import NotPossible, purpose_of
from syncer.mirror.drift import find_end
from syncer.models import Drift


@dataclass(frozen=True)
class DriftLine:
    """One change made by hand, with all that a page says of it. `until` is None where nothing puts it back."""

    drift: Drift
    account: Account | None
    permission_set: PermissionSet | None
    principal: Principal | None
    rights: Rights
    until: datetime | None
    draft: Draft | None

    @property
    def may_decide(self) -> bool:
        return not self.drift.decision and any(self.rights)


def build_lines(
    user: User, drifts: QuerySet[Drift], register: Register | None = None, account: Account | None = None
) -> list[DriftLine]:
    """The open ones of these, oldest first, in a constant number of statements.

    account, register: the one that they are all in, and one that knows it, where a page has them already.
    """
    rows = list(drifts.filter(ended_at__isnull=True).select_related("decided_by").order_by("seen_at", "pk"))
    if not rows:
        return []
    rights = decisions.find_rights(user, rows, register)
    ids = {row.account_id for row in rows} - {""}
    accounts = {account.account_id: account} if account else Account.objects.in_bulk(ids, field_name="account_id")
    sets = PermissionSet.objects.in_bulk({row.permission_set_name for row in rows}, field_name="name")
    principals = _load_principals(rows)
    drafts = _load_drafts(rows)
    return [
        DriftLine(
            row, accounts.get(row.account_id), sets.get(row.permission_set_name), principals.get(row.principal_id),
            rights[row.pk], find_end(row), drafts.get(purpose_of(row)),
        )
        for row in rows
    ]  # fmt: skip


def _load_principals(rows: Collection[Drift]) -> dict[str, Principal]:
    found = Principal.objects.filter(principal_id__in={row.principal_id for row in rows} - {""})
    return {row.principal_id: row for row in found.select_related("person") if row.principal_id}


def _load_drafts(rows: Iterable[Drift]) -> dict[str, Draft]:
    """The newest draft of each, one that did not come through before one that did."""
    found = Draft.objects.filter(purpose__in=[purpose_of(row) for row in rows]).order_by("pk")
    drafts: dict[str, Draft] = {}
    for draft in found:
        known = drafts.get(draft.purpose)
        if known is None or known.state == Draft.State.WRITTEN or draft.state != Draft.State.WRITTEN:
            drafts[draft.purpose] = draft
    return drafts


@require_POST
def put_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Have what was made by hand undone, now, and follow the run that does it."""
    user, drift = require_user(request), _get_drift(request, pk)
    if not decisions.find_rights(user, [drift])[drift.pk].put_back:
        raise PermissionDenied
    try:
        run = decisions.put_back(drift, user)
    except NotPossible as refusal:
        return _refuse(request, drift, refusal)
    return redirect("run_detail", run.pk)


@require_POST
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Let records say what was made by hand."""
    user, drift = require_user(request), _get_drift(request, pk)
    if not decisions.find_rights(user, [drift])[drift.pk].keep:
        raise PermissionDenied
    try:
        decisions.keep(drift, user)
    except NotPossible as refusal:
        return _refuse(request, drift, refusal)
    messages.success(request, _("It is being written to kintone. This page shows when it is there."))
    return redirect(_place_of(drift))


def _get_drift(request: HttpRequest, pk: int) -> Drift:
    user = require_user(request)
    seen = Q(account_id__in=visible_accounts(user).values("account_id"))
    seen |= Q(account_id="", permission_set_name__in=visible_permission_sets(user).values("name"))
    return get_object_or_404(Drift.objects.filter(seen), pk=pk)


def _refuse(request: HttpRequest, drift: Drift, refusal: NotPossible) -> HttpResponse:
    tell(request, refusal)
    return redirect(_place_of(drift))


def _place_of(drift: Drift) -> str:
    if drift.account_id:
        return reverse("account_detail", args=[drift.account_id])
    permission_set = PermissionSet.objects.filter(name=drift.permission_set_name).first()
    return reverse("permission_set_detail", args=[permission_set.pk]) if permission_set else reverse("problem_list")
