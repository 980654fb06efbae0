"""Defining a permission set in the portal: who may, what is shown before it is saved, and that nothing is lost."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AppKind, AuditEvent, AwsPolicy, Draft, Guardrail, PermissionSet, PolicyText, User, Withheld
from syncer.models import AppState, SetVersion
from syncer.records.schema import PERMISSION_SETS
from tests import factories
from tests.managed_policies import load_texts
from tests.portal.pages import TAG, get_html, make_client, read_form

pytestmark = pytest.mark.django_db
FIELDS = tuple(PERMISSION_SETS.types)
POLICY = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
BROKEN = '{\n  "Version": "2012-10-17",\n}'
HOSTILE = "<script>alert(1)</script>\"'"
NEW = "/permission-sets/new/"


@pytest.fixture(autouse=True)
def app_state(db: None) -> AppState:
    return AppState.objects.create(kind=AppKind.PERMISSION_SET, app_id="23", fields={name: name for name in FIELDS})


@pytest.fixture
def owner() -> User:
    return factories.make_user("担当 花")


@pytest.fixture
def permission_set(owner: User) -> PermissionSet:
    """One of ours, as its record says and as it is in force."""
    assert owner.person is not None
    code = owner.person.kintone_code
    values: dict[str, Any] = {
        "name": "LambdaOps", "description": "関数の運用", "session_duration": "8時間", "relay_state": "",
        "managed_policies": "ReadOnlyAccess\nSecurityAudit", "customer_managed_policies": "", "inline_policy": POLICY,
        "permissions_boundary": "",
    }  # fmt: skip
    body = {name: {"value": value} for name, value in values.items()}
    body["owners"] = {"value": [{"code": code, "name": "担当 花"}]}
    in_force = {
        "name": "LambdaOps", "session_duration": 28800, "managed_policies": ["ReadOnlyAccess", "SecurityAudit"],
        "inline_policy": POLICY, "owners": [code], "description": "関数の運用",
    }  # fmt: skip
    record = factories.make_record(AppKind.PERMISSION_SET, title="LambdaOps", body=body, in_force=in_force)
    return factories.make_permission_set("LambdaOps", record=record, description="関数の運用")


def url_of(permission_set: PermissionSet) -> str:
    return f"/permission-sets/{permission_set.pk}/edit/"


def open_form(client: Client, url: str) -> dict[str, Any]:
    return read_form(get_html(client, url))


def send(client: Client, url: str, values: dict[str, Any], do: str = "save") -> Any:
    """As a browser does it: what saving does is looked at before it is saved."""
    if do == "save":
        looked = client.post(url, {**values, "do": "preview"}).content.decode()
        found = re.search(r'name="seen" value="(\w+)"', looked)
        values = {**values, "seen": found[1] if found else ""}
    return client.post(url, {**values, "do": do})


def say(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(TAG.sub(" ", unescape(response.content.decode())).split())


# --- Opening ----------------------------------------------------------------------------------------------------------


def test_form_opens_with_what_is_in_force(owner: User, permission_set: PermissionSet) -> None:
    values = open_form(make_client(owner), url_of(permission_set))
    assert (values["name"], values["description"], values["inline_policy"]) == ("LambdaOps", "関数の運用", POLICY)
    assert values["managed_policies"] == ["ReadOnlyAccess", "SecurityAudit"]
    assert values["session_duration"] == "8時間"


def test_withheld_values_are_said_and_not_in_the_form(owner: User, permission_set: PermissionSet) -> None:
    record = permission_set.record
    assert record is not None
    record.body["description"]["value"] = "somebody else's"
    record.revision = 2
    record.save()
    reason = {"code": "change_not_allowed", "params": {}}
    Withheld.objects.create(record=record, value="description", revision=2, reason=reason)
    html = get_html(make_client(owner), url_of(permission_set))
    assert "are not in force" in html
    assert read_form(html)["description"] == "関数の運用"


def test_field_that_the_app_lacks_is_not_asked_for(owner: User, app_state: AppState) -> None:
    app_state.fields = {"name": "name", "inline_policy": "inline_policy"}
    app_state.save()
    html = get_html(make_client(owner), NEW)
    assert 'name="relay_state"' not in html
    assert 'name="inline_policy"' in html


def test_before_kintone_was_read_the_page_says_so(owner: User, app_state: AppState) -> None:
    app_state.delete()
    assert make_client(owner).get(NEW).status_code == 409


def test_session_durations_are_spelt_as_in_other_records(owner: User, permission_set: PermissionSet) -> None:
    html = get_html(make_client(owner), NEW)
    assert '<option value="8時間">8 hours</option>' in html
    assert '<option value="PT4H">4 hours</option>' in html


# --- Starting from something ------------------------------------------------------------------------------------------


def test_blank_form_has_its_author_as_owner(owner: User) -> None:
    assert owner.person is not None
    values = open_form(make_client(owner), NEW)
    assert (values["name"], values["inline_policy"], values["owners"]) == ("", "", [owner.person.kintone_code])


def test_template_fills_the_form(owner: User) -> None:
    values = open_form(make_client(owner), f"{NEW}?template=bucket")
    assert "arn:aws:s3:::BUCKET-NAME/*" in values["inline_policy"]
    assert values["session_duration"] == "PT8H"


def test_another_set_is_copied_without_its_name(permission_set: PermissionSet) -> None:
    values = open_form(make_client(factories.make_user()), f"{NEW}?set=LambdaOps")
    assert (values["name"], values["inline_policy"]) == ("", POLICY)
    assert values["managed_policies"] == ["ReadOnlyAccess", "SecurityAudit"]


def test_set_without_a_record_is_copied_as_aws_has_it(owner: User) -> None:
    actual = {"inline_policy": POLICY, "session_duration": "PT90M", "managed_policies": ["arn:aws:iam::aws:policy/X"]}
    factories.make_permission_set("Legacy", ownership="not_ours", actual=actual)
    values = open_form(make_client(owner), f"{NEW}?set=Legacy")
    assert (values["inline_policy"], values["session_duration"]) == (POLICY, "PT90M")


def test_managed_policy_is_attached_and_its_text_said_to_be_elsewhere(owner: User) -> None:
    arn = "arn:aws:iam::aws:policy/job-function/Billing"
    AwsPolicy.objects.create(arn=arn, name="Billing", read_at=timezone.now())
    html = get_html(make_client(owner), f"{NEW}?policy=Billing")
    assert read_form(html)["managed_policies"] == ["job-function/Billing"]
    assert "is not kept here" in html
    assert "aws-managed-policy/latest/reference/Billing.html" in html


def test_new_set_begins_with_the_text_of_a_managed_policy(owner: User) -> None:
    factories.make_policy_text("AWSXrayReadOnlyAccess", POLICY, "v7")
    html = get_html(make_client(owner), f"{NEW}?policy=AWSXrayReadOnlyAccess")
    values = read_form(html)
    assert json.loads(values["inline_policy"]) == json.loads(POLICY)
    assert values["managed_policies"] == []
    assert "today (v7)" in html
    assert read_form(get_html(make_client(owner), f"{NEW}?attach=AWSXrayReadOnlyAccess"))["managed_policies"] == [
        "AWSXrayReadOnlyAccess"
    ]


def test_text_too_long_for_an_inline_policy_is_attached(owner: User) -> None:
    factories.make_policy_text("ReadOnlyAccess", load_texts()["ReadOnlyAccess"])
    html = get_html(make_client(owner), f"{NEW}?policy=ReadOnlyAccess")
    assert read_form(html)["managed_policies"] == ["ReadOnlyAccess"]
    assert "longer than an inline policy may be" in html


def test_text_that_nobody_has_read_is_asked_for(owner: User) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    AwsPolicy.objects.create(arn=arn, name="AmazonS3FullAccess", version="v4", read_at=timezone.now())
    html = get_html(make_client(owner), f"{NEW}?policy=AmazonS3FullAccess")
    assert "is being read from AWS" in html
    assert "?policy=AmazonS3FullAccess" in html
    assert PolicyText.objects.get(arn=arn).outcome == "wanted"


@pytest.mark.parametrize("query", ["template=nothing", "set=Nobody", "policy=%00", "set=%3Cscript%3E", "blank=1"])
def test_unknown_start_is_a_blank_form(query: str, owner: User) -> None:
    html = get_html(make_client(owner), f"{NEW}?{query}")
    assert read_form(html)["inline_policy"] == ""
    assert "<script>" not in html.replace("<script src", "")


# --- Saving -----------------------------------------------------------------------------------------------------------


def test_new_set_becomes_a_draft_that_the_page_follows(owner: User) -> None:
    client = make_client(owner)
    values = {**open_form(client, NEW), "name": "S3Reader", "inline_policy": POLICY.replace(" ", "\r\n")}
    response = send(client, NEW, values)
    draft = Draft.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/drafts/{draft.pk}/")
    assert (draft.kind, draft.record, draft.values["name"]) == (AppKind.PERMISSION_SET, None, "S3Reader")
    assert draft.values["inline_policy"] == POLICY.replace(" ", "\n")
    assert AuditEvent.objects.filter(action="draft.save", actor=owner).exists()


def test_edit_holds_only_what_was_changed(owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["ReadOnlyAccess"]}
    assert send(client, url, values).status_code == 302
    draft = Draft.objects.get()
    assert draft.values == {"managed_policies": ["ReadOnlyAccess"]}
    assert (draft.record, draft.base_revision) == (permission_set.record, 1)


def test_what_was_not_shown_is_shown_before_it_is_saved(owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "description": "anders"}
    response = client.post(url, {**values, "do": "save"})
    assert "This is what saving does." in say(response)
    assert not Draft.objects.exists()
    again = read_form(response.content.decode())
    assert client.post(url, {**again, "do": "save"}).status_code == 302


def test_edit_is_bound_to_the_revision_that_was_opened(owner: User, permission_set: PermissionSet) -> None:
    client, url, record = make_client(owner), url_of(permission_set), permission_set.record
    values = {**open_form(client, url), "description": "mine"}
    assert record is not None
    record.body["relay_state"]["value"] = "https://example.com/"
    record.revision = 2
    record.save()
    send(client, url, values)
    draft = Draft.objects.get()
    assert (draft.values, draft.base_revision) == ({"description": "mine"}, 1)


@pytest.mark.parametrize("base", ["", "forged", "eyJ9:1:2"])
def test_form_that_does_not_say_what_it_was_opened_with_is_looked_at_again(
    base: str, owner: User, permission_set: PermissionSet
) -> None:
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "description": "mine", "base": base}
    response = send(client, url, values)
    assert "opened too long ago" in say(response)
    assert read_form(response.content.decode())["description"] == "mine"


def test_nothing_changed_is_nothing_saved(owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    response = send(client, url, open_form(client, url))
    assert response.status_code == 200
    assert not Draft.objects.exists()


def test_warnings_do_not_keep_it_from_being_saved(owner: User) -> None:
    client = make_client(owner)
    policy = POLICY.replace("s3:GetObject", "s3:GetObjekt")
    assert send(client, NEW, {**open_form(client, NEW), "name": "X", "inline_policy": policy}).status_code == 302


# --- What is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "has no name"),
        ("name", "決済", "is not a name that AWS takes"),
        ("inline_policy", BROKEN, "Line 2: There is a comma after the last element"),
        ("session_duration", "PT13H", "is not possible"),
        ("relay_state", "https://example.com/<", "characters that AWS does not take"),
        ("customer_managed_policies", "/ok/Limits\n/not ok", "/not ok"),
        ("permissions_boundary", "/a b", "/a b"),
        ("managed_policies", ["Not a policy!"], "cannot be the name"),
        ("owners", ["nobody-there"], "Nobody here has the kintone code"),
        ("description", "x" * 100_001, "at most 100000 characters"),
    ],
)
def test_error_stands_at_its_field_and_nothing_typed_is_lost(field: str, value: Any, words: str, owner: User) -> None:
    client = make_client(owner)
    typed = {**open_form(client, NEW), "name": "Good", "description": "typed", field: value}
    response = send(client, NEW, typed)
    html = response.content.decode()
    assert words in say(response)
    assert re.search(rf'id="id_{field}_error"', html)
    again = read_form(html)
    assert {name: again[name] for name in FIELDS} == {name: typed[name] for name in FIELDS}
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("policy", "words"),
    [("readonlyaccess", "Did you mean ReadOnlyAccess?"), ("NoSuch", "AWS has no managed policy"),
     ("ServiceOnly", "cannot be attached")],
)  # fmt: skip
def test_managed_policies_are_looked_up(policy: str, words: str, owner: User) -> None:
    for name, attachable in (("ReadOnlyAccess", True), ("ServiceOnly", False)):
        arn = f"arn:aws:iam::aws:policy/{name}"
        AwsPolicy.objects.create(arn=arn, name=name, is_attachable=attachable, read_at=timezone.now())
    client = make_client(owner)
    values = {
        **open_form(client, NEW),
        "name": "X",
        "managed_policies": ["ReadOnlyAccess"],
        "add-managed_policies": policy,
    }
    assert words in say(send(client, NEW, values))


def test_name_that_is_taken_is_refused(owner: User, permission_set: PermissionSet) -> None:
    client = make_client(owner)
    assert "already" in say(send(client, NEW, {**open_form(client, NEW), "name": "lambdaops"}))


def test_hostile_text_stays_text_and_comes_back(owner: User) -> None:
    client = make_client(owner)
    typed = {name: [HOSTILE] if name in ("managed_policies", "owners") else HOSTILE for name in FIELDS}
    response = send(client, NEW, typed, "check")
    assert "<script>alert" not in response.content.decode()
    assert read_form(response.content.decode())["inline_policy"] == HOSTILE


@pytest.mark.parametrize("field", FIELDS)
def test_odd_values_never_break_the_page(field: str, owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    values = open_form(client, url)
    for odd in ("\0", "\ufeff", "\u200b", "\r\n" * 9, "𠮷" * 40):
        assert client.post(url, {**values, field: odd, "do": "save"}).status_code == 200


# --- Buttons that need no script --------------------------------------------------------------------------------------


def test_check_shows_findings_and_lines(owner: User) -> None:
    client = make_client(owner)
    response = send(client, NEW, {**open_form(client, NEW), "inline_policy": BROKEN}, "check")
    html = response.content.decode()
    assert 'id="policy-line-2" class="error"' in html
    assert read_form(html)["inline_policy"] == BROKEN


def test_layout_without_script(owner: User) -> None:
    client = make_client(owner)
    response = send(client, NEW, {**open_form(client, NEW), "inline_policy": '{"a":1}'}, "format")
    assert read_form(response.content.decode())["inline_policy"] == '{\n  "a": 1\n}'
    broken = send(client, NEW, {**open_form(client, NEW), "inline_policy": BROKEN}, "format")
    assert "no JSON yet" in say(broken)
    assert read_form(broken.content.decode())["inline_policy"] == BROKEN


def test_added_names_become_boxes(owner: User) -> None:
    client = make_client(owner)
    values = {**open_form(client, NEW), "add-managed_policies": "ReadOnlyAccess, SecurityAudit ReadOnlyAccess"}
    response = send(client, NEW, values, "add")
    assert read_form(response.content.decode())["managed_policies"] == ["ReadOnlyAccess", "SecurityAudit"]


def test_same_values_for_a_new_set(owner: User, permission_set: PermissionSet) -> None:
    client = make_client(owner)
    values = {**open_form(client, url_of(permission_set)), "description": "mine"}
    again = read_form(send(client, NEW, values, "copy").content.decode())
    assert (again["name"], again["description"], again["inline_policy"]) == ("", "mine", POLICY)


# --- What saving does -------------------------------------------------------------------------------------------------


def test_difference_to_what_is_in_force_is_shown(owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["ReadOnlyAccess", "Billing"]}
    text = say(client.post(url, {**values, "do": "preview"}))
    assert "goes: SecurityAudit" in text
    assert "comes: Billing" in text


def test_effect_of_a_narrowing_is_told(owner: User, permission_set: PermissionSet) -> None:
    shop, bank = factories.make_account("shop"), factories.make_account("bank")
    hana, ken = factories.make_principal(), factories.make_principal()
    group = factories.make_group("team", hana, ken)
    for account, principal in ((shop, hana), (shop, ken), (bank, group)):
        factories.make_assignment(principal, account=account, permission_set=permission_set)
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["ReadOnlyAccess"]}
    text = say(client.post(url, {**values, "do": "preview"}))
    assert "It is provisioned anew in 2 accounts." in text
    assert "2 people have it, and stay signed in." in text
    assert "The ARN of its role stays." in text
    assert "about 4 s" in text
    assert "may do more" not in text
    assert send(client, url, values).status_code == 302


def test_widening_in_somebody_else_s_account_is_refused_with_a_way_out(
    owner: User, permission_set: PermissionSet
) -> None:
    factories.make_assignment(account=factories.make_account("bank"), permission_set=permission_set)
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["AdministratorAccess"], "do": "save"}
    response = send(client, url, values)
    text = say(response)
    assert "may not let “LambdaOps” do more" in text
    assert "bank" in text
    assert 'formaction="/permission-sets/new/"' in response.content.decode()
    assert not Draft.objects.exists()
    copied = read_form(client.post(NEW, {**values, "do": "copy"}).content.decode())
    assert (copied["name"], copied["managed_policies"]) == ("", ["AdministratorAccess"])
    assert send(client, NEW, {**copied, "name": "LambdaAdmin"}).status_code == 302


def test_refusal_that_a_text_may_lift_has_it_read(owner: User, permission_set: PermissionSet) -> None:
    factories.make_assignment(account=factories.make_account("bank"), permission_set=permission_set)
    for name in ("ReadOnlyAccess", "SecurityAudit"):
        factories.make_policy_text(name, POLICY)
    arn = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
    AwsPolicy.objects.create(arn=arn, name="ViewOnlyAccess", version="v46", read_at=timezone.now())
    client, url = make_client(owner), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["job-function/ViewOnlyAccess"], "do": "preview"}
    html = client.post(url, values).content.decode()
    assert "data-again" in html
    PolicyText.objects.filter(arn=arn, outcome="wanted").update(outcome="read", text=POLICY)
    assert "data-again" not in (lifted := client.post(url, values).content.decode())
    assert "may not let" not in lifted


@pytest.mark.parametrize(("seconds", "spelt", "shown"), [(28800, "8時間", False), (14400, "PT4H", True)])
def test_version_is_spelt_as_the_records_are(
    permission_set: PermissionSet, seconds: int, spelt: str, shown: bool
) -> None:
    values = {"name": "LambdaOps", "session_duration": seconds, "description": "前の説明", "inline_policy": POLICY}
    version = SetVersion.objects.create(name="LambdaOps", reference="23:1", revision=1, values=values)
    html = get_html(make_client(factories.make_user(is_staff=True)), f"{url_of(permission_set)}?version={version.pk}")
    assert read_form(html)["session_duration"] == spelt
    preview = html[html.index('id="set-preview"') :]
    assert ("session duration" in preview.lower()) is shown


def test_form_of_another_record_says_nothing_about_this_one(permission_set: PermissionSet) -> None:
    admin = factories.make_user(is_staff=True)
    record = factories.make_record(
        AppKind.PERMISSION_SET, title="Other", body={"name": {"value": "Other"}}, in_force={"name": "Other"}
    )
    other = factories.make_permission_set("Other", record=record)
    client = make_client(admin)
    strange = open_form(client, url_of(other))["base"]
    values = {**open_form(client, url_of(permission_set)), "description": "new", "base": strange}
    assert "opened too long ago" in say(send(client, url_of(permission_set), values))
    assert not Draft.objects.exists()


def test_admin_may_let_a_set_do_more_and_is_told_so(permission_set: PermissionSet) -> None:
    factories.make_assignment(permission_set=permission_set)
    client, url = make_client(factories.make_user(is_staff=True)), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["AdministratorAccess"]}
    assert "It may do more than before." in say(client.post(url, {**values, "do": "preview"}))
    assert send(client, url, values).status_code == 302


def test_name_is_not_changed_on_the_way(owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    text = say(send(client, url, {**open_form(client, url), "name": "Other"}))
    assert "AWS cannot rename a permission set" in text
    assert "A new name makes a new set" in text
    assert not Draft.objects.exists()


def test_guardrail_that_the_change_breaks_is_told(permission_set: PermissionSet) -> None:
    account = factories.make_account("bank")
    factories.make_assignment(account=account, permission_set=permission_set)
    Guardrail.objects.create(
        name="no admins",
        sentence="Nobody is administrator here.",
        account_id=account.account_id,
        power="admin",
        effect="refuse",
    )
    client, url = make_client(factories.make_user(is_staff=True)), url_of(permission_set)
    values = {**open_form(client, url), "managed_policies": ["AdministratorAccess"]}
    text = say(client.post(url, {**values, "do": "preview"}))
    assert "Nobody is administrator here." in text
    assert "1 assignment there stays and is listed." in text


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_outsider_is_told_who_may(permission_set: PermissionSet) -> None:
    client = make_client(factories.make_user())
    response = client.get(url_of(permission_set))
    assert response.status_code == 403
    assert "担当 花" in response.content.decode()
    assert client.post(url_of(permission_set), {"do": "save", "name": "X"}).status_code == 403
    assert not Draft.objects.exists()


def test_admin_may(permission_set: PermissionSet) -> None:
    get_html(make_client(factories.make_user(is_staff=True)), url_of(permission_set))


def test_auditor_never_may(permission_set: PermissionSet, owner: User) -> None:
    owner.is_auditor = True
    owner.save()
    client = make_client(owner)
    assert {client.get(url).status_code for url in (NEW, url_of(permission_set))} == {403}
    assert {client.post(url, {"do": "save"}).status_code for url in (NEW, url_of(permission_set))} == {403}


@pytest.mark.parametrize("ownership", ["terraform", "not_ours"])
def test_set_that_is_not_ours_says_why(ownership: str) -> None:
    foreign = factories.make_permission_set("Foreign", ownership=ownership)
    client = make_client(factories.make_user(is_staff=True))
    assert client.get(url_of(foreign)).status_code == 403


def test_anonymous_comes_back_to_the_form(permission_set: PermissionSet) -> None:
    for url in (NEW, url_of(permission_set)):
        response = Client().post(url, {"do": "save"})
        assert (response.status_code, response["Location"]) == (302, f"/sign-in/?next={url}")


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(method: str, owner: User) -> None:
    assert getattr(make_client(owner), method)(NEW).status_code == 405


def test_ways_to_the_form(owner: User, permission_set: PermissionSet) -> None:
    client = make_client(owner)
    assert NEW in get_html(client, "/permission-sets/")
    assert url_of(permission_set) in get_html(client, f"/permission-sets/{permission_set.pk}/")
    stranger = make_client(factories.make_user())
    assert url_of(permission_set) not in get_html(stranger, f"/permission-sets/{permission_set.pk}/")


# --- Cost -------------------------------------------------------------------------------------------------------------


def test_statements_do_not_grow(owner: User, permission_set: PermissionSet) -> None:
    client, url = make_client(owner), url_of(permission_set)
    changed = {**open_form(client, url), "managed_policies": ["ReadOnlyAccess"], "do": "preview"}

    def count() -> list[int]:
        counts = []
        for address, data in ((NEW, None), (url, None), (url, changed)):
            with CaptureQueriesContext(connection) as queries:
                response: Any = client.post(address, data) if data else client.get(address)
            assert response.status_code == 200
            counts.append(len(queries))
        return counts

    factories.make_assignment(factories.make_group("a", factories.make_principal()), permission_set=permission_set)
    few = count()
    assert permission_set.record is not None
    for number in range(20):
        record = factories.make_record(AppKind.PERMISSION_SET, body=permission_set.record.body)
        factories.make_permission_set(f"Other{number}", record=record)
        group = factories.make_group("", factories.make_principal())
        factories.make_assignment(group, permission_set=permission_set)
        factories.make_person()
    assert count() == few
    assert max(few) <= 34
