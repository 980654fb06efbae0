#!/usr/bin/env python3
"""Genkan's command line: `python manage.py help` lists what it can do."""

import json
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from syncer.shapes import build_failed_report


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A setting that is wrong stops the start with its name; nobody needs a traceback for that.
        if sys.argv[1:2] in (["plan"], ["sync"]) and "--json" in sys.argv:
            sys.stdout.write(json.dumps(build_failed_report(str(error)), ensure_ascii=False) + "\n")
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
