"""Setting up the two kintone apps: making them, going on where a run broke off, comparing, adding what is missing.

An app that is not live yet is ours to finish: nobody uses it. In a live app nothing is ever changed or deleted; `fix`
adds fields and views, and only while nobody else's changes wait to be published, because deploying publishes them all.

kintone lists no app before it is live. So each new app's number is told and noted the moment kintone gives it.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from syncer.gateways.errors import NotFound
from syncer.gateways.kintone_settings import KintoneSettings
from syncer.setup.blueprint import (
    AppPlan,
    Names,
    plan_field_rights,
    plan_record_rights,
    render_field,
    render_field_rights,
    render_record_rights,
    render_view,
)
from syncer.setup.comparing import Comparison, FoundApp, compare_app, read_app
from syncer.states import Reason

logger = logging.getLogger(__name__)

Tell = Callable[[Reason], None]


class SetUpError(Exception):
    """Nothing more can be done before somebody has decided or mended something."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Wanted:
    """One app as a company wants it. An empty app id asks for a new one; `setting` holds the id from then on."""

    plan: AppPlan
    setting: str
    app_id: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SetUp:
    """The outcome: the apps' numbers, and whether both are as they should be."""

    permission_set_app_id: str
    assignment_app_id: str
    is_good: bool


@dataclass(frozen=True)
class Notes:
    """The numbers of apps that earlier runs made, in a file: for the time before they stand in the settings."""

    path: Path
    domain: str

    def find(self, setting: str) -> str:
        return self._read().get(self.domain, {}).get(setting, "")

    def keep(self, setting: str, app_id: str) -> None:
        """Where nothing can be written, as in a container, the number that was printed has to do."""
        everything = self._read()
        everything.setdefault(self.domain, {})[setting] = app_id
        draft = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(everything, indent=1), encoding="utf-8")
            draft.replace(self.path)
        except OSError as error:
            logger.warning("setup: %s=%s is not kept in a file: %s", setting, app_id, error)

    def _read(self) -> dict[str, dict[str, str]]:
        if not self.path.exists():
            return {}
        known: dict[str, dict[str, str]] = json.loads(self.path.read_text(encoding="utf-8"))
        return known


@dataclass(frozen=True)
class SettingUp:
    """One run of it. `tell` hears of each step as it happens, and of each difference.

    is_writing: runs carry out what records say (`SYNC_MODE=apply`). may_create: new apps can be made at all.
    """

    kintone: KintoneSettings
    notes: Notes
    tell: Tell
    language: str
    admin_group: str
    fix: bool = False
    is_writing: bool = True
    may_create: bool = True

    def run(self, permission_sets: Wanted, assignments: Wanted) -> SetUp:
        """Both apps, the one that the other looks up from first. Raises SetUpError and GatewayError."""
        names = Names(permission_sets.codes, self.language, admin_group=self.admin_group)
        first_id, is_first_good = self._set_up(permission_sets, names)
        names = replace(names, codes=assignments.codes, lookup_app_id=first_id, lookup_key=names.code("name"))
        second_id, is_second_good = self._set_up(assignments, names)
        return SetUp(first_id, second_id, is_first_good and is_second_good)

    def _set_up(self, wanted: Wanted, names: Names) -> tuple[str, bool]:
        app_id = wanted.app_id or self._recall(wanted.setting) or self._create(wanted)
        app = _AppSettings(self.kintone, app_id, wanted.plan, names, self.tell)
        if not self._is_live(app_id):
            app.finish()
        comparison = app.compare()
        if self.fix and comparison.is_addable:
            self._require_harmless(app_id, wanted.plan, comparison)
            app.add(comparison)
            comparison = app.compare()
        for reason in comparison.reasons:
            self.tell(reason)
        if not comparison.reasons:
            self.tell(Reason("setup_app_good", {"app": app_id, "name": wanted.plan.label.speak(self.language)}))
        return app_id, not comparison.reasons

    def _require_harmless(self, app_id: str, plan: AppPlan, comparison: Comparison) -> None:
        """A field that a set's record lacks leaves AWS alone, an empty one clears it: see decision 5."""
        emptied = [each.name for each in comparison.fields if each.name in plan.cleared]
        if self.is_writing and emptied:
            raise SetUpError(Reason("setup_empty_counts", {"app": app_id, "fields": ", ".join(emptied)}))

    def _create(self, wanted: Wanted) -> str:
        """A new app. One that has its name is not taken over unasked, nor is a second one put beside it."""
        name = wanted.plan.label.speak(self.language)
        if not self.may_create:
            raise SetUpError(Reason("setup_guest_space", {"name": name, "setting": wanted.setting}))
        for there in self.kintone.find_apps(name):
            if there.name == name:
                params = {"name": name, "app": there.app_id, "setting": wanted.setting}
                raise SetUpError(Reason("setup_name_taken", params))
        app_id = self.kintone.create_app(name)
        self.tell(Reason("setup_app_created", {"name": name, "app": app_id, "setting": wanted.setting}))
        self.notes.keep(wanted.setting, app_id)
        return app_id

    def _recall(self, setting: str) -> str:
        """The app an earlier run has made, unless somebody has deleted it since."""
        app_id = self.notes.find(setting)
        if not app_id:
            return ""
        try:
            self.kintone.fetch_form_fields(app_id, preview=True)
        except NotFound:
            return ""
        return app_id

    def _is_live(self, app_id: str) -> bool:
        try:
            self.kintone.fetch_app(app_id)
        except NotFound:
            return False
        return True


