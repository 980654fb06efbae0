"""What happens in the company of `crowd`, as rows: problems, drafts, drift, rules, runs, shortcuts, the audit trail."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from accounts.models import (
    AppKind,
    Draft,
    Guardrail,
    Problem,
    Shortcut,
    ShortcutSlug,
    Stage,
    Visit,
    Withheld,
)
from syncer.models import Change, Drift, Run
from tests.bench.bulk import Row, store
from tests.bench.crowd import (
    ACCOUNTS,
    CHANGES,
    COMMON,
    ENGINEER,
    EVENTS,
    MEMBER,
    NOW,
    PAIRS,
    RUNS,
    SETS,
    SIGN_INS,
    Pair,
    id_of_account,
    id_of_principal,
    name_of_account,
    name_of_person,
    name_of_set,
)


def seed_troubles(pairs: list[Pair]) -> None:
    store(Problem, (_build_problem(pairs[n * 5 % PAIRS].number, n) for n in range(3_000)))
    withheld = {"reason": {"code": "not_owner", "params": {}}, "revision": 1, "writer_name": name_of_person(9)}
    store(
        Withheld, ({"record_id": n * 11 + 1, "value": f"+kintone_user:person{n:05d}", **withheld} for n in range(500))
    )
    store(
        Drift,
        (
            {
                "kind": Drift.Kind.ADDED, "permission_set_name": name_of_set(n % SETS), "account_id": id_of_account(n),
                "principal_type": "USER", "principal_id": id_of_principal(n), "principal_name": name_of_person(n),
            }
            for n in range(200)
        ),
    )  # fmt: skip
    store(Draft, map(_build_draft, range(400)))
    store(Guardrail, map(_build_rule, range(20)))


def _build_problem(record: int, number: int) -> Row:
    return {
        "record_id": record + 1, "code": "account_unknown", "field": "account_id",
        "severity": Problem.Severity.ERROR if number % 3 else Problem.Severity.WARNING,
        "params": {"account": id_of_account(number % ACCOUNTS)}, "first_seen": NOW - timedelta(hours=number),
    }  # fmt: skip


def _build_draft(number: int) -> Row:
    author = MEMBER if number % 20 == 0 else 100 + number
    return {
        "kind": AppKind.ASSIGNMENT, "record_id": number + 1, "author_id": author + 1, "request_key": f"draft-{number}",
        "values": {"note": "障害対応のため"}, "base_values": {"note": ""}, "base_revision": 1,
        "state": (Draft.State.WAITING, Draft.State.CONFLICT, Draft.State.REFUSED)[number % 3],
        "created_at": NOW - timedelta(hours=1 + number), "updated_at": NOW - timedelta(minutes=number),
    }  # fmt: skip


def _build_rule(number: int) -> Row:
    """Rules as a company has them: about stages, single accounts and powers."""
    places: tuple[Row, ...] = (
        {"stage": Stage.PRODUCTION, "power": Guardrail.Power.ADMIN},
        {"account_id": id_of_account(number * 10)},
        {"stage": Stage.STAGING, "permission_set_name": name_of_set(number)},
        {"tag": f"cost-center={number:04d}"},
    )
    effects: tuple[Row, ...] = (
        {"effect": Guardrail.Effect.GROUPS_ONLY},
        {"effect": Guardrail.Effect.EXPIRES_WITHIN, "days": 90},
        {"effect": Guardrail.Effect.OWNERS_ONLY},
    )
    named = {"name": f"rule {number:02d}", "sentence": "申請の前に担当者へご相談ください。"}
    return {**named, **places[number % len(places)], **effects[number % len(effects)]}


_STEPS = {
    "wish": {"state": "done", "seconds": 0.2, "records": 18_500, "changed": 0, "requests": 4},
    "truth": {"state": "done", "seconds": 2.4, "calls": 180, "assignments": 200_000},
    "plan": {"state": "done", "seconds": 0.1, "create": 0, "update": 0, "delete": 0, "held": 0},
    "apply": {"state": "done", "seconds": 0.0, "done": 0, "total": 0},
    "tell": {"state": "done", "seconds": 0.1},
}


def seed_runs() -> None:
    """The newest run is held, with thousands of changes."""
    store(Run, map(_build_run, range(RUNS)))
    store(Change, map(partial(_build_change, run=RUNS), range(CHANGES)))


def _build_run(number: int) -> Row:
    at = NOW - timedelta(minutes=5 * (RUNS - number))
    is_last = number == RUNS - 1
    return {
        "kind": Run.Kind.FULL if is_last else Run.Kind.CHANGES,
        "status": Run.Status.HELD if is_last else Run.Status.DONE,
        "checksum": "0123456789ab" if is_last else "",
        "requested_at": at, "started_at": at, "finished_at": at, "steps": _STEPS,
        "counts": {"create": int(number % 7 == 0), "update": 0, "delete": 0, "unchanged": 200_000},
    }  # fmt: skip


def _build_change(number: int, run: int) -> Row:
    is_held = number % 2 == 0
    return {
        "run_id": run, "position": number, "kind": Change.Kind.DELETE if is_held else Change.Kind.CREATE,
        "object": Change.Object.ASSIGNMENT, "account_id": id_of_account(number % ACCOUNTS),
        "permission_set_name": name_of_set(number % SETS), "principal_type": "USER",
        "principal_id": id_of_principal(number), "principal_name": name_of_person(number),
        "outcome": Change.Outcome.HELD if is_held else Change.Outcome.SUCCEEDED, "finished_at": NOW,
    }  # fmt: skip


def seed_shortcuts() -> None:
    audiences = (Shortcut.Audience.COMPANY, Shortcut.Audience.TEAM, Shortcut.Audience.PRIVATE)
    store(
        Shortcut,
        (
            {
                "slug": f"shortcut-{n}", "name": f"{name_of_account(n)} のログ", "author_id": 1 + n % SIGN_INS,
                "audience": audiences[n % 3], "account_id": n + 1, "changed_at": NOW, "uses": n,
                "destination": {"service": "cloudwatch", "region": "ap-northeast-1"},
            }
            for n in range(ACCOUNTS)
        ),
    )  # fmt: skip
    store(ShortcutSlug, ({"slug": f"shortcut-{n}", "shortcut_id": n + 1} for n in range(ACCOUNTS)))
    visited = ({"account_id": n + 1, "permission_set": name_of_set(COMMON)} for n in range(40))
    store(Visit, ({"user_id": ENGINEER + 1, "count": n, **row} for n, row in enumerate(visited)))


_ACTIONS = ("access.granted", "access.removed", "draft.save", "kintone.change", "signed_in", "record.write")


def iter_events(pairs: list[Pair]) -> Iterator[Row]:
    for number in range(EVENTS):
        pair = pairs[number * 31 % len(pairs)]
        yield _build_event(number, pair, NOW - timedelta(minutes=2 * (EVENTS - number)))


def _build_event(number: int, pair: Pair, at: datetime) -> Row:
    actor = number % SIGN_INS
    principal = id_of_principal(pair.users[number % len(pair.users)])
    return {
        "at": at, "actor_id": actor + 1, "actor_name": name_of_person(actor), "action": _ACTIONS[number % 6],
        "object_type": "record", "object_id": f"24:{pair.number + 1}", "object_name": id_of_account(pair.account),
        "before": {"expires_on": None}, "after": {"expires_on": "2026-12-31", "users": pair.codes[:3]},
        "about_account": id_of_account(pair.account), "about_principal": principal,
        "about_record": f"24:{pair.number + 1}", "request_id": f"{number:032x}",
    }  # fmt: skip
