"""Language and theme: kept in a cookie, and with the sign-in."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import override
from django.views.decorators.http import require_POST

from accounts.models import User

THEME_COOKIE = "__Host-theme" if settings.IS_HTTPS else "theme"
THEMES = ("light", "dark")
_YEAR = 365 * 24 * 3600  # seconds


@require_POST
@login_not_required
def set_language(request: HttpRequest) -> HttpResponse:
    """Show every page in the chosen language from now on."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    _keep(request, language=language)
    with override(language):
        response = _go_back(request)
    return _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, language)


@require_POST
@login_not_required
def set_theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the system has it (empty)."""
    theme = request.POST.get("theme", "")
    if theme not in (*THEMES, ""):
        return HttpResponseBadRequest()
    _keep(request, theme=theme)
    return _set_cookie(_go_back(request), THEME_COOKIE, theme)


def find_theme(request: HttpRequest) -> str:
    """`light`, `dark` or empty. The cookie is this browser's choice; without one, the sign-in's counts."""
    chosen = request.COOKIES.get(THEME_COOKIE)
    if chosen is not None:
        return chosen if chosen in THEMES else ""
    user = getattr(request, "user", None)
    return user.theme if isinstance(user, User) else ""


def read_next(request: HttpRequest, value: str | None) -> str:
    """An address of this portal to go on to; its front page when the given one is not."""
    allowed = url_has_allowed_host_and_scheme(value, {request.get_host()}, require_https=request.is_secure())
    return value if value and allowed else "/"


def _go_back(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(read_next(request, request.POST.get("next")))


def _keep(request: HttpRequest, **values: str) -> None:
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(**values)


def _set_cookie(response: HttpResponse, name: str, value: str) -> HttpResponse:
    # An empty value is a choice too: as the system has it, whatever the sign-in says elsewhere.
    response.set_cookie(name, value, max_age=_YEAR, secure=settings.IS_HTTPS, httponly=True, samesite="Lax")
    return response
