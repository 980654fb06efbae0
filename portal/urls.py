"""The portal's addresses; docs/addresses.md says what is behind each."""

from django.contrib import admin
from django.urls import include, path

from portal.views import (
    accounts,
    adoption,
    cli,
    drafts,
    drift,
    errors,
    health,
    home,
    icon,
    namesakes,
    people,
    permission_sets,
    preferences,
    problems,
    records,
    runs,
    sign_in,
    stops,
    twins,
    webhooks,
)

urlpatterns = [
    path("", home.my_access, name="my_access"),
    path("cli/", cli.cli, name="cli"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/<slug:account_id>/", accounts.account_detail, name="account_detail"),
    path("accounts/<slug:account_id>/freeze/", stops.freeze, name="freeze"),
    path("accounts/<slug:account_id>/lift-freeze/", stops.lift_freeze, name="lift_freeze"),
    path("permission-sets/", permission_sets.permission_set_list, name="permission_set_list"),
    path("permission-sets/<int:pk>/", permission_sets.permission_set_detail, name="permission_set_detail"),
    path("permission-sets/<int:pk>/adopt/", adoption.adopt_set, name="adopt_set"),
    path("permission-sets/<int:pk>/twin/", twins.make_twin, name="make_twin"),
    path("drafts/", drafts.draft_list, name="draft_list"),
    path("drafts/<int:pk>/", drafts.draft_detail, name="draft_detail"),
    path("drafts/<int:pk>/send/", drafts.send_draft, name="send_draft"),
    path("drafts/<int:pk>/discard/", drafts.discard_draft, name="discard_draft"),
    path("drafts/<int:pk>/resolve/", drafts.resolve_draft, name="resolve_draft"),
    path("drift/<int:pk>/put-back/", drift.put_back, name="put_back"),
    path("drift/<int:pk>/keep/", drift.keep, name="keep"),
    path("people/", people.person_list, name="person_list"),
    path("people/<int:pk>/", people.person_detail, name="person_detail"),
    path("people/<int:pk>/lock-out/", stops.lock_out, name="lock_out"),
    path("people/<int:pk>/lift-lock-out/", stops.lift_lock_out, name="lift_lock_out"),
    path("groups/<int:pk>/", people.group_detail, name="group_detail"),
    path("namesakes/<int:pk>/confirm/", namesakes.confirm, name="confirm_namesake"),
    path("assignments/<int:pk>/", records.assignment_record, name="assignment_record"),
    path("records/<slug:app_id>/<slug:record_id>/", records.record_redirect, name="record_redirect"),
    path("problems/", problems.problem_list, name="problem_list"),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/sync/", runs.sync_now, name="sync_now"),
    path("runs/confirm/", runs.confirm_baseline, name="confirm_baseline"),
    path("runs/pause/", stops.pause, name="pause"),
    path("runs/resume/", stops.resume, name="resume"),
    path("runs/<int:pk>/", runs.run_detail, name="run_detail"),
    path("runs/<int:pk>/accept/", runs.accept_removals, name="accept_removals"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/refused/", sign_in.sign_in_refused, name="sign_in_refused"),
    path("preferences/language/", preferences.set_language, name="set_language"),
    path("preferences/theme/", preferences.set_theme, name="set_theme"),
    path("webhooks/kintone/", webhooks.kintone, name="kintone_webhook"),
    path("oidc/", include("portal.oidc_urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", icon.favicon, name="favicon"),
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
]

handler400 = errors.bad_request
handler403 = errors.denied
handler404 = errors.not_found
handler500 = errors.server_error
