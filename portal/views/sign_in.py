"""The door: one button that leads to Microsoft, and the page for those who were turned away."""

import re

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from portal.views.preferences import read_next

_ID = re.compile(r"[0-9A-Za-z-]{6,64}", re.ASCII)


@require_safe
@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    """One button. Whoever is signed in goes on at once."""
    destination = read_next(request, request.GET.get("next"))
    if request.user.is_authenticated:
        return HttpResponseRedirect(destination)
    return render(request, "portal/sign_in.html", {"next": destination})


@require_safe
@login_not_required
def sign_in_refused(request: HttpRequest) -> HttpResponse:
    """Says that nobody was signed in, and the id under which the log says why; the provider's own text is not shown."""
    given = request.GET.get("id", "")
    context = {"id": given if _ID.fullmatch(given) else "", "retry_url": reverse("sign_in")}
    return render(request, "portal/sign_in_refused.html", context, status=403)
