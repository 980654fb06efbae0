"""The words for what people stopped, and what a lock-out cannot reach (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
STOP_SENTENCES: Mapping[str, tuple[str, str]] = {
    # What people stopped
    "paused": (
        _("Runs are paused until {until} by {by}: “{why}”."),
        _("Until then they only read and plan. A portal admin can resume them earlier, on the page “Sync”."),
    ),
    "locked_out": (
        _("{name} was locked out by {by} on {since}: “{why}”."),
        _("Nothing is given until a portal admin lifts the lock-out on the person's page."),
    ),
    "account_frozen": (
        _("“{account}” was frozen by {by} on {since}: “{why}”."),
        _("Nobody new is let in until an owner of the account or a portal admin lifts the freeze on its page."),
    ),
    "nothing_read": (
        _("Identity Center has not been read yet, so nobody's access is known."),
        _("Begin with a full run: manage.py sync."),
    ),
    "lock_out_lifted": (_("The lock-out was lifted meanwhile, so this was not done."), ""),
    "stop_reason_missing": (
        _("The reason is missing."),
        _("Say in a few words why; everybody who meets it will read them."),
    ),
    "stop_reason_long": (_("The reason has {length} characters; {limit} fit."), _("Shorten it.")),
    "pause_end_missing": (_("When the pause ends is missing."), _("Choose an end.")),
    "pause_end_passed": (_("That end has passed already."), _("Choose a later one.")),
    "pause_too_long": (
        _("A pause ends after {days} days at the latest."),
        _("Choose an earlier end; it can be made longer later on."),
    ),
    "lock_out_unknown": (
        _("{name} is not in Identity Center, so there is nothing to lock out of."),
        _("Take the name out of the records, or keep the person out of the AWS application in Entra ID."),
    ),
    # What a lock-out cannot reach
    "beyond_not_ours": (
        _("The permission set is not managed by Genkan."),
        _("Remove the assignment where the permission set is managed."),
    ),
    "beyond_terraform": (_("The permission set is managed in Terraform."), _("Remove it there.")),
    "beyond_management": (_("The management account is kept in Terraform."), _("Remove it there.")),
    "beyond_not_active": (
        _("The account is not active, so nothing can be removed in it; nobody can enter it either."),
        "",
    ),
    "beyond_unread": (
        _("Whose the permission set is could not be read."),
        _("It is removed as soon as that is known to be Genkan's."),
    ),
    "beyond_group": (
        _("It comes through the group {group}."),
        _("Take the person out of the group in Entra ID."),
    ),
    "emergency_kept": (
        _("No record names this access. It stays, because a guardrail keeps it for emergencies."),
        _("To end it, take it out of its record, or change the guardrail."),
    ),
    "set_drifted": (
        _("The permission set “{set}” was changed by hand in AWS and is left as it is for now."),
        _("Put it back, or take the change over into its record."),
    ),
    "removed_sessions_until": (
        _("It is no longer there. Consoles and CLIs that were open then can go on until {until_at}."),
        "",
    ),
}
