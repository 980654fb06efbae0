"""Plan → calls → outcomes, on a center that carries out what it is told, one poll at a time. No database."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from syncer.applying import DELETE_SET_TRIES, ApplyOptions, apply_plan
from syncer.changes import AssignmentChange, Change, Kind, Plan, SetChange, identity_of
from syncer.following import MAX_PROVISIONINGS, Operation
from syncer.gateways.errors import Conflict, Denied, GatewayError, NotFound, Throttled
from syncer.gateways.identity_center_requests import Aim, OperationStatus, RequestKind, RequestStatus
from syncer.states import (
    Actual,
    ActualInstance,
    ActualSet,
    AssignmentKey,
    Definition,
    Difference,
    Ownership,
    PrincipalType,
    Reason,
)

TAG = ("managed-by", "genkan")
ACCOUNTS = [f"{number:012}" for number in range(1, 20)]
REASON = Reason("aws_denied")


def denied() -> Denied:
    return Denied("sso-admin:Any", REASON)


def busy() -> Throttled:
    return Throttled("sso-admin:Any", Reason("aws_throttled"))


@dataclass
class FakeCenter:
    """Keeps requests under way for some polls, and a diary of calls. `raising` maps a method to the error it raises."""

    polls: int = 1  # how often a request is listed as under way before it is over
    tags: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(lambda: dict([TAG])))
    raising: dict[str, GatewayError] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)  # account → FailureReason
    stale: frozenset[str] = frozenset()
    conflicts: int = 0  # how often the deletion of a set meets one
    is_crowded: bool = False  # others' requests fill the newest page
    under_way: dict[str, tuple[RequestKind, str, int]] = field(default_factory=dict)  # id → kind, account, polls left
    diary: list[str] = field(default_factory=list)
    most: Counter[str] = field(default_factory=Counter)  # the most at once: in all, by kind, by account

    def _note(self, method: str, *what: str) -> None:
        self.diary.append(" ".join((method, *what)))
        if method in self.raising:
            raise self.raising[method]

    def create_permission_set(self, name: str, definition: Definition, tags: Mapping[str, str]) -> str:
        self._note("create_set", name)
        return f"arn:{name}"

    def update_permission_set(self, arn: str, actual: Definition, wanted: Definition) -> None:
        self._note("update_set", arn)

    def delete_permission_set(self, arn: str) -> None:
        self._note("delete_set", arn)
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict("sso-admin:DeletePermissionSet", Reason("aws_set_in_use"))

    def fetch_tags(self, arn: str) -> Mapping[str, str]:
        self._note("fetch_tags", arn)
        return self.tags[arn]

    def list_provisioned_accounts(self, arn: str, *, stale_only: bool = False) -> frozenset[str]:
        self._note("list_stale", arn)
        return self.stale

    def provision(self, arn: str, account_id: str) -> str:
        return self._begin(RequestKind.PROVISIONING, "provision", arn, account_id)

    def create_assignment(
        self, account_id: str, arn: str, principal_type: PrincipalType, principal_id: str
    ) -> str | None:
        return self._begin(RequestKind.CREATION, "create", principal_id, account_id)

    def delete_assignment(
        self, account_id: str, arn: str, principal_type: PrincipalType, principal_id: str
    ) -> str | None:
        return self._begin(RequestKind.DELETION, "delete", principal_id, account_id)

    def _begin(self, kind: RequestKind, method: str, what: str, account_id: str) -> str:
        self._note(method, what, account_id)
        request_id = f"{method} {what} {account_id}"
        self.under_way[request_id] = (kind, account_id, self.polls)
        kinds = Counter(str(item[0]) for item in self.under_way.values())
        accounts = Counter(item[1] for item in self.under_way.values())
        self.most |= kinds | accounts | Counter({"all": len(self.under_way)})
        return request_id

    def find_statuses(self, kind: RequestKind, wanted: Collection[str]) -> dict[str, RequestStatus]:
        """The newest page, on which everything of ours is; what is over is forgotten once it was told."""
        self._note("list", kind)
        found = {}
        for request_id in [] if self.is_crowded else wanted:
            _kind, account_id, polls = self.under_way[request_id]
            found[request_id] = RequestStatus.IN_PROGRESS
            if polls:
                self.under_way[request_id] = (kind, account_id, polls - 1)
            elif account_id in self.failing:
                found[request_id] = RequestStatus.FAILED
            else:
                found[request_id] = RequestStatus.SUCCEEDED
                del self.under_way[request_id]
        return found

    def list_in_progress(self, kind: RequestKind) -> frozenset[str]:
        self._note("list_going", kind)
        going = set()
        for request_id, (its_kind, account_id, polls) in list(self.under_way.items()):
            if its_kind is kind and polls:
                self.under_way[request_id] = (kind, account_id, polls - 1)
                going.add(request_id)
        return frozenset(going)

    def describe_status(self, kind: RequestKind, request_id: str) -> OperationStatus:
        self._note("describe", request_id)
        _kind, account_id, polls = self.under_way[request_id]
        if polls:
            self.under_way[request_id] = (kind, account_id, polls - 1)
            return OperationStatus(RequestStatus.IN_PROGRESS, "", Aim("arn"))
        del self.under_way[request_id]
        reason = self.failing.get(account_id, "")
        return OperationStatus(RequestStatus.FAILED if reason else RequestStatus.SUCCEEDED, reason, Aim("arn"))

    def did(self, *methods: str) -> list[str]:
        """The diary, of these methods only."""
        return [entry for entry in self.diary if entry.partition(" ")[0] in methods]


@dataclass
class FakeRecorder:
    """Outcomes by the line that names a change. `stop_after`: how many may begin before the process is to end."""

    unwanted: frozenset[str] = frozenset()
    stop_after: int | None = None
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)  # account → how often its lane is somebody else's yet
    lanes: set[str] = field(default_factory=set)

    def enter(self, operation: Operation, arn: str) -> bool:
        if self.taken.get(operation.account_id, 0):
            self.taken[operation.account_id] -= 1
            return False
        assert operation.account_id not in self.lanes
        self.lanes.add(operation.account_id)
        return True

    def leave(self, operation: Operation, failed: Reason | None = None) -> None:
        self.lanes.discard(operation.account_id)

    def is_still_wanted(self, change: Change) -> bool:
        return identity_of(change) not in self.unwanted

    def sending(self, change: Change) -> None:
        self.begun.append(identity_of(change))
        self.outcomes[identity_of(change)] = "sending"

    def sent(self, operation: Operation, request_id: str) -> None:
        self.outcomes[identity_of(operation.change)] = "sent"

    def made(self, change: SetChange, arn: str) -> None:
        self.outcomes[identity_of(change)] = f"made {arn}"

    def succeeded(self, change: Change) -> None:
        self.outcomes[identity_of(change)] = "succeeded"

    def failed(self, change: Change, reason: Reason, *, for_good: bool) -> None:
        self.outcomes[identity_of(change)] = "refused" if for_good else "postponed"
        self.reasons[identity_of(change)] = reason.code

    def superseded(self, change: Change) -> None:
        self.outcomes[identity_of(change)] = "superseded"

    def must_stop(self) -> bool:
        return self.stop_after is not None and len(self.begun) >= self.stop_after


@dataclass
class Watch:
    """Time that passes only when somebody sleeps."""

    seconds: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> float:
        return self.seconds


def create(account: str, principal: str = "p", name: str = "Reader") -> AssignmentChange:
    return AssignmentChange(Kind.CREATE, AssignmentKey(account, name, PrincipalType.USER, principal))


def delete(account: str, principal: str = "q", name: str = "Reader") -> AssignmentChange:
    return AssignmentChange(Kind.DELETE, AssignmentKey(account, name, PrincipalType.USER, principal))


def update(*stale: str, field_name: str = "") -> SetChange:
    differences = (Difference(field_name, "a", "b"),) if field_name else ()
    return SetChange(Kind.UPDATE, "Reader", "", Definition(), Definition(), differences, frozenset(stale))


def apply(
    *changes: Change, center: FakeCenter | None = None, recorder: FakeRecorder | None = None, outstanding: int = 8
) -> tuple[FakeCenter, FakeRecorder, Watch]:
    """Apply changes to a world in which Reader is ours."""
    center, recorder, watch = center or FakeCenter(), recorder or FakeRecorder(), Watch()
    sets = {"Reader": ActualSet("Reader", "arn:Reader", Ownership.OURS, Definition())}
    actual = Actual(ActualInstance("", "", "", ""), {}, sets, {}, frozenset())
    options = ApplyOptions(TAG, outstanding=outstanding, sleep=watch.sleep, now=watch.now)
    apply_plan(Plan(changes), actual, center, recorder, options)
    return center, recorder, watch


def test_empty_plan_asks_nothing() -> None:
    center, _recorder, watch = apply()
    assert (center.diary, watch.seconds) == ([], 0)


def test_each_change_ends_with_an_outcome() -> None:
    changes = (create(ACCOUNTS[0]), delete(ACCOUNTS[0]), create(ACCOUNTS[1]))
    _center, recorder, _watch = apply(*changes)
    assert recorder.outcomes == {identity_of(change): "succeeded" for change in changes}


def test_account_has_one_operation_at_a_time() -> None:
    center, _recorder, _watch = apply(*(create(ACCOUNTS[0], f"p{number}") for number in range(4)))
    assert center.most[ACCOUNTS[0]] == 1


def test_accounts_go_on_beside_each_other_up_to_the_cap() -> None:
    center, recorder, _watch = apply(*(create(account) for account in ACCOUNTS), outstanding=5)
    assert center.most["all"] == 5
    assert set(recorder.outcomes.values()) == {"succeeded"}


def test_three_provisionings_at_once_at_most() -> None:
    center, recorder, _watch = apply(update(*ACCOUNTS[:8]), *(create(account) for account in ACCOUNTS[8:11]))
    assert center.most[RequestKind.PROVISIONING] == MAX_PROVISIONINGS
    assert set(recorder.outcomes.values()) == {"succeeded"}


def test_role_is_renewed_before_it_is_assigned() -> None:
    center, _recorder, _watch = apply(update(ACCOUNTS[0]), create(ACCOUNTS[0]))
    assert center.did("provision", "create") == [f"provision arn:Reader {ACCOUNTS[0]}", f"create p {ACCOUNTS[0]}"]


def test_order_within_an_account_is_the_plans() -> None:
    center, _recorder, _watch = apply(create(ACCOUNTS[0]), delete(ACCOUNTS[0]), outstanding=8)
    assert center.did("create", "delete") == [f"create p {ACCOUNTS[0]}", f"delete q {ACCOUNTS[0]}"]


def test_new_set_is_made_before_it_is_assigned() -> None:
    made = SetChange(Kind.CREATE, "New", "", Definition())
    center, recorder, _watch = apply(made, create(ACCOUNTS[0], name="New"))
    assert center.did("create_set", "create") == ["create_set New", f"create p {ACCOUNTS[0]}"]
    assert recorder.outcomes[identity_of(made)] == "made arn:New"


def test_set_is_deleted_after_its_assignments() -> None:
    center, _recorder, _watch = apply(SetChange(Kind.DELETE, "Reader"), delete(ACCOUNTS[0]))
    assert center.did("delete", "delete_set") == [f"delete q {ACCOUNTS[0]}", "delete_set arn:Reader"]


def test_set_whose_roles_go_slowly_is_asked_again() -> None:
    _center, recorder, watch = apply(SetChange(Kind.DELETE, "Reader"), center=FakeCenter(conflicts=3))
    assert list(recorder.outcomes.values()) == ["succeeded"]
    assert watch.seconds == 1 + 2 + 3


def test_set_that_stays_in_use_is_left_to_the_next_run() -> None:
    center, recorder, _watch = apply(SetChange(Kind.DELETE, "Reader"), center=FakeCenter(conflicts=99))
    assert (list(recorder.outcomes.values()), len(center.did("delete_set"))) == (["postponed"], DELETE_SET_TRIES)


def test_intent_is_kept_before_the_call_and_the_id_before_polling() -> None:
    recorder = FakeRecorder()
    seen: list[str] = []

    class Looking(FakeCenter):
        def _note(self, method: str, *what: str) -> None:
            seen.extend(f"{method}: {outcome}" for outcome in recorder.outcomes.values())
            super()._note(method, *what)

    apply(create(ACCOUNTS[0]), center=Looking(polls=0), recorder=recorder)
    assert seen == ["create: sending", "list: sent"]


def test_refusal_has_awss_own_reason_and_stops_nothing_else() -> None:
    center = FakeCenter(failing={ACCOUNTS[0]: "Policy not found."})
    _center, recorder, _watch = apply(create(ACCOUNTS[0]), create(ACCOUNTS[0], "r"), create(ACCOUNTS[1]), center=center)
    assert sorted(recorder.outcomes.values()) == ["refused", "refused", "succeeded"]
    assert set(recorder.reasons.values()) == {"aws_refused"}


def test_removal_of_what_is_gone_already_is_done() -> None:
    center = FakeCenter(failing={ACCOUNTS[0]: "Received a 404 status error: Assignment not found."})
    _center, recorder, _watch = apply(delete(ACCOUNTS[0]), create(ACCOUNTS[0]), center=center)
    assert list(recorder.outcomes.values()) == ["succeeded", "postponed"]


@pytest.mark.parametrize(("error", "outcome"), [(denied(), "refused"), (busy(), "postponed")])
def test_call_that_fails_is_refused_or_postponed(error: GatewayError, outcome: str) -> None:
    _center, recorder, _watch = apply(create(ACCOUNTS[0]), center=FakeCenter(raising={"create": error}))
    assert list(recorder.outcomes.values()) == [outcome]


@pytest.mark.parametrize(("error", "outcome"), [(denied(), "refused"), (busy(), "postponed")])
def test_set_that_cannot_be_made_leaves_its_assignments_alone(error: GatewayError, outcome: str) -> None:
    made, wanted = SetChange(Kind.CREATE, "New", "", Definition()), create(ACCOUNTS[0], name="New")
    center, recorder, _watch = apply(made, wanted, center=FakeCenter(raising={"create_set": error}))
    assert recorder.outcomes == {identity_of(made): outcome, identity_of(wanted): "postponed"}
    assert recorder.reasons[identity_of(wanted)] == "set_not_made"
    assert center.did("create") == []


def test_set_without_our_tag_is_not_written() -> None:
    center = FakeCenter(tags={"arn:Reader": {"managed-by": "somebody"}})
    _center, recorder, _watch = apply(
        update(ACCOUNTS[0], field_name="inline_policy"), create(ACCOUNTS[1]), center=center
    )
    assert set(recorder.reasons.values()) == {"ownership_lost"}
    assert center.did("update_set", "provision", "create") == []


def test_tag_is_read_once_a_run() -> None:
    center, _recorder, _watch = apply(*(create(account) for account in ACCOUNTS[:4]))
    assert center.did("fetch_tags") == ["fetch_tags arn:Reader"]


def test_unreadable_tag_writes_nothing() -> None:
    center, recorder, _watch = apply(create(ACCOUNTS[0]), center=FakeCenter(raising={"fetch_tags": denied()}))
    assert (list(recorder.outcomes.values()), center.did("create")) == (["postponed"], [])


def test_change_that_nobody_wants_any_more_is_superseded() -> None:
    change = create(ACCOUNTS[0])
    center, recorder, _watch = apply(change, recorder=FakeRecorder(unwanted=frozenset({identity_of(change)})))
    assert (list(recorder.outcomes.values()), center.diary) == (["superseded"], [])


def test_update_without_roles_to_renew_ends_at_once() -> None:
    center, recorder, _watch = apply(update(field_name="inline_policy"))
    assert list(recorder.outcomes.values()) == ["succeeded"]
    assert center.did("provision") == []


def test_accounts_that_an_update_makes_stale_are_renewed() -> None:
    center, _recorder, _watch = apply(
        update(field_name="relay_state"), center=FakeCenter(stale=frozenset(ACCOUNTS[:2]))
    )
    assert len(center.did("provision")) == 2


def test_new_description_renews_no_role() -> None:
    center, _recorder, _watch = apply(
        update(field_name="description"), center=FakeCenter(stale=frozenset(ACCOUNTS[:2]))
    )
    assert center.did("provision", "list_stale") == []


def test_update_ends_with_its_last_provisioning_and_the_first_failure() -> None:
    center = FakeCenter(failing={ACCOUNTS[1]: "Policy not found."})
    _center, recorder, _watch = apply(update(*ACCOUNTS[:3]), center=center)
    assert list(recorder.outcomes.values()) == ["refused"]
    assert len(center.did("provision")) == 3


def test_asked_to_end_follows_what_is_under_way_and_begins_nothing() -> None:
    changes = [create(account) for account in ACCOUNTS[:5]]
    center, recorder, _watch = apply(*changes, recorder=FakeRecorder(stop_after=2), center=FakeCenter(polls=3))
    assert list(recorder.outcomes.values()) == ["succeeded", "succeeded"]
    assert center.under_way == {}


def test_asked_to_end_before_the_first_change_does_nothing() -> None:
    center, recorder, _watch = apply(
        update(ACCOUNTS[0], field_name="inline_policy"),
        create(ACCOUNTS[0]),
        SetChange(Kind.DELETE, "Reader"),
        recorder=FakeRecorder(stop_after=0),
    )
    assert (center.diary, recorder.outcomes) == ([], {})


def test_request_that_aws_forgot_is_left_to_the_next_reading() -> None:
    gone = NotFound("sso-admin:Describe", Reason("aws_not_found"))
    center = FakeCenter(is_crowded=True, raising={"describe": gone})
    _center, recorder, _watch = apply(create(ACCOUNTS[0]), center=center)
    assert recorder.reasons == {identity_of(create(ACCOUNTS[0])): "aws_forgot_request"}


@pytest.mark.parametrize("method", ["list", "describe"])
def test_status_that_cannot_be_read_for_a_while_is_awaited(method: str) -> None:
    class Recovering(FakeCenter):
        def _note(self, name: str, *what: str) -> None:
            if len(self.did(method)) == 3:
                self.raising.clear()
            super()._note(name, *what)

    _center, recorder, _watch = apply(create(ACCOUNTS[0]), center=Recovering(polls=0, raising={method: busy()}))
    assert list(recorder.outcomes.values()) == ["succeeded"]


@pytest.mark.parametrize("method", ["list", "describe"])
def test_patience_with_one_request_ends_after_ten_minutes(method: str) -> None:
    _center, recorder, watch = apply(
        create(ACCOUNTS[0]), center=FakeCenter(polls=0, is_crowded=method == "describe", raising={method: busy()})
    )
    assert recorder.reasons == {identity_of(create(ACCOUNTS[0])): "aws_slow"}
    assert 600 <= watch.seconds <= 602


def test_request_that_never_ends_is_left_to_the_next_run() -> None:
    _center, recorder, _watch = apply(create(ACCOUNTS[0]), create(ACCOUNTS[1]), center=FakeCenter(polls=10_000))
    assert list(recorder.outcomes.values()) == ["postponed", "postponed"]


def test_listing_that_is_denied_costs_a_question_each() -> None:
    center, recorder, _watch = apply(create(ACCOUNTS[0]), center=FakeCenter(polls=2, raising={"list": denied()}))
    assert list(recorder.outcomes.values()) == ["succeeded"]
    assert len(center.did("describe")) == 3


def test_what_goes_well_costs_no_question_of_its_own() -> None:
    center, _recorder, _watch = apply(*(create(account) for account in ACCOUNTS), outstanding=8)
    assert center.did("describe") == []


def test_crowded_page_is_given_up_for_the_list_of_what_is_under_way() -> None:
    center, recorder, _watch = apply(create(ACCOUNTS[0]), center=FakeCenter(polls=4, is_crowded=True))
    assert list(recorder.outcomes.values()) == ["succeeded"]
    assert len(center.did("list")) == 1
    assert len(center.did("list_going")) > 1


def test_two_polls_a_second_at_most() -> None:
    changes = [change for account in ACCOUNTS for change in (create(account), delete(account))]
    center, _recorder, watch = apply(*changes, update(*ACCOUNTS[:9]), center=FakeCenter(polls=4))
    assert len(center.did("list", "list_going", "describe")) <= 2 * watch.seconds


def test_lane_of_another_run_is_waited_for() -> None:
    recorder = FakeRecorder(taken={ACCOUNTS[0]: 3})
    _center, recorder, watch = apply(create(ACCOUNTS[0]), create(ACCOUNTS[1]), recorder=recorder)
    assert set(recorder.outcomes.values()) == {"succeeded"}
    assert watch.seconds >= 1.5


def test_lane_that_never_gets_free_is_left_to_the_next_run() -> None:
    recorder = FakeRecorder(taken={ACCOUNTS[0]: 10**6})
    changes = create(ACCOUNTS[0]), delete(ACCOUNTS[0]), create(ACCOUNTS[1])
    _center, recorder, _watch = apply(*changes, recorder=recorder)
    assert list(recorder.reasons.values()) == ["lane_busy", "lane_busy"]
    assert recorder.outcomes[identity_of(changes[2])] == "succeeded"


def test_every_lane_is_given_back() -> None:
    superseded = create(ACCOUNTS[2])
    recorder = FakeRecorder(unwanted=frozenset({identity_of(superseded)}))
    center = FakeCenter(failing={ACCOUNTS[0]: "Policy not found."})
    _center, recorder, _watch = apply(
        create(ACCOUNTS[0]), delete(ACCOUNTS[1]), superseded, create(ACCOUNTS[3], name="New"), center=center,
        recorder=recorder,
    )  # fmt: skip
    assert recorder.lanes == set()


def test_removals_before_the_sets_go_first() -> None:
    center, _recorder, _watch = apply(delete(ACCOUNTS[0]), update(field_name="relay_state"), create(ACCOUNTS[1]))
    assert center.did("delete", "update_set", "create") == [
        f"delete q {ACCOUNTS[0]}", "update_set arn:Reader", f"create p {ACCOUNTS[1]}",
    ]  # fmt: skip


def test_status_that_is_denied_ends_the_wait() -> None:
    _center, recorder, _watch = apply(
        create(ACCOUNTS[0]), center=FakeCenter(is_crowded=True, raising={"describe": denied()})
    )
    assert list(recorder.outcomes.values()) == ["postponed"]
