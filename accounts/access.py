"""What a person may see. Authorisation is how things are loaded: what is not visible is not found.

Everybody signed in may see everything, unless `VISIBILITY=own` narrows it to one's own access and to the accounts and
records one owns. Admins and auditors always see all.
"""

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import (
    Account,
    Assignment,
    Group,
    GroupMembership,
    OrganizationalUnit,
    PermissionSet,
    Person,
    PortalWrite,
    Principal,
    PrincipalLink,
    Problem,
    Record,
    RecordPerson,
    User,
    Wish,
    Withheld,
)
from accounts.models.access import AssignmentQuerySet
from accounts.models.records import RecordQuerySet
from accounts.names import fold
from accounts.owner_register import Owned, load_owned, load_register
from accounts.ownership import Register


def require_user(request: HttpRequest) -> User:
    """The signed-in user. Raises PermissionDenied for nobody, which the sign-in middleware does not let through."""
    return request.user if isinstance(request.user, User) else _refuse()


def require_admin(request: HttpRequest) -> User:
    """The signed-in portal admin. Raises PermissionDenied for everybody else."""
    user = require_user(request)
    return user if user.is_staff else _refuse()


def require_overseer(request: HttpRequest) -> User:
    """The signed-in portal admin or auditor. Raises PermissionDenied for everybody else."""
    user = require_user(request)
    return user if user.may_see_everything else _refuse()


def sees_everything(user: User) -> bool:
    return user.may_see_everything or settings.VISIBILITY == "all"


def find_principals(user: User) -> QuerySet[Principal]:
    """What Identity Center may assign to for this user: his own principal and the groups he is in."""
    person = user.person
    if person is None or person.principal_id is None:
        return Principal.objects.none()
    groups = GroupMembership.objects.filter(member=person.principal_id).values("group")
    return Principal.objects.filter(Q(pk=person.principal_id) | Q(pk__in=groups))


def find_own_assignments(user: User) -> AssignmentQuerySet:
    """The user's own access, through himself or a group, without history.

    Who that is is asked first: given the question instead of the answer, PostgreSQL reads all 200,000 assignments.
    """
    return Assignment.objects.shown().for_principals(_list_principals(user))


def _list_principals(user: User) -> list[int]:
    own = user.person.principal_id if user.person else None
    return [] if own is None else [own, *_list_groups(user)]


def _list_groups(user: User) -> Mapping[int, str]:
    """Row → id of the groups that he is in. Found out once for each request, which has a user of its own."""
    known: dict[str, dict[int, str]] = vars(user)
    if _GROUPS not in known:
        own = user.person.principal_id if user.person else None
        rows = GroupMembership.objects.filter(member=own) if own else GroupMembership.objects.none()
        known[_GROUPS] = {key: name or "" for key, name in rows.values_list("group_id", "group__principal_id")}
    return known[_GROUPS]


_GROUPS = "_own_groups"


def find_own_records(user: User) -> RecordQuerySet:
    """The live records that the user made, or is named in as an owner."""
    own = RecordPerson.objects.filter(role__in=[RecordPerson.Role.OWNER, RecordPerson.Role.AUTHOR])
    return Record.objects.live().filter(pk__in=own.filter(Q(key__in=list_codes(user)) | Q(user=user)).values("record"))


def find_own_problems(user: User) -> QuerySet[Problem]:
    """What is wrong with the user's records, and with those that want access for him or to an account of his."""
    return Problem.objects.filter(about_troubled(user))


def about_troubled(user: User) -> Q:
    """What concerns him, as a condition on problems, or on withheld values that nobody has confirmed."""
    own = find_own_records(user).values("pk")
    wanting = Wish.objects.filter(assignment__in=find_own_assignments(user).values("pk")).values("record")
    return Q(record__in=own) | Q(record__in=wanting) | Q(record__in=list_troubled(user))


def list_troubled(user: User) -> Collection[int] | QuerySet[Wish, Any]:
    """The records with problems or withheld values that want access to accounts of his: by key, as `_find_wished`.

    Found out once for a request: to tell, PostgreSQL looks at every wish into his accounts.
    """
    is_withheld = Q(record__in=Withheld.objects.filter(confirmed_at__isnull=True).values("record"))
    wishes = Wish.objects.filter(Q(record__in=Problem.objects.values("record")) | is_withheld)
    owned = list_owned(user)
    wanting = wishes.filter(assignment__account__in=owned.values())
    known: dict[str, Collection[int]] = vars(user)
    if _TROUBLED not in known:
        records = wanting.values_list("record_id", flat=True).distinct()
        known[_TROUBLED] = set(records[: _MOST_KEYS + 1]) if owned else set()
    return known[_TROUBLED] if len(known[_TROUBLED]) <= _MOST_KEYS else wanting.values("record")


