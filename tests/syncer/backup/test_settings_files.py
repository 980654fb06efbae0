"""Every kind of row goes into the settings file and comes back from it; commands and the nightly file."""

import json
import stat
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from accounts.models import (
    Account,
    AccountCliDefaults,
    AccountMove,
    AppKind,
    AuditEvent,
    CliPreference,
    ConsoleService,
    FavouriteRegion,
    Guardrail,
    OwnerEntry,
    PortalWrite,
    Principal,
    PrincipalLink,
    Record,
    RecordPerson,
    Shortcut,
    ShortcutSettings,
    ShortcutSlug,
    StageRule,
    Stop,
    User,
    Visit,
    Withheld,
)
from syncer.backup import files
from syncer.backup.document import parse_document
from syncer.backup.exporting import export_settings
from syncer.backup.importing import Placed, Refused, import_settings
from syncer.backup.sections import SECTIONS
from syncer.models import AppState, Baseline, CommentSettings, LetterChoice, LetterSettings, Notice, SecretEnd
from syncer.tasks import export_nightly
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 18, tzinfo=UTC)  # the 27th in Tokyo
DECIDED: tuple[type[Model], ...] = (
    Withheld, PortalWrite, AccountMove, Stop, OwnerEntry, PrincipalLink, Visit, ShortcutSlug, Shortcut, CliPreference,
    AccountCliDefaults, ConsoleService, FavouriteRegion, Guardrail, ShortcutSettings, CommentSettings,
    LetterSettings, LetterChoice, SecretEnd,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _read() -> None:
    """kintone and AWS were read into this database."""
    instance = factories.make_instance()
    instance.principals_read_at = NOW
    instance.save()
    for kind in AppKind:
        AppState.objects.create(kind=kind, app_id="23", scanned_at=NOW)


def decide_everything() -> User:
    """A row of each kind that is carried."""
    user = factories.make_user("花", language="ja", is_staff=True)
    account, hana = factories.make_account("shop"), factories.get_principal(user)
    gone = factories.make_principal("gone@example.com", gone_at=NOW - timedelta(days=9))
    record = factories.make_record(revision=4, in_force={"users": ["hana"]}, in_force_revision=3, beside=["x@y.z"])
    PrincipalLink.objects.create(source="kintone_user", key="gone", principal=gone, left_at=NOW, namesake=hana)
    OwnerEntry.objects.create(account=account, principal=gone, how="claim", created_by=user)
    OwnerEntry.objects.create(ou=account.ou, principal=hana)
    Stop.objects.create(kind="pause", reason="移行", until=NOW + timedelta(days=3650), begun_by=user)
    Stop.objects.create(kind="lock_out", principal=gone, reason="lost", begun_by=user)
    Stop.objects.create(kind="freeze", account=account, reason="audit")
    AccountMove.objects.create(account=account, old_path="a", new_path="b", old_units=["ou-1"], old_stage="sandbox")
    Withheld.objects.create(
        record=record, value="+users:ken", reason={"code": "writer_may_not", "params": {}}, revision=4,
        confirmed_by=user, confirmed_at=NOW,
    )  # fmt: skip
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=4, user=user, at=NOW)
    Guardrail.objects.create(
        name="本番", sentence="no", stage="production", effect="expires_within", days=7, existing="end",
        ends_on=date(2027, 1, 1), is_owner=False, created_by=user,
    )  # fmt: skip
    shortcut = Shortcut.objects.create(slug="logs", name="Logs", author=user, account=account, tags=["a"])
    ShortcutSlug.objects.create(slug="old-logs", shortcut=shortcut)
    Visit.objects.create(user=user, shortcut=shortcut, is_pinned=True)
    Visit.objects.create(user=user, account=account, permission_set="Reader", is_pinned=True, count=9)
    CliPreference.objects.create(user=user, pattern="{account}-{set}", region="eu-west-1")
    AccountCliDefaults.objects.create(account=account, short_name="shop")
    ConsoleService.objects.create(slug="x", service="X", name_ja="x", name_en="x", template="/x", parameters=[{"a": 1}])
    FavouriteRegion.objects.create(code="ap-northeast-1")
    ShortcutSettings.objects.update_or_create(pk=1, defaults={"warns_of_production": False})
    CommentSettings.objects.update_or_create(pk=1, defaults={"is_on": False, "says_well": False})
    LetterSettings.objects.update_or_create(pk=1, defaults={"people": "slack", "owners": "mail"})
    LetterChoice.objects.create(user=user, access=False)
    SecretEnd.objects.create(kind="other", name="VPN", ends_on=date(2027, 1, 1))
    StageRule.objects.create(ou_name="決済", stage="production")
    PeriodicTask.objects.filter(name="Sweep").update(enabled=False)
    return user


