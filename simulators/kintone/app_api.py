"""The routes about apps: their fields, layout, views and settings, live and pre-live, and deployment."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from simulators.kintone.apps import AppState, Settings
from simulators.kintone.calls import Call, Json, Routes, as_integer, as_revision
from simulators.kintone.directory import Directory, Right
from simulators.kintone.errors import NOT_IN_ENUM, PARAMETER_REQUIRED, Text, fail, invalid_parameter
from simulators.kintone.fields import CODE_TAKEN, PROCESS_TYPES, SYSTEM_TYPES, Definition, Form, complete, places
from simulators.kintone.rights import default_app_rights, read_app_rights, read_field_rights, read_record_rights
from simulators.kintone.values import second_text

MAX_APPS = 100  # listed by one call
MAX_DEPLOYED = 300  # by one call
MAX_FIELDS_DELETED = 100  # by one call
MAX_NAME = 64  # characters

routes = Routes()

_SEEN: tuple[Right, ...] = ("view", "add")  # a token with either may read the live form
_NOT_FOUND = Text("この項目はアプリにありません。", "The app has no such field.")
_FIXED = Text("項目の種類は変えられません。", "A field keeps its type.")
_TOO_MANY = Text("1回の件数が多すぎます。", "These are too many for one call.")


# Apps


@routes.add("GET", "app")
def get_app(call: Call) -> Json:
    app = call.app(*_SEEN, name="id")
    return _describe(call, app)


@routes.add("GET", "apps")
def get_apps(call: Call) -> Json:
    """Live apps by id, narrowed by every parameter given. Not counted against a quota, not for tokens."""
    call.caller.require_user()
    limit = call.params.bounded("limit", default=MAX_APPS, low=1, high=MAX_APPS)
    offset = call.params.bounded("offset", default=0, low=0)
    name = call.params.text("name").casefold()
    apps = [
        app
        for app in call.world.apps.values()
        if app.live is not None
        and app.guest_space == call.guest_space
        and _is_listed(app.id, call.params.array("ids"))
        and _is_listed(app.code, call.params.array("codes"))
        and name in app.live.name.casefold()
    ]
    return {"apps": [_describe(call, app) for app in apps[offset : offset + limit]]}


def _is_listed(value: object, wanted: list[Any] | None) -> bool:
    return not wanted or str(value) in {str(one) for one in wanted}


def _describe(call: Call, app: AppState) -> Json:
    space = None if app.guest_space is None else str(app.guest_space)
    creator = call.world.directory.entity("USER", app.creator)
    return {
        "appId": str(app.id),
        "code": app.code,
        "name": app.settings.name,
        "description": app.settings.description,
        "spaceId": space,
        "threadId": space,
        "createdAt": app.created_at.replace("Z", ".000Z"),
        "creator": creator,
        "modifiedAt": app.modified_at.replace("Z", ".000Z"),
        "modifier": creator,
    }


@routes.add("POST", "preview/app")
def add_app(call: Call) -> Json:
    """Create an app that is not live yet. Users only."""
    call.caller.require_user()
    if not call.caller.rights.issuperset({"manage"}):
        raise fail("CB_NO02")
    name = call.params.required("name")
    if not isinstance(name, str) or len(name) > MAX_NAME:
        raise invalid_parameter("name", _TOO_MANY)
    app = call.world.create_app(name, guest_space=call.guest_space, creator=call.caller.user)
    return {"app": str(app.id), "revision": str(app.draft.revision)}


# Reading and changing settings


def _read(call: Call, *, preview: bool, rights: Iterable[Right] = _SEEN) -> Settings:
    return call.draft_app("manage").draft if preview else call.app(*rights).settings


def _open(call: Call) -> AppState:
    """The app whose pre-live settings the call changes, at the revision the caller expects."""
    app = call.draft_app("manage")
    if app.deployed_by is not None:
        raise fail("GAIA_DA02")
    revision = as_revision(call.params.get("revision"))
    if revision is not None and revision != app.draft.revision:
        raise fail("GAIA_CO02")
    return app


def _change(call: Call, app: AppState, **values: Any) -> Json:
    app.draft = app.draft.change(**values)
    app.modified_at = second_text(call.world.clock.now())
    return {"revision": str(app.draft.revision)}


# Fields


@routes.add("GET", "app/form/fields")
def get_fields(call: Call) -> Json:
    return _fields_answer(_read(call, preview=False))


@routes.add("GET", "preview/app/form/fields")
def get_draft_fields(call: Call) -> Json:
    return _fields_answer(_read(call, preview=True))


def _fields_answer(settings: Settings) -> Json:
    return {"properties": settings.form, "revision": str(settings.revision)}


@routes.add("POST", "preview/app/form/fields")
def add_fields(call: Call) -> Json:
    app = _open(call)
    added: Form = {}
    for key, given in call.params.object("properties").items():
        definition = complete(key, _require_object(given))
        if definition["type"] in SYSTEM_TYPES:
            raise invalid_parameter(f"properties[{key}].type", NOT_IN_ENUM)
        added[definition["code"]] = definition
    if taken := set(places(added)) & set(app.draft.places):
        raise invalid_parameter(f"properties[{min(taken)}].code", CODE_TAKEN)
    form = app.draft.form | added
    call.world.require_sound_form(form)
    return _change(call, app, form=form, origins=app.draft.origins | dict.fromkeys(places(added), ""))


@routes.add("PUT", "preview/app/form/fields")
def update_fields(call: Call) -> Json:
    """Change fields: what a definition leaves out stays; another `code` renames the field, with its values."""
    app = _open(call)
    changes = call.params.object("properties")
    for code in changes:
        if code not in app.draft.form:
            raise invalid_parameter(f"properties[{code}]", _NOT_FOUND)
    form: Form = {}
    origins = dict(app.draft.origins)
    for code, definition in app.draft.form.items():
        given = _require_object(changes.get(code, {}))
        changed = _changed(code, definition, given)
        form[changed["code"]] = changed
        _note_origins(origins, definition, given)
    call.world.require_sound_form(form)
    return _change(call, app, form=form, origins=origins)


def _note_origins(origins: dict[str, str], definition: Definition, given: Json) -> None:
    """Remember the live codes of what `given` renames, and that what it adds to a table has none."""
    for inner, row in (given.get("fields") or {}).items():
        old = origins.pop(inner, inner) if inner in definition["fields"] else ""
        origins[str(row.get("code", inner))] = old
    if given.get("code", definition["code"]) != definition["code"]:
        origins[given["code"]] = origins.pop(definition["code"], definition["code"])


def _require_object(given: Any) -> Json:
    if not isinstance(given, dict):
        raise fail("CB_IJ01")
    return given


def _changed(code: str, definition: Definition, given: Json) -> Definition:
    if not given:
        return definition
    if given.get("type", definition["type"]) != definition["type"]:
        raise invalid_parameter(f"properties[{code}].type", _FIXED)
    merged = definition | given
    if definition["type"] == "SUBTABLE":
        merged["fields"] = {
            inner: definition["fields"].get(inner, {}) | _require_object(row)
            for inner, row in (given.get("fields") or definition["fields"]).items()
        }
    return complete(code, merged) | ({"enabled": definition["enabled"]} if definition["type"] in PROCESS_TYPES else {})


@routes.add("DELETE", "preview/app/form/fields")
def delete_fields(call: Call) -> Json:
    app = _open(call)
    codes = call.params.required_array("fields")
    if len(codes) > MAX_FIELDS_DELETED:
        raise invalid_parameter("fields", _TOO_MANY)
    for index, code in enumerate(codes):
        if code not in app.draft.form or app.draft.form[code]["type"] in SYSTEM_TYPES:
            raise invalid_parameter(f"fields[{index}]", _NOT_FOUND)
    form = {code: definition for code, definition in app.draft.form.items() if code not in codes}
    call.world.require_sound_form(form)
    kept = places(form)
    return _change(call, app, form=form, origins={code: old for code, old in app.draft.origins.items() if code in kept})


# Layout


@routes.add("GET", "app/form/layout")
def get_layout(call: Call) -> Json:
    return _layout_answer(_read(call, preview=False))


@routes.add("GET", "preview/app/form/layout")
def get_draft_layout(call: Call) -> Json:
    return _layout_answer(_read(call, preview=True))


@routes.add("PUT", "preview/app/form/layout")
def update_layout(call: Call) -> Json:
    app = _open(call)
    return _change(call, app, layout=call.params.required_array("layout"))


def _layout_answer(settings: Settings) -> Json:
    """The layout as it was put, without fields that are gone; fields it does not name follow, a row each."""
    kept = [row for row in (_without_gone(row, settings) for row in settings.layout) if row]
    named = {code for row in kept for code in _named(row)}
    rest = [
        _row(definition) for code, definition in settings.form.items() if code not in named and _is_placed(definition)
    ]
    return {"layout": kept + rest, "revision": str(settings.revision)}


def _is_placed(definition: Definition) -> bool:
    return definition["type"] not in PROCESS_TYPES


def _row(definition: Definition) -> Json:
    if definition["type"] == "SUBTABLE":
        return {"type": "SUBTABLE", "code": definition["code"], "fields": list(map(_cell, _inner(definition)))}
    if definition["type"] == "GROUP":
        return {"type": "GROUP", "code": definition["code"], "layout": []}
    return {"type": "ROW", "fields": [_cell(definition)]}


def _inner(definition: Definition) -> list[Definition]:
    return list(definition["fields"].values())


def _cell(definition: Definition) -> Json:
    return {"type": definition["type"], "code": definition["code"], "size": {"width": "200"}}


def _named(row: Json) -> set[str]:
    codes = {row["code"]} if "code" in row else set()
    codes |= {cell["code"] for cell in row.get("fields", []) if "code" in cell}
    return codes.union(*(_named(inner) for inner in row.get("layout", [])))


def _without_gone(row: Json, settings: Settings) -> Json | None:
    if "code" in row and row["code"] not in settings.form:
        return None
    kept = dict(row)
    if "fields" in row:
        kept["fields"] = [cell for cell in row["fields"] if cell.get("code", "") in {"", *settings.places}]
    return kept if kept.get("fields") or row["type"] != "ROW" else None


# Views, settings, process, rights


@routes.add("GET", "app/views")
def get_views(call: Call) -> Json:
    settings = _read(call, preview=False)
    return {"views": settings.views, "revision": str(settings.revision)}


@routes.add("GET", "preview/app/views")
def get_draft_views(call: Call) -> Json:
    settings = _read(call, preview=True)
    return {"views": settings.views, "revision": str(settings.revision)}


@routes.add("PUT", "preview/app/views")
def update_views(call: Call) -> Json:
    """Views left out are dropped; one of a known name keeps its id."""
    app = _open(call)
    known = {name: int(view["id"]) for name, view in app.draft.views.items()}
    last = max(known.values(), default=app.id * 1000)
    views: Json = {}
    for name, given in call.params.object("views").items():
        last += name not in known
        views[str(given.get("name", name))] = {
            "filterCond": "",
            "sort": "",
            **_require_object(given),
            "name": str(given.get("name", name)),
            "index": str(given.get("index", len(views))),
            "id": str(known.get(name, last)),
        }
    answer = _change(call, app, views=views)
    return {"views": {name: {"id": view["id"]} for name, view in views.items()}, **answer}


@routes.add("GET", "app/settings")
def get_settings(call: Call) -> Json:
    return _settings_answer(_read(call, preview=False))


@routes.add("GET", "preview/app/settings")
def get_draft_settings(call: Call) -> Json:
    return _settings_answer(_read(call, preview=True))


def _settings_answer(settings: Settings) -> Json:
    own = {"name": settings.name, "description": settings.description, "revision": str(settings.revision)}
    return settings.options | own


@routes.add("PUT", "preview/app/settings")
def update_settings(call: Call) -> Json:
    app = _open(call)
    options = {name: call.params.get(name) for name in app.draft.options if name in call.params}
    return _change(
        call,
        app,
        name=call.params.text("name", app.draft.name),
        description=call.params.text("description", app.draft.description),
        options=app.draft.options | options,
    )


@routes.add("GET", "app/status")
def get_process(call: Call) -> Json:
    settings = _read(call, preview=False)
    return settings.process | {"revision": str(settings.revision)}


@routes.add("GET", "preview/app/status")
def get_draft_process(call: Call) -> Json:
    settings = _read(call, preview=True)
    return settings.process | {"revision": str(settings.revision)}


@routes.add("PUT", "preview/app/status")
def update_process(call: Call) -> Json:
    app = _open(call)
    process = dict(app.draft.process)
    process["enable"] = call.params.flag("enable") if "enable" in call.params else process["enable"]
    if "states" in call.params:
        process["states"] = {name: _state(name, given) for name, given in call.params.object("states").items()}
    if "actions" in call.params:
        process["actions"] = [{"filterCond": "", "type": "PRIMARY", **action} for action in call.params.get("actions")]
    if process["enable"] and not (process["states"] and process["actions"] is not None):
        raise invalid_parameter("states", PARAMETER_REQUIRED)
    enabled = {"STATUS", "STATUS_ASSIGNEE"}
    form = {
        code: definition | {"enabled": process["enable"]} if definition["type"] in enabled else definition
        for code, definition in app.draft.form.items()
    }
    return _change(call, app, process=process, form=form)


def _state(name: str, given: Json) -> Json:
    """A state whose assignee is not given is handed to the record's creator."""
    creator = {"entity": {"type": "FIELD_ENTITY", "code": "作成者"}, "includeSubs": False}
    return {
        "name": str(given.get("name", name)),
        "index": str(given["index"]),
        "assignee": given.get("assignee", {"type": "ONE", "entities": [creator]}),
    }


