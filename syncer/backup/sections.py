"""What the settings file holds, section by section, in the order in which it can be put back.

A section names the columns that make a row known again (`key`), those that are carried (`fields`) and those that are
not (`without`); a test holds that no column of a table is forgotten. Of tables that kintone and AWS fill (`is_mirror`)
only some columns are ours to carry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django_celery_beat.models import PeriodicTask

from accounts.models import (
    Account,
    AccountCliDefaults,
    AccountMove,
    CliPreference,
    ConsoleService,
    FavouriteRegion,
    Guardrail,
    OwnerEntry,
    Person,
    PortalWrite,
    Principal,
    PrincipalLink,
    Record,
    Shortcut,
    ShortcutSettings,
    ShortcutSlug,
    StageRule,
    Stop,
    User,
    Visit,
    Wish,
    Withheld,
)
from accounts.names import fold
from syncer.models import CommentSettings, LetterChoice, LetterSettings, SecretEnd, TerraformOffer

Values = dict[str, Any]
Adapt = Callable[[Values, Any, datetime], Values]
"""What is stored: of the values in the file, the row that is there or None, and when the file was written."""


def _as_it_is(values: Values, _row: Any, _written_at: datetime) -> Values:
    return values


def _none(_row: Any) -> bool:
    return False


def _all(_row: Any) -> bool:
    return True


@dataclass(frozen=True)
class Section:
    """rows: what is written. creates: whether a row that is not here is made. surplus: rows of a new database that go
    where the file does not have them. gives: whether a row gives rights: where the portal is at work, one that is
    missing may have been taken away since. says: columns that are said with the key where a row is named to people.
    """

    name: str
    model: type[Model]
    key: tuple[str, ...]
    fields: tuple[str, ...]
    rows: Callable[[], QuerySet[Any]]
    without: tuple[str, ...] = ()
    adapt: Adapt = _as_it_is
    creates: bool = True
    is_mirror: bool = False
    surplus: Callable[[], QuerySet[Any]] | None = None
    gives: Callable[[Any], bool] = _none
    says: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, *self.fields)


# --- Whose rows kintone and AWS fill ----------------------------------------------------------------------------------


def _named_principals() -> QuerySet[Principal]:
    """Those whom something else in the file names."""
    naming = (
        Q(pk__in=PrincipalLink.objects.values("principal"))
        | Q(pk__in=PrincipalLink.objects.filter(namesake__isnull=False).values("namesake"))
        | Q(pk__in=OwnerEntry.objects.values("principal"))
        | Q(pk__in=_holding_stops().filter(principal__isnull=False).values("principal"))
        | Q(pk__in=_known_people().values("principal"))
    )
    return Principal.objects.filter(naming, principal_id__isnull=False)


def _adapt_principal(values: Values, row: Principal | None, written_at: datetime) -> Values:
    """AWS says who is there; whom it does not know any more was last seen when the file was written, or before."""
    if row is not None:
        return {"first_seen": min(row.first_seen, values["first_seen"])}
    return {**values, "name_key": fold(values["name"]), "gone_at": values["gone_at"] or written_at}


def _adapt_account(values: Values, row: Account | None, written_at: datetime) -> Values:
    if row is not None:
        return {"placed_in": values["placed_in"], "place": values["place"]}
    return {**values, "gone_at": written_at}


def _known_people() -> QuerySet[Person]:
    known = ~Q(kintone_code="") | Q(user__isnull=False)
    return Person.objects.filter(known, principal__principal_id__isnull=False)


def _adapt_person(values: Values, row: Person | None, _written_at: datetime) -> Values:
    return values if row is None else {"kintone_code": values["kintone_code"] or row.kintone_code}


def _adapt_sign_in(values: Values, row: User | None, _written_at: datetime) -> Values:
    """Roles come from Entra ID with the next sign-in, never from a file; nobody who is shut out is let in by one."""
    if row is None:
        return {**values, "is_staff": False, "is_auditor": False}
    kept = {"is_staff": row.is_staff, "is_auditor": row.is_auditor, "is_active": row.is_active and values["is_active"]}
    return {**values, **kept}


def _special_records() -> QuerySet[Record]:
    """Records of which something counts that reading them anew does not bring back."""
    another = Q(in_force__isnull=False) & ~Q(in_force_revision=F("revision"))
    on_the_way = Wish.objects.filter(is_current=True, is_refused=False, assignment__in_aws=False)
    return Record.objects.live().filter(
        another | Q(pk__in=Withheld.objects.values("record")) | Q(pk__in=on_the_way.values("record")) | ~Q(beside=[])
    )


def _adapt_record(values: Values, row: Record | None, _written_at: datetime) -> Values:
    """A revision that kintone does not have, after a restore there, says nothing about the one it has."""
    revision = values["in_force_revision"]
    is_known = row is not None and revision is not None and revision <= row.revision
    return {**values, "in_force_revision": revision if is_known else None}


def _ledger() -> QuerySet[PortalWrite]:
    live = Record.objects.live().filter(app_id=OuterRef("app_id"), record_id=OuterRef("record_id"))
    return PortalWrite.objects.filter(Exists(live))


# --- What people decided ----------------------------------------------------------------------------------------------


def _holding_stops() -> QuerySet[Stop]:
    return Stop.objects.active()


def _tasks() -> QuerySet[Any]:
    rows: QuerySet[Any] = PeriodicTask.objects.filter(Q(interval__isnull=False) | Q(crontab__isnull=False))
    return rows


SECTIONS: tuple[Section, ...] = (
    Section(
        "stage_rules", StageRule, ("ou_name",), ("stage",), StageRule.objects.all, surplus=StageRule.objects.all,
        gives=_all, says=("stage",),
    ),
    Section(
        "accounts", Account, ("account_id",), ("name", "email", "stage", "placed_in", "place"),
        Account.objects.all, adapt=_adapt_account, is_mirror=True,
    ),
    Section(
        "principals", Principal, ("principal_id",),
        ("type", "name", "display_name", "email", "external_id", "external_issuer", "is_enabled", "first_seen",
         "disabled_at", "gone_at"),
        _named_principals, adapt=_adapt_principal, is_mirror=True, says=("name",),
    ),
    Section(
        "people", Person, ("principal",), ("kintone_code", "name", "email"),
        _known_people, adapt=_adapt_person, is_mirror=True,
    ),
    Section(
        "sign_ins", User, ("username",),
        ("entra_tid", "entra_oid", "display_name", "email", "preferred_username", "upn", "is_guest", "is_active",
         "is_staff", "is_auditor", "language", "theme", "person", "date_joined"),
        User.objects.all, without=("password", "last_login"), adapt=_adapt_sign_in, says=("display_name",),
    ),
    Section(
        "links", PrincipalLink, ("source", "key"),
        ("principal", "how", "created_at", "external_id", "left_at", "namesake"),
        lambda: PrincipalLink.objects.filter(principal__principal_id__isnull=False), surplus=PrincipalLink.objects.all,
        gives=_all, says=("principal",),
    ),
    Section(
        "owners", OwnerEntry, ("account", "ou", "principal"), ("how", "created_by", "created_at"),
        OwnerEntry.objects.all, surplus=lambda: OwnerEntry.objects.filter(how=OwnerEntry.How.CLAIM),
        gives=_all,
    ),
    Section(
        "guardrails", Guardrail, ("name",),
        ("sentence", "ou_id", "account_id", "stage", "tag", "permission_set_name", "power", "principal_type",
         "is_owner", "effect", "days", "roles", "existing", "ends_on", "is_active", "created_at", "created_by",
         "changed_at", "changed_by"),
        Guardrail.objects.all, gives=_all,
    ),
    Section(
        "stops", Stop, ("kind", "principal", "account", "begun_at"), ("reason", "begun_by", "until"),
        _holding_stops, without=("lifted_by", "lifted_at"),
    ),
    Section(
        "account_moves", AccountMove, ("account", "moved_at"),
        ("old_path", "new_path", "old_units", "old_stage", "old_owners", "changes"),
        AccountMove.objects.open, without=("confirmed_at", "confirmed_by"),
    ),
    Section(
        "records", Record, ("app_id", "record_id"), ("in_force", "in_force_revision", "beside"),
        _special_records, adapt=_adapt_record, creates=False, is_mirror=True,
    ),
    Section(
        "withheld", Withheld, ("record", "value"),
        ("reason", "revision", "writer_name", "since", "confirmed_by", "confirmed_at"),
        lambda: Withheld.objects.filter(record__gone_at=None), surplus=Withheld.objects.all,
        gives=lambda row: row.confirmed_at is not None,
    ),
    Section(
        "ledger", PortalWrite, ("app_id", "record_id", "revision"), ("user", "keeps_access", "puts_back", "at"),
        _ledger,
    ),
    Section(
        "shortcuts", Shortcut, ("slug",),
        ("name", "note", "tags", "icon", "author", "audience", "account", "permission_sets", "choosing", "destination",
         "created_at"),
        Shortcut.objects.all, without=("uses", "used_at", "changed_at", "problem"),
    ),
    Section("shortcut_slugs", ShortcutSlug, ("slug",), ("shortcut",), ShortcutSlug.objects.all),
    Section(
        "pins", Visit, ("user", "account", "permission_set", "shortcut"), ("is_pinned",),
        lambda: Visit.objects.filter(is_pinned=True), without=("count", "last_at"),
    ),
    Section("shortcut_settings", ShortcutSettings, ("id",), ("warns_of_production",), ShortcutSettings.objects.all),
    Section("cli_preferences", CliPreference, ("user",), ("pattern", "is_kebab", "region"), CliPreference.objects.all),
    Section("account_cli", AccountCliDefaults, ("account",), ("short_name", "region"), AccountCliDefaults.objects.all),
    Section(
        "console_places", ConsoleService, ("slug",),
        ("service", "name_ja", "name_en", "aliases", "place", "template", "also", "parameters", "is_hidden"),
        ConsoleService.objects.all,
    ),
    Section("favourite_regions", FavouriteRegion, ("code",), ("position",), FavouriteRegion.objects.all),
    Section("comment_settings", CommentSettings, ("id",), ("is_on", "says_well"), CommentSettings.objects.all),
    Section("letter_settings", LetterSettings, ("id",), ("people", "owners"), LetterSettings.objects.all),
    Section(
        "letter_choices", LetterChoice, ("user",), ("access", "expiry", "leaver", "shortcut"), LetterChoice.objects.all,
    ),
    Section(
        "terraform_offer", TerraformOffer, ("id",), ("is_on", "repository", "base", "folder"),
        TerraformOffer.objects.all,
        without=("checksum", "commit", "pull_url", "checked_at", "retry_at", "error"),
    ),
    Section("secret_ends", SecretEnd, ("kind", "name"), ("ends_on",), SecretEnd.objects.all),
    Section(
        "schedule", PeriodicTask, ("name",),
        ("task", "interval", "crontab", "enabled", "expire_seconds", "args", "kwargs", "description"),
        _tasks,
        without=("solar", "clocked", "queue", "exchange", "routing_key", "headers", "priority", "expires", "one_off",
                 "start_time", "last_run_at", "total_run_count", "date_changed"),
    ),
)  # fmt: skip
