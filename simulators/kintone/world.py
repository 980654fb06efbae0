"""The kintone domain in memory, and the Python API with which demos and tests fill and watch it.

    world = KintoneWorld()
    world.add_user("hana@example.jp", "花", email="hana@example.jp")
    app = world.add_app("許可セット", {"name": {"type": "SINGLE_LINE_TEXT", "unique": True, "required": True}})
    app.add_record({"name": "ReadOnly"}, by="hana@example.jp")
    token = world.add_token([app.id], ["view", "add", "edit", "delete"])

Ids and tokens are given out in order, so the same calls make the same world. One lock guards it all.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from simulators.clock import Clock
from simulators.kintone.access import Caller
from simulators.kintone.apps import AppState, Settings
from simulators.kintone.cells import to_request
from simulators.kintone.cursors import Cursors
from simulators.kintone.directory import ADMINISTRATOR, RIGHTS, SCOPES, Directory, Right, Token, User
from simulators.kintone.errors import Language, fail
from simulators.kintone.faults import Faults
from simulators.kintone.fields import Form, complete, require_distinct_codes, require_sound_lookups, system_fields
from simulators.kintone.matching import Context, Matcher, Source
from simulators.kintone.query import parse_query
from simulators.kintone.rendering import record_title, render_comment, render_record
from simulators.kintone.rights import Rights
from simulators.kintone.state import (
    dump_app,
    dump_cursors,
    dump_directory,
    dump_targets,
    load_app,
    load_cursors,
    load_directory,
    load_targets,
)
from simulators.kintone.store import Journal, Record, RecordStore
from simulators.kintone.values import minute_text, second_text
from simulators.kintone.webhooks import EVENT_TYPES, Event, EventType, Target, Webhooks
from simulators.kintone.writing import Author, Writing

Json = dict[str, Any]


class App:
    """An app of a world, for Python. Writes as a user does in kintone: validated, and told to webhooks."""

    def __init__(self, world: "KintoneWorld", state: AppState) -> None:
        self._world, self._state = world, state

    @property
    def id(self) -> int:
        return self._state.id

    @property
    def name(self) -> str:
        return self._state.settings.name

    def add_record(self, values: Mapping[str, Any], *, by: str = ADMINISTRATOR) -> int:
        """Add a record and return its id. Raises ApiError for values kintone would refuse.

        Values are plain Python (text, numbers, dates; a list of codes for users; a list of rows for a table) or
        `{"value": …}` as the API takes it. Creator, modifier and their times may be among them.
        """
        with self._world.transaction():
            writing = self._writing(by)
            record = writing.insert(self._request(values))
            writing.finish()
        self._world.notify("ADD_RECORD", self._state, record=record)
        return record.id

    def edit_record(self, record_id: int, values: Mapping[str, Any], *, by: str = ADMINISTRATOR) -> int:
        """Change the fields in `values` and return the new revision."""
        with self._world.transaction():
            writing = self._writing(by)
            record = writing.update(record_id, self._request(values))
            writing.finish()
        self._world.notify("UPDATE_RECORD", self._state, record=record)
        return record.revision

    def delete_records(self, ids: Iterable[int], *, by: str = ADMINISTRATOR) -> None:
        """Delete records; webhooks hear of it only if it is one."""
        ids = list(ids)
        with self._world.transaction():
            for record_id in ids:
                self._writing(by).delete(record_id)
        if len(ids) == 1:
            self._world.notify_deletion(self._state, ids[0], by=by)

    def record(self, record_id: int) -> Json:
        """A record as GET record.json shows it. Raises ApiError if it is not there."""
        with self._world.lock:
            record = self._writing(ADMINISTRATOR).find(record_id)
            return render_record(self._state, record, self._world.directory)

    def record_ids(self) -> list[int]:
        with self._world.lock:
            return self._state.store.ids_between(None, None)

    def comments(self, record_id: int) -> list[Json]:
        """The comments on a record, oldest first, as GET record/comments.json shows them."""
        with self._world.lock:
            comments = self._state.store.comments.get(record_id, ())
            return [render_comment(comment, self._world.directory) for comment in comments]

    def _writing(self, by: str) -> Writing:
        self._world.directory.require("USER", by)
        return self._world.writing(self._state, Caller(by))

    def _request(self, values: Mapping[str, Any]) -> Json:
        form = self._state.settings.form
        if unknown := sorted(set(values) - set(form)):
            raise fail("GAIA_IQ11", field=", ".join(unknown))
        return {code: to_request(form[code], value) for code, value in values.items()}


class KintoneWorld:
    """Everything one kintone domain knows.

    `calls` counts requests by (method, path), `requests` by (UTC day, app id) as the daily quota does.
    `faults` makes things go wrong; `on_change` is called after every change, outside the lock.
    `deploy_seconds` is how long a deployment stays PROCESSING, by the clock. `tokens_obey_rights` has rights on records
    and fields bind API tokens like the user Administrator, which the real service leaves open.
    """

    def __init__(self, clock: Clock | None = None, *, timezone: str = "Asia/Tokyo", language: str = "auto") -> None:
        self.clock = clock or Clock()
        self.timezone = timezone
        self.language = language  # of tokens: "ja", "en", or "auto" to follow Accept-Language
        self.base_url = "https://example.cybozu.com"  # what webhooks say the domain is
        self.deploy_seconds = 2.0
        self.concurrency_limit = 100
        self.tokens_obey_rights = True
        self.lock = threading.RLock()
        self.journal = Journal()
        self.directory = Directory()
        self.apps: dict[int, AppState] = {}
        self.cursors = Cursors()
        self.faults = Faults()
        self.webhooks = Webhooks(self.clock.now)
        self.calls: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[tuple[str, int]] = Counter()
        self.on_change: Callable[[], None] | None = None
        self._tokens_made = 0
        self.add_user(ADMINISTRATOR, ADMINISTRATOR, email="")

    # Filling it

    def add_app(
        self,
        name: str,
        fields: Mapping[str, Mapping[str, Any]],
        *,
        code: str = "",
        guest_space: int | None = None,
        creator: str = ADMINISTRATOR,
    ) -> App:
        """A deployed app with these fields, in the shape of form/fields.json; system fields are added.

        Raises ApiError for definitions kintone would refuse.
        """
        with self.transaction():
            app = self.create_app(name, code=code, guest_space=guest_space, creator=creator)
            given = {key: complete(key, definition) for key, definition in fields.items()}
            own = {definition["code"]: definition for definition in given.values()}
            form = own | system_fields(own, self._form_language)
            self.require_sound_form(form)
            app.draft = replace(app.draft, form=form)
            app.require_sound_keys(self.apps)
            app.deploy()
        return App(self, app)

    def app(self, app_id: int) -> App:
        """The app of this id. Raises ApiError if there is none."""
        return App(self, self.find_app(app_id))

    def add_user(
        self,
        code: str,
        name: str,
        *,
        email: str,
        password: str | None = None,
        valid: bool = True,
        language: str = "auto",
    ) -> None:
        """Add a user, or change the one of this code. `language` is ja, en, or auto for the browser's."""
        with self.transaction():
            known = self.directory.users.get(code)
            self.directory.users[code] = User(
                id=known.id if known else len(self.directory.users) + 1,
                code=code,
                name=name,
                email=email,
                password=password,
                valid=valid,
                created_at=second_text(self.clock.now()),
                timezone=self.timezone,
                language=language,
            )

    def remove_user(self, code: str) -> None:
        """Forget a user; records that name him go on naming his code."""
        with self.transaction():
            del self.directory.users[code]

    def add_group(self, code: str, name: str, members: Iterable[str] = ()) -> None:
        with self.transaction():
            self.directory.groups[code] = name
            self.directory.members[code] = set(members)

    def add_organization(self, code: str, name: str) -> None:
        with self.transaction():
            self.directory.organizations[code] = name

    def add_token(self, app_ids: Iterable[int], rights: Iterable[Right] = ("view",), token: str | None = None) -> str:
        """An API token of these apps, live at once. Returns it."""
        with self.transaction():
            text = token or self._new_token()
            self.directory.tokens[text] = Token(_require_rights(rights), frozenset(app_ids))
        return text

    def add_oauth_token(self, user: str, scopes: Iterable[str], token: str | None = None) -> str:
        """An OAuth access token with which a client acts as `user`, within scopes such as k:app_record:read."""
        with self.transaction():
            text = token or self._new_token()
            rights = frozenset[Right]().union(*(SCOPES[scope] for scope in scopes))
            self.directory.oauth_tokens[text] = Token(rights, user=user)
        return text

    def add_users_token(self, token: str | None = None) -> str:
        """A User API token, which reads the user directory and nothing else."""
        with self.transaction():
            text = token or self._new_token()
            self.directory.users_tokens.add(text)
        return text

    def revoke_token(self, token: str) -> None:
        """Make a token of any kind unknown."""
        with self.transaction():
            self.directory.tokens.pop(token, None)
            self.directory.oauth_tokens.pop(token, None)
            self.directory.users_tokens.discard(token)

    def add_webhook(self, app_id: int, url: str, events: Iterable[EventType] = EVENT_TYPES) -> None:
        with self.transaction():
            self.webhooks.targets.append(Target(app_id, url, tuple(events)))

    def set_webhook(self, url: str) -> None:
        """Let this address hear of every event in every app, and no other."""
        with self.transaction():
            self.webhooks.targets = [Target(app_id, url) for app_id in self.apps]

    # Keeping it

    def to_state(self) -> Json:
        """Everything but faults and counters of calls, ready for JSON."""
        with self.lock:
            return {
                "timezone": self.timezone,
                "language": self.language,
                "base_url": self.base_url,
                "tokens_made": self._tokens_made,
                "directory": dump_directory(self.directory),
                "apps": [dump_app(app) for app in self.apps.values()],
                "cursors": dump_cursors(self.cursors),
                "webhooks": dump_targets(self.webhooks),
                "requests": [[day, app_id, count] for (day, app_id), count in self.requests.items()],
            }

    @classmethod
    def from_state(cls, state: Json, clock: Clock | None = None) -> "KintoneWorld":
        world = cls(clock, timezone=state["timezone"], language=state["language"])
        world.base_url = state["base_url"]
        world._tokens_made = state["tokens_made"]
        world.directory = load_directory(state["directory"])
        world.apps = {app["id"]: load_app(app, world.journal) for app in state["apps"]}
        world.cursors = load_cursors(state["cursors"])
        world.webhooks.targets = load_targets(state["webhooks"])
        world.requests.update({(day, app_id): count for day, app_id, count in state["requests"]})
        return world

    # For the simulator

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock; undo what was done to records if the block raises. May be nested."""
        with self.lock:
            if self.journal.is_open:
                yield
                return
            self.journal.begin()
            try:
                yield
            except BaseException:
                self.journal.roll_back()
                raise
            self.journal.commit()
        self.changed()

    def changed(self) -> None:
        if self.on_change:
            self.on_change()

    def settle(self) -> None:
        """End the deployments whose time has come."""
        now = self.clock.now()
        due = [app for app in self.apps.values() if app.deployed_by is not None and now >= app.deployed_by]
        failing = {app.id for app in due if not app.is_deployable()}
        for app in due:
            app.end_deployment(is_cancelled=not failing.isdisjoint(app.deployed_with))

    def find_app(self, app_id: int) -> AppState:
        """Raises GAIA_AP01."""
        if app_id not in self.apps:
            raise fail("GAIA_AP01", app=app_id)
        return self.apps[app_id]

    def create_app(
        self, name: str, *, code: str = "", guest_space: int | None = None, creator: str = ADMINISTRATOR
    ) -> AppState:
        """An app that is not live yet and has only the system fields."""
        now = second_text(self.clock.now())
        app = AppState(
            id=max(self.apps, default=0) + 1,
            code=code,
            store=RecordStore(self.journal),
            draft=Settings(name, system_fields({}, self._form_language)),
            live=None,
            creator=creator,
            created_at=now,
            modified_at=now,
            guest_space=guest_space,
        )
        self.journal.note(lambda: self.apps.__delitem__(app.id))
        self.apps[app.id] = app
        return app

    def require_sound_form(self, form: Form) -> None:
        """Raises CB_VA01 for codes used twice or unsound lookups, GAIA_AP01 for a lookup in no live app."""
        require_distinct_codes(form)
        levels = [form, *(row["fields"] for row in form.values() if row["type"] == "SUBTABLE")]
        ids = {row["lookup"]["relatedApp"]["app"] for level in levels for row in level.values() if "lookup" in row}
        related = {app_id: self.find_app(_as_id(app_id)).settings.form for app_id in ids}
        require_sound_lookups(form, related)

    def writing(self, app: AppState, caller: Caller) -> Writing:
        zone = self.zone(caller.user)
        return Writing(app, self.apps, self.directory, Author(caller, self.clock.now(), zone), self.rights)

    def rights(self, app: AppState, caller: Caller) -> Rights | None:
        """What binds this caller in this app; None if nothing does."""
        settings = app.live
        if settings is None or not (settings.record_acl or settings.field_acl):
            return None
        if caller.is_token and not self.tokens_obey_rights:
            return None
        return self._rights(app, caller.user)

    def _rights(self, app: AppState, user: str) -> Rights:
        @cache
        def compiled(condition: str) -> Callable[[Record], bool]:
            matcher = Matcher(self.source(str(app.id)), self.context(Caller(user)))
            return matcher.predicate(parse_query(condition).condition)

        return Rights(app, user, self.directory, lambda condition, record: compiled(condition)(record))

    def app_rights(self, user: str, app_id: int) -> frozenset[Right]:
        """What an app grants a user. Nobody is refused an app that is not there: that is another error."""
        app = self.apps.get(app_id)
        return self._rights(app, user).app_rights() if app else frozenset(RIGHTS)

    def source(self, app_id: str) -> Source:
        """An app as queries see it. Raises GAIA_AP01."""
        app = self.find_app(_as_id(app_id))
        return Source(app.settings.form, app.store, app.code)

    def context(self, caller: Caller) -> Context:
        user = self.directory.users.get(caller.user)
        organization = user.organization if user else None
        return Context(self.clock.now(), self.zone(caller.user), caller.user, organization, self.source)

    def zone(self, user_code: str) -> ZoneInfo:
        user = self.directory.users.get(user_code)
        return ZoneInfo(user.timezone if user else self.timezone)

    def display_language(self, caller: Caller | None, accepted: str) -> Language:
        """The language of messages: the user's own, else the first of Accept-Language that is spoken, else Japanese."""
        user = self.directory.users.get(caller.user) if caller and not caller.is_token else None
        wanted = user.language if user else self.language
        if wanted == "auto":
            spoken = (part.partition(";")[0].strip()[:2].lower() for part in accepted.split(","))
            wanted = next((language for language in spoken if language in {"ja", "en"}), "ja")
        return "ja" if wanted == "ja" else "en"

    def count(self, app_id: int) -> None:
        """Count a request against the app's daily quota, whose day is UTC's."""
        self.requests[self.clock.now().date().isoformat(), app_id] += 1

    def notify(self, event: EventType, app: AppState, *, record: Record, **more: Any) -> None:
        """Tell the webhooks of an added or edited record."""
        if any(target.app_id == app.id for target in self.webhooks.targets):
            with self.lock:
                body = {
                    "record": render_record(app, record, self.directory),
                    "recordTitle": record_title(app, record),
                    "url": self.record_url(app, record.id),
                    **more,
                }
            self.webhooks.fire(Event(event, app.id, app.settings.name, body))

    def notify_deletion(self, app: AppState, record_id: int, *, by: str) -> None:
        body = {
            "recordId": str(record_id),
            "deletedBy": self.directory.entity("USER", by),
            "deletedAt": minute_text(self.clock.now()),
        }
        self.webhooks.fire(Event("DELETE_RECORD", app.id, app.settings.name, body))

    def notify_comment(self, app: AppState, record_id: int, comment: Json) -> None:
        url = f"{self.record_url(app, record_id)}&comment={comment['id']}"
        body = {"recordId": str(record_id), "comment": comment, "url": url}
        self.webhooks.fire(Event("ADD_RECORD_COMMENT", app.id, app.settings.name, body))

    def record_url(self, app: AppState, record_id: int) -> str:
        return f"{self.base_url}/k/{app.id}/show#record={record_id}"

    @property
    def _form_language(self) -> Language:
        """The language of the codes kintone gives system fields: that of the domain."""
        return "en" if self.language == "en" else "ja"

    def _new_token(self) -> str:
        self._tokens_made += 1
        return hashlib.sha256(f"token {self._tokens_made}".encode()).hexdigest()[:40]


def _as_id(text: str) -> int:
    if not text.isdecimal():
        raise fail("GAIA_AP01", app=text)
    return int(text)


def _require_rights(rights: Iterable[Right]) -> frozenset[Right]:
    held = frozenset(rights)
    if unknown := held.difference(RIGHTS):
        raise ValueError(f"No such right: {', '.join(sorted(unknown))}")
    return held
