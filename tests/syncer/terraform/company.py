"""The small company of `tests.syncer.values`, with what its management account has and is to have."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from syncer.cases import Judge
from syncer.desired import Before
from syncer.directory import Directory
from syncer.planning import CALM, Circumstances, plan_run
from syncer.states import Actual, ReadRecord
from syncer.terraform.selecting import Selection, find_scope, lift_fence, select
from syncer.wishes import build_desired
from tests.syncer.values import NO_LIMITS, PUBLIC_URL, SET_RECORDS, TODAY, TOKYO, actual, set_record

SETS = (*SET_RECORDS, set_record(3, "Root"))


def choose(
    *records: ReadRecord,
    sets: Collection[ReadRecord] = SETS,
    there: Actual | None = None,
    before: Mapping[str, Collection[Before]] | None = None,
    judge: Judge | None = None,
    circumstances: Circumstances = CALM,
    leaving: Collection[str] = (),
    recorded: Collection[str] = ("Root",),
) -> Selection:
    """What the export takes of these records."""
    world = there or actual()
    unfenced = lift_fence(world)
    directory = Directory("", unfenced.accounts, unfenced.sets, unfenced.principals, user_suffix="@example.com")
    desired = build_desired(
        sets, records, directory,
        before=before or {}, today=TODAY, zone=TOKYO, public_url=PUBLIC_URL, judge=judge,
    )  # fmt: skip
    desired = replace(desired, leaving=frozenset(leaving))
    plan = plan_run(desired, unfenced, NO_LIMITS, circumstances)
    return select(desired, unfenced, plan, find_scope(world, frozenset(recorded)))


def lines(selection: Selection) -> list[str]:
    """Its assignments in a form that reads well in a test: `…9 Root hana`, with `+` before what AWS has not yet."""
    return [
        f"{'' if each.is_there else '+'}…{each.key.target_id[-1]} {each.key.permission_set} {each.key.principal_id}"
        for each in selection.assignments
    ]


def left_out(selection: Selection) -> dict[str, str]:
    """Who → the code of the reason."""
    return {item.who: item.reason.code for item in selection.left_out}
