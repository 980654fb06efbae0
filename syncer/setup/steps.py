"""The three steps of the set-up that kintone offers no API for, with the very texts to type and paste.

What the settings hold already needs no step, and no secret of theirs is printed.
"""

import secrets
from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _

_TOKENS = ("KINTONE_PERMISSION_SET_API_TOKEN", "KINTONE_ASSIGNMENT_API_TOKEN")


def list_steps(permission_set_app_id: str, assignment_app_id: str) -> Iterator[str]:
    """Lines for a terminal: API tokens, their rights, the webhook; then what belongs into .env."""
    app_ids = {
        "KINTONE_PERMISSION_SET_APP_ID": permission_set_app_id,
        "KINTONE_ASSIGNMENT_APP_ID": assignment_app_id,
    }
    wanted = dict.fromkeys(_TOKENS, "") | {"KINTONE_WEBHOOK_TOKEN": secrets.token_hex(24)}
    missing = {name: value for name, value in wanted.items() if not getattr(settings, name)}
    missing |= {name: value for name, value in app_ids.items() if getattr(settings, name) != value}
    if not missing:
        return
    yield ""
    yield _("Three steps are left, which only kintone's own pages offer:")
    yield ""
    yield _("1. API tokens: in each app open Settings, API Token, and press Generate.")
    yield from (f"   {_settings_page(app_id)}" for app_id in app_ids.values())
    yield _("2. Rights: tick View records, Add records, Edit records and Delete records, press Save, then Update App.")
    yield _("   A token works only after Update App.")
    yield _("3. Webhook: in each app open Settings, Webhooks, Add, and paste this address:")
    yield f"   {settings.PUBLIC_URL}/webhooks/kintone/?token={missing.get('KINTONE_WEBHOOK_TOKEN', '…')}"
    yield _("   Tick record added, record edited and record deleted, press Save, then Update App.")
    yield ""
    yield _("Put this into .env, with the two tokens:")
    yield ""
    yield from (f"{name}={missing[name]}" for name in sorted(missing))


def _settings_page(app_id: str) -> str:
    """The settings of an app, where kintone's own pages have them."""
    space = f"guest/{settings.KINTONE_GUEST_SPACE_ID}/" if settings.KINTONE_GUEST_SPACE_ID else ""
    return f"{settings.KINTONE_BASE_URL}/k/{space}admin/app/flow?app={app_id}"
