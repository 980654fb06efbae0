"""The mails in the profiles of kintone's users, for those whom no UserName finds; only with IDENTITY_MATCH_EMAIL.

They tell who is given access, never who has written: people may edit their own profile.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace

from accounts.names import fold
from syncer.connections import connect_kintone_users
from syncer.directory import KINTONE_USER, Directory, LinkKey, find_match
from syncer.gateways.errors import GatewayError
from syncer.states import AssignmentWish, ReadRecord

logger = logging.getLogger(__name__)


def add_mails(directory: Directory, assignments: Iterable[ReadRecord]) -> Directory:
    """With the mails that kintone has of those whom no name finds; as it is where nobody may be found by mail."""
    if not directory.match_email:
        return directory
    wishes = (record.wish for record in assignments if isinstance(record.wish, AssignmentWish))
    codes = {code for wish in wishes for code in wish.users}
    strangers = {code for code in codes if not _is_known(directory, LinkKey(KINTONE_USER, fold(code)))}
    users = connect_kintone_users() if strangers else None
    if users is None:
        return directory
    with users:
        try:
            found = users.fetch_users(strangers).values()
        except GatewayError as error:  # they wait, as without the token
            logger.warning("kintone's users could not be asked for: %s", error)
            return directory
    return replace(directory, mails={fold(user.code): user.email for user in found if user.email and user.is_valid})


def _is_known(directory: Directory, key: LinkKey) -> bool:
    return key in directory.links or find_match(directory, key) is not None
