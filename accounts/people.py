"""Linking a sign-in to the person it belongs to (design: by externalId, else by UPN; never by mail, never guests)."""

from django.conf import settings
from django.db import transaction

from accounts.models import Person, Principal, User
from accounts.names import fold


def link_sign_in(user: User) -> None:
    """Give the sign-in its person: the one it has, the one Identity Center knows, else a new one.

    A person who is linked to another sign-in is never taken over: a UPN can be given to somebody else.
    """
    with transaction.atomic():
        if user.person is not None and user.person.principal is not None:
            return
        principal = _find_principal(user)
        person = _take_person(principal, user)
        if person.pk != user.person_id:
            user.person = person
            user.save(update_fields=["person"])


def _find_principal(user: User) -> Principal | None:
    users = Principal.objects.filter(type=Principal.Type.USER, principal_id__isnull=False, gone_at__isnull=True)
    by_id = list(users.filter(external_id__iexact=user.entra_oid)[:2]) if user.entra_oid else []
    if len(by_id) == 1:
        return by_id[0]
    if by_id or user.is_guest or not settings.IDENTITY_MATCH_UPN:
        return None
    names = {fold(name) for name in (user.upn or user.preferred_username,) if name}
    by_name = list(users.filter(name_key__in=names)[:2])
    return by_name[0] if len(by_name) == 1 else None


def _take_person(principal: Principal | None, user: User) -> Person:
    if principal is None or _is_taken(principal, user):
        return user.person or Person.objects.create(name=user.display_name, email=user.email)
    person, _created = Person.objects.get_or_create(
        principal=principal, defaults={"name": user.display_name, "email": user.email}
    )
    return person


def _is_taken(principal: Principal, user: User) -> bool:
    return User.objects.filter(person__principal=principal).exclude(pk=user.pk).exists()
