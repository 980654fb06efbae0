"""The button that adopts: what an admin is shown, what he confirms, and what the page says of it afterwards."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, PermissionSet
from syncer.models import Adoption
from tests import factories
from tests.portal.pages import get_html, make_client

pytestmark = pytest.mark.django_db
PLACE = {
    "account_id": "123456789012", "account": "shop", "principal_type": "USER",
    "principal_id": "u-1", "principal": "taro",
}  # fmt: skip


def describe(**values: Any) -> dict[str, Any]:
    """What a comparison found of one set."""
    found = {
        "permission_set": "Legacy", "verdict": "only_aws", "outcome": "shown", "checksum": "0123456789ab",
        "assignments": 1, "lacks_record": True, "record": None, "differences": [], "stale": [], "reprovisioned": [],
        "more": [], "unregistered": [PLACE], "left_out": [], "reasons": [], "records": [],
    }  # fmt: skip
    return {"status": "done", "error": {}, "unresolved": [], "sets": [{**found, **values}]}


@pytest.fixture
def foreign() -> PermissionSet:
    return factories.make_permission_set("Legacy", ownership="not_ours", state="unmanaged")


@pytest.fixture
def client() -> Client:
    return make_client(factories.make_user("管理", is_staff=True))


def compared(permission_set: PermissionSet, **values: Any) -> Adoption:
    return Adoption.objects.create(permission_set=permission_set, status="done", result=describe(**values))


def url_of(permission_set: PermissionSet) -> str:
    return f"/permission-sets/{permission_set.pk}/adopt/"


def test_only_admins_may(foreign: PermissionSet) -> None:
    member = make_client(factories.make_user("太郎"))
    assert member.get(url_of(foreign)).status_code == 403
    assert member.post(url_of(foreign), {"act": "compare"}).status_code == 403
    assert "/adopt/" not in get_html(member, f"/permission-sets/{foreign.pk}/")


@pytest.mark.parametrize("ownership", ["ours", "terraform"])
def test_nothing_is_offered_for_other_sets(client: Client, ownership: str) -> None:
    permission_set = factories.make_permission_set("Root", ownership=ownership)
    assert "/adopt/" not in get_html(client, f"/permission-sets/{permission_set.pk}/")
    assert client.get(url_of(permission_set)).status_code == 302
    client.post(url_of(permission_set), {"act": "compare"})
    assert not Adoption.objects.exists()


def test_comparison_is_asked_for_once(client: Client, foreign: PermissionSet) -> None:
    assert url_of(foreign) in get_html(client, f"/permission-sets/{foreign.pk}/")
    for _press in range(2):
        client.post(url_of(foreign), {"act": "compare"})
    row = Adoption.objects.get()
    assert (row.status, row.applies) == ("queued", False)
    assert 'hx-trigger="every 2s"' in get_html(client, url_of(foreign))
    assert AuditEvent.objects.filter(action="permission_set.compare").count() == 1


def test_only_what_was_shown_can_be_confirmed(client: Client, foreign: PermissionSet) -> None:
    compared(foreign)
    html = get_html(client, url_of(foreign))
    assert 'value="0123456789ab"' in html
    assert "taro" in html
    client.post(url_of(foreign), {"act": "adopt", "checksum": "ffffffffffff"})
    client.post(url_of(foreign), {"act": "adopt"})
    assert Adoption.objects.count() == 1
    client.post(url_of(foreign), {"act": "adopt", "checksum": "0123456789ab"})
    assert Adoption.objects.filter(applies=True, confirmed="0123456789ab").count() == 1


def test_what_stands_in_the_way_leaves_no_button(client: Client, foreign: PermissionSet) -> None:
    reason = {"code": "adopt_orphan", "params": {"name": "u-1"}}
    compared(foreign, verdict="cannot", reasons=[{"about": PLACE, "reason": reason}])
    html = get_html(client, url_of(foreign))
    assert 'value="adopt"' not in html
    assert "u-1" in html
    assert 'value="compare"' in html


@pytest.mark.parametrize(
    ("found", "takes"),
    [
        ({"differences": [{"field": "description", "before": "a", "after": "b"}]}, {"aws", "kintone"}),
        ({"more": [PLACE]}, {"kintone"}),
    ],
)
def test_differences_ask_whose_word_counts(
    client: Client, foreign: PermissionSet, found: dict[str, Any], takes: set[str]
) -> None:
    compared(foreign, verdict="different", **found)
    html = get_html(client, url_of(foreign))
    assert {take for take in ("aws", "kintone") if f'name="take" value="{take}"' in html} == takes