Reader = Callable[[list[Any], Form, Directory], list[Json]]

_RIGHTS: dict[str, tuple[str, Reader]] = {
    "app/acl": ("app_acl", read_app_rights),
    "record/acl": ("record_acl", read_record_rights),
    "field/acl": ("field_acl", read_field_rights),
}


def _add_rights_routes(resource: str, member: str, read: Reader) -> None:
    def get_rights(call: Call) -> Json:
        return answer(_read(call, preview=False, rights=("manage",)))

    def get_draft_rights(call: Call) -> Json:
        return answer(_read(call, preview=True))

    def answer(settings: Settings) -> Json:
        rights = getattr(settings, member) or (default_app_rights() if member == "app_acl" else [])
        return {"rights": rights, "revision": str(settings.revision)}

    def change(call: Call, app: AppState) -> Json:
        rights = read(call.params.required_array("rights"), app.draft.form, call.world.directory)
        return _change(call, app, **{member: rights})

    def update_draft_rights(call: Call) -> Json:
        return change(call, _open(call))

    def update_rights(call: Call) -> Json:
        """The live path deploys everything that is pre-live as well."""
        app = _open(call)
        app.require_sound_keys(call.world.apps)
        answer = change(call, app)
        app.deploy()
        return answer

    routes.add("GET", resource)(get_rights)
    routes.add("GET", f"preview/{resource}")(get_draft_rights)
    routes.add("PUT", f"preview/{resource}")(update_draft_rights)
    routes.add("PUT", resource)(update_rights)


