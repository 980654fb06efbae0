"""Who is the same person or group: every way in which a name comes back, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from syncer.identity import Arrival, Departed, Identity, Namesake, Same, decide_successor
from syncer.states import PrincipalType

LAST_SEEN = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def user(principal_id: str = "new", name: str = "taro@example.com", external: str = "", issuer: str = "") -> Identity:
    return Identity(PrincipalType.USER, principal_id, name, external, issuer)


def group(principal_id: str = "new", name: str = "developers", external: str = "") -> Identity:
    return Identity(PrincipalType.GROUP, principal_id, name, external)


def decide(old: Identity, *comes: Identity, after: timedelta = HOUR) -> Same | Namesake | None:
    return decide_successor(Departed(old, LAST_SEEN), [Arrival(identity, LAST_SEEN + after) for identity in comes])


SAME, NAMESAKE = Same("new"), Namesake("new")
WIDE = "ｔａｒｏ@example.com"


@pytest.mark.parametrize(
    ("old", "comes", "after", "verdict"),
    [
        # An external id says who it is, under whatever name.
        (user("old", external="e1"), user(external="e1"), HOUR, SAME),
        (user("old", external="e1"), user(name="taro.new@example.com", external="e1"), HOUR, SAME),
        (user("old", external="e1"), user(external="e1"), 30 * DAY, SAME),
        (user("old", external="e1"), user(external="e1"), 30 * DAY + timedelta(seconds=1), NAMESAKE),
        (user("old", external="e1", issuer="scim/1"), user(external="e1", issuer="scim/1"), HOUR, SAME),
        (user("old", external="e1"), user(external="e1", issuer="scim/1"), HOUR, SAME),
        (user("old", external="e1", issuer="scim/1"), user(external="e1", issuer="scim/2"), HOUR, NAMESAKE),
        # A new hire gets the address; somebody is made anew with another external id.
        (user("old", external="e1"), user(external="e2"), HOUR, NAMESAKE),
        (user("old", external="e1"), user(external="E1"), HOUR, NAMESAKE),
        (user("old", external="taro"), user(external="ｔａｒｏ"), HOUR, NAMESAKE),
        # An external id on one side only proves nothing.
        (user("old", external="e1"), user(), HOUR, NAMESAKE),
        (user("old"), user(external="e1"), HOUR, NAMESAKE),
        # Nobody has an external id: the same UserName, at once.
        (user("old"), user(), timedelta(minutes=10), SAME),
        (user("old"), user(), DAY, SAME),
        (user("old"), user(), DAY + timedelta(seconds=1), NAMESAKE),
        (user("old"), user(name="TARO@Example.com"), HOUR, SAME),
        (user("old"), user(name=WIDE), HOUR, NAMESAKE),
        (user("old"), user(name="taro"), HOUR, NAMESAKE),
        (user("old", name=""), user(name=""), HOUR, NAMESAKE),
        # Somebody who was there before the other went, and took the name over.
        (user("old"), user(), -HOUR, NAMESAKE),
        (user("old"), user(), timedelta(), NAMESAKE),
        # Groups: the DisplayName, which is what records write.
        (group("old"), group(), HOUR, SAME),
        (group("old", external="e1"), group(external="e2"), HOUR, SAME),
        (group("old"), group(), 30 * DAY, SAME),
        (group("old"), group(), 31 * DAY, NAMESAKE),
        (group("old"), group(), -HOUR, NAMESAKE),
        (group("old"), group(), timedelta(), NAMESAKE),
        (group("old", external="e1"), group(name="dev", external="e1"), HOUR, SAME),
        (group("old"), group(name="ｄevelopers"), HOUR, NAMESAKE),
        (group("old", external="e1"), group(name="dev", external="e2"), HOUR, NAMESAKE),
        # A user never is a group.
        (user("old", name="x", external="e1"), group(name="x", external="e1"), HOUR, NAMESAKE),
        # Back under his own id.
        (user("old", external="e1"), user("old", external="e1"), 29 * DAY, Same("old")),
        (user("old", external="e1"), user("old", external="e1"), 31 * DAY, Namesake("old")),
        (user("old", external="e1"), user("old", external="e2"), HOUR, Namesake("old")),
        (user("old"), user("old"), HOUR, Same("old")),
        (user("old"), user("old"), 2 * DAY, Namesake("old")),
    ],
)
def test_who_came_is_decided(old: Identity, comes: Identity, after: timedelta, verdict: Same | Namesake) -> None:
    assert decide(old, comes, after=after) == verdict


def test_nobody_came() -> None:
    assert decide(user("old")) is None


def test_external_id_wins_over_the_name() -> None:
    old = user("old", external="e1")
    moved, namesake = user("moved", "t.suzuki@example.com", "e1"), user("namesake", external="e2")
    assert decide(old, namesake, moved) == Same("moved")


def test_swapped_names_follow_the_external_ids() -> None:
    taro, jiro = user("taro2", "jiro@example.com", "e-taro"), user("jiro2", "taro@example.com", "e-jiro")
    assert decide(user("taro1", "taro@example.com", "e-taro"), taro, jiro) == Same("taro2")
    assert decide(user("jiro1", "jiro@example.com", "e-jiro"), taro, jiro) == Same("jiro2")


@pytest.mark.parametrize("turn", [1, -1])
def test_two_who_prove_it_prove_nothing(turn: int) -> None:
    both = [user("a", external="e1"), user("b", external="e1")][::turn]
    assert decide(user("old", external="e1"), *both) == Namesake("a")


@pytest.mark.parametrize("turn", [1, -1])
def test_group_made_anew_beside_one_of_its_external_id_is_asked_about(turn: int) -> None:
    both = [group("anew", external="e2"), group("renamed", "dev", "e1")][::turn]
    assert decide(group("old", external="e1"), *both) == Namesake("renamed")
