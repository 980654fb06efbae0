"""Who is asked whether a newcomer is who went, and what the answer changes.

The question is about two principals, so one answer serves every name that kintone has for them. What it changes holds
wherever the name stands, so it takes the owner of all these accounts, or an admin.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest

from accounts.access import may_change
from accounts.audit import record_event
from accounts.models import Principal, PrincipalLink, Record, User, Wish
from accounts.owner_register import load_register
from accounts.people import move_person


@dataclass(frozen=True)
class Question:
    """Is `comes` who `was`? The same principal on both sides is somebody who came back under his own id."""

    link: PrincipalLink
    was: Principal
    comes: Principal
    may_answer: bool

    @property
    def is_return(self) -> bool:
        return self.was.pk == self.comes.pk


def find_questions(user: User, principals: Collection[int]) -> list[Question]:
    """What is open about these principals, each question once."""
    links = (
        PrincipalLink.objects.filter(namesake__isnull=False)
        .filter(principal__in=principals)
        .union(PrincipalLink.objects.filter(namesake__in=principals))
        .values_list("pk", flat=True)
    )
    rows = PrincipalLink.objects.filter(pk__in=list(links)).select_related("principal", "namesake").order_by("pk")
    asked = {(row.principal_id, row.namesake_id): row for row in reversed(rows)}
    return [_ask(user, row, row.namesake) for row in reversed(asked.values()) if row.namesake]


def find_questions_of_record(user: User, record: Record) -> list[Question]:
    wished = Wish.objects.filter(record=record, is_current=True).values_list("assignment__principal__pk", flat=True)
    return find_questions(user, set(wished))


def _ask(user: User, link: PrincipalLink, comes: Principal) -> Question:
    return Question(link, link.principal, comes, may_confirm(user, link))


def may_confirm(user: User, link: PrincipalLink) -> bool:
    """An admin, or who owns every account where the name stands. Nobody says so of himself."""
    if user.is_staff:
        return True
    me = user.person.principal if user.person else None
    if me is None or not may_change(user) or not me.is_provisioned or me.pk in (link.principal_id, link.namesake_id):
        return False
    wished = Wish.objects.filter(is_current=True, assignment__principal=link.principal_id)
    accounts = set(wished.values_list("assignment__account__account_id", flat=True))
    register = load_register(accounts)
    return bool(accounts) and all(
        register.owns(me.principal_id or "", account) and not register.is_protected(account) for account in accounts
    )


@transaction.atomic
def confirm_namesake(request: HttpRequest, link: PrincipalLink) -> bool:
    """They are the same, or the newcomer is meant: every name of the one leads to the other. False: no question now."""
    links = list(
        PrincipalLink.objects.select_for_update()
        .filter(principal=link.principal_id, namesake=link.namesake_id)
        .select_related("principal")
    )
    newcomer = Principal.objects.filter(pk=link.namesake_id or 0, gone_at__isnull=True).first()
    if not links or newcomer is None:
        return False
    _lead_to(links, newcomer)
    if newcomer.pk != link.principal_id:
        move_person(link.principal, newcomer)
    record_event(
        "namesake.confirm",
        request=request,
        obj=("principal", str(newcomer.pk), str(newcomer)),
        before={"principal_id": link.principal.principal_id, "names": [row.key for row in links]},
        after={"principal_id": newcomer.principal_id},
    )
    return True


def _lead_to(links: Iterable[PrincipalLink], newcomer: Principal) -> None:
    """The names lead to him from now on; the records that have them are looked at by the next run."""
    wished = Wish.objects.filter(is_current=True, assignment__principal__in=[link.principal_id for link in links])
    Record.objects.filter(pk__in=wished.values("record")).update(is_settled=False)
    for link in links:
        link.principal, link.namesake, link.left_at = newcomer, None, None
        link.how, link.external_id = PrincipalLink.How.CONFIRMED, newcomer.external_id
        link.save(update_fields=["principal", "namesake", "left_at", "how", "external_id"])
