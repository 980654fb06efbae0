"""Runs: the history, one run as it happens, *Sync now*, and accepting removals that the brake holds."""

import hashlib
import json
from typing import Any

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import require_admin, require_user, sees_everything, visible_assignments, visible_records
from accounts.models import Account, User
from portal.views.change_groups import group_changes, load_names
from portal.views.mirror_age import list_mirror_ages
from portal.views.paging import choose, paginate
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.run_drift import build_drift
from portal.views.run_held import build_held, find_newer, paginate_held
from portal.views.run_history import Fold, fold_between, fold_repeats, list_notable
from portal.views.run_reading import build_reading
from portal.views.run_steps import build_steps, describe_run, find_progress
from portal.views.schedule import describe_schedule
from syncer.models import Baseline, Change, Notice, Run
from syncer.tasks import request_full_run


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """The history. `all=1` shows every run instead of folding those that changed nothing."""
    runs = Run.objects.select_related("requested_by", "stop__principal__person")
    shows_all = request.GET.get("all") == "1"
    page = paginate(request, runs.order_by("-pk") if shows_all else list_notable(runs))
    rows = list(page)
    lines = rows if shows_all else _fold(page, rows)
    told = {"schedule": describe_schedule(), "mirror_ages": list_mirror_ages()}
    context = {"page": page, "lines": lines, "shows_all": shows_all} | told
    return render(request, "portal/run_list.html", context)


def _fold(page: Page[Run], rows: list[Run]) -> list[Run | Fold]:
    return fold_repeats(fold_between(Run.objects.all(), rows, is_first=not page.has_previous()))


@require_safe
def run_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """One run: its steps, its plan with outcomes, what could not be read, what is held.

    While it runs the page asks for itself every second; 204 says that nothing has changed since.
    """
    user = require_user(request)
    run = get_object_or_404(Run.objects.select_related("requested_by", "stop__principal__person"), pk=pk)
    changes = _visible_changes(user, run)
    outcomes = dict(changes.order_by().values_list("outcome").annotate(Count("pk")))
    version = _fingerprint(run, outcomes)
    is_part = asks_for_part(request, "run")
    if is_part and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    context = {"run": run, "version": version, "is_part": is_part, "outcomes": _list_outcomes(outcomes)}
    context |= _describe_plan(request, run, changes) | _describe_findings(user, run)
    return render(request, "portal/_run.html" if is_part else "portal/run_detail.html", context)


@require_POST
def sync_now(request: HttpRequest) -> HttpResponse:
    """Ask for a full run, as everybody signed in may, and follow it."""
    return redirect("run_detail", request_full_run(require_user(request)).pk)


@require_POST
def confirm_baseline(request: HttpRequest) -> HttpResponse:
    """A portal admin lets a new database write."""
    return redirect("run_detail", request_full_run(require_admin(request), confirm=True).pk)


@require_POST
def accept_removals(request: HttpRequest, pk: int) -> HttpResponse:
    """A portal admin confirms the very removals that the page listed, named by their checksum."""
    user = require_admin(request)
    run = get_object_or_404(Run.objects.exclude(checksum=""), pk=pk)
    if request.POST.get("checksum") != run.checksum:
        messages.error(request, _("The list has changed. Look at it once more."))
        return redirect("run_detail", pk)
    return redirect("run_detail", request_full_run(user, accept=run.checksum).pk)


def _visible_changes(user: User, run: Run) -> QuerySet[Change]:
    changes = run.changes.order_by("position")
    return changes if sees_everything(user) else changes.filter(assignment__in=visible_assignments(user).values("pk"))


def _describe_plan(request: HttpRequest, run: Run, changes: QuerySet[Change]) -> dict[str, Any]:
    outcome = choose(request, "outcome", Change.Outcome.values)
    page = paginate(
        request, changes.filter(outcome=outcome) if outcome else changes.exclude(outcome=Change.Outcome.HELD)
    )
    held = changes.filter(outcome=Change.Outcome.HELD) if run.checksum else changes.none()
    held_page = paginate_held(request, held)
    shown = [*page, *held_page]
    names = load_names(shown)
    accounts = Account.objects.in_bulk({change.account_id for change in shown} - {""}, field_name="account_id")
    return {
        "title": describe_run(run),
        "steps": build_steps(run, notices=Notice.objects.filter(path=f"/runs/{run.pk}/").count() if run.is_over else 0),
        "reading": build_reading(run),
        "progress": find_progress(run),
        "page": page,
        "outcome": outcome,
        "groups": group_changes(page, accounts, names),
        "held": build_held(held, held_page, accounts, names),
        "held_count": held_page.paginator.count,
        "held_page": held_page,
        "newer": find_newer(run),
    }


def _describe_findings(user: User, run: Run) -> dict[str, Any]:
    """Problems with the record each is about, and what could not be read; with `VISIBILITY=own` only one's own."""
    references = {str(problem.get("record") or "") for problem in run.problems}
    parts = [reference.partition(":") for reference in references if reference]
    found = visible_records(user).filter(
        app_id__in={app for app, _colon, _id in parts}, record_id__in={row for _app, _colon, row in parts}
    )
    by_reference = {record.reference: record for record in found}
    problems = [
        (problem, by_reference.get(str(problem.get("record") or "")))
        for problem in run.problems
        if problem.get("code") != "drift"  # stands by itself, with the places where something can be done about it
    ]
    everything = sees_everything(user)
    waits = any(problem.get("code") == "baseline_missing" for problem in run.problems)
    return {
        "may_confirm": waits and user.is_staff and not Baseline.objects.exists(),
        "problems": [pair for pair in problems if everything or pair[1]],
        "unresolved": run.unresolved if everything else [],
        "drift": build_drift(run) if everything else [],
        "error": run.error,
    }


def _list_outcomes(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """(outcome, its word, how many), in the order of the model, without empty ones."""
    return [(value, str(word), counts[value]) for value, word in Change.Outcome.choices if counts.get(value)]


def _fingerprint(run: Run, outcomes: dict[str, int]) -> str:
    """The same as long as the page would be."""
    state = json.dumps([run.status, run.step, run.steps, run.counts, len(run.problems), outcomes], sort_keys=True)
    return hashlib.sha256(state.encode()).hexdigest()[:16]
