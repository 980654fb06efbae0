"""The doctor's page: what the last examination found, and one as it goes on. For portal admins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import require_admin
from accounts.sentences import Sentence, render_reason
from portal.doctor.records import find_last_result, find_newest, is_stuck
from portal.doctor.reports import Status
from portal.tasks import request_examination
from portal.views.requests import HtmxHttpRequest, asks_for_part
from syncer.models import Examination

_AREAS = {
    "kintone.permission_sets": _("kintone: permission sets"),
    "kintone.assignments": _("kintone: assignments"),
    "kintone": _("kintone"),
    "aws": _("AWS"),
    "entra": _("Entra ID"),
    "slack": _("Slack and GitHub"),
    "github": _("Slack and GitHub"),
    "pause": _("How it is set"),
    "baseline": _("How it is set"),
    "sync_mode": _("How it is set"),
    "drift": _("How it is set"),
    "ownership_tag": _("How it is set"),
}
_PORTAL = _("The portal itself")
_LOOKS = {
    Status.OK: ("check", _("works")),
    Status.WARN: ("circle-alert", _("warning")),
    Status.FAIL: ("triangle-alert", _("error")),
}
_CLASSES = {Status.OK: "ok", Status.WARN: "warning", Status.FAIL: "error"}
# Good as far as is known, which is not far.
_UNTRIED = frozenset({
    "doctor_aws_nothing", "doctor_comments_none", "doctor_github_none", "doctor_kintone_add_untried",
    "doctor_offer_none",
    "doctor_slack_none", "doctor_slack_webhook",
})  # fmt: skip
# Names of operations, which need no line each.
_ALLOWED, _CHANGES = "doctor_aws_allowed", "doctor_aws_untried"


@dataclass(frozen=True)
class Line:
    """One check as the page shows it."""

    name: str
    css_class: str
    icon: str
    word: str
    sentence: Sentence | None

    @property
    def is_trouble(self) -> bool:
        return self.css_class in ("error", "warning")


@dataclass(frozen=True)
class Fold:
    """Operations of AWS of which the same is to be said."""

    title: str
    css_class: str
    icon: str
    operations: tuple[str, ...]


@dataclass
class Group:
    """Checks under one heading; operations that may be asked, and those that were not tried, by their names."""

    title: str
    lines: list[Line] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)

    @property
    def folds(self) -> list[Fold]:
        count, changes = len(self.allowed), len(self.untried)
        allowed = ngettext("AWS answers %(count)s reading operation", "AWS answers %(count)s reading operations", count)
        untried = ngettext(
            "Not tried, because it would change something: %(count)s operation",
            "Not tried, because they would change something: %(count)s operations",
            changes,
        )
        folds = (
            Fold(allowed % {"count": count}, "ok", "check", tuple(self.allowed)),
            Fold(untried % {"count": changes}, "untried", "circle-dashed", tuple(self.untried)),
        )
        return [fold for fold in folds if fold.operations]

    def add(self, check: Mapping[str, Any]) -> None:
        params = check["reason"]["params"]
        if check["reason"]["code"] == _ALLOWED:
            self.allowed.append(str(params["operation"]))
        elif check["reason"]["code"] == _CHANGES:
            self.untried += str(params["operations"]).split(", ")
        else:
            self.lines.append(_show(check))


@require_http_methods(["GET", "HEAD", "POST"])
def doctor(request: HtmxHttpRequest) -> HttpResponse:
    """POST: examine. While that goes on the page asks for itself; 204 says that nothing has changed."""
    user = require_admin(request)
    if request.method == "POST":
        request_examination(user)
        return redirect("doctor")
    newest = find_newest()
    is_part, version = asks_for_part(request, "examination"), _version(newest)
    if is_part and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    context = {"newest": newest, "version": version, "is_part": is_part, **_describe(newest)}
    return render(request, "portal/_examination.html" if is_part else "portal/doctor.html", context)


def _version(newest: Examination | None) -> str:
    """The same as long as the page would be."""
    return f"{newest.pk}-{newest.status}-{is_stuck(newest):d}" if newest else ""


def _describe(newest: Examination | None) -> dict[str, Any]:
    result = find_last_result()
    checks = result.checks if result else []
    stuck = bool(newest and (newest.status == Examination.Status.LOST or is_stuck(newest)))
    return {
        "result": result,
        "groups": build_groups(checks),
        "failures": _count(checks, Status.FAIL),
        "warnings": _count(checks, Status.WARN),
        "is_stuck": stuck,
        "is_going": bool(newest and not newest.is_over and not stuck),
    }


def _count(checks: Iterable[Mapping[str, Any]], status: Status) -> int:
    return sum(check["status"] == status for check in checks)


def build_groups(checks: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Under their headings in the order in which they were made, within each what is wrong first."""
    groups: dict[str, Group] = {}
    for check in sorted(checks, key=_gravity):
        title = str(find_area(check["name"]))
        groups.setdefault(title, Group(title)).add(check)
    order = list(dict.fromkeys(str(find_area(check["name"])) for check in checks))
    return [groups[title] for title in order]


def _gravity(check: Mapping[str, Any]) -> int:
    return [Status.FAIL, Status.WARN, Status.OK].index(Status(check["status"]))


def find_area(name: str) -> Any:
    """The heading that a check stands under."""
    parts = name.split(".")
    return next((_AREAS[key] for key in (".".join(parts[:2]), parts[0]) if key in _AREAS), _PORTAL)


def _show(check: Mapping[str, Any]) -> Line:
    status, reason = Status(check["status"]), check["reason"]
    icon, word = _LOOKS[status]
    css_class = _CLASSES[status]
    if reason["code"] in _UNTRIED:
        icon, word, css_class = "circle-dashed", _("not tried"), "untried"
    return Line(check["name"], css_class, icon, str(word), render_reason(reason))
