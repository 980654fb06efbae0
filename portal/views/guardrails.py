"""The guardrails in words, for everybody; and what a rule would touch if it were written like this."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import require_user, sees_everything, visible_accounts, visible_assignments
from accounts.guardrail_words import OUTCOMES, Words, describe_rule, load_names
from accounts.guardrails import anchor_of
from accounts.models import Assignment, Guardrail, Problem, User
from accounts.owner_register import load_named
from accounts.rulebook import build_rule, load_ground
from accounts.what_if import Foresight, Outcome, foresee
from portal.forms.guardrails import FIELDS, TrialForm, list_set_names
from portal.views.paging import PAGE_SIZE
from portal.views.sections import order_assignments


class Shown(NamedTuple):
    """One rule as the page shows it."""

    rule: Guardrail
    words: Words
    anchor: str
    problems: tuple[Problem, ...]

    @property
    def is_lost(self) -> bool:
        return any(place.is_lost for place in self.words.where)


@require_safe
def guardrail_list(request: HttpRequest) -> HttpResponse:
    """Every rule that holds for an account that one may see, and those that are put aside."""
    user = require_user(request)
    rules = _find_visible(user)
    shown = _show(rules)
    context = {
        "active": [each for each in shown if each.rule.is_active],
        "aside": [each for each in shown if not each.rule.is_active],
    }
    return render(request, "portal/guardrail_list.html", context)


def _find_visible(user: User) -> list[Guardrail]:
    rules = list(Guardrail.objects.select_related("created_by", "changed_by").order_by("name"))
    if sees_everything(user):
        return rules
    accounts = set(visible_accounts(user).values_list("account_id", flat=True))
    ground = load_ground(accounts, rules=())
    named = load_named(())
    values = ((rule, build_rule(rule, named)) for rule in rules)
    return [rule for rule, value in values if any(ground.covers(value, account_id) for account_id in accounts)]


def _show(rules: list[Guardrail]) -> list[Shown]:
    names = load_names(rules)
    told = Problem.objects.filter(code__startswith="guardrail_", record=None)
    problems: dict[str, list[Problem]] = {}
    for problem in told:
        problems.setdefault(str(problem.params.get("rule", "")), []).append(problem)
    return [
        Shown(rule, describe_rule(rule, names), anchor_of(rule.name), tuple(problems.get(rule.name, ())))
        for rule in rules
    ]


# --- What a rule would touch ------------------------------------------------------------------------------------------

_LOOKS = {
    Outcome.ENDED: ("minus", "shu"),
    Outcome.ENDS: ("clock", "odo"),
    Outcome.UNPROTECTED: ("shield-off", "odo"),
    Outcome.REFUSED: ("ban", "odo"),
    Outcome.KEPT: ("list", "sumi"),
    Outcome.PROTECTED: ("shield-check", "ai"),
    Outcome.FREED: ("check", "take"),
    Outcome.LET_IN: ("plus", "take"),
}


class Look(NamedTuple):
    """An outcome as the page shows it."""

    word: Promise
    icon: str
    tone: str
    number: int = 1


@require_http_methods(["GET", "HEAD", "POST"])
def what_if(request: HttpRequest) -> HttpResponse:
    """A form with the fields of a rule and, once it is filled in, what the rule would touch. It saves nothing.

    `rule` names the rule that is to be changed. POST comes from the admin site's form, and leads to an address.
    """
    user = require_user(request)
    if request.method == "POST":
        return redirect(f"{reverse('what_if')}?{urlencode(_pick(request.POST))}")
    stored = _find_stored(request, user)
    is_tried = "effect" in request.GET
    form = TrialForm(user, request.GET if is_tried else None, instance=_copy(stored))
    context: dict[str, Any] = {"form": form, "stored": stored, "set_names": list_set_names(user), "is_tried": is_tried}
    if is_tried and form.is_valid():
        context |= _foresee(request, user, form.instance, stored)
    return render(request, "portal/what_if.html", context)


def _pick(values: Any) -> dict[str, str]:
    picked = {name: values.get(name, "") for name in (*FIELDS, "rule")}
    return {name: value for name, value in picked.items() if value}


def _find_stored(request: HttpRequest, user: User) -> Guardrail | None:
    pk = request.GET.get("rule", "")
    if not pk:
        return None
    rule = get_object_or_404(Guardrail, pk=pk if pk.isdecimal() and len(pk) < 10 else 0)
    return get_object_or_404(Guardrail, pk=rule.pk if rule in _find_visible(user) else 0)


def _copy(stored: Guardrail | None) -> Guardrail:
    """The values to begin with; validating a form changes the instance it is given."""
    if stored is None:
        return Guardrail()
    return Guardrail(**{name: getattr(stored, name) for name in FIELDS})


def _foresee(request: HttpRequest, user: User, trial: Guardrail, stored: Guardrail | None) -> dict[str, Any]:
    trial.name = stored.name if stored else ""
    trial.sentence = stored.sentence if stored else ""
    rule = build_rule(trial, load_named([trial.roles]))
    replaces = stored.name if stored and stored.is_active else ""
    foresight = foresee(rule, replaces=replaces, assignments=visible_assignments(user))
    page = Paginator(list(foresight.touched), PAGE_SIZE).get_page(request.GET.get("page"))
    return {"foresight": foresight, "looks": list_looks(foresight), "page": page, "lines": _load_lines(foresight, page)}


class Line(NamedTuple):
    """One assignment that is touched."""

    assignment: Assignment
    look: Look


def _load_lines(foresight: Foresight, page: Iterable[int]) -> list[Line]:
    wanted = list(page)
    rows = {row.pk: row for row in order_assignments(Assignment.objects.filter(pk__in=wanted), "account")}
    return [Line(rows[pk], _look(foresight.touched[pk])) for pk in wanted if pk in rows]


def list_looks(foresight: Foresight) -> list[Look]:
    """What is touched, counted by what becomes of it, the gravest first."""
    return [_look(outcome, count) for outcome, count in foresight.counts]


def _look(outcome: Outcome, number: int = 1) -> Look:
    icon, tone = _LOOKS[outcome]
    return Look(OUTCOMES[outcome], icon, tone, number)
