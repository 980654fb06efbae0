"""How a record names somebody who is not in Identity Center yet."""

from typing import Any

import pytest
from pytest_django import Settings

from syncer.giving.names import Name, name_person, read_pasted
from tests import factories

pytestmark = pytest.mark.django_db
UPN, MAIL = "mei.sato@example.com", "mei@example.com"


@pytest.mark.parametrize("typed", [UPN, MAIL])
def test_newcomer_who_has_signed_in_is_named_as_he_signs_in(typed: str) -> None:
    """Under that name Entra ID will bring him; a mail is not always it."""
    newcomer = factories.make_person("芽衣", email=MAIL, kintone_code="", principal=None)
    factories.make_user(person=newcomer, upn=UPN)
    (answer,) = read_pasted(typed, {"users", "more_users"})
    assert answer.name == Name("more_users", UPN)
    assert name_person(newcomer, {"users"}) is None


@pytest.mark.parametrize("values", [{}, {"upn": UPN, "is_guest": True}, {"preferred_username": UPN, "is_guest": True}])
def test_nobody_is_named_by_mail_and_no_guest_at_all(values: dict[str, Any]) -> None:
    """A mail is anybody's; what a guest signs in with is the name of somebody else's directory."""
    person = factories.make_person("芽衣", email=MAIL, kintone_code="", principal=None)
    if values:
        factories.make_user(person=person, **{"upn": "", "preferred_username": "", **values})
    assert name_person(person, {"users", "more_users"}) is None
    (answer,) = read_pasted(MAIL, {"users", "more_users"})
    assert (answer.name, answer.reason and answer.reason.code) == (None, "give_name_not_there")


@pytest.mark.parametrize(("matches", "name"), [(True, Name("more_users", UPN)), (False, None)])
def test_what_somebody_types_at_sign_in_counts_as_far_as_it_does_there(
    settings: Settings, matches: bool, name: Name | None
) -> None:
    settings.IDENTITY_MATCH_UPN = matches
    person = factories.make_person("芽衣", email=MAIL, kintone_code="", principal=None)
    factories.make_user(person=person, upn="", preferred_username=UPN)
    assert name_person(person, {"more_users"}) == name
