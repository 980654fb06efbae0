#!/usr/bin/env python3
"""Genkan's command line: `python manage.py help` lists what it can do."""

import json
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands

from portal.doctor.reports import build_failed_start, set_aside
from syncer.shapes import build_failed_report

# What a command prints with --json where it could not begin.
_REPORTS = {"plan": build_failed_report, "sync": build_failed_report, "doctor": build_failed_start}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        _execute(command)
    except ImproperlyConfigured as error:
        # A setting that is wrong stops the start with its name; nobody needs a traceback for that.
        build_report = _REPORTS.get(command) if "--json" in sys.argv else None
        if build_report:
            sys.stdout.write(json.dumps(build_report(str(error)), ensure_ascii=False) + "\n")
        sys.exit(f"{error}")


def _execute(command: str) -> None:
    """Run the command; the doctor without the settings that are wrong, which it then names beside everything else."""
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if command != "doctor" or not set_aside(str(error), os.environ):
            raise
        get_commands.cache_clear()  # without settings, Django knew its own commands only
        _execute(command)


if __name__ == "__main__":
    main()
