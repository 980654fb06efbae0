"""How old the mirror of kintone is, on the page of runs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AppKind
from syncer.gateways.kintone_usage import find_hour
from syncer.models import AppState, KintoneUsage
from tests import factories
from tests.portal.pages import get_text, make_client

pytestmark = pytest.mark.django_db


def show(**values: Any) -> str:
    now = timezone.now()
    read = {"read_at": now, "scanned_at": now - timedelta(minutes=7), "records": 1234}
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", **read | values)
    return get_text(make_client(factories.make_user()), "/runs/")


def test_page_says_how_old_the_mirror_is() -> None:
    KintoneUsage.objects.create(app_id="24", hour=find_hour(timezone.now()), requests=2345)
    text = show()
    assert "Assignments changes read just now all records 7 minutes ago 1,234 records" in text
    assert "2,345 of 10,000 requests today" in text


def test_page_says_what_went_wrong_and_what_to_do() -> None:
    text = show(error={"code": "kintone_token_refused", "params": {"app": "24"}})
    assert "kintone does not accept the API token of app 24." in text
    assert "Update App" in text


def test_page_counts_records_that_are_not_taken_for_gone() -> None:
    assert "2 records were not found and are not taken for gone" in show(missing=["24:1", "24:2"])


def test_app_that_was_never_read_is_not_there() -> None:
    assert "mirror of kintone" not in get_text(make_client(factories.make_user()), "/runs/")
