"""Registering and withdrawing through the API: the services behind the forms, with the same decisions.

Nothing here waits for kintone. What is registered is a draft, answered with 202; its state is asked for until it is
written, and that of its assignments until they are granted.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from ninja import Field, Header, Router, Schema, Status

from accounts.access import find_principal_id, may_change, visible_records
from accounts.models import AppKind, Draft, Principal, Record, User
from accounts.names import fold
from accounts.sentences import render, render_reason
from portal.api.refusals import ERRORS, Refusal, Refused
from portal.api.signing_in import READ, WRITE, user_of
from portal.views.giving_opening import list_own_codes
from portal.views.giving_picks import Unread, read_accounts, read_owners, read_people
from syncer.drafts import withdrawing
from syncer.drafts.drafting import Values, load_fields
from syncer.drafts.withdrawing import make_list_checksum, plan_end, plan_removal
from syncer.giving import submitting
from syncer.giving.foresight import Foresight, Part, foresee
from syncer.giving.gift import Gift

router = Router(auth=WRITE, tags=["writing"])
MOST_NAMED = 2000
ME = "me"


class Registration(Schema):
    """What is to be registered: these accounts × one set × these people and groups."""

    accounts: list[str] = Field(min_length=1, max_length=MOST_NAMED, description="ids, names, or units (id or path)")
    permission_set: str = Field(min_length=1, max_length=32)
    people: list[str] = Field(
        min_length=1, max_length=MOST_NAMED, description="UserNames, mails, kintone codes, or names of groups"
    )
    expires_on: date | None = Field(None, description="the last day")
    note: str = Field("", max_length=2000)
    owners: list[str] | None = Field(None, max_length=100, description="of the records; left out: oneself")


class Stopped(Schema):
    """Why one account, or the whole, stands in the way."""

    account_id: str
    refusal: Refusal
    last_day: date | None = Field(None, description="with a last day up to this one the guardrail is satisfied")


class Foreseen(Schema):
    """What a registration would do. `counts`: assignments created, that exist already, waiting, blocked."""

    is_possible: bool
    counts: dict[str, int]
    seconds: int = Field(description="about how long it takes AWS")
    stopped: list[Stopped]


class Sent(Schema):
    """What was registered or withdrawn, on its way to kintone."""

    url: str = Field(description="its page, which shows it through to AWS")
    drafts: list["DraftOut"]


class DraftOut(Schema):
    id: int
    state: str = Field(description="waiting, conflict, refused, written or discarded")
    message: str
    remedy: str
    record: str = Field(description="APP:ID once it is written")
    url: str


class Withdrawal(Schema):
    """Whom to take out of a record; without `principal` the whole record is withdrawn."""

    record: str = Field(description="APP:ID")
    principal: str = Field("", description="UserName, group name or principal id; `me` for oneself")


# --- Registering ------------------------------------------------------------------------------------------------------


@router.post("/registrations/foreseen", auth=READ, response={200: Foreseen, **ERRORS})
def foresee_registration(request: HttpRequest, wanted: Registration) -> Foreseen:
    """What a registration would do, and what stands in its way. Nothing is stored."""
    foresight = _foresee(user_of(request), wanted, load_fields(AppKind.ASSIGNMENT))
    return _shape_foresight(foresight)


@router.post("/registrations", response={**ERRORS, 202: Sent, 409: Foreseen})
def register(
    request: HttpRequest,
    wanted: Registration,
    idempotency_key: Annotated[str, Header(max_length=200, description="the same key registers once")] = "",
) -> Status[Sent | Foreseen]:
    """Register access; all of it or, with 409 and why, nothing."""
    user, fields = user_of(request), load_fields(AppKind.ASSIGNMENT)
    if not may_change(user):
        raise PermissionDenied
    token = f"api:{idempotency_key}" if idempotency_key else submitting.make_token()
    if sent := submitting.find_sent(user, token):
        return Status(202, _shape_sent(request, sent))
    foresight = _foresee(user, wanted, fields)
    if foresight.is_refused or foresight.is_empty:
        return Status(409, _shape_foresight(foresight))
    drafts = submitting.give(user, foresight, _find_common(user, wanted, fields), token)
    return Status(202, _shape_sent(request, drafts))


def _foresee(user: User, wanted: Registration, fields: Collection[str]) -> Foresight:
    accounts, lost = read_accounts(user, (), "\n".join(_clean(wanted.accounts)))
    names, lines = read_people("\n".join(_clean(wanted.people)), fields)
    _require_read("accounts", lost)
    _require_read("people", lines)
    if wanted.expires_on and wanted.expires_on < timezone.localdate():
        raise Refused(422, "give_day_passed")
    gift = Gift(tuple(accounts), wanted.permission_set.strip(), tuple(names), wanted.expires_on)
    return foresee(user, gift, today=timezone.localdate())


def _clean(texts: list[str]) -> list[str]:
    """One text is one line, whatever it contains."""
    lines = [" ".join(text.replace("\0", "").split())[:1000] for text in texts]
    if not all(lines):
        raise Refused(422, "api_input_wrong", text="an empty text")
    return lines


def _require_read(name: str, unread: tuple[Unread, ...]) -> None:
    """One text that means nobody stops all of it: half of a registration is not what was wanted."""
    if unread:
        texts = "; ".join(f"{item.text}: {item.why.message}" for item in unread[:10])
        raise Refused(422, "api_input_wrong", text=f"{name}: {texts}")


def _find_common(user: User, wanted: Registration, fields: Collection[str]) -> Values:
    codes = list_own_codes(user)
    if wanted.owners is not None:
        found, lost = read_owners((), "\n".join(_clean(wanted.owners)))
        _require_read("owners", lost)
        codes = tuple(found)
    values = {
        "permission_set": wanted.permission_set.strip(),
        "owners": list(codes),
        "expires_on": wanted.expires_on.isoformat() if wanted.expires_on else "",
        "note": wanted.note,
    }
    return {name: value for name, value in values.items() if name in fields}


# --- Withdrawing ------------------------------------------------------------------------------------------------------


@router.post("/withdrawals", response={202: Sent, **ERRORS})
def withdraw(request: HttpRequest, wanted: Withdrawal) -> Status[Sent]:
    """Take somebody out of a record, or withdraw the record. Anybody may take himself out."""
    user = user_of(request)
    app_id, _colon, record_id = wanted.record.partition(":")
    records = visible_records(user).of_kind(AppKind.ASSIGNMENT)
    record = get_object_or_404(
        records, app_id=app_id[:20].replace("\0", ""), record_id=record_id[:20].replace("\0", "")
    )
    draft = _take_out(user, record, wanted.principal) if wanted.principal else _end(user, record)
    return Status(202, _shape_sent(request, [draft]))


def _plain(text: str) -> str:
    """Without NUL, which PostgreSQL refuses."""
    return text.replace("\0", "")[:20]


def _take_out(user: User, record: Record, name: str) -> Draft:
    principal = _find_principal(user, name)
    if not withdrawing.may_take_out(user, record, principal):
        raise PermissionDenied
    checksum = make_list_checksum([plan_removal(record, principal)])
    return withdrawing.take_out(user, principal, [record], checksum, chosen={record.pk})


def _end(user: User, record: Record) -> Draft:
    return withdrawing.end_record(user, record, make_list_checksum([plan_end(record)]))


def _find_principal(user: User, name: str) -> Principal:
    """By id, else by the name that one user or group alone has."""
    wanted = find_principal_id(user) if name == ME else name.replace("\0", "")[:1024]
    found = Principal.objects.filter(principal_id=wanted) if wanted else Principal.objects.none()
    rows = list(found or Principal.objects.filter(name_key=fold(wanted))[:2])
    if len(rows) != 1:
        raise Refused(404, "api_not_found")
    return rows[0]


# --- Following --------------------------------------------------------------------------------------------------------


@router.get("/drafts/{draft_id}", auth=READ, response={200: DraftOut, **ERRORS})
def read_draft(request: HttpRequest, draft_id: int) -> DraftOut:
    """How far a registration or withdrawal of one's own has come."""
    return _shape_draft(request, get_object_or_404(Draft.objects.visible_to(user_of(request)), pk=draft_id))


