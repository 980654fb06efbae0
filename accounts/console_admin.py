"""The admin site's pages of console places and favourite regions."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import AnyForm, AuditedAdmin
from accounts.catalogue.catalogue import load_bundled, require_service
from accounts.catalogue.services import BadService, Parameter, Service
from accounts.models import ConsoleService
from accounts.sentences import render

# Which field a refusal is about; the others are about the whole.
_FIELDS = {
    "service_slug_wrong": "slug",
    "service_place_wrong": "place",
    "service_template_wrong": "template",
    "service_braces_wrong": "template",
    "service_gaps_touch": "template",
    "service_encoding_wrong": "template",
    "service_gap_unknown": "template",
    "service_lines_wrong": "template",
    "service_not_recognised": "template",
    "destination_encoded_twice": "template",
    "destination_control": "template",
    "destination_unreadable": "template",
    "service_list_wrong": "parameters",
    "service_words_missing": "parameters",
    "service_parameter_wrong": "parameters",
    "service_parameter_twice": "parameters",
    "service_parameter_unused": "parameters",
    "service_parameters_many": "parameters",
    "service_type_wrong": "parameters",
    "service_options_missing": "parameters",
    "service_pattern_wrong": "parameters",
    "service_example_wrong": "parameters",
}


class ConsoleServiceForm(AnyForm):
    """A place is tried out with its example before it is stored: no template of an admin's can break a page."""

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        if self.errors:
            return values
        try:
            require_service(ConsoleService(**values).written)
        except BadService as refusal:
            self.add_error(_FIELDS.get(refusal.code), render(refusal.code, refusal.params).text)
        return values


class ConsoleServiceAdmin(AuditedAdmin):
    form = ConsoleServiceForm
    list_display = ["slug", "service", "name_ja", "name_en", "is_hidden", "is_usable"]
    list_filter = ["is_hidden", "service"]
    search_fields = ["slug", "service", "name_ja", "name_en", "aliases"]

    @admin.display(boolean=True, description=_("can be used"))
    def is_usable(self, row: ConsoleService) -> bool:
        """Of a row that came in another way than by this form, or that another version made."""
        try:
            require_service(row.written)
        except BadService:
            return False
        return True

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new place begins blank, or with `?like=` as one that comes with the portal."""
        service = load_bundled().find(request.GET.get("like", ""))
        return describe_service(service) if service else super().get_changeform_initial_data(request)


class FavouriteRegionAdmin(AuditedAdmin):
    list_display = ["code", "position"]


def describe_service(service: Service) -> dict[str, Any]:
    """A place as the form holds it."""
    return {
        "slug": service.slug,
        "service": service.service,
        "name_ja": service.words.ja,
        "name_en": service.words.en,
        "aliases": "\n".join(service.aliases),
        "place": service.place,
        "template": service.template.text,
        "also": "\n".join(template.text for template in service.also),
        "parameters": [_describe_parameter(parameter) for parameter in service.parameters],
    }


def _describe_parameter(parameter: Parameter) -> dict[str, Any]:
    """Without what is empty."""
    options = [
        {"value": option.value, "label": {"ja": option.words.ja, "en": option.words.en}} for option in parameter.options
    ]
    described = {
        "name": parameter.name,
        "type": parameter.type,
        "label": {"ja": parameter.words.ja, "en": parameter.words.en},
        "example": parameter.example,
        "default": parameter.default,
        "pattern": parameter.pattern,
        "options": options,
    }
    return {name: value for name, value in described.items() if value}
