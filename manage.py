#!/usr/bin/env python3
"""Genkan's command line: `python manage.py help` lists what it can do."""

import json
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from portal.doctor.reports import build_failed_start
from syncer.shapes import build_failed_report

# What a command prints with --json where it could not begin.
_REPORTS = {"plan": build_failed_report, "sync": build_failed_report, "doctor": build_failed_start}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A setting that is wrong stops the start with its name; nobody needs a traceback for that.
        build_report = _REPORTS.get(sys.argv[1]) if "--json" in sys.argv and len(sys.argv) > 1 else None
        if build_report:
            sys.stdout.write(json.dumps(build_report(str(error)), ensure_ascii=False) + "\n")
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
