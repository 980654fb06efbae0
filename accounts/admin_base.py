"""What the pages of the admin site share.

Where kintone or AWS is the master a row is only shown; where the portal is, it can be edited, and every edit leaves an
audit event in the transaction of the edit. Nothing here counts or sorts a big table to its end.
"""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.core.serializers import serialize
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.audit import record_event
from accounts.audit_about import About
from accounts.models import Account, Principal, Record

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyForm = forms.ModelForm[Any]
    AnyInline = admin.TabularInline[Any, Any]
    AnyPaginator = Paginator[Any]
else:
    AnyAdmin, AnyForm, AnyInline, AnyPaginator = admin.ModelAdmin, forms.ModelForm, admin.TabularInline, Paginator

MAX_LISTED = 10_000  # rows; past a hundred pages people search and filter

Snapshot = dict[str, Any]


class CappedPaginator(AnyPaginator):
    """Counts no further than MAX_LISTED rows: the full count of a big table costs more than it tells."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin site gives it nothing else
        return rows.order_by()[:MAX_LISTED].count()


class GenkanAdmin(AnyAdmin):
    """Lists that stay quick at the size of a large company."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; where it does not show all there is, it says so."""
        response = super().changelist_view(request, extra_context)
        context = response.context_data if isinstance(response, TemplateResponse) else None
        if context and "cl" in context and context["cl"].result_count >= MAX_LISTED:
            context["subtitle"] = _("Only the first %(number)s are listed. Search or filter for the others.") % {
                "number": f"{MAX_LISTED:,}"
            }
        return response


class ReadOnlyAdmin(GenkanAdmin):
    """Rows whose master is kintone, AWS or a run: to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(AnyInline):
    """Rows of another model, below the row they belong to: to look at."""

    extra = max_num = 0
    can_delete = False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AuditedAdmin(GenkanAdmin):
    """Rows whose master is the portal: each edit is one audit event with what was before and after."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            before = _take_snapshot(obj) if change else None
            super().save_model(request, obj, form, change)
            _record_edit(request, obj, before, _take_snapshot(obj))
            self.after_edit()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        with transaction.atomic():
            _record_edit(request, obj, _take_snapshot(obj), None)
            super().delete_model(request, obj)
            self.after_edit()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                _record_edit(request, obj, _take_snapshot(obj), None)
            super().delete_queryset(request, queryset)
            self.after_edit()

    def after_edit(self) -> None:
        """What follows from an edit, in its transaction."""


class OnlyRowAdmin(AuditedAdmin):
    """What is set for everybody: neither added to nor deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _take_snapshot(obj: Model) -> Snapshot:
    """The editable fields of the row as it stands in the database, as JSON values."""
    stored = type(obj)._base_manager.filter(pk=obj.pk)
    names = [field.name for field in obj._meta.concrete_fields if field.editable]
    (row,) = json.loads(serialize("json", stored, fields=names))
    values: Snapshot = row["fields"]
    return values


def _record_edit(request: HttpRequest, obj: Model, before: Snapshot | None, after: Snapshot | None) -> None:
    """One audit event; of a change it holds the fields that differ, and none if nothing does."""
    action = "admin.change"
    if before is None:
        action = "admin.add"
    elif after is None:
        action = "admin.delete"
    else:
        changed = {name for name in before if before[name] != after[name]}
        before = {name: before[name] for name in changed}
        after = {name: after[name] for name in changed}
    if before or after:
        names = (str(obj._meta.model_name), str(obj.pk), str(obj))
        record_event(action, request=request, obj=names, before=before, after=after, about=_find_about(obj))


def _find_about(obj: Model) -> About:
    """The row itself, or what it belongs to."""
    owner: dict[type[Model], Any] = {
        type(item): item for name in ("account", "principal", "record") if (item := getattr(obj, name, None))
    } | {type(obj): obj}
    account, principal, record = (owner.get(kind) for kind in (Account, Principal, Record))
    return About(
        account.account_id if account else "",
        principal.principal_id or "" if principal else "",
        record.reference if record else "",
    )
