"""Each effect of a guardrail through whole runs: from what somebody registers to what AWS has."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Assignment, Guardrail, Problem
from accounts.ownership import Register
from accounts.rulebook import build_rule
from accounts.what_if import Outcome, foresee
from tests.syncer.running import sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db
SETS = ("Roles", "Days", "Owners", "Groups")


@pytest.fixture
def company(world: World) -> World:
    """hana and taro own shop. Each set has a rule of its own."""
    world.aws.set_tags(world.account_ids["shop"], {"owners": f"hana@{DOMAIN} taro@{DOMAIN}"})
    for name in SETS:
        world.register_set(name)
    effects: dict[str, dict[str, Any]] = {
        "Roles": {"effect": "roles_only", "roles": f"taro@{DOMAIN}"},
        "Days": {"effect": "expires_within", "days": 7},
        "Owners": {"effect": "owners_only"},
        "Groups": {"effect": "groups_only"},
    }
    for name, values in effects.items():
        Guardrail.objects.create(name=name, sentence="なぜなら", permission_set_name=name, **values)
    sync()
    return world


def register(world: World, name: str, *users: str, by: str = "hana", **values: object) -> None:
    wish = {"account_id": world.account_ids["shop"], "permission_set": name, "users": list(users), **values}
    world.assignments.add_record(wish, by=by)


def granted(world: World) -> set[tuple[str, str]]:
    return {(name, who) for _account, name, who in world.granted() - FOREIGN}


def test_each_effect_lets_in_what_it_allows_and_nothing_else(company: World) -> None:
    week, later = (timezone.localdate() + timedelta(days=days) for days in (7, 8))
    register(company, "Roles", "ken", by="taro")
    register(company, "Roles", "hana", by="hana")
    register(company, "Days", "ken", expires_on=str(week))
    register(company, "Days", "hana", expires_on=str(later))
    register(company, "Owners", "taro", "ken")
    register(company, "Groups", "ken", groups="developers")
    sync()
    assert granted(company) == {("Roles", "ken"), ("Days", "ken"), ("Owners", "taro"), ("Groups", "developers")}
    refused = Assignment.objects.filter(state="blocked").values_list("permission_set__name", "reason__code")
    assert set(refused) == {
        ("Roles", "guardrail_roles_only"), ("Days", "guardrail_expires_within"), ("Owners", "guardrail_owners_only"),
        ("Groups", "guardrail_groups_only"),
    }  # fmt: skip
    assert Problem.objects.filter(code="guardrail_refuses").count() == 4


def test_what_is_foreseen_is_what_the_next_run_does(company: World) -> None:
    company.register_set("Plain")
    register(company, "Plain", "taro", groups="developers")
    register(company, "Plain", "ken", expires_on=str(timezone.localdate() + timedelta(days=3)))
    sync()
    yesterday = timezone.localdate() - timedelta(days=1)
    values: dict[str, Any] = {"permission_set_name": "Plain", "effect": "expires_within", "days": 7}
    row = Guardrail(name="new", sentence="なぜなら", existing="end", ends_on=yesterday, **values)
    foreseen = foresee(build_rule(row, Register({})), assignments=Assignment.objects.shown())
    ended = Assignment.objects.filter(pk__in=foreseen.touched).values_list("principal__display_name", flat=True)
    assert (set(ended), set(foreseen.touched.values())) == ({"taro", "developers"}, {Outcome.ENDED})
    row.save()
    sync()
    assert granted(company) == {("Plain", "ken")}
