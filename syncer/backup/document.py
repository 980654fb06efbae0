"""The settings file: one JSON document, with natural keys only, a format of its own, and no secret. Pure.

Entries are sorted and written a field a line, so that two nights compare with any diff.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from syncer.states import Reason

NAME = "genkan-settings"
VERSION = 1
"""Of the format. A reader takes older ones: what is new in it is new with a default."""

Entry = dict[str, Any]


class NotReadable(Exception):
    """The text is no settings file, or not one for this program: the reason says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


class Difference(NamedTuple):
    """What the file says of the company it is of, and what is so here."""

    what: str
    there: Any
    here: Any


@dataclass(frozen=True)
class Document:
    """written_at: ISO 8601. company: what it is of, by name. sections: the entries by section."""

    written_at: datetime
    company: Mapping[str, str]
    sections: Mapping[str, list[Entry]]
    version: int = VERSION

    def render(self) -> str:
        head = {"format": NAME, "version": self.version, "written_at": self.written_at.isoformat()}
        whole = {**head, "company": dict(self.company), "sections": dict(self.sections)}
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"

    def compare(self, company: Mapping[str, str]) -> Iterator[Difference]:
        """Where the file is of another company, or another installation of kintone or Identity Center."""
        for name in sorted({*company, *self.company}):
            there, here = self.company.get(name, ""), company.get(name, "")
            if there != here:
                yield Difference(name, there, here)


def parse_document(text: str, *, any_version: bool = False) -> Document:
    """The inverse of `render`. Raises NotReadable; `any_version` takes a newer format at its word."""
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise NotReadable(Reason("backup_broken", {"text": str(error)})) from error
    if not isinstance(whole, dict) or whole.get("format") != NAME:
        raise NotReadable(Reason("backup_of_something_else"))
    version = whole.get("version")
    if not isinstance(version, int) or (version > VERSION and not any_version):
        raise NotReadable(Reason("backup_too_new", {"version": version, "known": VERSION}))
    return _build(whole, version)


def _build(whole: Mapping[str, Any], version: int) -> Document:
    try:
        written_at = datetime.fromisoformat(whole["written_at"])
        company, sections = whole["company"], whole["sections"]
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadable(Reason("backup_broken", {"text": repr(error)})) from error
    if written_at.tzinfo is None or not _is_mapping_of(company, str) or not _is_mapping_of(sections, list):
        raise NotReadable(Reason("backup_broken", {"text": "written_at, company, sections"}))
    for name, entries in sections.items():
        if not all(isinstance(entry, dict) for entry in entries):
            raise NotReadable(Reason("backup_broken", {"text": name}))
    return Document(written_at, company, sections, version)


def _is_mapping_of(value: Any, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(item, kind) for item in value.values())
