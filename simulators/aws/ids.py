"""Identifiers in AWS's formats, the same for the same seed and order of calls."""

import hashlib
import string
from collections import Counter
from collections.abc import Mapping

_BASE36 = string.digits + string.ascii_lowercase
_BASE32 = string.ascii_uppercase + "234567"


class Ids:
    """Hands out identifiers; `counts` says how many of each kind were handed out before."""

    def __init__(self, seed: str, counts: Mapping[str, int] | None = None) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter(counts or {})

    def number(self) -> int:
        """The next number of the world: rows are listed in the order of theirs."""
        self.counts["number"] += 1
        return self.counts["number"]

    def hex(self, kind: str, length: int) -> str:
        return self._digest(kind)[:length]

    def uuid(self, kind: str) -> str:
        digest = self._digest(kind)
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))

    def digits(self, kind: str, length: int) -> str:
        return self._spell(kind, string.digits, length)

    def letters(self, kind: str, length: int) -> str:
        """Lower-case letters and digits, as in Organizations' ids."""
        return self._spell(kind, _BASE36, length)

    def key(self, prefix: str) -> str:
        """An id of IAM or STS: a prefix of four letters and sixteen more signs."""
        return prefix + self._spell(prefix, _BASE32, 16)

    def secret(self, kind: str, length: int = 40) -> str:
        return self._spell(kind, string.ascii_letters + string.digits, length)

    def _spell(self, kind: str, alphabet: str, length: int) -> str:
        value, signs = int(self._digest(kind), 16), []
        for _ in range(length):
            value, index = divmod(value, len(alphabet))
            signs.append(alphabet[index])
        return "".join(signs)

    def _digest(self, kind: str) -> str:
        self.counts[kind] += 1
        return hashlib.sha256(f"{self.seed}\n{kind}\n{self.counts[kind]}".encode()).hexdigest()
