"""Access as it is given in the portal, from the form through kintone into AWS and back onto the page."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Draft, Person, Record, User
from simulators.kintone import Fault
from syncer.tasks import write_drafts
from tests.factories import make_person, make_user
from tests.portal.giving import NEW, read_form
from tests.portal.pages import get_html, get_text, make_client
from tests.syncer.running import sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """One run has been; hana owns shop and blog by their tags."""
    for account in ("shop", "blog"):
        world.aws.set_tags(world.account_ids[account], {"owners": f"hana@{DOMAIN}"})
    world.register_set("Reader")
    world.register("shop", "Reader", "taro")
    sync()
    return world


@pytest.fixture
def hana(company: World) -> User:
    return make_user("花", person=Person.objects.get(principal__name=f"hana@{DOMAIN}"))


def submit(client: Client, company: World, **values: Any) -> str:
    wish = {
        "do": "save", "token": "once", "account": [company.account_ids["shop"], company.account_ids["blog"]],
        "permission_set": "Reader", "add-people": f"ken@{DOMAIN}\nyuki\ndevelopers", **values,
    }  # fmt: skip
    make_person("雪", kintone_code="yuki", principal=None)
    response = client.post(NEW, wish)
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def test_access_is_given_though_kintone_was_down_at_first(company: World, hana: User) -> None:
    client = make_client(hana)
    page = submit(client, company)
    company.kintone.faults.add(Fault(status=503, text="maintenance", times=99))
    write_drafts()
    text = get_text(client, page)
    assert "It is kept here and sent by itself" in text
    assert "Send now" in text
    assert "0 of 6 granted" in text
    company.kintone.faults.clear()
    assert client.post(f"{page}send/")["Location"] == page
    write_drafts()
    text = get_text(client, page)
    assert "4 of 6 granted" in text
    assert text.count("Nothing to do: access is given as soon as Entra ID has brought the name") == 2
    assert "hx-get" not in get_html(client, page)
    new = {(account, "Reader", who) for account in ("shop", "blog") for who in ("ken", "developers")}
    assert company.granted() == new | FOREIGN | {("shop", "Reader", "taro")}
    assert Draft.objects.filter(state="written").count() == 2


def test_two_people_change_one_record_and_both_are_heard(company: World, hana: User) -> None:
    """Hana's form was opened before an admin added Ken: both additions arrive; the same field waits for a choice."""
    record, admin = Record.objects.get(kind="assignment"), make_user("管理", is_staff=True)
    edit = f"/assignments/{record.pk}/edit/"
    client, other = make_client(hana), make_client(admin)
    opened = read_form(get_html(client, edit)), read_form(get_html(other, edit))
    pages = [
        each.post(edit, {**form, "do": "save", "add-people": who, "expires_on": day})["Location"]
        for each, form, who, day in (
            (other, opened[1], f"ken@{DOMAIN}", "2099-01-31"), (client, opened[0], "developers", "2099-03-31")
        )
    ]  # fmt: skip
    write_drafts()
    write_drafts()
    assert company.granted() >= {("shop", "Reader", who) for who in ("taro", "ken")}
    text = get_text(client, pages[1])
    assert "Choose" in text
    draft = Draft.objects.get(state="conflict")
    assert [item["field"] for item in draft.conflict["fields"]] == ["expires_on"]
    choices = {"revision": draft.conflict["revision"], "take-expires_on": "mine"}
    assert client.post(f"/drafts/{draft.pk}/resolve/", choices).status_code == 302
    write_drafts()
    assert company.granted() == FOREIGN | {("shop", "Reader", who) for who in ("taro", "ken", "developers")}
    assert "3 of 3 granted" in get_text(client, pages[1])
