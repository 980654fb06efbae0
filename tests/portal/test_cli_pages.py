"""The CLI page: the whole file, as one likes it, alone or in the file one has."""

from pathlib import Path

import pytest
from botocore.configloader import load_config
from django.test import Client

from accounts.cli.merging import BEGIN, END
from accounts.models import Account, AccountCliDefaults, CliPreference, User
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
NAMING = {"choice": "{account}-{set}", "is_kebab": "on", "region": "ap-northeast-1"}


@pytest.fixture
def user() -> User:
    return factories.make_user("花")


@pytest.fixture
def account(user: User) -> Account:
    """Two sets in 決済, one of them not there yet, and one of somebody else's."""
    factories.make_instance()
    account = factories.make_account("決済")
    factories.make_assignment(user, account=account, permission_set=factories.make_permission_set("ReadOnly"))
    factories.make_assignment(
        user, account=account, permission_set=factories.make_permission_set("Later"), state="requested", in_aws=False
    )
    factories.make_assignment(factories.get_principal(factories.make_person()))
    return account


@pytest.fixture
def client(user: User, account: Account) -> Client:
    return make_client(user)


def load(path: Path, text: str) -> dict[str, dict[str, str]]:
    target = path / "config"
    target.write_text(text, encoding="utf-8")
    profiles: dict[str, dict[str, str]] = load_config(str(target))["profiles"]
    return profiles


def test_botocore_finds_exactly_one_s_own_profiles(client: Client, account: Account, tmp_path: Path) -> None:
    response = client.get("/cli/config")
    assert response["Content-Disposition"] == 'attachment; filename="config"'
    assert list(load(tmp_path, response.content.decode())) == [f"ReadOnly-{account.account_id}"]


def test_names_and_region_are_kept_and_hold_wherever_a_profile_is_copied(client: Client, account: Account) -> None:
    AccountCliDefaults.objects.create(account=account, short_name="kessai", region="us-east-1")
    assert client.post("/cli/", NAMING).status_code == 302
    for address in ("/cli/", "/", f"/accounts/{account.account_id}/"):
        page = get_html(client, address)
        assert "[profile kessai-read-only]" in page, address
        assert "region = us-east-1" in page, address


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"choice": "own", "own": "{account}"}, "Write {set}"),
        ({"choice": "own", "own": ""}, "Write {set}"),
        ({"region": "tokyo"}, "That is no region"),
    ],
)
def test_wrong_choice_is_told_and_changes_nothing(client: Client, changed: dict[str, str], says: str) -> None:
    response = client.post("/cli/", NAMING | changed)
    assert says in response.content.decode()
    assert not CliPreference.objects.exists()
    assert all(value in response.content.decode() for value in changed.values())


def test_pattern_of_one_s_own_comes_back_in_its_field(client: Client, account: Account) -> None:
    client.post("/cli/", {"choice": "own", "own": "aws.{set}.{account}"})
    assert 'value="aws.{set}.{account}"' in get_html(client, "/cli/")
    assert f"[profile aws.ReadOnly.{account.account_id}]" in get_html(client, "/cli/config")


def test_profiles_go_into_the_file_one_has(client: Client, account: Account, tmp_path: Path) -> None:
    name = f"ReadOnly-{account.account_id}"
    current = f"[profile home]\nregion = x\n\n{BEGIN}\n[profile old]\nregion = y\n{END}\n"
    response = client.post("/cli/merge/", {"current": current, "only": [name]})
    page = response.content.decode()
    assert "Gone:" in page
    assert "<code>profile old</code>" in page
    download = client.post("/cli/merge/", {"current": current, "only": [name], "download": "1"})
    assert list(load(tmp_path, download.content.decode())) == ["home", name]


def test_only_one_s_own_profiles_can_be_chosen(client: Client, account: Account) -> None:
    response = client.post("/cli/merge/", {"current": "", "only": ["Later-000000000000"]})
    assert "Your new file" not in response.content.decode()
    response = client.post("/cli/merge/", {"current": "[profile mine]"})
    assert "Choose at least one." in response.content.decode()
    assert "[profile mine]" in response.content.decode()


def test_half_a_block_is_told(client: Client, account: Account) -> None:
    name = f"ReadOnly-{account.account_id}"
    response = client.post("/cli/merge/", {"current": BEGIN, "only": [name]})
    assert "marks is missing or doubled" in response.content.decode()
    response = client.post("/cli/merge/", {"current": BEGIN, "only": [name], "download": "1"})
    assert "attachment" not in response.get("Content-Disposition", "")


def test_whoever_may_enter_nothing_is_told(account: Account) -> None:
    stranger = make_client(factories.make_user())
    assert "You may not enter any account yet." in get_text(stranger, "/cli/")
    assert stranger.get("/cli/config").content == b""


def test_merging_needs_a_file(client: Client) -> None:
    assert client.get("/cli/merge/").status_code == 200
    assert client.delete("/cli/merge/").status_code == 405
    assert client.post("/cli/config").status_code == 405


def test_profiles_are_chosen_by_boxes_that_keep_what_was_chosen(client: Client, account: Account) -> None:
    box = f'<input type="checkbox" name="only" value="ReadOnly-{account.account_id}" id="id_only_0"'
    assert f"{box} checked" in get_html(client, "/cli/")
    refused = client.post("/cli/merge/", {"current": ""}).content.decode()
    assert "Choose at least one." in refused
    assert f'{box}  aria-invalid="true">' in refused
