"""The admin site: who gets in, that every page answers in few queries, what can be edited, and the trace it leaves."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.hashers import make_password
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import AutoField, Field, Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts import admin_base
from accounts.admin_base import AuditedAdmin, CappedPaginator
from accounts.models import (
    Account,
    AuditEvent,
    OrganizationalUnit,
    OwnerEntry,
    Person,
    Principal,
    PrincipalLink,
    ShortcutSettings,
    StageRule,
    Stop,
    User,
)
from syncer.models import AppState, CommentSettings, LetterSettings, TerraformOffer

pytestmark = pytest.mark.django_db

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
READ_ONLY = [model for model in REGISTERED if not isinstance(admin.site._registry[model], AuditedAdmin)]
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def by_label(model: type[Model]) -> str:
    return model._meta.label


def make_task(number: int) -> Model:
    """A task wants one of its four schedules, not all."""
    every = IntervalSchedule.objects.create(every=number, period="days")
    task: Model = PeriodicTask.objects.create(name=f"task {number}", task="syncer.tasks.sweep", interval=every)
    return task


class Rows:
    """Makes rows of any model with a value in every column, so that pages must fetch what they show.

    There is one row a model and number; it refers to the rows of the same number.
    """

    def __init__(self) -> None:
        self.made: dict[tuple[type[Model], int], Model] = {}

    def make(self, model: type[Model], number: int) -> Model:
        key = (model, number)
        if key not in self.made:
            self.made[key] = self._create(model, number)
        return self.made[key]

    def _create(self, model: type[Model], number: int) -> Model:
        if model is PeriodicTask:
            return make_task(number)
        if model in (CommentSettings, LetterSettings, ShortcutSettings, TerraformOffer):
            return model._base_manager.get_or_create(pk=1)[0]  # there is only the one
        fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
        values = {field.name: self._find_value(field, number) for field in fields if field.related_model is not model}
        values |= dict.fromkeys(_EXCLUDED.get(model, ()))
        return model._base_manager.create(**values)

    def _find_value(self, field: "Field[Any, Any]", number: int) -> Any:
        if isinstance(field.related_model, type):
            return self.make(field.related_model, number)
        if field.choices:
            return field.flatchoices[-number if field.unique else -1][0]
        kind = field.get_internal_type()
        if kind == "CharField":
            return f"{number:03}{field.name}"[: field.max_length]
        return _VALUES.get(kind, number)


# Columns that a constraint keeps empty beside the others.
_EXCLUDED: dict[type[Model], tuple[str, ...]] = {OwnerEntry: ("ou",), Stop: ("principal",)}
_VALUES = {
    "BooleanField": True,
    "DateField": AT.date(),
    "DateTimeField": AT,
    "GenericIPAddressField": "192.0.2.1",
    "JSONField": {"key": "value"},
}


@pytest.fixture
def rows() -> Rows:
    return Rows()


def make_user(**values: Any) -> User:
    number = User.objects.count() + 900
    identity = {"username": f"oid-{number}", "entra_tid": "tid", "entra_oid": f"oid-{number}"}
    return User.objects.create(password=make_password(None), **identity, **values)


def list_page(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Model, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def add_page(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.fixture
def admin_user() -> User:
    return make_user(display_name="山田 花子", is_staff=True)


@pytest.fixture
def admin_client(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.fixture
def account() -> Account:
    unit = OrganizationalUnit.objects.create(ou_id="ou-1", name="Lab", path="Lab")
    return Account.objects.create(account_id="000000000001", name="lab", ou=unit, stage="staging")


@pytest.fixture
def rule() -> StageRule:
    return StageRule.objects.create(ou_name="lab", stage="staging")


@pytest.fixture
def user_principal() -> Principal:
    return Principal.objects.create(
        type="USER", principal_id="u-1", name="hanako@example.com", name_key="hanako@example.com"
    )


@pytest.fixture
def group_principal() -> Principal:
    return Principal.objects.create(type="GROUP", principal_id="g-1", name="Developers", name_key="developers")


# --- Who gets in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", REGISTERED, ids=by_label)
def test_anonymous_is_sent_to_sign_in(client: Client, model: type[Model]) -> None:
    response = client.get(list_page(model))
    assert response.status_code == 302
    assert response["Location"].split("?")[0] in {reverse("sign_in"), reverse("admin:login")}


@pytest.mark.parametrize("values", [{}, {"is_auditor": True}], ids=["employee", "auditor"])
def test_others_are_refused(client: Client, values: dict[str, bool]) -> None:
    client.force_login(make_user(**values))
    response = client.get(list_page(StageRule), follow=True)
    assert response.status_code == 403


def test_barred_admin_is_refused(client: Client) -> None:
    client.force_login(make_user(is_staff=True, is_active=False))
    assert client.get(list_page(StageRule)).status_code in {302, 403}


def test_password_pages_do_not_exist(admin_client: Client) -> None:
    assert admin_client.get("/admin/password_change/").status_code == 404


def test_credentials_posted_to_the_login_page_are_not_read(client: Client) -> None:
    user = make_user(is_staff=True)
    user.set_password("known")
    user.save()
    client.post(reverse("admin:login"), {"username": user.username, "password": "known"})
    assert "_auth_user_id" not in client.session


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_every_model_of_ours_has_pages() -> None:
    ours = {model for label in ("accounts", "syncer") for model in apps.get_app_config(label).get_models()}
    assert ours <= set(REGISTERED)


def test_group_of_rights_that_nothing_reads_has_none() -> None:
    assert "auth.Group" not in {model._meta.label for model in REGISTERED}


@pytest.mark.parametrize("model", REGISTERED, ids=by_label)
def test_list_takes_the_same_queries_for_more_rows(admin_client: Client, rows: Rows, model: type[Model]) -> None:
    few, many = (1, 2) if model is AppState else (3, 20)  # there are two kintone apps, and no third
    for number in range(1, few + 1):
        rows.make(model, number)
    before = count_queries(admin_client, list_page(model))
    for number in range(few + 1, many + 1):
        rows.make(model, number)
    assert count_queries(admin_client, list_page(model)) == before


@pytest.mark.parametrize("model", REGISTERED, ids=by_label)
def test_list_can_be_searched(admin_client: Client, rows: Rows, model: type[Model]) -> None:
    rows.make(model, 1)
    assert admin_client.get(list_page(model), {"q": "東京 x'%"}).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=by_label)
def test_page_of_a_row_answers_without_password_field(admin_client: Client, rows: Rows, model: type[Model]) -> None:
    row = rows.make(model, 1)
    with CaptureQueriesContext(connection) as queries:
        response = admin_client.get(page_of(row))
    assert response.status_code == 200
    assert b'type="password"' not in response.content
    assert len(queries) < 20


@pytest.mark.parametrize("model", REGISTERED, ids=by_label)
def test_page_has_no_inline_script(admin_client: Client, rows: Rows, model: type[Model]) -> None:
    page = admin_client.get(page_of(rows.make(model, 1))).content.decode()
    tags = [tag.partition(">")[0] for tag in page.split("<script")[1:]]
    assert all(" src=" in tag or 'type="application/json"' in tag for tag in tags)


def test_hash_of_a_password_is_never_shown(admin_client: Client) -> None:
    user = make_user()
    assert user.password not in admin_client.get(page_of(user)).content.decode()


def test_event_of_a_user_who_is_gone_has_its_page(admin_client: Client) -> None:
    event = AuditEvent.objects.create(actor_id=0, actor_name="退職 済", action="signed_in")
    assert "退職 済" in admin_client.get(page_of(event)).content.decode()


def test_big_table_is_counted_no_further_than_it_is_listed(
    admin_client: Client, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_base, "MAX_LISTED", 3)
    for number in range(1, 6):
        rows.make(Account, number)
    page = admin_client.get(list_page(Account))
    assert page.context["cl"].result_count == 3
    assert page.context["subtitle"]


def test_list_that_is_whole_says_nothing(admin_client: Client, rows: Rows) -> None:
    rows.make(Account, 1)
    assert not admin_client.get(list_page(Account)).context["subtitle"]


def test_capped_count_is_the_count_of_a_small_list(rows: Rows) -> None:
    for number in range(1, 4):
        rows.make(OrganizationalUnit, number)
    units = OrganizationalUnit.objects.order_by("path")
    assert CappedPaginator(units, 2).count == Paginator(units, 2).count == 3


# --- What has its master elsewhere ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", READ_ONLY, ids=by_label)
def test_row_of_another_master_refuses_every_edit(admin_client: Client, rows: Rows, model: type[Model]) -> None:
    row = rows.make(model, 1)
    before = model._base_manager.filter(pk=row.pk).values().get()
    statuses = [
        admin_client.post(address, {"post": "yes"}).status_code
        for address in (page_of(row), page_of(row, "delete"), add_page(model))
    ]
    admin_client.post(list_page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert statuses == [403, 403, 403]
    assert model._base_manager.filter(pk=row.pk).values().get() == before


def test_only_these_can_be_edited() -> None:
    editable = {model._meta.label for model in REGISTERED} - {model._meta.label for model in READ_ONLY}
    assert {label for label in editable if not label.startswith("django_celery_beat.")} == {
        "accounts.AccountCliDefaults", "accounts.ConsoleService", "accounts.FavouriteRegion", "accounts.Guardrail",
        "accounts.OwnerEntry", "accounts.Person", "accounts.PrincipalLink", "accounts.ShortcutSettings",
        "accounts.StageRule", "accounts.User", "syncer.CommentSettings", "syncer.LetterSettings",
        "syncer.SecretEnd", "syncer.TerraformOffer",
    }  # fmt: skip


@pytest.mark.parametrize("model", [Person, User], ids=by_label)
def test_people_are_neither_added_nor_deleted(admin_client: Client, rows: Rows, model: type[Model]) -> None:
    row = rows.make(model, 1)
    assert admin_client.post(add_page(model), {}).status_code == 403
    assert admin_client.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403


# --- Edits and their trace --------------------------------------------------------------------------------------------


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("pk")


def test_adding_a_rule_is_audited(admin_client: Client, admin_user: User) -> None:
    admin_client.post(add_page(StageRule), {"ou_name": "ＬＡＢ", "stage": "sandbox"})
    event = last_event()
    assert (event.actor, event.action, event.object_type) == (admin_user, "admin.add", "stagerule")
    assert (event.before, event.after) == (None, {"ou_name": "lab", "stage": "sandbox"})


def test_changing_a_rule_is_audited_with_what_differs(admin_client: Client) -> None:
    rule = StageRule.objects.create(ou_name="lab", stage="sandbox")
    admin_client.post(page_of(rule), {"ou_name": "lab", "stage": "production"})
    event = last_event()
    assert (event.action, event.object_id) == ("admin.change", str(rule.pk))
    assert (event.before, event.after) == ({"stage": "sandbox"}, {"stage": "production"})


def test_saving_what_is_there_leaves_no_event(admin_client: Client) -> None:
    rule = StageRule.objects.create(ou_name="lab", stage="sandbox")
    admin_client.post(page_of(rule), {"ou_name": "lab", "stage": "sandbox"})
    assert not AuditEvent.objects.exists()


def test_deleting_a_rule_is_audited(admin_client: Client) -> None:
    rule = StageRule.objects.create(ou_name="lab", stage="sandbox")
    admin_client.post(page_of(rule, "delete"), {"post": "yes"})
    assert (last_event().action, last_event().before) == ("admin.delete", {"ou_name": "lab", "stage": "sandbox"})
    assert not StageRule.objects.filter(pk=rule.pk).exists()


def test_deleting_several_is_audited_one_by_one(admin_client: Client) -> None:
    rules = [StageRule.objects.create(ou_name=f"lab {number}", stage="sandbox") for number in range(3)]
    admin_client.post(
        list_page(StageRule),
        {"action": "delete_selected", "_selected_action": [rule.pk for rule in rules], "post": "yes"},
    )
    befores = AuditEvent.objects.order_by("pk").values_list("before", flat=True)
    assert list(befores) == [{"ou_name": rule.ou_name, "stage": "sandbox"} for rule in rules]


def test_edit_without_its_event_does_not_happen(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_values: Any) -> None:
        raise RuntimeError("no audit trail")

    monkeypatch.setattr(admin_base, "record_event", fail)
    with pytest.raises(RuntimeError):
        admin_client.post(add_page(StageRule), {"ou_name": "lab", "stage": "sandbox"})
    assert not StageRule.objects.filter(ou_name="lab").exists()


def test_second_spelling_of_a_rule_is_refused(admin_client: Client) -> None:
    response = admin_client.post(add_page(StageRule), {"ou_name": " ＰＲＯＤ ", "stage": "sandbox"})
    assert response.context["errors"]
    assert StageRule.objects.get(ou_name="prod").stage == "production"


def test_new_rule_reaches_the_accounts(admin_client: Client, account: Account) -> None:
    admin_client.post(add_page(StageRule), {"ou_name": "Lab", "stage": "sandbox"})
    account.refresh_from_db()
    assert account.stage == "sandbox"


@pytest.mark.parametrize(
    ("page", "values", "stage"),
    [("change", {"ou_name": "lab", "stage": "sandbox"}, "sandbox"), ("delete", {"post": "yes"}, "other")],
)
def test_edited_rule_reaches_the_accounts(
    admin_client: Client, account: Account, rule: StageRule, page: str, values: dict[str, str], stage: str
) -> None:
    admin_client.post(page_of(rule, page), values)
    account.refresh_from_db()
    assert account.stage == stage


def test_rules_deleted_together_reach_the_accounts(admin_client: Client, account: Account, rule: StageRule) -> None:
    admin_client.post(list_page(StageRule), {"action": "delete_selected", "_selected_action": [rule.pk], "post": "yes"})
    account.refresh_from_db()
    assert account.stage == "other"


def test_barring_a_sign_in_is_audited(admin_client: Client) -> None:
    user = make_user(display_name="佐藤")
    admin_client.post(page_of(user), {})
    user.refresh_from_db()
    assert not user.is_active
    assert (last_event().before, last_event().after) == ({"is_active": True}, {"is_active": False})


def test_rights_cannot_be_given_here(admin_client: Client) -> None:
    user = make_user()
    admin_client.post(page_of(user), {"is_active": "on", "is_staff": "on", "is_auditor": "on", "entra_oid": "x"})
    user.refresh_from_db()
    assert (user.is_staff, user.is_auditor, user.entra_oid) == (False, False, user.username)


def test_nobody_bars_himself(admin_client: Client, admin_user: User) -> None:
    admin_client.post(page_of(admin_user), {})
    admin_user.refresh_from_db()
    assert admin_user.is_active


def test_person_gets_principal_and_code(admin_client: Client, user_principal: Principal) -> None:
    person = Person.objects.create(name="山田")
    admin_client.post(page_of(person), {"principal": user_principal.pk, "kintone_code": "yamada", "name": "other"})
    person.refresh_from_db()
    assert (person.principal, person.kintone_code, person.name) == (user_principal, "yamada", "山田")
    assert last_event().after == {"principal": user_principal.pk, "kintone_code": "yamada"}


def test_person_is_no_group(admin_client: Client, group_principal: Principal) -> None:
    person = Person.objects.create(name="山田")
    response = admin_client.post(page_of(person), {"principal": group_principal.pk, "kintone_code": ""})
    assert response.context["errors"]
    person.refresh_from_db()
    assert person.principal is None


def test_list_to_choose_a_principal_from_tells_namesakes_apart(admin_client: Client) -> None:
    for name in ("hanako1@example.com", "hanako2@example.com"):
        Principal.objects.create(type="USER", principal_id=name, name=name, name_key=name, display_name="山田 花子")
    page = admin_client.get(list_page(Principal), {"_popup": "1", "q": "山田"}).content.decode()
    assert "hanako1@example.com" in page
    assert "hanako2@example.com" in page


def test_link_is_folded_and_becomes_an_admins_word(admin_client: Client, user_principal: Principal) -> None:
    admin_client.post(
        add_page(PrincipalLink), {"source": "kintone_user", "key": "Ｙａｍａｄａ ", "principal": user_principal.pk}
    )
    link = PrincipalLink.objects.get()
    assert (link.key, link.how) == ("yamada", PrincipalLink.How.ADMIN)
    assert last_event().action == "admin.add"


def test_changed_link_becomes_an_admins_word(admin_client: Client, user_principal: Principal) -> None:
    link = PrincipalLink.objects.create(source="address", key="a@example.com", principal=user_principal, how="email")
    admin_client.post(page_of(link), {"source": "address", "key": "b@example.com", "principal": user_principal.pk})
    link.refresh_from_db()
    assert (link.key, link.how) == ("b@example.com", PrincipalLink.How.ADMIN)


def test_changed_link_is_no_question_any_more(admin_client: Client, user_principal: Principal) -> None:
    Principal.objects.filter(pk=user_principal.pk).update(external_id="e2")
    gone = Principal.objects.create(type="USER", principal_id="gone", name="yamada", name_key="yamada")
    link = PrincipalLink.objects.create(
        source="kintone_user", key="yamada", principal=gone, namesake=user_principal, external_id="e1",
        left_at=timezone.now(),
    )  # fmt: skip
    admin_client.post(page_of(link), {"source": "kintone_user", "key": "yamada", "principal": user_principal.pk})
    link.refresh_from_db()
    assert (link.principal, link.namesake, link.external_id, link.left_at) == (user_principal, None, "e2", None)


def test_many_namesakes_are_confirmed_at_once(admin_client: Client, user_principal: Principal) -> None:
    links = [
        PrincipalLink.objects.create(source="address", key=key, principal=user_principal, namesake=user_principal)
        for key in ("a@example.com", "b@example.com")
    ]
    action = {"action": "confirm_namesakes", ACTION_CHECKBOX_NAME: [link.pk for link in links]}
    admin_client.post(list_page(PrincipalLink), action)
    assert not PrincipalLink.objects.filter(namesake__isnull=False).exists()
    assert last_event().action == "namesake.confirm"


@pytest.mark.parametrize(("source", "principal"), [("group_name", "user_principal"), ("address", "group_principal")])
def test_link_keeps_users_and_groups_apart(
    admin_client: Client, request: pytest.FixtureRequest, source: str, principal: str
) -> None:
    pk = request.getfixturevalue(principal).pk
    response = admin_client.post(add_page(PrincipalLink), {"source": source, "key": "x", "principal": pk})
    assert response.context["errors"]
    assert not PrincipalLink.objects.exists()
