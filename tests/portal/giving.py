"""A company in which access is given: accounts with owners, a set of ours, people and a group."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Account, AppKind, Group, OwnerEntry, PermissionSet, Person, User
from syncer.models import AppState
from syncer.records.schema import ASSIGNMENTS
from tests import factories
from tests.portal.pages import TAG

NEW = "/assignments/new/"


@dataclass
class Company:
    """koji owns shop-prod and shop-stg; bank-prod is somebody else's."""

    owner: User
    outsider: User
    shop: Account
    staging: Account
    bank: Account
    banker: Person
    permission_set: PermissionSet
    hana: Person
    taro: Person
    team: Group


def make_company() -> Company:
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields={name: name for name in ASSIGNMENTS.types})
    read = {"tags_read_at": timezone.now()}
    shop = factories.make_account("shop-prod", ou="service/shop/Production", **read)
    staging = factories.make_account("shop-stg", ou="service/shop/Development", stage="staging", **read)
    bank = factories.make_account("bank-prod", ou="service/bank/Production", **read)
    owner, banker = factories.make_user("林 浩二"), factories.make_person("山田 銀")
    for account, person in ((shop, owner), (staging, owner), (bank, banker)):
        OwnerEntry.objects.create(account=account, principal=factories.get_principal(person))
    record = factories.make_record(AppKind.PERMISSION_SET, title="Reader", in_force={"name": "Reader"})
    hana, taro = factories.make_person("佐藤 花"), factories.make_person("鈴木 太郎")
    return Company(
        owner, factories.make_user("橋本 隆"), shop, staging, bank, banker,
        factories.make_permission_set("Reader", record=record, description="参照のみ"), hana, taro,
        factories.make_group("team-shop", factories.get_principal(hana)),
    )  # fmt: skip


def fill(company: Company, *accounts: Account, **values: Any) -> dict[str, Any]:
    """What a browser sends of a form in which Hana gets Reader in these accounts."""
    return {
        "token": "a-form-that-was-opened", "account": [account.account_id for account in accounts or (company.shop,)],
        "permission_set": "Reader", "users": [company.hana.kintone_code], "expires_on": "", "note": "", "owners": [],
        **values,
    }  # fmt: skip


def say(response: Any) -> str:
    """What a page says, without tags."""
    assert response.status_code == 200, response.status_code
    return " ".join(TAG.sub(" ", unescape(response.content.decode())).split())


def check(client: Client, values: dict[str, Any], url: str = NEW) -> str:
    """The preview alone, as the script asks for it."""
    return say(client.post(url, {**values, "do": "preview"}))


def read_form(html: str) -> dict[str, Any]:
    """What a browser would send back of a page's form, without a button."""
    form = html[html.index("give-form") :]
    values: dict[str, Any] = {name: [] for name in ("account", "users", "more_users", "groups", "owners")}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and 'type="checkbox"' in tag:
            values[name[1]].append(unescape(value[1]) if value else "")
        elif name:
            values[name[1]] = unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea[^>]*name="([\w-]+)"[^>]*>\r?\n?(.*?)</textarea>', form, re.DOTALL):
        values[name] = unescape(text)
    selected = re.search(r'<option value="([^"]*)" selected', form)
    values["permission_set"] = unescape(selected[1]) if selected else ""
    values.pop("csrfmiddlewaretoken", None)
    return values
