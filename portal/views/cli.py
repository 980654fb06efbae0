"""The AWS CLI for everything one has: one file, one sign-in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import find_own_assignments, require_user
from accounts.cli_profiles import LOGIN_COMMAND, is_region, render_config
from portal.views.access_portal import find_access_portal
from portal.views.access_rows import build_groups, list_chips
from portal.views.paging import read_query


@require_safe
def cli(request: HttpRequest) -> HttpResponse:
    """The whole `~/.aws/config` with a profile for each set in each account the person can enter now."""
    access_portal = find_access_portal()
    chips = list_chips(build_groups(find_own_assignments(require_user(request)).with_places(), access_portal))
    profiles = [chip.profile for chip in chips if chip.profile]
    given = read_query(request, "region")
    region = given if is_region(given) else ""
    context = {
        "access_portal": access_portal,
        "profiles": profiles,
        "login_command": LOGIN_COMMAND,
        "device_command": f"{LOGIN_COMMAND} --use-device-code",
        "use_command": f"aws sts get-caller-identity --profile {profiles[0].name}" if profiles else "",
        "region": given,
        "is_wrong": bool(given and not region),
        "config": render_config(access_portal.url, access_portal.region, profiles, region=region)
        if access_portal and profiles
        else "",
    }
    return render(request, "portal/cli.html", context)
