"""The words for what happens with kintone: reading, writing, setting up and adopting (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
KINTONE_SENTENCES: Mapping[str, tuple[str, str]] = {
    # kintone
    "kintone_fields_missing": (
        _("The kintone app {app} has no field {fields}."),
        _(
            "Put the field code back, or name the new one in {setting}. If the field is there, let its rights show it."
            " Nothing is changed until then."
        ),
    ),
    "kintone_field_type": (
        _("The field {field} of the kintone app {app} is a {type}, which cannot hold {name}."),
        _("Use one of: {types}."),
    ),
    "kintone_field_in_table": (
        _("The field {field} of the kintone app {app} is a column of a table, which cannot hold {name}."),
        _("Use a field outside of tables: a record has one {name}."),
    ),
    "codes_alike": (
        _("“{name}” may mean several users of kintone, whose codes differ in case or width only: {codes}."),
        _(
            "Give these users login names that differ in more, then save the record again. Until then nobody new gets "
            "access by such a name, and whoever has it keeps it."
        ),
    ),
    "kintone_option_missing": (
        _("The field “{field}” of the kintone app has no option “{value}”."),
        _("Add the option to the field in kintone, then save again."),
    ),
    "kintone_one_value": (
        _("The field “{field}” of the kintone app holds one value, and {count} were to be written."),
        _("Make a record for each, or let the app hold several: as lines of text, or as a table."),
    ),
    "kintone_unreachable": (
        _("kintone cannot be reached ({operation}): {text}"),
        _("Check KINTONE_BASE_URL and the network. Nothing is changed until kintone answers."),
    ),
    "kintone_unavailable": (
        _("kintone is out of order for the moment or in maintenance ({operation})."),
        _("Nothing to do: the next run tries again. Nothing is changed until then."),
    ),
    "kintone_throttled": (
        _("kintone has too many requests at once ({operation})."),
        _("Nothing to do: the next run tries again. If it stays, look what else uses the API of this kintone."),
    ),
    "kintone_locked": (
        _("kintone is writing the same record ({operation})."),
        _("Nothing to do: the next run tries again."),
    ),
    "kintone_token_refused": (
        _("kintone does not accept the API token of app {app}."),
        _("Check the token in the settings. A new or changed token works only after “Update App” in kintone."),
    ),
    "kintone_login_refused": (
        _("kintone does not accept this login or token ({operation})."),
        _("Check KINTONE_USERNAME and KINTONE_PASSWORD, or KINTONE_USERS_API_TOKEN."),
    ),
    "kintone_login_no_right": (
        _("This login or token may not do this in kintone ({operation})."),
        _("Only a kintone administrator may create apps; a token for users needs the scope to read them."),
    ),
    "kintone_no_right": (
        _("The API token of the kintone app {app} may not do this ({operation})."),
        _("Tick the rights to view, add, edit and delete records for the token, then “Update App”."),
    ),
    "kintone_app_missing": (
        _("There is no kintone app {app}."),
        _("Check the app id in the settings, and KINTONE_GUEST_SPACE_ID if the app is in a guest space."),
    ),
    "kintone_guest_space": (
        _("The kintone app {app} lies in a guest space, or not in this one."),
        _("Set KINTONE_GUEST_SPACE_ID to the number of the app's guest space, or clear it."),
    ),
    "kintone_record_missing": (_("The record is not in the kintone app {app}."), ""),
    "kintone_conflict": (
        _("Somebody else changed the record at the same time ({operation})."),
        _("Load the record again and repeat the change."),
    ),
    "kintone_lookup_missing": (
        _("The other kintone app has no such permission set, or the token may not see it: {text}"),
        _("Check the name, and that the tokens of both apps may view records."),
    ),
    "kintone_deploy_failed": (
        _("kintone did not take over the new settings of app {app}."),
        _("Open the app's settings in kintone and press “Update App”: it says there what is in the way."),
    ),
    "kintone_deploy_slow": (
        _("kintone is still taking over the new settings of app {app}."),
        _("Wait a few minutes, then run the command again."),
    ),
    # Setting up the kintone apps
    "setup_app_created": (
        _("Created the app “{name}”: number {app}."),
        _("Should this stop before the end, run it again; elsewhere with {setting}={app}."),
    ),
    "setup_fields_added": (_("App {app}: added the fields {fields}."), ""),
    "setup_views_added": (_("App {app}: added the views {views}."), ""),
    "setup_record_rights_set": (
        _("App {app}: owners, creator and the group {group} may edit and delete a record, everyone may view it."),
        "",
    ),
    "setup_field_rights_set": (_("App {app}: only the portal fills in {fields}."), ""),
    "setup_deployed": (_("App {app}: published."), ""),
    "setup_app_good": (_("App {app} ({name}) is as it should be."), ""),
    "setup_name_taken": (
        _("kintone has an app “{name}” already: number {app}."),
        _("To check it, set {setting}={app}. To get a new one beside it, rename that app first."),
    ),
    "setup_guest_space": (
        _("There is no app “{name}” yet, and none can be created in a guest space from here."),
        _("Create an empty app there, set {setting} to its number, and run this with --fix."),
    ),
    "setup_unpublished": (
        _("App {app} has changes by somebody else that are not published yet. Adding fields would publish them, too."),
        _("Publish or discard them in the app's settings, then run this again."),
    ),
    "setup_empty_counts": (
        _("App {app}: once it has the fields {fields}, empty means empty: the next run takes away what AWS has there."),
        _("Set SYNC_MODE=plan everywhere, run this again, fill the fields in, look at manage.py plan, then go back."),
    ),
    "setup_field_missing": (
        _("App {app}: the field {field} is missing ({type})."),
        _("--fix adds it. If the app has it under another code, map that code in the settings."),
    ),
    "setup_field_type": (
        _("App {app}: the field {field} is a {type}, which cannot be used."),
        _("Make a field of one of these types and map its code: {types}."),
    ),
    "setup_not_required": (
        _("App {app}: the field {field} may be left empty."),
        _("Tick “Required field” in its settings."),
    ),
    "setup_not_unique": (
        _("App {app}: the field {field} takes the same value twice."),
        _("Tick “Prohibit duplicate values” in its settings."),
    ),
    "setup_no_lookup": (
        _("App {app}: the field {field} is no lookup, so that a misspelt name is found only later."),
        _("Make a lookup on the field {key} of app {other_app}, and map its code."),
    ),
    "setup_lookup_elsewhere": (
        _("App {app}: the field {field} looks up the field {other_key} of app {other}."),
        _("Let it look up the field {key} of app {other_app}."),
    ),
    "setup_view_missing": (_("App {app}: the view “{view}” is missing."), _("--fix adds it.")),
    "setup_rights_missing": (
        _("App {app}: whoever may edit one record may edit all."),
        _("Settings, Permissions for records: owners, creator and administrators edit and delete, everyone views."),
    ),
    "setup_rights_conditional": (
        _("App {app}: records that match “{condition}” have rights of their own."),
        _("See that the portal's API token may view and edit them: records that it may not see look deleted."),
    ),
    "setup_rights_edit": (
        _("App {app}: {entity} may not view, edit and delete all that it should."),
        _("Settings, Permissions for records: let {entity} view, edit and delete, in this order before everyone."),
    ),
    "setup_rights_view": (
        _("App {app}: {entity} may do something other than view records."),
        _("Settings, Permissions for records: let {entity} view, and nothing more."),
    ),
    "setup_rights_more": (
        _("App {app}: {entity} may edit or delete records, too."),
        _("Settings, Permissions for records: take that away, unless it is meant."),
    ),
    "setup_field_rights": (
        _("App {app}: people may fill in the field {field}, which is the portal's, or administrators may not."),
        _("Settings, Permissions for fields: Administrators edit, everyone views."),
    ),
    "setup_sign_in_refused": (
        _("kintone does not accept KINTONE_USERNAME and KINTONE_PASSWORD."),
        _("Check both. Where the company demands SAML, only administrators of cybozu.com have a password that works."),
    ),
    "setup_no_right": (
        _("This user may not do this ({operation})."),
        _("Take somebody who may create apps, and who administers the two apps."),
    ),
    "kintone_not_kintone": (
        _("What answered is not kintone ({operation}): {text}"),
        _("Check KINTONE_BASE_URL, and whether a proxy or a sign-in page stands in between."),
    ),
    "kintone_truncated": (
        _("kintone's list of records is not complete ({found} of {expected}). {text}"),
        _("Nothing is changed until a complete list comes. If it stays, check the token's right to view all records."),
    ),
    "kintone_error": (
        _("kintone refused the request ({operation}): {code} {text}"),
        _("See the log. Nothing is changed until kintone can be read."),
    ),
    # Adopting
    "adopt_different": (
        _("The record says something else than AWS: {fields}"),
        _("Say whose word counts: --take kintone has the next run change AWS, --take aws changes the record."),
    ),
    "adopt_stale": (
        _("Accounts hold an older version of “{set}” than AWS has now: {accounts}"),
        _("Provision the set there in AWS, or let the next run do it with --take kintone."),
    ),
    "adopt_more": (
        _("A record wants this access with “{set}”, and AWS does not have it."),
        _("Take it out of the record, or let the next run give it with --take kintone."),
    ),
    "adopt_record_missing": (
        _("No valid record describes “{set}” after writing."),
        _("Look at the problems of its record, and run the command again."),
    ),
    "adopt_still_different": (
        _("The record of “{set}” still differs from AWS after writing: {fields}"),
        _("Look at the record in kintone: the app may lack a field, or somebody else's value is withheld there."),
    ),
    "adopt_not_wanted": (
        _("AWS has this access with “{set}”, and no valid record wants it."),
        _("It may have been given by hand a moment ago. Run the command again."),
    ),
    "adopt_would_change": (
        _("If “{set}” were managed by Genkan, the next run would do more than was shown: {changes}"),
        _("Look at the records that these changes come from, and run the command again."),
    ),
    "adopt_ambiguous": (
        _("“{name}” does not say for certain who is meant: a record under this name could mean somebody else."),
        _(
            "Give the groups different names in Entra ID, or settle who is meant on the pages of people. Or name "
            "the assignment in --leave-out."
        ),
    ),
    "adopt_nameless": (
        _("The app of assignments has no field in which a record could name {name}."),
        _("Add the field more_users or groups to the app, or name the assignment in --leave-out."),
    ),
    "adopt_not_understood": (
        _("A record about it cannot be understood: {record}"),
        _("Mend that record, or delete it."),
    ),
    "adopt_account_unknown": (
        _("Account {account} is not in the organization, as far as it was read."),
        _("Run the command again."),
    ),
    "adopt_orphan": (
        _("{name} is not in Identity Center any more: the assignment is an orphan."),
        _("Remove it in AWS, or name it in --leave-out."),
    ),
    "adopt_disabled": (
        _("{name} is disabled in Identity Center, and would lose this access."),
        _("Have the person enabled, remove the assignment in AWS, or name it in --leave-out."),
    ),
    "adopt_ended": (
        _("A record names it, but its last day has passed."),
        _("Extend the record, remove the assignment in AWS, or name it in --leave-out."),
    ),
    "adopt_withdrawn": (
        _("A record wanted it and does not any more: {record}"),
        _("Register it again, remove the assignment in AWS, or name it in --leave-out."),
    ),
    "adopt_name_unclear": (
        _(
            "A record about the same place cannot be understood, or names somebody whom Identity Center does not "
            "know; this may be meant: {record}"
        ),
        _("Mend the name in that record."),
    ),
    "adopt_unwritable": (
        _("No valid record could say what AWS has of “{set}”: {field}, {value}."),
        _("Change the set in AWS so that Genkan's checks take it; manage.py validate_policy says more about a policy."),
    ),
    "adopt_ours_already": (
        _("“{set}” is managed by Genkan already."),
        "",
    ),
    "adopt_unknown_set": (
        _("AWS has no permission set “{set}”."),
        _("Check the spelling."),
    ),
    "adopt_busy": (
        _("Permission sets are being adopted by somebody else at this moment."),
        _("Wait until that is done, and run the command again."),
    ),
    "leave_out_wrong": (
        _("This line is not understood: {text}"),
        _("Write the account id, the permission set, and the id or name of the person or group, with blanks between."),
    ),
    "leave_out_ambiguous": (
        _("Several assignments are meant by this line: {text}"),
        _("Write the principal's id instead of the name."),
    ),
    "leave_out_matches_nothing": (
        _("No assignment of a permission set that can be adopted is meant by this line: {text}"),
        _("Correct the line, or take it out."),
    ),
    "owners_csv_wrong": (
        _("This line is not understood: {text}"),
        _("Give a 12-digit account id or the id of a unit, and the owners with blanks between."),
    ),
    "owners_csv_columns": (
        _("The columns are: {columns}"),
        _("Name the columns owners, and account_id or ou_id, or both of these, and no others."),
    ),
    "owners_csv_twice": (
        _("{place} stands in an earlier line already."),
        _("Put all owners into one line."),
    ),
    "owners_csv_place": (
        _("The organization has no account and no unit {place}."),
        _("Correct the id."),
    ),
    "owners_csv_person": (
        _("Nobody in Identity Center is known as “{name}”."),
        _("Write a kintone login name, or an address as Identity Center has it."),
    ),
    # On the way to kintone
    "draft_waits_for_judgement": (
        _("Somebody else has just changed the record. What was changed is judged first, then this is written onto it."),
        _("Nothing to do."),
    ),
    "draft_conflict": (
        _("{by} changed the same values in kintone meanwhile. Nothing was written over them."),
        _("Choose field by field what is to stand in the record, and send it again."),
    ),
    "draft_deletion_overtaken": (
        _("{by} changed the record after you had looked at it, so it was not deleted."),
        _("Look at what changed, then delete it or keep it."),
    ),
    "draft_refused": (
        _("kintone does not take it: {text}"),
        _("Mend it in kintone and send it again, or discard it and save other values."),
    ),
    "draft_record_gone": (
        _("The record is not in kintone any more."),
        _("Discard the draft, or register the wish as a new record."),
    ),
    "draft_code_moved": (
        _("kintone has deleted the user {code}. The record now names the address {name} instead; access goes on."),
        "",
    ),
    "draft_code_beside": (
        _(
            "kintone has deleted the user {code}, and the app has no field for addresses. "
            "Genkan keeps {name} beside the record; access goes on."
        ),
        _("To have it in kintone as well, add a field more_users to the app."),
    ),
    "draft_code_left_out": (
        _("kintone has deleted the user {code}, whom Identity Center does not know. The record names {code} no more."),
        "",
    ),
    "draft_owner_left_out": (
        _("kintone has deleted the user {code}, who is no owner of the record any more."),
        _("See to it that the record has another owner."),
    ),
    "withdraw_not_named": (
        _("{name} is not named in record {record}."),
        _("Look at the record: somebody may have taken the name out meanwhile."),
    ),
    "undo_done": (_("It has been undone already."), ""),
    "undo_again": (_("It is being written to kintone at this moment."), _("Press once more.")),
    "undo_too_late": (
        _("It can be undone for {minutes} minutes, and they are over."),
        _("Register the access anew, or ask an owner of the account."),
    ),
    "undo_nothing": (_("Nothing was taken out by it, so there is nothing to put back."), ""),
    "undo_no_right": (
        _("You may not take access out of this record any more, and so not put it back either."),
        _("Ask an owner of the account."),
    ),
    "undo_moved": (
        _("Record {record} was moved, or its last day was, since then."),
        _("Register the access anew, or ask an owner of the account."),
    ),
    "undo_ended": (
        _("Its last day, {day}, has passed."),
        _("Register the access anew, or ask an owner of the account."),
    ),
    "undo_taken_since": (
        _("{name} has taken the same out of the record since then."),
        _("Ask them, or an owner of the account."),
    ),
    "extend_no_day": (
        _("Record {record} has no last day in force, so there is none to extend."),
        "",
    ),
    "extend_not_later": (
        _("That is no later than the last day there is, {day}."),
        _("Choose a later day."),
    ),
    "draft_nothing_changed": (_("Nothing was changed, so there is nothing to save."), ""),
    "draft_too_many": (
        _("{count} records cannot be saved at once; {limit} can."),
        _("Save them in several steps."),
    ),
    "draft_too_many_open": (
        _("{limit} of your drafts wait for kintone; nothing more is taken until some are written."),
        _("Discard those that are not wanted, or wait until kintone takes them."),
    ),
    "draft_not_open": (_("It has been written or discarded already."), _("Look at it once more.")),
    "draft_choice_missing": (_("Nothing was chosen for: {fields}"), _("Choose what is to stand in each field.")),
    "draft_discarded_too_late": (
        _("It was in kintone already when it was discarded."),
        _("Change the record again to take it back."),
    ),
    "draft_before_discarded": (_("What had to be written first was discarded."), ""),
    "draft_together": (
        _("It is saved together with other records, and one of them cannot be written yet."),
        _("See to that one; then all of them are written."),
    ),
}
