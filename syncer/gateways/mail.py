"""Mail, by the server that EMAIL_URL names: one message at a time, and each failure told apart by the server's code.

Django refuses a line break in a header, and an address that is none; both are errors of the message here, not of ours.
"""

import smtplib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection

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
from syncer.states import Reason

LONGEST_TEXT = 200  # characters of an answer that are kept
_OPERATION = "mail"


@dataclass(frozen=True)
class Mail:
    """One message. `headers` are those beside the usual ones."""

    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]


class Mailer:
    """Sends as the portal. Each message has a connection of its own: there are few, and one that is old may be dead."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Send it. Raises GatewayError, and nothing else."""
        with _translated(), _connected() as connection:
            message = EmailMultiAlternatives(
                mail.subject, mail.text, self._sender, [mail.to], headers=dict(mail.headers), connection=connection
            )
            message.attach_alternative(mail.html, "text/html")
            message.send()

    def check(self) -> None:
        """Connect and sign in; nothing is sent. Raises GatewayError, and nothing else."""
        with _translated(), _connected():
            pass


@contextmanager
def _connected() -> Iterator[Any]:
    """A connection that is open. Django leaves one open whose login was refused."""
    connection = get_connection()
    try:
        connection.open()
        yield connection
    finally:
        connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise _answered(Unauthenticated, "mail_login_refused", error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise _recipient_refused(error) from error
    except smtplib.SMTPResponseException as error:
        raise _judge(error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Invalid(_OPERATION, Reason("mail_not_supported"), "", str(error)[:LONGEST_TEXT]) from error
    except ValueError as error:  # an address that is none, a line break in a header
        raise Invalid(_OPERATION, Reason("mail_not_valid"), "", type(error).__name__) from error
    except smtplib.SMTPServerDisconnected as error:
        raise NoAnswer(_OPERATION, Reason("mail_unreachable", {"code": "disconnected"})) from error
    except (smtplib.SMTPException, OSError) as error:
        code = type(error).__name__
        raise Unreachable(_OPERATION, Reason("mail_unreachable", {"code": code}), code) from error


def _recipient_refused(error: smtplib.SMTPRecipientsRefused) -> GatewayError:
    """There is one recipient: what is said of him is said of the message."""
    code, text = next(iter(error.recipients.values()), (0, b""))
    return _answered(Unavailable if code < 500 else NotFound, "mail_recipient_refused", code, text)


def _judge(error: smtplib.SMTPResponseException) -> GatewayError:
    """4xx: later perhaps. 5xx: not as it is."""
    code, text = error.smtp_code, error.smtp_error
    if 400 <= code < 500:
        return _answered(Unavailable, "mail_unavailable", code, text)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _answered(Denied, "mail_sender_refused", code, text)
    if code in (530, 534, 535, 538):
        return _answered(Unauthenticated, "mail_login_refused", code, text)
    return _answered(Invalid, "mail_refused", code, text)


def _answered(kind: type[GatewayError], reason_code: str, code: int, text: bytes | str) -> GatewayError:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    words = " ".join(said.split())[:LONGEST_TEXT]
    return kind(_OPERATION, Reason(reason_code, {"code": str(code), "text": words}), str(code), words)
