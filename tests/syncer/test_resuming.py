"""What a killed process left under way: AWS is asked first, and nothing is sent twice."""

import pytest

from accounts.models import Assignment, AuditEvent
from simulators.aws import Fault, ProvisioningFault
from syncer import lanes, runs
from syncer.models import Change, Lease, Operation, Run
from syncer.runs import Stopping
from tests.syncer.running import NOTHING, state_of, sync
from tests.syncer.worlds import FOREIGN, World

pytestmark = pytest.mark.django_db

HANA = ("shop", "Reader", "hana")
CREATE, DELETE = "sso-admin:CreateAccountAssignment", "sso-admin:DeleteAccountAssignment"


@pytest.fixture
def settled(world: World) -> World:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert sync().code == 0
    return world


class Died(BaseException):
    """Ends a run as SIGKILL does: nothing of ours runs afterwards."""


def _die(*_arguments: object, **_options: object) -> None:
    raise Died


def kill(method: str, run: Run) -> Run:
    """Run until the method is called, and no further: the leases stay behind, their process is gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("syncer.leases.Held.stop", _do_nothing)
        patch.setattr(method, _die)
        with pytest.raises(Died):
            runs.run_by_hand(run, Stopping())
    Lease.objects.exclude(token="").update(pid=2**22 + 1, started="gone")
    return run


def _do_nothing(*_arguments: object) -> None:
    pass


SENT = "syncer.recording.DatabaseRecorder.sent"
ASKED = "syncer.following._Statuses.ask"


@pytest.mark.parametrize("method", [SENT, ASKED])
@pytest.mark.parametrize("kind", [Run.Kind.FULL, Run.Kind.CHANGES])
def test_creation_that_aws_accepted_is_not_sent_again(settled: World, method: str, kind: Run.Kind) -> None:
    reference = settled.register("shop", "Reader", "ken")
    run = Run(kind=Run.Kind.RECORD, record_reference=reference) if kind != Run.Kind.FULL else Run()
    kill(method, run)
    assert sync().counts == NOTHING
    assert settled.aws.calls[CREATE] == 2
    assert [change.outcome for change in run.changes.all()] == [Change.Outcome.SUCCEEDED]
    assert state_of("shop", "Reader", "ken") == Assignment.State.GRANTED
    assert AuditEvent.objects.filter(action="access.granted", after__principal__startswith="ken").count() == 1


@pytest.mark.parametrize("method", [SENT, ASKED])
def test_removal_that_aws_accepted_counts_for_the_brake(settled: World, method: str) -> None:
    settled.register("shop", "Reader", "ken")
    sync()
    settled.edit(f"{settled.assignments.id}:1", users=["ken"])
    run = kill(method, Run())
    assert sync().code == 0
    assert settled.aws.calls[DELETE] == 1
    assert settled.granted() == FOREIGN | {("shop", "Reader", "ken")}
    deletion = run.changes.get(kind=Change.Kind.DELETE)
    assert (deletion.outcome, deletion.confirmed) == (Change.Outcome.SUCCEEDED, False)


def test_creation_that_never_left_is_sent_by_the_next_run(settled: World) -> None:
    settled.register("shop", "Reader", "ken")
    run = kill("syncer.gateways.identity_center.IdentityCenter.create_assignment", Run())
    assert sync().counts["create"] == 1
    assert [change.outcome for change in run.changes.all()] == [Change.Outcome.FAILED]


def test_request_that_failed_meanwhile_keeps_awss_reason(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault("Policy not found.", account_id=settled.account_ids["blog"], times=1))
    settled.register("blog", "Reader", "ken")
    run = kill(ASKED, Run())
    runs.recover_lost_runs()
    assert [change.reason["code"] for change in run.changes.all()] != ["run_lost"]
    assert sync().counts["create"] == 1


def test_provisioning_under_way_is_not_sent_again(settled: World) -> None:
    settled.edit(f"{settled.sets.id}:1", session_duration="PT8H")
    kill(SENT, Run())
    sync()
    assert settled.aws.calls["sso-admin:ProvisionPermissionSet"] == 1
    assert sync("--full").counts == NOTHING


def test_what_aws_cannot_be_asked_about_keeps_its_lane(settled: World) -> None:
    settled.register("shop", "Reader", "ken")
    run = kill(ASKED, Run())
    settled.aws.faults.add(Fault("sso-admin:Describe*Status", code="AccessDeniedException"))
    assert sync().counts["create"] == 0
    assert settled.aws.calls[CREATE] == 2
    assert lanes.find_open(settled.account_ids["shop"]) is not None
    settled.aws.faults.clear()
    sync()
    assert not Operation.objects.filter(ended_at__isnull=True).exists()
    assert [change.outcome for change in run.changes.all()] == [Change.Outcome.SUCCEEDED]


def test_lane_of_a_dead_process_is_taken_by_a_save(settled: World) -> None:
    """A save does not wait for the sweep or for the next full run."""
    settled.register("shop", "Reader", "ken")
    kill(ASKED, Run())
    reference = settled.register("shop", "Reader", "taro")
    runs.run_by_hand(Run(kind=Run.Kind.RECORD, record_reference=reference), Stopping())
    assert ("shop", "Reader", "taro") in settled.granted()
    assert settled.aws.calls[CREATE] == 3
