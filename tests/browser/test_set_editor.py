"""Defining a permission set as a person does it: mistyping, seeing it, mending it, and finding the set in AWS."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_accessibility import find_violations
from tests.browser.visiting import ADMIN, DEVELOPER, sign_in

pytestmark = pytest.mark.timeout(300)
NEW = "/permission-sets/new/"
LINES = (
    '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Effect": "Allow",\n'
    '      "Action": ["s3:GetObject"],\n      "Resource": "arn:aws:s3:::kaikei-archive/*"\n    },\n  ]\n}'
)


@pytest.fixture
def find_in_aws(demo_folder: Path) -> Callable[[str], dict[str, Any]]:
    """The inline policy of a set by its name, asked of AWS itself."""

    def find(name: str) -> dict[str, Any]:
        said = json.loads((demo_folder / "answers" / "aws.json").read_text())
        client = boto3.client(
            "sso-admin", endpoint_url=said["url"], region_name=said["region"],
            aws_access_key_id=said["access_key_id"], aws_secret_access_key=said["secret_access_key"],
        )  # fmt: skip
        instance = {"InstanceArn": said["instance_arn"]}
        arns = [
            arn
            for page in client.get_paginator("list_permission_sets").paginate(**instance)
            for arn in page["PermissionSets"]
        ]
        described = (client.describe_permission_set(**instance, PermissionSetArn=arn)["PermissionSet"] for arn in arns)
        found = next(each for each in described if each["Name"] == name)
        answer = client.get_inline_policy_for_permission_set(**instance, PermissionSetArn=found["PermissionSetArn"])
        policy: dict[str, Any] = json.loads(answer["InlinePolicy"])
        return policy

    return find


def read_policy(page: Page) -> str:
    return page.get_by_label("インラインポリシー").first.input_value()


def test_set_is_typed_mended_saved_and_found_in_aws(page: Page, find_in_aws: Callable[[str], dict[str, Any]]) -> None:
    sign_in(page, DEVELOPER, "/permission-sets/")
    page.get_by_role("link", name="新しい許可セット").click()
    page.get_by_role("textbox", name="名前").fill("KaikeiArchive")
    policy = page.get_by_label("インラインポリシー").first
    policy.fill(LINES)
    expect(page.locator(".finding.error")).to_contain_text("8 行目")
    expect(page.get_by_role("status").filter(has_text="エラー 1 件")).to_be_attached()
    expect(page.locator(".coding li").nth(7)).to_have_class("error")
    assert find_violations(page) == []
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").filter(has_text="まだ保存していません")).to_be_visible()
    assert read_policy(page) == LINES
    expect(page.locator(".coding.live")).to_be_visible()  # the script of the page that came back is there
    page.get_by_role("link", name="8 行目").click()
    expect(policy).to_be_focused()
    assert policy.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == ","
    page.keyboard.press("Delete")
    expect(page.locator(".counts")).to_contain_text("問題はありません")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(re.compile(r"/drafts/\d+/$"))
    expect(page.locator(".callout.success")).to_be_visible(timeout=60_000)
    assert find_in_aws("KaikeiArchive")["Statement"][0]["Action"] == ["s3:GetObject"]
    page.goto(NEW)
    expect(page.get_by_role("button", name="元に戻す")).to_be_hidden()


def test_pauses_are_short_and_fixes_are_a_click(page: Page) -> None:
    sign_in(page, DEVELOPER, NEW)
    policy = page.get_by_label("インラインポリシー").first
    policy.fill(LINES)
    page.locator(".finding.error").wait_for()
    page.get_by_role("button", name="消す").click()
    expect(page.locator(".finding.error")).to_have_count(0)
    with page.expect_response("**/check/") as checked:
        policy.fill(LINES.replace("    },\n", "    }\n").replace("GetObject", "GetObjekt"))
    assert checked.value.request.timing["responseEnd"] < 1000
    page.get_by_role("button", name="s3:GetObject に置き換える").click()
    expect(page.locator(".counts")).to_contain_text("問題はありません")
    policy.press("ControlOrMeta+z")
    assert "GetObjekt" in policy.input_value()
    page.get_by_role("button", name="整形").click()
    expect(page.locator(".coding li").nth(6)).to_contain_text('"s3:GetObjekt"')


def test_keyboard_types_brackets_and_leaves_the_editor(page: Page) -> None:
    sign_in(page, DEVELOPER, NEW)
    policy = page.get_by_label("インラインポリシー").first
    policy.click()
    page.keyboard.type("{}")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.keyboard.type('"Statement": []')
    assert policy.input_value() == '{\n  "Statement": []\n}'
    expect(page.locator(".coding .bracket")).to_have_text(["[", "]"])
    page.keyboard.press("Tab")
    expect(policy).not_to_be_focused()


def test_policies_and_people_are_chosen_by_a_few_letters(page: Page) -> None:
    sign_in(page, DEVELOPER, NEW)
    box = page.get_by_label("ポリシーを追加")
    box.fill("billing")
    expect(page.locator('#list-managed_policies option[value="job-function/Billing"]')).to_be_attached()
    box.fill("job-function/Billing")
    box.press("Enter")
    expect(page.get_by_role("checkbox", name="job-function/Billing")).to_be_checked()
    expect(box).to_have_value("")


def test_what_was_typed_outlives_the_page(page: Page) -> None:
    sign_in(page, DEVELOPER, NEW)
    page.get_by_role("textbox", name="名前").fill("Unsaved")
    page.get_by_label("インラインポリシー").first.fill('{"a": 1}')
    page.goto("/permission-sets/")
    page.goto(NEW)
    page.get_by_role("button", name="元に戻す").click()
    expect(page.get_by_role("textbox", name="名前")).to_have_value("Unsaved")
    assert read_policy(page) == '{"a": 1}'


def test_form_goes_on_after_another_sign_in(browser: Browser, portal_url: str) -> None:
    # A context that nobody watches: that the first question is refused is what it is about.
    context = browser.new_context(base_url=portal_url, locale="ja")
    page, other = context.new_page(), context.new_page()
    sign_in(page, DEVELOPER, NEW)
    other.goto("/")
    other.locator(".me summary").click()
    other.get_by_role("button", name="サインアウト").click()
    sign_in(other, DEVELOPER)
    page.get_by_label("インラインポリシー").first.fill(LINES)
    expect(page.locator(".finding.error")).to_contain_text("8 行目")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").filter(has_text="まだ保存していません")).to_be_visible()
    context.close()


def test_editor_works_without_script(open_context: Callable[..., BrowserContext]) -> None:
    page = open_context(java_script_enabled=False, viewport={"width": 1280, "height": 800}).new_page()
    sign_in(page, ADMIN, f"{NEW}?template=bucket")
    page.get_by_role("textbox", name="名前").fill("WithoutScript")
    page.get_by_label("インラインポリシー").fill(LINES)
    page.get_by_label("ポリシーを追加").fill("ReadOnlyAccess")
    page.get_by_role("button", name="チェック").click()
    expect(page.locator(".finding.error")).to_contain_text("8 行目")
    expect(page.locator("#policy-line-8")).to_have_class("error")
    expect(page.get_by_role("checkbox", name="ReadOnlyAccess")).to_be_checked()
    assert page.get_by_label("インラインポリシー").input_value() == LINES
