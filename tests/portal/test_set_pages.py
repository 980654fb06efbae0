"""Rename, delete and history of a permission set: what the pages list, and who may press."""

import re
from typing import Any

import pytest

from accounts.models import AppKind, Draft, PermissionSet, User
from syncer.mirror.records import wish_as_json
from syncer.models import AppState, Farewell, SetVersion
from syncer.states import SetWish
from tests import factories
from tests.portal.pages import get_html, make_client, read_form

pytestmark = pytest.mark.django_db
FIELDS = ("name", "description", "session_duration", "managed_policies", "inline_policy", "owners")


@pytest.fixture
def deploy() -> PermissionSet:
    """In use by one record, which gives two people access; it had an older description."""
    for kind, app_id in ((AppKind.PERMISSION_SET, "23"), (AppKind.ASSIGNMENT, "24")):
        AppState.objects.create(kind=kind, app_id=app_id, fields={name: name for name in FIELDS})
    old, new = (wish_as_json(SetWish("Deploy", description=text)) for text in ("old words", "new words"))
    body: dict[str, Any] = {"name": {"value": "Deploy"}, "description": {"value": "new words"}}
    record = factories.make_record(AppKind.PERMISSION_SET, in_force=new, body=body, title="Deploy", is_settled=True)
    for values, revision in ((old, 1), (new, 2)):
        SetVersion.objects.create(
            name="Deploy", reference=record.reference, revision=revision, values=values, writer_name="花"
        )
    permission_set = factories.make_permission_set("Deploy", record=record)
    account = factories.make_account("shop")
    wish = factories.make_record(
        in_force={"account_id": account.account_id, "permission_set": "Deploy"}, title=account.account_id
    )
    for _number in range(2):
        factories.make_assignment(account=account, permission_set=permission_set, record=wish)
    return permission_set


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花", is_staff=True)


def find_checksum(html: str) -> str:
    found = re.search(r'name="checksum" value="([0-9a-f]+)"', html)
    assert found
    return found[1]


def test_new_name_is_shown_before_it_is_written(deploy: PermissionSet, admin: User) -> None:
    client, url = make_client(admin), f"/permission-sets/{deploy.pk}/rename/"
    assert "checksum" not in get_html(client, url)
    html = get_html(client, f"{url}?name=Release")
    for text in ("Deploy → Release", "The role gets another ARN in each account.", "shop"):
        assert text in html
    stale = client.post(url, {"name": "Release", "checksum": "0"}).content.decode()
    assert Draft.objects.count() == 0
    response = client.post(url, {"name": "Release", "checksum": find_checksum(stale)}, follow=True)
    assert "Becomes Release" in response.content.decode()
    assert Draft.objects.count() == 2


def test_name_that_is_taken_is_said(deploy: PermissionSet, admin: User) -> None:
    factories.make_permission_set("Taken")
    html = get_html(make_client(admin), f"/permission-sets/{deploy.pk}/rename/?name=Taken")
    assert "There is a permission set “Taken” already." in html
    assert "checksum" not in html


def test_stale_list_is_shown_anew_and_deletes_nothing(deploy: PermissionSet, admin: User) -> None:
    client, url = make_client(admin), f"/permission-sets/{deploy.pk}/delete/"
    old = find_checksum(get_html(client, url))
    factories.make_assignment(permission_set=deploy, account=factories.make_account("blog"))
    html = client.post(url, {"checksum": old}).content.decode()
    assert "blog" in html
    assert (Farewell.objects.count(), find_checksum(html) == old) == (0, False)
    response = client.post(url, {"checksum": find_checksum(html)}, follow=True)
    assert "Being deleted" in response.content.decode()
    assert list(Draft.objects.values_list("is_deletion", "kind")) == [(True, "assignment")]


def test_history_shows_what_changed_and_restores_by_the_editor(deploy: PermissionSet, admin: User) -> None:
    client = make_client(admin)
    html = get_html(client, f"/permission-sets/{deploy.pk}/history/")
    assert html.index("revision 2") < html.index("revision 1<")
    assert html.count("Restore this version") == 1
    first = SetVersion.objects.earliest("pk")
    url = f"/permission-sets/{deploy.pk}/edit/?version={first.pk}"
    assert url in html
    page = get_html(client, url)
    assert "What revision 1 said." in page
    assert "It is provisioned anew in 1 account." in page
    assert not Draft.objects.exists()
    response = client.post(url, read_form(page) | {"do": "save"})
    draft = Draft.objects.get()
    assert (response["Location"], draft.values) == (f"/drafts/{draft.pk}/", {"description": "old words"})


@pytest.mark.parametrize("number", ["0", "x", "²", "9" * 30, "-1"])
def test_version_that_is_none_opens_the_set_as_it_is(deploy: PermissionSet, admin: User, number: str) -> None:
    html = get_html(make_client(admin), f"/permission-sets/{deploy.pk}/edit/?version={number}")
    assert "new words" in html
    assert "What revision" not in html


def test_version_of_another_set_is_not_restored(deploy: PermissionSet, admin: User) -> None:
    other = SetVersion.objects.create(name="Other", reference="23:9", revision=1, values={"description": "secret"})
    assert "secret" not in get_html(make_client(admin), f"/permission-sets/{deploy.pk}/edit/?version={other.pk}")


@pytest.mark.parametrize("page", ["rename", "delete"])
def test_pages_are_for_those_who_may_edit(deploy: PermissionSet, page: str) -> None:
    client = make_client(factories.make_user())
    assert client.get(f"/permission-sets/{deploy.pk}/{page}/").status_code == 403
    assert client.post(f"/permission-sets/{deploy.pk}/{page}/").status_code == 403
    assert f"/permission-sets/{deploy.pk}/{page}/" not in get_html(client, f"/permission-sets/{deploy.pk}/")
    assert "Restore" not in get_html(client, f"/permission-sets/{deploy.pk}/history/")
