"""Which accounts lack a customer managed policy, from AWS's own words about each of them."""

import pytest

from accounts.models import Account, PermissionSet
from portal.views.lacking import find_lacks
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db
OWN = "/team/LogReader"
FIELD = {"type": "MULTI_LINE_TEXT", "code": "customer_managed_policies", "label": "customer_managed_policies"}


def lacking() -> list[tuple[str, str]]:
    lacks = find_lacks(PermissionSet.objects.get(name="Reader"), list(Account.objects.order_by("name")), [OWN])
    return [(lack.account.name, lack.policy) for lack in lacks]


def test_each_account_that_lacks_a_policy_is_known_until_it_has_it(world: World) -> None:
    world.change_form(world.sets, lambda form: form.update(customer_managed_policies=FIELD))
    reader = world.register_set()
    for account in ("shop", "blog"):
        world.register(account, "Reader", "hana")
    sync()
    world.edit(reader, customer_managed_policies=OWN)
    sync()
    assert lacking() == [("blog", OWN), ("shop", OWN)]
    world.aws.add_customer_policy(world.account_ids["shop"], "/team/", "LogReader")
    world.edit(reader, description="again")
    sync()
    assert lacking() == [("blog", OWN)]
