"""Asking AWS many things at once: each question knows what it means if there is no answer."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from syncer.gateways.errors import GatewayError, Truncated
from syncer.states import Reason, Scope, Unresolved

K = TypeVar("K")
V = TypeVar("V")

EVERYTHING = Scope()
Blocks = Literal["all", "deletes", "names", "units", "none"]

FEW = 10  # that many may be missing from a listing, or one in twenty, before it looks too short
SAMPLE = 5  # missing ones that are asked for by themselves


@dataclass(frozen=True)
class Question(Generic[V]):
    """Something to ask AWS, and what it means if there is no answer."""

    ask: Callable[[], V]
    scope: Scope = EVERYTHING
    blocks: Blocks = "all"
    about: str = ""


class Asker:
    """Asks in the threads of a pool, and notes what stays without an answer. Itself used by one thread."""

    def __init__(self, pool: Executor, after_each: Callable[[], None]) -> None:
        self._pool, self._after_each = pool, after_each
        self.unresolved: list[Unresolved] = []

    def begin(self, question: Question[V]) -> "Future[V]":
        return self._pool.submit(question.ask)

    def end(self, question: Question[V], future: "Future[V]") -> V | None:
        """The answer, or None where there is none: then it is noted as unresolved."""
        answer = self._result(future)
        if isinstance(answer, GatewayError):
            self.note(question, answer)
            return None
        return answer

    def note(self, question: Question[V], error: GatewayError) -> None:
        note = Unresolved(question.scope, error.operation, error.reason, question.blocks, question.about)
        self.unresolved.append(note)

    def ask(self, question: Question[V]) -> V | None:
        return self.end(question, self.begin(question))

    def ask_all(self, questions: Mapping[K, Question[V]]) -> dict[K, V]:
        """The answers there are, by the keys of their questions."""
        answers, failures = self.try_all(questions)
        for key, error in failures.items():
            self.note(questions[key], error)
        return answers

    def try_all(self, questions: Mapping[K, Question[V]]) -> tuple[dict[K, V], dict[K, GatewayError]]:
        """The answers there are and the errors in place of the others, which are not noted."""
        begun = [(key, self.begin(question)) for key, question in questions.items()]
        answers: dict[K, V] = {}
        failures: dict[K, GatewayError] = {}
        for key, future in begun:
            answer = self._result(future)
            if isinstance(answer, GatewayError):
                failures[key] = answer
            else:
                answers[key] = answer
        return answers, failures

    def _result(self, future: "Future[V]") -> V | GatewayError:
        try:
            return future.result()
        except GatewayError as error:
            return error
        finally:
            self._after_each()


def truncated(operation: str) -> Truncated:
    return Truncated(operation, Reason("aws_truncated", {"operation": operation}))


def require_whole(
    found: frozenset[str], known: frozenset[str], is_there: Callable[[str], bool], operation: str
) -> None:
    """Raise Truncated for a listing that is far shorter than what was known, unless the missing ones are really gone.

    Some of them are asked for by themselves: a listing is not short for ever only because much has gone.
    """
    missing = sorted(known - found)
    if not missing or (found and len(missing) <= max(FEW, len(known) // 20)):
        return
    if any(is_there(identifier) for identifier in missing[:: max(1, len(missing) // SAMPLE)][:SAMPLE]):
        raise truncated(operation)
