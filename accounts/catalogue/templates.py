"""Addresses of the console with gaps: written as people see them in the address bar, filled, and found again. Pure.

    /lambda/home?region={region}#/functions/{function}?tab={tab}
    /cloudwatch/home?region={region}#logsV2:log-groups/log-group/{cw:log_group}

A gap names a parameter, and before a colon how its value is written (see `encodings`). Four gaps are filled by
themselves: `region`, `account_id`, `partition` and `dns`, the partition's domain of services.

A fragment may have a query of its own, which CloudWatch writes with `$3F`, `$26` and `$3D` for `?`, `&` and `=`.
Whatever stands in a query is found in any order, and what the template does not know is told, not lost in silence.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from accounts.catalogue.encodings import ENCODINGS

BUILT_IN = {
    "region": r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}",
    "account_id": r"[0-9]{12}",
    "partition": r"aws[a-z-]*",
    "dns": r"amazonaws\.[a-z.]{2,10}",
}
_GAP = re.compile(r"\{(?:([a-z]+):)?([a-z][a-z0-9_]*)\}")
_MARK, _AND, _EQUALS = re.compile(r"\?|\$3F"), re.compile(r"&|\$26"), re.compile(r"=|\$3D")
# What the console adds by itself and nobody misses.
_NOISE = frozenset({"region", "skipRegion", "trk", "nc1", "nc2", "refid", "isauthcode", "state", "hashArgs"})
# What newer consoles put into a query of Logs Insights beside what it is about.
_INSIGHTS_NOISE = re.compile(r"~(?:tz|queryId|lang|queryBy|logClass)~'[^~)]*|~isLiveTail~(?:true|false)")


class Gap(NamedTuple):
    name: str
    encoding: str


Token = str | Gap
Pairs = tuple[tuple[str, str], ...]


class Address(NamedTuple):
    """An address after its host. The fragment's query is apart from it."""

    path: str
    query: Pairs
    fragment: str
    fragment_query: Pairs


class Found(NamedTuple):
    """What stands in the gaps, and what stands in the address that the template does not know."""

    values: Mapping[str, str]
    dropped: tuple[str, ...]


def split_address(text: str) -> Address:
    """Take apart what follows the host of a URL, or a template."""
    front, _hash, fragment = text.partition("#")
    path, _mark, query = front.partition("?")
    parts = _MARK.split(fragment, maxsplit=1)
    return Address(path.rstrip("/"), _split_pairs(query), parts[0], _split_pairs("".join(parts[1:])))


def _split_pairs(query: str) -> Pairs:
    pairs = (_EQUALS.split(_INSIGHTS_NOISE.sub("", part), maxsplit=1) for part in _AND.split(query) if part)
    return tuple((pair[0], "".join(pair[1:])) for pair in pairs)


@dataclass(frozen=True)
class Template:
    """A template that can be read: `text` as it was written."""

    text: str

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(_tokenise(self.text))

    @cached_property
    def address(self) -> Address:
        return split_address(self.text)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(token for token in self.tokens if isinstance(token, Gap))

    @property
    def names(self) -> frozenset[str]:
        """The parameters that it asks for, without what is filled by itself."""
        return frozenset(gap.name for gap in self.gaps) - BUILT_IN.keys()

    @cached_property
    def weight(self) -> int:
        """How many characters say what it is: the heavier of two templates that both fit is meant."""
        return sum(len(token) for token in self.tokens if isinstance(token, str))

    def fill(self, values: Mapping[str, str], open_names: Collection[str] = ()) -> str:
        """The address with all gaps filled; those of `open_names` stay, in braces."""
        return "".join(_fill(token, values, open_names) for token in self.tokens)

    def find(self, address: Address, slashed: frozenset[str], optional: Collection[str]) -> Found | None:
        """What an address says in this template's gaps; None if it is another place.

        `slashed` are the parameters that a slash may stand in, `optional` those that an address may lack.
        """
        own = self.address
        parts = ((own.path, address.path), (own.fragment, address.fragment))
        found = [_find_values(pattern, text, slashed, is_path=True) for pattern, text in parts]
        if None in found:
            return None
        for pattern, pairs in ((own.query, address.query), (own.fragment_query, address.fragment_query)):
            found.append(_find_pairs(pattern, dict(pairs), slashed, optional))
        values = _merge(found)
        if values is None:
            return None
        return Found(values, (*_drop(own.query, address.query), *_drop(own.fragment_query, address.fragment_query)))


def _tokenise(text: str) -> Iterator[Token]:
    end = 0
    for found in _GAP.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        yield Gap(found[2], found[1] or "plain")
        end = found.end()
    if end < len(text):
        yield text[end:]


def _fill(token: Token, values: Mapping[str, str], open_names: Collection[str]) -> str:
    if isinstance(token, str):
        return token
    if token.name in open_names:
        return f"{{{token.name}}}"
    return ENCODINGS[token.encoding].encode(values[token.name])


# --- Finding ----------------------------------------------------------------------------------------------------------


def _find_values(pattern: str, text: str, slashed: frozenset[str], *, is_path: bool) -> Mapping[str, str] | None:
    """The values in the gaps of one part; None if the part is another, or one name stands for two values."""
    expression, gaps = _compile(pattern, slashed, is_path)
    found = expression.fullmatch(text)
    if found is None:
        return None
    values = zip(gaps, found.groups(), strict=True)
    return _merge([{gap.name: ENCODINGS[gap.encoding].decode(value)} for gap, value in values])


@lru_cache(maxsize=4096)
def _compile(pattern: str, slashed: frozenset[str], is_path: bool) -> tuple[re.Pattern[str], tuple[Gap, ...]]:
    tokens = tuple(_tokenise(pattern))
    expression = "".join(_render_token(token, slashed, is_path=is_path) for token in tokens)
    return re.compile(expression), tuple(token for token in tokens if isinstance(token, Gap))


def _render_token(token: Token, slashed: frozenset[str], *, is_path: bool) -> str:
    """A slash parts a path, so one of a value's own stands there only where it is written plainly."""
    if isinstance(token, str):
        return re.escape(token)
    if token.name in BUILT_IN:
        return f"({BUILT_IN[token.name]})"
    if token.encoding == "js":
        return r"([A-Za-z0-9_.*!-]*)"
    may_have_slash = not is_path or (token.encoding == "plain" and token.name in slashed)
    return "(.+?)" if may_have_slash else "([^/]+?)"


def _find_pairs(
    pattern: Pairs, pairs: Mapping[str, str], slashed: frozenset[str], optional: Collection[str]
) -> Mapping[str, str] | None:
    """The values in the gaps of a query. A pair that asks for nothing need not be there."""
    found: list[Mapping[str, str] | None] = []
    for name, value in pattern:
        names = {gap.name for gap in _compile(value, slashed, False)[1]}
        if name in pairs and names:
            found.append(_find_values(value, pairs[name], slashed, is_path=False))
        elif names - BUILT_IN.keys() - set(optional):
            return None
    return _merge(found)


def _merge(parts: Collection[Mapping[str, str] | None]) -> Mapping[str, str] | None:
    values: dict[str, str] = {}
    for part in parts:
        if part is None or any(values.setdefault(name, value) != value for name, value in part.items()):
            return None
    return values


def _drop(pattern: Pairs, pairs: Pairs) -> Iterator[str]:
    known = dict(pattern)
    for name, value in pairs:
        wanted = known.get(name)
        if name not in _NOISE and (wanted is None or ("{" not in wanted and unquote(wanted) != unquote(value))):
            yield f"{unquote(name)}={unquote(value)}" if value else unquote(name)