_TROUBLED = "_troubled_record_keys"


def visible_assignments(user: User) -> AssignmentQuerySet:
    return Assignment.objects.shown() if sees_everything(user) else concerned_assignments(user)


def concerned_assignments(user: User) -> AssignmentQuerySet:
    """His own access, what his records want, and what is in the accounts that he owns.

    All three as keys, which have indexes: questions in their place make PostgreSQL look at every assignment.
    """
    owned = list_owned(user).values()
    return Assignment.objects.shown().filter(
        Q(principal__in=_list_principals(user)) | Q(pk__in=_find_wished(user)) | Q(account__in=owned)
    )


def _find_wished(user: User) -> Collection[int] | QuerySet[Wish, Any]:
    """The assignments that his records want: by key as long as they are few enough for a statement."""
    wished = Wish.objects.filter(record__in=find_own_records(user).values("pk")).values("assignment")
    known: dict[str, Collection[int]] = vars(user)
    if _WISHED not in known:
        known[_WISHED] = set(wished.values_list("assignment", flat=True)[: _MOST_KEYS + 1])
    return known[_WISHED] if len(known[_WISHED]) <= _MOST_KEYS else wished


_WISHED, _MOST_KEYS = "_wished_assignment_keys", 2_000


def visible_accounts(user: User) -> QuerySet[Account]:
    """Where that depends on his access it is found out once for a request: lists, counts and trees all ask for it."""
    if sees_everything(user):
        return Account.objects.all()
    known: dict[str, set[int]] = vars(user)
    if _VISIBLE not in known:
        seen = concerned_assignments(user).order_by().values_list("account_id", flat=True).distinct()
        known[_VISIBLE] = {*seen, *list_owned(user).values()}
    return Account.objects.filter(pk__in=known[_VISIBLE])


_VISIBLE = "_visible_account_keys"


def visible_account(user: User, account_id: str) -> QuerySet[Account]:
    """One account, if he sees it. Whoever owns it does, which takes no looking for what else concerns him."""
    seen = Account.objects.all() if _is_owned(user, account_id) else visible_accounts(user)
    return seen.filter(account_id=account_id)


def visible_in_account(user: User, account: Account) -> AssignmentQuerySet:
    """What he sees of one account: of his own everything."""
    is_owned = _is_owned(user, account.account_id)
    return (Assignment.objects.shown() if is_owned else visible_assignments(user)).filter(account=account)


def _is_owned(user: User, account_id: str) -> bool:
    """Of whoever sees everything nobody has to know."""
    return not sees_everything(user) and account_id in list_owned(user)


def visible_permission_sets(user: User) -> QuerySet[PermissionSet]:
    if sees_everything(user):
        return PermissionSet.objects.all()
    return PermissionSet.objects.filter(
        Q(pk__in=visible_assignments(user).values("permission_set")) | Q(record__in=find_own_records(user).values("pk"))
    )


def visible_people(user: User) -> QuerySet[Person]:
    return Person.objects.all() if sees_everything(user) else Person.objects.filter(user=user)


def visible_groups(user: User) -> QuerySet[Group]:
    if sees_everything(user):
        return Group.objects.all()
    return Group.objects.filter(pk__in=_list_principals(user))


def visible_principals(user: User) -> QuerySet[Principal]:
    """Users and groups; whom one sees as a person or a group, one sees as a principal."""
    if sees_everything(user):
        return Principal.objects.all()
    return Principal.objects.filter(Q(pk__in=_list_principals(user)) | Q(person__in=visible_people(user).values("pk")))


def visible_units(user: User) -> QuerySet[OrganizationalUnit]:
    """All, or those in whose paths an account lies that one sees."""
    if sees_everything(user):
        return OrganizationalUnit.objects.all()
    return OrganizationalUnit.objects.filter(pk__in=_find_units_above(visible_accounts(user)))


def _find_units_above(accounts: QuerySet[Account]) -> set[int]:
    parents = dict(OrganizationalUnit.objects.values_list("pk", "parent_id"))
    found: set[int] = set()
    for unit in accounts.order_by().values_list("ou_id", flat=True).distinct():
        above: int | None = unit
        while above is not None and above not in found:
            found.add(above)
            above = parents[above]
    return found


def visible_records(user: User) -> RecordQuerySet:
    if sees_everything(user):
        return Record.objects.all()
    return _find_concerning(user)


