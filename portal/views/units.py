"""A unit of the organization: who owns what lies below it, what it passes on, and naming owners."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import require_admin, require_user, visible_accounts, visible_units
from accounts.models import Account, OrganizationalUnit, OwnerEntry, Principal
from accounts.owner_register import load_register
from accounts.owning import Owned, find_meant, list_entries, name_owner, remove_owner
from portal.views.ownership import OwnerBook, Shown
from portal.views.paging import paginate
from portal.views.unit_tree import UnitTree

_LONGEST = 200  # characters of what names a person or a group


@require_safe
def unit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The units below with their owners, and the accounts below with theirs, fifty a page."""
    user = require_user(request)
    units = visible_units(user)
    unit = get_object_or_404(units, pk=pk)
    accounts = visible_accounts(user).filter(gone_at__isnull=True)
    tree = UnitTree(units, accounts)
    node = tree.find(unit.pk)
    below = accounts.filter(ou__in=tree.list_below(unit.pk)).select_related("ou")
    page = paginate(request, below.order_by("ou__path", "name", "account_id"))
    ids = [account.account_id for account in page]
    book = OwnerBook(load_register(ids), ids, [unit.ou_id, *(child.unit.ou_id for child in node.children)])
    context = {
        "unit": unit,
        "above": _list_above(unit),
        "owned": book.show_unit(unit.ou_id),
        "node": node,
        "children": [(child, book.show_unit(child.unit.ou_id)) for child in node.children],
        "page": page,
        "rows": [(account, book.show_account(account.account_id)) for account in page],
    }
    return render(request, "portal/unit_detail.html", context)


def _list_above(unit: OrganizationalUnit) -> list[OrganizationalUnit]:
    """The units above, the highest first: one statement, as their paths are known."""
    names = unit.path.split("/")[:-1]
    paths = ["/".join(names[: number + 1]) for number in range(len(names))]
    found = OrganizationalUnit.objects.filter(path__in=paths, parent__isnull=False)
    return sorted(found, key=lambda row: row.path.count("/"))


@require_http_methods(["GET", "HEAD", "POST"])
def unit_owners(request: HttpRequest, pk: int) -> HttpResponse:
    """Name owners of all that lies below a unit, and take them away: for admins."""
    require_admin(request)
    unit = get_object_or_404(OrganizationalUnit, pk=pk)
    shown = OwnerBook(load_register([]), [], [unit.ou_id]).show_unit(unit.ou_id)
    return _edit(request, unit, shown, reverse("unit_detail", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def account_owners(request: HttpRequest, account_id: str) -> HttpResponse:
    """The same for one account."""
    require_admin(request)
    account = get_object_or_404(Account.objects.select_related("ou"), account_id=account_id)
    shown = OwnerBook(load_register([account_id]), [account_id]).show_account(account_id)
    return _edit(request, account, shown, reverse("account_detail", args=[account_id]))


def _edit(request: HttpRequest, owned: Owned, shown: Shown, back: str) -> HttpResponse:
    entries = list_entries(owned)
    if request.method == "POST" and _remove(request, owned, entries):
        return redirect(request.path)
    chosen, meant = _read_choice(request) if request.method == "POST" else (None, [])
    if chosen:
        _name(request, owned, chosen)
        return redirect(back)
    context = {
        "owned": owned,
        "account": owned if isinstance(owned, Account) else None,
        "shown": shown,
        "entries": entries,
        "meant": meant,
        "who": request.POST.get("who", "")[:_LONGEST],
        "is_wrong": request.method == "POST" and "remove" not in request.POST and not meant,
        "back": back,
    }
    return render(request, "portal/owners.html", context)


def _remove(request: HttpRequest, owned: Owned, entries: list[OwnerEntry]) -> bool:
    """Only what belongs to this account or unit; pressing twice does nothing the second time."""
    if "remove" not in request.POST:
        return False
    for entry in entries:
        if str(entry.pk) == request.POST["remove"] and remove_owner(request, owned, entry):
            messages.success(request, _("%(name)s is no longer named.") % {"name": entry.principal})
    return True


def _read_choice(request: HttpRequest) -> tuple[Principal | None, list[Principal]]:
    """Whom the form means: one, or several of whom one is to be chosen."""
    pk = request.POST.get("principal", "")
    known = Principal.objects.filter(principal_id__isnull=False, gone_at__isnull=True)
    if pk.isascii() and pk.isdecimal() and len(pk) < 19:
        return known.filter(pk=int(pk)).first(), []
    text = request.POST.get("who", "").replace("\0", "").strip()[:_LONGEST]
    found = find_meant(require_admin(request), text) if text else []
    return (found[0], []) if len(found) == 1 else (None, found)


def _name(request: HttpRequest, owned: Owned, principal: Principal) -> None:
    if name_owner(request, owned, principal):
        messages.success(request, _("%(name)s is an owner now.") % {"name": principal})
    else:
        messages.info(request, _("%(name)s was named here already.") % {"name": principal})
