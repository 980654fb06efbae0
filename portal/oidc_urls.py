"""The addresses of signing in and out, below /oidc/. The callback is the redirect URI registered in Entra ID."""

from django.urls import path

from portal.oidc import Begin, Callback, Logout

urlpatterns = [
    path("authenticate/", Begin.as_view(), name="oidc_authentication_init"),
    path("callback/", Callback.as_view(), name="oidc_authentication_callback"),
    path("logout/", Logout.as_view(), name="oidc_logout"),
]
