"""What a comment on a kintone record is about, as values. Pure: no Django, no clock, no network.

A remark is told once. What the record says wrong is told once a revision, so that whoever saves it again hears what is
still wrong; what was decided about it, or what became of it in AWS, is told once while it stands. A comment ends with a
mark, by which a process that does not know whether it was sent finds it again.
"""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from accounts.judgement import REACHES_OTHERS
from accounts.names import fold

LONGEST_MARK = 12  # characters, of 48 bits
MOST_MENTIONS = 10  # kintone takes no more in a comment
PATIENCE = timedelta(hours=2)  # new people and groups arrive from Entra ID within some 40 minutes


class Tone(StrEnum):
    """How a comment begins."""

    MEND = "mend"  # the record cannot be understood, or not all of it
    REFUSED = "refused"  # AWS does not take what it asks for
    VERDICT = "verdict"  # it is understood, and something of it is not in force


_VALUES_WITHHELD = frozenset({"values_withheld", "values_withheld_who"}) | REACHES_OTHERS
_GUARDRAILS = frozenset({"guardrail_refuses", "guardrail_day"})
# Of warnings these leave something to do to whoever looks after the record.
_WARNINGS = frozenset({
    "group_left", "group_unknown", "managed_in_terraform", "managed_policy_not_listed_near",
    "managed_policy_withdrawn_kept", "moved_to_new_name", "nobody_named", "person_unknown",
    *_VALUES_WITHHELD, *_GUARDRAILS,
})  # fmt: skip
# What passes by itself as a rule; if it does not, there may be a slip of the pen.
_PASSING = frozenset({"group_unknown", "person_unknown"})
# What AWS said of a set for good, and its record can mend.
_MENDABLE = frozenset({
    "aws_inline_rejected", "aws_inline_too_large", "aws_invalid", "aws_managed_policy_missing", "aws_policies_per_role",
    "aws_policy_missing", "aws_refused",
})  # fmt: skip
# Decided or found elsewhere: a new revision of the record does not make it news.
_OF_NO_REVISION = frozenset({
    "group_left", "group_unknown", "managed_in_terraform", "managed_policy_withdrawn_kept", "may_be_namesake",
    "moved_to_new_name", "person_unknown", "set_in_management",
    "set_not_adopted", *_VALUES_WITHHELD, *_GUARDRAILS, *_MENDABLE,
})  # fmt: skip
# Where not all parameters say what it is about: the others may change while the matter is the same.
_NAMED_BY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_VALUES_WITHHELD, ("values",)),
    "guardrail_refuses": ("rule", "names"),
    "guardrail_day": ("rule", "day"),
    "set_in_management": ("set",),
    "set_named_twice": ("name",),
    **dict.fromkeys(_MENDABLE, ("policy", "account", "limit")),
}


@dataclass(frozen=True)
class Remark:
    """One thing to tell: a code with its parameters, and where in the record it is."""

    code: str
    field: str = ""
    line: int | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "field": self.field, "line": self.line, "params": dict(self.params)}

    @property
    def tone(self) -> Tone:
        if self.code in _MENDABLE:
            return Tone.REFUSED
        is_verdict = self.code in _VALUES_WITHHELD | _GUARDRAILS
        return Tone.VERDICT if is_verdict else Tone.MEND

    @property
    def concerns_owners(self) -> bool:
        """Not only whoever wrote it should know: somebody else has to decide."""
        return self.code in _VALUES_WITHHELD

    def identity(self, revision: int) -> str:
        """Equal for what is told only once."""
        names = _NAMED_BY.get(self.code)
        params = {name: value for name, value in self.params.items() if names is None or name in names}
        code = "values_withheld" if self.code in _VALUES_WITHHELD else self.code
        of_revision = None if self.code in _OF_NO_REVISION else revision
        return _digest([code, self.field, self.line, sorted(params.items()), of_revision], 16)


def is_worth_telling(code: str, *, is_error: bool, stood_for: timedelta) -> bool:
    """Whether a problem of a record deserves a comment: not what passes, not what leaves nothing to do."""
    if code in _PASSING and stood_for < PATIENCE:
        return False
    return is_error or code in _WARNINGS or _is_slip(code)


def _is_slip(code: str) -> bool:
    """A name in a policy that AWS does not know beside one that it does: the rest of its warnings may be as wanted."""
    return code.startswith("policy_") and code.endswith("_near")


def is_mendable(code: str) -> bool:
    """Whether the writer of a set's record can mend what AWS refused."""
    return code in _MENDABLE


def find_tone(remarks: Iterable[Remark]) -> Tone:
    """How a comment of these begins: with the gravest."""
    tones = {remark.tone for remark in remarks}
    return next((tone for tone in Tone if tone in tones), Tone.MEND)


def build_mark(public_url: str, reference: str, revision: int, identities: Collection[str], times: int = 0) -> str:
    """What finds a comment of this portal, about this, again. `times`: how often it was told and over before.

    Another portal at the same kintone, such as somebody's demo, has another address and so another mark.
    """
    return _digest([public_url, reference, revision, sorted(identities), times], LONGEST_MARK)


def choose_mentions(codes: Iterable[str], *, never: str) -> list[str]:
    """Whom a comment mentions, each once, no more than kintone takes; `never` is whom a token writes as, folded."""
    wanted: dict[str, str] = {}
    for code in codes:
        if code and fold(code) != never:
            wanted.setdefault(fold(code), code)
    return list(wanted.values())[:MOST_MENTIONS]


def _digest(value: object, length: int) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
