"""Put back what a settings file holds."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.sentences import render
from syncer.backup.document import NotReadable, parse_document
from syncer.backup.importing import Placed, Refused, import_settings
from syncer.states import Reason

UNPLACED = 3  # exit code: done, but not everything has its place here


class Command(BaseCommand):
    help = "Put back what export_settings has written: all of it or nothing. Exit code 3: something was left out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--check", action="store_true", help="only say what it would do")
        parser.add_argument(
            "--replace", action="store_true", help="on a portal that is at work: the file goes before what is there"
        )
        parser.add_argument(
            "--give-back",
            action="store_true",
            help="on a portal that is at work: also add what gives rights, which may have been taken away since",
        )
        parser.add_argument(
            "--force", action="store_true", help="take the file of another company or of a newer Genkan all the same"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        with translation.override(settings.LANGUAGE_CODE):
            placed = _import(options)
            for line in _iter_lines(placed):
                self.stdout.write(line)
            if options["check"]:
                self.stdout.write(_("Nothing was changed: this was only a check."))
        if any(each.unplaced or each.held_back for each in placed):
            sys.exit(UNPLACED)


def _import(options: dict[str, Any]) -> list[Placed]:
    try:
        text = Path(options["file"]).read_text(encoding="utf-8")
        document = parse_document(text, any_version=options["force"])
        return import_settings(
            document,
            checks=options["check"],
            replaces=options["replace"],
            gives_back=options["give_back"],
            forces=options["force"],
        )
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{options['file']}: {error}") from error
    except NotReadable as error:
        raise CommandError(_say([error.reason])) from error
    except Refused as error:
        raise CommandError(_say(error.reasons)) from error


def _say(reasons: Iterable[Reason]) -> str:
    said = [render(reason.code, reason.params) for reason in reasons]
    remedies = dict.fromkeys(each.remedy for each in said if each.remedy)
    return "\n".join([*(each.message for each in said), *remedies])


def _iter_lines(placed: Iterable[Placed]) -> Iterable[str]:
    for each in placed:
        counts = _("%(name)s: added %(added)d, changed %(changed)d, removed %(removed)d, as it was %(same)d")
        if found := each.count():
            yield counts % ({"name": each.name, "added": 0, "changed": 0, "removed": 0, "same": 0} | found)
        for mark, text, names in _iter_kinds(each):
            for name in names:
                yield f"  {mark} " + text % {"name": name}


def _iter_kinds(placed: Placed) -> Iterable[tuple[str, str, list[str]]]:
    yield "+", "%(name)s", placed.added_rows
    yield "~", "%(name)s", placed.changed_rows
    yield "-", "%(name)s", placed.removed_rows
    yield "=", _("otherwise here, and left: %(name)s"), placed.left
    yield "!", _("left out, may have been taken away since (--give-back adds it): %(name)s"), placed.held_back
    yield "?", _("what it is about is not here: %(name)s"), placed.unplaced
