"""Reading the environment: typed values, secrets from files, and sentences that name what is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.environment import Reader, is_loopback, read_environment


def reader(**values: str) -> Reader:
    env = environ.Env()
    env.ENVIRON = dict(values)
    return Reader(env)


def test_missing_value_is_the_default() -> None:
    assert reader().text("NAME", "fallback") == "fallback"
    assert reader(NAME=" given ").text("NAME", "fallback") == "given"


def test_text_that_does_not_fit_is_refused_with_an_example() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"APP_ID: 'abc' cannot be understood. Example: APP_ID=24"):
        reader(APP_ID="abc").text("APP_ID", pattern=r"\d+", example="24")


def test_wrong_secret_is_not_repeated() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        reader(SLACK_BOT_TOKEN="hunter2").text("SLACK_BOT_TOKEN", pattern=r"xoxb-.+", example="xoxb-1")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("ON", True), ("no", False), ("", False)])
def test_flag(value: str, expected: bool) -> None:
    assert reader(FLAG=value).flag("FLAG") is expected


def test_flag_that_is_none_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="FLAG"):
        reader(FLAG="maybe").flag("FLAG")


@pytest.mark.parametrize("value", ["abc", "0", "1000", "2.5"])
def test_number_out_of_its_range_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="LIMIT"):
        reader(LIMIT=value).integer("LIMIT", 10, minimum=1, maximum=100)


def test_choice_names_what_there_is() -> None:
    with pytest.raises(ImproperlyConfigured, match="none of apply, plan"):
        reader(MODE="dry").choice("MODE", "apply", ("apply", "plan"))


def test_mapping_takes_japanese_field_codes() -> None:
    mapping = reader(FIELDS="name=許可セット名, owners=管理者").mapping("FIELDS", frozenset({"name", "owners"}), "")
    assert mapping == {"name": "許可セット名", "owners": "管理者"}


@pytest.mark.parametrize("value", ["name", "name=", "colour=色"])
def test_mapping_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="Known keys: name"):
        reader(FIELDS=value).mapping("FIELDS", frozenset({"name"}), "name=許可セット名")


def test_url_loses_its_last_slash() -> None:
    assert reader(URL="https://example.com/start/").url("URL", example="") == "https://example.com/start"


@pytest.mark.parametrize(
    "value", ["example.com", "ftp://example.com", "https://me@example.com", "https://example.com/?a=b", "https://"]
)
def test_url_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="URL"):
        reader(URL=value).url("URL", example="https://example.com")


def test_plain_http_stays_on_this_machine() -> None:
    assert reader(URL="http://localhost:8000").url("URL", example="") == "http://localhost:8000"
    with pytest.raises(ImproperlyConfigured, match="https"):
        reader(URL="http://genkan.example.com").url("URL", example="https://genkan.example.com")


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1", "http://[::1]:8000"])
def test_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["http://localhost.example.com", "http://10.0.0.1", "https://127.0.0.1.example.com"])
def test_not_loopback(url: str) -> None:
    assert not is_loopback(url)


# Files


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An environment of this test's own, as the reader leaves it."""
    values: dict[str, str] = {}
    monkeypatch.setattr("portal.environment.os.environ", values)
    monkeypatch.setattr(environ.Env, "ENVIRON", values)
    return values


def test_secret_comes_from_its_file(environment: dict[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n", encoding="utf-8")
    environment["KINTONE_ASSIGNMENT_API_TOKEN_FILE"] = str(secret)
    assert Reader(read_environment(tmp_path)).text("KINTONE_ASSIGNMENT_API_TOKEN") == "s3cret"


def test_given_value_goes_before_the_file(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file", encoding="utf-8")
    environment.update(METRICS_TOKEN="given", METRICS_TOKEN_FILE=str(tmp_path / "token"))
    assert Reader(read_environment(tmp_path)).text("METRICS_TOKEN") == "given"


def test_unreadable_file_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    environment["SECRET_KEY_FILE"] = str(tmp_path / "absent")
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY_FILE names .*absent"):
        read_environment(tmp_path)


def test_environment_goes_before_the_env_file(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TIME_ZONE=Europe/Paris\nLANGUAGE_CODE=en\n", encoding="utf-8")
    environment["TIME_ZONE"] = "Asia/Tokyo"
    read = Reader(read_environment(tmp_path))
    assert (read.text("TIME_ZONE"), read.text("LANGUAGE_CODE")) == ("Asia/Tokyo", "en")


@pytest.mark.parametrize("value", ["Asia/Tokio", "/etc/localtime", "Asia", "JST-9"])
def test_time_zone_that_is_none_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TIME_ZONE=Asia/Tokyo"):
        reader(TIME_ZONE=value).zone("TIME_ZONE", "Asia/Tokyo")


def read_mail(url: str) -> dict[str, Any]:
    return reader(EMAIL_URL=url).mail("EMAIL_URL", "consolemail://", example="smtp://localhost:25")


def test_mail_has_its_server_and_its_sender() -> None:
    found = read_mail("smtp+tls://genkan:p%40ss@smtp.example.com:587/?from=Genkan+%3Cgenkan@example.com%3E")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == ("smtp.example.com", 587, True)
    assert (found["EMAIL_HOST_PASSWORD"], found["DEFAULT_FROM_EMAIL"]) == ("p@ss", "Genkan <genkan@example.com>")
    assert read_mail("smtp://localhost:25")["DEFAULT_FROM_EMAIL"] == ""


@pytest.mark.parametrize(
    "url",
    [
        "carrier-pigeon://hunter2@roof",
        "smtp://localhost:25/?form=genkan@example.com",
        "smtp://localhost:25/?from=genkan",
        "smtp://localhost:25/?from=genkan@example.com%0ABcc:everybody@example.com",
        "smtp://localhost:port",
    ],
)
def test_mail_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as refusal:
        read_mail(url)
    assert "hunter2" not in str(refusal.value)
