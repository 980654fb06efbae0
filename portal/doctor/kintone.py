"""kintone: each app's token, form, rights, comments, count and quota; the directory of users; the webhook.

kintone tells a token's rights to nobody who may not manage the app. So editing and deleting are tried on a record that
no app can have, at a revision that no record has: nothing can be hit, and a token without the right is refused first.
Adding cannot be tried so.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.models import AppKind, RecordPerson
from portal.doctor.asking import Question, attempt
from portal.doctor.aws import check_clock
from portal.doctor.reports import Check, failed, passed, skipped, warned
from syncer.connections import connect_kintone, connect_kintone_users
from syncer.gateways.errors import Conflict, Denied, GatewayError, NotFound, Permanent
from syncer.gateways.kintone import Deletion, KintoneApp
from syncer.gateways.kintone_transport import Options
from syncer.gateways.kintone_usage import Forecast, Meter, Spent, forecast_day
from syncer.gateways.kintone_values import list_types
from syncer.gateways.pacing import Backoff
from syncer.models import AppState
from syncer.records.parsing import find_cell
from syncer.records.scanning import AppSource
from syncer.records.schema import SchemaError, match_fields
from syncer.records.usage import load_usage
from syncer.states import Reason

NOBODYS = 2_147_483_647  # number and revision of a record that there is in no app
SHRUNK_COUNT, SHRUNK_SHARE = 10, 0.05  # fewer records than the mirror has by more than both: rights may be lost
MOST_PEOPLE = 1000  # that the directory is asked about: a hundred a request
MOST_NAMES = 10
PARTS = ("fields", "view", "edit", "delete", "add", "comments", "mirror", "values")


@dataclass
class Counts:
    """Keeps what a meter counts until this thread, which has the database, stores it."""

    counts: dict[Spent, int] = field(default_factory=dict)

    def add(self, counts: Mapping[Spent, int]) -> None:
        for spent, count in counts.items():
            self.counts[spent] = self.counts.get(spent, 0) + count


@dataclass(frozen=True)
class Known:
    """What the mirror knows of an app. `records` is None where it was never read. `people`: kintone codes of users."""

    fields: Mapping[str, str] = field(default_factory=dict)
    records: int | None = None
    forecast: Forecast | None = None
    people: tuple[str, ...] = ()


NOTHING_KNOWN = Known()


def load_known(app_id: str, now: datetime) -> Known:
    """Asks the database."""
    forecast = forecast_day(load_usage(app_id, now), now)
    state = AppState.objects.filter(app_id=app_id).exclude(read_at=None).first()
    if state is None:
        return Known(forecast=forecast)
    named = RecordPerson.objects.filter(role=RecordPerson.Role.USER, record__app_id=app_id, record__gone_at=None)
    codes = named.order_by("code").values_list("code", flat=True).distinct()[:MOST_PEOPLE]
    return Known(state.fields, state.records, forecast, tuple(codes))


def build_questions(known: Mapping[str, Known], store: Counts) -> list[Question]:
    """What is asked of kintone, each for a thread of its own. `known` is by app id."""
    if not settings.KINTONE_BASE_URL:
        return [Question("kintone", lambda: [skipped("kintone", "settings")])]
    manner = _build_manner(store)
    questions = [_ask_app(source, known) for source in connect_kintone(**manner)]
    people = sorted({code for app in known.values() for code in app.people})
    return [*questions, Question("kintone.users", lambda: [check_users(manner, people)])]


def _build_manner(store: Counts) -> Options:
    return {"timeout": (2, 5), "backoff": Backoff(tries=2, first=0.5, longest=0.5), "meter": Meter(store)}


def _ask_app(source: AppSource, known: Mapping[str, Known]) -> Question:
    area = area_of(source)
    if not _is_set(source):
        return Question(f"{area}.app", lambda: [skipped(f"{area}.app", "settings")])
    return Question(f"{area}.app", lambda: examine_app(source, area, known.get(source.app.app_id, NOTHING_KNOWN)))


def _is_set(source: AppSource) -> bool:
    """The settings name the app, and give a token for it."""
    if source.kind == AppKind.PERMISSION_SET:
        return bool(settings.KINTONE_PERMISSION_SET_APP_ID and settings.KINTONE_PERMISSION_SET_API_TOKEN)
    return bool(settings.KINTONE_ASSIGNMENT_APP_ID and settings.KINTONE_ASSIGNMENT_API_TOKEN)


def area_of(source: AppSource) -> str:
    return f"kintone.{source.kind}s"  # kintone.permission_sets, kintone.assignments


# --- An app ---------------------------------------------------------------------------------------------------------


def examine_app(source: AppSource, area: str, known: Known) -> Iterator[Check]:
    with source.app as app:
        try:
            types = list_types(app.fetch_fields())
        except GatewayError as error:
            yield failed(f"{area}.app", error.reason)
            yield from (skipped(f"{area}.{part}", f"{area}.app") for part in PARTS)
            return
        yield passed(f"{area}.app", Reason("doctor_kintone_app", {"app": app.app_id}))
        if app.server_time:
            yield check_clock(f"{area}.clock", "kintone", app.server_time)
        yield check_fields(f"{area}.fields", source, types, known)
        yield from examine_records(source, area, types, known)
        yield from examine_writing(app, area)


def check_fields(name: str, source: AppSource, types: Mapping[str, str], known: Known) -> Check:
    """The form has what it must have, under the codes of the settings; and still has what it had."""
    app_id = source.app.app_id
    try:
        found = match_fields(source.schema, app_id, types, chosen=source.chosen, known=known.fields)
    except SchemaError as error:
        return failed(name, error.reason)
    return passed(name, Reason("doctor_kintone_fields", {"app": app_id, "fields": ", ".join(sorted(found))}))


def examine_records(source: AppSource, area: str, types: Mapping[str, str], known: Known) -> Iterator[Check]:
    """Whether the token sees records, as many as the mirror has, all their fields, and their comments."""
    app = source.app
    try:
        visible = app.count_records()
    except GatewayError as error:
        yield failed(f"{area}.view", error.reason)
        yield from (skipped(f"{area}.{part}", f"{area}.view") for part in ("mirror", "values", "comments"))
        return
    yield passed(f"{area}.view", Reason("doctor_kintone_view", {"app": app.app_id, "count": str(visible)}))
    yield check_mirror(f"{area}.mirror", visible, known.records)
    yield attempt(f"{area}.values", lambda: check_values(f"{area}.values", source, types, known))
    yield attempt(f"{area}.comments", lambda: check_comments(f"{area}.comments", app))


def check_mirror(name: str, visible: int, mirrored: int | None) -> Check:
    if mirrored is None:
        return passed(name, Reason("doctor_mirror_unread", {"visible": str(visible)}))
    params = {"visible": str(visible), "mirrored": str(mirrored)}
    gone = mirrored - visible
    if (gone > 0 and visible == 0) or gone > max(SHRUNK_COUNT, SHRUNK_SHARE * mirrored):
        return failed(name, Reason("doctor_mirror_short", params))
    return passed(name, Reason("doctor_mirror", params))


def check_values(name: str, source: AppSource, types: Mapping[str, str], known: Known) -> Check:
    """Whether rights on fields hide something from the token: a record then lacks what the form has."""
    app, first = source.app, _find_first(source.app)
    if first is None:
        return passed(name, Reason("doctor_values_none", {"app": app.app_id}))
    try:
        fields = match_fields(source.schema, app.app_id, types, chosen=source.chosen, known=known.fields)
    except SchemaError:
        return skipped(name, name.replace(".values", ".fields"))
    body = app.fetch_record(first)
    hidden = sorted(code for code in fields.values() if find_cell(body, code) is None)
    if hidden:
        return failed(name, Reason("doctor_values_hidden", {"app": app.app_id, "fields": ", ".join(hidden)}))
    return passed(name, Reason("doctor_values", {"app": app.app_id}))


def _find_first(app: KintoneApp) -> str | None:
    """The number of a record that the token sees."""
    return next((str(record["$id"]["value"]) for page in app.iter_records(fields=["$id"]) for record in page), None)


def check_comments(name: str, app: KintoneApp) -> Check:
    first = _find_first(app)
    if first is None:
        return passed(name, Reason("doctor_comments_none", {"app": app.app_id}))
    app.fetch_comments(first)
    return passed(name, Reason("doctor_comments", {"app": app.app_id}))


def examine_writing(app: KintoneApp, area: str) -> Iterator[Check]:
    def edit() -> None:
        app.update_record(str(NOBODYS), {}, revision=NOBODYS)

    def delete() -> None:
        app.delete_records([Deletion(str(NOBODYS), NOBODYS)])

    params = {"app": app.app_id}
    may_edit, may_delete = Reason("doctor_kintone_may_edit", params), Reason("doctor_kintone_may_delete", params)
    no_edit, no_delete = Reason("doctor_kintone_no_edit", params), Reason("doctor_kintone_no_delete", params)
    edits, deletes = f"{area}.edit", f"{area}.delete"
    yield attempt(edits, lambda: check_writing(edits, edit, allowed=may_edit, refused=no_edit))
    yield attempt(deletes, lambda: check_writing(deletes, delete, allowed=may_delete, refused=no_delete))
    yield passed(f"{area}.add", Reason("doctor_kintone_add_untried", params))


def check_writing(name: str, write: Callable[[], None], *, allowed: Reason, refused: Reason) -> Check:
    """Try to write to the record that there is not."""
    try:
        write()
    except Denied:
        return failed(name, refused)
    except (NotFound, Conflict):
        return passed(name, allowed)
    except Permanent:
        return warned(name, Reason("doctor_kintone_unsettled"))
    return warned(name, Reason("doctor_kintone_unsettled"))


# --- Around them ----------------------------------------------------------------------------------------------------


def check_quota(area: str, app_id: str, forecast: Forecast) -> Check:
    """The day's requests so far and what it comes to; above its quota kintone writes to the administrators."""
    params = {
        "app": app_id,
        "spent": str(forecast.spent),
        "expected": str(forecast.expected),
        "quota": str(forecast.quota),
    }
    if forecast.is_tight:
        return warned(f"{area}.quota", Reason("doctor_quota_tight", params))
    return passed(f"{area}.quota", Reason("doctor_quota", params))


