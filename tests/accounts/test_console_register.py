"""What admins add to the places of the console, and what happens to what cannot be used."""

import json
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.catalogue.catalogue import load_bundled, require_service
from accounts.catalogue.services import BadService, Service
from accounts.console_admin import describe_service
from accounts.console_register import load_catalogue, load_regions
from accounts.models import AuditEvent, ConsoleService, FavouriteRegion
from accounts.shortcuts import Destination
from tests.factories import make_user

ADD = reverse("admin:accounts_consoleservice_add")
PARAMETERS = [{"name": "api", "type": "name", "label": {"ja": "API ID", "en": "API id"}, "example": "abc123"}]
FORM = {
    "slug": "appsync-api", "service": "AppSync", "name_ja": "API", "name_en": "API", "aliases": "graphql\ngql",
    "place": "regional", "template": "/appsync/home?region={region}#/{api}/v1/home", "also": "",
    "parameters": json.dumps(PARAMETERS),
}  # fmt: skip


@pytest.fixture
def admin_client(db: None) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user(is_staff=True))
    return client


def errors_of(client: Client, values: dict[str, Any]) -> dict[str, list[str]]:
    response = client.post(ADD, FORM | values)
    return {} if response.status_code == 302 else dict(response.context["adminform"].form.errors)


# --- In the admin site


def test_place_of_ones_own_is_stored_tried_and_told(admin_client: Client) -> None:
    assert errors_of(admin_client, {}) == {}
    url = load_catalogue().build_url(Destination.of("appsync-api", "eu-central-1", {"api": "abc"})).url
    assert url == "https://eu-central-1.console.aws.amazon.com/appsync/home?region=eu-central-1#/abc/v1/home"
    assert load_catalogue().take_apart(url).destination.service == "appsync-api"
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.object_type) == ("admin.add", "consoleservice")


def test_place_begins_as_one_that_is_there(admin_client: Client) -> None:
    bundled = load_bundled().find("lambda-function")
    assert bundled
    form = admin_client.get(f"{ADD}?like=lambda-function").context["adminform"].form
    values = {**form.initial, "template": form.initial["template"].replace("/lambda/", "/lambda2/"),
              "parameters": json.dumps(form.initial["parameters"])}  # fmt: skip
    assert admin_client.post(ADD, values).status_code == 302
    changed = load_catalogue().find("lambda-function")
    assert changed
    assert changed.template.text.startswith("/lambda2/home")
    assert (changed.parameters, changed.words, changed.aliases) == (bundled.parameters, bundled.words, bundled.aliases)


@pytest.mark.parametrize("service", load_bundled().services, ids=lambda service: service.slug)
def test_every_place_can_be_changed_in_the_form(service: Service) -> None:
    assert require_service(ConsoleService(**describe_service(service)).written) == service


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"slug": "Not A Slug"}, "slug"),
        ({"template": "https://evil.example/{api}"}, "template"),
        ({"template": "/x/{other}/{api}"}, "template"),
        ({"template": "/%252e/{api}"}, "template"),
        ({"template": ""}, "template"),
        ({"parameters": "no json"}, "parameters"),
        ({"parameters": "[1]"}, "parameters"),
        ({"parameters": "[]"}, "template"),
        ({"place": "moon"}, "place"),
    ],
)
def test_place_that_cannot_be_used_is_refused(admin_client: Client, values: dict[str, str], field: str) -> None:
    assert set(errors_of(admin_client, values)) == {field}
    assert not ConsoleService.objects.exists()


def test_refusal_says_what_to_do(admin_client: Client) -> None:
    (message,) = errors_of(admin_client, {"template": "/x"})["parameters"]
    assert message == (
        "The parameter api has no gap in the template. Put {api} into the template, or take the parameter out."
    )


@pytest.mark.parametrize("is_auditor", [True, False])
def test_only_admins_add_places(db: None, is_auditor: bool) -> None:
    client = Client()
    client.force_login(make_user(is_auditor=is_auditor))
    assert client.post(ADD, FORM).status_code == 302
    assert not ConsoleService.objects.exists()


def test_list_says_which_places_can_be_used(admin_client: Client) -> None:
    for slug, template in (("good", "/x"), ("bad", "//x")):
        ConsoleService.objects.create(slug=slug, service="X", name_ja="x", name_en="x", template=template)
    html = admin_client.get(reverse("admin:accounts_consoleservice_changelist")).content.decode()
    assert html.count("icon-yes.svg") == 1
    assert html.count("icon-no.svg") == 3  # neither is hidden


# --- What cannot be used


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values", [{"template": "//evil.example"}, {"parameters": {"key": "value"}}, {"parameters": 5}, {"place": "moon"}]
)
def test_bad_row_breaks_nothing(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    ConsoleService.objects.create(
        **{"slug": "ecs-clusters", "service": "ECS", "name_ja": "x", "name_en": "x", "template": "/x", **values}
    )
    assert load_catalogue().find("ecs-clusters") == load_bundled().find("ecs-clusters")
    assert "ecs-clusters left out" in caplog.text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["api", "name", "choice", "a+"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "type", "label", "example", "default", "pattern", "options", "value", "ja", "en"]),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(parameters=_JSON, template=st.text(alphabet="/{}api:cw?#&=%$()x", max_size=20))
def test_whatever_is_written_is_used_or_refused(parameters: Any, template: str) -> None:
    written = {
        "slug": "x", "service": "X", "name": "X", "template": f"/{template}", "parameters": parameters,
    }  # fmt: skip
    with suppress(BadService):
        require_service(written)


# --- Regions


@pytest.mark.django_db
def test_favourites_stand_first_in_their_order() -> None:
    for position, code in enumerate(["eu-central-1", "ap-northeast-1", "xx-new-1", "cn-north-1"]):
        FavouriteRegion.objects.create(code=code, position=position)
    regions = load_regions("aws")
    assert [region.code for region in regions.favourites] == ["eu-central-1", "ap-northeast-1", "xx-new-1"]
    assert "ap-northeast-1" not in {region.code for region in regions.others}
    assert [region.code for region in load_regions("aws-cn").favourites] == ["cn-north-1"]


@pytest.mark.django_db
def test_without_favourites_the_region_of_identity_center_stands_first(settings: Settings) -> None:
    settings.IDENTITY_CENTER_REGION = "eu-west-1"
    assert [region.code for region in load_regions("aws").favourites] == ["eu-west-1"]
    assert load_regions("aws-us-gov").favourites == ()


def test_region_that_is_none_is_refused(admin_client: Client) -> None:
    response = admin_client.post(reverse("admin:accounts_favouriteregion_add"), {"code": "Tokyo", "position": 1})
    assert set(response.context["adminform"].form.errors) == {"code"}
