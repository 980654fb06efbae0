"""The cast and the ground of all tests.

The environment is set before Django reads its settings, so that a developer's own `.env` never reaches a test.
"""

import os
import re

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as examples

_TEST_ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "PUBLIC_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "ENTRA_TENANT_ID": "11111111-1111-4111-8111-111111111111",
    "ENTRA_CLIENT_ID": "22222222-2222-4222-8222-222222222222",
    "ENTRA_CLIENT_SECRET": "only-for-tests",
    "ENTRA_AUTHORITY_HOST": "https://login.microsoftonline.com",
    "KINTONE_BASE_URL": "https://kintone.invalid",
    "KINTONE_PERMISSION_SET_APP_ID": "23",
    "KINTONE_PERMISSION_SET_API_TOKEN": "permission-set-token",
    "KINTONE_ASSIGNMENT_APP_ID": "24",
    "KINTONE_ASSIGNMENT_API_TOKEN": "assignment-token",
    "IDENTITY_CENTER_REGION": "ap-northeast-1",
    "AWS_ACCESS_PORTAL_URL": "https://example.awsapps.com/start",
    "LANGUAGE_CODE": "ja",
    "LOG_FORMAT": "text",
    "CELERY_BROKER_URL": "memory://",
}
_KEPT = {"DATABASE_URL", "CACHE_URL"} | ({"CELERY_BROKER_URL"} if "TEST_REDIS_URL" in os.environ else set())
for _name, _value in _TEST_ENVIRONMENT.items():
    if _name not in _KEPT or _name not in os.environ:
        os.environ[_name] = _value
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
# A worker of xdist has a cache and a broker of its own, as it has a database: a test empties its cache.
if "PYTEST_XDIST_WORKER" in os.environ:
    _first = 2 * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    for _number, _name in enumerate(("CACHE_URL", "CELERY_BROKER_URL"), start=_first):
        if os.environ.get(_name, "").startswith("redis://"):
            os.environ[_name] = re.sub(r"/0$", f"/{_number}", os.environ[_name])
for _name in [name for name in os.environ if name.startswith(("SLACK_", "GITHUB_", "AWS_ENDPOINT_URL"))]:
    del os.environ[_name]
os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_EC2_METADATA_DISABLED="true")
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"

# A busy machine is slow to make examples, and to run them: that says nothing of the code. Each run has other examples.
examples.register_profile("busy", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy")


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Read the settings now that the environment is set: pytest-django sets Django up only if somebody has."""
    assert settings.DATABASES  # reading one setting reads them all
