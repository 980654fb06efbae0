"""Print the IAM policy that the portal's role needs."""

import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncer.connections import ownership_tag
from syncer.gateways.aws_permissions import Company, Scope, build_policy


class Command(BaseCommand):
    help = "Print the least that the portal's role needs, as an IAM policy: read, full, or adopt (beside full)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scope", choices=[scope.value for scope in Scope])
        parser.add_argument("--management-account", metavar="ID", default="", help="its 12 digits; full needs it")
        parser.add_argument("--partition", default="aws", help="aws, aws-cn, aws-us-gov ...")

    def handle(self, *_args: Any, **options: Any) -> None:
        scope, account = Scope(options["scope"]), options["management_account"]
        if scope is Scope.FULL and not re.fullmatch(r"\d{12}", account):
            raise CommandError("full needs --management-account with its 12 digits.", returncode=2)
        tag = ownership_tag()
        company = Company((tag[0], tag[1]), account, options["partition"])
        self.stdout.write(json.dumps(build_policy(scope, company), ensure_ascii=False, indent=2))
