"""The newest export as a pull request: one, made anew in its place while it is open, and closed when it is over.

Every step looks first what is there, so a process that dies in between leaves nothing that the next look does not
carry on. The branch is the portal's own: whatever somebody else puts on it goes. Who merges is the company's affair,
and a pull request that somebody closed is not opened again before the files differ.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, override

from accounts.audit import record_event
from syncer import leases
from syncer.connections import connect_github_repository
from syncer.gateways.errors import GatewayError, NotFound, Permanent, Temporary
from syncer.gateways.github_repository import Commit, GitHubRepository, Pull, hash_blob
from syncer.models import TerraformExport, TerraformOffer
from syncer.states import Reason
from syncer.telling.messages import describe_error
from syncer.terraform.comparing import Comparison
from syncer.terraform.exports import Latest, find_latest, take

logger = logging.getLogger(__name__)

LEASE = "terraform-offer"
BRANCH = "genkan/terraform"
REST = timedelta(hours=1)  # between looks whether somebody has merged
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=10), timedelta(hours=1)
MOST_LISTED = 50  # resources that the text names


def offer_due(now: datetime) -> str:
    """Offer the newest export where it is not in the repository; the pull request's address, empty where none is.

    Somebody else at it is no error, nor is GitHub away: it is tried again.
    """
    offer, latest = TerraformOffer.load(), find_latest()
    repository = connect_github_repository(offer.repository) if offer.is_on else None
    if repository is None or latest.newest is None or not _is_due(offer, latest.newest, now):
        return ""
    try:
        with leases.hold_lease(LEASE):
            return _Offering(offer, latest, latest.newest, repository).go()
    except leases.LeaseBusy:
        return ""
    except GatewayError as error:
        _postpone(offer, error, now)
        return ""


def _is_due(offer: TerraformOffer, export: TerraformExport, now: datetime) -> bool:
    if offer.retry_at and now < offer.retry_at:
        return False
    return offer.checksum != export.checksum or offer.checked_at is None or now - offer.checked_at >= REST


def _postpone(offer: TerraformOffer, error: GatewayError, now: datetime) -> None:
    asked_for = error.retry_after if isinstance(error, Temporary) else None
    pause = LONGEST_PAUSE if isinstance(error, Permanent) else FIRST_PAUSE
    retry_at = now + max(pause, timedelta(seconds=asked_for or 0.0))
    TerraformOffer.objects.filter(pk=offer.pk).update(retry_at=retry_at, error=describe_error(error)[:400])
    logger.warning("terraform: the export could not be offered: %s", error)


class _Offering:
    """One look at the repository, and what follows from it."""

    def __init__(
        self, offer: TerraformOffer, latest: Latest, export: TerraformExport, repository: GitHubRepository
    ) -> None:
        self.offer, self.latest, self.export, self.repository = offer, latest, export, repository
        self.wanted = {path: hash_blob(text) for path, text in export.files.items()}

    def go(self) -> str:
        base = self.offer.base or self.repository.fetch_default_branch()
        head, pull = self._require_branch(base), self.repository.find_pull(BRANCH, base)
        there = self.repository.list_files(head.tree, self.offer.folder)
        if self.wanted.items() <= there.items():
            return self._note_taken(pull)
        if pull and not pull.is_open and self.offer.checksum == self.export.checksum:
            return self._note(pull)  # somebody said no to just this
        if not self._is_on_branch(there):
            self._write(head)
        return self._note(self._open(pull if pull and pull.is_open else None, base))

    def _require_branch(self, name: str) -> Commit:
        head = self.repository.find_branch(name)
        if head is None:
            params = {"repository": self.offer.repository, "branch": name}
            raise NotFound("github GET ref", Reason("github_branch_missing", params))
        return head

    def _is_on_branch(self, there: Mapping[str, str]) -> bool:
        """The branch is where we set it, and its files are these, on top of what the base has of them now.

        Files alone prove nothing: others may lie beside them, behind a pull request that people trust.
        """
        branch = self.repository.find_branch(BRANCH)
        if branch is None or branch.sha != self.offer.commit or len(branch.parents) != 1:
            return False
        if not self.wanted.items() <= self.repository.list_files(branch.tree, self.offer.folder).items():
            return False
        parent = self.repository.fetch_commit(branch.parents[0])
        before = self.repository.list_files(parent.tree, self.offer.folder)
        return all(before.get(path) == there.get(path) for path in self.wanted)

    def _write(self, head: Commit) -> None:
        prefix = f"{self.offer.folder}/" if self.offer.folder else ""
        files = {f"{prefix}{path}": text for path, text in self.export.files.items()}
        commit = self.repository.write_commit(head, _title(), files)
        TerraformOffer.objects.filter(pk=self.offer.pk).update(commit=commit.sha)  # first: an answer may get lost
        self.repository.set_branch(BRANCH, commit, is_new=self.repository.find_branch(BRANCH) is None)

    def _open(self, pull: Pull | None, base: str) -> Pull:
        title, body = _title(), render_body(self.latest.comparison, is_first=self.latest.taken is None)
        if pull is None:
            pull = self.repository.create_pull(BRANCH, base, title, body)
            self._record("terraform.offer", pull)
        elif (pull.title, pull.body) != (title, body):
            pull = self.repository.update_pull(pull.number, title, body)
        return pull

    def _note_taken(self, pull: Pull | None) -> str:
        """The repository says what the export says: it is taken over, and what is still open is over."""
        if pull and pull.is_open:
            self.repository.close_pull(pull.number)
            self._record("terraform.offer_close", pull)
        if not self.latest.is_taken:
            take(self.export, None, by=f"GitHub {self.offer.repository}")
        return self._note(None)

    def _note(self, pull: Pull | None) -> str:
        url = pull.url if pull else ""
        TerraformOffer.objects.filter(pk=self.offer.pk).update(
            checksum=self.export.checksum, pull_url=url, checked_at=timezone.now(), retry_at=None, error=""
        )
        return url

    def _record(self, action: str, pull: Pull) -> None:
        subject = ("terraform_export", str(self.export.pk), self.export.checksum[:12])
        record_event(action, obj=subject, after={"pull_request": pull.url}, by="Genkan")


def _title() -> str:
    with override(settings.LANGUAGE_CODE):
        return gettext("Genkan: the management account as kintone wants it")


def render_body(comparison: Comparison, *, is_first: bool) -> str:
    """What changes, in the company's language. Addresses of resources are plain letters, whoever named what."""
    with override(settings.LANGUAGE_CODE):
        lines = [f"- `{sign} {address}`" for sign, address in comparison.iter_signed()]
        more = len(lines) - MOST_LISTED
        lines = lines[:MOST_LISTED] + ([gettext("and %(count)d more") % {"count": more}] if more > 0 else [])
        head = gettext("What the records in kintone want in the management account. Genkan changes nothing there.")
        first = [gettext("Nothing has been taken over before: everything is new.")] if is_first else []
        last = gettext("While this is open, Genkan keeps it as the newest export says, and overwrites its branch.")
        link = f"[{gettext('Open in Genkan')}]({settings.PUBLIC_URL}/terraform/)"
        return "\n".join([head, *first, "", *lines, "", f"{last} {link}"])
