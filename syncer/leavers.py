"""Who has left: gone or disabled by AWS's own answer about that very id, not because a listing lacks him.

A listing that came short must not make leavers. Whoever it lacks, and whoever is disabled and has access, is asked
about by id; without an answer he is as he was last known, nothing happens to him, and the run says so.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from syncer.gateways.errors import GatewayError, NotFound
from syncer.states import Actual, ActualPrincipal, Ownership, PrincipalType, Scope, Unresolved

logger = logging.getLogger(__name__)

QUESTIONS = 100  # a run, at the 20 requests a second of the identity store; who is left over waits for the next run

Suspect = tuple[PrincipalType, str]


class Describes(Protocol):
    """What of the gateway is asked."""

    def fetch_user(self, user_id: str) -> ActualPrincipal: ...
    def fetch_group(self, group_id: str) -> ActualPrincipal: ...


@dataclass
class Answers:
    """What AWS said about those who were asked about; nothing about the others."""

    gone: set[str] = field(default_factory=set)
    there: dict[str, ActualPrincipal] = field(default_factory=dict)
    unanswered: dict[str, Unresolved] = field(default_factory=dict)  # by operation: one stands for all of its kind


def confirm_leavers(
    center: Describes, actual: Actual, known: Mapping[str, ActualPrincipal]
) -> tuple[Actual, frozenset[str]]:
    """What was read with everybody as he really is, and the ids of those who left.

    known: whom Identity Center had when it was last read.
    """
    unread = {item.scope.whole_type for item in actual.unresolved if item.blocks != "none"}
    lacking = {
        principal_id: principal
        for principal_id, principal in known.items()
        if principal_id not in actual.principals and principal.type not in unread
    }
    doubtful = (suspect for suspect in find_with_access(actual) if suspect[0] not in unread)
    suspects = dict.fromkeys([*doubtful, *((there.type, key) for key, there in lacking.items())])
    answers = ask_about(center, list(suspects)[:QUESTIONS])
    unconfirmed = {key: there for key, there in lacking.items() if key not in answers.gone}
    principals = {**actual.principals, **unconfirmed, **answers.there}
    disabled = {key for key, there in answers.there.items() if not there.is_enabled}
    unresolved = (*actual.unresolved, *answers.unanswered.values())
    return replace(actual, principals=principals, unresolved=unresolved), frozenset(answers.gone | disabled)


def find_with_access(actual: Actual) -> list[Suspect]:
    """Who is assigned on our sets and looks disabled or gone."""
    ours = {name for name, there in actual.sets.items() if there.ownership is Ownership.OURS}
    assigned = {(key.principal_type, key.principal_id) for key in actual.assignments if key.permission_set in ours}
    return sorted(suspect for suspect in assigned if _looks_gone(actual.principals.get(suspect[1])))


def _looks_gone(principal: ActualPrincipal | None) -> bool:
    return principal is None or not principal.is_enabled


def ask_about(center: Describes, suspects: Iterable[Suspect]) -> Answers:
    """Ask about each by id."""
    answers = Answers()
    for kind, principal_id in suspects:
        fetch = center.fetch_group if kind is PrincipalType.GROUP else center.fetch_user
        try:
            answers.there[principal_id] = fetch(principal_id)
        except NotFound:
            answers.gone.add(principal_id)
        except GatewayError as error:
            logger.warning("leavers: nothing is known of %s %s: %s", kind, principal_id, error.reason)
            note = Unresolved(Scope(), error.operation, error.reason, blocks="none", about=f"{kind} {principal_id}")
            answers.unanswered.setdefault(error.operation, note)
    return answers
