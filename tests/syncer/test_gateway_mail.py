"""The gateway to mail against a server: what arrives, and which error each refusal is."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from syncer.gateways.errors import (
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from syncer.gateways.mail import Mail, Mailer
from tests.syncer.smtp import SmtpSimulator, serve_smtp


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[SmtpSimulator, int]]:
    simulator = SmtpSimulator()
    with serve_smtp(simulator) as port:
        yield simulator, port


@pytest.fixture
def smtp(server: tuple[SmtpSimulator, int], settings: Settings) -> SmtpSimulator:
    simulator, port = server
    simulator.mails, simulator.recipients, simulator.refusals = [], [], {}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "", ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    return simulator


@pytest.fixture
def mailer() -> Mailer:
    return Mailer("Genkan <genkan@example.com>")


def make_mail(**values: Any) -> Mail:
    defaults: dict[str, Any] = {
        "to": "hana@example.com", "subject": "アクセスの変更", "text": "本文", "html": "<p>本文</p>",
        "headers": {"Message-ID": "<a@example.com>"},
    }  # fmt: skip
    return Mail(**defaults | values)


def refuse(mailer: Mailer, **values: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        mailer.send(make_mail(**values))
    return caught.value


def test_mail_arrives_as_text_and_page(smtp: SmtpSimulator, mailer: Mailer) -> None:
    mailer.send(make_mail())
    [mail] = smtp.mails
    assert (mail["Subject"], mail["From"], mail["Message-ID"]) == (
        "アクセスの変更", "Genkan <genkan@example.com>", "<a@example.com>",
    )  # fmt: skip
    assert smtp.recipients == ["hana@example.com"]
    assert (smtp.texts[0].strip(), smtp.pages[0].strip()) == ("本文", "<p>本文</p>")


@pytest.mark.parametrize(
    ("command", "answer", "kind", "code"),
    [
        ("RCPT", "550 no such user", NotFound, "mail_recipient_refused"),
        ("RCPT", "450 greylisted", Unavailable, "mail_recipient_refused"),
        ("MAIL", "553 not your address", Denied, "mail_sender_refused"),
        ("MAIL", "451 later", Unavailable, "mail_unavailable"),
        ("MAIL", "530 sign in first", Denied, "mail_sender_refused"),
        (".", "554 looks like spam", Invalid, "mail_refused"),
        (".", "452 full", Unavailable, "mail_unavailable"),
        ("DATA", "421 closing", Unavailable, "mail_unavailable"),
        ("MAIL", "", NoAnswer, "mail_unreachable"),
    ],
)
def test_refusals_are_told_apart_by_their_code(
    smtp: SmtpSimulator, mailer: Mailer, command: str, answer: str, kind: type[GatewayError], code: str
) -> None:
    smtp.refusals[command] = answer
    error = refuse(mailer)
    assert (type(error), error.reason.code) == (kind, code)
    assert smtp.mails == []


def test_wrong_password_is_no_credentials(smtp: SmtpSimulator, mailer: Mailer, settings: Settings) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "genkan", "wrong-secret"
    smtp.refusals["AUTH"] = "535 authentication failed"
    error = refuse(mailer)
    assert (type(error), error.reason.code) == (Unauthenticated, "mail_login_refused")
    assert "wrong-secret" not in str(error)


def test_server_that_is_not_there_is_temporary(smtp: SmtpSimulator, mailer: Mailer, settings: Settings) -> None:
    settings.EMAIL_PORT = 1
    assert isinstance(refuse(mailer), Unreachable)


@pytest.mark.parametrize(
    "values",
    [
        {"subject": "hello\nBcc: everybody@example.com"},
        {"to": "hana@example.com\nBcc: everybody@example.com"},
        {"headers": {"X-Run": "1\r\nBcc: everybody@example.com"}},
    ],
)
def test_line_break_makes_no_header(smtp: SmtpSimulator, mailer: Mailer, values: dict[str, Any]) -> None:
    assert refuse(mailer, **values).reason.code == "mail_not_valid"
    assert (smtp.mails, smtp.recipients) == ([], [])


def test_check_signs_in_and_sends_nothing(smtp: SmtpSimulator, mailer: Mailer) -> None:
    mailer.check()
    assert smtp.recipients == []
    smtp.refusals["OPEN"] = "421 closing"
    with pytest.raises(GatewayError):
        mailer.check()