def lose() -> None:
    """What people decided is gone; the mirror of kintone and AWS was read anew."""
    for model in DECIDED:
        model._default_manager.all().delete()
    User.objects.all().delete()
    Principal.objects.filter(gone_at__isnull=False).delete()
    Record.objects.update(in_force=None, in_force_revision=None, beside=[])
    StageRule.objects.filter(ou_name="決済").delete()
    PeriodicTask.objects.update(enabled=True)


def write() -> str:
    return export_settings(NOW).render()


def read(text: str, **options: Any) -> dict[str, Placed]:
    return {placed.name: placed for placed in import_settings(parse_document(text), **options)}


def change(text: str, section: str, **values: Any) -> str:
    """The file with other values in the first entry of a section."""
    whole = json.loads(text)
    whole["sections"][section][0] |= values
    return json.dumps(whole)


def command(*arguments: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command(*arguments, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue()


def test_every_row_comes_back() -> None:
    decide_everything()
    text = write()
    sections = parse_document(text).sections
    assert [section.name for section in SECTIONS if not sections[section.name]] == []
    lose()
    placed = read(text)
    assert [each for each in placed.values() if each.left or each.unplaced or each.held_back] == []
    for entry in sections["sign_ins"]:
        entry.pop("is_staff", None)  # the next sign-in sets it
    assert parse_document(write()).sections == sections


def test_our_numbers_and_secrets_are_not_in_it(settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL, settings.SECRET_KEY = "https://hooks.slack.com/services/T/B/SECRET", "k" * 50
    settings.KINTONE_ASSIGNMENT_API_TOKEN, settings.ENTRA_CLIENT_SECRET = "kintone-token", "entra-secret"
    user = decide_everything()
    user.access_tokens.create(name="ci", digest="d" * 64, expires_at=NOW)
    text = write()
    for secret in ("SECRET", "k" * 50, "kintone-token", "entra-secret", "d" * 64):
        assert secret not in text
    for entries in parse_document(text).sections.values():
        assert not [entry for entry in entries if entry.keys() & {"pk"} or entry.get("id", 1) != 1]


def test_records_made_in_the_portal_are_their_makers_again() -> None:
    """kintone says Administrator of them; they were read before the ledger was put back."""
    user = factories.make_user("花")
    record = factories.make_record(app_id="23", creator_code="Administrator")
    PortalWrite.objects.create(app_id="23", record_id=record.record_id, revision=1, user=user, at=record.created_at)
    text = write()
    lose()
    read(text)
    author = RecordPerson.objects.get(record=record, role="author")
    assert (author.code, author.user.username if author.user else "") == ("", user.username)


def test_owner_who_left_keeps_the_account_from_being_free() -> None:
    decide_everything()
    text = write()
    lose()
    read(text)
    entry = OwnerEntry.objects.get(how="claim")
    assert (entry.principal.name, entry.principal.gone_at is not None) == ("gone@example.com", True)


def test_check_says_the_same_and_changes_nothing() -> None:
    decide_everything()
    text = write()
    lose()
    said = read(text, checks=True)
    assert (Guardrail.objects.count(), AuditEvent.objects.count()) == (0, 0)
    assert read(text) == said
    assert AuditEvent.objects.get().action == "settings.import"


def test_what_is_about_nothing_here_is_named_and_placed_later() -> None:
    decide_everything()
    text = change(write(), "withheld", record="24:99999")
    lose()
    placed = read(text)
    assert placed["withheld"].unplaced == ["24:99999 +users:ken"]
    factories.make_record(app_id="24", record_id="99999")
    assert read(text)["withheld"].added == 1


def test_what_is_broken_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    decide_everything()
    path = tmp_path / "settings.json"
    path.write_text(change(write(), "shortcuts", created_at="yesterday"))
    lose()
    with pytest.raises(CommandError, match=r"shortcuts\.created_at"):
        command("import_settings", str(path))
    assert not Guardrail.objects.exists()


def test_column_of_a_newer_genkan_is_not_dropped_in_silence(tmp_path: Path) -> None:
    decide_everything()
    path = tmp_path / "settings.json"
    path.write_text(change(write(), "guardrails", colour="red"))
    with pytest.raises(CommandError, match="guardrails: colour"):
        command("import_settings", str(path))


def test_file_of_another_company_is_refused_unless_forced(settings: Settings) -> None:
    decide_everything()
    text = write()
    lose()
    settings.KINTONE_BASE_URL = "https://other.cybozu.com"
    with pytest.raises(Refused) as refused:
        read(text)
    assert [reason.params["what"] for reason in refused.value.reasons] == ["kintone_base_url"]
    assert read(text, forces=True)["guardrails"].added == 1


def test_nothing_is_placed_before_kintone_and_aws_were_read() -> None:
    text = write()
    AppState.objects.filter(kind=AppKind.ASSIGNMENT).update(scanned_at=None)
    with pytest.raises(Refused, match="backup_needs_reading"):
        read(text)


def test_portal_at_work_keeps_what_is_newer() -> None:
    decide_everything()
    text = write()
    Baseline.objects.create()
    Guardrail.objects.update(days=3)
    Shortcut.objects.all().delete()
    StageRule.objects.create(ou_name="検証環境", stage="staging")
    placed = read(text)
    assert (placed["guardrails"].left, placed["shortcuts"].added, placed["stage_rules"].removed) == (["本番"], 1, 0)
    assert Guardrail.objects.get().days == 3
    assert read(text, replaces=True)["guardrails"].changed == 1
    assert Guardrail.objects.get().days == 7


def test_rights_taken_away_since_are_not_given_back_unasked() -> None:
    """An owner, a link, a rule and a confirmation that people deleted after last night's file."""
    decide_everything()
    text = write()
    Baseline.objects.create()
    for model in (OwnerEntry, PrincipalLink, Guardrail, Withheld):
        model._default_manager.all().delete()
    StageRule.objects.filter(ou_name="決済").delete()
    placed = read(text, replaces=True)
    held = {name: len(each.held_back) for name, each in placed.items() if each.held_back}
    assert held == {"stage_rules": 1, "links": 1, "owners": 2, "guardrails": 1, "withheld": 1}
    assert [OwnerEntry.objects.count(), PrincipalLink.objects.count(), Withheld.objects.count()] == [0, 0, 0]
    placed = read(text, gives_back=True)
    assert {name: each.added for name, each in placed.items() if each.added} == held


def test_what_is_withheld_is_no_right() -> None:
    decide_everything()
    Withheld.objects.update(confirmed_at=None, confirmed_by=None)
    text = write()
    Baseline.objects.create()
    Withheld.objects.all().delete()
    assert read(text)["withheld"].added == 1


@pytest.mark.parametrize("is_at_work", [True, False])
def test_roles_of_an_older_file_are_not_taken(is_at_work: bool) -> None:
    user = factories.make_user("花", is_staff=True, is_auditor=True, theme="dark")
    text = write()
    if is_at_work:
        Baseline.objects.create()
    User.objects.filter(pk=user.pk).update(is_staff=False, is_auditor=False, is_active=False, theme="light")
    assert read(text, replaces=True)["sign_ins"].changed == 1
    user.refresh_from_db()
    assert (user.is_staff, user.is_auditor, user.is_active, user.theme) == (False, False, False, "dark")


def test_roles_given_since_stay_and_who_was_shut_out_is() -> None:
    user = factories.make_user("花", is_active=False)
    text = write()
    User.objects.filter(pk=user.pk).update(is_staff=True, is_auditor=True, is_active=True)
    read(text)
    user.refresh_from_db()
    assert (user.is_staff, user.is_auditor, user.is_active) == (True, True, False)


def test_new_sign_in_has_no_role_before_the_next_one() -> None:
    factories.make_user("花", is_staff=True, is_auditor=True)
    text = write()
    User.objects.all().delete()
    read(text)
    user = User.objects.get()
    assert (user.is_staff, user.is_auditor, user.is_active) == (False, False, True)


def test_lifted_lock_out_is_not_set_again() -> None:
    decide_everything()
    text = write()
    Baseline.objects.create()
    Stop.objects.update(lifted_at=NOW)
    read(text)
    assert not Stop.objects.active().exists()


def test_claims_of_runs_that_only_planned_give_way() -> None:
    """Without the entries of the file the account looked free."""
    decide_everything()
    text = write()
    lose()
    stranger = factories.make_principal("stranger@example.com")
    account = Account.objects.get(name="shop")
    OwnerEntry.objects.create(account=account, principal=stranger, how="claim")
    assert read(text)["owners"].removed == 1
    assert set(OwnerEntry.objects.filter(account=account).values_list("principal__name", flat=True)) == {
        "gone@example.com"
    }


def test_second_lock_out_of_a_person_gives_way() -> None:
    decide_everything()
    text = write()
    stop = Stop.objects.get(kind="lock_out")
    Stop.objects.filter(pk=stop.pk).update(begun_at=NOW + timedelta(hours=1))
    assert len(read(text)["stops"].left) == 1


# --- Commands and files -----------------------------------------------------------------------------------------------


def test_commands_carry_from_one_database_to_another(tmp_path: Path) -> None:
    decide_everything()
    path = tmp_path / "deep" / "settings.json"
    assert command("export_settings", "--out", str(path)) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lose()
    code, said = command("import_settings", str(path), "--check")
    assert (code, Guardrail.objects.count()) == (0, 0)
    assert "guardrails" in said
    assert command("import_settings", str(path))[0] == 0
    assert set(AuditEvent.objects.values_list("action", "actor_name")) == {
        ("settings.export", "manage.py"), ("settings.import", "manage.py")
    }  # fmt: skip


def test_something_without_a_place_is_exit_code_3(tmp_path: Path) -> None:
    decide_everything()
    path = tmp_path / "settings.json"
    path.write_text(change(write(), "withheld", record="24:99999"))
    lose()
    code, said = command("import_settings", str(path))
    assert (code, "24:99999" in said) == (3, True)


def test_each_row_is_named_in_the_output_and_in_the_audit_trail(tmp_path: Path) -> None:
    decide_everything()
    path = tmp_path / "settings.json"
    path.write_text(write())
    Baseline.objects.create()
    account = Account.objects.get(name="shop")
    OwnerEntry.objects.filter(account=account).delete()
    Shortcut.objects.all().delete()
    Guardrail.objects.update(days=3)
    gone = Principal.objects.get(name="gone@example.com")
    whose = f"{account.account_id} (shop) {gone.principal_id} (gone@example.com)"

    code, said = command("import_settings", str(path), "--check")
    assert (code, "  + logs\n" in said) == (3, True)
    assert any(line.startswith("  ! ") and line.endswith(whose) for line in said.splitlines())
    code, said = command("import_settings", str(path), "--give-back", "--replace")
    assert (code, f"  + {whose}\n" in said, "  ~ 本番: days\n" in said) == (0, True, True)
    after = AuditEvent.objects.get(action="settings.import").after or {}
    assert after["owners"] == {"same": 1, "added": 1, "names": {"added": [whose]}}
    assert after["guardrails"]["names"] == {"changed": ["本番: days"]}


def test_removed_rows_are_named() -> None:
    decide_everything()
    text = write()
    StageRule.objects.create(ou_name="検証環境", stage="staging")
    assert read(text)["stage_rules"].removed_rows == ["検証環境 staging"]


def test_audit_trail_names_the_first_of_many() -> None:
    placed = Placed("pins", added_rows=[str(number) for number in range(300)])
    assert placed.as_json()["added"] == 300
    assert placed.as_json()["names"]["added"] == placed.added_rows[:200]


def test_export_without_file_prints() -> None:
    assert parse_document(command("export_settings")[1]).company == parse_document(write()).company


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.BACKUP_DIR, settings.BACKUP_KEEP = str(tmp_path / "backup"), 2
    return tmp_path / "backup"


def test_nightly_file_is_whole_private_and_one_of_few(folder: Path) -> None:
    Baseline.objects.create()
    for days in range(3):
        files.write_nightly(NOW + timedelta(days=days))
    assert [path.name for path in sorted(folder.iterdir())] == ["settings-2026-11-28.json", "settings-2026-11-29.json"]
    assert stat.S_IMODE((folder / "settings-2026-11-29.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_new_database_writes_no_nightly_file(folder: Path) -> None:
    assert files.write_nightly(NOW) is None
    assert not folder.exists()


def test_failed_nightly_file_leaves_the_old_one_and_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Baseline.objects.create()
    export_nightly()
    (path,) = folder.iterdir()
    before = path.read_text()

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    export_nightly()
    assert (path.read_text(), list(folder.iterdir())) == (before, [path])
    notice = Notice.objects.get()
    assert (notice.code, "No space left" in notice.params["text"]) == ("notice_backup_failed", True)


def test_nightly_file_is_on_the_schedule() -> None:
    task = PeriodicTask.objects.get(task="syncer.tasks.export_nightly")
    assert (task.crontab.hour, task.enabled) == ("3", True)
