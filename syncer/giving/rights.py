"""Who may give access to which account, as a run will decide it (`syncer.judging`), said beforehand.

Loaded for all accounts of a form at once. What stands in the way of everybody is an obstacle; what stands in the way of
this person is a refusal, with those who may.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from accounts import access
from accounts.models import Account, PermissionSet, Principal, User
from accounts.owner_register import load_register
from accounts.ownership import Register
from syncer.states import Reason

_NAMED = 3  # owners in one sentence


@dataclass(frozen=True)
class Right:
    """Whether somebody may give access to an account. owners: the names of those who may instead.

    claims: nobody owns it, and whoever registers does from then on.
    """

    refusal: Reason | None = None
    owners: tuple[str, ...] = ()
    claims: bool = False

    @property
    def may(self) -> bool:
        return self.refusal is None


def may_give_somewhere(user: User) -> bool:
    """Whether a page offers it: he owns an account, or answers for all."""
    return access.may_change(user) and (user.is_staff or bool(access.list_owned(user)))


def find_rights(user: User, accounts: Collection[Account], register: Register | None = None) -> Mapping[str, Right]:
    """By account id, in a handful of statements."""
    found = register or load_register([account.account_id for account in accounts])
    person = access.find_principal_id(user)
    may = {account.account_id: ask(user, person, account, found) for account in accounts}
    people = {owner for code, owners in may.values() if code for owner in owners}
    names = _load_names(people) if people else {}
    return {
        account.account_id: _build(user, account, *may[account.account_id], names, is_claim=_is_claim(account, found))
        for account in accounts
    }


Asked = tuple[str, frozenset[str]]  # the code of why not, empty if he may; and the principal ids of those who may


def ask(user: User, person: str, account: Account, register: Register) -> Asked:
    """As `syncer.judging` asks it of the writer of a record; person: his principal id, empty where there is none."""
    if user.is_staff:
        return "", frozenset()
    owners = register.find_owners(account.account_id)
    if not access.may_change(user):
        return "writer_may_not", owners.people
    if not person:
        return "writer_unknown", owners.people
    if register.is_protected(account.account_id):
        return "account_protected", frozenset()
    if person in owners.people:
        return "", frozenset()
    if not owners.are_known:
        return "owners_unread", frozenset()
    if _is_claim(account, register):
        return "", frozenset()
    code = "writer_may_not" if owners.people else "account_without_owner" if owners.is_free else "owners_left"
    return code, owners.people


def _is_claim(account: Account, register: Register) -> bool:
    return account.is_active and register.is_claimable(account.account_id)


def _build(
    user: User, account: Account, code: str, owners: frozenset[str], names: Mapping[str, str], *, is_claim: bool
) -> Right:
    if not code:
        return Right(claims=is_claim and not user.is_staff)
    who = tuple(sorted(names.get(owner, owner) for owner in owners))
    listed = ", ".join(who[:_NAMED]) + (", …" if len(who) > _NAMED else "")
    params = {"name": str(user), "account": account.name, **({"who": listed} if who else {})}
    return Right(Reason(code, params), who)


def _load_names(people: Collection[str]) -> dict[str, str]:
    rows = Principal.objects.filter(principal_id__in=people)
    return {row.principal_id or "": row.display_name or row.name for row in rows}


def find_obstacle(account: Account) -> Reason | None:
    """Why nobody can be given access to the account."""
    if account.is_management:
        return Reason("management_account", {"account": account.name})
    if not account.is_active:
        return Reason("account_not_active", {"account": account.name, "state": account.state})
    return None


def find_set_obstacle(name: str, permission_set: PermissionSet | None) -> Reason | None:
    """Why nothing can be assigned with the set."""
    if permission_set is None or permission_set.state == PermissionSet.State.REMOVED:
        return Reason("set_unknown", {"set": name})
    if permission_set.ownership == PermissionSet.Ownership.TERRAFORM:
        return Reason("managed_in_terraform", {"set": name})
    if permission_set.ownership == PermissionSet.Ownership.NOT_OURS:
        return Reason("set_not_adopted", {"set": name})
    if permission_set.record is None or permission_set.record.gone_at is not None:
        return Reason("set_without_record", {"set": name})
    return None


def find_ailment(permission_set: PermissionSet) -> Reason | None:
    """Why assignments with the set wait until it is mended: what is registered is carried out then."""
    name, stored = permission_set.name, permission_set.reason
    if permission_set.state == PermissionSet.State.BLOCKED:
        return Reason(str(stored.get("code") or "set_broken"), stored.get("params") or {"set": name})
    if permission_set.state == PermissionSet.State.FAILED and permission_set.arn is None:
        return Reason("set_not_made", {"set": name})
    return None
