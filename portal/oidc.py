"""Signing in with Microsoft Entra ID: mozilla-django-oidc with every check it leaves out.

The library runs the code flow with state, nonce and PKCE. What a token must say stands in `entra_tokens`, keys and
calls in `entra_keys` and `entra_client`; here claims become a `User`, views answer, and the session stays fresh.
A failure never shows a provider's text, never is a 500, and ends in one audit event that the page's number leads to.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import CharField, QuerySet
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
    OIDCLogoutView,
    get_next_url,
)

from accounts.audit import record_event
from accounts.models import User
from accounts.people import link_sign_in
from portal.entra_client import fetch_json, prove_client
from portal.entra_keys import find_signing_key
from portal.entra_tokens import Expected, Identity, parse_identity, read_claims, read_key_id
from portal.refusals import Reason, SignInRefused

logger = logging.getLogger(__name__)

# The library writes this one at each sign-in: when the sign-in must be renewed, in seconds since 1970.
RENEW_AT = "oidc_id_token_expiration"
LOGIN_HINT = "entra_login_hint"
# What a link may ask Entra for; `none` is only for our own renewals.
PROMPTS = frozenset({"login", "select_account"})


class SignInRequest(HttpRequest):
    """A callback's request, on which the backend leaves its verdict for the view."""

    verdict: Identity | SignInRefused


# --- who it is


