"""Reading the environment: values, files named by `NAME_FILE`, and sentences for what is missing or wrong.

Only `portal.settings` imports this.
"""

import os
import re
import warnings
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SENDER = re.compile(r"[^@<>\s]+@[^@<>\s]+|[^<>\r\n]+<[^@<>\s]+@[^@<>\s]+>")
_ENGINES = frozenset({"django.db.backends.postgresql", "django.db.backends.sqlite3"})
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


def read_environment(base_dir: Path) -> environ.Env:
    """The environment with `.env` behind it, and every `NAME_FILE` replaced by what the file holds."""
    environ.Env.read_env(base_dir / ".env", overwrite=False) if (base_dir / ".env").is_file() else None
    for name in [name for name in os.environ if name.endswith("_FILE") and name.removesuffix("_FILE") in SECRETS]:
        _read_secret(name)
    return environ.Env()


SECRETS = frozenset({
    "SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "EMAIL_URL",
    "METRICS_TOKEN",
    "ENTRA_CLIENT_SECRET", "ENTRA_CLIENT_CERTIFICATE", "ENTRA_CLIENT_KEY",
    "KINTONE_PERMISSION_SET_API_TOKEN", "KINTONE_ASSIGNMENT_API_TOKEN", "KINTONE_USERS_API_TOKEN",
    "KINTONE_USERNAME", "KINTONE_PASSWORD", "KINTONE_WEBHOOK_TOKEN",
    "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET",
})  # fmt: skip


