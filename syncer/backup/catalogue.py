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


class Handling(NamedTuple):
    care: Care
    why: str


CATALOGUE: Mapping[str, Handling] = {
    # What people decided
    "accounts.StageRule": Handling(Care.CARRIED, "all rules, in the place of those that come with Genkan"),
    "accounts.Guardrail": Handling(Care.CARRIED, "with who wrote them"),
    "accounts.OwnerEntry": Handling(Care.CARRIED, "entries and claims, of owners who left as well"),
    "accounts.Stop": Handling(Care.CARRIED, "what holds: pause, lock-outs, freezes; what was lifted is history"),
    "accounts.PrincipalLink": Handling(Care.CARRIED, "what names mean, and who is asked about"),
    "accounts.Withheld": Handling(Care.CARRIED, "with confirmations"),
    "accounts.PortalWrite": Handling(Care.CARRIED, "the ledger, of records that are there"),
    "accounts.AccountMove": Handling(Care.CARRIED, "moves that nobody has confirmed; the others are history"),
    "accounts.Record": Handling(
        Care.CARRIED, "only what is in force beside what the record says, and names kept beside it; else kintone's"
    ),
    "accounts.Account": Handling(Care.CARRIED, "only the unit it was last seen in; else AWS's"),
    "accounts.Principal": Handling(
        Care.CARRIED, "only of those whom something carried names, gone ones too; else AWS's"
    ),
    "accounts.Person": Handling(Care.CARRIED, "the kintone code; else from AWS"),
    "accounts.User": Handling(Care.CARRIED, "sign-ins, by object id; roles come with the next one"),
    "accounts.Shortcut": Handling(Care.CARRIED, "without how often it was used"),
    "accounts.ShortcutSlug": Handling(Care.CARRIED, "every address a shortcut ever had"),
    "accounts.Visit": Handling(Care.CARRIED, "pins; how often somebody went somewhere is history"),
    "accounts.ShortcutSettings": Handling(Care.CARRIED, "the one row"),
    "accounts.CliPreference": Handling(Care.CARRIED, "each person's"),
    "accounts.AccountCliDefaults": Handling(Care.CARRIED, "each account's"),
    "accounts.ConsoleService": Handling(Care.CARRIED, "what an admin added to the catalogue"),
    "accounts.FavouriteRegion": Handling(Care.CARRIED, "in their order"),
    "syncer.CommentSettings": Handling(Care.CARRIED, "the one row"),
    "syncer.LetterSettings": Handling(Care.CARRIED, "the one row"),
    "syncer.LetterChoice": Handling(Care.CARRIED, "what each person wants to be told"),
    "syncer.TerraformOffer": Handling(Care.CARRIED, "where to; what was offered is looked at anew"),
    "syncer.SecretEnd": Handling(Care.CARRIED, "last days of secrets that an admin has written down"),
    "django_celery_beat.PeriodicTask": Handling(Care.CARRIED, "what runs when, and what is switched off"),
    "django_celery_beat.IntervalSchedule": Handling(Care.CARRIED, "with the tasks that use it"),
    "django_celery_beat.CrontabSchedule": Handling(Care.CARRIED, "with the tasks that use it"),
    # What kintone and AWS hold
    "accounts.OrganizationalUnit": Handling(Care.REBUILT, "AWS Organizations"),
    "accounts.Instance": Handling(Care.REBUILT, "AWS"),
    "accounts.Group": Handling(Care.REBUILT, "the groups among the principals"),
    "accounts.GroupMembership": Handling(Care.REBUILT, "Identity Center"),
    "accounts.PermissionSet": Handling(Care.REBUILT, "AWS and the records"),
    "accounts.Assignment": Handling(Care.REBUILT, "AWS and the records"),
    "accounts.Wish": Handling(Care.REBUILT, "the records"),
    "accounts.RecordPerson": Handling(Care.REBUILT, "the records and the ledger"),
    "accounts.Problem": Handling(Care.REBUILT, "the first run"),
    "accounts.AwsPolicy": Handling(Care.REBUILT, "IAM"),
    "accounts.PolicyOpinion": Handling(Care.REBUILT, "IAM Access Analyzer"),
    "accounts.PolicyText": Handling(Care.REBUILT, "IAM"),
    "syncer.AppState": Handling(Care.REBUILT, "kintone"),
    "syncer.KintoneUsage": Handling(Care.REBUILT, "counted from then on"),
    "syncer.Drift": Handling(
        Care.REBUILT, "what the first reading finds is no drift; decisions go with the audit trail"
    ),
    "contenttypes.ContentType": Handling(Care.REBUILT, "migrations"),
    "auth.Permission": Handling(Care.REBUILT, "migrations; nobody is given any"),
    "django_celery_beat.PeriodicTasks": Handling(Care.REBUILT, "when the schedule last changed"),
    # What was
    "accounts.AuditEvent": Handling(Care.HISTORY, "who did what; kept for ever, and by nothing but the database"),
    "accounts.Draft": Handling(
        Care.HISTORY, "what kintone has not taken yet: it may have by then, and twice is worse than asking again"
    ),
    "syncer.Run": Handling(Care.HISTORY, "what runs did"),
    "syncer.Change": Handling(Care.HISTORY, "what runs changed; with it goes the brake's memory of 24 hours"),
    "syncer.Operation": Handling(Care.HISTORY, "what was asked of AWS; the first run sees what came of it"),
    "syncer.SetVersion": Handling(Care.HISTORY, "former versions of permission sets"),
    "syncer.TerraformExport": Handling(Care.HISTORY, "exports for Terraform: the repository has what was taken over"),
    "syncer.Farewell": Handling(
        Care.HISTORY, "sets that are being renamed or deleted: the set stays, and is asked again"
    ),
    "syncer.Withdrawal": Handling(Care.HISTORY, "what people took out within the day: the records say so"),
    "syncer.Adoption": Handling(Care.HISTORY, "what came of adopting; the tag in AWS is what counts"),
    "admin.LogEntry": Handling(Care.HISTORY, "the admin site's own log"),
    # Of the moment
    "syncer.Baseline": Handling(Care.NEVER, "somebody has to look at the plan of the new database"),
    "accounts.AccessToken": Handling(Care.NEVER, "one that was revoked since the file was written would live again"),
    "sessions.Session": Handling(Care.NEVER, "people sign in again"),
    "syncer.Notice": Handling(Care.NEVER, "runs write what still stands"),
    "syncer.Letter": Handling(Care.NEVER, "news of the day; told twice is worse than once more asked"),
    "syncer.RecordComment": Handling(Care.NEVER, "looked for in kintone before one is posted"),
    "syncer.SyncRequest": Handling(Care.NEVER, "polling takes no older comments; replies are looked for on GitHub"),
    "syncer.IssueWatch": Handling(Care.NEVER, "GitHub's issue is looked at anew"),
    "syncer.Hint": Handling(Care.NEVER, "the records are read anyway"),
    "syncer.Examination": Handling(Care.NEVER, "the doctor is asked again"),
    "syncer.Lease": Handling(Care.NEVER, "whose turn it is"),
    "syncer.Bucket": Handling(Care.NEVER, "tokens of the second"),
    "syncer.MeasuredSum": Handling(
        Care.NEVER, "sums for /metrics: Prometheus takes those that begin anew for what they are"
    ),
    "auth.Group": Handling(Care.NEVER, "not used: roles come from Entra ID"),
    "django_celery_beat.SolarSchedule": Handling(Care.NEVER, "not used"),
    "django_celery_beat.ClockedSchedule": Handling(Care.NEVER, "not used"),
}
