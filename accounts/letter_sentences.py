"""The words for what single people are told, and for mail (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
LETTER_SENTENCES: Mapping[str, tuple[str, str]] = {
    "letter_given_by": (_("Given by {by}."), ""),
    "letter_given": (_("A record gives it."), ""),
    "letter_lost_ended": (_("The last day has passed."), ""),
    "letter_lost_asked": (_("{by} took it away in Genkan."), ""),
    "letter_lost_guardrail": (_("A guardrail of the company does not allow it."), ""),
    "letter_lost_drift": (_("It was assigned by hand, past the records."), ""),
    "letter_lost_withdrawn": (_("{by} took it out of the record."), ""),
    "letter_lost_no_record": (_("The record that gave it is gone."), ""),
    "letter_lost": (_("No record gives it any more."), ""),
    "letter_ends": (_("Who loses it: {names}"), ""),
    "letter_left": (_("{who} has left."), ""),
    "letter_left_alone": (
        _("{who} has left, and the record {record} has no owner any more."),
        _("Write somebody who stays into it as its owner."),
    ),
    "letter_sessions": (_("What is open already can go on until {sessions_at}."), ""),
    "letter_no_address": (_("No mail address of the person is known."), ""),
    "letter_ownerless": (
        _("{who} has left, and the account has no owner any more."),
        _("An administrator names an owner on its page."),
    ),
    # Mail
    "mail_unreachable": (_("The mail server cannot be reached ({code})."), _("Check EMAIL_URL and the network.")),
    "mail_unavailable": (
        _("The mail server does not take it for the moment ({code} {text})."),
        _("Nothing to do: it is tried again."),
    ),
    "mail_login_refused": (
        _("The mail server does not accept the portal's login ({code} {text})."),
        _("Check user and password in EMAIL_URL."),
    ),
    "mail_sender_refused": (
        _("The mail server does not let the portal send as this address ({code} {text})."),
        _("Set an address that it may send as: EMAIL_URL=smtp+tls://…?from=genkan@example.com"),
    ),
    "mail_recipient_refused": (_("The mail server does not know the address ({code} {text})."), ""),
    "mail_refused": (_("The mail server refuses the message ({code} {text})."), ""),
    "mail_not_supported": (
        _("The mail server cannot do what EMAIL_URL asks for."),
        _("Choose smtp, smtp+tls or smtp+ssl as the server has it."),
    ),
    "mail_not_valid": (_("A mail cannot be sent to this address."), ""),
    "slack_person_missing": (_("Slack knows nobody by this address ({code})."), ""),
    "slack_scope_missing": (
        _("The bot lacks a right in Slack ({code})."),
        _("Add chat:write to the app, users:read and users:read.email where people are told, and install it anew."),
    ),
    # The doctor
    "doctor_mail_none": (_("Mail is not set up: nobody is told by mail."), _("Set EMAIL_URL if people are to be.")),
    "doctor_mail": (_("The mail server takes the portal's login. It sends as {sender}; nothing was sent."), ""),
    "doctor_mail_file": (_("Mail goes into files or memory, as in a test."), ""),
    "doctor_slack_scopes_missing": (
        _("People are to be told in Slack, and the bot lacks: {scopes}."),
        _("Add these scopes to the app and install it anew (docs/notices.md)."),
    ),
    "doctor_letters_no_bot": (
        _("People are to be told in Slack, and there is no bot."),
        _("Set SLACK_BOT_TOKEN and SLACK_CHANNEL, or choose mail in the admin site."),
    ),
    "doctor_letters_no_mail": (
        _("People are to be told by mail, and EMAIL_URL is not set."),
        _("Set EMAIL_URL, or choose another way in the admin site."),
    ),
    "doctor_letters": (_("Single people are told what changes for them. The way is there."), ""),
    "doctor_letters_none": (_("Single people are told nothing by Slack or mail."), ""),
}
