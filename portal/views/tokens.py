"""One's own access tokens for the API: make one, see what they are, revoke."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import tokens
from accounts.access import require_user
from accounts.models import AccessToken, User
from accounts.sentences import render as render_sentence
from accounts.tokens import TokenRefused
from portal.forms.tokens import TokenForm
from portal.templatetags.genkan import joined

_SHOWN = 50  # newest first; what is over sinks out of sight


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """The tokens, and a form for another. Its text stands in the answer to the form and nowhere else."""
    user = require_user(request)
    form = TokenForm(user, request.POST if request.method == "POST" else None)
    made = _make(request, user, form) if form.is_valid() else ""
    form = TokenForm(user) if made else form
    context = {
        "form": form,
        "choices": [form["scope"], form["days"]],
        "made": made,
        "rows": AccessToken.objects.filter(user=user).order_by("-created_at")[:_SHOWN],
        "api_url": request.build_absolute_uri(reverse("api_v1:api-root")),
    }
    return render(request, "portal/token_list.html", context)


def _make(request: HttpRequest, user: User, form: TokenForm) -> str:
    """The token's text; empty where it was refused, which the form then says."""
    values = form.cleaned_data
    try:
        return tokens.make_token(request, user, values["name"], values["scope"], form.find_lifetime())[1]
    except TokenRefused as refusal:
        form.add_error(None, joined(render_sentence(refusal.code, refusal.params)))
        return ""


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens. Those of others are not found, but by admins."""
    user = require_user(request)
    rows = AccessToken.objects.all() if user.is_staff else AccessToken.objects.filter(user=user)
    token = get_object_or_404(rows, pk=pk)
    if tokens.revoke(request, token):
        messages.success(request, _("“%(name)s” does not work any more.") % {"name": token.name})
    return redirect("token_list")
