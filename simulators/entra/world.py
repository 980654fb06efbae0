"""What the simulated tenant knows: people, app registrations, keys, and who is signed in where.

Knows nothing of HTTP. One lock guards everything; what is handed out is frozen. Authorization codes live only in
memory: they are worth nothing after ten minutes anyway.
"""

import hashlib
import hmac
import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from simulators.clock import Clock
from simulators.entra.errors import EntraError
from simulators.entra.keys import Certificate, SigningKey, encode_base64url
from simulators.serving import Request, Response

# The facts: "Codes live about 10 minutes".
CODE_LIFETIME = timedelta(minutes=10)

OPTIONAL_CLAIMS = ("acct", "auth_time", "email", "login_hint", "sid", "upn")

Tamper = Callable[[dict[str, Any], dict[str, Any]], str | None]
Intercept = Callable[[str, Request], Response | None]


@dataclass(frozen=True)
class Person:
    """A user object of the tenant. A guest's `upn` has the form `name_home.example#EXT#@tenant.example`."""

    oid: str
    upn: str
    name: str
    email: str | None = None
    roles: tuple[str, ...] = ()
    is_guest: bool = False
    is_disabled: bool = False
    groups: tuple[str, ...] = ()

    @property
    def preferred_username(self) -> str:
        """What the person types to sign in: guests their address at home."""
        local, separator, _tenant = self.upn.partition("#EXT#")
        if not separator:
            return self.upn
        name, _underscore, domain = local.rpartition("_")
        return self.email or f"{name}@{domain}"

    @property
    def login_hint(self) -> str:
        """The opaque value of the `login_hint` claim."""
        return "O." + encode_base64url(f"{self.oid}:{self.preferred_username}".encode())

    def is_hinted(self, hint: str) -> bool:
        """`hint` means this person: the claim's value, or the name typed at sign-in."""
        return hint == self.login_hint or hint.casefold() in (self.upn.casefold(), self.preferred_username.casefold())


@dataclass(frozen=True)
class Client:
    """An app registration. `secret` or `certificate_pem` (or both) is its credential."""

    client_id: str
    secret: str | None
    redirect_uris: tuple[str, ...]
    post_logout_uris: tuple[str, ...] = ()
    certificate_pem: str | None = None
    optional_claims: tuple[str, ...] = OPTIONAL_CLAIMS


@dataclass(frozen=True)
class SignedIn:
    """A person signed in in one browser. `auth_time` is in seconds since 1970."""

    oid: str
    sid: str
    auth_time: int


