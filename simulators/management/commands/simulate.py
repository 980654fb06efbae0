"""`manage.py simulate kintone|aws|entra`: one service of the sample company on a port of this machine."""

import json
import signal
import threading
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from simulators.company.entra import DEFAULT_PORT
from simulators.company.services import SERVICES, Running
from simulators.kintone import KintoneWorld

_DESCRIPTION = """Serve a local stand-in of kintone, AWS or Entra ID with the data of the sample company.

It speaks the real protocol over HTTP on the loopback interface until Ctrl-C or SIGTERM. When it is ready, it prints
exactly one line on standard output, a JSON object:

  all      simulator, url, environment (the variables that point the portal at it)
  kintone  apps, tokens (permission_sets, assignments, users), username, password (everybody's)
  aws      region, access_key_id, secret_access_key, instance_arn, identity_store_id, management_account_id,
           delegated_account_id, accounts (id: name), scim (url, token: people come and go by it)
  entra    authority_host, tenant_id, client_id, client_secret, people (upn, name, oid, roles), cast (whom to try)

It needs no database and no settings. Ids, tokens and keys are the same at every start; they open nothing but this.
"""

_EXAMPLES = """examples:
  manage.py simulate kintone --port 8081
  curl -H "X-Cybozu-API-Token: $TOKEN" "http://localhost:8081/k/v1/records.json?app=2"
  manage.py simulate aws --port 8082 --state var/aws.json
  AWS_ENDPOINT_URL=http://localhost:8082 aws sso-admin list-instances
"""


class Command(BaseCommand):
    help = "Serve a local stand-in of kintone, AWS or Entra ID with the data of the sample company."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.description, parser.epilog = _DESCRIPTION, _EXAMPLES
        parser.add_argument("service", choices=sorted(SERVICES))
        parser.add_argument("--port", type=int, default=0, help="port on localhost (default: a free one)")
        parser.add_argument(
            "--state", type=Path, help="go on with the world in this file if it exists, and save every change there"
        )
        parser.add_argument(
            "--empty", action="store_true", help="begin with ids, keys and apps, but no records, accounts or people"
        )
        parser.add_argument(
            "--portal-port",
            type=int,
            default=DEFAULT_PORT,
            help=f"entra: where the portal runs on localhost, for its redirect URI (default: {DEFAULT_PORT})",
        )

        parser.add_argument("--away", type=Path, help="while this file exists, answer 503 as in a maintenance")
        parser.add_argument(
            "--webhook", default="", help="kintone: an address that hears of every event in all apps, and no other does"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_received: stopped.set())
        running = self._start(options)
        try:
            self.stdout.write(json.dumps(running.connection, ensure_ascii=False))
            self.stdout.flush()
            stopped.wait()
        finally:
            running.stop()

    def _start(self, options: dict[str, Any]) -> Running:
        service, state = SERVICES[options["service"]], options["state"]
        try:
            world = service.open(state=state, portal_port=options["portal_port"], is_empty=options["empty"])
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{state} holds no saved {options['service']}. Remove it to begin anew.") from error
        if options["webhook"]:
            if not isinstance(world, KintoneWorld):
                raise CommandError(f"{options['service']} has no webhooks that could be set here.")
            world.set_webhook(options["webhook"])
        try:
            return service.start(world, port=options["port"], state=state, away=options["away"])
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error.strerror}.") from error
