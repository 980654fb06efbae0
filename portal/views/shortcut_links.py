"""Kept shortcuts as links and in words. No queries here."""

from django.utils.translation import get_language

from accounts.access_portal import AccessPortal
from accounts.catalogue.catalogue import Built, Catalogue
from accounts.models import Shortcut
from accounts.shortcuts import BadDestination, Destination


def build_link(
    shortcut: Shortcut, permission_set: str, destination: Destination, access_portal: AccessPortal, catalogue: Catalogue
) -> Built:
    """The access portal's link with this set. Raises BadDestination."""
    return catalogue.build_link(
        access_portal.url,
        shortcut.account.account_id,
        permission_set,
        destination,
        partition=access_portal.partition,
    )


def build_direct_link(shortcut: Shortcut, access_portal: AccessPortal | None, catalogue: Catalogue) -> str:
    """The link that works while Genkan is down; empty where the visitor decides something, or it leads nowhere."""
    if access_portal is None or len(shortcut.permission_sets) != 1:
        return ""
    try:
        built = build_link(shortcut, shortcut.permission_sets[0], shortcut.read_destination(), access_portal, catalogue)
    except BadDestination:
        return ""
    return "" if built.open_names else built.url


def describe_destination(shortcut: Shortcut, catalogue: Catalogue) -> str:
    """The service in the reader's language with what is filled in, or the path of the page."""
    destination = shortcut.read_destination()
    service = catalogue.find(destination.service)
    if service is None:
        return destination.url.partition("://")[2]
    values = " · ".join(destination.filled.values())
    name = service.title(get_language() or "en")
    return f"{name} · {values}" if values else name
