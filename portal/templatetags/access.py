"""What a line of access tells beside its state: who registered it, and how many are in a group."""

from collections.abc import Mapping

from django import template

from accounts.authors import Authorship

register = template.Library()


@register.filter
def author(authors: Mapping[int, Authorship] | str, record: int) -> str:
    """Who registered a record; nothing on a page that has not loaded it."""
    found = authors.get(record) if isinstance(authors, Mapping) else None
    return found.author if found else ""


@register.filter
def size(members: Mapping[int, int] | str, group: int) -> int | None:
    """How many members a group has; None on a page that has not counted them."""
    return members.get(group, 0) if isinstance(members, Mapping) else None
