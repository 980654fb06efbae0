"""The admin site's pages of this package: runs and their changes to look at, the schedule to edit."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskForm
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from accounts.admin_base import AuditedAdmin, OnlyRowAdmin, ReadOnlyAdmin, ReadOnlyInline
from syncer.models import (
    Adoption,
    AppState,
    Baseline,
    Bucket,
    Change,
    CommentSettings,
    Drift,
    Examination,
    Farewell,
    Hint,
    IssueWatch,
    KintoneUsage,
    Lease,
    Letter,
    LetterChoice,
    LetterSettings,
    MeasuredSum,
    Notice,
    Operation,
    RecordComment,
    Run,
    SecretEnd,
    SetVersion,
    SyncRequest,
    TerraformExport,
    TerraformOffer,
    Withdrawal,
)
from syncer.telling.letter_wording import describe_letter
from syncer.telling.messages import describe_notice

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[LetterSettings]
else:
    ModelForm = forms.ModelForm


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "kind",
        "mode",
        "status",
        "requested_by",
        "asked_by",
        "requested_at",
        "started_at",
        "finished_at",
    ]
    list_filter = ["status", "kind", "mode", "by_hand", "requested_at"]
    list_select_related = ["requested_by"]
    search_fields = ["id__exact", "=record_reference", "=checksum"]
    ordering = ["-requested_at", "-id"]
    sortable_by = []


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """`?run=<id>` behind the address lists one run's plan."""

    list_display = [
        "run", "kind", "object", "account_id", "permission_set_name", "principal_name", "record_reference", "outcome",
        "finished_at",
    ]  # fmt: skip
    list_filter = ["outcome", "kind", "object"]
    list_select_related = ["run"]
    search_fields = ["=account_id", "permission_set_name", "principal_name", "=record_reference", "=request_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ["begun_at", "kind", "account_id", "change", "request_id", "ended_at"]
    list_filter = ["kind"]
    list_select_related = ["change"]
    search_fields = ["=account_id", "=request_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(Drift)
class DriftAdmin(ReadOnlyAdmin):
    list_display = [
        "seen_at", "kind", "account_id", "permission_set_name", "principal_name", "decision", "decided_by", "ended_at",
    ]  # fmt: skip
    list_filter = ["kind", "decision"]
    list_select_related = ["decided_by"]
    search_fields = ["=account_id", "permission_set_name", "principal_name"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "message", "sent_at", "attempts", "error", "ended_at"]
    list_filter = ["kind", ("sent_at", admin.EmptyFieldListFilter)]
    search_fields = ["key", "=code"]
    ordering = ["-id"]
    sortable_by = []

    @admin.display(description=_("message"))
    def message(self, notice: Notice) -> str:
        return describe_notice(notice)


@admin.register(RecordComment)
class RecordCommentAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "record", "revision", "kind", "sent_at", "attempts", "retry_at", "error", "ended_at"]
    list_filter = ["kind", ("sent_at", admin.EmptyFieldListFilter)]
    list_select_related = ["record"]
    search_fields = ["=record__record_id", "=mark"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(SyncRequest)
class SyncRequestAdmin(ReadOnlyAdmin):
    list_display = [
        "commented_at", "login", "text", "verdict", "reacted_at", "sent_at", "attempts", "error", "ended_at",

    ]  # fmt: skip
    list_filter = ["verdict", ("sent_at", admin.EmptyFieldListFilter)]
    search_fields = ["login", "=comment_id"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(IssueWatch)
class IssueWatchAdmin(ReadOnlyAdmin):
    list_display = ["issue", "first_look_at", "since", "paused_until", "failures", "error"]


@admin.register(CommentSettings)
class CommentSettingsAdmin(OnlyRowAdmin):
    list_display = ["__str__", "is_on", "says_well"]


@admin.register(TerraformOffer)
class TerraformOfferAdmin(OnlyRowAdmin):
    list_display = ["__str__", "is_on", "repository", "folder", "pull_url", "checked_at", "error"]
    readonly_fields = ["pull_url", "checked_at", "retry_at", "error"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What was said of another repository does not count."""
        obj.checksum, obj.commit, obj.pull_url, obj.error, obj.checked_at, obj.retry_at = "", "", "", "", None, None
        super().save_model(request, obj, form, change)


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "person", "kind", "message", "way", "sent_at", "attempts", "error", "ended_at"]
    list_filter = ["kind", "way", ("sent_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person"]
    search_fields = ["person__name", "=person__email"]
    ordering = ["-id"]
    sortable_by = []

    @admin.display(description=_("message"))
    def message(self, letter: Letter) -> str:
        return describe_letter(letter)


@admin.register(LetterChoice)
class LetterChoiceAdmin(ReadOnlyAdmin):
    list_display = ["user", "access", "expiry", "leaver", "shortcut"]
    list_select_related = ["user"]


class LetterSettingsForm(ModelForm):
    """Refuses a way by which nothing would arrive."""

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        for name in ("people", "owners"):
            if values.get(name) == LetterSettings.Way.MAIL and not settings.HAS_MAIL:
                self.add_error(name, _("Mail is not set up: set EMAIL_URL first."))
            if values.get(name) == LetterSettings.Way.SLACK and not settings.SLACK_BOT_TOKEN:
                self.add_error(name, _("There is no bot: set SLACK_BOT_TOKEN and SLACK_CHANNEL first."))
        return values


@admin.register(LetterSettings)
class LetterSettingsAdmin(OnlyRowAdmin):
    form = LetterSettingsForm
    list_display = ["__str__", "people", "owners"]


@admin.register(SecretEnd)
class SecretEndAdmin(AuditedAdmin):
    list_display = ["__str__", "ends_on"]
    ordering = ["ends_on"]


@admin.register(Adoption)
class AdoptionAdmin(ReadOnlyAdmin):
    list_display = ["permission_set", "status", "applies", "requested_by", "requested_at", "finished_at"]
    list_filter = ["status"]
    list_select_related = ["permission_set", "requested_by"]


@admin.register(SetVersion)
class SetVersionAdmin(ReadOnlyAdmin):
    list_display = ["name", "reference", "revision", "writer_name", "at"]


@admin.register(Farewell)
class FarewellAdmin(ReadOnlyAdmin):
    list_display = ["name", "renamed_to", "confirmed_by", "confirmed_at", "ended_at"]
    list_select_related = ["confirmed_by"]


@admin.register(Examination)
class ExaminationAdmin(ReadOnlyAdmin):
    list_display = ["requested_at", "status", "requested_by", "finished_at"]
    list_select_related = ["requested_by"]


@admin.register(TerraformExport)
class TerraformExportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "checked_at", "run", "pending", "taken_at", "taken_by"]
    list_select_related = ["run"]
    ordering = ["-id"]
    sortable_by = []


@admin.register(MeasuredSum)
class MeasuredSumAdmin(ReadOnlyAdmin):
    list_display = ["name", "labels", "value"]
    search_fields = ["name"]
    ordering = ["name", "labels"]
    sortable_by = []


@admin.register(Hint)
class HintAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "noted_at", "heeded_at", "is_pending"]
    ordering = ["-noted_at"]
    sortable_by = []


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    list_display = ["draft", "reference", "at", "undone_at"]
    list_select_related = ["draft"]
    search_fields = ["=reference"]
    ordering = ["-at"]


@admin.register(Bucket)
class BucketAdmin(ReadOnlyAdmin):
    list_display = ["name", "paid_until"]


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ["name", "host", "pid", "heartbeat_at"]
    exclude = ["token"]


@admin.register(AppState)
class AppStateAdmin(ReadOnlyAdmin):
    list_display = ["kind", "app_id", "records", "read_at", "scanned_at", "bodies_at"]


@admin.register(KintoneUsage)
class KintoneUsageAdmin(ReadOnlyAdmin):
    list_display = ["app_id", "hour", "requests"]
    list_filter = ["app_id", "hour"]


@admin.register(Baseline)
class BaselineAdmin(ReadOnlyAdmin):
    list_display = ["confirmed_at", "confirmed_by"]


# --- The schedule: rows of django-celery-beat -------------------------------------------------------------------------
#
# Its own pages leave no audit trail, and that of a task has an inline script, which our Content-Security-Policy blocks.

for _model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(_model)

_DELIVERY = ["expires", "expire_seconds", "queue", "exchange", "routing_key", "priority", "headers"]
_SCHEDULES = ["interval", "crontab", "solar", "clocked"]


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(AuditedAdmin):
    form = PeriodicTaskForm  # knows the tasks there are, and that arguments are JSON
    fieldsets = [
        (None, {"fields": ["name", "regtask", "task", "enabled", "description"]}),
        (_("Schedule"), {"fields": [*_SCHEDULES, "start_time", "one_off", "last_run_at", "total_run_count"]}),
        (_("Arguments"), {"fields": ["args", "kwargs"]}),
        (_("Delivery"), {"fields": [*_DELIVERY]}),
    ]
    readonly_fields = ["last_run_at", "total_run_count"]
    list_display = ["name", "enabled", "scheduler", "last_run_at", "total_run_count"]
    list_filter = ["enabled", "one_off"]
    list_select_related = _SCHEDULES
    search_fields = ["name", "task"]
    # There is no "run now": it would wait for a broker that is away. *Sync now* in the portal does not.
    actions = ["enable_tasks", "disable_tasks"]

    @admin.action(description=_("Enable selected tasks"), permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description=_("Disable selected tasks"), permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], *, enabled: bool) -> None:
        with transaction.atomic():
            for task in queryset.exclude(enabled=enabled):
                task.enabled = enabled
                self.save_model(request, task, form=None, change=True)


class ScheduledTaskInline(ReadOnlyInline):
    """The tasks of a schedule, whose names tell the schedule: in one query."""

    model = PeriodicTask
    fields = ["name", "task", "enabled"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*_SCHEDULES)


@admin.register(IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule)
class ScheduleAdmin(AuditedAdmin):
    actions = None
    inlines = [ScheduledTaskInline]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only what nothing uses: the tasks of a deleted schedule would go with it, unseen by the audit trail."""
        return super().has_delete_permission(request, obj) and not (obj and obj.periodictask_set.exists())