# --- Shapes -----------------------------------------------------------------------------------------------------------


def _shape_foresight(foresight: Foresight) -> Foreseen:
    stopped = [_stop("", reason.code, reason.params) for reason in foresight.reasons]
    stopped += [item for part in foresight.parts for item in _iter_stopped(part)]
    if foresight.is_empty and not stopped:
        stopped = [_stop("", "give_all_there", {})]
    return Foreseen(is_possible=not stopped, counts=dict(foresight.counts), seconds=foresight.seconds, stopped=stopped)


def _iter_stopped(part: Part) -> Iterator[Stopped]:
    account_id = part.account.account_id
    if part.refusal:
        yield _stop(account_id, part.refusal.code, part.refusal.params)
    for objection in {objected.objection.rule: objected.objection for objected in part.objected}.values():
        refusal = Refusal(code="guardrail", message=objection.own_words or objection.rule, remedy="")
        yield Stopped(account_id=account_id, refusal=refusal, last_day=objection.latest)


def _stop(account_id: str, code: str, params: Mapping[str, Any]) -> Stopped:
    sentence = render(code, params)
    refusal = Refusal(code=code, message=sentence.message, remedy=sentence.remedy)
    return Stopped(account_id=account_id, refusal=refusal, last_day=None)


def _shape_sent(request: HttpRequest, drafts: list[Draft]) -> Sent:
    batch = drafts[0].batch
    page = reverse("sent", args=[batch]) if batch and drafts[0].record_id is None else _draft_page(drafts[0])
    return Sent(url=request.build_absolute_uri(page), drafts=[_shape_draft(request, draft) for draft in drafts])


def _shape_draft(request: HttpRequest, draft: Draft) -> DraftOut:
    why = render_reason(draft.reason)
    return DraftOut(
        id=draft.pk, state=draft.state, message=why.message if why else "", remedy=why.remedy if why else "",
        record=draft.written_reference, url=request.build_absolute_uri(_draft_page(draft)),
    )  # fmt: skip


def _draft_page(draft: Draft) -> str:
    return reverse("draft_detail", args=[draft.pk])
