"""`manage.py adopt` against the simulators: nobody loses and nobody gains, whatever happens in between."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Assignment, AuditEvent, Guardrail, PermissionSet, PortalWrite
from simulators.aws.faults import Fault as AwsFault
from simulators.kintone import App, Fault
from syncer.adoption.adopting import _Adopting
from syncer.adoption.reading import SetReader
from syncer.models import Adoption, Drift, Run
from syncer.tasks import work_off_adoptions
from tests.factories import make_user
from tests.portal.pages import get_html, make_client
from tests.syncer.running import NOTHING, counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """Legacy (taro in shop) and Ops (hana and the developers in shop, ken in blog) are in AWS, and in no record."""
    fields: dict[str, dict[str, Any]] = {
        "more_users": {"type": "MULTI_LINE_TEXT"},
        "note": {"type": "MULTI_LINE_TEXT"},
        "owners": {"type": "USER_SELECT"},
        "request_key": {"type": "SINGLE_LINE_TEXT", "unique": True},
    }
    named = {code: {**definition, "code": code, "label": code} for code, definition in fields.items()}
    world.change_form(world.assignments, lambda form: form.update(named))
    world.add_set("Ops", ours=False, description="operations", session_duration="PT4H")
    for account, principal in (("shop", "hana"), ("shop", "developers"), ("blog", "ken")):
        world.assign(account, "Ops", principal)
    return world


def adopt(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was printed."""
    out, code = StringIO(), 0
    try:
        call_command("adopt", *arguments, "--json", stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue())


