"""`~/.aws/config` for everything a person may enter, for AWS CLI v2 and the SDKs. Pure.

One sign-in (`aws sso login`) serves all profiles, because all name the same sso-session.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

SESSION_NAME = "genkan"
LOGIN_COMMAND = f"aws sso login --sso-session {SESSION_NAME}"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", re.ASCII)


class Entry(NamedTuple):
    """One permission set in one account."""

    account_id: str
    account_name: str
    permission_set: str


class Profile(NamedTuple):
    """An entry under the name it has in the file."""

    name: str
    entry: Entry

    @property
    def login_command(self) -> str:
        return f"aws sso login --profile {self.name}"


def is_region(name: str) -> bool:
    """It looks like a region's name, e.g. `ap-northeast-1`."""
    return bool(_REGION.fullmatch(name))


def name_profile(account_id: str, permission_set: str) -> str:
    """`<set>-<account id>`, as AWS's own wizard names it, in characters that no shell needs quoted."""
    # A name that begins with a dash would be read as an option.
    return f"{_UNSAFE.sub('-', permission_set).lstrip('-') or 'set'}-{account_id}"


def name_profiles(entries: Iterable[Entry]) -> list[Profile]:
    """The entries in their order, each under a name of its own: a number tells apart what unsafe characters did."""
    taken: set[str] = set()
    profiles = []
    for entry in entries:
        name = _find_free(name_profile(entry.account_id, entry.permission_set), taken)
        taken.add(name)
        profiles.append(Profile(name, entry))
    return profiles


def render_config(portal_url: str, sso_region: str, profiles: Iterable[Profile], *, region: str = "") -> str:
    """The whole file: one sso-session and a section for each profile.

    `sso_region` is where Identity Center lives; `region`, where the work is, is left out when not given.
    """
    sections = [render_session(portal_url, sso_region)]
    sections += [render_profile(profile, region=region) for profile in profiles]
    return "\n".join(sections)


def render_session(portal_url: str, sso_region: str) -> str:
    return (
        f"[sso-session {SESSION_NAME}]\n"
        f"sso_start_url = {portal_url}\n"
        f"sso_region = {sso_region}\n"
        "sso_registration_scopes = sso:account:access\n"
    )


def render_profile(profile: Profile, *, region: str = "") -> str:
    entry = profile.entry
    lines = [
        f"# {' '.join(entry.account_name.split())}",
        f"[profile {profile.name}]",
        f"sso_session = {SESSION_NAME}",
        f"sso_account_id = {entry.account_id}",
        f"sso_role_name = {entry.permission_set}",
    ]
    return "\n".join([*lines, *([f"region = {region}"] if region else [])]) + "\n"


def _find_free(name: str, taken: set[str]) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate = f"{name}-{number}"
        number += 1
    return candidate
