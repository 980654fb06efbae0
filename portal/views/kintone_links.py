"""Where a record can be read and edited in kintone, and where a new one is written."""

from django.conf import settings


def build_app_link(app_id: str) -> str:
    """The list of an app's records; empty when kintone's address is not set."""
    if not settings.KINTONE_BASE_URL:
        return ""
    space = f"guest/{settings.KINTONE_GUEST_SPACE_ID}/" if settings.KINTONE_GUEST_SPACE_ID else ""
    return f"{settings.KINTONE_BASE_URL}/k/{space}{app_id}/"


def build_record_link(app_id: str, record_id: str) -> str:
    """A record's page; empty when kintone's address is not set."""
    app = build_app_link(app_id)
    return f"{app}show#record={record_id}" if app else ""


def build_new_assignment_link() -> str:
    """The empty form of the assignment app; empty when kintone's address or the app is not set."""
    app_id = settings.KINTONE_ASSIGNMENT_APP_ID
    app = build_app_link(app_id) if app_id else ""
    return f"{app}edit" if app else ""
