"""gunicorn's own lines, and one for each request that it answered, in the form of all others.

Addresses are logged without their query: it can hold a token. Probes that went well are left out: one comes every few
seconds, and says nothing.
"""

import logging.config
import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger

from accounts.tracing import working_on

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_PROBES = frozenset({"/healthz/live", "/healthz/ready", "/metrics"})


class ServerLog(Logger):
    """What `gunicorn.conf.py` names as gunicorn's logger."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        logging.config.dictConfig(settings.LOGGING)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        status, path = int(str(resp.status).split(maxsplit=1)[0]), str(req.path)
        if path in _PROBES and status < 400:
            return
        answered = {name.lower(): value for name, value in resp.headers}
        seconds = round(request_time.total_seconds(), 3)
        facts = {
            "method": req.method,
            "path": path,
            "status": status,
            "bytes": getattr(resp, "sent", None),
            "seconds": seconds,
            "peer": environ.get("REMOTE_ADDR", ""),
            "agent": environ.get("HTTP_USER_AGENT", ""),
        }
        with working_on(request_id=answered.get("x-request-id")):
            self.access_log.info("%s %s %s in %s s", req.method, path, status, seconds, extra=facts)
