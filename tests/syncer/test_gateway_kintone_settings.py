"""Settings of kintone apps and the directory of users, against the simulated domain."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.kintone import App, KintoneWorld
from simulators.serving import Request, Response, Serving
from syncer.gateways.errors import (
    Conflict,
    Denied,
    OutcomeUnknown,
    Permanent,
    Unauthenticated,
)
from syncer.gateways.kintone_credentials import Bearer, Password
from syncer.gateways.kintone_settings import KintoneSettings
from syncer.gateways.kintone_users import KintoneUsers
from syncer.gateways.kintone_values import AppInfo, KintoneUser

TEXT = {"type": "SINGLE_LINE_TEXT"}
COMMENT = "/k/v1/record/comment.json"
SCOPES = ("k:app_record:read", "k:app_record:write", "k:app_settings:read", "k:app_settings:write")


@pytest.fixture
def app(kintone_world: KintoneWorld) -> App:
    """An app of the administrator's."""
    kintone_world.add_user("hana", "花", email="hana@example.com", password="秘密")
    kintone_world.add_user("admin", "管理者", email="", password="password")
    fields: dict[str, dict[str, Any]] = {"account_id": {**TEXT, "required": True}, "note": {"type": "MULTI_LINE_TEXT"}}
    app = kintone_world.add_app("割当", fields, creator="admin")
    app.add_record({"account_id": "000000000001"})
    return app


# Users


@pytest.fixture
def users(kintone_world: KintoneWorld, kintone_url: str) -> Iterator[KintoneUsers]:
    with KintoneUsers(kintone_url, Bearer(kintone_world.add_users_token())) as opened:
        yield opened


def test_iterates_over_all_users_page_by_page(users: KintoneUsers, kintone_world: KintoneWorld) -> None:
    for number in range(100):
        kintone_world.add_user(f"user-{number}", "利用者", email=f"{number}@example.com", valid=number != 7)
    found = {user.code: user for user in users.iter_users()}
    assert len(found) == 101
    assert found["user-7"] == KintoneUser("9", "user-7", "利用者", "7@example.com", is_valid=False)
    assert users.calls == {"kintone GET /v1/users.json": 2}


def test_fetches_users_by_code_and_leaves_out_the_unknown(users: KintoneUsers, kintone_world: KintoneWorld) -> None:
    codes = [f"利用者{number}@example.co.jp" for number in range(120)]
    for code in codes:
        kintone_world.add_user(code, code, email="")
    assert users.fetch_users([*codes, "nobody"]).keys() == set(codes)
    assert users.fetch_users([]) == {}


def test_addresses_of_users_stay_short(kintone_world: KintoneWorld) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response.json({"users": []})

    with Serving(answer) as serving, KintoneUsers(serving.url, Bearer("token")) as users:
        users.fetch_users([f"{'利' * 30}{number}" for number in range(100)])
    assert sum(len(request.query) for request in seen) == 100
    assert {request.method for request in seen} == {"GET"}


def test_password_reads_users_and_a_token_of_an_app_does_not(
    kintone_world: KintoneWorld, kintone_url: str, app: App
) -> None:
    with KintoneUsers(kintone_url, Password("hana", "秘密")) as users:
        assert users.fetch_users(["hana"])["hana"].email == "hana@example.com"
    with KintoneUsers(kintone_url, (kintone_world.add_token([app.id]),)) as users, pytest.raises(Unauthenticated):
        users.fetch_users(["hana"])


# Settings of apps