for _resource, (_member, _reader) in _RIGHTS.items():
    _add_rights_routes(_resource, _member, _reader)


# Deployment


@routes.add("POST", "preview/app/deploy")
def deploy(call: Call) -> Json:
    """Begin to make apps live, or (`revert`) to throw their changes away; done when the clock says so."""
    given = call.params.required_array("apps")
    if len(given) > MAX_DEPLOYED:
        raise invalid_parameter("apps", _TOO_MANY)
    apps = [_deployable(call, _require_object(one)) for one in given]
    for app in apps:
        app.require_sound_keys(call.world.apps)
    for app in apps:
        if call.params.flag("revert"):
            app.revert()
        else:
            app.deploy_status = "PROCESSING"
            app.deployed_by = call.world.clock.now() + timedelta(seconds=call.world.deploy_seconds)
            app.deployed_with = tuple(one.id for one in apps)
    return {}


def _deployable(call: Call, given: Json) -> AppState:
    app = call.find_app(as_integer(given.get("app", "")))
    call.caller.require(app.id, "manage")
    call.world.count(app.id)
    if app.deployed_by is not None:
        raise fail("GAIA_DA02")
    revision = as_revision(given.get("revision"))
    if revision is not None and revision != app.draft.revision:
        raise fail("GAIA_CO02")
    return app


@routes.add("GET", "preview/app/deploy")
def get_deploy_status(call: Call) -> Json:
    apps = [call.find_app(as_integer(one)) for one in call.params.required_array("apps")]
    for app in apps:
        call.caller.require(app.id, "manage")
        call.world.count(app.id)
    return {"apps": [{"app": str(app.id), "status": app.deploy_status} for app in apps]}
