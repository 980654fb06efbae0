"""Undoing a removal: what the page of its draft says, and the button that puts back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import require_user
from accounts.models import Draft, User
from portal.views.obstacles import tell
from syncer.drafts import undoing
from syncer.drafts.drafting import NotPossible
from syncer.lock_outs import find_longest_session
from syncer.models import Withdrawal


@dataclass(frozen=True)
class WithdrawalNote:
    """A removal as its page tells of it. until: to when it can be undone by who looks at it; None: not any more."""

    withdrawal: Withdrawal
    sessions: timedelta | None
    until: datetime | None
    minutes: int  # that remain, begun ones included


def describe_withdrawal(user: User, draft: Draft) -> WithdrawalNote | None:
    """What a draft has taken away; None where it is no removal."""
    withdrawal = Withdrawal.objects.select_related("undo").filter(draft=draft).first()
    if withdrawal is None:
        return None
    withdrawal.draft = draft
    name, now = (withdrawal.in_force or {}).get("permission_set", ""), timezone.now()
    until = undoing.find_end(withdrawal) if undoing.may_undo(user, withdrawal, now) else None
    minutes = -((now - until) // timedelta(minutes=1)) if until else 0
    return WithdrawalNote(withdrawal, find_longest_session({name}) if name else None, until, minutes)


@require_POST
def undo_withdrawal(request: HttpRequest, pk: int) -> HttpResponse:
    """Put back what was taken out; the address is all that the request says."""
    user = require_user(request)
    withdrawal = get_object_or_404(Withdrawal, pk=pk, draft__in=Draft.objects.visible_to(user))
    try:
        draft = undoing.undo(pk, user, now=timezone.now(), today=timezone.localdate())
    except PermissionDenied:
        return render(request, "portal/undo_refused.html", {"withdrawal": withdrawal}, status=403)
    except NotPossible as refusal:
        tell(request, refusal)
        return redirect("draft_detail", withdrawal.draft_id)
    if draft.pk == withdrawal.draft_id:
        messages.success(request, _("Nothing was removed: it was dropped before kintone had it."))
    return redirect("draft_detail", draft.pk)
