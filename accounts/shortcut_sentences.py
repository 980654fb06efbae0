"""The words for destinations and services of shortcuts that are refused (see `accounts.sentences`).

The codes are frozen: what keeps shortcuts stores them, and the API hands them out.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
SHORTCUT_SENTENCES: Mapping[str, tuple[str, str]] = {
    "destination_unreadable": (
        _("The address contains signs that browsers read differently."),
        _("Copy it from the address bar of the console once more, without blanks or line breaks."),
    ),
    "destination_long": (
        _("The address has {length} characters; a link takes {limit}."),
        _("Shorten the query or filter in it."),
    ),
    "destination_not_https": (
        _("The address does not begin with https://."),
        _("Copy the whole address from the address bar of the console."),
    ),
    "destination_not_console": (
        _("“{host}” is not the AWS console, and shortcuts lead nowhere else."),
        _("Use an address at {console}, or below it."),
    ),
    "destination_other_partition": (
        _("“{host}” is the console of another part of AWS than the one that this portal's accounts are in."),
        _("Use an address at {console}, or below it."),
    ),
    "destination_encoded_twice": (
        _("A part of the address is encoded twice, so that it may mean something else than it shows."),
        _("Choose the service and fill in its fields instead."),
    ),
    "destination_control": (
        _("The address hides a control character, such as a line break, behind a percent sign."),
        _("Copy the address from the console once more, or take the sign out."),
    ),
}
