"""Which person a sign-in belongs to: found by object id, else by UPN, and never taken from somebody else."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Person, Principal, User
from accounts.people import link_sign_in
from tests.factories import make_group, make_person, make_principal, make_user

pytestmark = pytest.mark.django_db


def sign_in(**values: Any) -> User:
    """A first sign-in, not linked to anybody yet, after it has been linked."""
    user = make_user("花子", **values)
    newcomer, user.person = user.person, None
    user.save()
    assert newcomer is not None
    newcomer.delete()
    link_sign_in(user)
    user.refresh_from_db()
    return user


def person_of(user: User) -> Person:
    assert user.person is not None
    return user.person


def test_sign_in_is_linked_by_object_id() -> None:
    hana = make_person("花子", principal=make_principal("renamed@example.com", external_id="OID-HANA"))
    assert sign_in(entra_oid="oid-hana", upn="hana@example.com").person == hana


def test_sign_in_is_linked_by_upn() -> None:
    hana = make_person("花子", principal=make_principal("Hana@Example.com"))
    assert sign_in(upn="hana@example.com").person == hana


def test_object_id_goes_before_upn() -> None:
    by_id = make_person(principal=make_principal("old@example.com", external_id="oid-hana"))
    make_person(principal=make_principal("hana@example.com"))
    assert sign_in(entra_oid="oid-hana", upn="hana@example.com").person == by_id


def test_principal_without_a_person_gets_one() -> None:
    principal = make_principal("hana@example.com")
    person = person_of(sign_in(upn="hana@example.com"))
    assert (person.principal, person.name) == (principal, "花子")


def test_stranger_becomes_a_person_of_his_own() -> None:
    person = person_of(sign_in(upn="nobody@example.com", email="nobody@example.com"))
    assert (person.principal, person.name, person.email) == (None, "花子", "nobody@example.com")


def test_mail_is_never_matched() -> None:
    make_person(principal=make_principal("someone@example.com", email="hana@example.com"))
    assert person_of(sign_in(upn="x@example.com", email="hana@example.com")).principal is None
    make_person(principal=make_principal("hana@example.com"))
    assert person_of(sign_in(upn="y@example.com", email="hana@example.com")).principal is None


def test_guest_is_not_linked_by_upn() -> None:
    make_person(principal=make_principal("hana@example.com"))
    assert person_of(sign_in(upn="hana@example.com", is_guest=True)).principal is None


def test_guest_is_linked_by_object_id() -> None:
    guest = make_person(principal=make_principal("guest@example.com", external_id="oid-guest"))
    assert sign_in(entra_oid="oid-guest", is_guest=True).person == guest


def test_upn_is_matched_only_if_the_settings_say_so(settings: Settings) -> None:
    settings.IDENTITY_MATCH_UPN = False
    make_person(principal=make_principal("hana@example.com"))
    assert person_of(sign_in(upn="hana@example.com")).principal is None


def test_group_of_the_same_name_is_not_taken() -> None:
    make_group("hana@example.com")
    assert person_of(sign_in(upn="hana@example.com")).principal is None


@pytest.mark.parametrize("external_id", ["oid-hana", "another"])
def test_principal_that_is_gone_is_not_taken(external_id: str) -> None:
    make_principal("hana@example.com", external_id=external_id, gone_at=timezone.now())
    assert person_of(sign_in(entra_oid="oid-hana", upn="hana@example.com")).principal is None


def test_name_that_nobody_has_yet_is_not_taken() -> None:
    """A stand-in is what a record wishes for; Identity Center does not know it."""
    make_principal("hana@example.com", principal_id=None)
    assert person_of(sign_in(upn="hana@example.com")).principal is None


@pytest.mark.parametrize("values", [{"external_id": "oid-hana"}, {"name_key": "hana@example.com"}])
def test_two_matches_are_none(values: dict[str, str]) -> None:
    for name in ("one", "two"):
        make_person(principal=make_principal(name, **values))
    assert person_of(sign_in(entra_oid="oid-hana", upn="hana@example.com")).principal is None


def test_two_object_ids_are_not_settled_by_upn() -> None:
    for name in ("hana@example.com", "other@example.com"):
        make_principal(name, external_id="oid-hana")
    assert person_of(sign_in(entra_oid="oid-hana", upn="hana@example.com")).principal is None


def test_sign_in_without_object_id_matches_no_principal_without_one() -> None:
    make_principal("other@example.com", external_id="")
    assert person_of(sign_in(entra_oid="", upn="hana@example.com")).principal is None


def test_upn_given_to_somebody_else_does_not_take_over_his_person() -> None:
    owner = make_user("花子", person=make_person(principal=make_principal("hana@example.com")))
    newcomer = sign_in(upn="hana@example.com")
    owner.refresh_from_db()
    assert person_of(newcomer) != owner.person
    assert (person_of(newcomer).principal, person_of(owner).principal) == (
        None,
        Principal.objects.get(name="hana@example.com"),
    )


def test_person_is_upgraded_once_identity_center_knows_him() -> None:
    user = sign_in(upn="hana@example.com")
    principal = make_principal("hana@example.com")
    link_sign_in(user)
    user.refresh_from_db()
    assert person_of(user).principal == principal


def test_linked_sign_in_stays_with_its_person() -> None:
    user = sign_in(upn="hana@example.com", entra_oid="oid-hana")
    user.person = make_person("花子")
    user.save()
    make_principal("hana@example.com", external_id="oid-hana")
    link_sign_in(user)
    assert person_of(User.objects.get(pk=user.pk)).name == "花子"


def test_linking_twice_makes_one_person() -> None:
    user = sign_in(upn="hana@example.com")
    count = Person.objects.count()
    link_sign_in(user)
    assert Person.objects.count() == count


# --- A person whose principal is gone ---------------------------------------------------------------------------------


def gone_and_back(was: str, comes: str, *, is_live: bool = True, **values: str) -> tuple[Person, Principal]:
    """Hana is linked to a principal that is gone; another of her name is there. These are their external ids."""
    person = make_person(principal=make_principal("hana@example.com", external_id=was, gone_at=timezone.now()))
    new = make_principal("hana@example.com", external_id=comes)
    user = make_user(person=person, entra_oid="oid-hana", upn="hana@example.com", **values)
    link_sign_in(user, is_live=is_live)
    user.refresh_from_db()
    return person_of(user), new


@pytest.mark.parametrize(
    ("was", "comes", "is_live", "follows"),
    [
        ("oid-hana", "oid-hana", True, True),
        ("oid-hana", "oid-hana", False, True),
        ("nick", "oid-hana", False, True),
        ("nick", "nick", True, True),
        ("", "", True, True),
        ("", "", False, False),  # the address may be another's since
        ("oid-hana", "oid-other", True, False),
        ("oid-hana", "", True, False),
        ("", "nick", True, False),
    ],
)
def test_sign_in_follows_only_the_same_person(was: str, comes: str, is_live: bool, follows: bool) -> None:
    person, new = gone_and_back(was, comes, is_live=is_live)
    assert (person.principal == new) is follows


def test_address_that_somebody_signed_in_with_once_links_nobody_later() -> None:
    user = make_user(upn="hana@example.com")
    User.objects.filter(pk=user.pk).update(person=None)
    user.refresh_from_db()
    new_hire = make_principal("hana@example.com")
    link_sign_in(user, is_live=False)
    assert person_of(user).principal != new_hire
