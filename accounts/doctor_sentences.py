"""The words for what the doctor finds (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
DOCTOR_SENTENCES: Mapping[str, tuple[str, str]] = {
    # The examination itself
    "doctor_skipped": (_("Not tried, because “{cause}” does not work."), _("Mend that first.")),
    "doctor_raised": (_("The check itself failed: {text}"), _("The log has the details.")),
    "doctor_no_answer": (
        _("No answer within {seconds} seconds."),
        _("Check the network between the portal and the service, then try again."),
    ),
    # The portal itself
    "doctor_settings": (_("All settings that web, worker and beat need are there."), ""),
    "doctor_key": (_("SECRET_KEY is long and random enough."), ""),
    "doctor_key_weak": (
        _("{text} is shorter than 50 characters, or easily guessed."),
        _("Set the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"),
    ),
    "doctor_url": (_("People reach the portal at {url}."), ""),
    "doctor_url_local": (_("Only this machine reaches the portal, at {url}."), ""),
    "doctor_url_open": (
        _("PUBLIC_URL is {url}, which is not encrypted."),
        _("Set an https address, e.g. PUBLIC_URL=https://genkan.example.com"),
    ),
    "doctor_sign_in": (_("The sign-in is set up as it must be."), ""),
    "doctor_sign_in_weak": (
        _("The sign-in is not set up as it must be: {text}"),
        _("manage.py check --deploy says the same; docs/entra.md has the set-up."),
    ),
    "doctor_database": (_("The database answers ({kind})."), ""),
    "doctor_database_away": (
        _("The database does not answer: {text}"),
        _(
            "Check DATABASE_URL, e.g. "
            "DATABASE_URL=postgres://genkan:password@postgres.example.com:5432/genkan, and whether the "
            "server runs."
        ),
    ),
    "doctor_migrations": (_("All migrations are applied."), ""),
    "doctor_migrations_missing": (
        _("The database is older than the program: migrations are missing."),
        _("Run manage.py migrate."),
    ),
    "doctor_cache": (_("The cache answers."), ""),
    "doctor_cache_away": (
        _("The cache does not answer: {text}"),
        _(
            "Check CACHE_URL, e.g. CACHE_URL=redis://redis.example.com:6379/1, and whether it runs. Until then "
            "everything works, more slowly."
        ),
    ),
    "doctor_cache_memory": (_("The cache is the memory of each process, which is enough for one machine."), ""),
    "doctor_broker": (_("The broker answers ({kind})."), ""),
    "doctor_broker_away": (
        _("The broker cannot be reached ({kind})."),
        _(
            "Check CELERY_BROKER_URL, e.g. CELERY_BROKER_URL=redis://redis.example.com:6379/0, and "
            "whether it runs. Until then only “manage.py sync” carries anything out."
        ),
    ),
    "doctor_worker": (_("A worker has been at work lately."), ""),
    "doctor_worker_late": (
        _("No worker has been seen for more than {minutes} minutes."),
        _("Start one: celery -A portal worker"),
    ),
    "doctor_worker_never": (
        _("No run has ever been carried out here."),
        _("On a new portal that is as it should be; else start a worker: celery -A portal worker"),
    ),
    "doctor_beat": (_("The schedule is being followed."), ""),
    "doctor_beat_late": (
        _("The schedule has not been followed for more than {minutes} minutes."),
        _("Start beat, one in all: celery -A portal beat"),
    ),
    "doctor_beat_never": (_("The schedule has never begun."), _("Start beat, one in all: celery -A portal beat")),
    "doctor_clock": (_("The clocks of this machine and of {whose} agree ({seconds} s apart)."), ""),
    "doctor_clock_wrong": (
        _("The clocks of this machine and of {whose} are {seconds} seconds apart."),
        _("Set this machine's clock by NTP: AWS refuses requests that are five minutes off."),
    ),
    # How it is set
    "doctor_mode_apply": (_("SYNC_MODE=apply: runs carry out what records say."), ""),
    "doctor_mode_plan": (
        _("SYNC_MODE=plan: runs read, plan and show, and change nothing."),
        _("Set SYNC_MODE=apply and restart worker and web once the plan is as it should be."),
    ),
    "doctor_drift_grace": (_("Changes made by hand are put back after {hours} hours."), ""),
    "doctor_drift_overwrite": (_("Changes made by hand are put back at once."), ""),
    "doctor_drift_notify": (_("Changes made by hand are told and left."), ""),
    "doctor_ownership_tag": (_("Permission sets with the tag {tag} are Genkan's; no other is ever changed."), ""),
    "doctor_not_paused": (_("Runs are not paused."), ""),
    "doctor_baseline": (_("Somebody has confirmed that this database may write."), ""),
    "doctor_baseline_missing": (
        _("Nobody has confirmed yet that this database may write."),
        _("Look at the plan, then run manage.py sync by hand once, or confirm on a run's page."),
    ),
    # kintone
    "doctor_kintone_app": (_("kintone answers, and takes the token of app {app}."), ""),
    "doctor_kintone_fields": (_("App {app} has the fields that it must have: {fields}."), ""),
    "doctor_kintone_view": (_("The token of app {app} sees {count} records."), ""),
    "doctor_kintone_may_edit": (
        _("The token of app {app} may edit records: it was not refused for one that there is not."),
        "",
    ),
    "doctor_kintone_may_delete": (
        _("The token of app {app} may delete records: it was not refused for one that there is not."),
        "",
    ),
    "doctor_kintone_no_edit": (
        _("The token of app {app} may not edit records."),
        _("Tick “Edit records” for the token, then “Update App”. Until then what is saved in the portal waits."),
    ),
    "doctor_kintone_no_delete": (
        _("The token of app {app} may not delete records."),
        _("Tick “Delete records” for the token, then “Update App”. Until then what is deleted in the portal waits."),
    ),
    "doctor_kintone_unsettled": (
        _("kintone's answer does not tell whether the token may do this."),
        _("Look in the app's settings whether the token has the right."),
    ),
    "doctor_kintone_add_untried": (
        _("Not tried, because it would add a record: whether the token of app {app} may add records."),
        _("Look in the app's settings that “Add records” is ticked for the token."),
    ),
    "doctor_values": (_("The token of app {app} sees every field that is used."), ""),
    "doctor_values_none": (_("Not tried: app {app} has no record whose fields could be looked at."), ""),
    "doctor_values_hidden": (
        _("Rights on fields hide these from the token of app {app}: {fields}"),
        _("Let everyone view them, in the app's settings under field permissions, then update the app."),
    ),
    "doctor_comments": (_("Comments of app {app} can be read. Writing one was not tried."), ""),
    "doctor_comments_none": (_("Not tried: app {app} has no record whose comments could be read."), ""),
    "doctor_mirror": (_("kintone shows {visible} records; the mirror has {mirrored}."), ""),
    "doctor_mirror_unread": (_("kintone shows {visible} records; the mirror has not been read yet."), ""),
    "doctor_mirror_short": (
        _(
            "kintone shows {visible} records, and the mirror has {mirrored}: too many are missing to be "
            "taken for deleted."
        ),
        _(
            "Check the rights on records of the app, and that the settings name the right app. Nothing is"
            " removed until then."
        ),
    ),
    "doctor_quota": (
        _("{spent} requests to app {app} today, {expected} by the end of the day as it goes, of {quota}."),
        "",
    ),
    "doctor_quota_tight": (
        _(
            "{spent} requests to app {app} today, {expected} by the end of the day as it goes, of "
            "{quota}: the portal asks less often."
        ),
        _("Look what else uses the API of this app; kintone writes to the administrators above the quota."),
    ),
    "doctor_users": (_("kintone's users can be read."), ""),
    "doctor_users_inactive": (
        _("Records name {count} users whom kintone has made inactive: {names}. Their access goes on."),
        _("Whoever has left is to be disabled in Entra ID, which ends his access; or take him out of the records."),
    ),
    "doctor_users_missing": (
        _(
            "KINTONE_USERS_API_TOKEN is not set: people are not found by their mail address in kintone, "
            "and whom kintone has deleted is not known."
        ),
        _("Make a User API token in the administration of cybozu.com, and set KINTONE_USERS_API_TOKEN."),
    ),
    "doctor_webhook": (
        _(
            "KINTONE_WEBHOOK_TOKEN is set: kintone may tell of changes at once. Whether it does is seen "
            "in kintone alone."
        ),
        "",
    ),
    "doctor_webhook_missing": (
        _("KINTONE_WEBHOOK_TOKEN is not set: changes made in kintone are seen within a minute instead of at once."),
        _("Set KINTONE_WEBHOOK_TOKEN, and the webhook in both apps (docs/kintone-apps.md)."),
    ),
    # AWS
    "doctor_aws_caller": (_("AWS takes the portal for {arn} in account {account}."), ""),
    "doctor_aws_instance": (_("The organization's Identity Center is there: {instance} in {region}."), ""),
    "doctor_aws_delegated": (_("The account is the delegated administrator of Identity Center."), ""),
    "doctor_aws_management": (
        _("The portal works in the management account {account}, where it could touch what it must not."),
        _(
            "Make another account the delegated administrator of Identity Center, and the portal's role "
            "there (docs/aws-permissions.md)."
        ),
    ),
    "doctor_aws_allowed": (_("AWS answers {operation}."), ""),
    "doctor_aws_nothing": (_("Not tried: there is nothing yet to ask {operation} about."), ""),
    "doctor_aws_denied_to_all": (
        _(
            "AWS denies {operation}, as it may outside the management account; assignments are read by "
            "account and set instead."
        ),
        "",
    ),
    "doctor_aws_untried": (
        _("Not tried, because it would change something: {operations}."),
        _("docs/aws-permissions.md has them as a policy."),
    ),
    # Entra ID
    "doctor_entra": (_("Entra ID answers for the tenant {tenant}."), ""),
    "doctor_entra_away": (
        _("Entra ID does not answer as it should: {text}"),
        _(
            "Check ENTRA_TENANT_ID and ENTRA_AUTHORITY_HOST, and that the portal can reach it. Nobody can"
            " sign in until then."
        ),
    ),
    "doctor_entra_differs": (
        _("Entra ID says something else than the portal expects: {members}."),
        _("Check ENTRA_TENANT_ID and ENTRA_AUTHORITY_HOST."),
    ),
    "doctor_entra_keys": (_("Entra ID publishes {count} keys for sign-ins."), ""),
    "doctor_entra_no_keys": (
        _("Entra ID publishes no key that sign-ins could be checked with."),
        _("Check ENTRA_TENANT_ID and ENTRA_AUTHORITY_HOST."),
    ),
    "doctor_entra_client": (
        _("Entra ID has nothing against the client {client}, as far as can be tried without a sign-in."),
        "",
    ),
    "doctor_entra_client_refused": (
        _("Entra ID does not accept the portal as a client: {text}"),
        _("Check ENTRA_CLIENT_ID, and whether ENTRA_CLIENT_SECRET or the certificate is still good (docs/entra.md)."),
    ),
    "doctor_entra_secret": (
        _("The client has a secret; when it ends only Entra ID knows."),
        _("Write its last day down in the admin site (Ends of secrets), or use a certificate."),
    ),
    "doctor_entra_certificate": (_("The client's certificate is good until {until} ({days} days)."), ""),
    "doctor_entra_certificate_ends": (
        _("The client's certificate ends on {until}, in {days} days."),
        _("Add a new certificate in Entra ID, then set ENTRA_CLIENT_CERTIFICATE and ENTRA_CLIENT_KEY."),
    ),
    "doctor_entra_certificate_over": (
        _("The client's certificate has ended on {until}: nobody can sign in."),
        _("Add a new certificate in Entra ID, then set ENTRA_CLIENT_CERTIFICATE and ENTRA_CLIENT_KEY."),
    ),
    # Slack and GitHub
    "doctor_slack_none": (
        _("Slack is not set up: failures stand only here."),
        _(
            "Set SLACK_WEBHOOK_URL, or SLACK_BOT_TOKEN and SLACK_CHANNEL, if operators are to be told "
            "(docs/notices.md)."
        ),
    ),
    "doctor_slack_webhook": (_("Slack's webhook is set. Not tried: that would post a message."), ""),
    "doctor_slack_bot": (
        _("Slack knows the token: {bot} in {team}. Whether it may post in {channel} was not tried."),
        "",
    ),
    "doctor_github_none": (
        _("GitHub is not set up."),
        _("Set GITHUB_TOKEN and GITHUB_SYNC_ISSUE if people are to write /sync there."),
    ),
    "doctor_github": (_("GitHub shows the issue {issue}: “{title}”. Whether the token may comment was not tried."), ""),
    "doctor_github_classic": (_("GitHub shows the issue {issue}: “{title}”. The token may comment there."), ""),
    "doctor_github_incomplete": (
        _("GitHub is set up in part: nothing can be answered there."),
        _("Set GITHUB_TOKEN and GITHUB_SYNC_ISSUE; GITHUB_WEBHOOK_SECRET as well where GitHub reaches the portal."),
    ),
    "doctor_github_scope": (
        _("GitHub shows the issue {issue}, but the token may not comment: its scopes are {scopes}."),
        _("Give the token the scope repo, or take a fine-grained one that reads and writes issues of the repository."),
    ),
    "doctor_github_locked": (
        _("The issue {issue} on GitHub is locked: only those who may write to the repository can comment."),
        _("Unlock the conversation, or be sure that the token's owner may write."),
    ),
    "doctor_github_public": (
        _("The repository of {issue} is public: everybody reads what the portal replies there."),
        _("Take an issue of a private repository."),
    ),
    "github_unreachable": (_("GitHub cannot be reached ({code})."), _("Check GITHUB_API_URL and the network.")),
    "github_token_refused": (
        _("GitHub does not accept the token ({code})."),
        _("Make a new token and set GITHUB_TOKEN."),
    ),
    "github_denied": (
        _("GitHub does not let the token see the issue {issue} ({code})."),
        _("Give the token the right to read and write issues of that repository."),
    ),
    "github_throttled": (
        _("GitHub takes no more requests for now ({code})."),
        _("Nothing to do: it is asked again when GitHub allows it. If it stays, look what else uses the token."),
    ),
    "github_moved": (
        _("The repository of {issue} has another name now."),
        _("Set GITHUB_SYNC_ISSUE to the issue's address as it is now."),
    ),
    "doctor_offer_none": (_("The files for Terraform are not offered as a pull request."), ""),
    "doctor_offer_incomplete": (
        _("The files for Terraform are to be offered as a pull request, but a repository or a token is missing."),
        _("Name the repository in the admin site, and set GITHUB_TOKEN."),
    ),
    "doctor_offer": (
        _("GitHub shows {repository}; pull requests go to {branch}. Whether the token may write there was not tried."),
        "",
    ),
    "github_repository_missing": (
        _("GitHub has no repository {repository}, or hides it from the token."),
        _("Check its name, and the repositories that the token is for."),
    ),
    "github_repository_denied": (
        _("GitHub does not let the token write to the repository {repository} ({code})."),
        _("Give the token the rights to read and write contents and pull requests of that repository."),
    ),
    "github_branch_missing": (
        _("The repository {repository} on GitHub has no branch {branch}."),
        _("Check the branch in the settings of the pull request."),
    ),
    "github_refused": (_("GitHub did not accept a request ({code})."), _("The log says which.")),
    "github_issue_missing": (
        _("GitHub has no issue {issue}, or hides it from the token."),
        _("Check GITHUB_SYNC_ISSUE, and the repositories that the token is for."),
    ),
}
