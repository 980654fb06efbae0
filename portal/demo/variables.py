"""The environment of the demo's processes: what the machine gives, what the simulators say, nothing of the outside."""

import os
from collections.abc import Mapping
from urllib.parse import quote

from portal.demo.folder import DemoFolder

# The rest of the caller's environment stays out: his AWS keys, his proxies, the settings of another portal.
_KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")

# A `.env` beside manage.py is read by every process; what leads out of the demo is closed before that.
_CLOSED = (
    "AWS_ACCESS_PORTAL_URL", "AWS_CREDENTIAL_EXPIRATION", "AWS_SESSION_TOKEN", "ENTRA_CLIENT_CERTIFICATE",
    "ENTRA_CLIENT_KEY", "GITHUB_SYNC_ISSUE", "GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET",
    "IDENTITY_CENTER_INSTANCE_ARN", "IDENTITY_CENTER_ROLE_ARN", "KINTONE_ASSIGNMENT_FIELDS",
    "KINTONE_GUEST_SPACE_ID", "KINTONE_PERMISSION_SET_FIELDS", "SLACK_BOT_TOKEN", "SLACK_CHANNEL",
    "SLACK_WEBHOOK_URL",
)  # fmt: skip


def build_machine_environment() -> dict[str, str]:
    """What any program needs to run here, and no more."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONUNBUFFERED": "1"}


def build_portal_environment(folder: DemoFolder, port: int, simulators: Mapping[str, str]) -> dict[str, str]:
    """The settings of the portal, its worker and beat. `simulators` are the variables that the simulators name."""
    return {
        **build_machine_environment(),
        **dict.fromkeys(_CLOSED, ""),
        "SECRET_KEY": folder.secret_key(),
        "DEBUG": "false",
        "PUBLIC_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATABASE_URL": f"sqlite:///{quote(str(folder.database.resolve()))}",
        # Beside its own database, so that two demos never take each other's tasks.
        "CELERY_BROKER_URL": f"filesystem://{(folder.database.parent / 'broker').resolve()}",
        "CACHE_URL": "locmemcache://demo",
        "EMAIL_URL": "consolemail://",
        "LOG_FORMAT": "text",
        "SYNC_MODE": "apply",
        "KINTONE_WEBHOOK_TOKEN": folder.webhook_token(),
        # Just below the 20 requests a second at which AWS throttles: the simulator counts as exactly.
        "IDENTITY_CENTER_TPS": "18",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **simulators,
    }