# Secrets that boto3 reads by itself.
_AWS_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
# Addresses of which only the password is a secret.
_ADDRESSES = frozenset({"DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "EMAIL_URL"})


def list_secrets() -> frozenset[str]:
    """Every secret of this environment, in each way that a log might write it."""
    given = {name: os.environ.get(name, "") for name in (*SECRETS, *_AWS_SECRETS)}
    found = {part for name, value in given.items() for part in _split_secret(name, value)}
    found.add(b64encode(f"{given['KINTONE_USERNAME']}:{given['KINTONE_PASSWORD']}".encode()).decode())
    ways = (str, quote_plus, lambda text: quote(text, safe=""), lambda text: repr(text)[1:-1])
    return frozenset(way(text) for text in found if text for way in ways)


def _split_secret(name: str, value: str) -> Iterator[str]:
    parts = urlsplit(value) if name in _ADDRESSES or name == "SLACK_WEBHOOK_URL" else None
    if name in _ADDRESSES and parts:
        yield from (parts.password or "", unquote(parts.password or ""))
        return
    yield from (value, value.replace("\\n", "\n"))
    if parts:
        yield parts.path  # a library that cannot connect writes the path alone
    if name == "SECRET_KEY_FALLBACKS":
        yield from (key.strip() for key in value.split(","))


def _read_secret(file_variable: str) -> None:
    name, path = file_variable.removesuffix("_FILE"), Path(os.environ[file_variable])
    try:
        os.environ.setdefault(name, path.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise ImproperlyConfigured(
            f"{file_variable} names {path}, which cannot be read ({error.strerror}). "
            f"Give the path of a file that holds the value of {name}, e.g. /run/secrets/{name.lower()}."
        ) from error


def wrong(name: str, value: str, example: str) -> ImproperlyConfigured:
    """The sentence for a value that cannot be understood. Secrets are not repeated."""
    shown = "the given value" if name in SECRETS else repr(value)
    return ImproperlyConfigured(f"{name}: {shown} cannot be understood. Example: {name}={example}")


class Reader:
    """Typed values of the environment; each error names the variable and an example."""

    def __init__(self, env: environ.Env) -> None:
        self.env = env

    def text(self, name: str, default: str = "", *, pattern: str = "", example: str = "") -> str:
        value = str(self.env.str(name, default=default)).strip()
        if value and pattern and not re.fullmatch(pattern, value, re.ASCII):
            raise wrong(name, value, example or default)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = str(self.env.str(name, default=str(default))).strip().lower()
        if value not in _TRUE | _FALSE:
            raise wrong(name, value, "true")
        return value in _TRUE

    def number(self, name: str, default: float, *, minimum: float, maximum: float) -> float:
        value = self.env.str(name, default="").strip() or str(default)
        try:
            number = float(value)
        except ValueError as error:
            raise wrong(name, value, str(default)) from error
        if not minimum <= number <= maximum:
            raise ImproperlyConfigured(
                f"{name}: {value} is not from {minimum:g} to {maximum:g}. Example: {name}={default}"
            )
        return number

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        number = self.number(name, default, minimum=minimum, maximum=maximum)
        if number != int(number):
            raise wrong(name, str(number), str(default))
        return int(number)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default) or default
        if value not in choices:
            raise ImproperlyConfigured(f"{name}: {value!r} is none of {', '.join(choices)}. Example: {name}={default}")
        return value

    def moment(self, name: str, *, example: str) -> datetime | None:
        """A time with its zone, as ISO 8601 has it."""
        value = self.text(name)
        try:
            found = datetime.fromisoformat(value) if value else None
        except ValueError as error:
            raise wrong(name, value, example) from error
        if found and found.tzinfo is None:
            raise wrong(name, value, example)
        return found

    def zone(self, name: str, default: str) -> str:
        """A time zone by its name in the IANA database."""
        value = self.text(name, default) or default
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # such as a path, or a folder of zones
            raise wrong(name, value, default) from error
        return value

    def mail(self, name: str, default: str, *, example: str) -> dict[str, Any]:
        """Django's settings for mail. `?from=` is the address that the portal sends as."""
        try:
            found: dict[str, Any] = dict(self.env.email_url(name, default=default))
        except (ImproperlyConfigured, ValueError, KeyError) as error:
            raise wrong(name, "", example) from error
        options = found.pop("OPTIONS", {})
        sender = str(options.pop("FROM", ""))
        if options or (sender and not _SENDER.fullmatch(sender)):
            raise wrong(name, "", f"{example}?from=genkan@example.com")
        return {**found, "DEFAULT_FROM_EMAIL": sender}

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings for a database. The engines are those that the portal is tried on."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an engine that is not known, which is an error here
            found: dict[str, Any] = dict(self.env.db_url_config(self.text(name, default) or default))
        if found.get("ENGINE") not in _ENGINES:
            raise wrong(name, "", "postgres://genkan:password@postgres.example.com:5432/genkan")
        return found

    def cache(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings for a cache."""
        try:
            return dict(self.env.cache_url_config(self.text(name, default) or default))
        except (ImproperlyConfigured, ValueError, KeyError) as error:
            raise wrong(name, "", "redis://redis.example.com:6379/1") from error

    def names(self, name: str, default: str = "") -> tuple[str, ...]:
        """A comma-separated list."""
        return tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def mapping(self, name: str, keys: frozenset[str], example: str) -> dict[str, str]:
        """`key=value,key=value`, of known keys."""
        pairs: dict[str, str] = {}
        for part in self.names(name):
            key, separator, value = (piece.strip() for piece in part.partition("="))
            if not separator or not value or key not in keys:
                known = ", ".join(sorted(keys))
                raise ImproperlyConfigured(
                    f"{name}: {part!r} cannot be understood. Known keys: {known}. Example: {name}={example}"
                )
            pairs[key] = value
        return pairs

    def url(self, name: str, default: str = "", *, example: str) -> str:
        """An https URL without a trailing slash; http only on this machine."""
        value = self.text(name, default).rstrip("/")
        if not value:
            return ""
        parts = urlsplit(value)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise wrong(name, value, example)
        if parts.scheme == "http" and not is_loopback(value):
            raise ImproperlyConfigured(
                f"{name}: {value} must use https (http only on localhost). Example: {name}={example}"
            )
        return value


def is_loopback(url: str) -> bool:
    """The URL leads to this very machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK_NAMES
