"""The organization as a tree of units with how many accounts lie below each: two statements, whatever its size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from accounts.models import Account, OrganizationalUnit

SMALL = 40  # units: about a screen
Counts = Mapping[int | None, int]


@dataclass(frozen=True)
class Node:
    """A unit. `count` is of all accounts below it; `is_open` where the one that is looked at lies below."""

    unit: OrganizationalUnit
    count: int
    children: Sequence["Node"]
    is_here: bool = False
    is_open: bool = False


class UnitTree:
    """These units, with counts of these accounts. A unit whose parent is not among them stands at the top."""

    def __init__(
        self, units: Iterable[OrganizationalUnit], accounts: QuerySet[Account], *, here: int | None = None
    ) -> None:
        self._units = {unit.pk: unit for unit in units}
        self._here = here
        self._counts: Counts = dict(accounts.order_by().values_list("ou").annotate(Count("pk")))
        self._children: dict[int | None, list[int]] = {}
        for unit in sorted(self._units.values(), key=lambda unit: unit.path):
            above = unit.parent_id if unit.parent_id in self._units else None
            self._children.setdefault(above, []).append(unit.pk)

    @property
    def outside(self) -> int:
        """Accounts whose unit is not known."""
        return self._counts.get(None, 0)

    @property
    def total(self) -> int:
        return sum(self._counts.values())

    @property
    def is_small(self) -> bool:
        """All of it can stand open."""
        return len(self._units) <= SMALL

    def flatten(self) -> Iterator[tuple[Node, str]]:
        """All units from the top down, each with its name indented by its depth."""
        return _flatten(self.build(), 0)

    def build(self) -> list[Node]:
        """The units at the top. The root itself is no line: below it lies everything."""
        top = [self._build(pk) for pk in self._children.get(None, [])]
        return list(top[0].children) if len(top) == 1 and top[0].unit.parent_id is None else top

    def list_below(self, pk: int) -> list[int]:
        """A unit and all units below it."""
        return list(self._iter_below(pk))

    def find(self, pk: int) -> Node:
        return self._build(pk)

    def _iter_below(self, pk: int) -> Iterator[int]:
        yield pk
        for child in self._children.get(pk, ()):
            yield from self._iter_below(child)

    def _build(self, pk: int) -> Node:
        children = [self._build(child) for child in self._children.get(pk, ())]
        return Node(
            self._units[pk],
            self._counts.get(pk, 0) + sum(child.count for child in children),
            children,
            is_here=pk == self._here,
            is_open=any(child.is_here or child.is_open for child in children) or pk == self._here,
        )


def _flatten(nodes: Iterable[Node], depth: int) -> Iterator[tuple[Node, str]]:
    for node in nodes:
        yield node, "\u3000" * depth + node.unit.name
        yield from _flatten(node.children, depth + 1)
