"""The admin site: portal admins only, and no password anywhere."""

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from portal.admin_site import GenkanAdminSite
from tests.portal.visiting import ADMIN, AUDITOR, MEMBER, Visitor


def test_admin_site_is_ours() -> None:
    assert isinstance(admin.site, GenkanAdminSite)


def test_admin_gets_in(visitor: Visitor) -> None:
    visitor.sign_in(ADMIN)
    assert visitor.client.get("/admin/").status_code == 200
    assert visitor.client.get("/admin/login/")["Location"] == "/admin/"


@pytest.mark.parametrize("oid", [MEMBER, AUDITOR])
def test_others_are_refused(visitor: Visitor, oid: str) -> None:
    visitor.sign_in(oid)
    assert visitor.client.get("/admin/", follow=True).status_code == 403
    assert visitor.client.get("/admin/login/").status_code == 403


def test_anonymous_goes_to_entra_and_comes_back(visitor: Visitor) -> None:
    login = visitor.client.get("/admin/login/?next=/admin/accounts/")
    assert login["Location"] == "/oidc/authenticate/?next=/admin/accounts/"
    assert (
        visitor.client.get(visitor.visit_entra(visitor.client.get(login["Location"])["Location"], ADMIN))["Location"]
        == "/admin/accounts/"
    )


def test_credentials_are_not_even_read(visitor: Visitor) -> None:
    response = visitor.client.post("/admin/login/", {"username": ADMIN, "password": "x"})
    assert response["Location"].startswith("/oidc/authenticate/")


@pytest.mark.parametrize("name", ["password_change", "password_change_done"])
def test_no_password_pages(visitor: Visitor, name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:{name}")


def test_admin_sign_out_reaches_entra(visitor: Visitor) -> None:
    visitor.sign_in(ADMIN)
    assert "/oauth2/v2.0/logout?" in visitor.client.post("/admin/logout/")["Location"]
    assert visitor.user is None
