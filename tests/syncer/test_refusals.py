"""What the outside refuses, garbles or leaves out: one clear sentence, nothing changed for it, nothing lost."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from accounts.models import Assignment, Principal, Problem, Record
from simulators.aws import Fault, ProvisioningFault
from simulators.kintone import Fault as KintoneFault
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.models import AppState, Run
from tests.services.processes import free_port
from tests.syncer.running import Outcome, counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db

BEFORE = FOREIGN | {("shop", "Reader", "hana"), ("blog", "Reader", "taro"), ("blog", "Reader", "developers")}
AFTER = (BEFORE - {("blog", "Reader", "taro")}) | {("shop", "Reader", "ken")}


@pytest.fixture
def due(world: World) -> World:
    """After a good run kintone has changed: Taro is to go from blog, Ken is to come to shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    record = world.register("blog", "Reader", "taro", groups="developers")
    assert sync().code == 0
    world.edit(record, users=[])
    world.register("shop", "Reader", "ken")
    return world


def snapshot() -> set[tuple[object, ...]]:
    """What the portal shows of access: a failed run changes nothing of it."""
    return set(Assignment.objects.values_list("pk", "state", "in_aws", "is_wanted", "wishes__is_current"))


def in_force() -> set[tuple[object, ...]]:
    rows = Record.objects.live().exclude(in_force_revision=None)
    return set(rows.values_list("app_id", "record_id", "in_force_revision"))


def require_untouched(world: World, outcome: Outcome) -> str:
    """The run failed with one sentence, here and on its page, and wrote nothing; returns the sentence."""
    run = Run.objects.latest("pk")
    assert (outcome.code, outcome.report["status"], run.status) == (1, "failed", Run.Status.FAILED)
    assert (outcome.report["changes"], outcome.report["checksum"]) == ([], None)
    assert world.granted() == BEFORE
    sentence = outcome.report["error"]
    assert isinstance(sentence, str)
    assert 10 < len(sentence) < 250
    assert run.error["code"]
    assert outcome.report["unresolved"]
    return sentence


Trouble = Callable[[World, Settings, pytest.MonkeyPatch], object]

KINTONE_TROUBLES: dict[str, tuple[Trouble, str]] = {
    "unreachable": (
        lambda _world, settings, _patch: setattr(settings, "KINTONE_BASE_URL", f"http://localhost:{free_port()}"),
        "kintone_unreachable",
    ),
    "503 in plain text": (
        lambda world, _settings, _patch: world.kintone.faults.add(KintoneFault(status=503, text="Service Unavailable")),
        "kintone_unavailable",
    ),
    "hangs up": (
        lambda world, _settings, _patch: world.kintone.faults.add(KintoneFault(hang_up=True)),
        "kintone_unreachable",
    ),
    "a sign-in page": (
        lambda world, _settings, _patch: world.kintone.faults.add(KintoneFault(status=200, text="<html></html>")),
        "kintone_not_kintone",
    ),
    "too many requests": (
        lambda world, _settings, _patch: world.kintone.faults.add(KintoneFault(code="GAIA_TO04")),
        "kintone_throttled",
    ),
    "wrong token": (
        lambda _world, settings, _patch: setattr(settings, "KINTONE_ASSIGNMENT_API_TOKEN", "wrong"),
        "kintone_token_refused",
    ),
    "token of the other app": (
        lambda _world, settings, _patch: setattr(
            settings, "KINTONE_ASSIGNMENT_API_TOKEN", settings.KINTONE_PERMISSION_SET_API_TOKEN
        ),
        "kintone_no_right",
    ),
    "token that may only write": (
        lambda world, settings, _patch: setattr(
            settings, "KINTONE_ASSIGNMENT_API_TOKEN", world.kintone.add_token([world.assignments.id], ("add",))
        ),
        "kintone_no_right",
    ),
    "app that is not there": (
        lambda _world, settings, _patch: setattr(settings, "KINTONE_ASSIGNMENT_APP_ID", "77"),
        "kintone_app_missing",
    ),
    "field gone": (
        lambda world, _settings, _patch: world.change_form(world.assignments, lambda form: form.pop("users")),
        "kintone_fields_missing",
    ),
    "required field gone": (
        lambda world, _settings, _patch: world.change_form(world.assignments, lambda form: form.pop("account_id")),
        "kintone_fields_missing",
    ),
    "field of a set gone": (
        lambda world, _settings, _patch: world.change_form(world.sets, lambda form: form.pop("inline_policy")),
        "kintone_fields_missing",
    ),
    "field mapped to a code that is not there": (
        lambda _world, settings, _patch: setattr(settings, "KINTONE_ASSIGNMENT_FIELDS", {"users": "利用者"}),
        "kintone_fields_missing",
    ),
    "field of another type": (
        lambda world, _settings, _patch: world.change_form(world.assignments, _make_number),
        "kintone_field_type",
    ),
    "second page missing": (
        lambda world, _settings, _patch: world.kintone.faults.add(
            KintoneFault(path="/k/v1/records.json", status=502, text="Bad Gateway")
        ),
        "kintone_unavailable",
    ),
}  # fmt: skip


