"""The admin site's pages of this package.

Only what has its master here can be edited: stage rules, links from written names to principals, which principal and
kintone code a person has, whether a sign-in may be used, owners of accounts, guardrails, and places of the console.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group as AuthGroup
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import tokens
from accounts.admin_base import AnyForm, AuditedAdmin, OnlyRowAdmin, ReadOnlyAdmin, ReadOnlyInline
from accounts.console_admin import ConsoleServiceAdmin, FavouriteRegionAdmin
from accounts.guardrail_admin import AccountMoveAdmin, GuardrailAdmin
from accounts.models import (
    AccessToken,
    Account,
    AccountCliDefaults,
    AccountMove,
    Assignment,
    AuditEvent,
    AwsPolicy,
    CliPreference,
    ConsoleService,
    Draft,
    FavouriteRegion,
    Group,
    GroupMembership,
    Guardrail,
    Instance,
    OrganizationalUnit,
    OwnerEntry,
    PermissionSet,
    Person,
    PolicyOpinion,
    PolicyText,
    PortalWrite,
    Principal,
    PrincipalLink,
    Problem,
    Record,
    RecordPerson,
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
from accounts.namesakes import confirm_namesake
from accounts.organization import recompute_stages

# Rights come from app roles in Entra ID: a group of Django's would be one that nothing reads.
admin.site.unregister(AuthGroup)


# --- The organization -------------------------------------------------------------------------------------------------


class StageRuleForm(AnyForm):
    def clean_ou_name(self) -> str:
        """Folded, so that two spellings of one name meet in the constraint."""
        return fold(self.cleaned_data["ou_name"])


@admin.register(StageRule)
class StageRuleAdmin(AuditedAdmin):
    form = StageRuleForm
    list_display = ["ou_name", "stage"]
    list_filter = ["stage"]
    search_fields = ["ou_name"]

    def after_edit(self) -> None:
        recompute_stages()


@admin.register(OrganizationalUnit)
class OrganizationalUnitAdmin(ReadOnlyAdmin):
    list_display = ["path", "name", "ou_id"]
    search_fields = ["path", "ou_id"]
    ordering = ["path"]


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["name", "account_id", "ou", "stage", "state", "is_management", "gone_at"]
    list_filter = ["stage", "state", "is_management", ("gone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["ou"]
    search_fields = ["name", "account_id", "ou__path"]
    ordering = ["name", "account_id"]


@admin.register(AccountCliDefaults)
class AccountCliDefaultsAdmin(AuditedAdmin):
    list_display = ["account", "short_name", "region"]
    list_select_related = ["account"]
    search_fields = ["account__name", "account__account_id", "short_name"]
    autocomplete_fields = ["account"]
    ordering = ["account__name"]


@admin.register(CliPreference)
class CliPreferenceAdmin(ReadOnlyAdmin):
    list_display = ["user", "pattern", "is_kebab", "region"]
    list_select_related = ["user"]
    search_fields = ["user__display_name", "pattern"]


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ["instance_arn", "identity_store_id", "region", "read_at"]


# --- People -----------------------------------------------------------------------------------------------------------


_FROM_ENTRA = [
    "display_name", "is_staff", "is_auditor", "is_guest", "person", "preferred_username", "upn", "email", "entra_tid",
    "entra_oid", "date_joined", "last_login",
]  # fmt: skip


@admin.register(User)
class UserAdmin(AuditedAdmin):
    """Sign-ins come from Entra ID. One can be barred here, which ends its open sessions too."""

    fields = ["is_active", *_FROM_ENTRA]
    list_display = ["display_name", "preferred_username", "is_active", "is_staff", "is_auditor", "last_login"]
    list_filter = ["is_active", "is_staff", "is_auditor", "is_guest"]
    search_fields = ["display_name", "preferred_username", "upn", "entra_oid"]
    ordering = ["display_name", "pk"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """All but the bar; nobody can bar himself."""
        return [*_FROM_ENTRA, "is_active"] if obj == request.user else _FROM_ENTRA

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


# A field that completes names would offer two namesakes in the same words; the list shows who is who.
_CHOSEN_FROM_A_LIST = ["principal"]


@admin.register(Person)
class PersonAdmin(AuditedAdmin):
    """Names and addresses come from Entra ID, Identity Center and kintone; what belongs to whom can be mended."""

    fields = ["name", "email", "principal", "kintone_code"]
    readonly_fields = ["name", "email"]
    raw_id_fields = _CHOSEN_FROM_A_LIST
    list_display = ["name", "email", "principal", "kintone_code"]
    list_filter = [("principal", admin.EmptyFieldListFilter), ("kintone_code", admin.EmptyFieldListFilter)]
    list_select_related = ["principal"]
    search_fields = ["name", "email", "kintone_code", "principal__name"]
    ordering = ["name", "id"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "principal":
            kwargs["queryset"] = Principal.objects.filter(type=Principal.Type.USER)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PrincipalAdminBase(ReadOnlyAdmin):
    list_filter = ["is_enabled", ("gone_at", admin.EmptyFieldListFilter), ("principal_id", admin.EmptyFieldListFilter)]
    search_fields = ["name", "display_name", "email", "principal_id", "external_id"]
    ordering = ["name_key", "id"]


@admin.register(Principal)
class PrincipalAdmin(PrincipalAdminBase):
    list_display = ["name", "display_name", "type", "principal_id", "is_enabled", "gone_at"]
    list_filter = ["type", *PrincipalAdminBase.list_filter]


@admin.register(Group)
class GroupAdmin(PrincipalAdminBase):
    list_display = ["name", "display_name", "principal_id", "is_enabled", "gone_at"]


@admin.register(GroupMembership)
class GroupMembershipAdmin(ReadOnlyAdmin):
    list_display = ["group", "member"]
    list_select_related = ["group", "member"]
    search_fields = ["group__name", "member__name", "member__display_name"]
    sortable_by = []


class PrincipalLinkForm(AnyForm):
    def clean_key(self) -> str:
        """Folded, as every look-up is."""
        return fold(self.cleaned_data["key"])

    def clean(self) -> dict[str, Any] | None:
        """Raise what would make a user of a group name or the other way round."""
        values = super().clean() or self.cleaned_data
        source, principal = values.get("source"), values.get("principal")
        if source and principal and principal.is_group != (source == PrincipalLink.Source.GROUP_NAME):
            self.add_error("principal", _("A group name leads to a group; a user code or an address leads to a user."))
        return values


@admin.register(PrincipalLink)
class PrincipalLinkAdmin(AuditedAdmin):
    form = PrincipalLinkForm
    fields = ["source", "key", "principal", "how", "namesake", "created_at"]
    readonly_fields = ["how", "namesake", "created_at"]
    raw_id_fields = _CHOSEN_FROM_A_LIST
    list_display = ["key", "source", "principal", "principal__name", "how", "namesake", "created_at"]
    list_filter = ["source", "how"]
    list_select_related = ["principal", "namesake"]
    search_fields = ["key", "principal__name", "principal__display_name"]
    ordering = ["source", "key"]

    actions = ["confirm_namesakes"]

    @admin.action(description=_("Confirm: who may be meant now is meant"))
    def confirm_namesakes(self, request: HttpRequest, queryset: QuerySet[PrincipalLink]) -> None:
        """For many at once, such as after another attribute of Entra ID has become the external id."""
        for link in queryset.filter(namesake__isnull=False).select_related("principal"):
            confirm_namesake(request, link)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """However the link was found, from now on it is an admin's word."""
        obj.how = PrincipalLink.How.ADMIN
        obj.external_id, obj.left_at, obj.namesake = obj.principal.external_id, None, None
        super().save_model(request, obj, form, change)


