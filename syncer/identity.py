"""Whether who comes under a name is who went. Decided from what Identity Center says, never guessed. Pure.

A name proves little: a new hire gets the address of somebody who left. What is not proven here waits for a person's
word (docs/safety.md, "A namesake inherits nothing").
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from accounts.names import fold
from syncer.states import PrincipalType

LONGEST_ABSENCE = timedelta(days=30)  # Entra ID keeps a deleted user for so long; after that an id proves nothing
SHORTEST_PROOF = timedelta(hours=24)  # without external ids: a name that comes back so soon


class Identity(NamedTuple):
    """A user or group as far as it tells who it is."""

    type: PrincipalType
    principal_id: str
    name: str  # UserName or DisplayName
    external_id: str = ""
    issuer: str = ""  # empty where it is not known


class Departed(NamedTuple):
    """Whom a kept name meant, and when he was last seen: gone or disabled since."""

    identity: Identity
    last_seen: datetime


class Arrival(NamedTuple):
    """Who may be meant now, and since when he is there. May bear the id of who went: enabled again."""

    identity: Identity
    came_at: datetime


class Same(NamedTuple):
    """Proven to be the person or group that went."""

    principal_id: str


class Namesake(NamedTuple):
    """May be somebody else: an owner or admin has to say."""

    principal_id: str


def decide_successor(old: Departed, arrivals: Collection[Arrival]) -> Same | Namesake | None:
    """Who came in the place of `old`. Two who both prove it prove nothing."""
    proven = [arrival for arrival in arrivals if is_proven(old, arrival)]
    if len(proven) == 1:
        return Same(proven[0].identity.principal_id)
    if not arrivals:
        return None
    return Namesake(min(arrivals, key=lambda arrival: _rank(old, arrival)).identity.principal_id)


def is_proven(old: Departed, arrival: Arrival) -> bool:
    """Whether the one who came is provably the one who went."""
    was, comes = old.identity, arrival.identity
    absence = arrival.came_at - old.last_seen
    if was.type is not comes.type or absence > LONGEST_ABSENCE:
        return False
    if was.external_id and comes.external_id and is_same_external_id(was, comes):
        return True
    # Who was there when the other was last seen is somebody else, who took the name over.
    if absence <= timedelta() or not _is_same_name(was, comes):
        return False
    return was.type is PrincipalType.GROUP or not (was.external_id or comes.external_id or absence > SHORTEST_PROOF)


def is_same_external_id(one: Identity, other: Identity) -> bool:
    """Letter by letter: an external id may be a nickname. An issuer that was not noted counts as the same."""
    issuers = {one.issuer, other.issuer} - {""}
    return one.external_id == other.external_id and len(issuers) <= 1


def _is_same_name(one: Identity, other: Identity) -> bool:
    """Identity Center ignores case, and nothing else: a name in other widths is another name."""
    return one.name.casefold() == other.name.casefold() != ""


def _rank(old: Departed, arrival: Arrival) -> tuple[bool, bool, str]:
    """The likeliest first, so that the question stays the same from run to run."""
    comes = arrival.identity
    return (
        comes.external_id != old.identity.external_id,
        fold(comes.name) != fold(old.identity.name),
        comes.principal_id,
    )
