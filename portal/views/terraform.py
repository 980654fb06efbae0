"""The management account's files for Terraform: what changed since somebody took them over. For admins and auditors."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import require_admin, require_overseer
from accounts.audit import record_event
from accounts.models import User
from portal.views.differences import FieldDifference, compare_texts
from portal.views.requests import HtmxHttpRequest
from syncer.models import TerraformExport, TerraformOffer
from syncer.terraform.comparing import list_resources
from syncer.terraform.exports import Latest, find_latest, in_order, take
from syncer.terraform.foreseeing import has_full_run

_LISTED = 100  # resources of a kind that are named; the differences below have them all
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP file knows: equal files make equal archives


class Changed(NamedTuple):
    """A resource that is not as it was: the sign that Terraform gives it."""

    sign: str
    address: str

    @property
    def css_class(self) -> str:
        return {"+": "comes", "-": "goes"}.get(self.sign, "")


@dataclass(frozen=True)
class File:
    """One file, and how it differs from what was taken over."""

    path: str
    text: str
    resources: int
    difference: FieldDifference | None

    @property
    def lines(self) -> int:
        return self.text.count("\n")


@require_http_methods(["GET", "HEAD", "POST"])
def terraform(request: HtmxHttpRequest) -> HttpResponse:
    """GET: the page; `file` or `format=zip`: to save. POST `take`: an admin has taken this export over."""
    user = require_overseer(request)
    if request.method == "POST":
        return _take(request, require_admin(request))
    latest = find_latest()
    if request.GET.get("format") == "zip":
        return _send_archive(request, user, _require_newest(latest))
    if path := request.GET.get("file"):
        return _send_file(request, user, _require_newest(latest), path)
    return render(request, "portal/terraform.html", _describe(latest))


def _require_newest(latest: Latest) -> TerraformExport:
    if latest.newest is None:
        raise Http404
    return latest.newest


def _describe(latest: Latest) -> dict[str, Any]:
    comparison = latest.comparison
    changed = [Changed(*signed) for signed in comparison.iter_signed()]
    files = build_files(latest.newest.files, latest.before) if latest.newest else []
    return {
        "export": latest.newest,
        "taken": latest.taken,
        "is_taken": latest.is_taken,
        "comparison": comparison,
        "changed": changed[:_LISTED],
        "more": len(changed) - _LISTED,
        "files": files,
        "differences": [file.difference for file in files if file.difference and latest.taken],
        "has_run": has_full_run(),
        "offer": TerraformOffer.load(),
    }


def build_files(files: Mapping[str, str], before: Mapping[str, str]) -> list[File]:
    return [
        File(path, text, len(list_resources({path: text})), _compare(path, before.get(path, ""), text))
        for path, text in in_order(files)
    ]


def _compare(path: str, before: str, after: str) -> FieldDifference | None:
    return None if before == after else compare_texts(path, before, after)


def _take(request: HtmxHttpRequest, user: User) -> HttpResponse:
    """What is newer than what was on the screen was not taken over by whoever looked at that."""
    latest = find_latest()
    if latest.newest is None or str(latest.newest.pk) != request.POST.get("take"):
        messages.error(request, _("There is a newer export. Look at it once more."))
    elif not latest.is_taken:
        take(latest.newest, user)
        messages.success(request, _("Noted. From now on the page shows what differs from this."))
    return redirect("terraform")


# --- To save ----------------------------------------------------------------------------------------------------------


def _send_file(request: HtmxHttpRequest, user: User, export: TerraformExport, path: str) -> HttpResponse:
    if path not in export.files:
        raise Http404
    content = export.files[path].encode()
    return _send(request, user, export, name=path, content=content, kind="text/plain; charset=utf-8")


def _send_archive(request: HtmxHttpRequest, user: User, export: TerraformExport) -> HttpResponse:
    name = f"genkan-terraform-{export.checksum[:12]}.zip"
    return _send(request, user, export, name=name, content=build_archive(export.files), kind="application/zip")


def build_archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in in_order(files):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), text.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _send(
    request: HtmxHttpRequest, user: User, export: TerraformExport, *, name: str, content: bytes, kind: str
) -> HttpResponse:
    """A file; who took which is kept in the audit trail."""
    if request.method != "HEAD":
        record_event("terraform.download", request=request, actor=user, obj=("terraform_export", str(export.pk), name))
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
