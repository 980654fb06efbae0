"""The words for giving access in the portal (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
GIVING_SENTENCES: Mapping[str, tuple[str, str]] = {
    "give_too_many_accounts": (
        _("{count} accounts at once are too many; {limit} go into one submit."),
        _("Take a part of them, such as one unit below."),
    ),
    "give_too_many": (
        _("These are {count} assignments at once; {limit} go into one submit."),
        _("Give it to a group in place of people, or take a part of the accounts."),
    ),
    "give_name_unknown": (
        _("Nobody here is called “{name}”: no person, no group, no kintone code."),
        _("Write the address to have somebody wait who is on the way, or search by another name."),
    ),
    "give_name_not_there": (
        _("“{name}” is not in Identity Center yet, and Genkan does not know under which user name they will come."),
        _("Register them once they are there."),
    ),
    "give_name_ambiguous": (
        _("Several people or groups are called “{name}”."),
        _("Write the address or the kintone code."),
    ),
    "give_account_unknown": (
        _("There is no account and no unit “{account}” that you can see."),
        _("Search by name, by the 12 digits, or by the path of the unit."),
    ),
    "give_day_passed": (_("This day has passed."), _("Choose today or a later day.")),
    "give_not_possible": (
        _("Meanwhile this has become impossible, so nothing was registered."),
        _("The preview says why."),
    ),
}
