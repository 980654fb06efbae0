"""The words for what is wrong with an assignment record, and who may write one (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
RECORD_SENTENCES: Mapping[str, tuple[str, str]] = {
    # Who may write
    "writer_may_not": (
        _("{name} does not own the account “{account}” and may not give access to it."),
        _("Ask one of its owners to confirm it or to register it: {who}"),
    ),
    "writer_may_not_edit": (
        _("{name} may not change this record."),
        _("Its owners, its author, the owners of its account and administrators may."),
    ),
    "writer_unknown": (
        _("{name} wrote this and is nobody whom Identity Center knows now."),
        _("Somebody who may has to confirm or register it. An administrator can say whom a kintone code means."),
    ),
    "account_protected": (
        _("Only administrators give access to “{account}”."),
        _("Ask an administrator of Genkan to register it."),
    ),
    "account_without_owner": (
        _("Nobody owns the account “{account}”, so only administrators give access to it."),
        _("Ask an administrator of Genkan to name an owner."),
    ),
    "owners_left": (
        _("All owners of the account “{account}” have left, so only administrators give access to it."),
        _("Ask an administrator of Genkan to name an owner."),
    ),
    "owners_unread": (
        _("Who owns the account “{account}” could not be read yet."),
        _("Nothing to do: the next run tries again. If it stays, allow organizations:ListTagsForResource."),
    ),
    "being_written": (
        _("The portal is writing the record of “{account}” at this moment."),
        _("Nothing to do: the next run looks at it."),
    ),
    "values_withheld": (
        _("Not in force, because {name} may not write it: {values}"),
        _("Somebody who may has to confirm it, or to take it out and write it anew."),
    ),
    "values_withheld_who": (
        _("Not in force, because {name} may not write it: {values}"),
        _("One of these has to confirm it, or to take it out and write it anew: {who}"),
    ),
    "set_widens": (
        _("{name} may not let “{set}” do more: it is assigned in accounts that {name} does not own: {accounts}"),
        _("One of these may confirm or make the change: {who}. An administrator may, too. Or make a new set of it."),
    ),
    "set_widens_admin": (
        _("{name} may not let “{set}” do more: it is assigned in accounts that {name} does not own: {accounts}"),
        _("An administrator may confirm or make the change. Or make a new set of it."),
    ),
    "set_taken": (
        _("“{set}” is the name of a set that is assigned in accounts that {name} does not own: {accounts}"),
        _("Choose another name, or ask one of these to confirm it: {who}. An administrator may, too."),
    ),
    "set_taken_admin": (
        _("“{set}” is the name of a set that is assigned in accounts that {name} does not own: {accounts}"),
        _("Choose another name, or ask an administrator to confirm it."),
    ),
    "set_wished": (
        _("“{set}” is registered already in accounts that {name} does not own: {accounts}"),
        _("What it says would be given there at once. Choose another name, or ask one of these to confirm it: {who}."),
    ),
    "set_wished_admin": (
        _("“{set}” is registered already in accounts that {name} does not own: {accounts}"),
        _("What it says would be given there at once. Choose another name, or ask an administrator to confirm it."),
    ),
    "set_rename_here": (
        _("AWS cannot rename a permission set: “{set}” keeps its name."),
        _("Rename it on its page: a new set is made, and its records move to it."),
    ),
    "account_claimed": (
        _("{name} registered access to the account “{account}”, which nobody owned, and owns it now."),
        _("If this is wrong, an administrator names another owner."),
    ),
    # An assignment record
    "account_missing": (_("No AWS account is given."), _("Enter the 12 digits of the account.")),
    "account_wrong": (
        _("“{value}” is not an AWS account id."),
        _("An account id has 12 digits. Blanks, hyphens and full-width digits are fine."),
    ),
    "account_unknown": (
        _("The organization has no account {account}."),
        _("Check the digits. Nothing is changed for this record until it is mended."),
    ),
    "set_missing": (_("No permission set is chosen."), _("Choose a permission set.")),
    "set_unknown": (
        _("There is no permission set “{set}”."),
        _("Register it first, or choose another. Nothing is changed for this record until then."),
    ),
    "nobody_named": (
        _("The record names neither people nor groups, so it gives access to nobody."),
        _("Add people or groups, or delete the record."),
    ),
    "date_wrong": (_("“{value}” is not a date."), _("Choose a date.")),
    "person_unknown": (
        _("“{name}” is not in Identity Center yet."),
        _(
            "New people arrive from Entra ID within about 40 minutes. If it takes longer, check that the person is "
            "assigned to the AWS application in Entra ID."
        ),
    ),
    "group_unknown": (
        _("Identity Center has no group “{name}”."),
        _("Check the spelling. A new group arrives from Entra ID within about 40 minutes."),
    ),
}