@dataclass(frozen=True)
class Grant:
    """What an authorization code stands for."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    nonce: str
    code_challenge: str
    signed_in: SignedIn
    expires_at: datetime


@dataclass
class _Code:
    grant: Grant
    is_redeemed: bool = False


@dataclass
class _Stored:
    people: dict[str, Person] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    keys: list[SigningKey] = field(default_factory=list)
    sessions: dict[str, dict[str, SignedIn]] = field(default_factory=dict)
    interaction_due: set[str] = field(default_factory=set)


class EntraWorld:
    """One tenant. The same seed gives the same tenant id and the same `sub` for a person; keys are new and kept in
    the state.

    Test hooks: `tamper(claims, headers)` sees each ID token before it is signed and may change both, or return a text
    that is sent in its place; `intercept(endpoint, request)` may answer instead of an endpoint (`discovery`, `keys`,
    `authorize`, `login`, `token`, `logout`) or raise `Hangup`; `calls` counts requests by endpoint.
    """

    def __init__(self, seed: str, tenant_id: str | None = None, clock: Clock | None = None) -> None:
        self.seed = seed
        self.tenant_id = tenant_id or str(uuid.UUID(bytes=self._derive("tenant")[:16], version=4))
        self.clock = clock or Clock()
        self.on_change: Callable[[], None] | None = None
        self.tamper: Tamper | None = None
        self.intercept: Intercept | None = None
        self.calls: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._stored = _Stored()
        self._codes: dict[str, _Code] = {}

    def _derive(self, purpose: str) -> bytes:
        return hmac.digest(self.seed.encode(), purpose.encode(), "sha256")

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()

    def count_call(self, endpoint: str) -> None:
        with self._lock:
            self.calls[endpoint] += 1

    # --- people and apps

    def add_person(
        self,
        oid: str,
        upn: str,
        name: str,
        *,
        email: str | None = None,
        roles: Iterable[str] = (),
        guest: bool = False,
        disabled: bool = False,
        groups: Iterable[str] = (),
    ) -> Person:
        """Add a person, or replace the one with this object id. `groups` are object ids."""
        person = Person(oid.lower(), upn, name, email, tuple(roles), guest, disabled, tuple(groups))
        with self._lock:
            self._stored.people[person.oid] = person
        self._changed()
        return person

    def update_person(self, oid: str, **changes: Any) -> Person:
        """Change named fields of a person, e.g. `roles=()` or `is_disabled=True`."""
        with self._lock:
            person = replace(self._stored.people[oid], **changes)
            self._stored.people[oid] = person
        self._changed()
        return person

    def list_people(self) -> list[Person]:
        with self._lock:
            return list(self._stored.people.values())

    def find_person(self, oid: str) -> Person | None:
        with self._lock:
            return self._stored.people.get(oid)

    def demand_interaction(self, oid: str) -> None:
        """As if Conditional Access asked for a second factor: no silent sign-in until the next visible one."""
        with self._lock:
            self._stored.interaction_due.add(oid)
        self._changed()

    def is_interaction_due(self, oid: str) -> bool:
        with self._lock:
            return oid in self._stored.interaction_due

    def add_client(
        self,
        client_id: str,
        secret: str | None,
        redirect_uris: Iterable[str],
        post_logout_uris: Iterable[str] = (),
        certificate_pem: str | None = None,
        *,
        optional_claims: Iterable[str] = OPTIONAL_CLAIMS,
    ) -> Client:
        """Register an app, or replace the registration of this id."""
        client = Client(
            client_id, secret, tuple(redirect_uris), tuple(post_logout_uris), certificate_pem, tuple(optional_claims)
        )
        with self._lock:
            self._stored.clients[client_id] = client
        self._changed()
        return client

    def find_client(self, client_id: str) -> Client | None:
        with self._lock:
            return self._stored.clients.get(client_id)

    def list_return_uris(self) -> frozenset[str]:
        """Every address a browser may be sent to after signing out."""
        with self._lock:
            return frozenset(
                uri
                for client in self._stored.clients.values()
                for uri in client.redirect_uris + client.post_logout_uris
            )

    def derive_subject(self, client_id: str, oid: str) -> str:
        """The pairwise `sub`: another one for each app registration."""
        return encode_base64url(self._derive(f"sub:{client_id}:{oid}"))

    # --- keys

    def list_keys(self) -> list[SigningKey]:
        """The published keys, at least two; the last one signs."""
        with self._lock:
            made = [SigningKey.make(self.clock.now()) for _missing in range(len(self._stored.keys), 2)]
            self._stored.keys.extend(made)
            keys = list(self._stored.keys)
        if made:
            self._changed()
        return keys

    def rotate_key(self, *, retire_old: bool = False) -> SigningKey:
        """Sign with a new key from now on. `retire_old` is the emergency roll: the others are published no more."""
        keys = [] if retire_old else self.list_keys()
        new = SigningKey.make(self.clock.now())
        spare = [SigningKey.make(self.clock.now())] if retire_old else []
        with self._lock:
            self._stored.keys = [*keys, *spare, new]
        self._changed()
        return new

    # --- browsers

    def list_signed_in(self, session_id: str) -> list[SignedIn]:
        """Who is signed in in the browser with this cookie; nobody for an unknown one."""
        with self._lock:
            return list(self._stored.sessions.get(session_id, {}).values())

    def sign_in(self, session_id: str, oid: str) -> tuple[str, SignedIn]:
        """Sign a person in, and return the browser's session id: the one given, or a new one when it is unknown."""
        signed_in = SignedIn(oid, str(uuid.uuid4()), int(self.clock.now().timestamp()))
        with self._lock:
            known = session_id if session_id in self._stored.sessions else secrets.token_urlsafe(32)
            self._stored.sessions.setdefault(known, {})[oid] = signed_in
            self._stored.interaction_due.discard(oid)
        self._changed()
        return known, signed_in

    def sign_out(self, session_id: str, oid: str | None = None) -> None:
        """End one person's session in this browser, or everybody's."""
        with self._lock:
            accounts = self._stored.sessions.get(session_id, {})
            accounts.pop(oid, None) if oid else accounts.clear()
            if not accounts:
                self._stored.sessions.pop(session_id, None)
        self._changed()

    # --- codes

    def issue_code(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        scopes: frozenset[str],
        nonce: str,
        code_challenge: str,
        signed_in: SignedIn,
    ) -> str:
        now = self.clock.now()
        grant = Grant(client_id, redirect_uri, scopes, nonce, code_challenge, signed_in, now + CODE_LIFETIME)
        code = f"1.{secrets.token_urlsafe(64)}"
        with self._lock:
            self._codes = {
                key: value for key, value in self._codes.items() if value.grant.expires_at > now - CODE_LIFETIME
            }
            self._codes[code] = _Code(grant)
        return code

    def redeem_code(self, code: str) -> Grant:
        """What the code stands for, once. Raises EntraError when it is unknown, used or too old."""
        with self._lock:
            known = self._codes.get(code)
            if known is None:
                raise EntraError("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
            if known.is_redeemed:
                raise EntraError("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.")
            if known.grant.expires_at <= self.clock.now():
                raise EntraError("invalid_grant", 70008, "The provided authorization code has expired.")
            known.is_redeemed = True
            return known.grant

    # --- state

    def to_state(self) -> dict[str, Any]:
        """Everything but authorization codes, ready for JSON."""
        with self._lock:
            return {
                "seed": self.seed,
                "tenant_id": self.tenant_id,
                "people": [asdict(person) for person in self._stored.people.values()],
                "clients": [asdict(client) for client in self._stored.clients.values()],
                "keys": [asdict(key.certificate) for key in self._stored.keys],
                "sessions": {
                    session_id: [asdict(signed_in) for signed_in in accounts.values()]
                    for session_id, accounts in self._stored.sessions.items()
                },
                "interaction_due": sorted(self._stored.interaction_due),
            }

    @classmethod
    def from_state(cls, state: dict[str, Any], clock: Clock | None = None) -> "EntraWorld":
        world = cls(state["seed"], state["tenant_id"], clock)
        people = [
            Person(**{**row, "roles": tuple(row["roles"]), "groups": tuple(row["groups"])}) for row in state["people"]
        ]
        world._stored = _Stored(
            people={person.oid: person for person in people},
            clients={row["client_id"]: _load_client(row) for row in state["clients"]},
            keys=[SigningKey(Certificate(**row)) for row in state["keys"]],
            sessions={
                session_id: {row["oid"]: SignedIn(**row) for row in rows}
                for session_id, rows in state["sessions"].items()
            },
            interaction_due=set(state["interaction_due"]),
        )
        return world


def _load_client(row: dict[str, Any]) -> Client:
    lists = {name: tuple(row[name]) for name in ("redirect_uris", "post_logout_uris", "optional_claims")}
    return Client(**{**row, **lists})


def challenge_of(code_verifier: str) -> str:
    """PKCE's S256 challenge of a verifier (RFC 7636 §4.2)."""
    return encode_base64url(hashlib.sha256(code_verifier.encode()).digest())
