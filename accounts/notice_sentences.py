"""The words for what the watch tells operators (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
NOTICE_SENTENCES: Mapping[str, tuple[str, str]] = {
    "notice_schema_broken": (
        _("The form of kintone's app {app} is not as it must be. Nothing of it is carried out until it is mended."),
        "",
    ),
    "notice_no_run": (
        _("No run has come through for {minutes} minutes, since {since_at}."),
        _("See why on the page of runs, and with manage.py doctor whether broker, worker and beat are at work."),
    ),
    "notice_no_run_yet": (
        _("No run has come through since the portal was set up."),
        _("See why on the page of runs, and with manage.py doctor whether broker, worker and beat are at work."),
    ),
    "notice_secret_ends": (
        _("Ends on {until}, in {days} days: {name}"),
        _("Make a new one, set it, and write its last day down in the admin site."),
    ),
    "notice_secret_over": (
        _("Has ended on {until}: {name}"),
        _("Make a new one, set it, and write its last day down in the admin site."),
    ),
    "notice_aws_ends": (
        _("The AWS credentials in the portal's environment end at {until_at}, and nothing renews them."),
        _("Give the portal a role of its task or machine in their place (docs/aws-permissions.md)."),
    ),
    "notice_aws_over": (
        _("The AWS credentials in the portal's environment have ended at {until_at}: no run can read AWS."),
        _("Give the portal a role of its task or machine in their place (docs/aws-permissions.md)."),
    ),
    "doctor_secret_ends_none": (
        _("Nobody has written down when secrets end."),
        _("Write it down in the admin site, under “Ends of secrets”: Slack is then told in time."),
    ),
    "doctor_secret_ends": (_("The next secret to end: {name}, on {until}."), ""),
}
