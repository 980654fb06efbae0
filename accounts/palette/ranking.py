"""What is meant, best first.

Every word has to be found in what is offered: in its own texts, or for a place of the console in the account, the set
or the service. Points are those of the words, of the kind, and of one's own use. What one may enter comes before what
one may only look at. static/js/seek.js does the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import NamedTuple

from accounts.palette.grading import DIRECT, grade
from accounts.palette.words import Word, read_words
from accounts.palette.world import AccountEntry, Entry, Kind, OpenService, OwnSet, Place, World

_ORDER = tuple(Kind)
_POINTS = {Kind.PLACE: 25, Kind.SHORTCUT: 20, Kind.PAGE: 15, Kind.SET: 5, Kind.SERVICE: 5}
_UNNAMED = 25  # less for a place that only its use speaks for
_NEXT_SET = 10  # less for each further set of one account
_FEW_ACCOUNTS = 3  # at most so many fit: all sets are offered
_CLEAR = 15  # points by which the best has to lead
_MOST_WISHES = 12  # services that are weighed, those that the words are most in, with the console itself
_MOST_OFFERS = 15_000  # sets in accounts, each with each wish, that are weighed: more than what people type has
MOST_OF_KIND = 8
MOST = 20

Grades = tuple[int, ...]  # one for each word


@dataclass(frozen=True)
class Found:
    """One thing offered. weakest: what the worst of the words is in it; about: what does not compete with it for being
    the clear one; account_id and permission_set: of a place.
    """

    entry: Entry
    score: int
    weakest: int
    about: str
    account_id: str = ""
    permission_set: str = ""

    @property
    def order(self) -> tuple[int, int, str, str]:
        return -self.score, _ORDER.index(self.entry.kind), self.entry.title, self.entry.href


def rank(world: World, query: str, *, most: int = MOST, most_of_kind: int = MOST_OF_KIND) -> list[Found]:
    """What the query may mean; without words what one uses."""
    words = read_words(query)
    found = sorted(
        (*_find_places(world, words, most_of_kind), *_find_entries(_list_entries(world), words)), key=_order_of
    )
    return _cut(found, most, most_of_kind)


def rank_entries(entries: Iterable[Entry], query: str) -> list[Found]:
    """The same for what was found elsewhere, such as people."""
    return sorted(_find_entries(entries, read_words(query)), key=_order_of)


def find_clear(found: Sequence[Found]) -> Found | None:
    """The best, where nothing else comes near it: other sets and the page of the same account do not compete.

    What is only nearly what was typed is never clear.
    """
    if not found or found[0].weakest < DIRECT:
        return None
    best = found[0]
    return best if all(best.score - other.score >= _CLEAR for other in found if other.about != best.about) else None


def _order_of(found: Found) -> tuple[int, int, str, str]:
    return found.order


def _cut(found: Iterable[Found], most: int, most_of_kind: int) -> list[Found]:
    counts = dict.fromkeys(Kind, 0)
    kept = []
    for each in found:
        counts[each.entry.kind] += 1
        if counts[each.entry.kind] <= most_of_kind:
            kept.append(each)
    return kept[:most]


# --- What is found by its own words -----------------------------------------------------------------------------------


def _list_entries(world: World) -> Iterator[Entry]:
    yield from (account.entry for account in world.accounts)
    yield from world.entries


def _find_entries(entries: Iterable[Entry], words: Sequence[Word]) -> Iterator[Found]:
    """Without words only what is used; an account is, where its places are."""
    for entry in entries:
        grades = tuple(grade(word, entry.texts) for word in words)
        if all(grades) and (words or (entry.use and entry.kind is not Kind.ACCOUNT)):
            points = sum(grades) + _POINTS.get(entry.kind, 0) + entry.use
            yield Found(entry, points, min(grades, default=0), entry.href)


# --- Places of the console --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seat:
    """An account with what the words are in it. likely: the best set of each kind that the words tell apart."""

    account: AccountEntry
    grades: Grades
    is_named: bool
    likely: tuple[Place, ...]


@dataclass(frozen=True)
class _Wish:
    """A service that one of the words names, or None for the console as the set opens it."""

    service: OpenService | None
    grades: Grades


class _Offer(NamedTuple):
    """A set in an account, before it is put in order."""

    points: int
    rank: int
    name: str
    number: int
    weakest: int


def _find_places(world: World, words: Sequence[Word], most: int) -> Iterator[Found]:
    """Most accounts have many sets that are the same to the words; only where few accounts fit are all looked at.

    Where many fit, only the best are put together: `most`, and what is as good as the last of them.
    """
    own = [tuple(grade(word, each.texts) for word in words) for each in world.sets]
    fitting = [(seat, wish, sets[:1]) for seat, wish, sets in _list_fitting(world, words, own)]
    if len({seat.account.account_id for seat, _wish, _sets in fitting}) <= _FEW_ACCOUNTS:
        fitting = [
            (seat, wish, _list_offers(world, seat, wish, own, seat.account.places)) for seat, wish, _s in fitting
        ]
    else:
        least = nlargest(most, (best.points for _seat, _wish, (best,) in fitting))[-1]
        fitting = [(seat, wish, [best]) for seat, wish, (best,) in fitting if best.points >= least]
    for seat, wish, sets in fitting:
        for position, offer in enumerate(sets):
            yield _build_place(world, seat.account, wish.service, offer, _NEXT_SET * position)


def _list_fitting(
    world: World, words: Sequence[Word], own: Sequence[Grades]
) -> list[tuple[_Seat, _Wish, list[_Offer]]]:
    """Where every word is found in the account, in the service or in one of the sets."""
    wishes = [_Wish(None, (0,) * len(words)), *_list_wishes(world, words)]
    seats = _keep_likeliest(list(_list_seats(world, words, own)), len(wishes))
    in_sets = tuple(max(grades, default=0) for grades in zip(*own, strict=True)) or (0,) * len(words)
    pairs = [(seat, wish) for seat in seats for wish in wishes if all(map(max, seat.grades, wish.grades, in_sets))]
    offers = [(seat, wish, _list_offers(world, seat, wish, own, seat.likely)) for seat, wish in pairs]
    return [(seat, wish, sets) for seat, wish, sets in offers if sets]


def _keep_likeliest(seats: Sequence[_Seat], wishes: int) -> list[_Seat]:
    """As many as can be weighed with so many wishes, so that no query costs more than another."""
    room = _MOST_OFFERS // wishes
    if sum(len(seat.likely) for seat in seats) <= room:
        return list(seats)
    kept = []
    for seat in sorted(seats, key=_order_of_seat):
        room -= len(seat.likely)
        if room < 0:
            break
        kept.append(seat)
    return kept


def _order_of_seat(seat: _Seat) -> tuple[int, int, str]:
    """The most of the words, then the best."""
    points = sum(seat.grades) + seat.account.places[0].use
    return seat.grades.count(0), -points, seat.account.account_id


def _list_seats(world: World, words: Sequence[Word], own: Sequence[Grades]) -> Iterator[_Seat]:
    """The accounts that something speaks for: a word, or use."""
    kinds = [(grades, each.is_billing) for grades, each in zip(own, world.sets, strict=True)]
    for account in world.accounts:
        grades = tuple(grade(word, account.entry.texts) for word in words)
        if account.places and (any(grades) or account.places[0].use):
            yield _Seat(account, grades, any(grades), _choose_likely(account.places, kinds))


def _choose_likely(places: Sequence[Place], kinds: Sequence[object]) -> tuple[Place, ...]:
    first: dict[object, Place] = {}
    for place in places:
        first.setdefault(kinds[place.number], place)
    return tuple(first.values())


def _list_wishes(world: World, words: Sequence[Word]) -> list[_Wish]:
    """The services that the words are most in. One Latin letter is in nearly all and means none; ロ means something."""
    graded = [tuple(0 if _is_letter(word) else grade(word, each.texts) for word in words) for each in world.services]
    wishes = [_Wish(each, grades) for each, grades in zip(world.services, graded, strict=True) if any(grades)]
    return sorted(wishes, key=lambda wish: -sum(wish.grades))[: _MOST_WISHES - 1]


def _is_letter(word: Word) -> bool:
    return len(word.text) == 1 and word.text.isascii()


def _list_offers(
    world: World, seat: _Seat, wish: _Wish, own: Sequence[Grades], places: Sequence[Place]
) -> list[_Offer]:
    """The sets in one account, best first: what the words name, then one's own use, then the least powerful.

    Where nothing names the account, only what one uses there.
    """
    if not _asks_for(seat, wish):
        return []
    offers = []
    for number, use in places:
        grades = tuple(map(max, seat.grades, wish.grades, own[number]))
        if all(grades) and (use or seat.is_named):
            points = sum(grades) + use - (0 if seat.is_named else _UNNAMED)
            rank = _rank_set(world.sets[number], wish)
            offers.append(_Offer(points, rank, world.sets[number].name, number, min(grades, default=0)))
    return sorted(offers, key=lambda offer: (-offer.points, offer.rank, offer.name))


def _asks_for(seat: _Seat, wish: _Wish) -> bool:
    """Whether a word means the service: nothing in the account is as like it, or another word names the account."""
    if wish.service is None:
        return True
    pairs = tuple(zip(seat.grades, wish.grades, strict=True))
    if any(there > here for here, there in pairs):
        return True
    return any(there >= DIRECT for _here, there in pairs) and any(here > there for here, there in pairs)


def _rank_set(own: OwnSet, wish: _Wish) -> int:
    return 0 if own.is_billing and wish.service and wish.service.is_billing else own.rank


def _build_place(world: World, account: AccountEntry, service: OpenService | None, offer: _Offer, less: int) -> Found:
    own = world.sets[offer.number]
    words = (own.name, account.stage_word, account.region_word if service and "" not in service.destinations else "")
    entry = replace(
        account.entry,
        kind=Kind.PLACE,
        title=f"{account.entry.title} · {service.title}" if service else account.entry.title,
        below=" · ".join(filter(None, words)),
        href=world.build_link(account, own, service),
        icon=service.icon if service else "arrow-up-right",
    )
    about = f"{account.entry.href}{service.slug if service else ''}"
    points = offer.points + _POINTS[Kind.PLACE] - less
    return Found(entry, points, offer.weakest, about, account.account_id, own.name)
