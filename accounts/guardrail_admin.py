"""The admin site's pages of guardrails and of the moves of accounts, which they decide about."""

from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import AuditedAdmin, ReadOnlyAdmin
from accounts.guardrail_form import GuardrailForm
from accounts.guardrail_words import count_outcomes
from accounts.models import Assignment, Guardrail, OrganizationalUnit
from accounts.owner_register import load_named
from accounts.rulebook import build_rule
from accounts.what_if import Foresight, foresee


class SavedRuleForm(GuardrailForm):
    """What ends access, or leaves it unprotected, is saved only once it has stood on the screen."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._old_name = self.instance.name
        units = OrganizationalUnit.objects.order_by("path").values_list("ou_id", "path", "name")
        choices = [("", "—"), *((ou_id, f"{path or name} ({ou_id})") for ou_id, path, name in units)]
        written = self["ou_id"].value() or ""
        if written not in dict(choices):
            choices.append((written, written))  # a unit that is gone: the rule still names it
        self.fields["ou_id"].widget = forms.Select(choices=choices)

    def clean(self) -> dict[str, Any] | None:
        values = super().clean()
        if not self.errors and self.foresight.grave and self.cleaned_data["seen"] != self._mark:
            self.data = {**self.data.dict(), "seen": self._mark} if isinstance(self.data, QueryDict) else self.data
            text = _("Nothing is saved yet. It touches: %(what)s. Save once more if that is meant.")
            self.add_error(None, text % count_outcomes(self.foresight.counts))
        return values

    @cached_property
    def foresight(self) -> Foresight:
        """What the rule touches as it is written now."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        trial = Guardrail(**values)
        rule = build_rule(trial, load_named([trial.roles])) if trial.is_active else None
        return foresee(rule, replaces=self._old_name, assignments=Assignment.objects.shown())

    @property
    def _mark(self) -> str:
        """The very values, and the very assignments that they touch."""
        values = sorted((name, str(value)) for name, value in self.cleaned_data.items() if name != "seen")
        return sha256(repr((values, sorted(self.foresight.touched.items()))).encode()).hexdigest()


class GuardrailAdmin(AuditedAdmin):
    form = SavedRuleForm
    change_form_template = "admin/guardrail_form.html"
    fieldsets = [
        (None, {"fields": ["name", "sentence", "is_active", "seen"]}),
        (
            _("Where"),
            {
                "fields": ["ou_id", "account_id", "stage", "tag"],
                "description": _("Empty: everywhere. Of several, all have to match."),
            },
        ),
        (
            _("For what"),
            {
                "fields": ["permission_set_name", "power", "principal_type", "is_owner"],
                "description": _("Empty: for everything. A set's power is judged by its policies, rather too high."),
            },
        ),
        (
            _("What follows"),
            {
                "fields": ["effect", "days", "roles"],
                "description": _("Every rule that matches has to be satisfied; the strictest says why not."),
            },
        ),
        (_("Access that was there before"), {"fields": ["existing", "ends_on"]}),
    ]
    list_display = ["name", "effect", "where", "power", "permission_set_name", "existing", "is_active", "created_by"]
    list_filter = ["effect", "stage", "is_active"]
    list_select_related = ["created_by"]
    search_fields = ["name", "sentence", "=ou_id", "=account_id", "permission_set_name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Guardrail]:
        paths = OrganizationalUnit.objects.filter(ou_id=OuterRef("ou_id")).values("path")[:1]
        rules: QuerySet[Guardrail] = super().get_queryset(request)
        return rules.annotate(ou_path=Subquery(paths))

    @admin.display(description=_("where"))
    def where(self, rule: Any) -> str:
        """The path of the unit, which people know; the rule itself names its id."""
        unit = rule.ou_path or rule.ou_id
        return " · ".join(filter(None, (unit, rule.account_id, rule.get_stage_display(), rule.tag))) or "—"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Who wrote it stands on the page of all guardrails."""
        if change:
            obj.changed_by, obj.changed_at = request.user, timezone.now()
        else:
            obj.created_by = request.user
        foresight = form.foresight if isinstance(form, SavedRuleForm) else Foresight()
        super().save_model(request, obj, form, change)
        if foresight.touched:
            words = count_outcomes(foresight.counts)
            messages.info(request, gettext("It touches: %(what)s.") % words)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The page that asks whether a rule is to be deleted says what goes with it."""
        listed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        everything = Assignment.objects.shown()
        sights = (foresee(None, replaces=rule.name, assignments=everything) for rule in objs if rule.is_active)
        told = [gettext("It touches: %(what)s.") % count_outcomes(sight.counts) for sight in sights if sight.touched]
        return [*told, *listed], counts, lacking, protected


class AccountMoveAdmin(ReadOnlyAdmin):
    """Confirmed on the account's page, which says what that ends."""

    list_display = ["account", "old_path", "new_path", "moved_at", "confirmed_at", "confirmed_by"]
    list_filter = [("confirmed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["account", "confirmed_by"]
    search_fields = ["=account__account_id", "account__name", "old_path", "new_path"]
    ordering = ["-id"]
    sortable_by = []
