"""The trail as a page: what it says, how it is narrowed down and paged, and who sees what of it."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.activity_sentences import has_word
from accounts.audit import record_event
from accounts.audit_about import About
from accounts.models import AuditEvent, OwnerEntry, User
from tests import factories
from tests.portal.pages import get_html, get_text, make_client
from tests.portal.test_csv_lists import read_csv

pytestmark = pytest.mark.django_db


def write(action: str = "record.write", *, minutes: int = 0, **values: Any) -> AuditEvent:
    """An event of some minutes ago."""
    event = AuditEvent(at=timezone.now() - timedelta(minutes=minutes), action=action, **values)
    event.save()
    return event


@pytest.fixture
def reader() -> Client:
    return make_client(factories.make_user("読み手", is_auditor=True))


def test_line_says_who_did_what_to_which(reader: Client) -> None:
    user, account = factories.make_user("佐藤 春香"), factories.make_account("payments-prod")
    record = factories.make_record(title="payments")
    record_event("record.write", actor=user, obj=("record", record.reference, record.reference),
                 before={"note": "old words"}, after={"note": "new words"},
                 about=About(account=account.account_id))  # fmt: skip
    text = get_text(reader, "/activity/")
    assert "佐藤 春香 wrote a record through the portal payments-prod" in text
    assert "− goes: old words + comes: new words" in text


def test_access_is_told_with_set_and_person(reader: Client) -> None:
    facts = {
        "account_id": "012345678901",
        "permission_set": "Deploy",
        "principal": "山田 花",
        "cause": "leaver",
        "run": 3,
    }
    write("access.removed", object_type="assignment", object_name="delete …", about_account="012345678901",
          before=facts, after={"sessions_until": "2026-11-26T03:00:00+00:00"})  # fmt: skip
    text = get_text(reader, "/activity/")
    assert "Genkan removed access Deploy · 山田 花 0123 4567 8901" in text
    assert "disabled in Identity Center" in text
    assert "2026-11-26 12:00" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("account=012345678901", {"of account"}),
        ("account=0123 4567 8901", {"of account"}),
        ("account=nobody-has-this", set()),
        ("record=24:7", {"of record"}),
        ("person=yamada", {"of person", "by person"}),
        ("person=nobody-has-this", set()),
        ("kind=stops", {"of account"}),
        ("kind=admin_sign_ins", {"as admin"}),
        ("kind=sign_ins", {"as admin", "by person"}),
        ("kind=nonsense", {"of account", "of record", "of person", "by person", "as admin"}),
        ("from=9999-99-99&to=x", {"of account", "of record", "of person", "by person", "as admin"}),
        ("person=yamada&kind=access", {"of person"}),
    ],
)
def test_trail_is_narrowed(query: str, found: set[str], reader: Client) -> None:
    person = factories.make_person("yamada hana")
    user = factories.make_user(person=person)
    write("account.freeze", actor_name="of account", about_account="012345678901")
    write("record.write", actor_name="of record", about_record="24:7")
    write("access.granted", actor_name="of person", about_principal=factories.get_principal(person).principal_id)
    write("signed_out", actor_name="by person", actor=user)
    write("signed_in", actor_name="as admin", outcome="admin")
    text = get_text(reader, f"/activity/?{query}", part="activity")
    everybody = {"of account", "of record", "of person", "by person", "as admin"}
    assert {name for name in everybody if f"{name} " in text} == found


def test_days_are_those_of_the_portal(reader: Client) -> None:
    late = datetime(2026, 3, 1, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    for at, name in ((late, "late"), (late + timedelta(minutes=2), "morning")):
        AuditEvent(at=at, action="signed_out", actor_name=name).save()
    text = get_text(reader, "/activity/?from=2026-03-01&to=2026-03-01", part="activity")
    assert "late" in text
    assert "morning" not in text


def test_number_of_a_page_means_one_person(reader: Client) -> None:
    person, namesake = factories.make_person("同じ 名前"), factories.make_person("同じ 名前")
    for one, name in ((person, "first"), (namesake, "second")):
        write("access.granted", actor_name=name, about_principal=factories.get_principal(one).principal_id)
    html = get_html(reader, f"/activity/?person={person.pk}")
    assert "first" in html
    assert "second" not in html
    assert f'value="{person.email}"' in html


def test_pages_follow_the_key_both_ways(reader: Client) -> None:
    for number in range(120):
        write(actor_name=f"no-{number:03}", minutes=number // 3)  # three of each moment
    first = reader.get("/activity/").context["page"]
    second = reader.get(f"/activity/?older={first.older}").context["page"]
    third = reader.get(f"/activity/?older={second.older}").context["page"]
    seen = [row.pk for page in (first, second, third) for row in page.rows]
    assert len(seen) == len(set(seen)) == 120
    assert (first.newer, third.older) == (0, 0)
    back = reader.get(f"/activity/?newer={third.newer}").context["page"]
    assert [row.pk for row in back.rows] == [row.pk for row in second.rows]


def test_new_events_do_not_move_a_page(reader: Client) -> None:
    for number in range(60):
        write(minutes=number + 1)
    first = reader.get("/activity/").context["page"]
    before = reader.get(f"/activity/?older={first.older}").context["page"].rows
    write()
    assert reader.get(f"/activity/?older={first.older}").context["page"].rows == before


@pytest.mark.parametrize("query", ["older=x", "older=0", "older=99999", "newer=-1", "newer=" + "9" * 30])
def test_odd_keys_do_no_harm(query: str, reader: Client) -> None:
    write(actor_name="somebody")
    assert "somebody" in get_text(reader, f"/activity/?{query}")


def test_hostile_values_stay_text(reader: Client) -> None:
    write("<b>x</b>", actor_name="<script>1</script>", object_name="<i>", before={"<u>": "<s>"}, after=["<script>"])
    html = get_html(reader, "/activity/")
    assert not {"<script>1", "<u>", "<s>", "<b>x"} & {html[at : at + 9] for at in range(len(html))}
    assert "&lt;script&gt;1" in html


@pytest.mark.parametrize("value", [None, [], "text", 7, True, {"a": None}, {"a": {"b": [1, {"c": 2}]}}, {"until": "T"}])
def test_any_stored_value_can_be_shown(value: Any, reader: Client) -> None:
    write(before=value, after=value)
    write(before=None, after=value)
    write("permission_set.updated", object_type="permission_set", object_id="x", after={"details": value})
    write("admin.change", object_type="stagerule", before={"ou_name": value}, after={"nothing": value})
    write("access.granted", object_type="assignment", before=value, after=value)
    assert reader.get("/activity/").status_code == 200


def test_trail_comes_as_a_file_that_no_spreadsheet_runs(reader: Client) -> None:
    write(actor_name="=cmd()", about_record="24:7", before={"note": "あ"}, ip="192.0.2.7", request_id="r-1")
    write(actor_name="other", about_record="24:8")
    [row] = read_csv(reader, "/activity/?format=csv&record=24:7&older=1")
    assert (row["who"], row["before"], row["action"]) == ("'=cmd()", '{"note": "あ"}', "record.write")
    assert (row["address"], row["request"]) == ("192.0.2.7", "r-1")
    assert "address" not in read_csv(make_client(factories.make_user()), "/activity/?format=csv")[0]


# Who sees what


def test_anonymous_is_led_to_sign_in() -> None:
    assert "/sign-in/" in Client().get("/activity/").headers["Location"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_trail_is_for_reading(method: str, reader: Client) -> None:
    assert getattr(reader, method)("/activity/").status_code == 405


def _write_of_everybody(owner: User) -> Iterator[AuditEvent]:
    own, foreign = factories.make_account(), factories.make_account()
    OwnerEntry.objects.create(account=own, principal=factories.get_principal(owner))
    assert owner.person is not None
    record = factories.make_record(creator_code=owner.person.kintone_code)
    yield write(actor_name="own act", actor=owner)
    yield write(actor_name="done to me", about_principal=factories.get_principal(owner).principal_id)
    yield write(actor_name="own account", about_account=own.account_id)
    yield write(actor_name="own record", about_record=record.reference)
    yield write(actor_name="foreign account", about_account=foreign.account_id)
    yield write(actor_name="foreign record", about_record="24:99999")
    yield write(actor_name="foreign act", actor=factories.make_user(), ip="192.0.2.7")


OWN = {"own act", "done to me", "own account", "own record"}
FOREIGN = {"foreign account", "foreign record", "foreign act"}


@pytest.mark.parametrize(
    ("role", "visibility", "sees"),
    [
        ({}, "own", OWN),
        ({}, "all", OWN | FOREIGN),
        ({"is_staff": True}, "own", OWN | FOREIGN),
        ({"is_auditor": True}, "own", OWN | FOREIGN),
    ],
)
def test_visibility_narrows_the_trail(
    role: dict[str, Any], visibility: str, sees: set[str], settings: Settings
) -> None:
    settings.VISIBILITY = visibility
    owner = factories.make_user(**role)
    assert len(list(_write_of_everybody(owner))) == 7
    text = get_text(make_client(owner), "/activity/")
    assert {name for name in OWN | FOREIGN if f"{name} wrote" in text} == sees
    assert ("192.0.2.7" in text) is bool(role)


def test_outsider_sees_nothing_of_others(settings: Settings) -> None:
    settings.VISIBILITY = "own"
    list(_write_of_everybody(factories.make_user()))
    page = make_client(factories.make_user()).get("/activity/?account=&person=foreign").context["page"]
    assert list(page.rows) == []


def test_statements_do_not_grow_with_events(settings: Settings) -> None:
    settings.VISIBILITY = "own"
    client = make_client(owner := factories.make_user())

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/activity/?older=99999").status_code == 200
        return len(queries)

    write(actor=owner, about_account=factories.make_account().account_id, about_record="24:7")
    few = count()
    for _number in range(30):
        record = factories.make_record()
        write(actor=owner, about_account=factories.make_account().account_id, about_record=record.reference)
    assert count() == few <= 16


def test_every_action_that_is_written_has_a_word() -> None:
    """Those that stand in the code as a word of their own; the few that are put together are named here."""
    built = {
        "draft.save", "draft.delete", "draft.send", "draft.discard", "draft.resolve", "drift.keep", "drift.put_back",
        "permission_set.created", "permission_set.updated", "permission_set.deleted", "shortcut.keep",
        "shortcut.change",
    }  # fmt: skip
    folders = [project.BASE_DIR / package for package in ("accounts", "portal", "syncer")]
    found = {action for folder in folders for action in _find_actions(folder)}
    assert len(found) > 15
    assert sorted(action for action in found | built if not has_word(action)) == []


def _find_actions(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="record_event" | "build_event"), args=[first, *_]):
                    options = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                    yield from (str(item.value) for item in options if isinstance(item, ast.Constant))