def _make_number(form: dict[str, dict[str, object]]) -> None:
    del form["expires_on"]
    form["expires_on"] = {"type": "NUMBER", "code": "expires_on", "label": "期限"}


@pytest.mark.parametrize("trouble", KINTONE_TROUBLES)
def test_trouble_with_kintone_changes_nothing(
    due: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    make, code = KINTONE_TROUBLES[trouble]
    before = (snapshot(), in_force())
    make(due, settings, monkeypatch)
    require_untouched(due, sync())
    assert Run.objects.latest("pk").error["code"] == code
    assert (snapshot(), in_force()) == before
    assert due.aws.calls.total() == sum(Run.objects.earliest("pk").api_calls.values())


@pytest.mark.parametrize("trouble", ["unreachable", "wrong token", "field gone"])
def test_plan_tells_trouble_with_kintone(
    due: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    make, _code = KINTONE_TROUBLES[trouble]
    make(due, settings, monkeypatch)
    planned = plan()
    assert (planned.code, planned.report["status"], planned.changes) == (1, "failed", [])
    assert planned.report["error"]


def test_missing_field_is_named_with_its_setting(due: World, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"
    due.change_form(due.assignments, lambda form: form.pop("users"))
    assert require_untouched(due, sync()) == f"The kintone app {due.assignments.id} has no field users."


def test_trouble_with_one_app_is_remembered_for_it_alone(due: World, settings: Settings) -> None:
    settings.KINTONE_ASSIGNMENT_API_TOKEN = "wrong"
    sync()
    assert AppState.objects.get(kind="assignment").error["code"] == "kintone_token_refused"
    assert AppState.objects.get(kind="permission_set").error == {}


def test_trouble_that_is_over_leaves_nothing_behind(due: World) -> None:
    due.kintone.faults.add(KintoneFault(status=503, text="Service Unavailable"))
    sync()
    due.kintone.faults.clear()
    assert sync().counts == counts_of(create=1, delete=1)
    assert due.granted() == AFTER
    assert not AppState.objects.exclude(error={}).exists()


def test_first_sync_without_kintone_leaves_aws_alone(world: World, settings: Settings) -> None:
    world.add_set("Reader")
    world.assign("shop", "Reader", "hana")
    settings.KINTONE_BASE_URL = f"http://localhost:{free_port()}"
    assert sync().code == 1
    assert world.count_writes() == 0


# --- AWS --------------------------------------------------------------------------------------------------------------

AWS_TROUBLES: dict[str, tuple[Trouble, str]] = {
    "unreachable": (
        lambda _world, _settings, patch: patch.setenv("AWS_ENDPOINT_URL", f"http://localhost:{free_port()}"),
        "aws_unreachable",
    ),
    "unknown key": (
        lambda _world, _settings, patch: patch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN"),
        "aws_credentials",
    ),
    "no key": (
        lambda _world, _settings, patch: _forget_keys(patch),
        "aws_credentials",
    ),
    "role that may not be assumed": (
        lambda world, settings, _patch: setattr(
            settings, "IDENTITY_CENTER_ROLE_ARN", f"arn:aws:iam::{world.account_ids['platform']}:role/Nobody"
        ),
        "aws_denied",
    ),
    "key of a member account": (
        lambda world, _settings, patch: _act_as_shop(world, patch),
        "aws_instance_missing",
    ),
    "profile that is not there": (
        lambda _world, _settings, patch: patch.setenv("AWS_PROFILE", "nobody"),
        "aws_credentials",
    ),
    "everything denied": (
        lambda world, _settings, _patch: world.aws.faults.add(Fault("*", code="AccessDeniedException")),
        "aws_denied",
    ),
    "everything out of order": (
        lambda world, _settings, _patch: world.aws.faults.add(Fault("*", code="InternalServerException", status=500)),
        "aws_unavailable",
    ),
    "other instance": (
        lambda _world, settings, _patch: setattr(
            settings, "IDENTITY_CENTER_INSTANCE_ARN", "arn:aws:sso:::instance/ssoins-0000000000000000"
        ),
        "aws_instance_missing",
    ),
}  # fmt: skip


def _forget_keys(patch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.delenv(name)


def _act_as_shop(world: World, patch: pytest.MonkeyPatch) -> None:
    key_id, secret = world.aws.add_access_key(world.account_ids["shop"], "Other")
    patch.setenv("AWS_ACCESS_KEY_ID", key_id)
    patch.setenv("AWS_SECRET_ACCESS_KEY", secret)


@pytest.mark.parametrize("trouble", AWS_TROUBLES)
def test_trouble_with_aws_changes_nothing(
    due: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    make, code = AWS_TROUBLES[trouble]
    before = snapshot()
    make(due, settings, monkeypatch)
    require_untouched(due, sync())
    assert Run.objects.latest("pk").error["code"] == code
    assert snapshot() == before


def test_trouble_with_aws_that_is_over_leaves_nothing_behind(due: World) -> None:
    due.aws.faults.add(Fault("*", code="AccessDeniedException"))
    sync()
    due.aws.faults.clear()
    assert sync().counts == counts_of(create=1, delete=1)
    assert due.granted() == AFTER


def test_failed_run_tells_what_it_asked_aws(due: World) -> None:
    due.aws.faults.add(Fault("organizations:ListAccounts", code="AccessDeniedException"))
    outcome = sync()
    assert outcome.report["api_calls"]["organizations:ListAccounts"] == 1
    due.aws.calls.clear()
    assert plan().report["api_calls"] == dict(due.aws.calls)


# --- Reads that fail one by one ---------------------------------------------------------------------------------------

GROUND = (
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "sso-admin:ListInstances",
    "sso-admin:ListPermissionSets",
    "sso-admin:ListPermissionSetsProvisionedToAccount",
)
SCOPED = (
    "identitystore:ListUsers",
    "sso-admin:DescribePermissionSet",
    "sso-admin:GetInlinePolicyForPermissionSet",
    "sso-admin:GetPermissionsBoundaryForPermissionSet",
    "sso-admin:ListAccountAssignments",
    "sso-admin:ListAccountsForProvisionedPermissionSet",
    "sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso-admin:ListManagedPoliciesInPermissionSet",
    "sso-admin:ListTagsForResource",
)
OPTIONAL = ("iam:ListPolicies", "organizations:ListTagsForResource")  # test_settling.py, test_unread.py
HARMLESS = (
    "identitystore:ListGroupMemberships",
    "identitystore:ListGroups",  # the removal that is due is a user's
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
)


def test_every_read_is_tried(due: World) -> None:
    due.aws.calls.clear()
    sync("--full")
    reads = {name for name in due.aws.calls if not name.startswith("sso-admin:Describe") or name.endswith("Set")}
    reads = {name for name in reads if name.partition(":")[2].startswith(("List", "Describe", "Get"))}
    assert {name for name in reads if not name.endswith("Status")} == {*GROUND, *SCOPED, *HARMLESS, *OPTIONAL}


def fail_read(world: World, operation: str) -> Outcome:
    """A full run in which AWS denies one operation. Nobody's access is shown as gone for lack of an answer."""
    world.aws.faults.add(Fault(operation, code="AccessDeniedException"))
    outcome = sync("--full")
    assert (outcome.code, outcome.report["status"]) == (1, "failed")
    assert operation in {item["operation"] for item in outcome.report["unresolved"]}
    assert all(item["reason"] and item["scope"] for item in outcome.report["unresolved"])
    assert outcome.report["error"]
    hana = Assignment.objects.get(account__name="shop", principal__name=f"hana@{DOMAIN}")
    assert hana.state in (Assignment.State.GRANTED, Assignment.State.UNRESOLVED), "unread is shown as removed"
    assert hana.in_aws
    return outcome


@pytest.mark.parametrize("operation", GROUND)
def test_without_the_ground_nothing_is_changed(due: World, operation: str) -> None:
    before = snapshot()
    fail_read(due, operation)
    assert due.granted() == BEFORE
    assert snapshot() == before


@pytest.mark.parametrize("operation", SCOPED)
def test_nothing_is_removed_where_reading_failed(due: World, operation: str) -> None:
    fail_read(due, operation)
    assert due.granted() >= BEFORE
    due.aws.faults.clear()
    assert sync().report["error"] is None
    assert due.granted() == AFTER


@pytest.mark.parametrize("operation", HARMLESS)
def test_failed_read_costs_only_its_own_scope(due: World, operation: str) -> None:
    outcome = fail_read(due, operation)
    assert outcome.counts == counts_of(create=1, delete=1)
    assert due.granted() == AFTER


@pytest.mark.parametrize(
    ("operation", "ken"), [("identitystore:ListUsers", "waiting"), ("identitystore:ListGroups", "granted")]
)
def test_unread_principals_are_those_last_known(due: World, operation: str, ken: str) -> None:
    """Nobody becomes a stranger because a list could not be read; a name that is new here waits until it can be."""
    fail_read(due, operation)
    assert Assignment.objects.get(account__name="shop", principal__name__startswith="ken").state == ken
    assert not Problem.objects.exists()
    assert state_of("shop", "Reader", "hana") == Assignment.State.GRANTED
    assert Assignment.objects.get(account__name="shop", principal__name=f"hana@{DOMAIN}").reason == {}


def test_unread_pair_is_unresolved_and_the_others_go_on(due: World) -> None:
    where = {"AccountId": due.account_ids["blog"]}
    due.aws.faults.add(Fault("sso-admin:ListAccountAssignments", code="AccessDeniedException", where=where))
    outcome = sync()
    assert (outcome.code, outcome.counts) == (1, counts_of(create=1))
    assert due.granted() == BEFORE | {("shop", "Reader", "ken")}
    assert state_of("blog", "Reader", "taro") == Assignment.State.UNRESOLVED
    assert state_of("shop", "Reader", "hana") == Assignment.State.GRANTED


def test_removal_that_aws_refused_is_not_called_sheltered(due: World) -> None:
    """It is tried again after an hour; until then the page says that it is to go, and why it could not."""
    reason = "Something that nobody knows."
    due.aws.faults.add(ProvisioningFault(reason, account_id=due.account_ids["blog"], times=1))
    sync()
    refused = Assignment.objects.get(principal__name=f"taro@{DOMAIN}", account__name="blog")
    assert (refused.state, refused.reason["code"]) == (Assignment.State.REMOVING, "aws_refused")
    sync()
    refused.refresh_from_db()
    assert (refused.state, refused.reason["code"]) == (Assignment.State.REMOVING, "aws_refused")
    assert sync("--full").counts == counts_of(delete=1)


@pytest.mark.parametrize("kind", ["users", "groups"])
def test_empty_identity_store_is_not_believed(due: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdentityCenterQueries, f"list_{kind}", lambda _center: ())
    outcome = sync()
    assert outcome.code == 1
    assert due.granted() >= BEFORE - {("blog", "Reader", "taro")}
    assert not Principal.objects.exclude(gone_at=None).exists()


def test_list_of_sets_that_came_back_empty_is_not_believed(due: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdentityCenterQueries, "list_permission_set_arns", lambda _center: frozenset())
    before = snapshot()
    require_untouched(due, sync())
    assert snapshot() == before


def test_answer_that_is_out_of_order_for_a_moment_is_asked_for_again(due: World) -> None:
    due.aws.faults.add(Fault("*:List*", code="InternalServerException", status=500, every=2))
    assert sync().counts == counts_of(create=1, delete=1)


def test_run_has_the_same_sentence_as_the_report(due: World, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "en"
    settings.KINTONE_ASSIGNMENT_API_TOKEN = "wrong"
    sentence = require_untouched(due, sync())
    assert sentence == f"kintone does not accept the API token of app {due.assignments.id}."
