"""Our profiles into a config that somebody has already: his own sections stay as they are, ours are one block. Pure.

The block stands between two marks and is replaced as a whole, so what a person may enter no more goes with it. A
section of his own that bears a name of ours stays and counts; ours is then left out, because the AWS CLI refuses a file
with two sections of one name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accounts.cli.rendering import SESSION_NAME, Section

BEGIN = "# >>> genkan: replaced as a whole, keep your own sections outside >>>"
END = "# <<< genkan <<<"
_HEADER = re.compile(r"\[(?P<header>[^\]]+)\]")
Values = Mapping[str, str]


@dataclass(frozen=True)
class Merged:
    """The new file and how it differs: headers of sections.

    kept: bear a name of ours and are the person's own; `differ` are those of them that say something else than ours.
    """

    text: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        return not (self.added or self.changed or self.removed)


class Unfinished(ValueError):
    """A mark of the block has lost its counterpart, so nobody can tell what is ours."""


def merge(current: str, sections: Sequence[Section]) -> Merged:
    """What the file says with our sections in it. Raises Unfinished. Line ends stay as they are."""
    newline = "\r\n" if "\r\n" in current else "\n"
    lines = current.replace("\r\n", "\n").split("\n")
    before, ours, after = _cut(lines)
    own, old = read_sections([*before, *after]), read_sections(ours)
    new = {section.header: dict(section.values) for section in sections if section.header not in own}
    wanted = {section.header: dict(section.values) for section in sections}
    block = "\n".join(section.render() for section in sections if section.header in new)
    parts = [*_trim(before), BEGIN, *block.rstrip("\n").split("\n"), END, *_trim(after)]
    text = newline.join(parts).strip(newline) + newline
    return Merged(
        text=text,
        added=tuple(header for header in new if header not in old),
        changed=tuple(header for header, values in new.items() if header in old and old[header] != values),
        removed=tuple(header for header in old if header not in new),
        kept=tuple(header for header in wanted if header in own),
        differ=tuple(header for header, values in wanted.items() if header in own and own[header] != values),
    )


def find_free_session(current: str, portal_url: str) -> str:
    """A name for our sso-session that no section of his own bears and leads elsewhere. Raises Unfinished."""
    before, _ours, after = _cut(current.replace("\r\n", "\n").split("\n"))
    own, name, number = read_sections([*before, *after]), SESSION_NAME, 2
    while own.get(f"sso-session {name}", {}).get("sso_start_url", portal_url) != portal_url:
        name, number = f"{SESSION_NAME}-{number}", number + 1
    return name


def _cut(lines: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The lines before our block, those in it, and those behind it."""
    begins, ends = (_find(lines, mark) for mark in (BEGIN, END))
    if not begins and not ends:
        return list(lines), [], []
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise Unfinished
    return list(lines[: begins[0]]), list(lines[begins[0] + 1 : ends[0]]), list(lines[ends[0] + 1 :])


def _find(lines: Iterable[str], mark: str) -> list[int]:
    """Lines that are this mark; what stands behind its first words is for people and may have been edited."""
    start = " ".join(mark.split()[:3])
    return [number for number, line in enumerate(lines) if line.strip().startswith(start)]


def _trim(lines: Sequence[str]) -> list[str]:
    """The lines with one empty line towards our block, and none where there is nothing."""
    text = "\n".join(lines).strip("\n")
    return ["", *text.split("\n"), ""] if text.strip() else []


def read_sections(lines: Iterable[str]) -> Mapping[str, Values]:
    """Header → its values, as botocore reads them: one level, `key = value`, comments at the beginning of a line."""
    found: dict[str, dict[str, str]] = {}
    header = ""
    for line in lines:
        if match := _HEADER.match(line):
            header = " ".join(match["header"].replace('"', " ").replace("'", " ").split())
            found.setdefault(header, {})
        elif header and (pair := _read_pair(line)):
            found[header][pair[0]] = pair[1]
    return found


def _read_pair(line: str) -> tuple[str, str] | None:
    """An indented line belongs to the value above, which no section of ours has."""
    if line[:1] in ("#", ";", " ", "\t", ""):
        return None
    key, sign, value = line.partition("=")
    return (key.strip().lower(), value.strip()) if sign else None
