"""The settings of kintone apps: made and changed before they are live, then deployed.

What is changed is the app's preview; nobody sees it until it is deployed. Views and rights are whole sets: what a
change leaves out is dropped. API tokens and webhooks can only be made by hand, in kintone itself.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncer.gateways.errors import OutcomeUnknown, Permanent
from syncer.gateways.kintone_errors import Answer
from syncer.gateways.kintone_transport import KintoneClient, name_question
from syncer.gateways.kintone_values import AppInfo, Setting

DEPLOY_SECONDS = 180.0  # measured: about ten
DEPLOY_PAUSE = 1.0  # seconds between two looks
DEPLOY = "preview/app/deploy.json"


class KintoneSettings(KintoneClient):
    """Apps as their administrators see them. Credentials: a user's password, or tokens with the right to manage.

    Every change returns the revision of the settings it made. A `revision` that is given must still be theirs:
    raises Conflict if somebody changed them meanwhile.
    """

    # Apps

    def create_app(self, name: str) -> str:
        """Create an app, for users only; its id. It has no fields of its own and is not live before `deploy`."""
        return self._write("POST", "preview/app.json", {"name": name}).member("app", str)

    def fetch_app(self, app_id: str) -> AppInfo:
        """Fetch what a live app is called. Raises NotFound."""
        answer = self._get("app.json", {"id": app_id}, app_id=app_id)
        return AppInfo(
            answer.member("appId", str),
            answer.member("name", str),
            code=str(answer.body.get("code") or ""),
            space_id=str(answer.body.get("spaceId") or ""),
        )

    def find_apps(self, name: str) -> list[AppInfo]:
        """Find live apps that have this text in their names, the first hundred; for users only."""
        answer = self._get("apps.json", {"name": name})
        return answer.rows("apps", lambda one: AppInfo(str(one["appId"]), str(one["name"])))

    # Fields

    def fetch_form_fields(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch the form: field code → definition, as kintone writes them."""
        return self._fetch(app_id, "app/form/fields.json", "properties", preview=preview)

    def add_form_fields(self, app_id: str, properties: Mapping[str, Any], *, revision: int | None = None) -> int:
        return self._change(app_id, "app/form/fields.json", {"properties": dict(properties)}, revision, method="POST")

    def update_form_fields(self, app_id: str, properties: Mapping[str, Any], *, revision: int | None = None) -> int:
        """Change fields; what a definition leaves out stays. Another `code` renames one, with its values."""
        return self._change(app_id, "app/form/fields.json", {"properties": dict(properties)}, revision)

    def delete_form_fields(self, app_id: str, codes: Sequence[str], *, revision: int | None = None) -> int:
        """Delete fields, 100 at most, with their values."""
        return self._change(app_id, "app/form/fields.json", {"fields": list(codes)}, revision, method="DELETE")

    def fetch_layout(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch where the fields stand on the form: its rows."""
        return self._fetch(app_id, "app/form/layout.json", "layout", preview=preview)

    def update_layout(self, app_id: str, layout: Sequence[Any], *, revision: int | None = None) -> int:
        return self._change(app_id, "app/form/layout.json", {"layout": list(layout)}, revision)

    # Views and general settings

    def fetch_views(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch the views: name → definition."""
        return self._fetch(app_id, "app/views.json", "views", preview=preview)

    def update_views(self, app_id: str, views: Mapping[str, Any], *, revision: int | None = None) -> int:
        """Replace all views."""
        return self._change(app_id, "app/views.json", {"views": dict(views)}, revision)

    def fetch_settings(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch name, description, icon and switches."""
        answer = self._ask(app_id, "app/settings.json", preview=preview)
        content = {name: value for name, value in answer.body.items() if name != "revision"}
        return Setting(content, answer.number("revision"))

    def update_settings(self, app_id: str, settings: Mapping[str, Any], *, revision: int | None = None) -> int:
        """Change some of them."""
        return self._change(app_id, "app/settings.json", settings, revision)

    # Rights

    def fetch_app_rights(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch who may do what in the app, the first that fits first."""
        return self._fetch(app_id, "app/acl.json", "rights", preview=preview)

    def update_app_rights(self, app_id: str, rights: Sequence[Any], *, revision: int | None = None) -> int:
        """Replace them. Whoever is left out, Everyone included, may nothing."""
        return self._change(app_id, "app/acl.json", {"rights": list(rights)}, revision)

    def fetch_record_rights(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch who may see and change which records."""
        return self._fetch(app_id, "record/acl.json", "rights", preview=preview)

    def update_record_rights(self, app_id: str, rights: Sequence[Any], *, revision: int | None = None) -> int:
        """Replace them."""
        return self._change(app_id, "record/acl.json", {"rights": list(rights)}, revision)

    def fetch_field_rights(self, app_id: str, *, preview: bool = False) -> Setting:
        """Fetch who may see and change which fields."""
        return self._fetch(app_id, "field/acl.json", "rights", preview=preview)

    def update_field_rights(self, app_id: str, rights: Sequence[Any], *, revision: int | None = None) -> int:
        """Replace them."""
        return self._change(app_id, "field/acl.json", {"rights": list(rights)}, revision)

    # Deployment

    def deploy(
        self,
        app_ids: Sequence[str],
        *,
        seconds: float = DEPLOY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the previews of these apps live, all or none, and wait for it.

        Raises Permanent where kintone gives up, as when records contradict a field that is unique from now on;
        OutcomeUnknown where it has not ended in time.
        """
        apps, about = list(app_ids), ",".join(app_ids)
        body = {"apps": [{"app": app_id} for app_id in apps]}
        self._write("POST", DEPLOY, body, app_id=about, charged=apps)
        states, until = self._fetch_states(apps), clock() + seconds
        while "PROCESSING" in states.values():
            if clock() >= until:
                question = name_question("GET", DEPLOY, about)
                raise OutcomeUnknown(question.operation, question.reason("kintone_deploy_slow"))
            self._sleep(DEPLOY_PAUSE)
            states = self._fetch_states(apps)
        if failed := [app_id for app_id, state in states.items() if state != "SUCCESS"]:
            question = name_question("POST", DEPLOY, ",".join(failed))
            raise Permanent(question.operation, question.reason("kintone_deploy_failed"), states[failed[0]])

    def _fetch_states(self, app_ids: list[str]) -> Mapping[str, str]:
        """How the deployment of each app stands: PROCESSING, SUCCESS, FAIL or CANCEL."""
        answer = self._get(DEPLOY, {"apps": app_ids}, app_id=",".join(app_ids), charged=app_ids)
        return dict(answer.rows("apps", lambda one: (str(one["app"]), str(one["status"]))))

    # Requests

    def _ask(self, app_id: str, path: str, *, preview: bool) -> Answer:
        return self._get(f"preview/{path}" if preview else path, {"app": app_id}, app_id=app_id)

    def _fetch(self, app_id: str, path: str, member: str, *, preview: bool) -> Setting:
        answer = self._ask(app_id, path, preview=preview)
        return Setting(answer.member(member, object), answer.number("revision"))

    def _change(
        self, app_id: str, path: str, content: Mapping[str, Any], revision: int | None, *, method: str = "PUT"
    ) -> int:
        expected = {} if revision is None else {"revision": revision}
        body = {"app": app_id, **content, **expected}
        return self._write(method, f"preview/{path}", body, app_id=app_id).number("revision")