# --- What kintone says ------------------------------------------------------------------------------------------------


@admin.register(Record)
class RecordAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "kind",
        "title",
        "revision",
        "in_force_revision",
        "modifier_name",
        "updated_at",
        "gone_at",
    ]
    list_filter = ["kind", "at_first_run", ("gone_at", admin.EmptyFieldListFilter)]
    search_fields = ["=record_id", "title", "creator_name", "modifier_name"]
    ordering = ["-id"]


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    list_display = ["code", "severity", "record", "field", "line", "first_seen"]
    list_filter = ["severity", "first_seen"]
    list_select_related = ["record"]
    search_fields = ["code", "=record__record_id", "record__title"]
    ordering = ["-id"]


@admin.register(Draft)
class DraftAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "record", "author", "state", "created_at", "updated_at"]
    list_filter = ["state", "kind"]
    list_select_related = ["record", "author"]
    search_fields = ["request_key", "=record__record_id", "author__display_name"]
    ordering = ["-id"]


# --- What may be entered ----------------------------------------------------------------------------------------------


@admin.register(PermissionSet)
class PermissionSetAdmin(ReadOnlyAdmin):
    list_display = ["name", "ownership", "state", "record", "read_at"]
    list_filter = ["ownership", "state"]
    list_select_related = ["record"]
    search_fields = ["name", "arn"]


