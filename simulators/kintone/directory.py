"""The people of a kintone domain and their credentials: users, groups, organizations and tokens."""

from dataclasses import dataclass, field
from typing import Any, Literal

from simulators.kintone.errors import fail

Right = Literal["view", "add", "edit", "delete", "manage"]
RIGHTS: tuple[Right, ...] = ("view", "add", "edit", "delete", "manage")

# The user in whose name API tokens write.
ADMINISTRATOR = "Administrator"
# The group of those who administer the domain. It may do everything in every app.
ADMINISTRATORS = "Administrators"

# What an OAuth scope lets a client do, of what its user may.
SCOPES: dict[str, frozenset[Right]] = {
    "k:app_record:read": frozenset({"view"}),
    "k:app_record:write": frozenset({"add", "edit", "delete"}),
    "k:app_settings:read": frozenset({"manage"}),
    "k:app_settings:write": frozenset({"manage"}),
}

# Groups that every domain has, by code.
BUILT_IN_GROUPS = {"everyone": "Everyone", ADMINISTRATORS: "Administrators"}

_UNKNOWN = {
    "USER": "GAIA_IL26",
    "USER_SELECT": "GAIA_IL26",
    "GROUP": "GAIA_IL27",
    "GROUP_SELECT": "GAIA_IL27",
    "ORGANIZATION": "GAIA_IL28",
    "ORGANIZATION_SELECT": "GAIA_IL28",
}


@dataclass(frozen=True)
class User:
    """One user. `code` is the login name; a user without a password cannot sign in with one."""

    id: int
    code: str
    name: str
    email: str
    password: str | None
    valid: bool
    created_at: str
    timezone: str = "Asia/Tokyo"
    language: str = "auto"  # "ja", "en", or "auto": as the browser (Accept-Language) says
    organization: str | None = None

    def profile(self) -> dict[str, Any]:
        """This user as GET /v1/users.json shows him."""
        return {
            "id": str(self.id),
            "code": self.code,
            "ctime": self.created_at,
            "mtime": self.created_at,
            "valid": self.valid,
            "name": self.name,
            "surName": self.name,
            "givenName": "",
            "surNameReading": "",
            "givenNameReading": "",
            "localName": "",
            "localNameLocale": "ja",
            "timezone": self.timezone,
            "locale": self.language,
            "description": "",
            "phone": "",
            "mobilePhone": "",
            "extensionNumber": "",
            "email": self.email,
            "callto": "",
            "url": "",
            "employeeNumber": "",
            "birthDate": None,
            "joinDate": None,
            "primaryOrganization": None,
            "sortOrder": None,
            "customItemValues": [],
        }


@dataclass(frozen=True)
class Token:
    """An API token of some apps, or an OAuth access token of a user with scopes."""

    rights: frozenset[Right]
    app_ids: frozenset[int] = frozenset()
    user: str = ""


@dataclass
class Directory:
    """Everybody a record may name and everything that opens the door, by code or by the token itself."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    organizations: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    oauth_tokens: dict[str, Token] = field(default_factory=dict)
    users_tokens: set[str] = field(default_factory=set)
    members: dict[str, set[str]] = field(default_factory=dict)  # user codes by group

    def entity(self, kind: str, code: str) -> dict[str, str]:
        """Somebody as records show him. One who is gone is shown by his code."""
        return {"code": code, "name": self._find_name(kind, code) or code}

    def require(self, kind: str, code: str) -> None:
        """Raises GAIA_IL26, GAIA_IL27 or GAIA_IL28 unless the user, group or organization is there."""
        if self._find_name(kind, code) is None:
            raise fail(_UNKNOWN[kind], code=code)

    def is_member(self, user: str, group: str) -> bool:
        if group == "everyone" or (group == ADMINISTRATORS and user == ADMINISTRATOR):
            return True
        return user in self.members.get(group, ())

    def _find_name(self, kind: str, code: str) -> str | None:
        if kind.startswith("GROUP"):
            return self.groups.get(code) or BUILT_IN_GROUPS.get(code)
        if kind.startswith("ORGANIZATION"):
            return self.organizations.get(code)
        user = self.users.get(code)
        return user.name if user else None
