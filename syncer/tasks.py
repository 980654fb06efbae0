"""Celery's tasks: a lock, one call, nothing more. The truth of a job is its row, so every task may run twice or never.

The schedule is in the database (admin site, "Periodic tasks"); syncer/migrations/0002 puts it there.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta

from celery import Task, shared_task
from django.core.management import call_command
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import stops
from accounts.audit import find_place, record_event
from accounts.models import Account, PermissionSet, Person, Record, Stop, User
from syncer import arrivals, leases, lock_outs, retention, runs
from syncer.adoption import queue as adopting_queue
from syncer.adoption.checks import Take
from syncer.backup import files
from syncer.connections import connect_mailer, connect_slack, connect_slack_people
from syncer.drafts import writing
from syncer.gateways.github import Comment
from syncer.github import answering, intake, polling
from syncer.mirror import refusals
from syncer.mirror.last_days import store_reminders
from syncer.mirror.policy_texts import ask_for_texts
from syncer.models import Adoption, Run
from syncer.records import hinting
from syncer.sets import farewells, policy_texts
from syncer.sets import opinions as second_opinions
from syncer.states import Reason
from syncer.telling import delivering, posting, watching
from syncer.telling.matters import Kind, Matter
from syncer.telling.notices import tell_event
from syncer.telling.orphans import tell_orphans
from syncer.telling.sending import send_due
from syncer.terraform import exports, offering
from syncer.workers import try_to_start

logger = logging.getLogger(__name__)

FEW = 3  # written records that have a run each; more are carried out together
ROUNDS = 3  # of writing and judging; what is still not written then waits for the next sweep
RETRY_REST = timedelta(seconds=20)  # after *Try again*, until it starts another run of the same record
LOOK_AGAIN = 5.0  # seconds to wait for a lease that is about to be given back


@shared_task
def run_full() -> None:
    """A full run, as the schedule wants it."""
    runs.queue_full_run()
    runs.work_off_queue(wait=LOOK_AGAIN)


@shared_task
def work_off_queue() -> None:
    """Carry out what is queued."""
    runs.work_off_queue(wait=LOOK_AGAIN)


@shared_task
def work_off_targeted() -> None:
    """Carry out what is queued for single records, beside a full run."""
    runs.work_off_targeted()


@shared_task
def retry_records() -> None:
    """Look for those whom records wait for that somebody wants tried again, and carry these records out."""
    queued = Run.objects.filter(kind=Run.Kind.RECORD, status=Run.Status.QUEUED, requested_by__isnull=False)
    for app_id, _colon, record_id in (run.record_reference.partition(":") for run in queued):
        for record in Record.objects.filter(app_id=app_id, record_id=record_id):
            arrivals.look_for_those_of(record, timezone.now())
    runs.work_off_targeted()


@shared_task
def run_changes() -> None:
    """Carry out what changed in kintone since the last look, beside a full run."""
    try:
        runs.run_changes(runs.Stopping())
    except leases.LeaseBusy:
        logger.info("tasks: the look before this one is still going on")


@shared_task
def sweep() -> None:
    """Find runs whose process died, runs, drafts and hints whose message was lost, and what stops left to do."""
    if stops.close_ended_pauses():
        runs.queue_full_run()
    lock_outs.queue_what_is_left()
    runs.recover_lost_runs()
    runs.work_off_targeted()
    runs.work_off_queue()
    farewells.end_farewells()
    if writing.has_waiting():
        write_drafts()
    if hinting.has_hints():
        heed_hints()
    if adopting_queue.find_waiting().exists():
        work_off_adoptions()


@shared_task
def write_drafts() -> None:
    """Carry to kintone what was decided here, and into AWS what was written.

    Where somebody else wrote into the same record, a run judges that first; then the draft goes onto it.
    """
    farewells.end_farewells()
    for _round in range(ROUNDS):
        written = writing.write_drafts(wait=LOOK_AGAIN)
        unjudged = writing.find_unjudged()
        _carry_out(written | unjudged)
        if not farewells.end_farewells() and not unjudged:
            return


def _carry_out(references: frozenset[str]) -> None:
    if len(references) > FEW:
        run_changes()
        return
    for reference in sorted(references):
        runs.queue_record_run(reference)
    runs.work_off_targeted()


@shared_task
def work_off_adoptions() -> None:
    """Compare and adopt the sets that somebody asked for; a run then shows what is ours."""
    if adopting_queue.work_off():
        runs.work_off_queue(wait=LOOK_AGAIN)


@shared_task
def look_for_waiting() -> None:
    """Ask Identity Center for those whom records wait for."""
    arrivals.look_for_waiting(timezone.now())


@shared_task
def tell_last_days() -> None:
    """Write into the outbox whose access ends soon, and what has lost its last owner."""
    store_reminders(timezone.now())
    tell_orphans(timezone.now())


@shared_task
def watch() -> None:
    """Look at what no run would tell."""
    watching.watch(timezone.now())


@shared_task
def send_notices() -> None:
    """Send what the outbox holds. Two of these at once send nothing twice."""
    send_due(connect_slack())


@shared_task
def send_letters() -> None:
    """Tell single people what the outbox holds for them. Two of these at once send nothing twice."""
    delivering.send_letters(delivering.Carriers(connect_slack_people(), connect_mailer()))


@shared_task
def post_comments() -> None:
    """Post on records what the outbox holds for them. Two of these at once post nothing twice."""
    posting.post_due()


@shared_task
def watch_github() -> None:
    """Look for new comments on GitHub's issue, show at once that they were seen, and reply to what is over."""
    polling.look(timezone.now())
    answer_github()


