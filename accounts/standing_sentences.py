"""The words for why an assignment or a set is as it is, changes by hand included (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
STANDING_SENTENCES: Mapping[str, tuple[str, str]] = {
    # Why an assignment or a set is as it is
    "not_provisioned": (
        _("{name} is not in Identity Center yet."),
        _("Nothing to do: access is given as soon as Entra ID has brought the name, usually within 40 minutes."),
    ),
    "not_provisioned_long": (
        _("{name} has been missing from Identity Center for {hours} hours. New people usually arrive in 40 minutes."),
        _(
            "In Entra ID, check that the person is assigned to the AWS application, has a first, last and display "
            "name, and that provisioning runs (its token is valid for a year). Access follows by itself."
        ),
    ),
    "group_not_provisioned_long": (
        _("The group {name} has been missing from Identity Center for {hours} hours."),
        _(
            "Check the spelling. In Entra ID, check that the group itself is assigned to the AWS application (groups "
            "inside groups are not provisioned) and that provisioning runs. Access follows by itself."
        ),
    ),
    "may_be_namesake": (
        _("“{name}” went, and {candidate} came under that name: that may be somebody else, so no access is given."),
        _(
            "If it is the same person or group, or the new one is meant everywhere, an owner of the accounts or an "
            "administrator confirms it on this record's page. Otherwise take the name out of the record."
        ),
    ),
    "person_left": (
        _("“{name}” is disabled in Identity Center or gone from it, so the access ends."),
        _("Take the person out of the record. Whoever comes back within 30 days gets the access back by itself."),
    ),
    "group_left": (
        _("The group “{name}” is gone from Identity Center, so the access ends."),
        _("Take the group out of the record, or assign it to the AWS application in Entra ID again."),
    ),
    "person_renamed": (
        _("“{name}” is now called {new} in Identity Center. Access goes on."),
        _("Nothing has to be done. To have the same name everywhere, write {new} into kintone as well."),
    ),
    "group_renamed": (
        _("The group “{name}” is now called {new}. Access goes on."),
        _("Write {new} into the record, so that it says what it means."),
    ),
    "provisioning_stopped": (
        _("Several people who sign in here have been missing from Identity Center for more than two hours."),
        _(
            "Provisioning from Entra ID looks stopped. Check in Entra ID whether the SCIM token of the AWS "
            "application has expired, and whether these people are assigned to the application."
        ),
    ),
    "last_day_week": (
        _("Access to {account} with {set} ends on {day}: {names}"),
        _("If it is still needed, move the last day in the record."),
    ),
    "last_day_tomorrow": (
        _("Access to {account} with {set} ends at the end of {day}: {names}"),
        _("If it is still needed, move the last day in the record today."),
    ),
    "name_unread": (
        _("The list of people or groups could not be read, so {name} was not looked up."),
        _("Nothing to do: the next run tries again."),
    ),
    "principal_gone": (
        _("{name} was in Identity Center and is no longer."),
        _("If this is a mistake, assign the person or group to the AWS application in Entra ID again."),
    ),
    "principal_disabled": (_("{name} is disabled in Identity Center."), _("Ask whoever looks after Entra ID.")),
    "management_account": (
        _("“{account}” is the management account; access to it is managed in Terraform."),
        _("Change it in Terraform."),
    ),
    "account_not_active": (
        _("The account “{account}” is not active ({state}). Nothing is created or deleted in it."),
        _("Delete the record if the account does not come back."),
    ),
    "set_broken": (
        _("The record of the permission set “{set}” has an error."),
        _("Mend the permission set's record; access follows by itself."),
    ),
    "set_not_ours": (_("The permission set “{set}” is not managed by Genkan."), ""),
    "set_without_record": (_("No record describes the permission set “{set}”."), ""),
    "set_not_made": (
        _("The permission set “{set}” could not be made, so nothing can be assigned with it."),
        _("See why the permission set failed; the next run tries again."),
    ),
    "ownership_lost": (
        _("The permission set “{set}” no longer carries Genkan's tag, so nothing was changed."),
        _("Put the tag back in AWS, or take the record away."),
    ),
    "removal_held": (
        _("The removal is held: too much would go at once."),
        _("An administrator accepts it on the run's page, or it ends when the records come back."),
    ),
    "kept_not_understood": (
        _("Access stays, because a record that gave it cannot be understood any more."),
        _("Mend the record."),
    ),
    "sheltered": (
        _("No record names this access, but one that cannot be understood may. It stays."),
        _("Mend the records of this account and permission set."),
    ),
    # Changed by hand
    "drift": (
        _("Changed in AWS by hand: {change}"),
        _(
            "Put it back or keep it as a record, on the page of the account or the permission set. "
            "It is put back by itself: {until_at}"
        ),
    ),
    "drift_added": (
        _("Assigned in AWS by hand; no record wants it."),
        _("Put it back or keep it as a record. It is put back by itself: {until_at}"),
    ),
    "drift_removed": (
        _("Removed in AWS by hand; a record wants it."),
        _("Put it back or keep it as a record. It is put back by itself: {until_at}"),
    ),
    # Decisions about what was changed by hand
    "drift_decided": (
        _("It has been decided already, or it is over."),
        _("Look at it once more."),
    ),
    "keep_no_kintone_user": (
        _("{name} has no kintone user that Genkan knows, and the app of assignments has no field for addresses."),
        _("Add a field more_users to the app, or register the record in kintone."),
    ),
    "keep_no_field": (
        _("The kintone app has no field for this: {field}"),
        _("Add the field to the app, or put the change back."),
    ),
    "keep_ambiguous": (
        _("Several groups are called {name}, so a record could not say which is meant."),
        _("Give the groups different names in Entra ID, or put the change back."),
    ),
    "keep_not_named": (
        _("No record names {name} any more."),
        _("Nothing to do: it ends with the next run."),
    ),
    "keep_no_record": (
        _("No record describes the permission set “{set}”."),
        _("Register the permission set in kintone."),
    ),
}
