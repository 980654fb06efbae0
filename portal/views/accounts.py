"""The organization's accounts: which there are, and who can enter each with what, and why."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import (
    load_own_register,
    may_freeze,
    require_user,
    visible_account,
    visible_assignments,
    visible_in_account,
)
from accounts.console_register import load_catalogue
from accounts.kept_shortcuts import visible_shortcuts
from accounts.models import Account, Shortcut, Stage, User
from accounts.moves import find_moves
from accounts.owner_register import load_register
from accounts.stops import find_freeze, find_frozen
from portal.views.access_list import read_access
from portal.views.access_rows import list_chips
from portal.views.account_filter import KINDS, build_tree, narrow_list, read_filter
from portal.views.csv_columns import build_account_columns
from portal.views.csv_lists import stream_csv, wants_csv
from portal.views.drift import build_lines
from portal.views.histories import read_history
from portal.views.own_access import load_groups, load_menus
from portal.views.ownership import OwnerBook
from portal.views.paging import paginate
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.sections import count_assignments
from portal.views.shortcut_links import describe_destination
from syncer.models import Drift

_SHORTCUTS = 8  # on an account's page; the rest is a search away


@require_safe
def account_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """The tree of units, and accounts by unit, fifty a page, with how many people and groups enter them."""
    user, wanted = require_user(request), read_filter(request)
    tree = build_tree(user, wanted)
    accounts = narrow_list(user, wanted, tree)
    if wants_csv(request):
        return _stream(request, list(accounts))
    page = paginate(request, accounts)
    keys = [account.pk for account in page]
    figures = count_assignments(visible_assignments(user), "account", keys, of=("users", "groups", "sets"))
    context = {
        "page": page,
        "rows": [(account, figures.get(account.pk)) for account in page],
        "wanted": wanted,
        "stages": Stage.choices,
        "kinds": KINDS.items(),
        "tree": tree,
        "frozen": find_frozen(),
    }
    part = asks_for_part(request, "accounts")
    return render(request, "portal/_account_list.html" if part else "portal/account_list.html", context)


def _stream(request: HttpRequest, accounts: list[Account]) -> HttpResponseBase:
    """With who owns them. An organization has a thousand or two, which is no stream yet."""
    book = OwnerBook(load_register(), [account.account_id for account in accounts])
    return stream_csv(request, "accounts", build_account_columns(book), accounts)


def _list_shortcuts(user: User, account: Account) -> list[tuple[Shortcut, str]]:
    """Those into the account that he sees, the most used first, with what they lead to; one more than is shown."""
    rows = list(visible_shortcuts(user).filter(account=account).order_by("-uses", "name", "pk")[: _SHORTCUTS + 1])
    catalogue = load_catalogue() if rows else None
    if catalogue is None:
        return []
    return [
        (row, " · ".join(filter(None, (describe_destination(row, catalogue), *row.permission_sets)))) for row in rows
    ]


@require_safe
def account_detail(request: HttpRequest, account_id: str) -> HttpResponseBase:
    """Who can enter the account with what and why; above that, the viewer's own ways in."""
    user = require_user(request)
    account = get_object_or_404(visible_account(user, account_id).select_related("ou"))
    assignments = visible_in_account(user, account)
    access = read_access(request, assignments, "permission_set")
    if wants_csv(request):
        return access.stream(f"account-{account.account_id}")
    # Among all that the person may enter: a profile is called here as in the whole file.
    chips = [chip for chip in list_chips(load_groups(user)) if chip.first.account_id == account.pk]
    load_menus(chips)
    register = load_own_register(user, [account_id])
    context = {
        "account": account,
        "chips": chips,
        "owned": OwnerBook(register, [account_id]).show_account(account_id),
        "freeze": find_freeze(account),
        "may_freeze": may_freeze(user, account, register),
        "moves": find_moves(account) if register.sites[account_id].was_moved else [],
        "figures": count_assignments(assignments, "account", [account.pk], of=("users", "groups", "sets")).get(
            account.pk
        ),
        "drift": build_lines(user, Drift.objects.filter(account_id=account_id), register, account),
        "shortcuts": _list_shortcuts(user, account),
        **access.describe(),
        "offers_retry": True,
        "history": read_history(user, account),
    }
    return render(request, "portal/account_detail.html", context)
