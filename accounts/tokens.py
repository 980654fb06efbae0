"""Making, finding and revoking personal access tokens."""

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import may_change
from accounts.audit import record_event
from accounts.models import AccessToken, User
from accounts.stops import find_lock_out

PREFIX = "gnk_"  # scanners of leaked secrets, and people, know it by that
MOST = 20  # of one person at a time
LONGEST = timedelta(days=365)
SIGN_IN_WITHIN = timedelta(days=30)  # roles and leaving are learnt at sign-ins: a token does not outlive them for long
_USED_EVERY = timedelta(minutes=1)  # how exactly the last use is known


class TokenRefused(Exception):
    """Why a token is not made or not taken, as the code of a sentence."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@transaction.atomic
def make_token(request: HttpRequest, user: User, name: str, scope: str, lifetime: timedelta) -> tuple[AccessToken, str]:
    """A new token, and its text, which nobody can read again. Raises TokenRefused, PermissionDenied, ValueError."""
    if not timedelta(0) < lifetime <= LONGEST:
        raise ValueError(f"a token does not live for {lifetime}")
    if scope == AccessToken.Scope.WRITE and not may_change(user):
        raise PermissionDenied
    User.objects.select_for_update().get(pk=user.pk)  # two forms at once count one after the other
    if list_valid(user).count() >= MOST:
        raise TokenRefused("token_too_many", limit=MOST)
    text = PREFIX + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        user=user, name=name, scope=scope, digest=_digest(text), hint=text[: len(PREFIX) + 6],
        expires_at=timezone.now() + lifetime,
    )  # fmt: skip
    after = {"scope": scope, "expires_at": token.expires_at.isoformat()}
    record_event("token.make", request=request, obj=("token", str(token.pk), str(token)), after=after)
    return token, text


def list_valid(user: User) -> QuerySet[AccessToken]:
    """The person's tokens that are good now."""
    return AccessToken.objects.filter(user=user, revoked_at=None, expires_at__gt=timezone.now())


@transaction.atomic
def revoke(request: HttpRequest, token: AccessToken) -> bool:
    """End it now; False if it is over already. The caller checks who may."""
    valid = AccessToken.objects.filter(pk=token.pk, revoked_at=None, expires_at__gt=timezone.now())
    if not valid.update(revoked_at=timezone.now()):
        return False
    record_event("token.revoke", request=request, obj=("token", str(token.pk), str(token)))
    return True


def find_token(text: str) -> AccessToken:
    """The token with its user, noted as used. Raises TokenRefused."""
    tokens = AccessToken.objects.select_related("user__person__principal")
    token = tokens.filter(digest=_digest(text)).first() if text.startswith(PREFIX) else None
    if token is None or token.is_over or not _is_welcome(token.user):
        raise TokenRefused("token_wrong")
    signed_in = token.user.last_login
    if signed_in is None or signed_in < timezone.now() - SIGN_IN_WITHIN:
        raise TokenRefused("token_sign_in", days=SIGN_IN_WITHIN.days)
    _note_use(token)
    return token


def _is_welcome(user: User) -> bool:
    """Not barred from the portal, not locked out, and still with the company."""
    principal = user.person.principal if user.person else None
    if principal is not None and (not principal.is_enabled or principal.gone_at is not None):
        return False
    return user.is_active and find_lock_out(principal) is None


def _note_use(token: AccessToken) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_EVERY)
    AccessToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
