"""Taking access away, each with a page that says what goes, what is left, and how long open sessions can live.

Anybody may take himself out of a record; others may be taken out, and a record ended, by whoever may narrow it.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import find_principals, may_change, require_user, visible_records
from accounts.editors import name_editors
from accounts.models import Account, AppKind, Principal, Record, User, Wish
from portal.views.definitions import describe_record, name_record
from portal.views.obstacles import tell
from portal.views.other_ways import find_other_ways
from portal.views.paging import read_key
from syncer.drafts import saving, withdrawing
from syncer.drafts.drafting import NotPossible
from syncer.drafts.withdrawing import Taking
from syncer.lock_outs import find_longest_session


@require_http_methods(["GET", "HEAD", "POST"])
def remove_from_record(request: HttpRequest, pk: int, principal: int) -> HttpResponse:
    """Take one person or group out of a record, and of others that want the same."""
    user, record = _load(request, pk)
    whom = get_object_or_404(_find_named(record), pk=principal)
    if not withdrawing.may_take_out(user, record, whom):
        return _refuse(request, user, record, whom)
    offered = [record, *_find_alike(user, record, whom)]
    try:
        if request.method == "POST":
            chosen = {record.pk, *map(read_key, request.POST.getlist("also"))}
            checksum = request.POST.get("checksum", "")
            draft = withdrawing.take_out(user, whom, offered, checksum, chosen=chosen)
            return redirect("draft_detail", draft.pk)
    except NotPossible as refusal:
        tell(request, refusal)
    return _confirm_removal(request, user, offered, whom)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_record(request: HttpRequest, pk: int) -> HttpResponse:
    """End a record as a whole, with everybody in it."""
    user, record = _load(request, pk)
    if not saving.may_write(user, record):
        return _refuse(request, user, record, None)
    try:
        if request.method == "POST":
            draft = withdrawing.end_record(user, record, request.POST.get("checksum", ""))
            return redirect("draft_detail", draft.pk)
    except NotPossible as refusal:
        tell(request, refusal)
    return _confirm_end(request, user, record)


def _load(request: HttpRequest, pk: int) -> tuple[User, Record]:
    user = require_user(request)
    return user, get_object_or_404(visible_records(user).of_kind(AppKind.ASSIGNMENT), pk=pk)


def _find_named(record: Record) -> QuerySet[Principal]:
    """Whom the record names, what is not in force of it included."""
    return Principal.objects.filter(pk__in=Wish.objects.filter(record=record).values("assignment__principal"))


def _find_alike(user: User, record: Record, whom: Principal) -> list[Record]:
    """The other records that want the same, as far as he may take it out there."""
    same = Wish.objects.filter(record=record, assignment__principal=whom).values("assignment")
    found = visible_records(user).live().filter(wishes__assignment__in=same, wishes__is_current=True)
    others = found.exclude(pk=record.pk).distinct().order_by("pk")
    return [other for other in others if withdrawing.may_take_out(user, other, whom)]


# --- The pages --------------------------------------------------------------------------------------------------------


def _confirm_removal(request: HttpRequest, user: User, offered: list[Record], whom: Principal) -> HttpResponse:
    record = offered[0]
    try:
        takings = [withdrawing.plan_removal(each, whom) for each in offered]
    except NotPossible as refusal:
        if request.method != "POST":  # else it was said already
            tell(request, refusal)
        return redirect("assignment_record", record.pk)
    (ways,) = find_other_ways(user, record, [whom])
    also = {taking.record.pk for taking in takings[1:]}
    context = {
        **_describe_place(record, takings),
        "whom": whom,
        "taking": takings[0],
        "also": takings[1:],
        "ways": ways,
        "left": [other for other in ways.records if other.pk not in also],
        "is_oneself": withdrawing.is_oneself(user, whom),
        "may_end": saving.may_write(user, record),
    }
    return render(request, "portal/remove_from_record.html", context)


def _confirm_end(request: HttpRequest, user: User, record: Record) -> HttpResponse:
    try:
        taking = withdrawing.plan_end(record)
    except NotPossible as refusal:
        if request.method != "POST":
            tell(request, refusal)
        return redirect("assignment_record", record.pk)
    named = list(_find_named(record).select_related("person").order_by("type", "name_key", "pk"))
    context = {**_describe_place(record, [taking]), "people": find_other_ways(user, record, named)}
    return render(request, "portal/remove_record.html", context)


def _describe_place(record: Record, takings: list[Taking]) -> dict[str, Any]:
    name = (record.in_force or {}).get("permission_set", "")
    account = Account.objects.filter(account_id=(record.in_force or {}).get("account_id", "")).first()
    return {
        "record": record,
        "title": name_record(record, account),
        "account": account,
        "set_name": name,
        "sessions": find_longest_session({name}) if name else None,
        "checksum": withdrawing.make_list_checksum(takings),
    }


def _refuse(request: HttpRequest, user: User, record: Record, whom: Principal | None) -> HttpResponse:
    """Why he may not, and who may."""
    is_own_group = whom is not None and whom.is_group and find_principals(user).filter(pk=whom.pk).exists()
    context = {
        "record": record,
        "title": describe_record(record),
        "whom": whom,
        "is_own_group": is_own_group,
        "is_reader": not may_change(user),
        "editors": name_editors(record),
    }
    return render(request, "portal/remove_refused.html", context, status=403)