class WishInline(ReadOnlyInline):
    """The records that want an assignment."""

    model = Wish
    fields = ["record", "expires_on"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wish]:
        return super().get_queryset(request).select_related("record")


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ["account", "permission_set", "principal", "state", "in_aws", "is_wanted", "expires_on", "since"]
    list_filter = ["state", "in_aws", "is_wanted", "principal__type", "account__stage"]
    list_select_related = ["account", "permission_set", "principal"]
    search_fields = [
        "=account__account_id", "account__name", "permission_set__name", "principal__name", "principal__display_name",
    ]  # fmt: skip
    ordering = ["-id"]
    sortable_by = []
    inlines = [WishInline]


@admin.register(Wish)
class WishAdmin(ReadOnlyAdmin):
    list_display = ["record", "assignment_place", "expires_on"]
    list_select_related = ["record", "assignment__account", "assignment__permission_set", "assignment__principal"]
    search_fields = ["=record__record_id", "record__title"]
    ordering = ["-id"]
    sortable_by = []

    @admin.display(description=_("assignment"))
    def assignment_place(self, wish: Wish) -> str:
        assignment = wish.assignment
        return f"{assignment.account} · {assignment.permission_set} · {assignment.principal}"


class OwnerEntryForm(AnyForm):
    def clean(self) -> dict[str, Any] | None:
        """An entry is about an account or about a unit, and names somebody who is there."""
        values = super().clean() or self.cleaned_data
        account, unit, principal = values.get("account"), values.get("ou"), values.get("principal")
        if not self.errors and bool(account) == bool(unit):
            self.add_error(None, _("Choose an account or an OU, and only one of them."))
        if principal and not principal.is_provisioned:
            self.add_error("principal", _("Choose a person or group whom Identity Center knows."))
        return values


