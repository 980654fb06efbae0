"""The parts of a world as JSON and back, so that the demo finds them again.

Values are referred to, not copied: nothing in them is ever changed in place.
"""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from simulators.kintone.apps import AppState, Settings
from simulators.kintone.cursors import Cursor, Cursors
from simulators.kintone.directory import Directory, Token, User
from simulators.kintone.store import Comment, Journal, Record, RecordStore
from simulators.kintone.webhooks import Target, Webhooks

Json = dict[str, Any]


def _shallow(value: Any) -> Json:
    """A dataclass as a dict, its members as they are (`asdict` would copy them all the way down)."""
    return {member.name: getattr(value, member.name) for member in fields(value)}


def dump_directory(directory: Directory) -> Json:
    return {
        "users": [_shallow(user) for user in directory.users.values()],
        "groups": dict(directory.groups),
        "organizations": dict(directory.organizations),
        "tokens": {text: _dump_token(token) for text, token in directory.tokens.items()},
        "oauth_tokens": {text: _dump_token(token) for text, token in directory.oauth_tokens.items()},
        "users_tokens": sorted(directory.users_tokens),
        "members": {group: sorted(codes) for group, codes in directory.members.items()},
    }


def load_directory(state: Json) -> Directory:
    return Directory(
        users={user["code"]: User(**user) for user in state["users"]},
        groups=dict(state["groups"]),
        organizations=dict(state["organizations"]),
        tokens={text: _load_token(token) for text, token in state["tokens"].items()},
        oauth_tokens={text: _load_token(token) for text, token in state["oauth_tokens"].items()},
        users_tokens=set(state["users_tokens"]),
        members={group: set(codes) for group, codes in state.get("members", {}).items()},
    )


def _dump_token(token: Token) -> Json:
    return {"rights": sorted(token.rights), "app_ids": sorted(token.app_ids), "user": token.user}


def _load_token(state: Json) -> Token:
    return Token(frozenset(state["rights"]), frozenset(state["app_ids"]), state["user"])


def dump_app(app: AppState) -> Json:
    store = app.store
    return {
        **{name: getattr(app, name) for name in _APP_MEMBERS},
        "draft": _shallow(app.draft),
        "live": _shallow(app.live) if app.live else None,
        "deployed_by": app.deployed_by.isoformat() if app.deployed_by else None,
        "deployed_with": list(app.deployed_with),
        "records": [_shallow(record) for record in store.records.values()],
        "comments": {str(key): [_shallow(comment) for comment in all_] for key, all_ in store.comments.items()},
        "last_id": store.last_id,
        "last_row_id": store.last_row_id,
        "last_comment_ids": {str(key): last for key, last in store.last_comment_ids.items()},
    }


_APP_MEMBERS = ("id", "code", "creator", "created_at", "modified_at", "guest_space", "deploy_status")


def load_app(state: Json, journal: Journal) -> AppState:
    live = Settings(**state["live"]) if state["live"] else None
    store = RecordStore(
        journal,
        live.unique_codes if live else frozenset(),
        records={record["id"]: _load_record(record) for record in state["records"]},
        comments={int(key): tuple(map(_load_comment, all_)) for key, all_ in state["comments"].items()},
        last_id=state["last_id"],
        last_row_id=state["last_row_id"],
        last_comment_ids={int(key): last for key, last in state["last_comment_ids"].items()},
    )
    return AppState(
        **{name: state[name] for name in _APP_MEMBERS},
        store=store,
        draft=Settings(**state["draft"]),
        live=live,
        deployed_by=datetime.fromisoformat(state["deployed_by"]) if state["deployed_by"] else None,
        deployed_with=tuple(state.get("deployed_with", ())),
    )


def _load_record(state: Json) -> Record:
    return Record(**{**state, "assignees": tuple(state["assignees"])})


def _load_comment(state: Json) -> Comment:
    return Comment(**{**state, "mentions": tuple((kind, code) for kind, code in state["mentions"])})


def dump_cursors(cursors: Cursors) -> Json:
    live = [{**_shallow(cursor), "expires_at": cursor.expires_at.isoformat()} for cursor in cursors.live.values()]
    return {"sequence": cursors.sequence, "live": live}


def load_cursors(state: Json) -> Cursors:
    cursors = Cursors()
    cursors.sequence = state["sequence"]
    for one in state["live"]:
        cursors.live[one["id"]] = Cursor(**{**one, "expires_at": datetime.fromisoformat(one["expires_at"])})
    return cursors


def dump_targets(webhooks: Webhooks) -> list[Json]:
    return [asdict(target) for target in webhooks.targets]


def load_targets(state: list[Json]) -> list[Target]:
    return [Target(one["app_id"], one["url"], tuple(one["events"])) for one in state]
