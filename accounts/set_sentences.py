"""The words for sets: their records, their policies, and those of the management account (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
SET_SENTENCES: Mapping[str, tuple[str, str]] = {
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
}
