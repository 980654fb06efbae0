"""Where access can be taken away, extended or tried again, as links and buttons beside it."""

from django import template
from django.urls import reverse

from accounts.editors import Removable
from accounts.models import Assignment, Record
from portal.views.addresses import find_address
from portal.views.retrying import is_worth_retrying

register = template.Library()


@register.simple_tag
def removal_url(assignment: Assignment, removable: Removable | str, record: Record | str = "") -> str:
    """The page for it, of this record first; empty where the viewer may not, and where no record wants it."""
    if not isinstance(removable, Removable):
        return ""  # the page offers nothing of the kind
    is_own = assignment.principal_id == removable.himself
    for wish in sorted(assignment.wishes.all(), key=lambda wish: wish.record != record):
        if wish.is_current and (is_own or wish.record_id in removable.records):
            return reverse("remove_from_record", args=[wish.record_id, assignment.principal_id])
    return ""


@register.simple_tag
def retry_url(assignment: Assignment, removable: Removable | str) -> str:
    """Where a record that wants it is tried again; empty where that helps nothing, or the viewer may not."""
    if not isinstance(removable, Removable) or not is_worth_retrying([assignment]):
        return ""
    wishes = (wish for wish in assignment.wishes.all() if wish.is_current and wish.record_id in removable.records)
    return next((reverse("retry_record", args=[wish.record_id]) for wish in wishes), "")


@register.simple_tag
def own_removal_url(assignment: Assignment) -> str:
    """For one's own access, also through a group: the page says what can be done about it."""
    wish = next((wish for wish in assignment.wishes.all() if wish.is_current), None)
    return find_address("remove_from_record", wish.record_id, assignment.principal_id) if wish else ""


@register.simple_tag
def extension_url(assignment: Assignment) -> str:
    """Where the last day can be moved: in the record that ends last."""
    ends = [wish for wish in assignment.wishes.all() if wish.is_current and wish.expires_on]
    wish = max(ends, key=lambda wish: str(wish.expires_on), default=None)
    return reverse("extend_record", args=[wish.record_id]) if wish else ""