@shared_task
def offer_terraform() -> None:
    """Offer the newest export for Terraform as a pull request, where an admin wants that."""
    offering.offer_due(timezone.now())


@shared_task
def answer_github() -> None:
    """React and reply on GitHub; then begin the runs that were asked for there."""
    answering.answer_due(wait=LOOK_AGAIN)
    _begin_asked_for()


@shared_task
def heed_hints() -> None:
    """Read anew what kintone's webhook named, and carry out what changed."""
    hinting.heed_hints(runs.Stopping(), wait=LOOK_AGAIN)


@shared_task
def ask_for_opinions() -> None:
    """Ask IAM Access Analyzer about policies that it was not asked about, or long ago."""
    second_opinions.ask_for_opinions(timezone.now())


@shared_task
def read_policy_texts() -> None:
    """Read the texts of AWS managed policies that sets name, or somebody asked for."""
    policy_texts.read_texts(timezone.now())


@shared_task
def clear_sessions() -> None:
    """Forget sessions that have ended."""
    call_command("clearsessions")


@shared_task
def forget_the_past() -> None:
    """Delete runs and mirrored rows that are older than RETENTION_DAYS."""
    retention.forget_the_past(timezone.now())


@shared_task
def export_terraform() -> None:
    """Make the management account's files anew where a run has come through since."""
    exports.refresh_if_due()


@shared_task
def export_nightly() -> None:
    """Write the settings file of this night; operators are told where that fails."""
    try:
        files.write_nightly(timezone.now())
    except OSError as error:
        logger.exception("backup: the settings file could not be written")
        reason = Reason("notice_backup_failed", {"text": str(error)})
        tell_event(Matter(Kind.FAILED, "backup", reason, "/doctor/"))


def request_full_run(user: User | None, *, accept: str = "", confirm: bool = False) -> Run:
    """Ask for a full run; the run that will do it. Accepting and confirming are for admins: the caller checks."""
    with transaction.atomic():
        run = runs.queue_full_run(by=user, accept=accept, confirm=confirm)
        action = "held.accept" if accept else "baseline.confirm" if confirm else "run.request"
        record_event(
            action, actor=user, obj=("run", str(run.pk), str(run)), after={"checksum": accept} if accept else None
        )
        transaction.on_commit(lambda: _send(work_off_queue))
    return run


def request_retry(user: User, record: Record, request: HttpRequest | None) -> Run:
    """Carry out a record once more, and try what AWS refused of it; the run that does. The caller checks who may.

    Asked for again at once, by whomever, it is the same run: AWS says nothing else within seconds.
    Everybody who asks stands in the trail.
    """
    with transaction.atomic():
        obj = ("record", record.reference, record.title or record.reference)
        record_event("record.try_again", actor=user, request=request, obj=obj, about=find_place(record))
        since = timezone.now() - RETRY_REST
        lately = Run.objects.filter(kind=Run.Kind.RECORD, record_reference=record.reference, requested_at__gt=since)
        if run := lately.filter(requested_by__isnull=False).order_by("-pk").first():
            return run
        refusals.end_pauses(record)
        run = runs.queue_record_run(record.reference, by=user)
        transaction.on_commit(lambda: _send(retry_records))
    return run