@dataclass(frozen=True)
class _AppSettings:
    """One app's settings beside its plan."""

    kintone: KintoneSettings
    app_id: str
    plan: AppPlan
    names: Names
    tell: Tell

    def compare(self) -> Comparison:
        return compare_app(self.plan, self._fetch(preview=False), self.names)

    def finish(self) -> None:
        """Complete an app that is not live yet, and make it live. What an earlier run did already is left alone."""
        found = self._fetch(preview=True)
        self._add(compare_app(self.plan, found, self.names))
        self._set_rights(found)
        self._deploy()

    def add(self, comparison: Comparison) -> None:
        """Add missing fields and views to a live app, and publish them."""
        self._require_published(comparison)
        self._add(compare_app(self.plan, self._fetch(preview=True), self.names))
        self._deploy()

    def _fetch(self, *, preview: bool) -> FoundApp:
        kintone, app_id = self.kintone, self.app_id
        return read_app(
            app_id,
            kintone.fetch_form_fields(app_id, preview=preview).content,
            kintone.fetch_views(app_id, preview=preview).content,
            kintone.fetch_record_rights(app_id, preview=preview).content,
            kintone.fetch_field_rights(app_id, preview=preview).content,
        )

    def _add(self, comparison: Comparison) -> None:
        if comparison.fields:
            fields = [render_field(each, self.names) for each in comparison.fields]
            self.kintone.add_form_fields(self.app_id, {each["code"]: each for each in fields})
            listed = ", ".join(each["code"] for each in fields)
            self.tell(Reason("setup_fields_added", {"app": self.app_id, "fields": listed}))
        if comparison.views:
            views = dict(self.kintone.fetch_views(self.app_id, preview=True).content)
            added = [render_view(each, self.names, len(views) + index) for index, each in enumerate(comparison.views)]
            self.kintone.update_views(self.app_id, views | {each["name"]: each for each in added})
            listed = ", ".join(each["name"] for each in added)
            self.tell(Reason("setup_views_added", {"app": self.app_id, "views": listed}))

    def _set_rights(self, found: FoundApp) -> None:
        rights = plan_record_rights(self.names, found.creator_code)
        if [("", list(rights))] != [(condition, list(given)) for condition, given in found.record_rights]:
            self.kintone.update_record_rights(self.app_id, render_record_rights(rights))
            self.tell(Reason("setup_record_rights_set", {"app": self.app_id, "group": self.names.admin_group}))
        closed = plan_field_rights(self.plan, self.names)
        if any(list(found.field_rights.get(code, ())) != list(given) for code, given in closed.items()):
            self.kintone.update_field_rights(self.app_id, render_field_rights({**found.field_rights, **closed}))
            self.tell(Reason("setup_field_rights_set", {"app": self.app_id, "fields": ", ".join(closed)}))

    def _deploy(self) -> None:
        self.kintone.deploy([self.app_id])
        self.tell(Reason("setup_deployed", {"app": self.app_id}))

    def _require_published(self, comparison: Comparison) -> None:
        """What waits to be published may only be what an earlier run of ours has added."""
        ours = {self.names.code(each.name) for each in comparison.fields}
        views = {name for each in comparison.views for name in each.label}
        kintone, app_id = self.kintone, self.app_id
        rights = (kintone.fetch_record_rights, kintone.fetch_field_rights, kintone.fetch_app_rights)
        same = (
            _without(kintone.fetch_form_fields(app_id, preview=True).content, ours)
            == _without(kintone.fetch_form_fields(app_id).content, ours)
            and _without(kintone.fetch_views(app_id, preview=True).content, views)
            == _without(kintone.fetch_views(app_id).content, views)
            and all(fetch(app_id, preview=True).content == fetch(app_id).content for fetch in rights)
        )
        if not same:
            raise SetUpError(Reason("setup_unpublished", {"app": app_id}))


def _without(definitions: Mapping[str, Any], codes: Iterable[str]) -> dict[str, Any]:
    return {code: definition for code, definition in definitions.items() if code not in set(codes)}