def list_quotas(known: Mapping[str, Known]) -> Iterator[Check]:
    areas = {
        settings.KINTONE_PERMISSION_SET_APP_ID: "kintone.permission_sets",
        settings.KINTONE_ASSIGNMENT_APP_ID: "kintone.assignments",
    }
    for app_id, area in areas.items():
        found = known.get(app_id)
        if found and found.forecast:
            yield check_quota(area, app_id, found.forecast)


def load_all_known() -> dict[str, Known]:
    """Of both apps, as far as the settings name them."""
    now = timezone.now()
    ids = (settings.KINTONE_PERMISSION_SET_APP_ID, settings.KINTONE_ASSIGNMENT_APP_ID)
    return {app_id: load_known(app_id, now) for app_id in ids if app_id}


def check_users(manner: Options, people: Collection[str] = ()) -> Check:
    """The directory of users, which is a token of its own and may be missing, and who of these is inactive there."""
    name, users = "kintone.users", connect_kintone_users(**manner)
    if users is None:
        return warned(name, Reason("doctor_users_missing"))
    with users:
        if not people:
            next(users.iter_users(), None)
        found = users.fetch_users(people).values()
    if inactive := sorted(user.code for user in found if not user.is_valid):
        params = {"count": len(inactive), "names": ", ".join(inactive[:MOST_NAMES])}
        return warned(name, Reason("doctor_users_inactive", params))
    return passed(name, Reason("doctor_users"))


def check_webhook() -> Check:
    name = "kintone.webhook"
    if settings.KINTONE_WEBHOOK_TOKEN:
        return passed(name, Reason("doctor_webhook"))
    return warned(name, Reason("doctor_webhook_missing"))
