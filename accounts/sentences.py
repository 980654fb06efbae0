"""Every code of a problem, a reason or an error as a sentence, with what to do about it, in the reader's language.

The pure core and the database know codes and parameters only; people read these. A code without a sentence here is a
bug, which a test finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_noop as _

from accounts.api_sentences import API_SENTENCES
from accounts.backup_sentences import BACKUP_SENTENCES
from accounts.doctor_sentences import DOCTOR_SENTENCES
from accounts.giving_sentences import GIVING_SENTENCES
from accounts.guardrail_sentences import GUARDRAIL_SENTENCES
from accounts.kintone_sentences import KINTONE_SENTENCES
from accounts.letter_sentences import LETTER_SENTENCES
from accounts.notice_sentences import NOTICE_SENTENCES
from accounts.policy_sentences import POLICY_SENTENCES
from accounts.shortcut_sentences import SHORTCUT_SENTENCES
from accounts.why_sentences import WHY_SENTENCES


@dataclass(frozen=True)
class Sentence:
    """What is the matter, and the way out (empty when nothing needs to be done)."""

    message: str
    remedy: str = ""


# Parameters stand in braces. (message, remedy)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # A permission set's record
    "name_missing": (_("The permission set has no name."), _("Enter a name of 1 to 32 characters.")),
    "name_wrong": (
        _("“{name}” is not a name that AWS takes."),
        _("Use 1 to {limit} of these characters: A–Z a–z 0–9 and + = , . @ _ -"),
    ),
    "set_name_taken": (
        _("There is a permission set “{name}” already."),
        _("Choose another name, or change that one."),
    ),
    "owner_unknown": (
        _("Nobody here has the kintone code “{person}”."),
        _("Choose a person from the list."),
    ),
    "duration_wrong": (
        _("“{value}” cannot be understood as a session duration."),
        _("Write it like PT8H, 8時間 or 90分."),
    ),
    "duration_out_of_range": (
        _("A session of {value} is not possible."),
        _("Choose a duration from 1 to 12 hours."),
    ),
    "relay_state_long": (
        _("The relay state has {length} characters; AWS takes {limit}."),
        _("Shorten the address, or use a shortcut link instead."),
    ),
    "relay_state_wrong": (
        _("The relay state contains characters that AWS does not take."),
        _("Use a plain URL: ASCII only, without < > ^ and `."),
    ),
    "managed_policy_wrong": (
        _("“{policy}” cannot be the name of an AWS managed policy."),
        _("Write the name as IAM shows it, such as ReadOnlyAccess, one a line."),
    ),
    "managed_policy_unknown": (
        _("AWS has no managed policy “{policy}”."),
        _("Check the spelling, or register it as a customer managed policy."),
    ),
    "managed_policy_misspelt": (
        _("AWS has no managed policy “{policy}”."),
        _("Did you mean {near}?"),
    ),
    "managed_policy_not_attachable": (
        _("The policy “{policy}” belongs to AWS services and cannot be attached."),
        _("Choose another policy."),
    ),
    "managed_policy_withdrawn": (
        _("AWS has withdrawn the managed policy “{policy}”."),
        _("Choose the policy that AWS names as its successor, or write what is needed into the inline policy."),
    ),
    "managed_policy_withdrawn_kept": (
        _("AWS has withdrawn the managed policy “{policy}”. It stays where it is, and no new account gets it."),
        _("Choose the policy that AWS names as its successor, or write what is needed into the inline policy."),
    ),
    "managed_policy_not_listed": (
        _("“{policy}” is not in the list of AWS managed policies of {day}. AWS decides whether there is one."),
        _("Check the spelling. For today's list, allow the portal's role iam:ListPolicies."),
    ),
    "managed_policy_not_listed_near": (
        _("“{policy}” is not in the list of AWS managed policies of {day}. AWS decides whether there is one."),
        _("Did you mean {near}?"),
    ),
    "customer_policy_wrong": (
        _("“{policy}” cannot be a customer managed policy."),
        _("Write path and name, such as /team/LogReader, one a line."),
    ),
    "boundary_wrong": (
        _("“{policy}” cannot be a permissions boundary."),
        _("Write /path/name for a customer managed policy, or the name of an AWS managed policy."),
    ),
    "too_many_policies": (
        _("{count} policies are attached; AWS takes {limit}."),
        _("Merge some of them, or move statements into the inline policy."),
    ),
    "set_renamed": (
        _("The permission set was renamed from “{old}” to “{new}”. AWS cannot rename one."),
        _(
            "Put the old name back. To have a new name, register a new permission set and move the assignments to it; "
            "its role in each account has another ARN."
        ),
    ),
    "set_named_twice": (
        _("Another record ({other}) already describes the permission set “{name}”."),
        _("Keep one of the two records."),
    ),
    "set_not_adopted": (
        _("AWS already has a permission set “{set}” that Genkan does not manage."),
        _(
            "Choose another name, or have Genkan manage it: an admin adopts it on the page of the permission "
            "set, or with manage.py adopt."
        ),
    ),
    "terraform_set_shared": (
        _("“{set}” is handed out by Genkan in other accounts. In the management account it would be lost to it."),
        _("Register a permission set of its own for the management account, and name that one in the record."),
    ),
    "terraform_not_ready": (
        _("No run has read kintone and AWS completely yet. What is not known would be missing from the files."),
        _("Run manage.py sync, or wait for the next run, and export then."),
    ),
    "managed_in_terraform": (
        _("“{set}” is provisioned in the management account and is managed in Terraform."),
        _("Change it in Terraform, or register a permission set of another name for the member accounts."),
    ),
    "set_record_gone": (
        _("The record of the permission set “{set}” is gone, but records name it: {records}."),
        _("Register the permission set again, or take it out of these records. Until then nothing is changed."),
    ),
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
    # Policy JSON
    "json_empty": (_("The policy is empty."), _("Enter the policy as JSON, or clear the field.")),
    "json_syntax": (
        _("The JSON cannot be read at column {column}: “{found}” does not fit here."),
        _("Look for a missing comma, quotation mark or bracket just before this place."),
    ),
    "json_ends_early": (
        _("The JSON ends too early."),
        _("A closing bracket or quotation mark is missing."),
    ),
    "json_trailing_comma": (
        _("There is a comma after the last element (column {column})."),
        _("Delete this comma."),
    ),
    "json_duplicate_key": (
        _("The key “{key}” stands twice in the same object."),
        _("Keep one of the two: AWS would not read both."),
    ),
    "json_smart_quotes": (
        _("A curly quotation mark “{character}” stands where JSON needs a straight one (column {column})."),
        _('Replace it with ".'),
    ),
    "json_full_width": (
        _("A full-width character “{character}” stands outside a text (column {column})."),
        _("Type it in half width."),
    ),
    "json_no_break_space": (
        _("A no-break space stands at column {column}; it usually comes from copying a web page."),
        _("Replace it with a normal space."),
    ),
    "json_byte_order_mark": (
        _("The text begins with an invisible mark (BOM)."),
        _("Delete everything before the first brace and type the brace again."),
    ),
    "json_comment": (_("JSON has no comments (column {column})."), _("Delete the comment.")),
    "json_too_deep": (_("The JSON is nested too deeply."), _("A policy needs four levels at most.")),
    "policy_not_object": (_("The policy must be a JSON object."), _("Begin with a brace: {{ … }}")),
    "policy_no_statement": (_("The policy has no Statement."), _("Add a Statement with at least one entry.")),
    "policy_too_large": (
        _("The policy has {size} bytes; AWS takes {limit}."),
        _("Shorten it, or move a part into a customer managed policy."),
    ),
    "policy_too_long": (
        _("The policy has {size} characters without white space; AWS takes {limit}."),
        _("Shorten it, or move a part into a customer managed policy."),
    ),
    "policy_character": (
        _("AWS does not take the character “{character}” in a policy (column {column})."),
        _("Use Latin letters only; Japanese belongs into the description."),
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
    # One of our sets in the management account
    "set_in_management": (
        _(
            "“{set}” is one of our permission sets and is provisioned in the management account, so nothing of it can "
            "be changed any more: {count} assignments and {pending} wishes that wait. {list}"
        ),
        _("Its page has the commands that free it in the management account, and makes a twin for the other accounts."),
    ),
    "moved_to_twin": (
        _("This record was moved from the permission set “{old}” to its twin “{set}”, with the same people and days."),
        _("Nothing to do: “{old}” is held by the management account. Guardrails were decided again."),
    ),
    "moved_to_new_name": (
        _("“{old}” is called “{set}” now: this record was moved to it, with the same people and days."),
        _("Nothing to do. Policies that name the role of “{old}” need the ARN of the new one."),
    ),
    "notice_set_changed": (
        _("{name} changed the permission set “{set}”, which {count} accounts use: {accounts}"),
        _("Their owners should look at what changed, on the set's history: {owners}"),
    ),
    "set_name_in_use": (
        _("There is a permission set “{name}” already."),
        _("Choose another name."),
    ),
    "set_is_going": (
        _("“{set}” is being renamed or deleted already."),
        _("Its page shows how far that is."),
    ),
    "set_named_by_others": (
        _("{count} records that you may not edit name “{set}”."),
        _("Ask their owners to withdraw them first."),
    ),
    "twin_no_record": (
        _("No record describes the permission set “{set}”, so there is nothing to copy."),
        _("Register a permission set of another name in kintone, and move the records to it."),
    ),
    "twin_record_broken": (
        _("The newest revision of the record of “{set}” is not in force."),
        _("Mend the record first; the twin copies it."),
    ),
    "twin_newer_revision": (
        _("Record {record} has a newer revision that is not in force."),
        _("Mend it, then change its permission set in kintone."),
    ),
    "twin_names_taken": (_("Every name for a twin of “{set}” is taken."), _("Remove twins that nobody uses.")),
    "twin_made": (_("The permission set “{set}” has a twin already, or needs none any more."), ""),
    "list_changed": (_("The list has changed. Look at it once more."), ""),
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
    # What AWS answered
    "aws_refused": (_("AWS refused: {text}"), _("It is tried again in an hour, or as soon as the record changes.")),
    # Why a request of AWS's ended as failed
    "aws_policy_missing": (
        _("The account {account} has no policy “{policy}”, which the permission set names."),
        _("Whoever looks after the account creates it there, same path and name; or the set's owner takes it out."),
    ),
    "aws_managed_policy_missing": (
        _("AWS has no managed policy “{policy}” that can be attached."),
        _("The set's owner mends the name in the permission set's record."),
    ),
    "aws_policies_per_role": (
        _("The permission set has more policies than the account allows for one role ({limit})."),
        _("Whoever looks after the account raises that quota of IAM there; or the set's owner takes policies out."),
    ),
    "aws_account_quota": (
        _("The account is at a limit of IAM: {quota}, {limit}."),
        _("Whoever looks after the account raises this quota there, or removes what is not needed."),
    ),
    "aws_inline_too_large": (
        _("The inline policy is larger than the {limit} bytes that IAM takes."),
        _("Shorten it, or move a part into a customer managed policy."),
    ),
    "aws_inline_rejected": (
        _("IAM does not take the set's policy: {text}"),
        _("The set's owner mends the policy in the permission set's record."),
    ),
    "aws_account_out_of_reach": (
        _("AWS cannot work in the account for the moment: {text}"),
        _("Nothing to do: the next run tries again. If it stays, see whether the account is suspended or being made."),
    ),
    "aws_iam_denied": (
        _("IAM did not let Identity Center change the account: {text}"),
        _("See that the account has the role AWSServiceRoleForSSO, and that no service control policy stops it."),
    ),
    "aws_assignment_gone": (
        _("AWS does not have the assignment any more."),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_provision_gone": (
        _("The account does not hold the permission set any more."),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_set_gone": (
        _("AWS does not have the permission set any more."),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_refused_for_now": (
        _("AWS could not do it just now: {text}"),
        _("Nothing to do: the next run tries again."),
    ),
    "aws_gave_no_reason": (
        _("AWS refused and gave no reason."),
        _("It is tried again in an hour, or as soon as the record changes."),
    ),
    "aws_forgot_request": (
        _("AWS no longer knows the request."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "aws_slow": (
        _("AWS has been at work for more than {minutes} minutes."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "run_lost": (
        _("The process ended before AWS answered."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "not_wanted_any_more": (_("The record changed meanwhile, so this was not done."), ""),
    # The brake
    "too_many_removals": (
        _("{count} removals within 24 hours are more than {limit}."),
        _("Look at the list. If it is right, an administrator accepts it here or with sync --accept."),
    ),
    "too_large_share": (
        _("{count} of {of} assignments would go within 24 hours."),
        _("Look at the list. If it is right, an administrator accepts it here or with sync --accept."),
    ),
    "too_much_of_account": (
        _("{count} of {of} assignments of account {name} would go within 24 hours."),
        _("Look at the list. If it is right, an administrator accepts it here or with sync --accept."),
    ),
    "too_much_of_set": (
        _("{count} of {of} assignments of permission set {name} would go within 24 hours."),
        _("Look at the list. If it is right, an administrator accepts it here or with sync --accept."),
    ),
    "too_many_people": (
        _("{count} of {of} people would lose access within 24 hours because they are disabled or gone."),
        _(
            "Check Entra ID and its provisioning: so many at once look like a fault there. If it is right, an "
            "administrator accepts it here or with sync --accept."
        ),
    ),
    "app_shrunk": (
        _("A kintone app came back empty or far shorter than before; every removal that follows from it is held."),
        _("Check the app and its API token's rights. If the records are really gone, an administrator accepts it."),
    ),
    # Runs
    "baseline_missing": (
        _("This database is new and AWS already has permission sets of Genkan's, so runs only plan."),
        _("Look at the plan. If it is right, run manage.py sync by hand once, or confirm on the page."),
    ),
    "mode_plan": (_("SYNC_MODE=plan: runs only plan."), _("Set SYNC_MODE=apply to let them write.")),
    "lease_busy": (
        _("Another run has been going on for {minutes} minutes."),
        _("Wait for it, or look at its page."),
    ),
    "lane_busy": (
        _("Another run has been at work in account {account} for more than ten minutes."),
        _("Nothing to do: the next run tries again."),
    ),
    "lease_lost": (
        _("The run lost its lease: its process was silent too long."),
        _("Nothing to do: the next run takes over."),
    ),
    "changes_failed": (
        _("Changes that failed: {count}"),
        _("See each of them for AWS's reason; the others were carried out."),
    ),
    "run_stopped": (
        _("The run was stopped before everything was carried out."),
        _("Nothing is lost: the next run carries out the rest."),
    ),
    "record_not_found": (_("There is no kintone record {record}."), _("Give it as APP:ID, for example 24:17.")),
    "settings_missing": (_("{text}"), _("Set it in the environment or in .env.")),
    "unexpected": (_("Something unforeseen happened: {text}"), _("The log has the details.")),
    # AWS
    "aws_unreachable": (
        _("AWS cannot be reached ({operation}): {text}"),
        _("Check the network and IDENTITY_CENTER_REGION. Nothing is changed until AWS answers."),
    ),
    "aws_unavailable": (
        _("AWS is out of order for the moment ({operation}): {code}"),
        _("Nothing to do: the next run tries again."),
    ),
    "aws_throttled": (
        _("AWS has too many requests ({operation})."),
        _("Nothing to do: the next run tries again. If it stays, lower IDENTITY_CENTER_TPS."),
    ),
    "aws_credentials": (
        _("AWS does not accept the portal's credentials ({operation}): {code}"),
        _("Check the AWS_* variables or the role of the machine, and IDENTITY_CENTER_ROLE_ARN."),
    ),
    "aws_denied": (
        _("AWS denies {operation} to the portal's role: {text}"),
        _("Allow the operation to the role (docs/aws-permissions.md), from the delegated administrator account."),
    ),
    "aws_not_found": (
        _("AWS does not know what was asked for ({operation}): {text}"),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_invalid": (_("AWS does not take the value ({operation}): {text}"), _("Mend the record.")),
    "aws_quota": (
        _("A limit of AWS is reached ({operation}): {text}"),
        _("Have the quota raised in AWS, or use less of it."),
    ),
    "aws_conflict": (
        _("Another change of the same thing is under way in AWS ({operation})."),
        _("Nothing to do: the next run tries again."),
    ),
    "aws_name_taken": (
        _("AWS has a permission set of this name already: {text}"),
        _("Nothing to do: the next run reads it."),
    ),
    "aws_set_in_use": (
        _("The permission set is still in use in: {accounts}"),
        _("Nothing to do: the next run tries again once the assignments are gone."),
    ),
    "aws_outcome_unknown": (
        _("AWS did not answer, and what became of the change is not known ({operation})."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "aws_truncated": (
        _("AWS's list is not complete ({operation})."),
        _("Nothing is changed until a complete list comes."),
    ),
    "aws_empty": (
        _("AWS's list is empty, which cannot be right ({operation})."),
        _("Nothing is removed until a list comes. Check the portal's role and the provisioning from Entra ID."),
    ),
    "owners_tags_denied": (
        _("AWS does not let the portal read the tags of accounts, so owners named there are not known."),
        _("Allow organizations:ListTagsForResource to the portal's role, or enter owners in the portal."),
    ),
    "aws_instance_missing": (
        _("There is no Identity Center instance of the organization in {region}."),
        _("Set IDENTITY_CENTER_REGION to the instance's primary region, and use the delegated administrator account."),
    ),
    "aws_wrong_region": (
        _("The Identity Center instance is at home in {primary_region}, not in {region}."),
        _("Set IDENTITY_CENTER_REGION={primary_region}."),
    ),
    "aws_organization_missing": (
        _("The portal's AWS account does not belong to an organization."),
        _("Use the delegated administrator account of the organization."),
    ),
    "aws_error": (_("AWS refused {operation}: {code} {text}"), _("See the log.")),
    # What operators are told
    "notice_run_failed": (_("A run did not come to its end."), ""),
    "notice_changes_failed": (_("Changes that failed for one reason: {count}"), ""),
    "notice_held": (
        _("Removals held back: {count} (checksum {checksum})"),
        _(
            "If kintone is right, an administrator lets exactly this list go on the run's page, or with manage.py sync "
            "--accept {checksum}. If it is not, mend kintone and nothing is lost."
        ),
    ),
    "notice_held_people": (
        _("Removals held back: {count} (checksum {checksum})"),
        _(
            "Check Entra ID and its provisioning: so many people at once look like a fault there. If it is right, an "
            "administrator lets exactly this list go on the run's page, or with manage.py sync --accept {checksum}."
        ),
    ),
    "notice_unresolved": (_("Could not be read: {count}"), ""),
    "notice_drift": (
        _("Changed by hand on permission sets of Genkan's: {count}"),
        _("Put it back, or keep it as a record."),
    ),
    "notice_captured": (
        _(
            "The permission set “{set}” of Genkan's is now provisioned in the management account. Neither it nor its "
            "assignments ({count}) can be changed from here any more."
        ),
        _("Have its assignments in the management account removed there, or make a twin of the set on its page."),
    ),
    "notice_terraform": (
        _("Kintone wants something else in the management account than was taken over into Terraform last: {count}"),
        _("Take the files over into the company's repository, and note it on the page."),
    ),
    "notice_resolved": (_("Over: {what}"), ""),
    # Slack
    "slack_unreachable": (_("Slack cannot be reached ({code})."), _("Nothing to do: it is tried again.")),
    "slack_unavailable": (_("Slack is out of order for the moment ({code})."), _("Nothing to do: it is tried again.")),
    "slack_throttled": (_("Slack has too many messages at once ({code})."), _("Nothing to do: it is tried again.")),
    "slack_token_refused": (_("Slack does not accept the token ({code})."), _("Check SLACK_BOT_TOKEN.")),
    "slack_address_gone": (
        _("Slack does not know the address any more ({code})."),
        _("Make a new incoming webhook and set SLACK_WEBHOOK_URL."),
    ),
    "slack_channel_missing": (
        _("Slack has no such channel, or it is archived, or the bot is not in it ({code})."),
        _("Invite the bot into the channel, or check SLACK_CHANNEL or the webhook's channel."),
    ),
    "slack_not_allowed": (
        _("Slack does not allow this app to post there ({code})."),
        _("Give the app the right chat:write, and ask whoever looks after Slack whether apps may post in the channel."),
    ),
    "slack_refused": (_("Slack refused the message ({code})."), _("It is kept here, and tried again in an hour.")),
    "slack_not_slack": (
        _("What answered is not Slack."),
        _("Check SLACK_WEBHOOK_URL, and whether a proxy stands in between."),
    ),
    **DOCTOR_SENTENCES,
    **BACKUP_SENTENCES,
    **API_SENTENCES,
    **GUARDRAIL_SENTENCES,
    **GIVING_SENTENCES,
    **KINTONE_SENTENCES,
    **LETTER_SENTENCES,
    **NOTICE_SENTENCES,
    **POLICY_SENTENCES,
    **SHORTCUT_SENTENCES,
    **WHY_SENTENCES,
}


def render(code: str, params: Mapping[str, Any] | None = None) -> Sentence:
    """The sentence of a code in the active language. An unknown code is shown as it is."""
    if code not in SENTENCES:
        return Sentence(code)
    message, remedy = SENTENCES[code]
    values = _Values({name: _show(name, value) for name, value in (params or {}).items()})
    return Sentence(_fill(message, values), _fill(remedy, values))


def render_reason(reason: Mapping[str, Any]) -> Sentence | None:
    """The sentence of a stored reason ({} is none)."""
    if not reason.get("code"):
        return None
    return render(str(reason["code"]), reason.get("params"))


def _show(name: str, value: Any) -> Any:
    """A parameter as people read it: what ends in `_at` is a time, shown in the zone of whoever reads."""
    if not name.endswith("_at"):
        return value
    at = parse_datetime(str(value))
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else value


def _fill(text: str, values: "_Values") -> str:
    return _gettext(text).format_map(values) if text else ""


class _Values(dict[str, Any]):
    """A missing parameter shows as a dash rather than as an error on somebody's screen."""

    def __missing__(self, key: str) -> str:
        return "—"