class EntraBackend(OIDCAuthenticationBackend):
    """Turns an authorization code into the `User` of (tenant id, object id), or into nobody."""

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        """The user whom this callback signs in; None for every other caller and for every failure.

        Only our callback has a nonce: without this line, any view that tries credentials would redeem a code.
        """
        if request is None or not kwargs.get("nonce"):
            return None
        try:
            return super().authenticate(request, **kwargs)
        except SignInRefused as error:
            refused = error
        except Exception as error:
            logger.exception("sign-in: failed request=%s", _reference(request))
            refused = SignInRefused(Reason.UNEXPECTED, type(error).__name__)
        cast(SignInRequest, request).verdict = refused
        return None

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The token endpoint's answer, which holds an `id_token`."""
        answer = fetch_json("POST", self.OIDC_OP_TOKEN_ENDPOINT, prove_client(payload))
        if not isinstance(answer.get("id_token"), str):
            raise SignInRefused(Reason.PROVIDER, "no id_token")
        return answer

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The claims of a token that is Entra's, of our tenant, for this portal and for this very sign-in."""
        expected = Expected(
            issuer=settings.ENTRA_ISSUER,
            tenant_id=settings.ENTRA_TENANT_ID,
            client_id=self.OIDC_RP_CLIENT_ID,
            nonce=kwargs["nonce"],
        )
        return read_claims(token, find_signing_key(read_key_id(token)), expected)

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The ID token's own claims: Entra's userinfo endpoint knows neither oid nor roles."""
        return payload

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        if _identify(claims).is_guest and not settings.ENTRA_ALLOW_GUESTS:
            raise SignInRefused(Reason.GUEST)
        return True

    def filter_users_by_claims(self, claims: dict[str, Any]) -> QuerySet[User]:
        identity = _identify(claims)
        return User.objects.filter(entra_tid=identity.tid, entra_oid=identity.oid)

    @transaction.atomic
    def create_user(self, claims: dict[str, Any]) -> User:
        """The user of somebody new; the one that is there when two first sign-ins race."""
        identity = _identify(claims)
        user, _is_new = User.objects.get_or_create(
            entra_tid=identity.tid,
            entra_oid=identity.oid,
            defaults={"username": identity.oid, "password": make_password(None)},
        )
        return self.update_user(user, claims)

    @transaction.atomic
    def update_user(self, user: User, claims: dict[str, Any]) -> User:
        """Take over names and roles as this token has them: a role that is gone is gone here."""
        if not user.is_active:
            raise SignInRefused(Reason.INACTIVE)
        identity = _identify(claims)
        before = _list_roles(user)
        fields = _build_fields(identity)
        for name, value in fields.items():
            setattr(user, name, value)
        user.save(update_fields=[*fields])
        link_sign_in(user)
        if _list_roles(user) != before:
            kind = ("user", str(user.pk), str(user))
            record_event(
                "roles_changed", actor=user, request=self.request, obj=kind, before=before, after=_list_roles(user)
            )
        cast(SignInRequest, self.request).verdict = identity
        return user

    def get_user(self, user_id: Any) -> User | None:
        """The user of a running session, which ends when he is deactivated; with who he is, for nearly every page."""
        user = User.objects.select_related("person__principal").filter(pk=user_id).first()
        return user if user and user.is_active else None


def _identify(claims: dict[str, Any]) -> Identity:
    return parse_identity(claims, settings.ENTRA_ISSUER)


def _build_fields(identity: Identity) -> dict[str, Any]:
    shown = {
        "display_name": identity.name,
        "email": identity.email,
        "preferred_username": identity.preferred_username,
        "upn": identity.upn,
    }
    return {name: _cut(name, value) for name, value in shown.items()} | {
        "is_guest": identity.is_guest,
        "is_staff": settings.ENTRA_ADMIN_ROLE in identity.roles,
        "is_auditor": settings.ENTRA_AUDITOR_ROLE in identity.roles,
    }


def _cut(name: str, value: str) -> str:
    field = User._meta.get_field(name)
    return value[: field.max_length] if isinstance(field, CharField) else value


def _list_roles(user: User) -> list[str]:
    return [name for name, has in (("admin", user.is_staff), ("auditor", user.is_auditor)) if has]


def _reference(request: HttpRequest) -> str:
    """The number under which log and audit trail know this request; the page shows it."""
    return getattr(request, "request_id", "")


# --- the way to Entra and back


@method_decorator([login_not_required, never_cache], name="dispatch")
class Begin(OIDCAuthenticationRequestView):
    """Sends the browser to Entra ID. `?next=` is where it ends; `?prompt=` may be `login` or `select_account`."""

    # A renewal that may show nothing; it comes back to the page it interrupted.
    is_silent = False

    def get(self, request: HttpRequest) -> HttpResponse:
        response = super().get(request)
        # The library keeps one target a session, which parallel tabs would swap; the state of each sign-in is its own.
        del request.session["oidc_login_next"]
        state = list(request.session["oidc_states"].values())[-1]
        state["next"] = request.get_full_path() if self.is_silent else get_next_url(request, "next")
        state["is_silent"] = self.is_silent
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, Any]:
        prompt = "none" if self.is_silent else request.GET.get("prompt", "")
        params = {"prompt": prompt} if self.is_silent or prompt in PROMPTS else {}
        hint = request.session.get(LOGIN_HINT)
        # Entra refuses a hint beside the question which account it shall be.
        if hint and prompt != "select_account":
            params["login_hint"] = hint
        return params


@method_decorator([login_not_required, never_cache], name="dispatch")
class Callback(OIDCAuthenticationCallbackView):
    """Where Entra ID sends the browser back to."""

    attempt: dict[str, Any]
    roles_before: list[str]

    def get(self, request: HttpRequest) -> HttpResponse:
        state = request.GET.get("state", "")
        attempt = request.session.get("oidc_states", {}).get(state)
        if attempt is None:
            return self._answer_stray(request)
        self.attempt = attempt
        if request.GET.get("error") or not request.GET.get("code"):
            request.session["oidc_states"].pop(state)
            request.session.modified = True
            return self._refuse(request, _read_error(request))
        # Read before the backend changes it: a role that is gained needs a new session key.
        self.roles_before = _list_roles(request.user) if isinstance(request.user, User) else []
        return super().get(request)

    @property
    def success_url(self) -> str:
        return self.attempt["next"] or resolve_url(settings.LOGIN_REDIRECT_URL)

    def login_success(self) -> HttpResponse:
        request, user = self.request, cast(User, self.user)
        is_renewal = request.user == user
        response = super().login_success()
        if is_renewal and not set(_list_roles(user)) <= set(self.roles_before):
            request.session.cycle_key()
        identity = cast(SignInRequest, request).verdict
        request.session[LOGIN_HINT] = identity.login_hint if isinstance(identity, Identity) else ""
        if not self.attempt["is_silent"]:
            role = "admin" if user.is_staff else "auditor" if user.is_auditor else ""
            kind = ("user", str(user.pk), str(user))
            record_event("signed_in", actor=user, request=request, obj=kind, outcome=role)
        logger.info("sign-in: done user=%s roles=%s silent=%s", user.pk, _list_roles(user), self.attempt["is_silent"])
        return response

    def login_failure(self) -> HttpResponse:
        verdict = getattr(self.request, "verdict", None)
        refused = verdict if isinstance(verdict, SignInRefused) else SignInRefused(Reason.UNEXPECTED)
        return self._refuse(self.request, refused)

    def _answer_stray(self, request: HttpRequest) -> HttpResponse:
        """A callback that this browser does not wait for: replayed, or begun by somebody else. It changes nothing."""
        logger.info("sign-in: stray callback request=%s", _reference(request))
        if request.user.is_authenticated:
            return redirect(settings.LOGIN_REDIRECT_URL)
        return _render_refusal(request, Reason.STALE, status=400)

    def _refuse(self, request: HttpRequest, refused: SignInRefused) -> HttpResponse:
        """End what session there is. A silent renewal that Entra declined goes on with a visible sign-in."""
        if self.attempt["is_silent"] and refused.reason in (Reason.DENIED, Reason.CANCELLED):
            hint = request.session.get(LOGIN_HINT, "")
            auth.logout(request)
            request.session[LOGIN_HINT] = hint
            return _begin(self.attempt["next"])
        record_event("sign_in_refused", request=request, outcome=refused.reason.value, after={"detail": refused.detail})
        logger.warning("sign-in: refused %s request=%s", refused, _reference(request))
        # Not `is_authenticated`: the session of a deactivated user must not wait for the day he is let in again.
        if auth.SESSION_KEY in request.session:
            auth.logout(request)
        return _render_refusal(request, refused.reason, status=403)


def _read_error(request: HttpRequest) -> SignInRefused:
    """Why Entra sent no code. Its texts are never shown; of `error` only what looks like a word is logged."""
    error = request.GET.get("error", "")
    if error == "access_denied" and not request.GET.get("error_description"):
        return SignInRefused(Reason.CANCELLED)
    is_word = error.isascii() and error.replace("_", "").isalpha()
    return SignInRefused(Reason.DENIED, error[:64] if is_word else "no code")


def _render_refusal(request: HttpRequest, reason: Reason, *, status: int) -> HttpResponse:
    begin = reverse("oidc_authentication_init")
    context = {
        "reason": reason,
        "id": _reference(request),
        "retry_url": begin,
        "other_account_url": f"{begin}?{urlencode({'prompt': 'select_account'})}",
    }
    return render(request, "portal/sign_in_refused.html", context, status=status)


def _begin(next_url: str | None) -> HttpResponseRedirect:
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    return HttpResponseRedirect(reverse("oidc_authentication_init") + query)


# --- the way out


@method_decorator([login_not_required, never_cache], name="dispatch")
class Logout(OIDCLogoutView):
    """Ends the session here, then at Entra ID. POST with the form's token only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User):
            record_event("signed_out", request=request, obj=("user", str(request.user.pk), str(request.user)))
        return super().post(request)


