"""How a record names somebody who is not in Identity Center yet."""

import pytest

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


def test_newcomer_whom_only_an_admin_knows_is_named_by_mail() -> None:
    person = factories.make_person("芽衣", email=MAIL, kintone_code="", principal=None)
    assert name_person(person, {"users", "more_users"}) == Name("more_users", MAIL)
