"""The words for runs, their brake, and what operators are told (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
RUN_SENTENCES: Mapping[str, tuple[str, str]] = {
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
}