def logout_url(request: HttpRequest) -> str:
    """Entra's logout page, which comes back to ours. The hint spares the question which account it shall be."""
    params = {"post_logout_redirect_uri": request.build_absolute_uri(resolve_url(settings.LOGOUT_REDIRECT_URL))}
    hint = request.session.get(LOGIN_HINT)
    if hint:
        params["logout_hint"] = hint
    return f"{settings.ENTRA_AUTHORITY}/oauth2/v2.0/logout?{urlencode(params)}"


# --- staying fresh


@receiver(user_logged_in)
def begin_interval(request: HttpRequest, **_kwargs: Any) -> None:
    """However somebody is logged in, the interval until the next renewal begins then."""
    request.session[RENEW_AT] = time.time() + settings.OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS


class SessionRefreshMiddleware:
    """Asks Entra ID again every OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS: roles change, people leave.

    A page is renewed silently and comes back. Everything else gets 401 and does nothing: htmx is sent to its page,
    which renews; a script gets JSON; a form gets a page that says how to go on. Left for another interval, the
    session is over. Views with `login_not_required` are left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.renew = Begin.as_view(is_silent=True)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True) or not request.user.is_authenticated:
            return None
        overdue = _overdue_seconds(request.session)
        if overdue < 0:
            return None
        is_over = overdue >= settings.OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS
        if is_over:
            auth.logout(request)
        if _is_page(request):
            return _begin(request.get_full_path()) if is_over else self.renew(request)
        return _answer_expired(request)


def _overdue_seconds(session: SessionBase) -> float:
    """For how long this session should have been renewed; negative while it is fresh."""
    return time.time() - float(session.get(RENEW_AT, 0))


def _is_page(request: HttpRequest) -> bool:
    return request.method == "GET" and not HtmxDetails(request) and _wants_html(request)


def _wants_html(request: HttpRequest) -> bool:
    """A browser that goes to a page says so; a script that fetches takes anything."""
    return (
        "text/html" in request.headers.get("Accept", "") and request.headers.get("X-Requested-With") != "XMLHttpRequest"
    )


def _answer_expired(request: HttpRequest) -> HttpResponse:
    begin = reverse("oidc_authentication_init")
    htmx = HtmxDetails(request)
    if htmx:
        response: HttpResponse = HttpResponseClientRedirect(htmx.current_url_abs_path or "/")
        response.status_code = 401
    elif _wants_html(request):
        response = render(request, "portal/sign_in_expired.html", {"renew_url": begin}, status=401)
    else:
        response = JsonResponse({"error": "sign_in_required", "sign_in_url": begin}, status=401)
    response["Cache-Control"] = "no-store"
    return response
