"""The words for why somebody cannot enter an account (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
WHY_SENTENCES: Mapping[str, tuple[str, str]] = {
    "why_no_record": (
        _("No record gives {name} “{set}” in “{account}”."),
        _("Ask an owner of the account to register it: {owners}."),
    ),
    "why_no_record_yours": (
        _("No record gives {name} “{set}” in “{account}”."),
        _("You may register it now."),
    ),
    "why_no_record_unowned": (
        _("No record gives {name} “{set}” in “{account}”."),
        _("Nobody owns the account. A portal admin registers it, or names an owner who does."),
    ),
    "why_ended": (
        _("Record {record} gave it until the end of {day}."),
        _("Have the last day of the record put off, or have it registered anew."),
    ),
    "why_record_gone": (
        _("Record {record}, which gave it, is gone from kintone."),
        _("Have it registered anew, if it is still needed."),
    ),
    "why_withdrawn": (
        _("Record {record} gave it once and does so no longer."),
        _("The record says who changed it last. Ask there, or have it registered anew."),
    ),
    "why_in_no_group": (
        _("The group “{group}” has it, and {name} is not in that group."),
        _("Members of groups are managed in Entra ID: ask whoever looks after the group."),
    ),
    "why_left_organization": (
        _("“{account}” has left the organization."),
        _("Nobody can enter it through Identity Center any more."),
    ),
    "why_set_absent": (
        _("The permission set “{set}” is not in AWS yet."),
        _("Its page says what is missing."),
    ),
}
