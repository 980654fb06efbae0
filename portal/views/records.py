"""kintone's records here: what is in force, what was written since, and what came of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import (
    require_user,
    visible_accounts,
    visible_assignments,
    visible_permission_sets,
    visible_records,
)
from accounts.authors import load_authors
from accounts.editors import Removable
from accounts.models import AppKind, Record, User
from accounts.namesakes import find_questions_of_record
from portal.views.definitions import build_comparison, name_record
from portal.views.drafts import list_drafts_of
from portal.views.paging import paginate
from portal.views.retrying import is_worth_retrying
from portal.views.sections import build_sections, find_removable_rows, order_assignments
from syncer.drafts import saving
from syncer.records.parsing import parse_date


@require_safe
def assignment_record(request: HttpRequest, pk: int) -> HttpResponse:
    """One assignment record: values in force beside the newest revision, problems, and the assignments it wants."""
    user = require_user(request)
    record = get_object_or_404(visible_records(user).of_kind(AppKind.ASSIGNMENT), pk=pk)
    page = paginate(request, order_assignments(visible_assignments(user).filter(records=record), "account"))
    removable = find_removable_rows(user, page, record)
    account_id = (record.in_force or {}).get("account_id") or record.title
    account = visible_accounts(user).filter(account_id=account_id).first()
    context = {
        "record": record,
        "title": name_record(record, account),
        "account": account,
        "written": load_authors([record])[record.pk],
        "last_day": parse_date((record.in_force or {}).get("expires_on") or ""),
        "comparison": build_comparison(record),
        "questions": find_questions_of_record(user, record),
        "problems": record.problems.order_by("severity", "field", "line"),
        "drafts": list_drafts_of(user, record),
        "may_end": _may_end(user, record, removable),
        "may_retry": record.pk in removable.records and is_worth_retrying(page),
        "page": page,
        "sections": build_sections(page, "account"),
        "removable": removable,
    }
    return render(request, "portal/assignment_record.html", context)


def _may_end(user: User, record: Record, removable: Removable) -> bool:
    """Of a record that never was in force, what is written says whose account it is."""
    return record.pk in removable.records or (
        record.in_force is None and record.gone_at is None and saving.may_write(user, record)
    )


@require_safe
def record_redirect(request: HttpRequest, app_id: str, record_id: str) -> HttpResponse:
    """From a link in kintone to the page of what the record is about."""
    user = require_user(request)
    record = get_object_or_404(visible_records(user), app_id=app_id, record_id=record_id)
    if record.kind == AppKind.ASSIGNMENT:
        return redirect("assignment_record", record.pk)
    permission_set = visible_permission_sets(user).filter(record=record).first()
    if permission_set:
        return redirect("permission_set_detail", permission_set.pk)
    # A record that never could be understood has made no set yet; its problems say why.
    return redirect(f"{reverse('problem_list')}?record={record.reference}")
