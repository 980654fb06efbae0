"""The guardrails and what they decide by, from rows: a handful of statements, whatever the number of accounts."""

from collections import defaultdict
from collections.abc import Collection

from accounts.ground import Former, Ground
from accounts.guardrails import Effect, Place, Rule
from accounts.models import Account, AccountMove, Guardrail, PermissionSet
from accounts.owner_register import load_named, load_register
from accounts.ownership import Register
from accounts.policy.powers import EVERYTHING, Power, find_powers


def load_rules() -> tuple[Rule, ...]:
    """The guardrails that are active, with the people whom they name."""
    rows = list(Guardrail.objects.filter(is_active=True))
    named = load_named(row.roles for row in rows)
    return tuple(build_rule(row, named) for row in rows)


def build_rule(row: Guardrail, named: Register) -> Rule:
    """One as a value. `named` knows whom its text names."""
    roles, (tag, is_tagged, value) = named.find_named(row.roles), row.tag.partition("=")
    return Rule(
        name=row.name,
        effect=Effect(row.effect),
        sentence=row.sentence,
        unit_id=row.ou_id,
        account_id=row.account_id,
        stage=row.stage,
        tag=(tag, value) if is_tagged else None,
        permission_set=row.permission_set_name,
        power=Power(row.power) if row.power else None,
        principal_type=row.principal_type,
        is_owner=row.is_owner,
        days=row.days or 0,
        roles=roles.principals | roles.people,
        ends_on=row.ends_on if row.existing == Guardrail.Existing.END else None,
    )


def load_ground(accounts: Collection[str] | None = None, *, rules: tuple[Rule, ...] | None = None) -> Ground:
    """The ground of these accounts (12 digits), or of all; with these rules instead of those that are active."""
    found = load_rules() if rules is None else rules
    return Ground(found, load_register(accounts), tags=load_tags(accounts), former=load_former(accounts))


def load_powers(names: Collection[str] | None = None) -> dict[str, frozenset[Power]]:
    """What these sets may do, or all: as the record in force wants it, else as AWS has it; nobody knows: everything."""
    rows = PermissionSet.objects.select_related("record")
    if names is not None:
        rows = rows.filter(name__in=names)
    found = {row.name: _find_powers(row) for row in rows.only("name", "actual", "record__in_force", "record__gone_at")}
    return {**dict.fromkeys(names or (), EVERYTHING), **found}


def _find_powers(row: PermissionSet) -> frozenset[Power]:
    record = row.record
    definition = (record.in_force if record and record.gone_at is None else None) or row.actual
    if definition is None:
        return EVERYTHING
    return find_powers(
        definition.get("managed_policies", ()),
        definition.get("inline_policy", ""),
        has_customer_managed=bool(definition.get("customer_managed_policies")),
    )


def load_tags(accounts: Collection[str] | None = None) -> dict[str, dict[str, str]]:
    """The tags of the accounts whose tags were ever read."""
    rows = Account.objects.filter(tags_read_at__isnull=False)
    if accounts is not None:
        rows = rows.filter(account_id__in=accounts)
    return dict(rows.values_list("account_id", "tags"))


def load_former(accounts: Collection[str] | None = None) -> dict[str, tuple[Former, ...]]:
    """Where accounts were until moves that nobody has confirmed."""
    moves = AccountMove.objects.open().order_by("moved_at", "pk")
    if accounts is not None:
        moves = moves.filter(account__account_id__in=accounts)
    found: dict[str, list[Former]] = defaultdict(list)
    for move in moves.select_related("account"):
        account = move.account
        tags = account.tags if account.tags_read_at else None
        place = Place(account.account_id, frozenset(move.old_units), move.old_stage or "other", tags)
        found[account.account_id].append(Former(place, frozenset(move.old_owners)))
    return {account_id: tuple(places) for account_id, places in found.items()}
