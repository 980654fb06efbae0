"""People whom only the mail in their kintone profile finds: given access by it, and never taken for who wrote."""

import pytest
from pytest_django import Settings

from accounts.models import Person, PrincipalLink
from simulators.kintone import Fault
from tests.syncer.running import plan, state_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db
TARO = ("shop", "Reader", "taro")


@pytest.fixture
def company(world: World, settings: Settings) -> World:
    """Taro's code is his staff number; hana owns shop by tag."""
    settings.IDENTITY_MATCH_EMAIL = True
    settings.KINTONE_USERS_API_TOKEN = world.kintone.add_users_token()
    world.kintone.add_user("E1024", "太郎", email=f"Taro@{DOMAIN}")
    world.aws.set_tags(world.account_ids["shop"], {"owners": f"hana@{DOMAIN}"})
    world.register_set("Reader")
    return world


def test_mail_in_the_profile_finds_whom_no_name_finds(company: World) -> None:
    company.register("shop", "Reader", "E1024")
    assert sync().code == 0
    assert company.granted() == FOREIGN | {TARO}
    link = PrincipalLink.objects.get(key="e1024")
    assert (link.how, link.principal.name) == ("kintone_mail", f"taro@{DOMAIN}")
    assert not Person.objects.filter(kintone_code="E1024").exists()


def test_kept_match_outlives_the_mail(company: World, settings: Settings) -> None:
    company.register("shop", "Reader", "E1024")
    sync()
    settings.KINTONE_USERS_API_TOKEN = ""
    company.kintone.add_user("E1024", "太郎", email=f"ken@{DOMAIN}")
    sync()
    assert company.granted() == FOREIGN | {TARO}


@pytest.mark.parametrize("lacks", ["setting", "token", "answer", "valid"])
def test_without_it_they_wait(company: World, settings: Settings, lacks: str) -> None:
    company.register("shop", "Reader", "E1024")
    if lacks == "setting":
        settings.IDENTITY_MATCH_EMAIL = False
    elif lacks == "token":
        settings.KINTONE_USERS_API_TOKEN = ""
    elif lacks == "answer":
        company.kintone.faults.add(Fault(path="/v1/users.json", status=403))
    else:
        company.kintone.add_user("E1024", "太郎", email=f"taro@{DOMAIN}", valid=False)
    assert sync().code == 0
    assert company.granted() == FOREIGN
    assert plan().counts["waiting"] == 1


@pytest.mark.parametrize("is_kept", [False, True])
def test_owners_mail_in_a_profile_makes_nobody_an_owner(company: World, is_kept: bool) -> None:
    """Whoever may edit his own profile could else write as anybody."""
    company.kintone.add_user("mallory-1", "誰か", email=f"hana@{DOMAIN}")
    if is_kept:
        company.register("shop", "Reader", "mallory-1")
    sync()
    wish = {"account_id": company.account_ids["shop"], "permission_set": "Reader", "users": ["ken"]}
    company.assignments.add_record(wish, by="mallory-1")
    sync()
    assert ("shop", "Reader", "ken") not in company.granted()
    assert state_of("shop", "Reader", "ken") == "blocked"
