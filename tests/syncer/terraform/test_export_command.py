"""`manage.py export_terraform`: what it writes of a mirror, where, and what it notes."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEvent
from syncer.models import TerraformExport
from syncer.terraform.rendering import ASSIGNMENTS, FILES, IMPORTS, LEFT_OUT, SETS
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def company(world: World) -> World:
    """Hana has Root in the management account already; Taro and a newcomer are to have it, Reader is handed out."""
    world.register_set("Root", description="everything", managed_policies="ViewOnlyAccess")
    world.register_set("Reader")
    world.register("management", "Root", "hana", "taro", "yuki")
    world.register("shop", "Reader", "hana")
    assert sync().code == 0
    return world


def export(*arguments: str) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    call_command("export_terraform", *arguments, stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


def read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_writes_files_from_the_mirror_alone(company: World, tmp_path: Path, settings: Settings) -> None:
    settings.KINTONE_BASE_URL = settings.IDENTITY_CENTER_REGION = ""
    folder = tmp_path / "new" / "genkan"
    out, _errors = export("--out", str(folder))
    files = read(folder)
    assert sorted(files) == sorted(FILES)
    assert files[SETS].count('resource "aws_ssoadmin_permission_set" "Root" {') == 1
    assert "Reader" not in "".join(files.values())
    assert files[ASSIGNMENTS].count("resource ") == 2
    root, hana = company.aws.permission_set_arn("Root"), company.principal_ids["hana"]
    place = f"{company.account_ids['management']},AWS_ACCOUNT"
    assert f'id = "{hana},USER,{place},{root},{company.aws.instance_arn}"' in files[IMPORTS]
    assert company.principal_ids["taro"] not in files[IMPORTS]
    assert "yuki" in files[LEFT_OUT]
    assert all(str(folder / name) in out for name in FILES)


def test_what_is_written_to_a_folder_is_taken_over(company: World, tmp_path: Path) -> None:
    out, _errors = export("--out", str(tmp_path))
    assert "+ aws_ssoadmin_permission_set.Root" in out
    assert "Nothing has been taken over before" in out
    assert AuditEvent.objects.get(action="terraform.take").actor_name == "manage.py"
    company.register("management", "Root", "ken")
    sync()
    out, _errors = export("--out", str(tmp_path))
    assert "2 added, 0 changed, 0 removed, 7 as before" in out
    assert "as it was" in out
    out, _errors = export("--out", str(tmp_path))
    assert "0 added, 0 changed, 0 removed, 9 as before" in out
    assert TerraformExport.objects.count() == 2


def test_standard_output_is_one_file_and_takes_nothing_over(company: World) -> None:
    out, errors = export()
    assert [line for line in out.splitlines() if line.startswith("# ---")] == [f"# --- {name}" for name in FILES]
    assert "everything is new" in errors
    assert not TerraformExport.objects.filter(taken_at__isnull=False).exists()


def test_before_the_first_run_there_is_nothing_to_export(db: None) -> None:
    """An empty export would have Terraform delete what it holds."""
    with pytest.raises(CommandError, match="No run has read") as error:
        export()
    assert error.value.returncode == 1


def test_folder_that_cannot_be_written_is_an_error(company: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file"):
        export("--out", str(tmp_path / "file"))
    assert not TerraformExport.objects.filter(taken_at__isnull=False).exists()


def test_what_kintone_takes_back_goes(company: World, tmp_path: Path) -> None:
    export("--out", str(tmp_path))
    company.edit(f"{company.assignments.id}:1", users=["taro"])
    sync()
    out, _errors = export("--out", str(tmp_path))
    assert "- data.aws_identitystore_user.hana_example_com__" in out
    assert read(tmp_path)[ASSIGNMENTS].count("resource ") == 1
