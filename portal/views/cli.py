"""The AWS CLI for everything one has: one file, one sign-in."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import require_user
from accounts.access_portal import AccessPortal, find_access_portal
from accounts.cli.merging import Merged, Unfinished, find_free_session, merge
from accounts.cli.naming import Profile
from accounts.cli.rendering import LOGIN_COMMAND, build_sections, render_config
from portal.forms.cli import MergeForm, NamingForm
from portal.views.access_rows import Naming
from portal.views.cli_naming import list_own_profiles, load_naming, load_preference
from portal.views.differences import compare_texts

FILE_NAME = "config"


@dataclass(frozen=True)
class Own:
    """All that a person's file is made from."""

    access_portal: AccessPortal | None
    naming: Naming
    profiles: tuple[Profile, ...]

    @property
    def config(self) -> str:
        if not self.access_portal or not self.profiles:
            return ""
        return render_config(
            self.access_portal.url, self.access_portal.region, self.profiles, region=self.naming.region
        )


@require_http_methods(["GET", "HEAD", "POST"])
def cli(request: HttpRequest) -> HttpResponse:
    """The whole `~/.aws/config`; POST: how profiles are named from now on, here and wherever one is copied."""
    user = require_user(request)
    form = NamingForm(load_preference(user), request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        return redirect("cli")
    own = _load_own(request)
    return _show(request, own, form=form, merge_form=MergeForm([profile.name for profile in own.profiles]))


@require_safe
def cli_file(request: HttpRequest) -> HttpResponse:
    """The same as a file to save."""
    return _download(_load_own(request).config)


@require_http_methods(["GET", "HEAD", "POST"])
def cli_merge(request: HttpRequest) -> HttpResponse:
    """The profiles that were chosen, in the file that was pasted, with what that changes; `download`: as a file."""
    own = _load_own(request)
    form = MergeForm([profile.name for profile in own.profiles], request.POST if request.method == "POST" else None)
    merged = _merge(form, own) if form.is_valid() else None
    if merged and "download" in request.POST:
        return _download(merged.text)
    context: dict[str, object] = {"merged": merged}
    if merged:
        context["difference"] = compare_texts(FILE_NAME, form.cleaned_data["current"], merged.text)
    return _show(request, own, form=NamingForm(load_preference(require_user(request))), merge_form=form, **context)


def _load_own(request: HttpRequest) -> Own:
    user, access_portal = require_user(request), find_access_portal()
    naming = load_naming(user)
    profiles = list_own_profiles(user, access_portal, naming) if access_portal else []
    return Own(access_portal, naming, tuple(profiles))


def _show(
    request: HttpRequest, own: Own, *, form: NamingForm, merge_form: MergeForm, **context: object
) -> HttpResponse:
    first = own.profiles[0].name if own.profiles else ""
    texts = {
        "login_command": LOGIN_COMMAND,
        "device_command": f"{LOGIN_COMMAND} --use-device-code",
        "use_command": f"aws sts get-caller-identity --profile {first}",
        "export_command": f'eval "$(aws configure export-credentials --profile {first} --format env)"',
        "process_line": f"credential_process = aws configure export-credentials --profile {first} --format process",
        "granted_command": f"assume {first}",
        "vault_command": f"aws-vault exec {first} -- aws sts get-caller-identity",
        "curl_command": _build_curl(request),
    }
    known = {
        "profiles": own.profiles,
        "renamed": [profile for profile in own.profiles if profile.was],
        "config": own.config,
        "access_portal": own.access_portal,
        "form": form,
        "merge_form": merge_form,
        "boxes": [box.data for box in merge_form["only"]],
    }
    return render(request, "portal/cli.html", known | texts | context)


def _build_curl(request: HttpRequest) -> str:
    address = request.build_absolute_uri(reverse("api_v1:read_cli_config"))
    return f'curl -H "Authorization: Bearer $GENKAN_TOKEN" {address}'


def _merge(form: MergeForm, own: Own) -> Merged | None:
    """None where the file's block has lost a mark, which the form then says."""
    if own.access_portal is None:
        return None
    current, chosen = form.cleaned_data["current"], set(form.cleaned_data["only"])
    profiles = [profile for profile in own.profiles if profile.name in chosen]
    url, sso_region = own.access_portal
    try:
        session = find_free_session(current, url)
        return merge(current, build_sections(url, sso_region, profiles, region=own.naming.region, session=session))
    except Unfinished:
        form.add_error("current", _("One of the two “genkan” marks is missing or doubled. Mend or remove both."))
        return None


def _download(text: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response
