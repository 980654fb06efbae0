"""The route about users. It belongs to cybozu.com, not to kintone: no /k in its path, no app tokens."""

from simulators.kintone.calls import Call, Json, Routes
from simulators.kintone.errors import Text, fail, invalid_parameter

MAX_USERS = 100  # listed by one call

routes = Routes()

_ONE_OF_BOTH = Text("idsかcodesの一方だけにしてください。", "Give ids or codes, not both.")


@routes.add("GET", "/users")
def get_users(call: Call) -> Json:
    """Users by id, all or those named."""
    if call.caller.is_token and not call.caller.directory_only:
        raise fail("CB_AU01")
    ids, codes = call.params.array("ids"), call.params.array("codes")
    if ids and codes:
        raise invalid_parameter("ids", _ONE_OF_BOTH)
    size = call.params.bounded("size", default=MAX_USERS, low=1, high=MAX_USERS)
    offset = call.params.bounded("offset", default=0, low=0)
    wanted = {str(one) for one in ids or codes or []}
    users = sorted(call.world.directory.users.values(), key=lambda user: user.id)
    found = [user for user in users if not wanted or (str(user.id) if ids else user.code) in wanted]
    return {"users": [user.profile() for user in found[offset : offset + size]]}
