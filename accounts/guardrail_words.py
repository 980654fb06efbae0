"""A guardrail in words: where it holds, for what, what it asks for, and what becomes of access that was there."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account, Guardrail, OrganizationalUnit, Principal
from accounts.names import fold
from accounts.owner_register import load_named
from accounts.what_if import Outcome

OUTCOMES: Mapping[Outcome, Promise] = {
    Outcome.ENDED: gettext_lazy("removed by the next run"),
    Outcome.ENDS: gettext_lazy("ends after a day"),
    Outcome.UNPROTECTED: gettext_lazy("is not spared any more"),
    Outcome.REFUSED: gettext_lazy("registered and not there yet: refused"),
    Outcome.KEPT: gettext_lazy("stays, and is listed"),
    Outcome.PROTECTED: gettext_lazy("is spared as emergency access"),
    Outcome.FREED: gettext_lazy("no rule speaks against it any more"),
    Outcome.LET_IN: gettext_lazy("registered and refused until now: created"),
}


def count_outcomes(counts: Iterable[tuple[Outcome, int]]) -> dict[str, str]:
    """How much becomes what, as the parameter `what` of a sentence."""
    return {"what": ", ".join(f"{OUTCOMES[outcome]}: {count}" for outcome, count in counts)}


@dataclass(frozen=True)
class Names:
    """What people call what rules name by id."""

    units: Mapping[str, str] = field(default_factory=dict)  # id → path
    accounts: Mapping[str, str] = field(default_factory=dict)  # id → name
    principals: Mapping[str, Principal] = field(default_factory=dict)  # id and folded UserName → row


@dataclass(frozen=True)
class Place:
    """One line of the scope. is_lost: the organization has no such thing any more."""

    text: str
    id: str = ""
    is_lost: bool = False


@dataclass(frozen=True)
class Words:
    """One rule. people: whom it lets register; strangers: what it says of people whom nobody is called by."""

    where: tuple[Place, ...]
    what: str
    asks: str
    existing: str
    people: tuple[Principal, ...] = ()
    strangers: tuple[str, ...] = ()


def load_names(rules: Collection[Guardrail]) -> Names:
    """Everything that these rules name, in a handful of statements."""
    units = OrganizationalUnit.objects.filter(ou_id__in={rule.ou_id for rule in rules} - {""})
    accounts = Account.objects.filter(account_id__in={rule.account_id for rule in rules} - {""}, gone_at__isnull=True)
    return Names(
        units={ou_id: path or name for ou_id, path, name in units.values_list("ou_id", "path", "name")},
        accounts=dict(accounts.values_list("account_id", "name")),
        principals=_load_principals(rules),
    )


def _load_principals(rules: Iterable[Guardrail]) -> dict[str, Principal]:
    words = {word for rule in rules if rule.effect == Guardrail.Effect.ROLES_ONLY for word in rule.roles.split()}
    if not words:
        return {}
    named = load_named(words)
    found = {word: next(iter(named.find_named(word).principals), "") for word in words}
    rows = Principal.objects.filter(principal_id__in=set(found.values()) - {""}).select_related("person")
    by_id = {row.principal_id: row for row in rows}
    return {fold(word): by_id[principal_id] for word, principal_id in found.items() if principal_id in by_id}


def describe_rule(rule: Guardrail, names: Names) -> Words:
    """The rule in the active language."""
    words = rule.roles.split() if rule.effect == Guardrail.Effect.ROLES_ONLY else []
    return Words(
        where=tuple(_iter_places(rule, names)),
        what=_describe_object(rule),
        asks=_describe_effect(rule),
        existing=_describe_existing(rule),
        people=tuple(names.principals[fold(word)] for word in words if fold(word) in names.principals),
        strangers=tuple(word for word in words if fold(word) not in names.principals),
    )


def _iter_places(rule: Guardrail, names: Names) -> Iterable[Place]:
    if rule.ou_id:
        path = names.units.get(rule.ou_id)
        text = _("everything below %(path)s") % {"path": path} if path else _("an OU that is not there any more")
        yield Place(text, rule.ou_id, is_lost=not path)
    if rule.account_id:
        name = names.accounts.get(rule.account_id)
        yield Place(name or _("an account that is not there any more"), rule.account_id, is_lost=not name)
    if rule.stage:
        yield Place(_describe_stage(rule))
    if rule.tag:
        yield Place(_("accounts with the tag %(tag)s, or with tags that were never read") % {"tag": rule.tag})
    if not (rule.ou_id or rule.account_id or rule.stage or rule.tag):
        yield Place(_("every account"))


def _describe_stage(rule: Guardrail) -> str:
    stage = rule.get_stage_display()
    if rule.stage == "production":
        return _("accounts of the stage %(stage)s, and those whose stage is not known") % {"stage": stage}
    return _("accounts of the stage %(stage)s") % {"stage": stage}


def _describe_object(rule: Guardrail) -> str:
    """Sets, principals and owners that it is about, as a list of conditions."""
    parts = [
        _("the permission set %(name)s") % {"name": rule.permission_set_name} if rule.permission_set_name else "",
        _("sets that grant: %(power)s") % {"power": rule.get_power_display()} if rule.power else "",
        {"USER": _("people themselves, not groups"), "GROUP": _("groups")}.get(rule.principal_type, ""),
        {True: _("owners of the account"), False: _("whoever does not own the account")}.get(bool(rule.is_owner), "")
        if rule.is_owner is not None
        else "",
    ]
    return " · ".join(filter(None, parts)) or _("all access")


def _describe_effect(rule: Guardrail) -> str:
    days = rule.days or 0
    asked = {
        "refuse": _("Nobody new is let in."),
        "owners_only": _("Only owners of the account are let in."),
        "groups_only": _("Only groups are let in, not people themselves."),
        "roles_only": _("Only these people, and members of these groups, register access."),
        "expires_within": ngettext(
            "Access has a last day, at most %(days)s day after it is registered or extended.",
            "Access has a last day, at most %(days)s days after it is registered or extended.",
            days,
        )
        % {"days": days},
        "keep": _(
            "Emergency access: no guardrail, no vanished record and no change by hand ends it. A last day, leaving the "
            "company, a lock-out and a person's word do."
        ),
    }
    return asked[rule.effect]


def _describe_existing(rule: Guardrail) -> str:
    if rule.effect == Guardrail.Effect.KEEP:
        return ""
    if rule.existing == Guardrail.Existing.END and rule.ends_on:
        return _("It ends after %(day)s.") % {"day": rule.ends_on.isoformat()}
    return _("It stays, and is listed.")
