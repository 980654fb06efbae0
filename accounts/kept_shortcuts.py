"""Keeping shortcuts: who sees which, who may change one, and the addresses that go on leading to it."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import slugify

from accounts.access import list_owned, may_change, owned_accounts
from accounts.audit import record_event
from accounts.cli.naming import to_ascii
from accounts.models import Account, Shortcut, ShortcutSlug, User, Visit

LONGEST_SLUG = 60


class SlugTaken(Exception):
    """Another shortcut has this address, or had it once."""


def visible_shortcuts(user: User) -> QuerySet[Shortcut]:
    """One's own, those of the accounts one owns, and those for everybody. Admins and auditors see all but private ones.

    A company-wide one shows the name of its account to everybody: whoever shares it says so.
    """
    shared = Q(audience=Shortcut.Audience.COMPANY)
    if user.may_see_everything:
        shared |= Q(audience=Shortcut.Audience.TEAM)
    else:
        shared |= Q(audience=Shortcut.Audience.TEAM, account__in=owned_accounts(user).values("pk"))
    return Shortcut.objects.filter(shared | Q(author=user)).select_related("account__ou", "author")


def find_broken(user: User, *, is_mine: bool = False) -> QuerySet[Shortcut]:
    """Those with which the weekly check found something wrong, of all that he sees, or of his own.

    His own are those that he made, and the shared ones of accounts that he owns: somebody is left to mend them.
    """
    broken = visible_shortcuts(user).exclude(problem={})
    if not is_mine:
        return broken
    shared = ~Q(audience=Shortcut.Audience.PRIVATE) & Q(account__in=owned_accounts(user).values("pk"))
    return broken.filter(Q(author=user) | shared)


def find_editable(user: User, shortcuts: Iterable[Shortcut]) -> frozenset[int]:
    """Which of these he may change, by row: his own; of those that others see also the ones of accounts he owns.

    Admins change all that others see. As many statements for fifty as for one.
    """
    if not may_change(user):
        return frozenset()
    owned = set(list_owned(user).values())
    return frozenset(row.pk for row in shortcuts if row.author_id == user.pk or _is_shared_with(user, row, owned))


def _is_shared_with(user: User, shortcut: Shortcut, owned: Collection[int]) -> bool:
    return shortcut.audience != Shortcut.Audience.PRIVATE and (user.is_staff or shortcut.account_id in owned)


def may_edit_shortcut(user: User, shortcut: Shortcut) -> bool:
    return shortcut.pk in find_editable(user, [shortcut])


def find_by_slug(user: User, slug: str) -> Shortcut | None:
    """The shortcut that has or once had this address, if the user sees it."""
    return visible_shortcuts(user).filter(slugs__slug=slug.lower()).first()


@transaction.atomic
def keep_shortcut(
    request: HttpRequest, user: User, values: Mapping[str, Any], shortcut: Shortcut | None = None
) -> Shortcut:
    """Store a new shortcut, or other values of one. Raises PermissionDenied and SlugTaken.

    values: fields of the model; an empty `slug` becomes one made of the name.
    """
    kept = shortcut or Shortcut(author=user)
    if not (may_edit_shortcut(user, kept) if shortcut else may_change(user)):
        raise PermissionDenied
    before = kept.as_json() if shortcut else None
    for name, value in values.items():
        setattr(kept, name, value)
    kept.slug = _choose_slug(kept)
    if ShortcutSlug.objects.filter(slug=kept.slug).exclude(shortcut=shortcut).exists():
        raise SlugTaken(kept.slug)
    kept.problem = {}
    kept.save()
    ShortcutSlug.objects.get_or_create(slug=kept.slug, defaults={"shortcut": kept})
    action = "shortcut.change" if shortcut else "shortcut.keep"
    obj = ("shortcut", str(kept.pk), kept.name)
    record_event(action, request=request, obj=obj, before=before, after=kept.as_json())
    return kept


def _choose_slug(shortcut: Shortcut) -> str:
    """What was chosen, else the name in Latin letters, with something to tell it from others where it is taken."""
    if shortcut.slug:
        return shortcut.slug.lower()
    plain = slugify(to_ascii(shortcut.name))[: LONGEST_SLUG - 5] or "go"
    taken = ShortcutSlug.objects.filter(slug=plain).exists()
    return f"{plain}-{secrets.token_hex(2)}" if taken else plain


@transaction.atomic
def drop_shortcut(request: HttpRequest, user: User, shortcut: Shortcut) -> None:
    """Delete it, with its addresses. Raises PermissionDenied."""
    if not may_edit_shortcut(user, shortcut):
        raise PermissionDenied
    obj = ("shortcut", str(shortcut.pk), shortcut.name)
    record_event("shortcut.drop", request=request, obj=obj, before=shortcut.as_json())
    shortcut.delete()


# --- What each person uses --------------------------------------------------------------------------------------------


def note_visit(user: User, account: Account, permission_set: str, shortcut: Shortcut | None = None) -> None:
    """Somebody went there: for his own order of things, and for the shortcut's count."""
    place = {"shortcut": shortcut} if shortcut else {"account": account, "permission_set": permission_set}
    _touch(user, place)
    if shortcut:
        Shortcut.objects.filter(pk=shortcut.pk).update(uses=F("uses") + 1, used_at=timezone.now())
        _touch(user, {"account": account, "permission_set": permission_set})


def _touch(user: User, place: Mapping[str, Any]) -> None:
    visit, _created = Visit.objects.get_or_create(user=user, **place)
    Visit.objects.filter(pk=visit.pk).update(count=F("count") + 1, last_at=timezone.now())


def pin(user: User, place: Mapping[str, Any], *, is_pinned: bool) -> None:
    """Let a place stand first on one's home page, or no more. `place`: a shortcut, or an account and a set."""
    visit, _created = Visit.objects.get_or_create(user=user, **place)
    Visit.objects.filter(pk=visit.pk).update(is_pinned=is_pinned)
