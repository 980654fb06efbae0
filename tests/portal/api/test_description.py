"""The API keeps to its own description, whatever is sent: asked by schemathesis, which is not ours."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from syncer import tasks
from tests import factories
from tests.portal.api.scripts import API, make_client
from tests.portal.giving import make_company

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
EXAMPLES = 8  # of each operation; a run of some hundreds finds nothing more


@pytest.fixture
def _connection_stays() -> Iterator[None]:
    """A request closes a connection that is in a transaction, as a test's is; Django's own client sees to it, too."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def ask(operation: APIOperation[Any, Any, Any, Any], authorization: str) -> None:
    """Ask one operation many things, well formed and not."""

    @settings(
        max_examples=EXAMPLES, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask_once(case: Case[Any]) -> None:
        cache.clear()
        response = case.call(headers={"Authorization": authorization})
        case.validate_response(response, checks=CHECKS)

    ask_once()


@pytest.mark.usefixtures("_connection_stays")
def test_answers_are_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_send", lambda *_task: None)
    company = make_company()
    factories.make_instance()
    factories.make_assignment(company.owner, account=company.shop, permission_set=company.permission_set)
    authorization = make_client(company.owner, "write").defaults["HTTP_AUTHORIZATION"]
    schema = schemathesis.openapi.from_wsgi(f"{API}openapi.json", get_wsgi_application())
    asked = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in asked:
        ask(operation, authorization)
    assert len(asked) >= 14
