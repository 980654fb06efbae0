"""The routes about process management: the states of an app's records, and moving between them."""

from dataclasses import replace
from typing import Any

from simulators.kintone.apps import AppState
from simulators.kintone.calls import Call, Json, Params, Routes, as_revision
from simulators.kintone.errors import TOO_MANY, fail, invalid_parameter
from simulators.kintone.record_api import MAX_RECORDS
from simulators.kintone.store import Record

routes = Routes()

# kintone moves a record in two steps, and each raises the revision.
REVISIONS_PER_MOVE = 2
MAX_ASSIGNEES = 100  # of one record


@routes.add("PUT", "record/status")
def update_status(call: Call) -> Json:
    app = call.app("edit")
    record = _move(call, app, call.params)
    call.after.append(lambda: call.world.notify("UPDATE_STATUS", app, record=record))
    return {"revision": str(record.revision)}


@routes.add("PUT", "records/status")
def update_statuses(call: Call) -> Json:
    app = call.app("edit")
    given = call.params.required_array("records")
    if len(given) > MAX_RECORDS:
        raise invalid_parameter("records", TOO_MANY["PUT"])
    records = [_move(call, app, Params(one)) for one in given]
    return {"records": [{"id": str(record.id), "revision": str(record.revision)} for record in records]}


@routes.add("PUT", "record/assignees")
def update_assignees(call: Call) -> Json:
    app = call.app("edit")
    process = _require_process(app)
    record = call.writing(app).find(call.params.integer("id"), as_revision(call.params.get("revision")))
    codes = call.params.required_array("assignees")
    most = 1 if process["states"][record.status]["assignee"]["type"] == "ONE" else MAX_ASSIGNEES
    if len(codes) > most:
        raise fail("GAIA_SA01")
    for code in codes:
        call.world.directory.require("USER", str(code))
    record = replace(record, revision=record.revision + 1, assignees=tuple(codes))
    app.store.put(record)
    return {"revision": str(record.revision)}


def _require_process(app: AppState) -> Json:
    if not app.settings.process["enable"]:
        raise fail("GAIA_ST02")
    return app.settings.process


def _move(call: Call, app: AppState, params: Params) -> Record:
    """Take an action on a record. Raises GAIA_IL03 if the record's state does not have it."""
    process = _require_process(app)
    record = call.writing(app).find(params.integer("id"), as_revision(params.get("revision")))
    name = params.required("action")
    action = next((one for one in process["actions"] if one["name"] == name and one["from"] == record.status), None)
    if action is None:
        raise fail("GAIA_IL03")
    moved = replace(
        record,
        revision=record.revision + REVISIONS_PER_MOVE,
        status=action["to"],
        assignees=_assignees(call, process["states"][action["to"]], params.get("assignee")),
    )
    app.store.put(moved)
    return moved


def _assignees(call: Call, state: Json, assignee: Any) -> tuple[str, ...]:
    """Who the record is handed to: a state that names candidates needs one of them chosen."""
    if assignee in (None, ""):
        if state["assignee"]["entities"]:
            raise fail("GAIA_SA01")
        return ()
    call.world.directory.require("USER", str(assignee))
    return (str(assignee),)
