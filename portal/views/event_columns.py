"""The audit trail as a file: each event with its values as they are stored, for programs as well as people."""

import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.activity_sentences import show_action
from accounts.models import AuditEvent
from portal.views.csv_lists import Column

COLUMNS: Sequence[Column[AuditEvent]] = (
    Column("id", lambda row: row.pk),
    Column(_("when"), lambda row: row.at),
    Column(_("who"), lambda row: row.actor_name),
    Column(_("what was done"), lambda row: show_action(row.action)),
    Column(_("action"), lambda row: row.action),
    Column(_("object"), lambda row: row.object_name),
    Column(_("account id"), lambda row: row.about_account),
    Column(_("record"), lambda row: row.about_record),
    Column(_("principal id"), lambda row: row.about_principal),
    Column(_("outcome"), lambda row: row.outcome),
    Column(_("before"), lambda row: _render(row.before)),
    Column(_("after"), lambda row: _render(row.after)),
)
ORIGIN: Sequence[Column[AuditEvent]] = (
    Column(_("address"), lambda row: row.ip),
    Column(_("request"), lambda row: row.request_id),
)


def _render(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
