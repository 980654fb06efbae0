"""The weekly look at kept shortcuts: whether account, sets, audience and page are still there."""

from collections.abc import Collection
from typing import Any

from accounts.catalogue.catalogue import Catalogue
from accounts.console_register import load_catalogue
from accounts.models import Instance, PermissionSet, Shortcut
from accounts.owner_register import load_register
from accounts.ownership import Register
from accounts.shortcuts import BadDestination, find_partition

_ANY_ACCOUNT = "123456789012"


def check_shortcuts() -> list[Shortcut]:
    """Note at each shortcut what is wrong with it now, or that nothing is; those of which that is news."""
    rows = list(Shortcut.objects.select_related("account", "author"))
    known = set(PermissionSet.objects.exclude(state=PermissionSet.State.REMOVED).values_list("name", flat=True))
    register = load_register({row.account.account_id for row in rows})
    catalogue, partition = load_catalogue(), _find_partition()
    before = {row.pk: row.problem.get("code") for row in rows}
    for row in rows:
        row.problem = find_problem(row, known, register, catalogue, partition)
    Shortcut.objects.bulk_update(rows, ["problem"], 500)
    return [row for row in rows if row.problem and row.problem["code"] != before[row.pk]]


def find_problem(
    row: Shortcut, known: Collection[str], register: Register, catalogue: Catalogue, partition: str
) -> dict[str, Any]:
    """The first thing that is wrong, as code and parameters; {} where all is well. `known`: names of sets."""
    if not row.account.is_active:
        return _say("shortcut_account_gone", account=row.account.name)
    gone = [name for name in row.permission_sets if name not in known]
    if gone:
        return _say("shortcut_set_gone", sets=", ".join(gone))
    if row.audience == Shortcut.Audience.TEAM and not register.find_owners(row.account.account_id).people:
        return _say("shortcut_audience_gone", account=row.account.name)
    try:
        catalogue.build_url(row.read_destination(), partition=partition, account_id=_ANY_ACCOUNT)
    except BadDestination as refusal:
        return _say(refusal.code, **refusal.params)
    return {}


def _say(code: str, **params: Any) -> dict[str, Any]:
    return {"code": code, "params": params}


def _find_partition() -> str:
    instance = Instance.objects.order_by("-read_at").first()
    return find_partition("", instance.region) if instance else "aws"
