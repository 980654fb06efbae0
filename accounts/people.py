"""Linking a sign-in to the person it belongs to (design: by externalId, else by UPN; never by mail, never guests)."""

from django.conf import settings
from django.db import transaction

from accounts.models import Person, Principal, User
from accounts.names import fold
from accounts.stops import find_lock_out


def link_sign_in(user: User, *, is_live: bool = True) -> None:
    """Give the sign-in its person: the one it has, the one Identity Center knows, else a new one.

    A person who is linked to another sign-in is never taken over: a UPN can be given to somebody else. For the same
    reason it counts only at the moment of signing in (`is_live`); later it may be another's.
    """
    with transaction.atomic():
        present = user.person.principal if user.person else None
        if present is not None and present.gone_at is None:
            return
        principal = _find_principal(user, by_name=is_live)
        if present is not None:
            _follow_sign_in(user, present, principal)
            return
        person = _take_person(principal, user)
        if person.pk != user.person_id:
            user.person = person
            user.save(update_fields=["person"])


def _follow_sign_in(user: User, present: Principal, found: Principal | None) -> None:
    """Whom he was linked to is gone, and the same person is there under a new id."""
    ids = {present.external_id, user.entra_oid}
    if found is not None and found.external_id in ids and not _is_taken(found, user):
        move_person(present, found)
        user.refresh_from_db(fields=["person"])


def move_person(before: Principal, after: Principal) -> None:
    """The same human has another id in Identity Center: his sign-in, kintone code, page and lock-out go with him."""
    _lock_out_too(before, after)
    person = Person.objects.filter(principal=before).first()
    if person is None or User.objects.filter(person__principal=after).exists():
        return
    Person.objects.filter(principal=after).delete()
    person.principal = after
    person.save(update_fields=["principal"])


def _lock_out_too(before: Principal, after: Principal) -> None:
    """A lock-out holds for the human, also where neither object id nor UserName shows that it is he."""
    stop = find_lock_out(before)
    if stop and find_lock_out(after) is None:
        stop.pk, stop.principal = None, after
        stop.save(force_insert=True)


def _find_principal(user: User, *, by_name: bool) -> Principal | None:
    users = Principal.objects.filter(type=Principal.Type.USER, principal_id__isnull=False, gone_at__isnull=True)
    by_id = list(users.filter(external_id__iexact=user.entra_oid)[:2]) if user.entra_oid else []
    if len(by_id) == 1:
        return by_id[0]
    if by_id or not by_name or user.is_guest or not settings.IDENTITY_MATCH_UPN:
        return None
    names = {fold(name) for name in (user.upn or user.preferred_username,) if name}
    namesakes = list(users.filter(name_key__in=names)[:2])
    return namesakes[0] if len(namesakes) == 1 else None


def _take_person(principal: Principal | None, user: User) -> Person:
    if principal is None or _is_taken(principal, user):
        return user.person or Person.objects.create(name=user.display_name, email=user.email)
    person, _created = Person.objects.get_or_create(
        principal=principal, defaults={"name": user.display_name, "email": user.email}
    )
    return person


def _is_taken(principal: Principal, user: User) -> bool:
    return User.objects.filter(person__principal=principal).exclude(pk=user.pk).exists()