def request_adoption(
    user: User, permission_set: PermissionSet, *, applies: bool, take: Take = Take.NOTHING, confirmed: str = ""
) -> Adoption:
    """Compare a set with kintone, or adopt it as it was shown. For admins: the caller checks. Raises NotPossible."""
    with transaction.atomic():
        row = adopting_queue.queue_adoption(permission_set, user, applies=applies, take=take, confirmed=confirmed)
        action = "permission_set.adopt_request" if applies else "permission_set.compare"
        subject = ("permission_set", str(permission_set.pk), permission_set.name)
        record_event(action, actor=user, obj=subject, after={"take": take} if applies else None)
        transaction.on_commit(lambda: _send(work_off_adoptions))
    return row


def resume_runs(user: User, request: HttpRequest) -> Stop | None:
    """End the pause, and let a run carry out what has gathered. For admins: the caller checks, here and below."""
    with transaction.atomic():
        stop = stops.lift_pause(user, request)
        _catch_up(user, stop)
    return stop


def lock_out(user: User, person: Person, reason: str, request: HttpRequest) -> Stop:
    """Lock a person out and remove what he has at once; the lock-out that holds. Raises StopRefused."""
    with transaction.atomic():
        stop = stops.lock_out(user, person, reason, request)
        if not stop.runs.exists():
            lock_outs.queue_lock_out(stop)
        transaction.on_commit(lambda: _send(work_off_targeted))
    return stop


def lift_lock_out(user: User, person: Person, request: HttpRequest) -> Stop | None:
    """Let a person have access again, and let a run give what is registered for him."""
    with transaction.atomic():
        stop = stops.lift_lock_out(user, person, request)
        _catch_up(user, stop)
    return stop


def lift_freeze(user: User, account: Account, request: HttpRequest) -> Stop | None:
    """Let new access into an account again, and let a run give what is registered for it. For owners and admins."""
    with transaction.atomic():
        stop = stops.lift_freeze(user, account, request)
        _catch_up(user, stop)
    return stop


def _catch_up(user: User, stop: Stop | None) -> None:
    if stop is not None:
        runs.queue_full_run(by=user)
        transaction.on_commit(lambda: _send(work_off_queue))


def request_writing() -> None:
    """Have drafts written as soon as this transaction is committed."""
    transaction.on_commit(lambda: _send(write_drafts))


def request_policy_texts(policies: Iterable[str]) -> bool:
    """Somebody looks at these AWS managed policies: whether what they say is being read, as far as it is not known."""
    with transaction.atomic():
        is_due = ask_for_texts(policies, timezone.now())
        if is_due:
            transaction.on_commit(lambda: _send(read_policy_texts))
    return is_due


def take_hint(app_id: str, record_id: str) -> None:
    """Something happened to this record of kintone: have it read anew as soon as this is committed."""
    with transaction.atomic():
        if hinting.note_hint(app_id, record_id):
            transaction.on_commit(lambda: _send(heed_hints))


def take_github_comment(comment: Comment) -> bool:
    """Somebody commented on the issue: do what the comment asks for as soon as this is committed; whether it asks."""
    with transaction.atomic():
        row = intake.take_comment(comment, is_final=False)
        if row is not None:
            transaction.on_commit(lambda: _send(answer_github))
            transaction.on_commit(_begin_asked_for)
    return row is not None


def _begin_asked_for() -> None:
    """Have somebody carry out what was asked for on GitHub and is queued, if anything is."""
    asked_for = Run.objects.filter(status=Run.Status.QUEUED, github_requests__isnull=False)
    kinds = set(asked_for.values_list("kind", flat=True))
    if kinds - {Run.Kind.FULL}:
        _send(work_off_targeted)
    if Run.Kind.FULL in kinds:
        _send(work_off_queue)


def _send(task: "Task[[], None]") -> None:
    """Tell a worker. Without a broker the row waits, and the sweep finds it."""
    try_to_start(task.name, task.delay)
