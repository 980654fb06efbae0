from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEvent
from portal.views import runs as run_views
from portal.views.run_held import HELD_SIZE
from syncer.models import Change, Drift, Notice, Run
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def requests_made(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Full runs asked for, without a broker."""
    made: list[dict[str, Any]] = []

    def request_full_run(user: Any, **options: Any) -> Run:
        made.append({"user": user, **options})
        return factories.make_run(status="queued", finished_at=None)

    monkeypatch.setattr(run_views, "request_full_run", request_full_run)
    return made


def test_anybody_may_sync_and_follows_the_run(requests_made: list[dict[str, Any]]) -> None:
    user = factories.make_user()
    response = make_client(user).post("/runs/sync/")
    assert requests_made == [{"user": user}]
    assert response.headers["Location"] == f"/runs/{Run.objects.get().pk}/"


def test_sync_now_stores_a_run_and_an_event() -> None:
    user = factories.make_user()
    make_client(user).post("/runs/sync/")
    assert Run.objects.get().requested_by == user
    assert AuditEvent.objects.filter(action="run.request", actor=user).exists()


def test_form_without_token_is_refused() -> None:
    client = make_client(factories.make_user())
    client.handler.enforce_csrf_checks = True
    response = client.post("/runs/sync/")
    assert response.status_code == 403
    assert "The page was too old" in response.content.decode()


def test_quiet_runs_fold_between_the_others() -> None:
    for _number in range(3):
        factories.make_run()
    factories.make_run(counts={"create": 2}, requested_by=factories.make_user())
    for _number in range(4):
        factories.make_run()
    text = get_text(make_client(factories.make_user()), "/runs/")
    assert text.index("4 runs without changes") < text.index("2 changes applied") < text.index("3 runs without changes")


def test_every_run_can_be_shown() -> None:
    for _number in range(3):
        factories.make_run()
    assert (
        get_text(make_client(factories.make_user()), "/runs/?all=1").count("Nothing to do: kintone and AWS agree") == 3
    )


def test_quiet_run_that_somebody_asked_for_keeps_its_line() -> None:
    factories.make_run(requested_by=factories.make_user("鈴木 蓮"))
    assert "鈴木 蓮" in get_text(make_client(factories.make_user()), "/runs/")


@pytest.mark.parametrize("page", ["/runs/", "/runs/{pk}/"])
def test_run_that_github_asked_for_bears_the_login(page: str) -> None:
    run = factories.make_run(asked_by="hana (GitHub)")
    assert "hana (GitHub)" in get_text(make_client(factories.make_user()), page.format(pk=run.pk))


def test_folds_of_two_pages_do_not_overlap() -> None:
    for _number in range(51):
        factories.make_run(counts={"create": 1})
        factories.make_run()
    client = make_client(factories.make_user())
    folds = [get_text(client, f"/runs/?page={page}").count("1 run without changes") for page in (1, 2)]
    assert sum(folds) == 51


def make_failing_runs(count: int, **values: Any) -> None:
    for _number in range(count):
        factories.make_run(status="failed", error={"code": "kintone_unavailable", "params": {}}, steps={}, **values)


def test_same_failure_again_and_again_is_one_line() -> None:
    make_failing_runs(12)
    text = get_text(make_client(factories.make_user()), "/runs/")
    assert text.count("The run failed") == 1
    assert "11 more with the same outcome" in text
    assert "kintone is out of order for the moment" in text


def test_same_hold_again_and_again_is_one_line_whatever_the_kind_of_run() -> None:
    for number in range(6):
        factories.make_run(status="held", checksum="0123456789ab", kind="changes" if number % 2 else "full")
    factories.make_run(status="held", checksum="ba9876543210")
    html = get_html(make_client(factories.make_user()), "/runs/")
    assert html.count('<li class="run">') == 2
    assert "5 more with the same outcome" in html


@pytest.mark.parametrize(
    "values", [{"counts": {"create": 1}}, {"by_hand": True}, {"error": {"code": "aws_denied", "params": {}}}]
)
def test_run_that_says_something_of_its_own_is_not_folded(values: dict[str, Any]) -> None:
    make_failing_runs(2)
    defaults: dict[str, Any] = {"error": {"code": "kintone_unavailable", "params": {}}, "steps": {}}
    own = factories.make_run(status="failed", **defaults | values)
    make_failing_runs(2)
    html = get_html(make_client(factories.make_user()), "/runs/")
    assert f'href="/runs/{own.pk}/"' in html
    assert html.count("The run failed") == 5


def test_hundreds_of_runs_are_a_page_with_a_few_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    user = factories.make_user()
    for number in range(300):
        kind = "record" if number % 3 else "full"
        counts = {"create": number % 5 == 0, "update": 0, "delete": 0}
        factories.make_run(kind=kind, counts={name: int(value) for name, value in counts.items()})
    client = make_client(user)
    with django_assert_max_num_queries(16):
        text = get_text(client, "/runs/")
    assert text.count("1 change applied") == 50
    assert text.count("4 runs without changes") == 51  # the newest lie above the first line


def test_running_run_asks_for_itself_and_over_does_not() -> None:
    client = make_client(factories.make_user())
    running = factories.make_run(status="running", step="apply", finished_at=None)
    over = factories.make_run()
    html = get_html(client, f"/runs/{running.pk}/")
    assert 'hx-trigger="every 1s"' in html
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in html
    assert "hx-trigger" not in get_html(client, f"/runs/{over.pk}/")


def test_unchanged_run_answers_without_content() -> None:
    client = make_client(factories.make_user())
    run = factories.make_run(status="running", step="wish", finished_at=None)
    html = get_html(client, f"/runs/{run.pk}/", part="run")
    seen = html.split("seen=")[1].split('"')[0]
    headers = {"HX-Request": "true", "HX-Target": "run"}
    assert client.get(f"/runs/{run.pk}/?seen={seen}", headers=headers).status_code == 204
    Run.objects.update(step="truth")
    assert client.get(f"/runs/{run.pk}/?seen={seen}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ({"status": "queued"}, "Waiting for its turn"),
        ({"status": "running", "step": "truth"}, "Reading AWS"),
        ({"status": "running", "step": ""}, "Reading kintone"),
        ({"status": "running", "step": "apply", "steps": {"apply": {"done": 1, "total": 5}}}, "Applying 5 changes"),
        ({"status": "done", "counts": {"create": 1}}, "1 change applied"),
        ({"status": "done", "mode": "plan", "counts": {"create": 2}}, "2 changes are due"),
        ({"status": "done", "mode": "plan"}, "Nothing to do"),
        ({"status": "held"}, "Removals are held back"),
        ({"status": "lost"}, "The run was cut off"),
        ({"status": "failed", "steps": {"wish": {"state": "failed"}}}, "The run failed"),
        ({"status": "failed"}, "Not everything could be applied"),
        (
            {"status": "failed", "unresolved": [{"scope": "everything", "operation": "x", "reason": {}}]},
            "Not everything could be read",
        ),
    ],
)
def test_title_says_what_goes_on(values: dict[str, Any], title: str) -> None:
    run = factories.make_run(**values)
    assert f"<h1>{title}</h1>" in get_html(make_client(factories.make_user()), f"/runs/{run.pk}/")


def test_failed_change_gives_the_reason_of_aws() -> None:
    run = factories.make_run(status="failed")
    account = factories.make_account("payments-prod")
    reason = {"code": "aws_refused", "params": {"text": "policy does not exist"}}
    factories.make_change(run, account_id=account.account_id, outcome="failed", reason=reason)
    text = get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert "AWS refused: policy does not exist" in text
    assert "payments-prod" in text


def test_unresolved_scope_is_told_in_words() -> None:
    item = {
        "scope": "account 123456789012 × users",
        "operation": "sso-admin:ListAccountAssignments",
        "reason": {"code": "aws_refused", "params": {"text": "x"}},
    }
    run = factories.make_run(status="failed", unresolved=[item])
    assert "account 1234 5678 9012 × users" in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ("all", "Nothing is changed there."),
        ("deletes", "Nothing is removed there."),
        ("none", "Shown as last known; nothing waits for it."),
    ],
)
def test_unresolved_scope_says_what_it_holds_back(blocks: str, words: str) -> None:
    item = {"scope": "users", "operation": "identitystore:ListUsers", "reason": {}, "blocks": blocks}
    run = factories.make_run(status="failed", unresolved=[item])
    assert words in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


def test_update_of_a_set_shows_what_goes_and_what_comes() -> None:
    run = factories.make_run()
    details = [
        {"field": "session_duration", "before": "PT1H", "after": "PT8H"},
        {"field": "stale_accounts", "before": "", "after": "111111111111, 222222222222"},
    ]
    factories.make_change(run, object="permission_set", kind="update", account_id="", details=details)
    text = get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert "session duration − goes: 1 hour + comes: 8 hours" in text
    assert "also in 2 accounts" in text


def test_sets_stand_before_the_accounts() -> None:
    run = factories.make_run()
    factories.make_change(run, account_id="000000000001", permission_set_name="Later")
    factories.make_change(run, object="permission_set", account_id="", permission_set_name="First")
    text = get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert text.index("First") < text.index("Later")


# --- What was read ----------------------------------------------------------------------------------------------------

CALLS = {"sso-admin:ListAccountAssignments": 1161, "identitystore:ListUsers": 2}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_proof": True}, "Everything was read: a full proof."),
        ({"share": 2}, "What changed was read, and share 3 of 6 of the rest"),
        ({"kind": "record"}, "What the changed records concern was read"),
        ({"reading": {"strategy": "by_account"}}, "Assignments were looked for account by account."),
        ({"reading": {"strategy": "by_set"}}, "Assignments were looked for set by set."),
        ({"reading": {"strategy": "by_principal"}}, "Assignments were looked for by user and group."),
        ({"reading": {"strategy": "by_pair"}}, "Only the pairs of account and set concerned were looked at."),
        ({"reading": {"calls": 203, "predicted": 206}}, "203 calls for assignments 206 predicted"),
        ({"reading": {"seconds": 9.31}}, "1163 calls 9.3 s"),
        ({}, "sso-admin: ListAccountAssignments 1,161"),
    ],
)
def test_run_tells_what_it_read_and_what_that_took(values: dict[str, Any], words: str) -> None:
    run = factories.make_run(api_calls=CALLS, **values)
    assert words in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


def test_calls_are_listed_most_first() -> None:
    run = factories.make_run(api_calls={"a:Few": 1, "a:Many": 9})
    text = get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert text.index("Many") < text.index("Few")


def test_run_that_has_read_nothing_says_nothing_of_it() -> None:
    run = factories.make_run(api_calls={})
    assert "What was read" not in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


def test_run_tells_how_much_it_had_to_tell() -> None:
    run = factories.make_run()
    Notice.objects.create(kind="failed", key="run:x", code="notice_run_failed", path=f"/runs/{run.pk}/")
    assert "1 notice" in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


# --- Changed by hand --------------------------------------------------------------------------------------------------


def test_drift_leads_to_where_something_can_be_done() -> None:
    account, now = factories.make_account("payments-prod"), timezone.now()
    run = factories.make_run(started_at=now - timedelta(minutes=1), finished_at=now)
    seen = {"seen_at": now - timedelta(seconds=30), "permission_set_name": "Deploy"}
    Drift.objects.create(
        kind="added", account_id=account.account_id, principal_id="1", principal_name="鈴木 蓮", **seen
    )
    html = get_html(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert f'href="/accounts/{account.account_id}/">payments-prod' in html
    assert "found by this run" in html


def test_changed_set_leads_to_its_page_with_the_difference() -> None:
    permission_set, now = factories.make_permission_set("Deploy"), timezone.now()
    run = factories.make_run(started_at=now - timedelta(minutes=1), finished_at=now)
    details = [{"field": "session_duration", "before": "PT8H", "after": "PT12H"}]
    Drift.objects.create(
        kind="changed", permission_set_name="Deploy", details=details, seen_at=now - timedelta(hours=3)
    )
    html = get_html(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert f'href="/permission-sets/{permission_set.pk}/"' in html
    assert "12 hours" in html
    assert "3 hours ago" in html


@pytest.mark.parametrize("values", [{"seen_at": 1}, {"seen_at": -9, "ended_at": -5}])
def test_drift_of_another_time_is_not_told(values: dict[str, int]) -> None:
    now = timezone.now()
    run = factories.make_run(started_at=now - timedelta(minutes=1), finished_at=now)
    times = {name: now + timedelta(minutes=minutes) for name, minutes in values.items()}
    Drift.objects.create(kind="added", permission_set_name="Deploy", principal_id="1", **times)
    assert "Changed by hand" not in get_text(make_client(factories.make_user()), f"/runs/{run.pk}/")


def test_drift_is_not_told_once_more_as_a_problem() -> None:
    problem: dict[str, Any] = {"record": "", "code": "drift", "severity": "warning", "params": {}}
    run = factories.make_run(problems=[problem])
    assert ">Problems<" not in get_html(make_client(factories.make_user()), f"/runs/{run.pk}/").split("<main")[1]


# --- Outcomes and holds -----------------------------------------------------------------------------------------------


def test_changes_can_be_narrowed_to_one_outcome() -> None:
    run = factories.make_run(status="failed")
    factories.make_change(run, principal_name="鈴木 蓮", outcome="failed")
    factories.make_change(run, principal_name="田中 大輔", outcome="succeeded")
    text = get_text(make_client(factories.make_user()), f"/runs/{run.pk}/?outcome=failed")
    assert "鈴木 蓮" in text
    assert "田中 大輔" not in text


def make_held_run() -> Run:
    run = factories.make_run(status="held", checksum="0123456789ab")
    reason = {"code": "too_many_removals", "params": {"count": 60, "limit": 50}}
    for number in range(60):
        factories.make_change(run, kind="delete", outcome="held", principal_name=f"held person {number}", reason=reason)
    return run


def test_admin_sees_all_that_is_held_and_its_checksum() -> None:
    run = make_held_run()
    html = get_html(make_client(factories.make_user(is_staff=True)), f"/runs/{run.pk}/")
    assert html.count("held person") == 60
    assert 'value="0123456789ab"' in html
    assert html.count("60 removals within 24 hours are more than 50.") == 1


def test_what_is_held_is_told_for_each_group_with_its_count_and_reason() -> None:
    run = factories.make_run(status="held", checksum="0123456789ab")
    for code, count in (("too_large_share", 12), ("app_shrunk", 3)):
        for _number in range(count):
            reason = {"code": code, "params": {"count": count, "of": 30}}
            factories.make_change(run, kind="delete", outcome="held", reason=reason)
    text = get_text(make_client(factories.make_user(is_staff=True)), f"/runs/{run.pk}/")
    assert "15 removals are held back" in text
    assert "Access that records or rules no longer give 12 12 of 30 assignments would go within 24 hours." in text
    assert "What an empty or far shorter kintone app would take away 3 A kintone app came back empty" in text
    assert text.count("Checksum") == 1


def make_long_held_run() -> Run:
    run = factories.make_run(status="held", checksum="0123456789ab")
    rows = [
        Change(run=run, position=number, kind="delete", object="assignment", outcome="held",
               permission_set_name="Reader", principal_name=f"held person {number}", reason={"code": code})
        for number, code in enumerate(["too_large_share"] * HELD_SIZE + ["app_shrunk"] * 3)
    ]  # fmt: skip
    Change.objects.bulk_create(rows)
    return run


@pytest.mark.parametrize(("page", "shown"), [(1, HELD_SIZE), (2, 3)])
def test_long_list_of_what_is_held_has_pages(page: int, shown: int) -> None:
    run = make_long_held_run()
    html = get_html(make_client(factories.make_user(is_staff=True)), f"/runs/{run.pk}/?held={page}")
    assert html.count("held person") == shown
    assert f'href="?held={3 - page}#held"' in html
    assert "Let these 203 removals go" in html


@pytest.mark.parametrize("page", [1, 2])
def test_each_page_of_what_is_held_counts_all_groups(page: int) -> None:
    run = make_long_held_run()
    text = get_text(make_client(factories.make_user(is_staff=True)), f"/runs/{run.pk}/?held={page}")
    assert "203 removals are held back" in text
    assert f"Access that records or rules no longer give {HELD_SIZE}" in text
    assert "What an empty or far shorter kintone app would take away 3" in text


@pytest.mark.parametrize(
    ("newer", "words"),
    [
        ({"status": "done"}, "A newer run holds nothing any more."),
        ({"status": "held", "checksum": "ba9876543210"}, "A newer run holds another list."),
    ],
)
def test_list_that_a_newer_run_has_overtaken_has_no_button(newer: dict[str, Any], words: str) -> None:
    run = make_held_run()
    latest = factories.make_run(**newer)
    html = get_html(make_client(factories.make_user(is_staff=True)), f"/runs/{run.pk}/")
    assert words in html
    assert f'href="/runs/{latest.pk}/"' in html
    assert "/accept/" not in html


@pytest.mark.parametrize(
    "newer",
    [{"status": "held", "checksum": "0123456789ab"}, {"status": "failed"}, {"kind": "record"}],
)
def test_list_that_still_stands_keeps_its_button(newer: dict[str, Any]) -> None:
    run = make_held_run()
    factories.make_run(**newer)
    html = get_html(make_client(factories.make_user(is_staff=True)), f"/runs/{run.pk}/")
    assert f"/runs/{run.pk}/accept/" in html


def test_others_are_told_who_can_accept() -> None:
    run = make_held_run()
    html = get_html(make_client(factories.make_user()), f"/runs/{run.pk}/")
    assert "/accept/" not in html
    assert "A portal admin can let them go." in html


def test_admin_accepts_the_list_on_the_screen(requests_made: list[dict[str, Any]]) -> None:
    run, admin = make_held_run(), factories.make_user(is_staff=True)
    make_client(admin).post(f"/runs/{run.pk}/accept/", {"checksum": "0123456789ab"})
    assert requests_made == [{"user": admin, "accept": "0123456789ab"}]


@pytest.mark.parametrize("role", ["is_auditor", "is_guest"])
def test_nobody_else_may_accept(role: str, requests_made: list[dict[str, Any]]) -> None:
    roles: dict[str, Any] = {role: True}
    client = make_client(factories.make_user(**roles))
    assert client.post(f"/runs/{make_held_run().pk}/accept/", {"checksum": "0123456789ab"}).status_code == 403
    assert requests_made == []


def test_another_checksum_accepts_nothing(requests_made: list[dict[str, Any]]) -> None:
    run = make_held_run()
    client = make_client(factories.make_user(is_staff=True))
    response = client.post(f"/runs/{run.pk}/accept/", {"checksum": "ba9876543210"}, follow=True)
    assert "The list has changed" in response.content.decode()
    assert requests_made == []


def test_run_that_holds_nothing_has_nothing_to_accept(requests_made: list[dict[str, Any]]) -> None:
    client = make_client(factories.make_user(is_staff=True))
    assert client.post(f"/runs/{factories.make_run().pk}/accept/", {"checksum": ""}).status_code == 404


def test_only_an_admin_confirms_a_new_database(requests_made: list[dict[str, Any]]) -> None:
    problem: dict[str, Any] = {
        "record": "",
        "field": "",
        "line": None,
        "code": "baseline_missing",
        "severity": "warning",
        "params": {},
    }
    run = factories.make_run(problems=[problem])
    admin, other = make_client(factories.make_user(is_staff=True)), make_client(factories.make_user())
    assert "/runs/confirm/" in get_html(admin, f"/runs/{run.pk}/")
    assert "/runs/confirm/" not in get_html(other, f"/runs/{run.pk}/")
    assert other.post("/runs/confirm/").status_code == 403
    admin.post("/runs/confirm/")
    assert requests_made == [{"user": ANY, "confirm": True}]


def test_schedule_is_told() -> None:
    text = get_text(make_client(factories.make_user()), "/runs/")
    assert "Everything every 10 minutes, changed records every 50 seconds." in text


def test_banner_says_that_runs_only_plan(settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    assert "SYNC_MODE=plan" in get_text(make_client(factories.make_user()), "/runs/")


def test_times_are_shown_in_the_portals_zone() -> None:
    run = factories.make_run(requested_at=timezone.now())
    assert f"{timezone.localtime(run.requested_at):%H:%M}" in get_text(
        make_client(factories.make_user()), "/runs/?all=1"
    )


def test_removal_says_that_the_role_goes_and_until_when_sessions_live() -> None:
    run, ended = factories.make_run(), timezone.now()
    details = [
        {"field": "cause", "before": "", "after": "leaver"},
        {"field": "role_replaced", "before": "", "after": ""},
        {"field": "open_sessions", "before": "", "after": "PT1H30M"},
    ]
    change = factories.make_change(run, kind="delete", details=details, finished_at=ended)
    client, until = make_client(factories.make_user()), timezone.localtime(ended + timedelta(minutes=90))
    text = get_text(client, f"/runs/{run.pk}/")
    assert "disabled in Identity Center" in text
    assert "the role goes; made again, it has another ARN" in text
    assert f"{until:%H:%M}" in text.partition("open sessions can go on until")[2][:40]
    Change.objects.filter(pk=change.pk).update(outcome=Change.Outcome.FAILED)
    assert "open sessions" not in get_text(client, f"/runs/{run.pk}/")
