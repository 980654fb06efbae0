"""What becomes of each table when the database is lost: carried by the settings file, rebuilt, history, let go. Pure.

A test holds that every table of every installed app stands here, and that docs/backup.md says the same.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Care(StrEnum):
    """Where a table's rows come from after a loss."""

    CARRIED = "carried"  # `export_settings` and `import_settings`
    REBUILT = "rebuilt"  # read from kintone or AWS, made by a migration, or worked out anew by the first run
    HISTORY = "history"  # only a backup of the database has them; nothing that runs decide depends on them
    NEVER = "never"  # not even where it could be: it is of the moment, or would do harm


class Entry(NamedTuple):
    care: Care
    why: str


CATALOGUE: Mapping[str, Entry] = {
    # What people decided
    "accounts.StageRule": Entry(Care.CARRIED, "all rules, in the place of those that come with Genkan"),
    "accounts.Guardrail": Entry(Care.CARRIED, "with who wrote them"),
    "accounts.OwnerEntry": Entry(Care.CARRIED, "entries and claims, of owners who left as well"),
    "accounts.Stop": Entry(Care.CARRIED, "what holds: pause, lock-outs, freezes; what was lifted is history"),
    "accounts.PrincipalLink": Entry(Care.CARRIED, "what names mean, and who is asked about"),
    "accounts.Withheld": Entry(Care.CARRIED, "with confirmations"),
    "accounts.PortalWrite": Entry(Care.CARRIED, "the ledger, of records that are there"),
    "accounts.AccountMove": Entry(Care.CARRIED, "moves that nobody has confirmed; the others are history"),
    "accounts.Record": Entry(
        Care.CARRIED, "only what is in force beside what the record says, and names kept beside it; else kintone's"
    ),
    "accounts.Account": Entry(Care.CARRIED, "only the unit it was last seen in; else AWS's"),
    "accounts.Principal": Entry(Care.CARRIED, "only of those whom something carried names, gone ones too; else AWS's"),
    "accounts.Person": Entry(Care.CARRIED, "the kintone code; else from AWS"),
    "accounts.User": Entry(Care.CARRIED, "sign-ins, by object id; roles come with the next one"),
    "accounts.Shortcut": Entry(Care.CARRIED, "without how often it was used"),
    "accounts.ShortcutSlug": Entry(Care.CARRIED, "every address a shortcut ever had"),
    "accounts.Visit": Entry(Care.CARRIED, "pins; how often somebody went somewhere is history"),
    "accounts.ShortcutSettings": Entry(Care.CARRIED, "the one row"),
    "accounts.CliPreference": Entry(Care.CARRIED, "each person's"),
    "accounts.AccountCliDefaults": Entry(Care.CARRIED, "each account's"),
    "accounts.ConsoleService": Entry(Care.CARRIED, "what an admin added to the catalogue"),
    "accounts.FavouriteRegion": Entry(Care.CARRIED, "in their order"),
    "syncer.CommentSettings": Entry(Care.CARRIED, "the one row"),
    "syncer.LetterSettings": Entry(Care.CARRIED, "the one row"),
    "syncer.LetterChoice": Entry(Care.CARRIED, "what each person wants to be told"),
    "syncer.TerraformOffer": Entry(Care.CARRIED, "where to; what was offered is looked at anew"),
    "syncer.SecretEnd": Entry(Care.CARRIED, "last days of secrets that an admin has written down"),
    "django_celery_beat.PeriodicTask": Entry(Care.CARRIED, "what runs when, and what is switched off"),
    "django_celery_beat.IntervalSchedule": Entry(Care.CARRIED, "with the tasks that use it"),
    "django_celery_beat.CrontabSchedule": Entry(Care.CARRIED, "with the tasks that use it"),
    # What kintone and AWS hold
    "accounts.OrganizationalUnit": Entry(Care.REBUILT, "AWS Organizations"),
    "accounts.Instance": Entry(Care.REBUILT, "AWS"),
    "accounts.Group": Entry(Care.REBUILT, "the groups among the principals"),
    "accounts.GroupMembership": Entry(Care.REBUILT, "Identity Center"),
    "accounts.PermissionSet": Entry(Care.REBUILT, "AWS and the records"),
    "accounts.Assignment": Entry(Care.REBUILT, "AWS and the records"),
    "accounts.Wish": Entry(Care.REBUILT, "the records"),
    "accounts.RecordPerson": Entry(Care.REBUILT, "the records and the ledger"),
    "accounts.Problem": Entry(Care.REBUILT, "the first run"),
    "accounts.AwsPolicy": Entry(Care.REBUILT, "IAM"),
    "accounts.PolicyOpinion": Entry(Care.REBUILT, "IAM Access Analyzer"),
    "accounts.PolicyText": Entry(Care.REBUILT, "IAM"),
    "syncer.AppState": Entry(Care.REBUILT, "kintone"),
    "syncer.KintoneUsage": Entry(Care.REBUILT, "counted from then on"),
    "syncer.Drift": Entry(Care.REBUILT, "what the first reading finds is no drift; decisions go with the audit trail"),
    "contenttypes.ContentType": Entry(Care.REBUILT, "migrations"),
    "auth.Permission": Entry(Care.REBUILT, "migrations; nobody is given any"),
    "django_celery_beat.PeriodicTasks": Entry(Care.REBUILT, "when the schedule last changed"),
    # What was
    "accounts.AuditEvent": Entry(Care.HISTORY, "who did what; kept for ever, and by nothing but the database"),
    "accounts.Draft": Entry(
        Care.HISTORY, "what kintone has not taken yet: it may have by then, and twice is worse than asking again"
    ),
    "syncer.Run": Entry(Care.HISTORY, "what runs did"),
    "syncer.Change": Entry(Care.HISTORY, "what runs changed; with it goes the brake's memory of 24 hours"),
    "syncer.Operation": Entry(Care.HISTORY, "what was asked of AWS; the first run sees what came of it"),
    "syncer.SetVersion": Entry(Care.HISTORY, "former versions of permission sets"),
    "syncer.TerraformExport": Entry(Care.HISTORY, "exports for Terraform: the repository has what was taken over"),
    "syncer.Farewell": Entry(Care.HISTORY, "sets that are being renamed or deleted: the set stays, and is asked again"),
    "syncer.Withdrawal": Entry(Care.HISTORY, "what people took out within the day: the records say so"),
    "syncer.Adoption": Entry(Care.HISTORY, "what came of adopting; the tag in AWS is what counts"),
    "admin.LogEntry": Entry(Care.HISTORY, "the admin site's own log"),
    # Of the moment
    "syncer.Baseline": Entry(Care.NEVER, "somebody has to look at the plan of the new database"),
    "accounts.AccessToken": Entry(Care.NEVER, "one that was revoked since the file was written would live again"),
    "sessions.Session": Entry(Care.NEVER, "people sign in again"),
    "syncer.Notice": Entry(Care.NEVER, "runs write what still stands"),
    "syncer.Letter": Entry(Care.NEVER, "news of the day; told twice is worse than once more asked"),
    "syncer.RecordComment": Entry(Care.NEVER, "looked for in kintone before one is posted"),
    "syncer.SyncRequest": Entry(Care.NEVER, "polling takes no older comments; replies are looked for on GitHub"),
    "syncer.IssueWatch": Entry(Care.NEVER, "GitHub's issue is looked at anew"),
    "syncer.Hint": Entry(Care.NEVER, "the records are read anyway"),
    "syncer.Examination": Entry(Care.NEVER, "the doctor is asked again"),
    "syncer.Lease": Entry(Care.NEVER, "whose turn it is"),
    "syncer.Bucket": Entry(Care.NEVER, "tokens of the second"),
    "syncer.MeasuredSum": Entry(
        Care.NEVER, "sums for /metrics: Prometheus takes those that begin anew for what they are"
    ),
    "auth.Group": Entry(Care.NEVER, "not used: roles come from Entra ID"),
    "django_celery_beat.SolarSchedule": Entry(Care.NEVER, "not used"),
    "django_celery_beat.ClockedSchedule": Entry(Care.NEVER, "not used"),
}
