"""People whom kintone has deleted: it refuses every write that still names one.

They are left out, and said so. Who is still in Identity Center goes into `more_users` in the same write, by his
UserName; where the app has no such field, the portal keeps him beside the record. Nobody loses access by a clean-up in
kintone.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.models import Person, Principal, PrincipalLink
from accounts.names import fold
from syncer.gateways.errors import GatewayError
from syncer.states import Reason

UNKNOWN_USER = "GAIA_IL26"
_INVALID = "CB_VA01"
_PEOPLE = ("users", "owners", "changed_by")
# No part of a longer login name; what comes before and after may be Japanese, or the end of a sentence.
_BEFORE = r"(?<![A-Za-z0-9_@+-])(?<![A-Za-z0-9]\.)"
_AFTER = r"(?![A-Za-z0-9_@+-]|\.[A-Za-z0-9])"

KnownCodes = Callable[[Collection[str]], frozenset[str]]
"""Which of these codes kintone has users for."""


@dataclass(frozen=True)
class Left:
    """What is written now, and what of it is not as it was wished."""

    values: Mapping[str, Any]
    beside: list[str] | None = None  # None: whom the portal keeps beside the record stays as it is
    notes: tuple[Reason, ...] = ()
    unknown: frozenset[str] = field(default_factory=frozenset)


class NobodyKnown(Exception):
    """The write names somebody whom neither kintone nor Identity Center knows: that is not ours to leave out."""


def find_unknown(error: GatewayError, values: Mapping[str, Any], known: KnownCodes | None) -> frozenset[str]:
    """The codes that kintone has refused. Empty where it was about something else, or cannot be told which.

    With `known` kintone's list of users tells. Without it exactly one code must stand in what kintone says, whatever
    its language: nobody is left out on a guess.
    """
    codes = {code for name in _PEOPLE for code in values.get(name, ())}
    if error.code not in (UNKNOWN_USER, _INVALID) or not codes:
        return frozenset()
    if known is not None:
        return frozenset(codes) - known(sorted(codes))
    if error.code != UNKNOWN_USER:
        return frozenset()
    named = codes if len(codes) == 1 else {code for code in codes if _stands_in(error.text, code)}
    return frozenset(named) if len(named) == 1 else frozenset()


def _stands_in(text: str, code: str) -> bool:
    """As a word of its own: `ken` does not stand in what is said about `ken.sato`."""
    return bool(code) and re.search(f"{_BEFORE}{re.escape(code)}{_AFTER}", text) is not None


def leave_out(
    left: Left,
    unknown: Collection[str],
    *,
    there: Mapping[str, Any],
    fields: Collection[str],
    beside: Collection[str] = (),
    withheld: Collection[str] = (),
) -> Left:
    """The write without these codes. `there` is what the record says now, `fields` which fields the app has.

    withheld: folded codes that are not in force. Under another name they would be the word of whoever writes now, so
    they go nowhere. Raises NobodyKnown.
    """
    values = {
        name: [code for code in value if code not in unknown] if name in _PEOPLE else value
        for name, value in left.values.items()
    }
    moved: list[str] = []
    notes: list[Reason] = []
    for code in sorted(set(unknown).intersection(left.values.get("users", ()))):
        principal = None if fold(code) in withheld else find_principal(code)
        if principal is not None:
            moved.append(principal.name)
            named = {"code": code, "name": principal.name}
            notes.append(Reason("draft_code_moved" if "more_users" in fields else "draft_code_beside", named))
        elif code in there.get("users", ()):
            notes.append(Reason("draft_code_left_out", {"code": code}))
        else:
            raise NobodyKnown
    owners = set(unknown).intersection(left.values.get("owners", ()))
    notes += [Reason("draft_owner_left_out", {"code": code}) for code in sorted(owners)]
    more = _join(values.get("more_users", there.get("more_users", ())), moved)
    if moved and "more_users" in fields:
        values["more_users"] = more
    kept = left.beside
    if moved:
        kept = [] if "more_users" in fields else _join(beside if kept is None else kept, moved)
    return Left(values, kept, (*left.notes, *notes), left.unknown.union(unknown))


def _join(texts: Collection[str], more: Collection[str]) -> list[str]:
    known = {fold(text) for text in texts}
    return [*texts, *(text for text in more if fold(text) not in known)]


def find_principal(code: str) -> Principal | None:
    """Who is meant by a kintone code, if Identity Center still knows him for sure."""
    link = PrincipalLink.objects.filter(source=PrincipalLink.Source.KINTONE_USER, key=fold(code)).first()
    users = Principal.objects.filter(type=Principal.Type.USER, principal_id__isnull=False, gone_at__isnull=True)
    if link is not None:
        is_sure = link.left_at is None and link.namesake_id is None
        return users.filter(pk=link.principal_id).first() if is_sure else None
    person = Person.objects.filter(kintone_code=code, principal__isnull=False).first()
    if person is not None and person.principal_id is not None:
        return users.filter(pk=person.principal_id).first()
    names = {fold(code), fold(code + settings.KINTONE_USER_SUFFIX)}
    found = list(users.filter(name_key__in=names)[:2])
    return found[0] if len(found) == 1 else None
