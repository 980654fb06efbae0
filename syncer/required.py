"""Which settings each entry point cannot do without, and the sentence when one is missing."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_EXAMPLES = {
    "web": {
        "SECRET_KEY": "the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
        "ENTRA_TENANT_ID": "11111111-1111-4111-8111-111111111111",
        "ENTRA_CLIENT_ID": "22222222-2222-4222-8222-222222222222",
    },
    "kintone": {
        "KINTONE_BASE_URL": "https://example.cybozu.com",
        "KINTONE_PERMISSION_SET_APP_ID": "23",
        "KINTONE_PERMISSION_SET_API_TOKEN": "the token of that app, with the right to view records",
        "KINTONE_ASSIGNMENT_APP_ID": "24",
        "KINTONE_ASSIGNMENT_API_TOKEN": "the token of that app, with the right to view records",
    },
    "kintone_setup": {
        "KINTONE_BASE_URL": "https://example.cybozu.com",
        "KINTONE_USERNAME": "the login name of somebody who may create apps",
        "KINTONE_PASSWORD": "the password that goes with it",
    },
    "aws": {"IDENTITY_CENTER_REGION": "ap-northeast-1"},
}


def find_missing(*groups: str) -> list[str]:
    """A sentence for each setting that these groups (`web`, `kintone`, `kintone_setup`, `aws`) lack."""
    missing = [
        f"{name} is not set. Example: {name}={example}"
        for group in groups
        for name, example in _EXAMPLES[group].items()
        if _is_empty(name)
    ]
    certificate = settings.ENTRA_CLIENT_CERTIFICATE and settings.ENTRA_CLIENT_KEY
    if "web" in groups and not (settings.ENTRA_CLIENT_SECRET or certificate):
        missing.append(
            "ENTRA_CLIENT_SECRET is not set, nor are ENTRA_CLIENT_CERTIFICATE and ENTRA_CLIENT_KEY. "
            "Give the secret of the app registration, or its certificate and key as PEM."
        )
    return missing


def _is_empty(name: str) -> bool:
    try:
        return not getattr(settings, name)
    except ImproperlyConfigured:
        if name != "SECRET_KEY":
            raise
        return True  # Django gives no empty one away


def require_settings(*groups: str) -> None:
    """Raise ImproperlyConfigured, naming everything that is missing at once."""
    missing = find_missing(*groups)
    if missing:
        raise ImproperlyConfigured("\n".join(missing))
