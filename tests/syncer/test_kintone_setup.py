"""`manage.py kintone_setup` against a kintone of its own: creating, going on, checking, adding."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from pytest_django import Settings

from simulators.clock import Clock
from simulators.kintone import ADMINISTRATOR, Fault, KintoneSimulator, KintoneWorld
from simulators.serving import Serving
from syncer.setup.blueprint import ASSIGNMENT_APP, PERMISSION_SET_APP

SETTINGS_OF_APPS = ("KINTONE_PERMISSION_SET_APP_ID", "KINTONE_ASSIGNMENT_APP_ID")


@dataclass
class Setup:
    """An empty kintone with an administrator and the user hana, and the command pointed at it."""

    kintone: KintoneWorld
    url: str
    settings: Settings
    folder: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        out = StringIO()
        try:
            call_command("kintone_setup", *arguments, stdout=out)
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue()
        return 0, out.getvalue()

    def write_down(self) -> None:
        """Put the two apps' numbers into the settings, as the last lines ask for."""
        self.settings.KINTONE_PERMISSION_SET_APP_ID, self.settings.KINTONE_ASSIGNMENT_APP_ID = "1", "2"

    def count_writes(self) -> int:
        return sum(count for (method, _path), count in self.kintone.calls.items() if method != "GET")

    def change_form(self, app_id: int, **changes: Any) -> None:
        """Change an app's live fields as somebody does by hand; None deletes one."""
        app = self.kintone.find_app(app_id)
        kept = {code: row for code, row in app.draft.form.items() if changes.get(code, row) is not None}
        form = {code: {**row, **changes.get(code, {})} for code, row in kept.items()}
        app.draft = replace(app.draft, form=form)
        app.deploy()


@pytest.fixture
def setup(settings: Settings, tmp_path: Path) -> Iterator[Setup]:
    world = KintoneWorld(Clock())
    world.deploy_seconds = 0.0
    world.add_user(ADMINISTRATOR, ADMINISTRATOR, email="", password="secret")
    world.add_user("hana", "花", email="", password="secret")
    settings.LANGUAGE_CODE, settings.VAR_DIR, settings.SYNC_MODE = "en", tmp_path, "apply"
    settings.KINTONE_GUEST_SPACE_ID = settings.KINTONE_WEBHOOK_TOKEN = ""
    settings.KINTONE_USERNAME, settings.KINTONE_PASSWORD = ADMINISTRATOR, "secret"
    settings.KINTONE_PERMISSION_SET_APP_ID = settings.KINTONE_ASSIGNMENT_APP_ID = ""
    settings.KINTONE_PERMISSION_SET_API_TOKEN = settings.KINTONE_ASSIGNMENT_API_TOKEN = ""
    settings.KINTONE_PERMISSION_SET_FIELDS, settings.KINTONE_ASSIGNMENT_FIELDS = {}, {}
    with Serving(KintoneSimulator(world)) as serving:
        settings.KINTONE_BASE_URL = serving.url
        yield Setup(world, serving.url, settings, tmp_path)


# --- Creating ---------------------------------------------------------------------------------------------------------


def test_both_apps_are_made_live(setup: Setup) -> None:
    code, text = setup.run()
    assert code == 0, text
    for app_id, plan in ((1, PERMISSION_SET_APP), (2, ASSIGNMENT_APP)):
        live = setup.kintone.find_app(app_id).settings
        assert {each.name for each in plan.fields} <= live.form.keys()
        assert len(live.views) == len(plan.views)
        assert live.record_acl
    live = setup.kintone.find_app(2).settings
    assert live.form["permission_set"]["lookup"]["relatedApp"]["app"] == "1"
    assert live.form["request_key"]["unique"] is True
    assert [rule["code"] for rule in live.field_acl] == ["request_key", "changed_by"]


def test_the_last_lines_are_what_only_the_pages_of_kintone_offer(setup: Setup) -> None:
    _code, text = setup.run()
    lines = text.splitlines()
    assert f"   {setup.url}/k/admin/app/flow?app=1" in lines
    assert {"KINTONE_PERMISSION_SET_APP_ID=1", "KINTONE_ASSIGNMENT_APP_ID=2", "KINTONE_ASSIGNMENT_API_TOKEN="} < {
        *lines
    }
    [secret] = [line.partition("=")[2] for line in lines if line.startswith("KINTONE_WEBHOOK_TOKEN=")]
    assert f"/webhooks/kintone/?token={secret}" in text
    assert len(secret) == 48


def test_output_is_in_the_companys_language(setup: Setup) -> None:
    setup.settings.LANGUAGE_CODE = "ja"
    _code, text = setup.run()
    assert setup.kintone.app(1).name == "AWS許可セット"
    assert "アプリ「AWS許可セット」を作成しました。" in text


def test_second_run_changes_nothing(setup: Setup) -> None:
    setup.run()
    writes = setup.count_writes()
    for _again in range(2):
        assert setup.run("--fix")[0] == 0
        setup.write_down()
    assert setup.count_writes() == writes
    assert len(setup.kintone.apps) == 2


