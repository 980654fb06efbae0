"""The owners' tags on accounts and units, read beside everything else because Organizations keeps a pace of its own."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor

from syncer.gateways.errors import Denied
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.gateways.reading_questions import Asker, Question
from syncer.states import Scope, Unresolved

ABOUT = "tags of accounts and units"
OPERATION = "organizations:ListTagsForResource"


class TagReader:
    """Asks from when it is made until `end`. Whatever fails here stops no change: the last known tags stay."""

    def __init__(self, center: IdentityCenterQueries, pool: Executor, resources: Iterable[str]) -> None:
        self._asker, self._denied = Asker(pool, lambda: None), threading.Event()
        self._questions = {resource: self._question(center, resource) for resource in sorted(resources)}
        self._begun = {resource: self._asker.begin(question) for resource, question in self._questions.items()}

    def end(self) -> tuple[Mapping[str, Mapping[str, str]], tuple[Unresolved, ...]]:
        """The tags of what could be read, and what could not. A right that is not given is told once."""
        found = {
            resource: tags
            for resource, begun in self._begun.items()
            if (tags := self._asker.end(self._questions[resource], begun)) is not None
        }
        if not self._denied.is_set():
            return found, tuple(self._asker.unresolved)
        denial = next(item for item in self._asker.unresolved if item.reason.code == "aws_denied")
        return {}, (Unresolved(Scope(), denial.operation, denial.reason, "none", ABOUT),)

    def _question(self, center: IdentityCenterQueries, resource: str) -> Question[dict[str, str]]:
        is_account = resource.isdigit()
        scope, about = (Scope(target_id=resource), "tags") if is_account else (Scope(), f"tags of {resource}")
        return Question(_unless(self._denied, lambda: center.fetch_owner_tags(resource)), scope, "none", about)


def _unless(denied: threading.Event, ask: Callable[[], dict[str, str]]) -> Callable[[], dict[str, str]]:
    """Ask unless asking so has been denied: then nothing is known, and nobody asks again in this reading."""

    def ask_once() -> dict[str, str]:
        if denied.is_set():
            return {}
        try:
            return ask()
        except Denied:
            denied.set()
            raise

    return ask_once
