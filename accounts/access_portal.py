"""The AWS access portal that console links and CLI profiles lead through."""

from typing import NamedTuple

from django.conf import settings

from accounts.models import Instance
from accounts.shortcuts import build_portal_url, find_partition


class AccessPortal(NamedTuple):
    """Its base URL, and the region where Identity Center lives."""

    url: str
    region: str

    @property
    def partition(self) -> str:
        return find_partition(self.url, self.region)


def find_access_portal() -> AccessPortal | None:
    """From the settings, else from the instance as last read; None before the first run."""
    url, region = settings.AWS_ACCESS_PORTAL_URL, settings.IDENTITY_CENTER_REGION
    if url and region:
        return AccessPortal(url, region)
    instance = Instance.objects.order_by("-read_at").first()
    if instance is None:
        return None
    found = build_portal_url(instance.region, instance.identity_store_id, instance.instance_arn)
    return AccessPortal(url or found, region or instance.region)