def visible_problems(user: User) -> QuerySet[Problem]:
    return Problem.objects.all() if sees_everything(user) else find_own_problems(user)


def _find_concerning(user: User) -> RecordQuerySet:
    """The user's own records, and those that want access for him or to an account of his."""
    wanting = Wish.objects.filter(assignment__in=find_own_assignments(user).values("pk")).values("record")
    owned = Wish.objects.filter(assignment__account__in=list_owned(user).values()).values("record")
    return Record.objects.filter(Q(pk__in=find_own_records(user).values("pk")) | Q(pk__in=wanting) | Q(pk__in=owned))


def _refuse() -> NoReturn:
    raise PermissionDenied


# --- Owning -----------------------------------------------------------------------------------------------------------


def find_principal_id(user: User) -> str:
    """The user's own principal id; empty where Identity Center does not know him."""
    principal = user.person.principal if user.person else None
    return principal.principal_id or "" if principal and principal.is_enabled and principal.gone_at is None else ""


def owns_account(user: User, account: Account, register: Register | None = None) -> bool:
    """Whether he is one of the account's owners: by entry, tag or unit, himself or through a group.

    register: one that knows the account, where it is loaded already.
    """
    known = register or load_register([account.account_id])
    return known.owns(find_principal_id(user), account.account_id)


def may_change(user: User) -> bool:
    """Auditors read everything and change nothing, whatever they own. An admin is an admin."""
    return user.is_staff or not user.is_auditor


def may_freeze(user: User, account: Account, register: Register | None = None) -> bool:
    """Whether he may let nobody new into the account, and let them in again: its owners and admins."""
    return user.is_staff or (may_change(user) and owns_account(user, account, register))


def owned_accounts(user: User) -> QuerySet[Account]:
    """The accounts that the user owns."""
    return Account.objects.filter(pk__in=list_owned(user).values())


def list_owned(user: User) -> Mapping[str, int]:
    """The ids of the accounts that he owns → their rows."""
    return _find_owned(user).accounts


def _find_owned(user: User) -> Owned:
    """Found out once for each request, which has its own user."""
    known: dict[str, Owned] = vars(user)
    if _OWNED not in known:
        principal = user.person.principal if user.person and find_principal_id(user) else None
        known[_OWNED] = load_owned(principal, [*_list_groups(user).values()]) if principal else Owned({})
    return known[_OWNED]


_OWNED = "_owned_accounts"


def load_own_register(user: User, accounts: Collection[str]) -> Register:
    """The register of these accounts. For an owner, all of whose places are looked through, it asks for people only."""
    places = _find_owned(user).places
    return load_register(accounts, places=places.narrow(accounts) if places else None)


def may_widen(user: User, account: Account) -> bool:
    """Whether he may register access to the account, widen or lengthen it: its owners, where it is not protected."""
    if user.is_staff:
        return True
    register = load_register([account.account_id])
    if not may_change(user) or register.is_protected(account.account_id):
        return False
    return register.owns(find_principal_id(user), account.account_id)


def may_edit_record(user: User, record: Record) -> bool:
    """Whether he may narrow the record: its owners and author, the owners of its account, admins.

    Widening it is another matter: see `may_widen`. Owners are those in force, not those of a revision nobody judged.
    """
    if user.is_staff or not may_change(user):
        return user.is_staff
    codes = find_codes(user)
    in_force = record.in_force or {}
    if codes and not codes.isdisjoint(fold(code) for code in in_force.get("owners", ())):
        return True
    if _is_author(user, record, codes):
        return True
    account_id = in_force.get("account_id", "")
    return bool(account_id) and load_register([account_id]).owns(find_principal_id(user), account_id)


def _is_author(user: User, record: Record, codes: Collection[str]) -> bool:
    first = PortalWrite.objects.filter(app_id=record.app_id, record_id=record.record_id, revision=1).first()
    return first.user_id == user.pk if first and first.is_of(record) else fold(record.creator_code) in codes


def list_codes(user: User) -> frozenset[str]:
    """`find_codes`, found out once for each request."""
    known: dict[str, frozenset[str]] = vars(user)
    if _CODES not in known:
        known[_CODES] = find_codes(user)
    return known[_CODES]


_CODES = "_kintone_codes"


def find_codes(user: User) -> frozenset[str]:
    """The folded kintone codes that mean this user."""
    person = user.person
    if person is None:
        return frozenset()
    links = PrincipalLink.objects.filter(source=PrincipalLink.Source.KINTONE_USER, principal=person.principal_id)
    linked = links.values_list("key", flat=True) if person.principal_id else ()
    return frozenset({fold(person.kintone_code), *linked} - {""})
