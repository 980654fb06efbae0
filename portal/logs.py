"""How a line of the log looks, and what none may hold: a secret.

One line an event on standard error: JSON for machines, text for people. Both say what the work belonged to. Secrets
are masked where the line is made, so in messages, values and tracebacks alike, whoever wrote them.
"""

import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from accounts.tracing import current_ids

STARS = "***"
SHORTEST = 8  # characters: a shorter secret is a word, and masking it would tell where it stands

# What looks like a secret, whoever gave it: a token in an address, what signs a request.
_TOKEN = re.compile(r"([?&](?:token|code|access_token|id_token|client_secret)=)[^&\s\"']+")
_SIGNATURE = re.compile(r"\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.ASCII)

# Whole objects that Django and Celery hand to handlers beside the message, which says what matters of them.
_NOT_TOLD = ("request", "data", "ids")


class Mask:
    """Puts stars in the place of secrets. `secrets` are those of the settings, in each way that they are written."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        if self._known:
            text = self._known.sub(STARS, text)
        return _SIGNATURE.sub(rf"\1{STARS}", _TOKEN.sub(rf"\1{STARS}", text))

    def value(self, value: Any) -> Any:
        """The same of whatever a line may carry, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return value if isinstance(value, int | float | None) else self.text(str(value))


class TextLines(logging.Formatter):
    """For people: time, level, logger, message, and in brackets what it belongs to."""

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s%(ids)s")
        self._mask = Mask(secrets)

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in current_ids().items())
        record.ids = f" [{ids}]" if ids else ""
        return self._mask.text(super().format(record))


class JsonLines(JsonFormatter):
    """For machines: `time` (UTC), `level`, `logger`, `message`, what it belongs to, what came with it, a traceback."""

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
            reserved_attrs=[*RESERVED_ATTRS, *_NOT_TOLD],
            json_ensure_ascii=False,
        )
        self._mask = Mask(secrets)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        masked: dict[str, Any] = self._mask.value(log_data)
        return masked

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC)
        log_data["time"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        super().add_fields(log_data, record, message_dict)
        log_data.update(current_ids())
