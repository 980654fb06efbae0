"""Create or check the two kintone apps, with the credentials of somebody who administers them."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from accounts.sentences import render
from syncer.connections import connect_kintone_settings
from syncer.gateways.errors import Denied, GatewayError, Unauthenticated
from syncer.required import find_missing
from syncer.setup.blueprint import ADMINISTRATORS, ASSIGNMENT_APP, PERMISSION_SET_APP
from syncer.setup.setting_up import Notes, SettingUp, SetUp, SetUpError, Wanted
from syncer.setup.steps import list_steps
from syncer.states import Reason


class Command(BaseCommand):
    help = "Create the two kintone apps, or name everything in which those that are there fall short."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="add missing fields and views to apps that are live")
        parser.add_argument(
            "--admin-group",
            metavar="CODE",
            default=ADMINISTRATORS,
            help=f"the kintone group that may edit and delete every record (default: {ADMINISTRATORS})",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        with translation.override(settings.LANGUAGE_CODE):
            is_good = self._run(fix=options["fix"], admin_group=options["admin_group"])
        if not is_good:
            sys.exit(1)

    def _run(self, *, fix: bool, admin_group: str) -> bool:
        if missing := find_missing("kintone_setup"):
            self._say(Reason("settings_missing", {"text": " ".join(missing)}))
            return False
        try:
            outcome = self._set_up(fix=fix, admin_group=admin_group)
        except (GatewayError, SetUpError) as error:
            self._say(_explain(error))
            return False
        for line in list_steps(outcome.permission_set_app_id, outcome.assignment_app_id):
            self.stdout.write(line)
        return outcome.is_good

    def _set_up(self, *, fix: bool, admin_group: str) -> SetUp:
        with connect_kintone_settings(settings.KINTONE_USERNAME, settings.KINTONE_PASSWORD) as kintone:
            return SettingUp(
                kintone=kintone,
                notes=Notes(settings.VAR_DIR / "kintone-setup.json", settings.KINTONE_BASE_URL),
                tell=self._say,
                language=settings.LANGUAGE_CODE,
                admin_group=admin_group,
                fix=fix,
                is_writing=settings.SYNC_MODE == "apply",
                may_create=not settings.KINTONE_GUEST_SPACE_ID,
            ).run(
                Wanted(
                    PERMISSION_SET_APP,
                    "KINTONE_PERMISSION_SET_APP_ID",
                    settings.KINTONE_PERMISSION_SET_APP_ID,
                    settings.KINTONE_PERMISSION_SET_FIELDS,
                ),
                Wanted(
                    ASSIGNMENT_APP,
                    "KINTONE_ASSIGNMENT_APP_ID",
                    settings.KINTONE_ASSIGNMENT_APP_ID,
                    settings.KINTONE_ASSIGNMENT_FIELDS,
                ),
            )

    def _say(self, reason: Reason) -> None:
        self.stdout.write(render(reason.code, reason.params).text)
        self.stdout.flush()


def _explain(error: GatewayError | SetUpError) -> Reason:
    """Where the gateway speaks of tokens, a user with a password is meant here."""
    if isinstance(error, Unauthenticated):
        return Reason("setup_sign_in_refused", {})
    if isinstance(error, Denied):
        return Reason("setup_no_right", error.reason.params)
    return error.reason
