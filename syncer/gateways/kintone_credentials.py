"""Who asks kintone: API tokens of apps, a user with his password, or a bearer of a token. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_TOKENS = 9  # of one request


@dataclass(frozen=True)
class ApiTokens:
    """Tokens of apps: the one that is asked about, and those that it looks up from. They write as Administrator."""

    tokens: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.tokens) > MOST_TOKENS:
            raise ValueError(f"kintone takes {MOST_TOKENS} API tokens at most, not {len(self.tokens)}")

    def headers(self) -> Mapping[str, str]:
        return {"X-Cybozu-API-Token": _in_latin(",".join(self.tokens))}


@dataclass(frozen=True)
class Password:
    """A user's login name and password. Where the company demands SAML, kintone takes only administrators' ones."""

    login: str
    password: str = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return {"X-Cybozu-Authorization": base64.b64encode(f"{self.login}:{self.password}".encode()).decode()}


@dataclass(frozen=True)
class Bearer:
    """An OAuth access token, which acts as its user; or a User API token, which reads the directory of users."""

    token: str = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": _in_latin(f"Bearer {self.token}")}


Credentials = ApiTokens | Password | Bearer


def _in_latin(text: str) -> str:
    """http.client writes headers in Latin-1; so a token that was pasted wrong is refused by kintone, not by Python."""
    return text.encode().decode("latin-1")
