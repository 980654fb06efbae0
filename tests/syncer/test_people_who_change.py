"""People who come, leave, come back and are somebody else: from Identity Center to what they can enter."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Assignment, AuditEvent, Person, Principal, PrincipalLink, Stop
from accounts.stops import find_lock_out
from simulators.aws import Fault
from syncer import runs
from syncer.gateways.identity_center import IdentityCenter
from syncer.mirror.links import follow_links
from tests.factories import make_user
from tests.portal.pages import make_client
from tests.syncer.running import Outcome, counts_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db

TARO = ("shop", "Reader", "taro")


@contextmanager
def later(**by: float) -> Iterator[None]:
    with time_machine.travel(timezone.now() + timedelta(**by)):
        yield


def reader_of_shop(world: World, *users: str, groups: str = "") -> str:
    """A record that has been carried out."""
    world.register_set("Reader")
    reference = world.register("shop", "Reader", *users, groups=groups)
    sync()
    return reference


def granted(world: World) -> set[tuple[str, str, str]]:
    """What there is on the set that is ours."""
    return {row for row in world.granted() if row[1] == "Reader"}


def state_of_record(reference: str) -> list[tuple[str, str]]:
    """State and reason of each assignment that a record wants now."""
    rows = Assignment.objects.filter(
        wishes__record__record_id=reference.partition(":")[2], wishes__is_current=True, is_wanted=True
    )
    return [(row.state, row.reason.get("code", "")) for row in rows.order_by("pk")]


def change_externals(world: World, **externals: str) -> None:
    for name, external_id in externals.items():
        world.change_person(name, external_id=external_id)


# --- A new id -------------------------------------------------------------------------------------------------------


@pytest.fixture
def known_taro(world: World) -> str:
    """Taro, whom Identity Center knows by an external id and who has access; his record."""
    change_externals(world, taro="entra-taro")
    return reader_of_shop(world, "taro")


def test_same_person_under_a_new_id_has_access_at_once(world: World, known_taro: str) -> None:
    world.remove_person("taro")
    world.provision("taro", external_id="entra-taro")
    sync()
    assert TARO in granted(world)
    assert state_of_record(known_taro) == [("granted", "")]


def test_person_page_and_lock_out_go_along_with_the_new_id(world: World, known_taro: str) -> None:
    person = Person.objects.get(kintone_code="taro")
    Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=person.principal, reason="lost laptop")
    world.remove_person("taro")
    world.provision("taro", external_id="entra-taro")
    sync()
    person.refresh_from_db()
    assert person.principal
    assert person.principal.principal_id == world.principal_ids["taro"]
    assert find_lock_out(person.principal)
    assert TARO not in granted(world)
    assert not Person.objects.filter(principal=None).exists()


def test_moving_a_name_to_a_new_id_is_in_the_audit_trail(world: World, known_taro: str) -> None:
    was = world.principal_ids["taro"]
    world.remove_person("taro")
    world.provision("taro", external_id="entra-taro")
    sync()
    event = AuditEvent.objects.get(action="link.follow")
    assert (event.before, event.after) == ({"principal_id": was}, {"principal_id": world.principal_ids["taro"]})


@pytest.mark.parametrize("external_id", ["entra-somebody-else", None])
def test_namesake_gets_nothing(world: World, known_taro: str, external_id: str | None) -> None:
    world.remove_person("taro")
    world.provision("taro", external_id=external_id)
    outcome = sync()
    assert TARO not in granted(world)
    assert state_of_record(known_taro) == [("blocked", "may_be_namesake")]
    assert "may_be_namesake" in outcome.codes
    assert PrincipalLink.objects.get(key="taro").namesake == Principal.objects.get(
        principal_id=world.principal_ids["taro"]
    )


def test_external_id_that_comes_later_proves_it(world: World, known_taro: str) -> None:
    world.remove_person("taro")
    world.provision("taro")
    sync()
    change_externals(world, taro="entra-taro")
    sync()
    assert TARO in granted(world)


def test_return_after_thirty_days_is_asked_about(world: World, known_taro: str) -> None:
    world.remove_person("taro")
    sync()
    with later(days=31):
        world.provision("taro", external_id="entra-taro")
        sync()
        assert state_of_record(known_taro) == [("blocked", "may_be_namesake")]
        assert TARO not in granted(world)


def test_without_external_ids_a_name_that_comes_back_at_once_is_the_same(world: World) -> None:
    reader_of_shop(world, "taro")
    world.remove_person("taro")
    world.provision("taro")
    sync()
    assert TARO in granted(world)


def test_without_external_ids_a_name_that_comes_back_later_is_asked_about(world: World) -> None:
    reference = reader_of_shop(world, "taro")
    world.remove_person("taro")
    sync()
    with later(hours=25):
        world.provision("taro")
        sync()
        assert TARO not in granted(world)
        assert state_of_record(reference) == [("blocked", "may_be_namesake")]


def test_gap_that_nobody_watched_proves_nothing(world: World) -> None:
    """Two days without a run: the old one may have gone two days before the new one came."""
    reader_of_shop(world, "taro")
    world.remove_person("taro")
    world.provision("taro")
    with later(days=2):
        sync()
        assert TARO not in granted(world)


def test_colleague_who_takes_a_leavers_address_gets_nothing(world: World) -> None:
    reader_of_shop(world, "taro")
    world.remove_person("taro")
    world.change_person("ken", user_name=f"taro@{DOMAIN}", email=f"taro@{DOMAIN}")
    sync()
    assert not granted(world)


def test_swapped_names_keep_their_access(world: World, known_taro: str) -> None:
    world.change_person("ken", external_id="entra-ken")
    sync()
    world.change_person("taro", user_name=f"someone@{DOMAIN}")
    world.change_person("ken", user_name=f"taro@{DOMAIN}")
    world.change_person("taro", user_name=f"ken@{DOMAIN}")
    sync()
    assert granted(world) == {TARO}


def test_undecided_namesake_keeps_what_is_there(world: World, known_taro: str) -> None:
    world.remove_person("taro")
    world.provision("taro", external_id="entra-somebody-else")
    world.assign("shop", "Reader", "taro")
    sync()
    assert TARO in granted(world)


# --- The same id, and perhaps another human -------------------------------------------------------------------------


def test_disabled_for_a_while_has_access_again(world: World, known_taro: str) -> None:
    world.disable("taro")
    sync()
    world.enable("taro")
    with later(days=20):
        sync()
    assert TARO in granted(world)


def test_address_given_to_a_new_hire_gives_no_access(world: World, known_taro: str) -> None:
    """Entra ID finds the disabled user by UserName, and makes the new hire of it."""
    world.disable("taro")
    sync()
    assert not granted(world)
    world.change_person("taro", external_id="entra-new-hire", status="ENABLED")
    sync()
    assert TARO not in granted(world)
    assert state_of_record(known_taro) == [("blocked", "may_be_namesake")]


def test_other_external_id_under_the_same_id_gets_nothing_new(world: World, known_taro: str) -> None:
    world.change_person("taro", external_id="entra-new-hire")
    world.register("blog", "Reader", "taro")
    outcome = sync()
    assert granted(world) == {TARO}  # nobody has said that it is to end
    assert "may_be_namesake" in outcome.codes


def test_external_id_added_to_somebody_known_changes_nothing(world: World) -> None:
    reference = reader_of_shop(world, "taro")
    change_externals(world, taro="entra-taro")
    assert sync().counts == counts_of()
    assert state_of_record(reference) == [("granted", "")]
    assert PrincipalLink.objects.get(key="taro").external_id == "entra-taro"


def test_external_id_taken_away_and_another_given_is_asked_about(world: World, known_taro: str) -> None:
    world.change_person("taro", external_id=None)
    sync()
    world.change_person("taro", external_id="entra-new-hire")
    assert "may_be_namesake" in sync().codes


# --- Groups ---------------------------------------------------------------------------------------------------------


def test_group_made_anew_under_its_name_has_access(world: World) -> None:
    reader_of_shop(world, groups="developers")
    world.remove_group("developers")
    world.add_group("developers")
    sync()
    assert ("shop", "Reader", "developers") in granted(world)


def test_group_that_returns_after_thirty_days_is_asked_about(world: World) -> None:
    reference = reader_of_shop(world, groups="developers")
    world.remove_group("developers")
    sync()
    with later(days=31):
        world.add_group("developers")
        sync()
        assert state_of_record(reference) == [("blocked", "may_be_namesake")]


def test_other_group_that_takes_the_name_of_one_that_went_gets_nothing(world: World) -> None:
    world.add_group("operators")
    reader_of_shop(world, groups="developers")
    world.remove_group("developers")
    world.aws.rename_group(world.principal_ids["operators"], "developers")
    sync()
    assert not granted(world)


def test_following_many_names_takes_no_more_statements(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    names = [f"person{number}" for number in range(8)]
    for name in names:
        world.kintone.add_user(name, name, email=f"{name}@{DOMAIN}")
        world.provision(name, external_id=f"entra-{name}")
    reader_of_shop(world, *names)
    for name in names:
        world.remove_person(name)
        world.provision(name, external_id="another")
    sync()
    assert PrincipalLink.objects.filter(namesake__isnull=False).count() == len(names)
    with django_assert_max_num_queries(6):
        follow_links(timezone.now())


def test_renamed_group_goes_on_and_offers_to_update_the_record(world: World) -> None:
    reader_of_shop(world, groups="developers")
    world.aws.rename_group(world.principal_ids["developers"], "engineers")
    outcome = sync()
    assert outcome.counts == counts_of()
    assert ("shop", "Reader", "developers") in granted(world)
    renamed = problem(outcome, "group_renamed")
    assert ("developers" in renamed["message"], "engineers" in renamed["remedy"]) == (True, True)


def test_group_that_takes_over_a_name_is_not_meant(world: World) -> None:
    reader_of_shop(world, groups="developers")
    world.aws.rename_group(world.principal_ids["developers"], "engineers")
    world.principal_ids["engineers"] = world.principal_ids.pop("developers")
    world.add_group("developers")
    sync()
    assert granted(world) == {("shop", "Reader", "engineers")}


def test_renamed_person_goes_on(world: World) -> None:
    reader_of_shop(world, "taro")
    world.change_person("taro", user_name=f"t.suzuki@{DOMAIN}")
    outcome = sync()
    assert granted(world) == {TARO}
    assert problem(outcome, "person_renamed")["severity"] == "warning"


# --- Leaving --------------------------------------------------------------------------------------------------------


def test_disabled_person_loses_access_and_record_says_so(world: World, known_taro: str) -> None:
    world.disable("taro")
    outcome = sync()
    assert not granted(world)
    assert state_of_record(known_taro) == [("waiting", "principal_disabled")]
    assert problem(outcome, "person_left")["record"] == known_taro


def test_access_under_a_dead_id_goes(world: World, known_taro: str) -> None:
    world.remove_person("taro")
    outcome = sync()
    assert not granted(world)
    assert state_of_record(known_taro) == [("waiting", "principal_gone")]
    assert "person_left" in outcome.codes


def test_group_that_is_gone_loses_access(world: World) -> None:
    world.add_group("operators")
    reference = reader_of_shop(world, groups="operators")
    world.remove_group("operators")
    outcome = sync()
    assert not granted(world)
    assert state_of_record(reference) == [("waiting", "principal_gone")]
    assert problem(outcome, "group_left")["field"] == "groups"


def test_orphan_of_nobody_known_goes(world: World) -> None:
    world.register_set("Reader")
    sync()
    world.provision("rin")
    world.assign("shop", "Reader", "rin")
    world.remove_person("rin")
    sync()
    assert not granted(world)


def test_leaver_goes_before_all_others(world: World) -> None:
    reference = reader_of_shop(world, "hana", "taro")
    world.edit(reference, users=["taro", "ken"])
    world.disable("taro")
    assert sync().changes[0] == ("delete", f"Reader taro@{DOMAIN}", "succeeded")


def test_unmanaged_access_of_a_leaver_is_left_alone(world: World) -> None:
    sync()
    world.disable("taro")
    sync()
    assert world.granted() == FOREIGN


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServerException", "ThrottlingException"])
@pytest.mark.parametrize("event", ["disable", "remove_person"])
def test_nothing_happens_to_a_leaver_who_is_not_confirmed(world: World, known_taro: str, event: str, code: str) -> None:
    getattr(world, event)("taro")
    status = 500 if code.startswith("Internal") else 400
    world.aws.faults.add(Fault("identitystore:DescribeUser", code, status=status))
    outcome = sync()
    assert len(granted(world)) == 1
    assert [item["operation"] for item in outcome.report["unresolved"]] == ["identitystore:DescribeUser"]
    world.aws.faults.clear()
    sync()
    assert not granted(world)


def test_listing_that_lacks_somebody_makes_no_leaver(
    world: World, known_taro: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = IdentityCenter.list_users
    monkeypatch.setattr(IdentityCenter, "list_users", lambda self: whole(self)[:1])
    outcome = sync()
    assert granted(world) == {TARO}
    assert outcome.counts == counts_of()
    assert not Principal.objects.filter(gone_at__isnull=False).exists()


def test_disabled_in_the_listing_only_is_no_leaver(
    world: World, known_taro: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = IdentityCenter.list_users
    monkeypatch.setattr(
        IdentityCenter, "list_users", lambda self: tuple(replace(user, is_enabled=False) for user in whole(self))
    )
    sync()
    assert granted(world) == {TARO}


def test_leaver_of_a_record_that_broke_goes(world: World, known_taro: str) -> None:
    world.edit(known_taro, account_id="12")
    world.disable("taro")
    sync()
    assert not granted(world)


def test_confirmed_namesake_has_access_by_the_next_look(world: World, known_taro: str) -> None:
    world.remove_person("taro")
    world.provision("taro", external_id="entra-somebody-else")
    sync()
    link = PrincipalLink.objects.get(key="taro")
    admin = make_client(make_user(is_staff=True))
    admin.post(f"/namesakes/{link.pk}/confirm/", {"candidate": link.namesake_id})
    runs.run_changes(runs.Stopping())
    assert granted(world) == {TARO}
    assert state_of_record(known_taro) == [("granted", "")]
    assert sync().counts == counts_of()


def problem(outcome: Outcome, code: str) -> dict[str, str]:
    return next(problem for problem in outcome.report["problems"] if problem["code"] == code)
