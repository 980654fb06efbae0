"""Drafts: what was saved here and is on its way to kintone, and what people can do about it.

One's own; admins and auditors see everybody's. Somebody else's draft is not found.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import require_user
from accounts.models import Account, AppKind, Draft, Record, User
from accounts.sentences import Sentence, render_reason
from portal.forms.drafts import ResolveForm
from portal.views.definitions import ASSIGNMENT_FIELDS, SET_FIELDS, describe_record
from portal.views.differences import FieldDifference, compare_values
from portal.views.obstacles import tell
from portal.views.paging import paginate
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.undoing import describe_withdrawal
from portal.views.values import to_lines
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible
from syncer.models import Run

IN_ORDER = ("name", *SET_FIELDS, *ASSIGNMENT_FIELDS)
NOT_TAKEN_UP = timedelta(minutes=2)  # after which the page says that no worker takes it
FOLLOWED = timedelta(minutes=15)  # after which a page stops looking for what comes of a written record


@dataclass(frozen=True)
class DraftLine:
    """One draft with all that a page says of it. `record` is the mirrored one, that of a new record included."""

    draft: Draft
    title: str
    edits: tuple[FieldDifference, ...]
    record: Record | None
    why: Sentence | None
    notes: tuple[Sentence, ...]
    may_send: bool
    may_discard: bool


@require_safe
def draft_list(request: HttpRequest) -> HttpResponse:
    """What waits, contradicts or was refused; with `all=1` what is over, too."""
    user = require_user(request)
    shows_all = request.GET.get("all") == "1"
    drafts = Draft.objects.visible_to(user)
    rows = (drafts if shows_all else drafts.open()).select_related("record", "author").order_by("-pk")
    page = paginate(request, rows)
    context = {"page": page, "lines": build_lines(user, page), "shows_all": shows_all}
    return render(request, "portal/draft_list.html", context)


@require_safe
def draft_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """One draft with those of the same submit. While something is under way the page asks for itself; 204: no news."""
    user = require_user(request)
    draft = _get_draft(user, pk)
    context = _describe(user, draft)
    is_part = asks_for_part(request, "draft")
    if is_part and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    template = "portal/_draft.html" if is_part else "portal/draft_detail.html"
    return render(request, template, {**context, "is_part": is_part})


@require_POST
def send_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Try it again at once."""
    user = require_user(request)
    draft = _get_draft(user, pk)
    try:
        saving.send_now(draft, user)
    except NotPossible as refusal:
        tell(request, refusal)
    return redirect("draft_detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def discard_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget it, once somebody has seen what is forgotten."""
    user = require_user(request)
    draft = _get_draft(user, pk)
    if not saving.may_act_on(user, draft):
        raise PermissionDenied
    if request.method == "POST":
        try:
            saving.discard(draft, user)
        except NotPossible as refusal:
            tell(request, refusal)
        return redirect("draft_detail", pk)
    lines = [line for line in build_lines(user, saving.list_batch(draft)) if line.draft.is_open]
    return render(request, "portal/draft_discard.html", {"draft": draft, "lines": lines})


@require_POST
def resolve_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it again as its author has decided, field by field."""
    user = require_user(request)
    draft = _get_draft(user, pk)
    if draft.author_id != user.pk:
        raise PermissionDenied
    if draft.state != Draft.State.CONFLICT:
        return redirect("draft_detail", pk)
    form = ResolveForm(draft, request.POST)
    if not form.is_valid():
        return render(request, "portal/draft_detail.html", _describe(user, draft, form))
    try:
        saving.resolve(draft, user, form.find_choices(), revision=form.cleaned_data["revision"])
    except NotPossible as refusal:
        tell(request, refusal)
    return redirect("draft_detail", pk)


def _get_draft(user: User, pk: int) -> Draft:
    return get_object_or_404(Draft.objects.visible_to(user).select_related("record", "author"), pk=pk)


# --- What is shown ----------------------------------------------------------------------------------------------------


def build_lines(user: User, drafts: Iterable[Draft]) -> list[DraftLine]:
    """Everything about these drafts, in a constant number of statements."""
    rows = list(drafts)
    if not rows:
        return []
    records = _load_written(rows)
    accounts = Account.objects.in_bulk(
        {str(draft.values.get("account_id", "")) for draft in rows}, field_name="account_id"
    )
    return [_build_line(user, draft, records.get(draft.written_reference), accounts) for draft in rows]


def list_drafts_of(user: User, record: Record | None) -> list[DraftLine]:
    """What is open of this record, as far as the user may see it."""
    if record is None:
        return []
    drafts = Draft.objects.visible_to(user).open().filter(record=record)
    return build_lines(user, drafts.select_related("record", "author").order_by("pk"))


def _load_written(drafts: Iterable[Draft]) -> dict[str, Record]:
    parts = [draft.written_reference.partition(":") for draft in drafts if draft.written_reference]
    found = Record.objects.filter(
        app_id__in={app for app, _colon, _id in parts}, record_id__in={record for _app, _colon, record in parts}
    )
    return {record.reference: record for record in found}


def _build_line(user: User, draft: Draft, written: Record | None, accounts: dict[str, Account]) -> DraftLine:
    may_act = saving.may_act_on(user, draft) and draft.discarded_at is None
    record = draft.record or written
    notes = (render_reason(reason) for reason in draft.notes)
    return DraftLine(
        draft=draft,
        title=describe_record(draft.record) if draft.record else _describe_new(draft, accounts),
        edits=tuple(_iter_edits(draft)),
        record=record if record and record.gone_at is None else None,
        why=_explain(draft),
        notes=tuple(note for note in notes if note),
        may_send=may_act and saving.may_send(draft),
        may_discard=may_act and draft.is_open,
    )


def _describe_new(draft: Draft, accounts: dict[str, Account]) -> str:
    if draft.kind == AppKind.PERMISSION_SET:
        return str(draft.values.get("name") or "—")
    account_id = str(draft.values.get("account_id", ""))
    account = accounts.get(account_id)
    return f"{account.name if account else account_id or '—'} × {draft.values.get('permission_set') or '—'}"


def _iter_edits(draft: Draft) -> Iterable[FieldDifference]:
    base = draft.base_values or {}
    for name in IN_ORDER:
        if name in draft.values:
            before, after = ("\n".join(to_lines(side.get(name))) for side in (base, draft.values))
            yield compare_values(name, before, after)


def _explain(draft: Draft) -> Sentence | None:
    """Why it is where it is."""
    if draft.discarded_at is not None and draft.state == Draft.State.WAITING:
        return Sentence(_("It is discarded as soon as kintone has said that it did not arrive."))
    if draft.reason:
        return render_reason(draft.reason)
    if draft.state == Draft.State.WAITING and timezone.now() - draft.created_at > NOT_TAKEN_UP:
        return Sentence(_("No worker has taken it up yet."), _("It is sent as soon as the worker runs again."))
    return None


def _describe(user: User, draft: Draft, form: ResolveForm | None = None) -> dict[str, Any]:
    lines = build_lines(user, saving.list_batch(draft))
    runs = _load_runs(lines)
    if form is None and saving.may_resolve(user, draft):
        form = ResolveForm(draft)
    line = next(line for line in lines if line.draft.pk == draft.pk)
    overtaken = tuple(_iter_overtaken(draft)) if draft.is_deletion else ()
    return {
        "draft": draft,
        "line": line,
        "others": [other for other in lines if other is not line],
        "form": form,
        "overtaken": overtaken,
        "withdrawal": describe_withdrawal(user, draft),
        "runs": runs,
        "look_again": _find_pause(lines, runs),
        "version": _fingerprint(lines, runs),
    }


def _iter_overtaken(draft: Draft) -> Iterable[FieldDifference]:
    """What somebody else changed in a record that was to be deleted."""
    for item in draft.conflict.get("fields", ()):
        before, after = ("\n".join(to_lines(item[side])) for side in ("base", "theirs"))
        yield compare_values(item["field"], before, after)


def _load_runs(lines: Iterable[DraftLine]) -> list[Run]:
    """The newest run of each record that was written."""
    references = {line.draft.written_reference for line in lines} - {""}
    since = min((line.draft.created_at for line in lines), default=timezone.now())
    rows = Run.objects.filter(record_reference__in=references, requested_at__gte=since).order_by("pk")
    return list({run.record_reference: run for run in rows}.values())


def _find_pause(lines: Iterable[DraftLine], runs: Iterable[Run]) -> str:
    """How long a page waits before it looks again; empty where nothing more is coming."""
    waiting = [line.draft for line in lines if line.draft.state == Draft.State.WAITING]
    if any(draft.retry_at is None for draft in waiting) or any(not run.is_over for run in runs):
        return "1s"
    if waiting:
        return "5s"
    since = timezone.now() - FOLLOWED
    written = [
        line.record for line in lines if line.draft.state == Draft.State.WRITTEN and line.draft.created_at > since
    ]
    return "2s" if any(record and not record.is_settled for record in written) else ""


def _fingerprint(lines: Iterable[DraftLine], runs: Iterable[Run]) -> str:
    """The same as long as the page would be."""
    drafts = [(line.draft.state, line.draft.reason, str(line.draft.retry_at), line.draft.notes) for line in lines]
    state = json.dumps([drafts, [(run.pk, run.status, run.step) for run in runs]], sort_keys=True)
    return hashlib.sha256(state.encode()).hexdigest()[:16]