def test_what_the_settings_hold_is_not_printed_again(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.settings.KINTONE_PERMISSION_SET_API_TOKEN = setup.settings.KINTONE_ASSIGNMENT_API_TOKEN = "private"
    setup.settings.KINTONE_WEBHOOK_TOKEN = "hidden"
    code, text = setup.run()
    assert (code, len(text.splitlines())) == (0, 2)
    assert "private" not in text


BREAKS = [
    *(
        (method, path, nth)
        for nth in (1, 2)
        for method, path in (
            ("POST", "app/form/fields"),
            ("PUT", "app/views"),
            ("PUT", "record/acl"),
            ("POST", "app/deploy"),
        )
    ),
    ("PUT", "field/acl", 1),
]


@pytest.mark.parametrize(("method", "path", "nth"), BREAKS)
def test_run_that_broke_off_goes_on(setup: Setup, method: str, path: str, nth: int) -> None:
    setup.kintone.faults.add(Fault(method=method, path=f"/k/v1/preview/{path}.json", nth=nth, code="CB_NO02"))
    assert setup.run()[0] == 1
    assert setup.run()[0] == 0
    assert len(setup.kintone.apps) == 2
    assert all(app.live is not None for app in setup.kintone.apps.values())


def test_app_that_is_not_live_is_finished_by_its_number(setup: Setup) -> None:
    setup.kintone.faults.add(Fault(method="PUT", path="/k/v1/preview/app/views.json", nth=1, code="CB_NO02"))
    assert setup.run()[0] == 1
    setup.settings.VAR_DIR = setup.folder / "elsewhere"
    setup.settings.KINTONE_PERMISSION_SET_APP_ID = "1"
    assert setup.run()[0] == 0
    assert len(setup.kintone.apps) == 2


def test_folder_that_cannot_be_written_stops_nothing(setup: Setup) -> None:
    """As in a container, whose files are read-only: the number that was printed has to do."""
    (setup.folder / "file").write_text("")
    setup.settings.VAR_DIR = setup.folder / "file" / "var"
    code, text = setup.run()
    assert (code, len(setup.kintone.apps)) == (0, 2)
    assert "KINTONE_PERMISSION_SET_APP_ID=1" in text


def test_app_of_the_same_name_is_neither_taken_nor_doubled(setup: Setup) -> None:
    setup.kintone.add_app("AWS permission sets", {})
    code, text = setup.run()
    assert (code, len(setup.kintone.apps)) == (1, 1)
    assert "KINTONE_PERMISSION_SET_APP_ID=1" in text


@pytest.mark.parametrize("domain", ["https://other.cybozu.com", "this one"])
def test_notes_of_another_kintone_or_of_deleted_apps_mean_nothing(setup: Setup, domain: str) -> None:
    notes = {domain.replace("this one", setup.url): dict.fromkeys(SETTINGS_OF_APPS, "9")}
    (setup.folder / "kintone-setup.json").write_text(json.dumps(notes))
    assert setup.run()[0] == 0
    assert {*setup.kintone.apps} == {1, 2}


def test_mapped_codes_are_used(setup: Setup) -> None:
    setup.settings.KINTONE_PERMISSION_SET_FIELDS = {"name": "セット名"}
    setup.settings.KINTONE_ASSIGNMENT_FIELDS = {"users": "利用者", "owners": "責任者"}
    assert setup.run()[0] == 0
    live = setup.kintone.find_app(2).settings
    assert live.form["permission_set"]["lookup"]["relatedKeyField"] == "セット名"
    assert live.record_acl[0]["entities"][0]["entity"]["code"] == "責任者"


# --- What the rights do -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obey", [True, False])
def test_portal_can_write_whether_rights_bind_tokens_or_not(setup: Setup, obey: bool) -> None:
    setup.run()
    setup.kintone.tokens_obey_rights = obey
    setup.kintone.app(1).add_record({"name": "Reader"})
    token = setup.kintone.add_token([1, 2], ["view", "add", "edit"])
    record = {
        "account_id": {"value": "123456789012"},
        "permission_set": {"value": "Reader"},
        "request_key": {"value": "abc"},
        "changed_by": {"value": [{"code": "hana"}]},
    }
    url, headers = f"{setup.url}/k/v1/record.json", {"X-Cybozu-API-Token": token}
    added = requests.post(url, json={"app": 2, "record": record}, headers=headers, timeout=5)
    assert added.status_code == 200, added.text
    change = {"app": 2, "id": 1, "record": {"note": {"value": "x"}}}
    assert requests.put(url, json=change, headers=headers, timeout=5).status_code == 200


# --- Checking and adding ----------------------------------------------------------------------------------------------


def test_differences_are_named_and_nothing_is_touched(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.change_form(2, note=None, request_key={"unique": False})
    writes = setup.count_writes()
    code, text = setup.run()
    assert code == 1
    assert "App 2: the field note is missing (MULTI_LINE_TEXT)." in text
    assert "App 2: the field request_key takes the same value twice." in text
    assert setup.count_writes() == writes


def test_fix_adds_fields_and_views_and_nothing_else(setup: Setup) -> None:
    own = {"type": "SINGLE_LINE_TEXT", "label": "社内番号"}
    name = {"type": "SINGLE_LINE_TEXT", "label": "名前"}
    setup.kintone.add_app("うちの許可セット", {"name": name, "internal": own})
    setup.kintone.app(1).add_record({"name": "Reader", "internal": "7"})
    setup.settings.KINTONE_PERMISSION_SET_APP_ID, setup.settings.SYNC_MODE = "1", "plan"
    code, text = setup.run("--fix")
    live = setup.kintone.find_app(1).settings
    assert "owners" in live.form
    assert (live.form["name"]["label"], live.form["name"]["unique"], live.record_acl) == ("名前", False, [])
    assert setup.kintone.app(1).record(1)["internal"]["value"] == "7"
    assert code == 1, "the name is not unique, and rights are not set"
    assert "takes the same value twice" in text


def test_fields_whose_emptiness_clears_aws_are_not_added_under_running_runs(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.change_form(1, permissions_boundary=None)
    code, text = setup.run("--fix")
    assert (code, "SYNC_MODE=plan" in text) == (1, True)
    assert "permissions_boundary" not in setup.kintone.find_app(1).draft.form
    setup.settings.SYNC_MODE = "plan"
    assert setup.run("--fix")[0] == 0


def test_views_that_are_there_survive_the_fix(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    app = setup.kintone.find_app(2)
    own = {
        "type": "LIST",
        "name": "うちの一覧",
        "id": "77",
        "index": "0",
        "fields": ["note"],
        "filterCond": "",
        "sort": "",
    }
    app.draft = replace(app.draft, views={"うちの一覧": own})
    app.deploy()
    assert setup.run("--fix")[0] == 0
    assert app.settings.views["うちの一覧"] == own
    assert len(app.settings.views) == 1 + len(ASSIGNMENT_APP.views)


def test_changes_of_somebody_else_are_not_published(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.change_form(2, note=None)
    app = setup.kintone.find_app(2)
    app.draft = replace(app.draft, form=app.draft.form | {"half": {**app.draft.form["groups"], "code": "half"}})
    code, text = setup.run("--fix")
    assert (code, "not published yet" in text) == (1, True)
    assert not {"half", "note"} & app.settings.form.keys()


@pytest.mark.parametrize("which", ["record_acl", "field_acl", "app_acl"])
def test_half_made_rights_of_somebody_else_are_not_published(which: str, setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.change_form(2, note=None)
    app = setup.kintone.find_app(2)
    before, app.draft = app.settings, replace(app.draft, **{which: getattr(app.draft, which)[1:]})
    if which == "app_acl":
        app.draft = replace(app.draft, app_acl=[{"entity": {"type": "CREATOR", "code": None}, "recordViewable": True}])
    code, text = setup.run("--fix")
    assert (code, "not published yet" in text, app.settings) == (1, True, before)


def test_fix_that_broke_off_before_publishing_goes_on(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.change_form(2, note=None)
    setup.kintone.faults.add(Fault(method="POST", path="/k/v1/preview/app/deploy.json", nth=1, code="CB_NO02"))
    assert setup.run("--fix")[0] == 1
    assert setup.run("--fix")[0] == 0
    assert "note" in setup.kintone.find_app(2).settings.form


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_missing_settings_are_named_with_an_example(setup: Setup) -> None:
    setup.settings.KINTONE_BASE_URL = setup.settings.KINTONE_PASSWORD = ""
    code, text = setup.run()
    assert code == 1
    assert "KINTONE_BASE_URL is not set. Example: KINTONE_BASE_URL=https://example.cybozu.com" in text
    assert "KINTONE_PASSWORD is not set" in text
    assert not setup.kintone.calls


def test_wrong_password_is_said_without_speaking_of_tokens(setup: Setup) -> None:
    setup.settings.KINTONE_PASSWORD = "other"
    code, text = setup.run()
    assert (code, "KINTONE_USERNAME and KINTONE_PASSWORD" in text, "token" in text) == (1, True, False)


def test_user_who_may_not_change_the_app_is_told(setup: Setup) -> None:
    setup.run()
    setup.write_down()
    setup.settings.KINTONE_USERNAME = "hana"
    code, text = setup.run()
    assert (code, "This user may not do this" in text) == (1, True)


def test_app_that_is_not_there_is_named(setup: Setup) -> None:
    setup.settings.KINTONE_PERMISSION_SET_APP_ID = "41"
    code, text = setup.run()
    assert (code, "There is no kintone app 41." in text) == (1, True)


def test_unknown_admin_group_is_refused_before_the_app_is_live(setup: Setup) -> None:
    assert setup.run("--admin-group", "nobody")[0] == 1
    assert setup.kintone.find_app(1).live is None


def test_guest_space_wants_an_empty_app_first(setup: Setup) -> None:
    setup.settings.KINTONE_GUEST_SPACE_ID = "7"
    code, text = setup.run()
    assert (code, "guest space" in text, setup.kintone.apps) == (1, True, {})
