"""Links into the console through the API, for alerts and runbooks that are written by programs."""

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.access_portal import find_access_portal
from portal.api.refusals import ERRORS, Refused
from portal.api.signing_in import READ, user_of
from portal.views.shortcut_asking import VALUE, read_asked
from portal.views.shortcut_building import build_result, find_building

router = Router(auth=READ, tags=["shortcuts"])


class LinkIn(Schema):
    """What the builder's address says; its reader takes the open-ended names beside these from the request."""

    account: str
    set: str = ""
    service: str = ""
    region: str = ""
    url: str = ""


class LinkOut(Schema):
    """A link of the access portal. `open_names` stand in it in braces, for whoever fills them."""

    url: str
    words: str
    open_names: list[str]


@router.get(
    "/shortcut-link",
    response={200: LinkOut, **ERRORS},
    description=f"""The link into an account with a set,
to a place of the console. `account`: id or name; `set`; `service` and `region` as the portal's builder has them, with
`{VALUE}<name>` for each parameter; or `url`, a page of the console.""",
)
def build_shortcut_link(request: HttpRequest, wanted: Query[LinkIn]) -> LinkOut:
    access_portal = find_access_portal()
    if access_portal is None:
        raise Refused(503, "api_no_portal")
    building = find_building(user_of(request), read_asked(request), access_portal)
    if building.account is None:
        raise Refused(404, "api_not_found")
    result = build_result(building)
    if not result.url:
        raise Refused(422, "api_input_wrong", text=result.error.message if result.error else f"set: {wanted.set}")
    return LinkOut(url=result.url, words=result.words, open_names=list(result.open_names))