def outcomes(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {item["permission_set"]: (item["verdict"], item["outcome"]) for item in report["sets"]}


def codes(report: dict[str, Any], name: str) -> set[str]:
    return {reason["code"] for item in report["sets"] if item["permission_set"] == name for reason in item["reasons"]}


def count(app: App) -> int:
    return len(app.record_ids())


def before_tagging(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Once, after the records are written and judged."""
    judge, acts = _Adopting._have_judged, [act]

    def go_on(self: _Adopting, written: Any) -> None:
        judge(self, written)
        for each in acts:
            each()
        acts.clear()

    monkeypatch.setattr(_Adopting, "_have_judged", go_on)


def is_tagged(world: World, name: str) -> bool:
    return world.aws.tags_of(world.aws.permission_set_arn(name)).get("managed-by") == "genkan"


def test_everything_is_adopted_and_plan_is_empty(company: World) -> None:
    before = company.granted()
    code, report = adopt("--apply")
    assert outcomes(report) == {"Legacy": ("only_aws", "adopted"), "Ops": ("only_aws", "adopted")}, report
    assert code == 0
    assert is_tagged(company, "Ops")
    assert plan().counts == NOTHING
    assert sync().counts == NOTHING
    assert company.granted() == before


def test_without_apply_nothing_is_written(company: World) -> None:
    writes = company.count_writes()
    code, report = adopt()
    assert (code, outcomes(report)["Ops"]) == (0, ("only_aws", "shown"))
    assert (company.count_writes(), count(company.assignments), count(company.sets)) == (writes, 0, 0)
    (ops,) = (item for item in report["sets"] if item["permission_set"] == "Ops")
    assert {(row["account"], row["principal"]) for row in ops["unregistered"]} == {
        ("blog", f"ken@{DOMAIN}"), ("shop", "developers"), ("shop", f"hana@{DOMAIN}"),
    }  # fmt: skip
    assert report["terraform"] == ["Root"]


def test_one_record_an_account_in_the_name_of_the_command(company: World, tmp_path: Path) -> None:
    owners = tmp_path / "owners.csv"
    owners.write_text(f"account_id,owners\n{company.account_ids['shop']},taro@{DOMAIN}\n", encoding="utf-8-sig")
    _code, report = adopt("--apply", "--set", "Ops", "--owners", str(owners))
    records = [company.assignments.record(number) for number in company.assignments.record_ids()]
    (shop,) = (item for item in records if item["account_id"]["value"] == company.account_ids["shop"])
    assert len(records) == 2
    assert (shop["groups"]["value"], shop["more_users"]["value"]) == ("developers", f"hana@{DOMAIN}")
    assert [owner["code"] for owner in shop["owners"]["value"]] == ["taro"]
    assert [account["account"] for account in report["accounts_without_owners"]] == ["blog"]
    assert set(PortalWrite.objects.values_list("user", flat=True)) == {None}
    event = AuditEvent.objects.get(action="permission_set.adopt")
    assert (event.actor_name, event.object_name) == ("manage.py", "Ops")
    assert AuditEvent.objects.filter(action="record.adopt", actor_name="manage.py").count() == 3


def test_killed_between_writing_and_tagging_is_run_again(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("syncer.adoption.adopting._Adopting._tag_together", die)
        with pytest.raises(KeyboardInterrupt):
            adopt("--apply")
    records = count(company.assignments)
    assert (records, is_tagged(company, "Ops")) == (3, False)
    code, report = adopt("--apply")
    assert (code, outcomes(report)["Ops"]) == (0, ("equal", "adopted"))
    assert count(company.assignments) == records
    assert plan().counts == NOTHING


def test_answer_that_got_lost_doubles_nothing(company: World) -> None:
    company.kintone.faults.add(Fault(path="/k/v1/bulkRequest.json", hang_up=True, times=1))
    code, report = adopt("--apply", "--set", "Ops")
    assert (code, outcomes(report)["Ops"]) == (1, ("only_aws", "failed"))
    code, report = adopt("--apply", "--set", "Ops")
    assert (code, outcomes(report)["Ops"]) == (0, ("equal", "adopted"))
    assert count(company.assignments) == 2


def test_lookups_single_values_and_users_whom_kintone_deleted(company: World) -> None:
    """The app looks the set up, holds one group a record, and ken's login name is known but gone."""
    lookup = {"relatedApp": {"app": str(company.sets.id)}, "relatedKeyField": "name", "fieldMappings": []}
    options = {name: {"label": name, "index": str(index)} for index, name in enumerate(("developers", "testers"))}
    company.change_form(company.assignments, lambda form: form["permission_set"].update(lookup=lookup))
    company.change_form(company.assignments, lambda form: form["groups"].update(type="DROP_DOWN", options=options))
    company.register_set("Other")
    company.register("blog", "Other", "ken")
    sync()
    company.delete(f"{company.assignments.id}:1")
    company.kintone.remove_user("ken")
    company.add_group("testers")
    arn, testers = company.aws.permission_set_arn("Ops"), company.principal_ids["testers"]
    company.aws.add_assignment(company.account_ids["shop"], arn, "GROUP", testers)
    before = company.granted() - {("blog", "Other", "ken")}
    code, report = adopt("--apply", "--set", "Ops")
    assert (code, outcomes(report)["Ops"]) == (0, ("only_aws", "adopted")), report
    records = [company.assignments.record(number) for number in company.assignments.record_ids()]
    assert sorted(record["groups"]["value"] or record["more_users"]["value"] for record in records) == [
        "developers", f"hana@{DOMAIN}", f"ken@{DOMAIN}", "testers",
    ]  # fmt: skip
    sync()
    assert company.granted() == before


# --- What stays as it is ----------------------------------------------------------------------------------------------


def test_who_cannot_be_named_and_an_orphan_keep_their_sets_unmanaged(world: World, tmp_path: Path) -> None:
    """The app has no field for addresses, and nobody's kintone code is known."""
    world.add_set("Ops", ours=False)
    world.provision("gone")
    for account, principal in (("shop", "developers"), ("blog", "gone")):
        world.assign(account, "Ops", principal)
    world.remove_person("gone")
    code, report = adopt("--apply", "--set", "Ops", "--set", "Legacy", "--set", "Root")
    assert (code, outcomes(report)["Root"]) == (3, ("cannot", "left"))
    assert codes(report, "Legacy") == {"adopt_nameless"}
    assert codes(report, "Ops") == {"adopt_orphan"}
    assert codes(report, "Root") == {"managed_in_terraform"}
    assert (count(world.assignments), world.count_writes()) == (0, 0)

    losses = tmp_path / "losses"
    orphan = world.principal_ids["late gone"]
    losses.write_text(f"# nobody's\n{world.account_ids['blog']} Ops {orphan}  # left in May\n", encoding="utf-8")
    code, report = adopt("--apply", "--set", "Ops", "--leave-out", str(losses))
    assert (code, outcomes(report)["Ops"]) == (0, ("only_aws", "adopted"))
    before = world.granted()
    sync()
    assert before - world.granted() == {("blog", "Ops", "late gone")}


def test_line_about_nothing_stops_everything(company: World, tmp_path: Path) -> None:
    losses = tmp_path / "losses"
    losses.write_text(f"{company.account_ids['management']} Root hana@{DOMAIN}\nshop Ops hana\n", encoding="utf-8")
    code, report = adopt("--apply", "--leave-out", str(losses))
    assert [(fault["file"], fault["line"], fault["code"]) for fault in report["faults"]] == [
        ("leave_out", 2, "leave_out_wrong")
    ]
    losses.write_text(f"{company.account_ids['management']} Root hana@{DOMAIN}\n", encoding="utf-8")
    code, report = adopt("--apply", "--leave-out", str(losses))
    assert (code, report["faults"][0]["code"]) == (1, "leave_out_matches_nothing")
    assert count(company.assignments) == 0


def test_assigned_by_hand_between_writing_and_tagging(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before_tagging(monkeypatch, lambda: company.assign("blog", "Ops", "taro"))
    code, report = adopt("--apply")
    assert (code, codes(report, "Ops"), is_tagged(company, "Ops")) == (3, {"adopt_not_wanted"}, False)
    assert outcomes(report)["Legacy"] == ("only_aws", "adopted")
    before = company.granted()
    code, report = adopt("--apply")
    assert (code, outcomes(report)["Ops"]) == (0, ("only_aws", "adopted"))
    assert (plan().counts, company.granted()) == (NOTHING, before)


def test_assigned_by_hand_at_the_last_moment_is_drift(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After everything was read and just before the tag: nobody can see it, and it is not taken for a leftover."""
    read, looks = SetReader.require_free, []

    def look(self: SetReader, there: Any) -> frozenset[str]:
        looks.append(there.name)
        if len(looks) == 3:  # compared, read anew, and now
            company.assign("blog", "Ops", "taro")
        return read(self, there)

    monkeypatch.setattr(SetReader, "require_free", look)
    assert (adopt("--apply", "--set", "Ops")[0], is_tagged(company, "Ops")) == (0, True)
    assert sync().codes >= {"drift"}
    assert ("blog", "Ops", "taro") in company.granted()
    assert Drift.objects.get().kind == Drift.Kind.ADDED


def test_refusal_of_one_set_is_no_matter_of_the_others(company: World) -> None:
    company.kintone.faults.add(Fault(path="/k/v1/bulkRequest.json", code="GAIA_RE01", status=400, nth=1, times=1))
    code, report = adopt("--apply")
    assert (code, outcomes(report)["Legacy"][1], outcomes(report)["Ops"][1]) == (1, "failed", "adopted")
    assert not is_tagged(company, "Legacy")


def test_incomplete_reading_adopts_nothing_of_the_set(company: World) -> None:
    company.aws.faults.add(AwsFault("sso-admin:ListAccountAssignments", code="AccessDeniedException"))
    code, report = adopt("--apply")
    assert code == 1
    assert {outcome for _verdict, outcome in outcomes(report).values()} == {"left"}
    assert not is_tagged(company, "Ops")


# --- Where kintone says something else --------------------------------------------------------------------------------


def test_records_of_a_company_that_used_kintone_before(company: World) -> None:
    """Equal is only tagged, whatever else is registered; what would come by the tag is asked for first."""
    company.register_set("Ops", description="operations", session_duration="240分")
    company.register("shop", "Ops", "hana", groups="developers")
    company.register("blog", "Ops", "ken")
    _code, report = adopt("--set", "Ops")
    assert outcomes(report)["Ops"] == ("equal", "shown")
    company.register("blog", "Ops", "taro")
    code, report = adopt("--apply", "--set", "Ops")
    assert (code, outcomes(report)["Ops"], codes(report, "Ops")) == (3, ("different", "left"), {"adopt_more"})
    code, report = adopt("--apply", "--set", "Ops", "--take", "kintone")
    assert (code, count(company.assignments), count(company.sets)) == (0, 3, 1)
    assert plan().counts == counts_of(create=1)


def test_take_aws_brings_the_record_to_what_aws_has(company: World) -> None:
    reference = company.register_set("Ops", description="other", managed_policies="ViewOnlyAccess")
    code, report = adopt("--apply", "--set", "Ops")
    assert (code, codes(report, "Ops"), count(company.assignments)) == (3, {"adopt_different"}, 0)
    code, report = adopt("--apply", "--set", "Ops", "--take", "aws")
    assert (code, outcomes(report)["Ops"]) == (0, ("different", "adopted"))
    said = company.sets.record(int(reference.partition(":")[2]))
    assert [said[name]["value"] for name in ("description", "managed_policies", "session_duration")] == [
        "operations", "ReadOnlyAccess", "PT4H",
    ]  # fmt: skip
    assert plan().counts == NOTHING


def test_take_kintone_says_which_accounts_are_reached(company: World) -> None:
    company.register_set("Ops", managed_policies="ViewOnlyAccess", description="operations", session_duration="PT4H")
    code, report = adopt("--apply", "--set", "Ops", "--take", "kintone")
    (ops,) = report["sets"]
    assert (code, {account["account"] for account in ops["reprovisioned"]}) == (0, {"shop", "blog"})
    assert plan().counts == counts_of(update=1)


def test_guardrail_keeps_what_was_there(company: World) -> None:
    """Somebody new would be refused; the access was there before the rule, so it is kept and listed."""
    Guardrail.objects.create(name="groups", effect="groups_only", sentence="Groups only.")
    code, report = adopt("--apply", "--set", "Ops")
    assert (code, outcomes(report)["Ops"]) == (0, ("only_aws", "adopted"))
    assert plan().counts["delete"] == 0
    assert state_of("shop", "Ops", "hana") == Assignment.State.GRANTED


# --- The button -------------------------------------------------------------------------------------------------------


def test_pressing_adopts_in_the_admins_name(company: World) -> None:
    plan()
    legacy, admin = PermissionSet.objects.get(name="Legacy"), make_user("管理", is_staff=True)
    client, url = make_client(admin), f"/permission-sets/{legacy.pk}/adopt/"
    client.post(url, {"act": "compare"})
    work_off_adoptions()
    checksum = Adoption.objects.get().result["sets"][0]["checksum"]
    client.post(url, {"act": "adopt", "checksum": checksum})
    work_off_adoptions()
    done = Adoption.objects.latest("pk")
    assert (done.status, done.result["sets"][0]["outcome"]) == ("done", "adopted")
    assert set(PortalWrite.objects.values_list("user", flat=True)) == {admin.pk}
    assert Run.objects.filter(kind=Run.Kind.FULL, requested_by=admin).exists()
    assert "/adopt/" not in get_html(client, f"/permission-sets/{legacy.pk}/")
    assert get_html(client, url)


def test_what_people_read_shows_the_lines_that_differ(company: World) -> None:
    def policy(action: str) -> str:
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    company.add_set("Lines", ours=False, managed=[], inline=policy("s3:ListBucket"))
    company.register_set("Lines", inline_policy=policy("s3:GetObject"), managed_policies="")
    out = StringIO()
    call_command("adopt", stdout=out)
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert [line for line in lines if '"Action"' in line or '"Version"' in line] == [
        '-      "Action": "s3:ListBucket",', '+      "Action": "s3:GetObject",',
    ]  # fmt: skip
    assert f"+ shop ({company.account_ids['shop']}) × developers" in lines
