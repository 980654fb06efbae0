"""Kept names and what became of those they mean: who went, who came, and who has to be asked about.

Runs after the truth is stored and before names are looked up. Only links with something to decide are loaded.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.audit import record_event
from accounts.models import Principal, PrincipalLink
from accounts.names import fold
from accounts.people import move_person
from syncer.directory import LinkKey
from syncer.identity import Arrival, Departed, Identity, Same, decide_successor
from syncer.states import PrincipalType

Source, How = PrincipalLink.Source, PrincipalLink.How


@dataclass(frozen=True)
class Links:
    """What kept names lead to."""

    principals: dict[LinkKey, str]
    namesakes: dict[LinkKey, str]  # who may be meant now, where nobody has decided yet
    renamed: dict[LinkKey, str]  # the name that somebody found by another name bears now
    by_profile: set[LinkKey]  # found by nothing but the mail in a kintone profile


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
    links = list(known.filter(open_matters).select_related("principal").select_for_update(of=("self",)))
    candidates = _load_candidates(links)
    for link in links:
        _follow(link, candidates, now)


def _follow(link: PrincipalLink, candidates: "_Candidates", now: datetime) -> None:
    was, is_there = _state_of(link), _is_there(link.principal)
    if not is_there and link.left_at is None:
        link.left_at = link.principal.gone_at or link.principal.disabled_at or now
    if is_there and link.left_at is None and not _has_changed(link):
        _keep(link, link.external_id or link.principal.external_id)
    else:
        _decide(link, candidates, now)
    if _state_of(link) != was:
        link.save(update_fields=["principal", "external_id", "namesake", "left_at"])


def _state_of(link: PrincipalLink) -> tuple[object, ...]:
    return link.principal_id, link.external_id, link.namesake_id, link.left_at


def _is_there(principal: Principal) -> bool:
    return principal.gone_at is None and principal.is_enabled


def _has_changed(link: PrincipalLink) -> bool:
    """Somebody else's external id under the same id: Entra ID finds whom it provisions by UserName."""
    comes = link.principal.external_id
    return bool(link.external_id and comes and link.external_id != comes)


def _decide(link: PrincipalLink, candidates: "_Candidates", now: datetime) -> None:
    was = _identify(link.principal)._replace(external_id=link.external_id or link.principal.external_id)
    there = [link.principal] if _is_there(link.principal) else candidates.find(link, was)
    comes = {row.principal_id: row for row in there}
    arrivals = [Arrival(_identify(row), now if row.pk == link.principal_id else row.first_seen) for row in there]
    verdict = decide_successor(Departed(was, link.left_at or now), arrivals)
    if isinstance(verdict, Same):
        _settle(link, comes[verdict.principal_id])
    else:
        link.external_id, link.namesake = was.external_id, comes[verdict.principal_id] if verdict else None


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
    link.external_id, link.namesake, link.left_at = external_id, None, None


# --- Who may be meant -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Candidates:
    """Who is there now, by each of the things that a name may have led to him by."""

    by_name: dict[str, list[Principal]]
    by_external: dict[str, list[Principal]]
    by_mail: dict[str, list[Principal]]

    def find(self, link: PrincipalLink, was: Identity) -> list[Principal]:
        """Those under the same external id, the same name, or the name that kintone has; himself excepted."""
        found = [row for name in _names_meant(link) for row in self.by_name.get(name, ())]
        found += self.by_external.get(was.external_id, ())
        if settings.IDENTITY_MATCH_EMAIL:
            found += self.by_mail.get(link.key, ())
        return list({row.pk: row for row in found if row.type == was.type and row.pk != link.principal_id}.values())


def _names_meant(link: PrincipalLink) -> set[str]:
    names = {fold(link.principal.name), link.key}
    if link.source != Source.GROUP_NAME:
        names.add(link.key + fold(settings.KINTONE_USER_SUFFIX))
    return names - {""}


def _load_candidates(links: Iterable[PrincipalLink]) -> _Candidates:
    """Everybody whom one of these may mean, in a few statements whatever their number."""
    open_links = [link for link in links if not _is_there(link.principal)]
    names = {name for link in open_links for name in _names_meant(link)}
    externals = {link.external_id or link.principal.external_id for link in open_links} - {""}
    mails = {link.key for link in open_links} if settings.IDENTITY_MATCH_EMAIL else set()
    candidates = _Candidates(defaultdict(list), defaultdict(list), defaultdict(list))
    there = Principal.objects.filter(principal_id__isnull=False, gone_at__isnull=True, is_enabled=True)
    for row in _iter_in(there, "name_key", names):
        candidates.by_name[row.name_key].append(row)
    for row in _iter_in(there, "external_id", externals):
        candidates.by_external[row.external_id].append(row)
    for row in there.exclude(email="") if mails else ():
        candidates.by_mail[fold(row.email)].append(row)
    return candidates


def _iter_in(rows: QuerySet[Principal], field: str, values: Collection[str]) -> Iterator[Principal]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _BATCH):
        yield from rows.filter(**{f"{field}__in": ordered[start : start + _BATCH]})


_BATCH = 400  # values in one statement: SQLite takes a limited number of parameters


# --- What they lead to ------------------------------------------------------------------------------------------------


def load_links() -> Links:
    """What every kept name leads to, as values."""
    rows = PrincipalLink.objects.filter(principal__principal_id__isnull=False).values_list(
        "source", "key", "how", "principal__principal_id", "principal__name", "namesake__principal_id"
    )
    links = Links({}, {}, {}, set())
    for source, key, how, principal_id, name, namesake in rows:
        written = LinkKey(source, key)
        links.principals[written] = principal_id or ""
        if how == How.KINTONE_MAIL:
            links.by_profile.add(written)
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
