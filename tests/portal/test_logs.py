"""What no log may hold."""

import logging
import runpy
from typing import Any

import pytest
from django.conf import settings

from portal.logs import MaskTokens

ADDRESS = "POST /webhooks/kintone/?token=s3cret-1&x=2 HTTP/1.1"


@pytest.mark.parametrize(("message", "arguments"), [('"%s" %d', (ADDRESS, 200)), (f"{ADDRESS} 100%", ())])
def test_token_of_an_address_is_masked(message: str, arguments: tuple[object, ...]) -> None:
    record = logging.LogRecord("django.server", logging.INFO, "", 0, message, arguments, None)
    assert MaskTokens().filter(record)
    assert "token=***&x=2 HTTP/1.1" in record.getMessage()
    assert "s3cret" not in record.getMessage()


def test_runserver_logs_through_the_mask() -> None:
    logging_settings: Any = settings.LOGGING
    assert logging_settings["loggers"]["django.server"]["handlers"] == ["stderr"]
    assert logging_settings["handlers"]["stderr"]["filters"] == ["mask"]


def test_gunicorn_logs_no_query() -> None:
    line = runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))["access_log_format"]
    assert "%(U)s" in line
    assert not any(part in line for part in ("%(r)s", "%(q)s", "%(f)s"))
