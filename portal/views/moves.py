"""An account that was moved to another unit: what that changes, and the word of its owner that it is right so."""

from collections.abc import Sequence
from typing import NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import require_user, visible_accounts
from accounts.guardrails import Rule
from accounts.models import AccountMove, Assignment, Stage
from accounts.moves import Consequence, confirm_moves, find_moves, foresee, may_confirm_moves
from portal.views.paging import read_key

_ASPECTS: tuple[tuple[str, Promise], ...] = (
    ("rules", gettext_lazy("Guardrails")),
    ("owners", gettext_lazy("Owners")),
    ("protected", gettext_lazy("Protected")),
)


class Aspect(NamedTuple):
    """One thing that the units above an account decide."""

    name: str
    before: str
    now: str


@require_http_methods(["GET", "HEAD", "POST"])
def account_moves(request: HttpRequest, account_id: str) -> HttpResponse:
    """What the moves that nobody has confirmed change; POST: confirm those on the screen."""
    user = require_user(request)
    account = get_object_or_404(visible_accounts(user).select_related("ou"), account_id=account_id)
    may_confirm = may_confirm_moves(user, account)
    if request.method == "POST":
        if not may_confirm:
            raise PermissionDenied
        if confirm_moves(account, user, until=read_key(request.POST.get("until", ""))):
            messages.success(request, _("The move is confirmed. The next run decides by where the account is now."))
        return redirect("account_detail", account_id)
    moves = find_moves(account)
    context = {
        "account": account,
        "moves": moves,
        "may_confirm": may_confirm,
        "aspects": _compare(moves) if moves else [],
        "consequences": _group(foresee(account, timezone.localdate())) if moves else [],
    }
    return render(request, "portal/account_moves.html", context)


def _group(consequences: list[Consequence]) -> list[tuple[Rule | None, list[Assignment]]]:
    """Under the rule that ends them; what nothing spares any more last."""
    found: dict[Rule | None, list[Assignment]] = {}
    for each in consequences:
        found.setdefault(each.rule, []).append(each.assignment)
    return list(found.items())


def _compare(moves: Sequence[AccountMove]) -> list[Aspect]:
    """From where it was at first to where it is now."""
    first, last = moves[0].changes, moves[-1].changes
    stages = {value: str(word) for value, word in Stage.choices}
    old, new = (moves[0].old_stage, str(last.get("stage_after", "")))
    return [
        Aspect(_("OU"), moves[0].old_path, moves[-1].new_path),
        Aspect(_("Stage"), stages.get(old, old), stages.get(new, new)),
        *(
            Aspect(str(name), str(first.get(f"{key}_before", "—")), str(last.get(f"{key}_after", "—")))
            for key, name in _ASPECTS
        ),
    ]
