"""Building a shortcut: account, permission set, place in the console, what is filled in; the link appears at once.

Nothing is stored. The pages answer GET alone, and their address says all of it.
"""

import io
from typing import Any

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import require_user
from accounts.access_portal import find_access_portal
from accounts.models import ConsoleService, User
from accounts.sentences import render as render_sentence
from accounts.shortcuts import BadDestination
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.shortcut_asking import as_pasted, find_dropped, list_own_accounts, read_asked, read_value, take_pasted
from portal.views.shortcut_building import (
    Building,
    Result,
    build_result,
    find_building,
    group_places,
    group_regions,
    list_fields,
)

_PARTS = {"builder": "portal/_shortcut_builder.html", "shortcut-result": "portal/_shortcut_result.html"}


@require_safe
def new_shortcut(request: HtmxHttpRequest) -> HttpResponse:
    """The form, and the link to what it says. What was pasted leads to the form that is filled with it."""
    user, access_portal = require_user(request), find_access_portal()
    if access_portal is None:
        return render(request, "portal/shortcut_new.html", {"building": None})
    building = find_building(user, read_asked(request), access_portal)
    pasted, wrong = read_value(request, "paste"), None
    if pasted:
        try:
            asked = take_pasted(building.asked, pasted, building.catalogue, access_portal.partition)
        except BadDestination as refusal:
            wrong = render_sentence(refusal.code, refusal.params)
        else:
            return redirect(f"{reverse('new_shortcut')}?{asked.as_query()}")
    part = next((name for name in _PARTS if asks_for_part(request, name)), "")
    context = {**_make_context(user, building), "pasted": pasted, "wrong": wrong, "is_part": bool(part)}
    return render(request, _PARTS.get(part, "portal/shortcut_new.html"), context)


def _make_context(user: User, building: Building) -> dict[str, Any]:
    return {
        "building": building,
        "result": build_result(building),
        "fields": list_fields(building),
        "groups": group_places(building.catalogue),
        "regions": group_regions(building),
        "own_accounts": list_own_accounts(user),
        "dropped": find_dropped(building.asked, building.catalogue, building.access_portal.partition),
        "as_pasted": as_pasted(building.asked).as_query(),
        "public_url": settings.PUBLIC_URL,
        "changed": _find_changed(user, building),
    }


def _find_changed(user: User, building: Building) -> str:
    """Where an admin changes the place, if it is an admin who looks."""
    service = building.service
    if service is None or not user.is_staff:
        return ""
    row = ConsoleService.objects.filter(slug=service.slug).values_list("pk", flat=True).first()
    if row is not None:
        return reverse("admin:accounts_consoleservice_change", args=[row])
    return f"{reverse('admin:accounts_consoleservice_add')}?like={service.slug}"


@require_safe
def shortcut_qr(request: HttpRequest) -> HttpResponse:
    """The link of the same address as a picture. It is built anew, so nothing but a link of ours becomes one."""
    user, access_portal = require_user(request), find_access_portal()
    result = build_result(find_building(user, read_asked(request), access_portal)) if access_portal else Result()
    if not result.has_qr:
        raise Http404
    picture = io.BytesIO()
    code = segno.make(result.url, error="m", micro=False)
    # White paper around black squares, also where the page is dark: cameras expect it so.
    code.save(picture, kind="svg", scale=4, border=4, light="#fff", dark="#000", xmldecl=False)
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")
