"""Claiming an account that nobody owns: what a run has judged is looked at once more before it counts."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AccountMove, AuditEvent, OrganizationalUnit, OwnerEntry, Principal
from syncer.cases import Ruling
from syncer.claims import store_claims
from syncer.models import Notice
from syncer.states import AssignmentWish
from tests import factories

pytestmark = pytest.mark.django_db
READ = {"tags_read_at": timezone.now()}


@pytest.fixture
def account(settings: Settings) -> Account:
    settings.CLAIMABLE_STAGES, settings.PROTECTED_OUS = ["sandbox"], ()
    found = factories.make_account("play", ou="sandbox", stage="sandbox", **READ)
    OrganizationalUnit.objects.update(**READ)
    return found


def claim(account: Account, principal: Principal) -> None:
    wish = AssignmentWish(account.account_id, "Admin", users=("x",))
    store_claims({"24:1": Ruling(wish, claims=principal.principal_id or "")})


def test_first_claim_makes_the_owner(account: Account) -> None:
    first, second = factories.make_principal("a"), factories.make_principal("b")
    for principal in (first, second, first):
        claim(account, principal)
    entry = OwnerEntry.objects.get()
    assert (entry.principal, entry.how) == (first, OwnerEntry.How.CLAIM)
    event = AuditEvent.objects.get()
    assert (event.about_account, event.about_principal) == (account.account_id, first.principal_id)
    assert Notice.objects.get().code == "account_claimed"


def _name_owner_of_unit(account: Account) -> None:
    OwnerEntry.objects.create(ou=account.ou, principal=factories.make_principal("team"))


def _name_owner_who_left(account: Account) -> None:
    gone = factories.make_principal("gone", gone_at=timezone.now())
    OwnerEntry.objects.create(ou=account.ou, principal=gone)


def _tag_unit(account: Account) -> None:
    OrganizationalUnit.objects.update(owners_tag="somebody@example.com")


def _move(account: Account) -> None:
    AccountMove.objects.create(account=account, old_path="service/payments", new_path="sandbox", old_stage="production")


def _forget_tags(account: Account) -> None:
    Account.objects.update(tags_read_at=None)


def _become_production(account: Account) -> None:
    Account.objects.update(stage="production")


def _become_management(account: Account) -> None:
    Account.objects.update(is_management=True)


@pytest.mark.parametrize(
    "happen",
    [_name_owner_of_unit, _name_owner_who_left, _tag_unit, _move, _forget_tags, _become_production, _become_management],
)
def test_what_came_since_the_judgement_stops_the_claim(happen: Callable[[Account], None], account: Account) -> None:
    happen(account)
    claim(account, factories.make_principal("hostile"))
    assert not OwnerEntry.objects.filter(account=account).exists()
    assert not AuditEvent.objects.exists()


def test_protected_unit_is_never_claimed(account: Account, settings: Settings) -> None:
    settings.PROTECTED_OUS = (account.ou.ou_id,) if account.ou else ()
    claim(account, factories.make_principal("hostile"))
    assert not OwnerEntry.objects.exists()


def test_confirmed_move_lets_claim_again(account: Account) -> None:
    _move(account)
    AccountMove.objects.update(confirmed_at=timezone.now())
    claim(account, factories.make_principal("a"))
    assert OwnerEntry.objects.filter(account=account).exists()
