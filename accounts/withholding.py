"""Confirming what is withheld: somebody who may says that it is right, and the next run brings it into force."""

from collections.abc import Collection
from unicodedata import normalize

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.access import may_edit_record, may_widen
from accounts.audit import find_place, record_event
from accounts.judgement import REACHES_OTHERS
from accounts.models import Account, AppKind, Record, User, Withheld
from accounts.set_reach import find_places


def may_confirm(user: User, withheld: Withheld) -> bool:
    """What widens access needs whoever may widen it; everything else whoever may edit the record.

    Of a set that others' accounts use, whoever answers for all of them; the run looks at them once more.
    """
    record, value = withheld.record, withheld.value
    if withheld.reason.get("code") in REACHES_OTHERS:
        return _answers_for_all(user, find_places(str(withheld.reason["params"]["set"])), record)
    is_widening = value.startswith("+") and not value.startswith("+owner:") and record.kind == AppKind.ASSIGNMENT
    if not is_widening:
        return may_edit_record(user, record)
    if value.startswith("+place:"):
        # A move takes access away where it was, too.
        written = value.removeprefix("+place:").partition("/")[0]
        return _may_widen(user, {_find_digits(written)}) and may_edit_record(user, record)
    # While a move is withheld, the value may come into force in either place.
    places = {_find_digits(record.title), (record.in_force or {}).get("account_id", "")}
    return _may_widen(user, places - {""})


def _answers_for_all(user: User, places: Collection[str], record: Record) -> bool:
    """Whether he may widen access to every account that a set is assigned in; in use nowhere, it is its editors'."""
    return _may_widen(user, places) if places and not user.is_staff else may_edit_record(user, record)


def _may_widen(user: User, account_ids: Collection[str]) -> bool:
    """Whether he may widen access to all of these; what is no account that we know is for admins."""
    if user.is_staff:
        return True
    accounts = list(Account.objects.filter(account_id__in=account_ids))
    return 0 < len(accounts) == len(account_ids) and all(may_widen(user, account) for account in accounts)


def _find_digits(written: str) -> str:
    """The id of an account, as somebody wrote it."""
    return "".join(character for character in normalize("NFKC", written) if character in "0123456789")


@transaction.atomic
def confirm(withheld: Withheld, user: User) -> None:
    """Let a withheld value in, in this user's name; the next run carries it out. Raises PermissionDenied."""
    if not may_confirm(user, withheld):
        raise PermissionDenied
    updated = Withheld.objects.filter(pk=withheld.pk, confirmed_at__isnull=True).update(
        confirmed_by=user, confirmed_at=timezone.now()
    )
    if updated:
        Record.objects.filter(pk=withheld.record_id).update(is_settled=False)
        subject = ("record", withheld.record.reference, withheld.record.title)
        record_event(
            "withheld.confirm",
            actor=user,
            obj=subject,
            after={"value": withheld.value},
            about=find_place(withheld.record),
        )
