"""The icon at the address where browsers look by themselves, on pages too that name none (the admin site)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@require_safe
@login_not_required
def favicon(_request: HttpRequest) -> HttpResponse:
    return redirect(static("img/gate.svg"), permanent=True)
