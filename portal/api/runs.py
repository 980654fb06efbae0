"""Runs through the API: what they did, and starting one."""

from typing import Annotated

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from portal.api.answers import MOST, RunOut, RunPage
from portal.api.refusals import ERRORS
from portal.api.shaping import shape_run
from portal.api.signing_in import READ, WRITE, user_of
from syncer.models import Run
from syncer.tasks import request_full_run

router = Router(auth=READ, tags=["runs"])
Limit = Annotated[int, Query(ge=1, le=MOST)]


@router.post("/runs", auth=WRITE, response={202: RunOut, **ERRORS})
def start_run(request: HttpRequest) -> Status[RunOut]:
    """Start a full run, as *Sync now* does; while one waits or runs, that one."""
    return Status(202, shape_run(request, request_full_run(user_of(request))))


@router.get("/runs", response={200: RunPage, **ERRORS})
def list_runs(
    request: HttpRequest,
    before: Annotated[int, Query(ge=0, description="`next` of the page before; 0: from the newest")] = 0,
    limit: Limit = 20,
) -> RunPage:
    """Runs, the newest first."""
    rows = Run.objects.order_by("-pk")
    found = list((rows.filter(pk__lt=before) if before else rows)[: limit + 1])
    following = found[limit - 1].pk if len(found) > limit else None
    return RunPage(items=[shape_run(request, row) for row in found[:limit]], next=following)


@router.get("/runs/{run_id}", response={200: RunOut, **ERRORS})
def read_run(request: HttpRequest, run_id: int) -> RunOut:
    """One run: ask again until it is over."""
    return shape_run(request, get_object_or_404(Run, pk=run_id))
