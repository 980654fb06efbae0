"""AWS: credentials, clock, instance, and every reading operation that runs need."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from portal.doctor.asking import Question, ask_all
from portal.doctor.reports import Check, Status, failed, passed, skipped, warned
from syncer.connections import connect_probes
from syncer.gateways.errors import Denied, GatewayError, Throttled
from syncer.gateways.identity_center_probes import DETAILS, LISTINGS, UNTRIED, Need, Probe, Probes
from syncer.required import find_missing
from syncer.states import Reason

CREDENTIALS, INSTANCE, DELEGATED = "aws.credentials", "aws.instance", "aws.delegated"
SKEW_NOTICE, SKEW_LIMIT = 30, 240  # seconds; AWS refuses signatures that are five minutes off

Known = dict[str, str]
"""What the next questions are asked about, by parameter."""


def examine_aws(*, has_database: bool = False) -> Iterator[Check]:
    """Who we are first, then the instance, then what lists, then what is asked about single things."""
    if find_missing("aws"):
        yield from _skip_all("settings")
        return
    try:
        probes = connect_probes(has_store=has_database)
    except GatewayError as error:
        yield failed(CREDENTIALS, error.reason)
        yield from _skip_all(CREDENTIALS)
        return
    with probes:
        yield from _examine(probes)


def _examine(probes: Probes) -> Iterator[Check]:
    known: Known = {}
    checks = ask_all([Question(CREDENTIALS, lambda: check_caller(probes, known))])
    yield from checks
    if not known:
        yield from _skip_all(CREDENTIALS)
        return
    yield from ask_all([Question(INSTANCE, lambda: check_instance(probes, known))])
    if "InstanceArn" not in known:
        yield from _skip_all(INSTANCE)
        return
    listed = _ask(probes, LISTINGS, known)
    yield from listed
    yield check_delegated(listed, known)
    yield from _ask(probes, DETAILS, known)
    yield check_untried()


def _skip_all(cause: str) -> Iterator[Check]:
    yield skipped("aws.operations", cause)


def check_caller(probes: Probes, known: Known) -> Iterator[Check]:
    """The credentials, and AWS's clock, which signatures depend on."""
    caller = probes.fetch_caller()
    known["Caller"] = caller.account_id
    yield passed(CREDENTIALS, Reason("doctor_aws_caller", {"arn": caller.arn, "account": caller.account_id}))
    if caller.at:
        yield check_clock("aws.clock", "AWS", caller.at)


def check_clock(name: str, whose: str, theirs: datetime) -> Check:
    """How far our clock is from theirs, which tells whole seconds only."""
    seconds = round(abs((timezone.now() - theirs).total_seconds()))
    params = {"whose": whose, "seconds": str(seconds)}
    if seconds < SKEW_NOTICE:
        return passed(name, Reason("doctor_clock", params))
    wrong = Reason("doctor_clock_wrong", params)
    return failed(name, wrong) if seconds >= SKEW_LIMIT else warned(name, wrong)


def check_instance(probes: Probes, known: Known) -> Iterator[Check]:
    found = probes.begin()
    params = {"instance": probes.instance.instance_arn, "region": probes.region}
    known |= found | {"Management": probes.instance.management_account_id}
    yield passed(INSTANCE, Reason("doctor_aws_instance", params))


def check_delegated(listed: Iterable[Check], known: Known) -> Check:
    """Outside the management account, AWS shows permission sets to the delegated administrator alone."""
    if known["Caller"] == known["Management"]:
        return warned(DELEGATED, Reason("doctor_aws_management", {"account": known["Caller"]}))
    sets = next(check for check in listed if check.name.endswith(":ListPermissionSets"))
    if sets.is_ok:
        return passed(DELEGATED, Reason("doctor_aws_delegated"))
    return skipped(DELEGATED, sets.name)


def check_untried() -> Check:
    return passed("aws.changes", Reason("doctor_aws_untried", {"operations": ", ".join(UNTRIED)}))


# --- Operations ---------------------------------------------------------------------------------------------------


def _ask(probes: Probes, wanted: Iterable[Probe], known: Known) -> list[Check]:
    """Ask these all at once; `known` then has what their answers name."""
    found: Known = {}
    before = dict(known)
    checks = ask_all([Question(name_of(each), _asker(probes, each, before, found)) for each in wanted])
    known.update(found)
    return checks


def _asker(probes: Probes, probe: Probe, known: Mapping[str, str], found: Known) -> Callable[[], list[Check]]:
    return lambda: [check_operation(probes, probe, known, found)]


def check_operation(probes: Probes, probe: Probe, known: Mapping[str, str], found: Known) -> Check:
    """Whether AWS answers; a denial counts by what is lost."""
    name, params = name_of(probe), {"operation": probe.operation}
    if any(parameter not in known for parameter in probe.parameters):
        return passed(name, Reason("doctor_aws_nothing", params))
    try:
        found.update(probes.ask(probe, known))
    except Denied as error:
        return _judge(name, probe.need, error)
    except Throttled as error:
        return warned(name, error.reason)  # no word about the right
    return passed(name, Reason("doctor_aws_allowed", params))


def _judge(name: str, need: Need, error: Denied) -> Check:
    if need is Need.NOTHING:
        return passed(name, Reason("doctor_aws_denied_to_all", {"operation": error.operation}))
    is_failure = need is Need.RUNS or (need is Need.APPLYING and settings.SYNC_MODE == "apply")
    return Check(name, Status.FAIL if is_failure else Status.WARN, error.reason)


def name_of(probe: Probe) -> str:
    return f"aws.{probe.operation}"
