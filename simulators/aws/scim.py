"""The SCIM side of the simulated Identity Center: where Entra ID brings people, disables and deletes them.

Users alone, and of them what Entra ID sends: creating, finding by a filter, replacing attributes, deleting. The bearer
token is not secret; it keeps a portal that should only read from writing by mistake.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from simulators.aws.entities import User
from simulators.aws.errors import AwsError
from simulators.aws.world import AwsWorld
from simulators.serving import Request, Response

BASE = "/scim/v2/Users"
_CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_FILTER = re.compile(r'(userName|externalId) eq "([^"]*)"', re.IGNORECASE)
_ATTRIBUTES = {"displayname": "display_name", "username": "user_name", "externalid": "external_id"}


def token_of(world: AwsWorld) -> str:
    return f"scim-{world.identity_store_id}"


def answer(world: AwsWorld, request: Request) -> Response:
    """One request to /scim/v2/…."""
    if request.headers.get("authorization") != f"Bearer {token_of(world)}":
        return _refuse(401, "The token is not valid.")
    user_id = request.path.removeprefix(BASE).strip("/")
    if not request.path.startswith(BASE) or (user_id and user_id not in world.directory.users):
        return _refuse(404, "There is no such resource.")
    try:
        return _carry_out(world, request, user_id)
    except (ValueError, KeyError, TypeError) as error:
        return _refuse(400, f"The request cannot be understood: {error}")
    except AwsError as error:
        return _refuse(400, error.message)


def _carry_out(world: AwsWorld, request: Request, user_id: str) -> Response:
    match request.method, bool(user_id):
        case "POST", False:
            return _create(world, json.loads(request.body))
        case "GET", False:
            return _find(world, request.first("filter"))
        case "GET", True:
            return _show(world.directory.users[user_id])
        case "PATCH", True:
            return _change(world, user_id, json.loads(request.body))
        case "DELETE", True:
            world.remove_user(user_id)
            return Response(204)
    return _refuse(405, "That is not done here.")


def _create(world: AwsWorld, values: Mapping[str, Any]) -> Response:
    name, mails = values["name"], values.get("emails", [])
    if _list(world, "user_name", values["userName"]):
        return _refuse(409, "A user of this name is there.")
    user_id = world.add_user(
        values["userName"], values["displayName"], mails[0]["value"] if mails else None, values.get("externalId"),
        _status(values.get("active", True)), given_name=name["givenName"], family_name=name["familyName"],
    )  # fmt: skip
    return _show(world.directory.users[user_id], 201)


def _find(world: AwsWorld, query: str) -> Response:
    found = _FILTER.fullmatch(query)
    if not found:
        raise ValueError(f"the filter {query!r}")
    users = _list(world, _ATTRIBUTES[found[1].casefold()], found[2])
    body = {"schemas": [_LIST], "totalResults": len(users), "Resources": [_describe(user) for user in users]}
    return Response.json(body)


def _list(world: AwsWorld, attribute: str, value: str) -> list[User]:
    key = value.casefold()
    return [user for user in world.directory.users.values() if (getattr(user, attribute) or "").casefold() == key]


def _change(world: AwsWorld, user_id: str, values: Mapping[str, Any]) -> Response:
    changes: dict[str, Any] = {}
    for operation in values["Operations"]:
        if operation["op"].casefold() != "replace":
            raise ValueError(f"the operation {operation['op']}")
        path = operation.get("path")
        changes |= _read({path: operation["value"]} if path else operation["value"])
    world.change_user(user_id, **changes)
    return _show(world.directory.users[user_id])


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    pairs = ((name.casefold(), value) for name, value in values.items())
    return dict(("status", _status(value)) if name == "active" else (_ATTRIBUTES[name], value) for name, value in pairs)


def _status(active: Any) -> str:
    """Entra ID sends the word as well as the value."""
    return "DISABLED" if str(active).casefold() == "false" else "ENABLED"


def _show(user: User, status: int = 200) -> Response:
    return Response.json(_describe(user), status)


def _describe(user: User) -> dict[str, Any]:
    return {
        "schemas": [_CORE],
        "id": user.id,
        "userName": user.user_name,
        "displayName": user.display_name,
        "externalId": user.external_id,
        "active": user.status == "ENABLED",
    }


def _refuse(status: int, detail: str) -> Response:
    return Response.json({"schemas": [_ERROR], "status": str(status), "detail": detail}, status)
