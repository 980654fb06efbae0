"""How requests to the API sign in, and how many there may be."""

from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import SimpleRateThrottle

from accounts.models import AccessToken, User
from accounts.tokens import TokenRefused, find_token
from portal.api.refusals import Refused

RATE = "300/m"  # of one token


class TokenAuth(HttpBearer):
    """`Authorization: Bearer gnk_…` with a token that has the scope. A browser's session is not looked at."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> AccessToken:
        try:
            found = find_token(token)
        except TokenRefused as refusal:
            raise Refused(401, refusal.code, **refusal.params) from None
        if not found.may(self.scope):
            raise Refused(403, "token_scope", scope=self.scope)
        request.user = found.user
        return found


READ, WRITE, CLI = (TokenAuth(scope) for scope in ("read", "write", "cli"))


class TokenThrottle(SimpleRateThrottle):
    """So many requests in any minute, counted by token."""

    scope = "token"

    def get_cache_key(self, request: HttpRequest) -> str | None:
        return f"api_{token_of(request).pk}"


def user_of(request: HttpRequest) -> User:
    """Whom the token stands for, with that person's rights and no more."""
    return token_of(request).user


def token_of(request: HttpRequest) -> AccessToken:
    """The token of a request that came through `TokenAuth`."""
    token = getattr(request, "auth", None)
    if not isinstance(token, AccessToken):
        raise Refused(401, "token_missing")
    return token
