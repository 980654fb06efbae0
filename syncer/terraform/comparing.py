"""Two exports compared: which resources came, changed and went. Pure.

It reads only what `hcl` writes: a block begins and ends at the edge of its line, and nothing within it does. Comments
and imports do not count: they change nothing in AWS.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_HEAD = re.compile(r'(resource|data) "([^"]+)" "([^"]+)" \{(\}?)')
_END = "}"


@dataclass(frozen=True)
class Comparison:
    """Addresses of resources, as `terraform plan` names them."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0

    @property
    def count(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)

    def iter_signed(self) -> Iterator[tuple[str, str]]:
        """Terraform's sign and the address of each. What goes comes first: it takes access away."""
        for sign, addresses in (("-", self.removed), ("~", self.changed), ("+", self.added)):
            yield from ((sign, address) for address in addresses)


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> Comparison:
    """What the files say more, otherwise and no more."""
    old, new = list_resources(before), list_resources(after)
    changed = tuple(sorted(address for address in old.keys() & new.keys() if old[address] != new[address]))
    return Comparison(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=changed,
        removed=tuple(sorted(old.keys() - new.keys())),
        unchanged=len(old.keys() & new.keys()) - len(changed),
    )


def list_resources(files: Mapping[str, str]) -> dict[str, str]:
    """Address → text of each resource and data source, but for the comments above it."""
    return dict(block for text in files.values() for block in _iter_blocks(text))


def _iter_blocks(text: str) -> Iterator[tuple[str, str]]:
    address, lines = "", list[str]()
    for line in text.split("\n"):
        head = None if address else _HEAD.fullmatch(line)
        if head:
            address, lines = _address_of(head), []
        if address:
            lines.append(line)
        if address and (line == _END or (head and head[4])):
            yield address, "\n".join(lines)
            address = ""


def _address_of(head: re.Match[str]) -> str:
    kind, resource, label, _empty = head.groups()
    return f"{'data.' if kind == 'data' else ''}{resource}.{label}"
