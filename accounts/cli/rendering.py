"""`~/.aws/config` for what a person may enter, for AWS CLI v2 and the SDKs. Pure.

One sign-in (`aws sso login`) serves all profiles, because all name the same sso-session.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.cli.naming import Profile

SESSION_NAME = "genkan"
LOGIN_COMMAND = f"aws sso login --sso-session {SESSION_NAME}"
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", re.ASCII)


@dataclass(frozen=True)
class Section:
    """One section of the file: its header, such as `profile x`, and what stands in it; `note` is a line above it."""

    header: str
    values: tuple[tuple[str, str], ...]
    note: str = ""

    def render(self) -> str:
        note = [f"# {' '.join(self.note.split())}"] if self.note else []
        return "\n".join([*note, f"[{self.header}]", *(f"{key} = {value}" for key, value in self.values)]) + "\n"


def is_region(name: str) -> bool:
    """It looks like a region's name, e.g. `ap-northeast-1`."""
    return bool(_REGION.fullmatch(name))


def build_session(portal_url: str, sso_region: str, *, name: str = SESSION_NAME) -> Section:
    """`sso_region` is where Identity Center lives, not where the work is."""
    values = (
        ("sso_start_url", portal_url),
        ("sso_region", sso_region),
        ("sso_registration_scopes", "sso:account:access"),
    )
    return Section(f"sso-session {name}", values)


def build_profile(profile: Profile, *, region: str = "", session: str = SESSION_NAME) -> Section:
    """`region`, where the work is, gives way to the account's own; without either it is left out."""
    role = profile.role
    values = [
        ("sso_session", session),
        ("sso_account_id", role.account_id),
        ("sso_role_name", role.permission_set),
    ]
    where = role.region or region
    return Section(f"profile {profile.name}", (*values, *([("region", where)] if where else [])), role.account_name)


def build_sections(
    portal_url: str, sso_region: str, profiles: Iterable[Profile], *, region: str = "", session: str = SESSION_NAME
) -> list[Section]:
    """One sso-session, and a section for each profile."""
    rest = (build_profile(profile, region=region, session=session) for profile in profiles)
    return [build_session(portal_url, sso_region, name=session), *rest]


def render_config(portal_url: str, sso_region: str, profiles: Iterable[Profile], *, region: str = "") -> str:
    """The whole file."""
    return "\n".join(section.render() for section in build_sections(portal_url, sso_region, profiles, region=region))
