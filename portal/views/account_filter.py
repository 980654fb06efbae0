"""Which accounts the list shows: by words, unit, stage, and what is special. All of it stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import visible_accounts, visible_units
from accounts.finding import narrow_accounts
from accounts.models import Account, Stage, User
from accounts.owner_register import load_standing
from portal.views.paging import choose, read_query
from portal.views.unit_tree import UnitTree

OUTSIDE = "none"  # accounts whose unit is not known
KINDS: Mapping[str, str | Promise] = {
    "active": _("Active accounts"),
    "inactive": _("Suspended and closing"),
    "management": _("Management account"),
    "unowned": _("Without owners"),
    "orphaned": _("Owners have left"),
}


@dataclass(frozen=True)
class AccountFilter:
    """unit: the key of a unit, with all below it; `none`; or empty for all. kind: of KINDS."""

    query: str
    stage: str
    unit: str
    kind: str

    @property
    def is_narrow(self) -> bool:
        return bool(self.query or self.stage or self.unit or self.kind)


def read_filter(request: HttpRequest) -> AccountFilter:
    unit = request.GET.get("ou", "")
    is_key = unit.isascii() and unit.isdecimal() and len(unit) < 19
    return AccountFilter(
        query=read_query(request),
        stage=choose(request, "stage", Stage.values),
        unit=unit if is_key or unit == OUTSIDE else "",
        kind=choose(request, "kind", KINDS),
    )


def list_accounts(user: User) -> QuerySet[Account]:
    """What he may see of the accounts that are in the organization."""
    return visible_accounts(user).filter(gone_at__isnull=True)


def build_tree(user: User, wanted: AccountFilter) -> UnitTree:
    here = int(wanted.unit) if wanted.unit.isdecimal() else None
    return UnitTree(visible_units(user), list_accounts(user), here=here)


def narrow_list(user: User, wanted: AccountFilter, tree: UnitTree) -> QuerySet[Account]:
    """The accounts that fit, by unit and name."""
    accounts = _narrow_kind(narrow_accounts(list_accounts(user), wanted.query), wanted.kind)
    if wanted.stage:
        accounts = accounts.filter(stage=wanted.stage)
    if wanted.unit == OUTSIDE:
        accounts = accounts.filter(ou__isnull=True)
    elif wanted.unit:
        accounts = accounts.filter(ou__in=tree.list_below(int(wanted.unit)))
    return accounts.select_related("ou").order_by("ou__path", "name", "account_id")


def _narrow_kind(accounts: QuerySet[Account], kind: str) -> QuerySet[Account]:
    if kind in ("active", "inactive"):
        is_active = {"state": Account.State.ACTIVE}
        return accounts.filter(**is_active) if kind == "active" else accounts.exclude(**is_active)
    if kind == "management":
        return accounts.filter(is_management=True)
    return accounts.filter(account_id__in=sort_ownerless()[kind]) if kind else accounts


def sort_ownerless() -> Mapping[str, Sequence[str]]:
    """The ids of active accounts: `unowned`, for which nobody is named, and `orphaned`, whose owners have all left."""
    register = load_standing()
    active = Account.objects.filter(gone_at__isnull=True, state=Account.State.ACTIVE, is_management=False)
    found: dict[str, list[str]] = {"unowned": [], "orphaned": []}
    for account_id in active.values_list("account_id", flat=True):
        owners = register.find_owners(account_id)
        if owners.are_known and not owners.people:
            found["unowned" if owners.is_free else "orphaned"].append(account_id)
    return found
