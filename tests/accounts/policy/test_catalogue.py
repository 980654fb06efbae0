"""Names that AWS has published: looked up one service at a time, and never a reason to fail."""

from collections.abc import Iterator
from datetime import date

import pytest

from accounts.policy import catalogue, keys
from accounts.policy.catalogue import find_service
from accounts.policy.validator import validate_policy
from tests.accounts.policy.bad_policies import GOOD


def test_service_is_found_whatever_its_case() -> None:
    assert find_service("S3") is find_service("s3")
    assert find_service("nobody") is None


def test_pattern_stands_for_the_actions_it_matches() -> None:
    service = find_service("sqs")
    assert service is not None
    assert [action.full_name for action in service.expand("SEND*e")] == ["sqs:SendMessage"]
    assert {action.level for action in service.expand("*")} >= {"Read", "Write", "Tagging", "Permissions"}
    assert service.expand("nothing") == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aws:SourceIp", "IPAddress"),
        ("AWS:currenttime", "Date"),
        ("aws:PrincipalTag/team/part", "String"),
        ("s3:ExistingObjectTag/owner", "String"),
        ("s3:prefix", "String"),
        ("secretsmanager:ResourceTag/aws:cloudformation:stack-name", "String"),
        ("kms:EncryptionContext:purpose", "String"),
        ("saml:aud", "String"),
    ],
)
def test_condition_key_is_known_with_its_type(name: str, kind: str) -> None:
    key = keys.find_key(name)
    assert key is not None
    assert key.type == kind


@pytest.mark.parametrize("name", ["aws:Nothing", "s3:nothing", "nobody:key", "aws:RequestTag/"])
def test_unknown_condition_key_is_none(name: str) -> None:
    assert keys.find_key(name) is None


def test_data_has_a_date() -> None:
    day = catalogue.find_date()
    assert day is not None
    assert date(2026, 1, 1) < day


@pytest.fixture
def _no_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the package were not installed."""
    caches = (catalogue.is_there, catalogue.list_prefixes, catalogue.find_date, catalogue._open_service,
              catalogue._known_prefixes, catalogue._list_foreign_keys, catalogue._expand, keys.find_key)  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "_PACKAGE", "no_such_package")
        for each in caches:
            each.cache_clear()
        yield
    for each in caches:
        each.cache_clear()


@pytest.mark.usefixtures("_no_data")
def test_without_data_names_are_said_to_be_unchecked() -> None:
    condition = ', "Condition": {"Bool": {"nobody:x": "true"}}}]'
    text = GOOD.replace("s3:GetObject", "nobody:Nothing").replace("}]", condition)
    assert [(finding.code, finding.severity) for finding in validate_policy(text)] == [("NAMES_NOT_CHECKED", "hint")]
    assert catalogue.find_date() is None
