"""The page of the management account's files: who sees it, what changed, what is saved and noted."""

import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from portal.views.terraform import build_archive
from syncer.models import TerraformExport, TerraformOffer
from syncer.terraform.exports import checksum_of
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
ROOT = 'resource "aws_ssoadmin_permission_set" "Root" {\n  name = "Root"\n}\n'
HANA = '# Hana\nresource "aws_ssoadmin_account_assignment" "hana" {\n  target_id = "1"\n}\n'
OLD = {"genkan_permission_sets.tf": ROOT, "genkan_assignments.tf": HANA}
NEW = {"genkan_permission_sets.tf": ROOT.replace('"Root"\n', '"<Root>"\n'), "genkan_assignments.tf": ""}


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理", is_staff=True)


@pytest.fixture
def client(admin: User) -> Client:
    return make_client(admin)


def make_export(files: dict[str, str], **values: Any) -> TerraformExport:
    return TerraformExport.objects.create(files=files, checksum=checksum_of(files), **values)


def test_pull_request_is_one_click_away(client: Client) -> None:
    make_export(NEW)
    url = "https://github.com/example/aws/pull/1"
    TerraformOffer.objects.update(is_on=True, repository="example/aws", pull_url=url)
    assert f'href="{url}"' in get_html(client, "/terraform/")


def test_admin_sees_why_nothing_is_offered(client: Client) -> None:
    make_export(NEW)
    TerraformOffer.objects.update(is_on=True, repository="example/aws", error="GitHub says no.")
    assert "It could not be offered in example/aws: GitHub says no." in get_text(client, "/terraform/")


def make_taken() -> TerraformExport:
    return make_export(OLD, taken_at="2026-11-20T00:00:00Z", taken_by="花子")


@pytest.mark.parametrize(("role", "status"), [({}, 403), ({"is_auditor": True}, 200), ({"is_staff": True}, 200)])
def test_admins_and_auditors_see_it(role: dict[str, Any], status: int) -> None:
    make_export(OLD)
    visitor = make_client(factories.make_user("太郎", **role))
    assert {visitor.get(f"/terraform/{query}").status_code for query in ("", "?format=zip")} == {status}
    assert ("/terraform/" in get_html(visitor, "/")) is (status == 200)


def test_auditor_may_not_note_anything() -> None:
    export = make_export(OLD)
    auditor = make_client(factories.make_user("監査", is_auditor=True))
    assert auditor.post("/terraform/", {"take": export.pk}).status_code == 403
    assert "taken these over" not in get_text(auditor, "/terraform/")


def test_before_the_first_export_it_says_what_is_missing(client: Client) -> None:
    assert "once a run has read kintone and AWS completely" in get_text(client, "/terraform/")
    factories.make_run(status="done", steps={"tell": {"state": "done"}})
    assert "is beat running?" in get_text(client, "/terraform/")
    assert [client.get(f"/terraform/{query}").status_code for query in ("?format=zip", "?file=x")] == [404, 404]


def test_shows_what_changed_since_it_was_taken_over(client: Client) -> None:
    make_taken()
    make_export(NEW)
    text = get_text(client, "/terraform/")
    assert "2 resources differ from what was taken over" in text
    assert "0 new, 1 changed, 1 gone" in text
    assert "goes: aws_ssoadmin_account_assignment.hana" in text
    assert "&quot;&lt;Root&gt;&quot;" in get_html(client, "/terraform/")


def test_before_anything_was_taken_over_nothing_is_compared(client: Client) -> None:
    make_export(NEW)
    text = get_text(client, "/terraform/")
    assert "everything is new" in text
    assert "Line by line" not in text


def test_comments_alone_are_no_change_of_a_resource(client: Client) -> None:
    make_taken()
    make_export({**OLD, "genkan_assignments.tf": HANA.replace("# Hana", "# Hana Sato")})
    text = get_text(client, "/terraform/")
    assert "Only comments and imports differ" in text
    assert "# Hana Sato" in text


def test_admin_notes_that_it_was_taken_over(client: Client, admin: User) -> None:
    make_taken()
    export = make_export(NEW, pending=2)
    response = client.post("/terraform/", {"take": export.pk}, follow=True)
    assert "Nothing has changed since." in response.content.decode()
    export.refresh_from_db()
    assert (export.taken_by, export.pending) == (str(admin), 0)
    assert AuditEvent.objects.get(action="terraform.take").actor == admin
    client.post("/terraform/", {"take": export.pk})
    assert AuditEvent.objects.filter(action="terraform.take").count() == 1


@pytest.mark.parametrize("posted", ["0", "", "x"])
def test_what_was_not_on_the_screen_is_not_taken_over(client: Client, posted: str) -> None:
    make_export(NEW)
    response = client.post("/terraform/", {"take": posted}, follow=True)
    assert "There is a newer export." in response.content.decode()
    assert not TerraformExport.objects.filter(taken_at__isnull=False).exists()


def test_files_are_saved_and_that_is_on_record(client: Client) -> None:
    export = make_export(NEW)
    response = client.get("/terraform/?format=zip")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == NEW
    assert (
        response.headers["Content-Disposition"] == f'attachment; filename="genkan-terraform-{export.checksum[:12]}.zip"'
    )
    response = client.get("/terraform/?file=genkan_permission_sets.tf")
    assert response.content.decode() == NEW["genkan_permission_sets.tf"]
    assert client.get("/terraform/?file=../settings.py").status_code == 404
    assert AuditEvent.objects.filter(action="terraform.download").count() == 2


def test_equal_files_make_equal_archives() -> None:
    assert build_archive(OLD) == build_archive(dict(reversed(OLD.items())))


def test_other_methods_are_refused(client: Client) -> None:
    assert client.delete("/terraform/").status_code == 405
