"""Why somebody can enter an account with a permission set, and what stands in his way if he cannot.

Everything is told that a run would tell, each with its next step: what records want and what became of it first, then
what was wanted once, then the person, the account and the set themselves, then groups that he is not in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.access import may_widen, visible_assignments, visible_records
from accounts.authors import Authorship, load_authors
from accounts.editors import name_owners
from accounts.models import Account, Assignment, Group, PermissionSet, Person, Principal, User, Wish
from accounts.objections import Wanted, find_objections
from accounts.sentences import Sentence, render, render_reason
from accounts.stops import describe, find_freeze, find_lock_out
from portal.views.sections import order_assignments
from portal.views.states import show_assignment

_MOST = 5  # of one kind: a person in a hurry reads no more


@dataclass(frozen=True)
class Question:
    """Who asks, about whom, where to and with what."""

    user: User
    person: Person
    account: Account
    permission_set: PermissionSet

    @property
    def has_left(self) -> bool:
        """Identity Center lets him in nowhere, whatever is assigned to him."""
        principal = self.person.principal
        return principal is None or not principal.is_provisioned or not principal.is_enabled


@dataclass(frozen=True)
class Way:
    """One assignment, and the records that want it with who wrote them."""

    assignment: Assignment
    records: tuple[tuple[Wish, Authorship], ...]

    @property
    def can_enter(self) -> bool:
        return self.assignment.in_aws and self.assignment.account.is_active


@dataclass(frozen=True)
class Barrier:
    """What stands in the way, and where the next step is taken."""

    code: str
    sentence: Sentence
    url: str = ""
    label: str = ""


@dataclass(frozen=True)
class Answer:
    """The ways that are open; where there are none, the barriers in order, beside what is wanted and not open."""

    open: tuple[Way, ...] = ()
    closed: tuple[Way, ...] = ()
    barriers: tuple[Barrier, ...] = ()


def explain(question: Question) -> Answer:
    """In a bounded number of statements, about one person, one account and one set."""
    groups = _find_groups(question.person)
    ways = _load_ways(question, groups)
    passable = tuple(way for way in ways if way.can_enter and not question.has_left)
    if passable:
        return Answer(passable, tuple(way for way in ways if way not in passable))
    barriers = chain(
        _iter_states(ways),
        _iter_history(question, groups) if not ways else (),
        _iter_of_person(question, ways),
        _iter_of_account(question),
        _iter_of_set(question),
        _iter_of_record(question) if not ways else (),
        _iter_of_groups(question, groups),
    )
    return Answer((), ways, tuple(_drop_repeated(barriers)))


def _find_groups(person: Person) -> list[int]:
    if person.principal_id is None:
        return []
    there = Group.objects.filter(memberships__member=person.principal_id, gone_at__isnull=True)
    return list(there.values_list("pk", flat=True))


def _list_principals(question: Question, groups: list[int]) -> list[int]:
    own = question.person.principal_id
    return [*groups, own] if own else groups


def _load_ways(question: Question, groups: list[int]) -> tuple[Way, ...]:
    found = visible_assignments(question.user).filter(
        account=question.account,
        permission_set=question.permission_set,
        principal__in=_list_principals(question, groups),
    )
    rows = list(order_assignments(found, "permission_set"))
    authors = load_authors([wish.record for row in rows for wish in row.wishes.all()])
    return tuple(Way(row, tuple((wish, authors[wish.record_id]) for wish in row.wishes.all())) for row in rows)


# --- Barriers --------------------------------------------------------------------------------------------------------


def _iter_states(ways: Iterable[Way]) -> Iterator[Barrier]:
    """What became of what records want."""
    for way in ways:
        if way.can_enter:
            continue  # it is there: what stands in the way is the person
        shown = show_assignment(way.assignment)
        code = str(way.assignment.reason.get("code", "")) or f"state_{way.assignment.state}"
        message = shown.message or shown.word
        if way.records:
            record = way.records[0][0].record
            url = reverse("assignment_record", args=[record.pk])
            yield Barrier(code, Sentence(message, shown.remedy), url, _("Record %(ref)s") % {"ref": record.reference})
        else:
            yield Barrier(code, Sentence(message, shown.remedy))


def _iter_history(question: Question, groups: list[int]) -> Iterator[Barrier]:
    """What records gave once, the newest first."""
    wishes = Wish.objects.filter(
        record__in=visible_records(question.user).values("pk"),
        assignment__account=question.account,
        assignment__permission_set=question.permission_set,
        assignment__principal__in=_list_principals(question, groups),
    )
    for wish in wishes.select_related("record").order_by("-record__updated_at", "pk")[:_MOST]:
        record, today = wish.record, timezone.localdate()
        params = {"record": record.reference}
        url, label = reverse("assignment_record", args=[record.pk]), _("To the record")
        if wish.expires_on and wish.expires_on < today:
            day = wish.expires_on.isoformat()
            yield Barrier("why_ended", render("why_ended", params | {"day": day}), url, label)
        else:
            code = "why_record_gone" if record.gone_at else "why_withdrawn"
            yield Barrier(code, render(code, params), url, label)


def _iter_of_person(question: Question, ways: Iterable[Way]) -> Iterator[Barrier]:
    person, principal = question.person, question.person.principal
    stop = find_lock_out(principal) if principal else None
    if stop:
        yield Barrier("locked_out", render("locked_out", describe(stop)))
    if any(way.assignment.state == Assignment.State.WAITING for way in ways):
        return  # said already, with since when
    name = {"name": str(person)}
    if principal is None or principal.principal_id is None:
        yield Barrier("person_unknown", render("person_unknown", name))
    elif principal.gone_at:
        yield Barrier("principal_gone", render("principal_gone", name))
    elif not principal.is_enabled:
        yield Barrier("principal_disabled", render("principal_disabled", name))


def _iter_of_account(question: Question) -> Iterator[Barrier]:
    account = question.account
    name, url = {"account": account.name}, reverse("account_detail", args=[account.account_id])
    if account.gone_at:
        yield Barrier("why_left_organization", render("why_left_organization", name))
    elif not account.is_active:
        state = name | {"state": account.get_state_display()}
        yield Barrier("account_not_active", Sentence(render("account_not_active", state).message))
    if account.is_management:
        yield Barrier("management_account", render("management_account", name))
    freeze = find_freeze(account)
    if freeze:
        yield Barrier("account_frozen", render("account_frozen", describe(freeze)), url, _("To the account"))


def _iter_of_set(question: Question) -> Iterator[Barrier]:
    permission_set = question.permission_set
    name, ownership = {"set": permission_set.name}, permission_set.ownership
    link = reverse("permission_set_detail", args=[permission_set.pk]), _("To the permission set")
    reason = render_reason(permission_set.reason)
    if ownership == PermissionSet.Ownership.TERRAFORM:
        yield Barrier("managed_in_terraform", render("managed_in_terraform", name), *link)
    elif ownership == PermissionSet.Ownership.NOT_OURS:
        yield Barrier("set_not_ours", render("set_not_ours", name), *link)
    elif reason and permission_set.state in (PermissionSet.State.BLOCKED, PermissionSet.State.FAILED):
        yield Barrier(str(permission_set.reason["code"]), reason, *link)
    elif ownership == PermissionSet.Ownership.ABSENT:
        yield Barrier("why_set_absent", render("why_set_absent", name), *link)


def _iter_of_record(question: Question) -> Iterator[Barrier]:
    """Nothing wants it now: who could register it, and what the guardrails would say."""
    account, permission_set = question.account, question.permission_set
    params = {"name": str(question.person), "set": permission_set.name, "account": account.name}
    if account.is_management or account.gone_at:
        return  # nobody can register anything there, which was said
    if may_widen(question.user, account):
        name = question.person.kintone_code or question.person.email
        query = {"account": account.account_id, "permission_set": permission_set.name, "user": name}
        url = f"{reverse('new_assignment')}?{urlencode(query)}"
        yield Barrier("why_no_record", render("why_no_record_yours", params), url, _("Give access"))
    elif owners := name_owners(account.account_id):
        yield Barrier("why_no_record", render("why_no_record", params | {"owners": ", ".join(owners)}))
    else:
        yield Barrier("why_no_record", render("why_no_record_unowned", params))
    principal = question.person.principal
    wanted = Wanted(
        account.account_id, permission_set.name, Principal.Type.USER, (principal and principal.principal_id) or ""
    )
    for objection in find_objections(question.user, [wanted]):
        if objection.is_refused:
            yield Barrier("guardrail", objection.sentence)


def _iter_of_groups(question: Question, groups: list[int]) -> Iterator[Barrier]:
    """Groups that can enter, to which the person does not belong."""
    there = visible_assignments(question.user).filter(
        account=question.account,
        permission_set=question.permission_set,
        principal__type=Principal.Type.GROUP,
        in_aws=True,
    )
    for row in there.exclude(principal__in=groups).select_related("principal").order_by("principal__name_key")[:_MOST]:
        params = {"group": str(row.principal), "name": str(question.person)}
        url = reverse("group_detail", args=[row.principal_id])
        yield Barrier(f"why_in_no_group:{row.principal_id}", render("why_in_no_group", params), url, _("To the group"))


def _drop_repeated(barriers: Iterable[Barrier]) -> Iterator[Barrier]:
    """What an assignment says and its account, set or person says too is said once."""
    said: set[str] = set()
    for barrier in barriers:
        if barrier.sentence.message not in said:
            said.add(barrier.sentence.message)
            yield barrier
