"""Where a record can be read and edited in kintone."""

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
