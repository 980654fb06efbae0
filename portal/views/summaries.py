"""What permission sets may do, in a word for lists and in sentences for a page. No queries here.

A verdict depends on nothing but the policies, so it is kept by them: a page of fifty sets asks fifty times in a row for
what the last page asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from accounts.models import PermissionSet
from accounts.policy.summary import Level, SetPolicies, Summary, find_level, list_unknown, summarise
from accounts.sentences import Sentence, render
from portal.views.definitions import choose_source
from portal.views.values import to_lines

KEPT = 1000  # verdicts, each with its policies: some megabytes at most
_WORDS: Mapping[Level, str | Promise] = {
    Level.ADMIN: pgettext_lazy("level", "administrator"),
    Level.POWER: pgettext_lazy("level", "nearly everything"),
    Level.WRITE: pgettext_lazy("level", "may change"),
    Level.BILLING: pgettext_lazy("level", "billing"),
    Level.READ_ONLY: pgettext_lazy("level", "read only"),
    Level.CUSTOM: pgettext_lazy("level", "as its policies say"),
}
_UNKNOWN = pgettext_lazy("level", "not known here")
_ICONS = {Level.ADMIN: "shield-alert", Level.POWER: "shield-alert"}


class Policies(NamedTuple):
    """What a verdict depends on. Equal ones share it."""

    managed: tuple[str, ...]
    customer_managed: tuple[str, ...]
    inline: str
    boundary: str


@dataclass(frozen=True)
class LevelMark:
    """How far a set reaches: a word, the sentence behind it, and an icon where one should look twice.

    unknown: the policies of which nobody knows what they allow, where that decides.
    """

    level: str
    word: str
    icon: str
    unknown: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return render(f"summary_{self.level}", {"policies": ", ".join(self.unknown)}).message


def mark_level(permission_set: PermissionSet) -> LevelMark | None:
    """None while nothing is known of the set."""
    policies = _find_policies(permission_set)
    if policies is None:
        return None
    level = _find_level(policies)
    if level is None:
        return LevelMark("unknown", str(_UNKNOWN), "shield-alert", tuple(list_unknown(_pack(policies))))
    return LevelMark(level, str(_WORDS[level]), _ICONS.get(level, ""))


def explain_set(permission_set: PermissionSet) -> list[Sentence]:
    """What the set may do, in the order to be read: by the values in force, else by what AWS has."""
    policies = _find_policies(permission_set)
    if policies is None:
        return []
    said = list(_summarise(policies).iter_sentences())
    return [render(code, params) for code, params in (said if _find_level(policies) else said[1:])]


def _find_policies(permission_set: PermissionSet) -> Policies | None:
    source, values = choose_source(permission_set)
    return _read_policies(values) if source else None


def _read_policies(values: Mapping[str, Any]) -> Policies:
    return Policies(
        tuple(sorted(to_lines(values.get("managed_policies")))),
        tuple(sorted(to_lines(values.get("customer_managed_policies")))),
        str(values.get("inline_policy") or ""),
        "\n".join(to_lines(values.get("permissions_boundary"))),
    )


def _pack(policies: Policies) -> SetPolicies:
    return SetPolicies(*policies)


@lru_cache(maxsize=KEPT)
def _find_level(policies: Policies) -> Level | None:
    """None where a set counts as administrator only because nobody knows what some of its policies allow."""
    unknown = set(list_unknown(_pack(policies)))
    known = tuple(policy for policy in policies.managed if policy not in unknown)
    level = find_level(_pack(policies._replace(managed=known, customer_managed=())))
    return None if unknown and level is not Level.ADMIN else level


@lru_cache(maxsize=KEPT)
def _summarise(policies: Policies) -> Summary:
    return summarise(_pack(policies))
