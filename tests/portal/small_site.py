"""A site of a few pages around the sign-in, so that its tests lean on no page's content."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


def show_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<h1>{request.user}</h1>")


@csrf_exempt
def save(request: HttpRequest) -> HttpResponse:
    request.session["saved"] = True
    return HttpResponse("saved")


@login_not_required
def open_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


urlpatterns = [
    path("", show_page),
    path("page/", show_page),
    path("save/", save),
    path("open/", open_page),
    path("sign-in/", open_page, name="sign_in"),
    path("oidc/", include("portal.oidc_urls")),
    path("admin/", admin.site.urls),
]
