"""The gateway to kintone, against the simulated domain."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.kintone import App, Fault, KintoneSimulator, KintoneWorld
from simulators.serving import Application, Request, Response, Serving
from syncer.gateways.errors import (
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Permanent,
    Throttled,
    Truncated,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from syncer.gateways.kintone import FieldInfo, KintoneApp, Lookup

RECORDS = "/k/v1/records.json"
READ_RECORDS = "kintone GET records.json app 2"


def ids_of(pages: list[list[dict[str, Any]]]) -> list[str]:
    return [record["$id"]["value"] for page in pages for record in page]


def fill(app: App, number: int) -> None:
    """Let the app have so many records in all."""
    for count in range(number - len(app.record_ids())):
        app.add_record({"account_id": f"{count:012}"})


def opened(url: str, *tokens: str, app_id: str = "2", **options: Any) -> KintoneApp:
    return KintoneApp(url, app_id, tokens or ("token",), **{"sleep": lambda _seconds: None, **options})


@contextmanager
def served(answer: Response | Application, *tokens: str, **options: Any) -> Iterator[KintoneApp]:
    """An app of a server that answers as told."""
    application = (lambda _request: answer) if isinstance(answer, Response) else answer
    with Serving(application) as serving, opened(serving.url, *tokens, **options) as app:
        yield app


# Questions


def test_fetches_fields_with_lookup_and_options(kintone: KintoneApp) -> None:
    fields = kintone.fetch_fields()
    assert fields["permission_set"] == FieldInfo(
        "permission_set", "SINGLE_LINE_TEXT", "permission_set", lookup=Lookup("1", "name")
    )
    assert fields["stage"].options == ("dev", "prod")
    assert (fields["account_id"].label, fields["account_id"].is_required) == ("アカウント", True)


def test_fields_include_the_system_fields_by_type(kintone: KintoneApp) -> None:
    types = {info.type for info in kintone.fetch_fields().values()}
    assert {"CREATOR", "MODIFIER", "CREATED_TIME", "UPDATED_TIME"} <= types


def test_iterates_over_all_pages(kintone: KintoneApp, assignment_app: App) -> None:
    fill(assignment_app, 1001)
    pages = list(kintone.iter_records())
    assert [len(page) for page in pages] == [500, 500, 1]
    assert ids_of(pages) == [str(number) for number in range(1, 1002)]


def test_a_full_last_page_is_followed_by_an_empty_one(kintone: KintoneApp, assignment_app: App) -> None:
    fill(assignment_app, 500)
    assert [len(page) for page in kintone.iter_records()] == [500, 0]


def test_condition_with_or_is_kept_together(kintone: KintoneApp) -> None:
    pages = list(kintone.iter_records('account_id = "000000000000" or account_id = "000000000002"'))
    assert ids_of(pages) == ["1", "3"]


def test_fetches_only_the_fields_asked_for(kintone: KintoneApp) -> None:
    [[record, *_others]] = kintone.iter_records(fields=["account_id"])
    assert record.keys() == {"account_id", "$id"}


def test_counts_records(kintone: KintoneApp) -> None:
    assert kintone.count_records() == 3
    assert kintone.count_records('account_id = "000000000001"') == 1


def test_fetches_one_record(kintone: KintoneApp) -> None:
    assert kintone.fetch_record("2")["account_id"]["value"] == "000000000001"


def test_fetches_records_by_id_and_leaves_out_the_gone(kintone: KintoneApp, assignment_app: App) -> None:
    assignment_app.delete_records([2])
    records = kintone.fetch_records(["3", "2", "1"])
    assert [record["$id"]["value"] for record in records] == ["1", "3"]


def test_fetches_many_records_in_chunks_by_post(kintone: KintoneApp, assignment_app: App) -> None:
    fill(assignment_app, 501)
    records = kintone.fetch_records(str(number) for number in range(1, 502))
    assert len(records) == 501
    assert kintone.calls == {READ_RECORDS: 2}


def test_scans_revisions(kintone: KintoneApp, assignment_app: App) -> None:
    assignment_app.edit_record(2, {"account_id": "9"})
    assert kintone.scan_revisions() == {"1": 1, "2": 2, "3": 1}


def test_scan_of_an_empty_app_is_empty(kintone: KintoneApp, assignment_app: App) -> None:
    assignment_app.delete_records([1, 2, 3])
    assert kintone.scan_revisions() == {}


def test_reads_guest_space_apps(kintone_world: KintoneWorld, kintone_url: str) -> None:
    with opened(kintone_url, guest_space_id="12") as app, pytest.raises(GatewayError):
        app.fetch_record("1")
    assert ("GET", "/k/guest/12/v1/record.json") in kintone_world.calls


def test_several_tokens_go_together(kintone_world: KintoneWorld, kintone_url: str, assignment_app: App) -> None:
    tokens = [kintone_world.add_token([app_id]) for app_id in (1, 2)]
    with opened(kintone_url, *tokens) as app:
        assert app.count_records() == 3


def test_keeps_the_clock_of_kintone(kintone: KintoneApp, clock: Clock) -> None:
    clock.freeze(datetime(2026, 4, 15, 3, 4, 56, tzinfo=UTC))
    assert kintone.server_time is None
    kintone.count_records()
    assert kintone.server_time == datetime(2026, 4, 15, 3, 4, 56, tzinfo=UTC)


# Scans that do not agree with kintone's count


def simulator_hiding(world: KintoneWorld, hide: Callable[[int], bool]) -> Application:
    """kintone, but the last record of an answer is missing when `hide(number of the answer)` says so."""
    simulator, answers = KintoneSimulator(world), 0

    def answer(request: Request) -> Response:
        nonlocal answers
        response = simulator(request)
        answers += 1
        body = json.loads(response.body)
        if hide(answers):
            body["records"].pop()
        return Response(response.status, json.dumps(body).encode(), response.headers)

    return answer


def test_scan_is_repeated_once_when_records_are_missing(kintone_world: KintoneWorld, assignment_app: App) -> None:
    token = kintone_world.add_token([2])
    with served(simulator_hiding(kintone_world, lambda number: number == 1), token) as app:
        assert len(app.scan_revisions()) == 3
        assert app.calls[READ_RECORDS] == 2


def test_scan_that_stays_short_is_truncated(kintone_world: KintoneWorld, assignment_app: App) -> None:
    token = kintone_world.add_token([2])
    hiding = simulator_hiding(kintone_world, lambda number: True)
    with served(hiding, token) as app, pytest.raises(Truncated) as caught:
        app.scan_revisions()
    assert caught.value.reason.code == "kintone_truncated"
    assert (caught.value.reason.params["expected"], caught.value.reason.params["found"]) == ("3", "2")


# Refusals


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("GAIA_IA02", Unauthenticated, "kintone_token_refused"),
        ("CB_WA01", Unauthenticated, "kintone_login_refused"),
        ("GAIA_NO01", Denied, "kintone_no_right"),
        ("CB_NO02", Denied, "kintone_no_right"),
        ("GAIA_AP01", NotFound, "kintone_app_missing"),
        ("GAIA_IL23", Invalid, "kintone_guest_space"),
        ("GAIA_IQ11", Permanent, "kintone_error"),
    ],
)
def test_tells_refusals_apart_by_code(
    kintone: KintoneApp, kintone_world: KintoneWorld, code: str, kind: type[GatewayError], reason: str
) -> None:
    kintone_world.faults.add(Fault(code=code))
    with pytest.raises(kind) as caught:
        kintone.count_records()
    assert (caught.value.reason.code, caught.value.code, caught.value.operation) == (reason, code, READ_RECORDS)
    assert kintone.calls[READ_RECORDS] == 1


def test_code_counts_more_than_the_old_status_520(kintone: KintoneApp, kintone_world: KintoneWorld) -> None:
    kintone_world.faults.add(Fault(code="GAIA_IA02", status=520))
    with pytest.raises(Unauthenticated):
        kintone.count_records()


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (401, Unauthenticated, "kintone_token_refused"),
        (403, Denied, "kintone_no_right"),
        (404, NotFound, "kintone_error"),
        (418, Permanent, "kintone_error"),
    ],
)
def test_tells_unknown_codes_apart_by_status(
    kintone: KintoneApp, kintone_world: KintoneWorld, status: int, kind: type[GatewayError], reason: str
) -> None:
    kintone_world.faults.add(Fault(code="NEW_99", status=status, message="何か"))
    with pytest.raises(kind) as caught:
        kintone.count_records()
    assert (caught.value.reason.code, caught.value.text) == (reason, "何か")


def test_wrong_token_is_refused(kintone_url: str, assignment_app: App) -> None:
    with opened(kintone_url, "トークン") as app, pytest.raises(Unauthenticated):
        app.count_records()


def test_record_that_is_gone_is_not_found(kintone: KintoneApp) -> None:
    with pytest.raises(NotFound) as caught:
        kintone.fetch_record("99")
    assert caught.value.reason.code == "kintone_record_missing"


# Troubles that pass


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "text": "Service Unavailable"},
        {"status": 502, "text": "<html>Bad Gateway</html>"},
        {"code": "GAIA_TO04"},
        {"hang_up": True},
    ],
)
def test_passing_trouble_is_tried_through(
    kintone: KintoneApp, kintone_world: KintoneWorld, pauses: list[float], fault: dict[str, Any]
) -> None:
    kintone_world.faults.add(Fault(**fault, times=3))
    assert kintone.count_records() == 3
    assert kintone.calls[READ_RECORDS] == 4
    assert len(pauses) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ({"status": 503, "text": "Service Unavailable"}, Unavailable, "kintone_unavailable"),
        ({"code": "GAIA_TO04"}, Throttled, "kintone_throttled"),
        ({"hang_up": True}, NoAnswer, "kintone_unreachable"),
    ],
)
def test_gives_up_after_four_tries(
    kintone: KintoneApp, kintone_world: KintoneWorld, fault: dict[str, Any], kind: type[GatewayError], reason: str
) -> None:
    kintone_world.faults.add(Fault(**fault))
    with pytest.raises(kind) as caught:
        kintone.count_records()
    assert caught.value.reason.code == reason
    assert kintone.calls[READ_RECORDS] == 4


def test_server_that_is_not_there_is_unreachable() -> None:
    with Serving(lambda _request: Response()) as serving:
        url = serving.url
    with opened(url) as app, pytest.raises(Unreachable) as caught:
        app.count_records()
    assert caught.value.reason.code == "kintone_unreachable"


def test_slow_answer_is_no_answer(kintone_url: str, kintone_world: KintoneWorld, assignment_app: App) -> None:
    kintone_world.faults.add(Fault(hang=0.2))
    with opened(kintone_url, timeout=(1, 0.03)) as app, pytest.raises(NoAnswer):
        app.count_records()


def test_address_that_is_none_is_not_tried_again() -> None:
    with opened("example.cybozu.com") as app, pytest.raises(Permanent) as caught:
        app.count_records()
    assert app.calls.total() == 1
    assert caught.value.reason.code == "kintone_unreachable"


# Answers that are not kintone's


@pytest.mark.parametrize(
    "response",
    [
        Response.text("<html>Sign in</html>", content_type="text/html"),
        Response.json([]),
        Response.json({"rows": []}),
        Response.json({"records": "none"}),
        Response.json({"records": [], "totalCount": "many"}),
        Response.text("Not Found", 404),
        Response(302, b"{}", (("Location", "https://login.example.com/"),)),
    ],
)
def test_answer_that_is_not_kintones_says_so(response: Response) -> None:
    with served(response) as app, pytest.raises(Permanent) as caught:
        app.count_records()
    assert caught.value.reason.code == "kintone_not_kintone"


def test_token_does_not_follow_a_redirect() -> None:
    seen: list[Request] = []

    def thief(request: Request) -> Response:
        seen.append(request)
        return Response.json({"records": []})

    with Serving(thief) as elsewhere:
        redirect = Response(302, b"", (("Location", elsewhere.url),))
        with served(redirect) as app, pytest.raises(Permanent):
            app.count_records()
    assert seen == []


def test_pages_that_do_not_move_on_end() -> None:
    page = [{"$id": {"value": "1"}, "$revision": {"value": "1"}}] * 500
    answer = Response.json({"records": page, "totalCount": "1000"})
    with served(answer) as app, pytest.raises(Permanent):
        list(app.iter_records())


def test_record_without_id_is_not_kintones() -> None:
    answer = Response.json({"records": [{"$revision": {"value": "1"}}], "totalCount": "1"})
    with served(answer) as app, pytest.raises(Permanent) as caught:
        app.scan_revisions()
    assert caught.value.reason.code == "kintone_not_kintone"


def test_search_that_kintone_cut_short_is_truncated() -> None:
    warning = ("X-Cybozu-Warning", "Filter aborted because of too many search results")
    answer = Response.json({"records": [], "totalCount": "0"}, 200, warning)
    with served(answer) as app, pytest.raises(Truncated):
        app.count_records('note like "a"')


# How it asks


LONG_CONDITION = " or ".join(f'account_id = "{number:012}"' for number in range(200))


@pytest.mark.parametrize(
    ("condition", "fields", "method"),
    [
        ('account_id != ""', ["account_id"], "GET"),
        (LONG_CONDITION, ["account_id"], "POST"),
        ("", ["account_id", *(f"f{number}" for number in range(100))], "POST"),
    ],
)
def test_long_questions_go_by_post(
    kintone_world: KintoneWorld, assignment_app: App, condition: str, fields: list[str], method: str
) -> None:
    seen: list[Request] = []
    simulator = KintoneSimulator(kintone_world)

    def record(request: Request) -> Response:
        seen.append(request)
        return simulator(request)

    with served(record, kintone_world.add_token([2])) as app:
        [page] = app.iter_records(condition, fields)
    assert (len(page), set(page[0])) == (3, {"$id", "account_id"})
    assert [request.method for request in seen] == [method]


def test_a_crowded_domain_is_given_room(pauses: list[float]) -> None:
    crowded = (("X-ConcurrencyLimit-Limit", "100"), ("X-ConcurrencyLimit-Running", "80"))
    answer = Response.json({"records": [], "totalCount": "0"}, 200, *crowded)
    with served(answer, sleep=pauses.append) as app:
        app.count_records()
        assert pauses == []
        app.count_records()
    assert pauses == [0.5]


def test_a_server_that_names_its_pause_gets_it(pauses: list[float]) -> None:
    busy = Response(429, b"slow down", (("Retry-After", "17"),))
    with served(busy, sleep=pauses.append) as app, pytest.raises(Throttled):
        app.count_records()
    assert pauses == [17.0, 17.0, 17.0]


def test_no_password_is_taken_from_netrc(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response.json({"records": [], "totalCount": "0"})

    with served(answer) as app:
        app.count_records()
    assert "authorization" not in seen[0].headers
    assert seen[0].headers["x-cybozu-api-token"] == "token"


def test_updated_since_a_moment_is_a_condition(kintone: KintoneApp, clock: Clock, assignment_app: App) -> None:
    clock.advance(timedelta(hours=1))
    assignment_app.edit_record(3, {"account_id": "3"})
    since = (clock.now() - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:00Z")
    assert ids_of(list(kintone.iter_records(f'更新日時 >= "{since}"'))) == ["3"]
