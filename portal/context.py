"""What every page shows around its own content: navigation, agreement, language and theme."""

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.stops import find_pause
from portal.views.agreement import find_agreement
from portal.views.preferences import find_theme
from syncer.giving.rights import may_give_somewhere


class NavigationItem(NamedTuple):
    """A main page, and the names of the addresses that belong to it."""

    url_name: str
    word: str | Promise
    section: tuple[str, ...]


NAVIGATION = (
    NavigationItem(
        "my_access", _("My access"), ("my_access", "why", "cli", "new_assignment", "edit_assignment", "sent")
    ),
    NavigationItem(
        "shortcut_list",
        _("Shortcuts"),
        ("shortcut_list", "keep_shortcut", "edit_shortcut", "new_shortcut", "go"),
    ),
    NavigationItem(
        "account_list",
        _("Accounts"),
        ("account_list", "account_detail", "assignment_list", "freeze", "account_owners", "unit_detail", "unit_owners"),
    ),
    NavigationItem(
        "permission_set_list",
        _("Permission sets"),
        ("permission_set_list", "permission_set_detail", "new_permission_set", "edit_permission_set"),
    ),
    NavigationItem(
        "person_list", _("People"), ("person_list", "person_detail", "group_list", "group_detail", "lock_out")
    ),
    NavigationItem("problem_list", _("Problems"), ("problem_list", "guardrail_list", "what_if")),
    NavigationItem("run_list", _("Sync"), ("run_list", "run_detail", "pause")),
)


def portal(request: HttpRequest) -> dict[str, Any]:
    """`navigation`, `here` (the address's name), `agreement`, `may_give` and `pause` (lazy), `theme`, `plans_only`."""
    user = getattr(request, "user", None)
    match = getattr(request, "resolver_match", None)
    return {
        "navigation": NAVIGATION if isinstance(user, User) else (),
        "here": match.url_name if match else "",
        "agreement": SimpleLazyObject(find_agreement),
        "may_give": SimpleLazyObject(lambda: may_give_somewhere(user)) if isinstance(user, User) else False,
        "pause": SimpleLazyObject(find_pause) if isinstance(user, User) else None,
        "theme": find_theme(request),
        "plans_only": settings.SYNC_MODE == "plan",
    }
