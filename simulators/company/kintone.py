"""The company's kintone: its users, the two apps, and the records as their owners registered them over the years."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulators.clock import Clock
from simulators.company.assignments import AssignmentRecord, list_assignment_records
from simulators.company.people import Person, Situation, fixed_secret, list_people
from simulators.company.permission_sets import PermissionSet, list_permission_sets
from simulators.kintone.directory import Right
from simulators.kintone.world import App, KintoneWorld

ADMINISTRATOR = "Administrator"
PERMISSION_SET_TOKEN = fixed_secret("kintone token of permission sets")
ASSIGNMENT_TOKEN = fixed_secret("kintone token of assignments")
USERS_TOKEN = fixed_secret("kintone token of users")
LOGIN = fixed_secret("kintone password")[:12]
"""The password of the administrator and of everybody with a licence."""

TOKYO = ZoneInfo("Asia/Tokyo")
FOUNDED_DAYS_AGO = 700
"""When the first record was registered; the last ones are from yesterday."""

_Field = dict[str, Any]


def _text(label: str, **more: Any) -> _Field:
    return {"type": "SINGLE_LINE_TEXT", "label": label, **more}


def _lines(label: str) -> _Field:
    return {"type": "MULTI_LINE_TEXT", "label": label}


def _people(label: str) -> _Field:
    return {"type": "USER_SELECT", "label": label}


PERMISSION_SET_FIELDS: dict[str, _Field] = {
    "name": _text("許可セット名", required=True, unique=True, maxLength="32"),
    "description": _text("説明"),
    "session_duration": _text("セッション時間"),
    "relay_state": _text("リレー状態"),
    "managed_policies": _lines("AWS管理ポリシー(1行に1つ)"),
    "customer_managed_policies": _lines("カスタマー管理ポリシー(1行に1つ)"),
    "inline_policy": _lines("インラインポリシー(JSON)"),
    "permissions_boundary": _text("アクセス許可の境界"),
    "owners": _people("管理者"),
}


def _assignment_fields(permission_set_app: App) -> dict[str, _Field]:
    lookup = {
        "relatedApp": {"app": str(permission_set_app.id), "code": ""},
        "relatedKeyField": "name",
        "fieldMappings": [],
        "lookupPickerFields": ["name", "description"],
        "filterCond": "",
        "sort": "name asc",
    }
    return {
        "account_id": _text("AWSアカウントID", required=True),
        "permission_set": _text("許可セット", required=True, lookup=lookup),
        "users": _people("利用者"),
        "groups": _lines("利用グループ(1行に1つ)"),
        "expires_on": {"type": "DATE", "label": "利用期限(最終日)"},
        "note": _lines("備考"),
        "owners": _people("管理者"),
        "more_users": _lines("kintoneを使わない利用者(メールアドレス、1行に1つ)"),
        "request_key": _text("リクエストキー", unique=True),
        "changed_by": _people("変更した人"),
    }


def build_kintone(clock: Clock | None = None) -> KintoneWorld:
    """Both apps with every record. Last days are counted from the clock's today."""
    clock, history = clock or Clock(), Clock()
    world, permission_sets, assignments = _make_apps(clock, history)
    times = _registration_times(clock.now(), len(list_permission_sets()) + len(list_assignment_records()))
    for permission_set in list_permission_sets():
        history.freeze(next(times))
        permission_sets.add_record(_permission_set_values(permission_set), by=permission_set.owner_code)
    today = clock.now().astimezone(TOKYO).date()
    for record in list_assignment_records():
        history.freeze(next(times))
        assignments.add_record(_assignment_values(record, today), by=_code(record.writer))
    _retire_leavers(world)
    return KintoneWorld.from_state(world.to_state(), clock)


def build_empty_kintone(clock: Clock | None = None) -> KintoneWorld:
    """The users and both apps, with tokens and without a record."""
    clock = clock or Clock()
    return KintoneWorld.from_state(_make_apps(clock, Clock())[0].to_state(), clock)


def _make_apps(clock: Clock, history: Clock) -> tuple[KintoneWorld, App, App]:
    """A world as it was at the founding. It lives by `history`, which its makers move on."""
    history.freeze(clock.now() - timedelta(days=FOUNDED_DAYS_AGO + 1))
    world = KintoneWorld(history)
    world.add_user(ADMINISTRATOR, ADMINISTRATOR, email="", password=LOGIN)
    for person in list_people():
        if person.kintone_code:
            world.add_user(person.kintone_code, person.name, email=person.upn, password=LOGIN)
    permission_sets = world.add_app("AWS許可セット", PERMISSION_SET_FIELDS)
    assignments = world.add_app("AWS割当", _assignment_fields(permission_sets))
    rights: tuple[Right, ...] = ("view", "add", "edit", "delete")
    world.add_token([permission_sets.id], rights, PERMISSION_SET_TOKEN)
    # Whoever writes an assignment sends both tokens: a lookup copies what the caller may view in its source.
    world.add_token([assignments.id], rights, ASSIGNMENT_TOKEN)
    world.add_users_token(USERS_TOKEN)
    return world, permission_sets, assignments


def _registration_times(now: datetime, count: int) -> Iterator[datetime]:
    """`count` times in order, from the founding until yesterday, in office hours."""
    yesterday = now.astimezone(TOKYO).date() - timedelta(days=1)
    for number in range(count):
        day = yesterday - timedelta(days=FOUNDED_DAYS_AGO * (count - 1 - number) // max(count - 1, 1))
        minutes = 9 * 60 + number * 9 * 60 // count
        yield datetime.combine(day, time(*divmod(minutes, 60)), TOKYO)


def _permission_set_values(permission_set: PermissionSet) -> dict[str, Any]:
    return {
        "name": permission_set.name,
        "description": permission_set.description,
        "session_duration": permission_set.session_duration,
        "relay_state": permission_set.relay_state,
        "managed_policies": "\n".join(permission_set.managed),
        "customer_managed_policies": "\n".join(permission_set.customer_managed),
        "inline_policy": permission_set.inline_policy,
        "permissions_boundary": permission_set.permissions_boundary,
        "owners": [permission_set.owner_code],
    }


def _assignment_values(record: AssignmentRecord, today: date) -> dict[str, Any]:
    addresses = [person.upn for person in record.people if person.kintone_code is None]
    return {
        "account_id": record.account_id,
        "permission_set": record.permission_set,
        "users": [person.kintone_code for person in record.people if person.kintone_code],
        "groups": "\n".join(record.groups),
        "expires_on": "" if record.ends_in is None else (today + timedelta(days=record.ends_in)).isoformat(),
        "note": record.note,
        "owners": [_code(record.writer)],
        "more_users": "\n".join(addresses),
    }


def _code(person: Person) -> str:
    if person.kintone_code is None:
        raise ValueError(f"{person.upn} has no kintone licence")
    return person.kintone_code


def _retire_leavers(world: KintoneWorld) -> None:
    for person in list_people():
        if person.situation is Situation.LEFT and person.kintone_code:
            world.add_user(person.kintone_code, person.name, email=person.upn, valid=False)
