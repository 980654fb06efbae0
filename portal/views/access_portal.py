"""The AWS access portal that console links and CLI profiles lead through."""

from typing import NamedTuple

from django.conf import settings

from accounts.models import Instance


class AccessPortal(NamedTuple):
    """Its base URL, and the region where Identity Center lives."""

    url: str
    region: str


def find_access_portal() -> AccessPortal | None:
    """From the settings, else from the instance as last read; None before the first run."""
    url, region = settings.AWS_ACCESS_PORTAL_URL, settings.IDENTITY_CENTER_REGION
    if url and region:
        return AccessPortal(url, region)
    instance = Instance.objects.order_by("-read_at").first()
    if instance is None:
        return None
    return AccessPortal(url or f"https://{instance.identity_store_id}.awsapps.com/start", region or instance.region)
