"""Who is calling, and what he may do: passwords, API tokens, OAuth and User API tokens.

kintone looks at one scheme only: a password before API tokens before a bearer token.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulators.kintone.directory import ADMINISTRATOR, RIGHTS, Directory, Right
from simulators.kintone.errors import ApiError, fail

MAX_TOKENS = 9  # in one request


@dataclass(frozen=True)
class Caller:
    """Somebody who may call. `user` is the author of what he writes.

    `app_rights` is None for a user, who may do what the app grants him, as far as `rights` allow.
    """

    user: str
    app_rights: Mapping[int, frozenset[Right]] | None = None
    rights: frozenset[Right] = field(default_factory=lambda: frozenset(RIGHTS))
    directory_only: bool = False
    granted: Callable[[str, int], frozenset[Right]] | None = None  # by user and app

    @property
    def is_token(self) -> bool:
        return self.app_rights is not None

    def may(self, app_id: int, *rights: Right) -> bool:
        """Whether he has one of `rights` in the app."""
        return not self._held(app_id).isdisjoint(rights)

    def _held(self, app_id: int) -> frozenset[Right]:
        if self.app_rights is not None:
            return self.app_rights.get(app_id, frozenset())
        return self.rights & self.granted(self.user, app_id) if self.granted else self.rights

    def require(self, app_id: int, *rights: Right) -> None:
        if not self.may(app_id, *rights):
            raise self.refusal(app_id)

    def require_user(self) -> None:
        """Raises GAIA_NO01 for tokens: the call belongs to no app."""
        if self.is_token:
            raise fail("GAIA_NO01")

    def refusal(self, app_id: int) -> ApiError:
        if self.app_rights is None:
            return fail("CB_NO02")
        return fail("GAIA_NO01") if app_id in self.app_rights else fail("GAIA_AP15", app=app_id)


def authenticate(directory: Directory, headers: Mapping[str, str]) -> Caller:
    """The caller these headers (keyed in lower case) prove.

    Raises CB_AU01 without a credential, CB_WA01 for a wrong password, GAIA_IA02 for an unknown token,
    GAIA_DA03 for two tokens of one app, CB_VA01 for more than nine.
    """
    if credential := headers.get("x-cybozu-authorization"):
        return _by_password(directory, credential)
    if tokens := headers.get("x-cybozu-api-token"):
        return _by_api_tokens(directory, [token.strip() for token in tokens.split(",")])
    if authorization := headers.get("authorization"):
        return _by_bearer(directory, authorization)
    raise fail("CB_AU01")


def _by_password(directory: Directory, credential: str) -> Caller:
    try:
        code, _, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise fail("CB_WA01") from error
    user = directory.users.get(code)
    if user is None or not user.valid or user.password is None or user.password != password:
        raise fail("CB_WA01")
    return Caller(code)


def _by_api_tokens(directory: Directory, tokens: list[str]) -> Caller:
    if len(tokens) > MAX_TOKENS:
        raise fail("CB_VA01")
    rights: dict[int, frozenset[Right]] = {}
    for text in tokens:
        token = directory.tokens.get(text)
        if token is None:
            raise fail("GAIA_IA02")
        if not token.app_ids.isdisjoint(rights):
            raise fail("GAIA_DA03")
        rights |= dict.fromkeys(token.app_ids, token.rights)
    return Caller(ADMINISTRATOR, rights)


def _by_bearer(directory: Directory, authorization: str) -> Caller:
    scheme, _, text = authorization.rpartition(" ")
    if text in directory.users_tokens:
        return Caller(ADMINISTRATOR, {}, directory_only=True)
    token = directory.oauth_tokens.get(text)
    if token is None or scheme != "Bearer":
        raise fail("CB_AU01")
    return Caller(token.user, rights=token.rights)
