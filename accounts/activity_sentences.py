"""What the actions of the audit trail are called, and which belong together.

An action without a word here is shown as it is stored; a test finds those that the code writes and this does not know.
"""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Family(NamedTuple):
    """Actions that people look for together."""

    word: str | Promise
    icon: str
    actions: Mapping[str, str | Promise]


FAMILIES: Mapping[str, Family] = {
    "access": Family(
        _("Access"),
        "log-in",
        {
            "access.granted": _("granted access"),
            "access.removed": _("removed access"),
            "person.removed": _("removed the access of a person who is locked out"),
        },
    ),
    "records": Family(
        _("Records"),
        "file-pen-line",
        {
            "draft.save": _("saved a record"),
            "draft.delete": _("asked to delete a record"),
            "draft.send": _("sent a draft again"),
            "draft.discard": _("discarded a draft"),
            "draft.resolve": _("settled a conflict in a draft"),
            "kintone.create": _("registered a record in kintone"),
            "kintone.change": _("changed a record in kintone"),
            "kintone.delete": _("a record was deleted in kintone"),
            "record.write": _("wrote a record through the portal"),
            "record.delete": _("deleted a record through the portal"),
            "record.adopt": _("wrote a record for access that was there"),
            "record.comment": _("commented on a record"),
            "record.take_out": _("took a person or group out of a record"),
            "record.end": _("asked to end a record"),
            "record.extend": _("extended a last day"),
            "record.try_again": _("had a record tried again"),
            "record.put_back": _("put back what was taken out"),
            "withheld.confirm": _("confirmed a value that was withheld"),
        },
    ),
    "sets": Family(
        _("Permission sets"),
        "key-round",
        {
            "permission_set.created": _("created a permission set"),
            "permission_set.updated": _("changed a permission set"),
            "permission_set.deleted": _("deleted a permission set"),
            "permission_set.compare": _("compared a permission set"),
            "permission_set.adopt_request": _("asked to adopt a permission set"),
            "permission_set.adopt": _("adopted a permission set"),
            "permission_set.rename": _("renamed a permission set"),
            "permission_set.twin": _("made a copy of a permission set"),
            "permission_set.delete": _("asked to delete a permission set"),
        },
    ),
    "decisions": Family(
        _("Decisions"),
        "gavel",
        {
            "held.accept": _("accepted held removals"),
            "baseline.confirm": _("confirmed the first run"),
            "drift.keep": _("kept what was assigned by hand"),
            "drift.put_back": _("had a change by hand put back"),
            "namesake.confirm": _("confirmed who is meant"),
            "link.follow": _("followed a person to another id"),
            "terraform.take": _("took over an export for Terraform"),
            "terraform.download": _("saved files for Terraform"),
        },
    ),
    "stops": Family(
        _("Pauses, locks and freezes"),
        "hand",
        {
            "pause.begin": _("paused"),
            "pause.extend": _("paused longer"),
            "pause.lift": _("ended the pause"),
            "pause.end": _("the pause ended by itself"),
            "person.lock_out": _("locked a person out"),
            "person.lift_lock_out": _("lifted a lock-out"),
            "account.freeze": _("froze an account"),
            "account.lift_freeze": _("lifted a freeze"),
        },
    ),
    "accounts": Family(
        _("Accounts and owners"),
        "building",
        {
            "account.claim": _("became the owner by registering"),
            "account.move": _("an account moved to another OU"),
            "account.move_confirm": _("confirmed the move of an account"),
            "owner.name": _("named an owner"),
            "owner.remove": _("took an owner away"),
        },
    ),
    "runs": Family(
        _("Runs"),
        "refresh-cw",
        {
            "run.request": _("asked for a run"),
            "github.request": _("asked for a run on GitHub"),
            "github.refuse": _("was not allowed to ask for a run on GitHub"),
            "github.reply": _("replied on GitHub"),
            "terraform.offer": _("opened a pull request for Terraform"),
            "terraform.offer_close": _("closed a pull request for Terraform"),
            "doctor.request": _("asked for an examination"),
            "list.export": _("took a list as CSV"),
            "settings.export": _("exported the settings"),
            "settings.import": _("imported settings"),
        },
    ),
    "shortcuts": Family(
        _("Shortcuts"),
        "bookmark",
        {
            "shortcut.keep": _("kept a shortcut"),
            "shortcut.change": _("changed a shortcut"),
            "shortcut.drop": _("dropped a shortcut"),
        },
    ),
    "sign_ins": Family(
        _("Sign-ins and tokens"),
        "door-open",
        {
            "signed_in": _("signed in"),
            "signed_out": _("signed out"),
            "sign_in_refused": _("was refused at sign-in"),
            "roles_changed": _("came with other roles"),
            "token.make": _("made an access token"),
            "token.revoke": _("revoked an access token"),
        },
    ),
    "settings": Family(
        _("Settings"),
        "settings",
        {
            "admin.add": _("added"),
            "admin.change": _("changed"),
            "admin.delete": _("deleted"),
            "letter.choose": _("chose what to be told"),
        },
    ),
}
ADMIN_SIGN_IN = "admin_sign_ins"  # one action with one outcome, which auditors ask for
ADMIN_SIGN_IN_WORD = _("Sign-ins as admin")
_WORDS = {action: word for family in FAMILIES.values() for action, word in family.actions.items()}
_ICONS = {action: family.icon for family in FAMILIES.values() for action in family.actions}


def show_action(action: str) -> str:
    """What was done, e.g. “granted access”; the action itself where it has no word."""
    return str(_WORDS.get(action, action))


def has_word(action: str) -> bool:
    return action in _WORDS


def find_icon(action: str) -> str:
    return _ICONS.get(action, "circle-dashed")