@admin.register(OwnerEntry)
class OwnerEntryAdmin(AuditedAdmin):
    """Owners whom an admin names. They go before the tag, on the account as well as on a unit."""

    form = OwnerEntryForm
    list_display = ["__str__", "account", "ou", "principal", "how", "created_by", "created_at"]
    list_filter = ["how"]
    list_select_related = ["account", "ou", "principal", "created_by"]
    search_fields = ["=account__account_id", "account__name", "ou__name", "principal__name", "principal__display_name"]
    autocomplete_fields = ["account", "ou"]
    raw_id_fields = _CHOSEN_FROM_A_LIST
    readonly_fields = ["how"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """However it came about, from now on it is an admin's word."""
        obj.how, obj.created_by = OwnerEntry.How.ADMIN, request.user
        super().save_model(request, obj, form, change)


admin.site.register(Guardrail, GuardrailAdmin)
admin.site.register(AccountMove, AccountMoveAdmin)
admin.site.register(ConsoleService, ConsoleServiceAdmin)
admin.site.register(FavouriteRegion, FavouriteRegionAdmin)


@admin.register(Stop)
class StopAdmin(ReadOnlyAdmin):
    list_display = ["kind", "principal", "account", "reason", "begun_by", "begun_at", "until", "lifted_at"]
    list_filter = ["kind"]
    list_select_related = ["principal", "account", "begun_by"]
    search_fields = ["reason", "principal__name", "=account__account_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(RecordPerson)
class RecordPersonAdmin(ReadOnlyAdmin):
    list_display = ["record", "role", "code", "user"]
    list_select_related = ["record", "user"]
    list_filter = ["role"]
    search_fields = ["=key", "=record__record_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(PortalWrite)
class PortalWriteAdmin(ReadOnlyAdmin):
    list_display = ["at", "app_id", "record_id", "revision", "user"]
    list_select_related = ["user"]
    search_fields = ["=record_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(Withheld)
class WithheldAdmin(ReadOnlyAdmin):
    list_display = ["record", "value", "writer_name", "since", "confirmed_by", "confirmed_at"]
    list_select_related = ["record", "confirmed_by"]
    search_fields = ["value", "=record__record_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(AwsPolicy)
class AwsPolicyAdmin(ReadOnlyAdmin):
    list_display = ["name", "arn", "version", "is_attachable", "read_at"]
    list_filter = ["is_attachable"]
    search_fields = ["name", "arn"]
    ordering = ["name", "id"]


@admin.register(PolicyOpinion)
class PolicyOpinionAdmin(ReadOnlyAdmin):
    list_display = ["digest", "outcome", "checked_at"]
    list_filter = ["outcome"]
    search_fields = ["=digest"]
    ordering = ["-checked_at", "-id"]
    sortable_by = []


@admin.register(PolicyText)
class PolicyTextAdmin(ReadOnlyAdmin):
    list_display = ["arn", "version", "outcome", "asked_at"]
    list_filter = ["outcome"]
    search_fields = ["arn"]
    ordering = ["arn", "-id"]
    sortable_by = []


# --- What was done ----------------------------------------------------------------------------------------------------


@admin.register(Shortcut)
class ShortcutAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "account", "audience", "author", "uses", "used_at"]
    list_filter = ["audience"]
    list_select_related = ["account", "author"]
    search_fields = ["name", "slug", "account__name"]
    ordering = ["name"]


@admin.register(ShortcutSlug)
class ShortcutSlugAdmin(ReadOnlyAdmin):
    list_display = ["slug", "shortcut"]
    list_select_related = ["shortcut"]
    search_fields = ["slug"]


@admin.register(Visit)
class VisitAdmin(ReadOnlyAdmin):
    list_display = ["user", "account", "permission_set", "shortcut", "count", "last_at", "is_pinned"]
    list_select_related = ["user", "account", "shortcut"]
    search_fields = ["user__display_name", "permission_set"]


@admin.register(ShortcutSettings)
class ShortcutSettingsAdmin(OnlyRowAdmin):
    list_display = ["__str__", "warns_of_production"]


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    """Whose scripts sign in here."""

    list_display = ["name", "user", "scope", "hint", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["scope", "expires_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__display_name", "hint"]
    ordering = ["-created_at"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """From now on they are refused, and the trail says by whom."""
        for token in queryset:
            tokens.revoke(request, token)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_name", "action", "object_type", "object_name", "outcome", "ip"]
    list_filter = ["at"]
    search_fields = ["actor_name", "=action", "object_name", "=object_id", "=request_id"]
    ordering = ["-at", "-id"]
    sortable_by = []
