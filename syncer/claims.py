"""Who registers access to an account that nobody owns, in a stage where that may be, owns it from then on."""

from collections.abc import Mapping

from django.db import transaction

from accounts.audit import record_event
from accounts.audit_about import About
from accounts.models import Account, OwnerEntry, Principal, User
from accounts.owner_register import load_register
from syncer.cases import Ruling
from syncer.states import AssignmentWish, Reason
from syncer.telling import notices
from syncer.telling.matters import Kind, Matter


def store_claims(rulings: Mapping[str, Ruling]) -> None:
    """Make owners of those who claimed by these rulings (by APP:ID). Doing so twice changes nothing."""
    for reference, ruling in rulings.items():
        if ruling.claims and isinstance(ruling.wish, AssignmentWish):
            _store_claim(reference, ruling.claims, ruling.wish.account_id)


@transaction.atomic
def _store_claim(reference: str, principal_id: str, account_id: str) -> None:
    """An entry, an event, and a word to the operators.

    The run has judged some time ago: an owner who was named meanwhile, on the account or on a unit above, stays the
    only one, and so does a protection or a move that came since.
    """
    account = Account.objects.select_for_update().get(account_id=account_id)
    principal = Principal.objects.get(principal_id=principal_id)
    if not load_register([account_id]).is_claimable(account_id):
        return
    user = User.objects.filter(person__principal=principal).first()
    OwnerEntry.objects.create(account=account, principal=principal, how=OwnerEntry.How.CLAIM, created_by=user)
    params = {"account": account.name, "name": str(principal), "record": reference}
    record_event(
        "account.claim", actor=user, obj=("account", account_id, account.name), after=params,
        about=About(principal=principal_id),
    )  # fmt: skip
    path = f"/accounts/{account_id}/"
    key = f"account_claimed:{account_id}:{principal_id}"
    notices.tell_event(Matter(Kind.PEOPLE, key, Reason("account_claimed", params), path))
