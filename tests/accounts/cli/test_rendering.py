"""What is written is what the AWS CLI reads."""

from pathlib import Path

import pytest
from botocore.configloader import load_config

from accounts.cli.naming import AccountRole, name_profiles
from accounts.cli.rendering import is_region, render_config

PORTAL = "https://example.awsapps.com/start"


def test_botocore_reads_what_we_write(tmp_path: Path) -> None:
    profiles = name_profiles(
        [
            AccountRole("012345678901", "payments-prod", "Read+Only"),
            AccountRole("123456789012", "決済 検証", "Deploy", region="us-east-1"),
        ]
    )
    path = tmp_path / "config"
    path.write_text(render_config(PORTAL, "ap-northeast-1", profiles, region="eu-central-1"), encoding="utf-8")
    config = load_config(str(path))
    assert config["sso_sessions"] == {
        "genkan": {
            "sso_start_url": PORTAL,
            "sso_region": "ap-northeast-1",
            "sso_registration_scopes": "sso:account:access",
        }
    }
    assert config["profiles"] == {
        "Read-Only-012345678901": {
            "sso_session": "genkan",
            "sso_account_id": "012345678901",
            "sso_role_name": "Read+Only",
            "region": "eu-central-1",
        },
        "Deploy-123456789012": {
            "sso_session": "genkan",
            "sso_account_id": "123456789012",
            "sso_role_name": "Deploy",
            "region": "us-east-1",
        },
    }


def test_region_is_left_out_when_not_given() -> None:
    text = render_config(PORTAL, "ap-northeast-1", name_profiles([AccountRole("123456789012", "a", "X")]))
    assert "\nregion" not in text


def test_hostile_account_name_stays_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "config"
    profiles = name_profiles([AccountRole("123456789012", "a\n[default]\ncredential_process = evil", "X")])
    path.write_text(render_config(PORTAL, "ap-northeast-1", profiles), encoding="utf-8")
    assert list(load_config(str(path))["profiles"]) == ["X-123456789012"]


@pytest.mark.parametrize(
    ("name", "expected"), [("ap-northeast-1", True), ("us-gov-west-1", True), ("x", False), ("a-b\nc-1", False)]
)
def test_regions_are_told_from_other_text(name: str, expected: bool) -> None:
    assert is_region(name) is expected
