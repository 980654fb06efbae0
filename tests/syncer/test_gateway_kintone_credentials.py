"""Who asks kintone and what comes through: credentials, texts, refusals; against the simulated domain."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.kintone import App, Fault, KintoneWorld
from simulators.serving import Response, Serving
from syncer.gateways.errors import (
    GatewayError,
    Invalid,
    NoAnswer,
    OutcomeUnknown,
    Permanent,
    Temporary,
    Unauthenticated,
    Unavailable,
)
from syncer.gateways.kintone import KintoneApp
from syncer.gateways.kintone_credentials import ApiTokens, Bearer, Credentials, Password

TEXT = {"type": "SINGLE_LINE_TEXT"}
COMMENT = "/k/v1/record/comment.json"
SCOPES = ("k:app_record:read", "k:app_record:write", "k:app_settings:read", "k:app_settings:write")


@pytest.fixture
def app(kintone_world: KintoneWorld) -> App:
    kintone_world.add_user("hana", "花", email="hana@example.com", password="秘密")
    app = kintone_world.add_app("割当", {"account_id": {**TEXT, "required": True}, "note": {"type": "MULTI_LINE_TEXT"}})
    app.add_record({"account_id": "000000000001"})
    return app


@pytest.fixture
def writer(kintone_world: KintoneWorld, kintone_url: str, app: App, pauses: list[float]) -> Iterator[KintoneApp]:
    token = kintone_world.add_token([app.id], ("view", "add", "edit"))
    with KintoneApp(kintone_url, str(app.id), (token,), sleep=pauses.append) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["tokens", "password", "bearer"])
def test_all_kinds_of_credentials_are_understood(
    kind: str, kintone_world: KintoneWorld, kintone_url: str, app: App
) -> None:
    credentials: dict[str, tuple[Credentials, str]] = {
        "tokens": (ApiTokens((kintone_world.add_token([app.id], ("add",)),)), "Administrator"),
        "password": (Password("hana", "秘密"), "hana"),
        "bearer": (Bearer(kintone_world.add_oauth_token("hana", SCOPES)), "hana"),
    }
    chosen, author = credentials[kind]
    with KintoneApp(kintone_url, str(app.id), chosen) as opened:
        written = opened.create_record({"account_id": "2"})
    creators = [field for field in app.record(int(written.record_id)).values() if field["type"] == "CREATOR"]
    assert creators[0]["value"]["code"] == author


@pytest.mark.parametrize("credentials", [Password("hana", "wrong"), Bearer("wrong"), ApiTokens(("wrong",)), Bearer("")])
def test_wrong_credentials_are_refused(credentials: Credentials, kintone_url: str, app: App) -> None:
    with KintoneApp(kintone_url, str(app.id), credentials) as opened, pytest.raises(Unauthenticated):
        opened.count_records()
    assert opened.calls.total() == 1


def test_secrets_are_not_shown() -> None:
    shown = repr((ApiTokens(("secret",)), Password("hana", "secret"), Bearer("secret")))
    assert "secret" not in shown


def test_ten_tokens_are_too_many() -> None:
    with pytest.raises(ValueError, match="9 API tokens"):
        ApiTokens(tuple("abcdefghij"))


def test_guest_space_is_read_and_written(kintone_world: KintoneWorld, kintone_url: str) -> None:
    guest = kintone_world.add_app("割当", {"note": TEXT}, guest_space=12)
    token = kintone_world.add_token([guest.id], ("view", "add"))
    with KintoneApp(kintone_url, str(guest.id), (token,), guest_space_id="12") as app:
        app.create_record({"note": "a"})
        assert app.count_records() == 1
    with KintoneApp(kintone_url, str(guest.id), (token,)) as app, pytest.raises(Invalid) as caught:
        app.count_records()
    assert caught.value.reason.code == "kintone_guest_space"


# What is written


@pytest.mark.parametrize("note", ["🗝️ 鍵 👩‍💻 𠮷野家\n\t\"'\\", "記" * 60_000])
def test_any_text_comes_back_as_it_was(note: str, writer: KintoneApp) -> None:
    written = writer.create_record({"account_id": "2", "note": note})
    assert writer.fetch_record(written.record_id)["note"]["value"] == note


def test_lookup_key_that_is_gone_is_told_as_such(kintone_world: KintoneWorld, kintone_url: str) -> None:
    sets = kintone_world.add_app("許可セット", {"name": {**TEXT, "unique": True}})
    lookup = {"relatedApp": {"app": str(sets.id)}, "relatedKeyField": "name", "fieldMappings": []}
    app = kintone_world.add_app("割当", {"permission_set": {**TEXT, "lookup": lookup}})
    sets.add_record({"name": "Reader"})
    tokens = tuple(kintone_world.add_token([one.id], ("view", "add")) for one in (app, sets))
    with KintoneApp(kintone_url, str(app.id), tokens) as opened:
        opened.create_record({"permission_set": "Reader"})
        sets.delete_records([1])
        with pytest.raises(Invalid) as caught:
            opened.create_record({"permission_set": "Reader"})
    assert caught.value.reason.code == "kintone_lookup_missing"


def test_update_that_landed_without_an_answer_is_not_sent_again(
    writer: KintoneApp, kintone_world: KintoneWorld, app: App
) -> None:
    kintone_world.faults.add(Fault(method="PUT", hang_up=True))
    with pytest.raises(NoAnswer):
        writer.update_record("1", {"note": "new"}, revision=1)
    assert app.record(1)["$revision"]["value"] == "2"
    assert writer.calls.total() == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"code": "GAIA_SI01", "status": 520}, Permanent),
        ({"status": 520, "text": "<html>unknown error</html>"}, Unavailable),
        ({"status": 503, "text": "Service Unavailable"}, Unavailable),
    ],
)
def test_old_status_with_a_code_is_a_refusal(
    fault: dict[str, Any], kind: type[GatewayError], writer: KintoneApp, kintone_world: KintoneWorld
) -> None:
    kintone_world.faults.add(Fault(**fault))
    with pytest.raises(kind) as caught:
        writer.create_record({"account_id": "2"})
    assert isinstance(caught.value, Temporary) == (kind is Unavailable)


@pytest.mark.parametrize(
    "answer",
    [
        Response.text("<html>Sign in</html>", content_type="text/html"),
        Response.text("Not Found", 404),
        Response(302, b"", (("Location", "https://login.example.com/"),)),
    ],
)
def test_write_that_somebody_else_answered_is_of_unknown_outcome(answer: Response) -> None:
    with (
        Serving(lambda _request: answer) as serving,
        KintoneApp(serving.url, "2", ("token",)) as app,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        app.create_record({"account_id": "2"})
    assert (caught.value.reason.code, app.calls.total()) == ("kintone_not_kintone", 1)