@pytest.fixture
def settings_of(kintone_url: str, app: App, clock: Clock) -> Iterator[KintoneSettings]:
    """As the administrator; pauses move kintone's clock instead of taking time."""

    def wait(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    with KintoneSettings(kintone_url, Password("admin", "password"), sleep=wait) as opened:
        yield opened


def test_makes_an_app_from_nothing(settings_of: KintoneSettings, kintone_world: KintoneWorld) -> None:
    app_id = settings_of.create_app("許可セット")
    settings_of.add_form_fields(app_id, {"name": {**TEXT, "code": "name", "label": "名前", "unique": True}})
    settings_of.update_form_fields(app_id, {"name": {"label": "許可セット名"}})
    view = {"すべて": {"type": "LIST", "name": "すべて", "fields": ["name"], "index": "0"}}
    settings_of.update_views(app_id, view)
    settings_of.deploy([app_id])
    form, views = settings_of.fetch_form_fields(app_id), settings_of.fetch_views(app_id)
    assert (form.content["name"]["label"], form.content["name"]["unique"]) == ("許可セット名", True)
    assert views.content["すべて"]["fields"] == ["name"]
    assert settings_of.fetch_app(app_id) == AppInfo(app_id, "許可セット")


def test_preview_is_not_live_before_it_is_deployed(settings_of: KintoneSettings, app: App) -> None:
    app_id = str(app.id)
    settings_of.add_form_fields(app_id, {"owners": {"type": "USER_SELECT", "code": "owners", "label": "管理者"}})
    assert "owners" in settings_of.fetch_form_fields(app_id, preview=True).content
    assert "owners" not in settings_of.fetch_form_fields(app_id).content
    settings_of.deploy([app_id])
    assert "owners" in settings_of.fetch_form_fields(app_id).content


def test_deletes_fields(settings_of: KintoneSettings, app: App) -> None:
    settings_of.delete_form_fields(str(app.id), ["note"])
    settings_of.deploy([str(app.id)])
    assert "note" not in settings_of.fetch_form_fields(str(app.id)).content


def test_settings_that_somebody_changed_meanwhile_are_a_conflict(settings_of: KintoneSettings, app: App) -> None:
    known = settings_of.fetch_views(str(app.id), preview=True)
    settings_of.update_views(str(app.id), {}, revision=known.revision)
    with pytest.raises(Conflict):
        settings_of.update_views(str(app.id), {}, revision=known.revision)


EVERYONE = {"type": "GROUP", "code": "everyone"}


@pytest.mark.parametrize(
    ("part", "rights", "right"),
    [
        ("app_rights", [{"entity": EVERYONE, "recordViewable": True}], "recordViewable"),
        ("record_rights", [{"filterCond": "", "entities": [{"entity": EVERYONE, "viewable": True}]}], "viewable"),
        ("field_rights", [{"code": "note", "entities": [{"entity": EVERYONE, "accessibility": "READ"}]}], "READ"),
    ],
)
def test_rights_are_replaced_as_a_whole(
    part: str, rights: list[Any], right: str, settings_of: KintoneSettings, app: App
) -> None:
    fetch, update = (getattr(settings_of, f"{verb}_{part}") for verb in ("fetch", "update"))
    live = fetch(str(app.id)).content
    update(str(app.id), rights)
    [changed] = fetch(str(app.id), preview=True).content
    assert right in str(changed)
    assert fetch(str(app.id)).content == live != [changed]


def test_layout_and_general_settings_are_changed(settings_of: KintoneSettings, app: App) -> None:
    app_id = str(app.id)
    rows = [{"type": "ROW", "fields": [{"type": "SINGLE_LINE_TEXT", "code": "account_id"}]}]
    settings_of.update_layout(app_id, rows)
    settings_of.update_settings(app_id, {"description": "誰がどこに入れるか"})
    assert settings_of.fetch_layout(app_id, preview=True).content[0] == rows[0]
    assert settings_of.fetch_settings(app_id, preview=True).content["description"] == "誰がどこに入れるか"


def test_deployment_is_waited_for(settings_of: KintoneSettings, app: App, kintone_world: KintoneWorld) -> None:
    kintone_world.deploy_seconds = 10
    settings_of.deploy([str(app.id)])
    assert settings_of.calls[f"kintone GET preview/app/deploy.json app {app.id}"] > 5


def test_deployment_that_takes_too_long_is_of_unknown_outcome(
    settings_of: KintoneSettings, app: App, kintone_world: KintoneWorld, clock: Clock
) -> None:
    kintone_world.deploy_seconds = 1000
    with pytest.raises(OutcomeUnknown) as caught:
        settings_of.deploy([str(app.id)], clock=lambda: clock.now().timestamp())
    assert caught.value.reason.code == "kintone_deploy_slow"


def test_deployment_that_fails_says_so() -> None:
    answers = iter([{}, {"apps": [{"app": "7", "status": "SUCCESS"}, {"app": "8", "status": "FAIL"}]}])
    with (
        Serving(lambda _request: Response.json(next(answers))) as serving,
        KintoneSettings(serving.url, Password("admin", "password")) as settings_of,
        pytest.raises(Permanent) as caught,
    ):
        settings_of.deploy(["7", "8"])
    assert (caught.value.reason.code, caught.value.reason.params["app"]) == ("kintone_deploy_failed", "8")


def test_token_makes_no_app_and_needs_the_right_to_manage(
    kintone_world: KintoneWorld, kintone_url: str, app: App
) -> None:
    manager, reader = (kintone_world.add_token([app.id], (right,)) for right in ("manage", "view"))
    with KintoneSettings(kintone_url, (manager,)) as settings_of:
        settings_of.update_views(str(app.id), {})
        with pytest.raises(Denied) as caught:
            settings_of.create_app("別のアプリ")
    assert caught.value.reason.code == "kintone_login_no_right"
    with KintoneSettings(kintone_url, (reader,)) as settings_of, pytest.raises(Denied):
        settings_of.update_views(str(app.id), {})
