"""Kept names and what became of those they mean: who went, who came, and who has to be asked about.

Runs after the truth is stored and before names are looked up. Only links with something to decide are loaded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts.audit import record_event
from accounts.models import Principal, PrincipalLink
from accounts.names import fold
from accounts.people import move_person
from syncer.directory import LinkKey
from syncer.identity import Arrival, Departed, Identity, Namesake, Same, decide_successor
from syncer.states import PrincipalType

Source, How = PrincipalLink.Source, PrincipalLink.How


@dataclass(frozen=True)
class Links:
    """What kept names lead to."""

    principals: dict[LinkKey, str]
    namesakes: dict[LinkKey, str]  # who may be meant now, where nobody has decided yet
    renamed: dict[LinkKey, str]  # the name that somebody found by another name bears now


@transaction.atomic
def follow_links(now: datetime) -> None:
    """Bring every kept name up to who is there now: moved where it is proven, asked about where it is not."""
    open_matters = (
        Q(principal__gone_at__isnull=False)
        | Q(principal__is_enabled=False)
        | Q(left_at__isnull=False)
        | Q(namesake__isnull=False)
        | ~Q(external_id=F("principal__external_id"))
    )
    known = PrincipalLink.objects.filter(principal__principal_id__isnull=False)
    for link in known.filter(open_matters).select_related("principal").select_for_update(of=("self",)):
        _follow(link, now)


def _follow(link: PrincipalLink, now: datetime) -> None:
    is_there = _is_there(link.principal)
    if not is_there and link.left_at is None:
        link.left_at = link.principal.gone_at or link.principal.disabled_at or now
    if is_there and link.left_at is None and not _has_changed(link):
        _keep(link, link.external_id or link.principal.external_id)
        return
    _decide(link, now)


def _is_there(principal: Principal) -> bool:
    return principal.gone_at is None and principal.is_enabled


def _has_changed(link: PrincipalLink) -> bool:
    """Somebody else's external id under the same id: Entra ID finds whom it provisions by UserName."""
    comes = link.principal.external_id
    return bool(link.external_id and comes and link.external_id != comes)


def _decide(link: PrincipalLink, now: datetime) -> None:
    was = _identify(link.principal)._replace(external_id=link.external_id or link.principal.external_id)
    if _is_there(link.principal):
        arrivals = [Arrival(_identify(link.principal), now)]
    else:
        arrivals = [Arrival(_identify(row), row.first_seen) for row in _find_candidates(link, was)]
    verdict = decide_successor(Departed(was, link.left_at or now), arrivals)
    rows = {row.principal_id: row for row in Principal.objects.filter(principal_id__in=[verdict[0]])} if verdict else {}
    if isinstance(verdict, Same):
        _settle(link, rows[verdict.principal_id])
    else:
        candidate = rows[verdict.principal_id] if isinstance(verdict, Namesake) else None
        _save(link, external_id=was.external_id, namesake=candidate, left_at=link.left_at)


def _find_candidates(link: PrincipalLink, was: Identity) -> Iterable[Principal]:
    """Who is there now under the same external id, the same name, or the name that kintone has."""
    names = {fold(was.name), link.key}
    is_who = Q()
    if link.source != Source.GROUP_NAME:
        names.add(link.key + fold(settings.KINTONE_USER_SUFFIX))
        if settings.IDENTITY_MATCH_EMAIL:
            is_who |= Q(email__iexact=link.key)
    is_who |= Q(name_key__in=names - {""})
    if was.external_id:
        is_who |= Q(external_id=was.external_id)
    there = Principal.objects.filter(type=was.type, principal_id__isnull=False, gone_at__isnull=True, is_enabled=True)
    return there.filter(is_who).exclude(pk=link.principal_id)


def _identify(row: Principal) -> Identity:
    kind = PrincipalType(row.type)
    return Identity(kind, row.principal_id or "", row.name, row.external_id, row.external_issuer)


def _settle(link: PrincipalLink, principal: Principal) -> None:
    """Proven the same: back again, or under a new id to which the name moves."""
    if principal.pk != link.principal_id:
        before, link.principal = link.principal, principal
        move_person(before, principal)
        record_event(
            "link.follow",
            obj=("principal_link", str(link.pk), str(link)),
            before={"principal_id": before.principal_id},
            after={"principal_id": principal.principal_id},
        )
    _keep(link, principal.external_id or link.external_id)


def _keep(link: PrincipalLink, external_id: str) -> None:
    _save(link, external_id=external_id, namesake=None, left_at=None)


def _save(link: PrincipalLink, *, external_id: str, namesake: Principal | None, left_at: datetime | None) -> None:
    stored = PrincipalLink.objects.values_list("principal_id", "external_id", "namesake_id", "left_at").get(pk=link.pk)
    link.external_id, link.namesake, link.left_at = external_id, namesake, left_at
    if stored != (link.principal_id, external_id, namesake.pk if namesake else None, left_at):
        link.save(update_fields=["principal", "external_id", "namesake", "left_at"])


def load_links() -> Links:
    """What every kept name leads to, as values."""
    rows = PrincipalLink.objects.filter(principal__principal_id__isnull=False).values_list(
        "source", "key", "how", "principal__principal_id", "principal__name", "namesake__principal_id"
    )
    links = Links({}, {}, {})
    for source, key, how, principal_id, name, namesake in rows:
        written = LinkKey(source, key)
        links.principals[written] = principal_id or ""
        if namesake:
            links.namesakes[written] = namesake
        if name and fold(name) not in set(_names_of(how, key, fold(name))):
            links.renamed[written] = name
    return links


def _names_of(how: str, key: str, present: str) -> Iterator[str]:
    """The folded names that a link of this kind may lead to without anybody having been renamed."""
    if how in (How.USER_NAME, How.DISPLAY_NAME):
        yield key
    elif how == How.SUFFIX:
        yield key + fold(settings.KINTONE_USER_SUFFIX)
    else:  # found by mail, or somebody's word: the name never was what it went by
        yield present
