"""The selection as the text of files; what they say to people is in the company's language.

Versions, provider and backend are the company's: these files go into a folder that has them. One selection gives one
text, to the byte: there is no time in it, and the order is that of names. The list of files is always the same, so that
nothing of an older export stays behind.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from accounts.sentences import render
from syncer.states import Reason
from syncer.terraform.hcl import Block, render_comment, render_file
from syncer.terraform.resources import (
    Part,
    build_assignments,
    build_instance,
    build_looked_up,
    build_principal,
    build_set,
    list_imports,
)
from syncer.terraform.selecting import ExportedAssignment, ExportedSet, LeftOut, Selection

INSTANCE, PRINCIPALS, SETS = "genkan_instance.tf", "genkan_principals.tf", "genkan_permission_sets.tf"
ASSIGNMENTS, IMPORTS, LEFT_OUT = "genkan_assignments.tf", "genkan_imports.tf", "genkan_left_out.tf"
FILES = (INSTANCE, PRINCIPALS, SETS, ASSIGNMENTS, IMPORTS, LEFT_OUT)


def render_files(selection: Selection) -> dict[str, str]:
    """Path → text, in the active language."""
    names = _Names(selection)
    sets = [_explain_set(exported, build_set(exported, selection.actual.instance)) for exported in selection.sets]
    in_sets = [part for parts in sets for part in parts]
    assignments = list(_explain_assignments(selection, names))
    looked_up = map(build_looked_up, selection.looked_up)
    blocks: dict[str, Iterable[Block]] = {
        INSTANCE: build_instance(),
        PRINCIPALS: map(build_principal, selection.principals),
        SETS: [*looked_up, *(part.block for part in in_sets)],
        ASSIGNMENTS: [part.block for part in assignments],
        IMPORTS: list_imports([*in_sets, *assignments]),
    }
    files = {path: render_file(_head_of(path), blocks[path]) for path in blocks}
    return files | {LEFT_OUT: _render_left_out(selection, names)}


def _head_of(path: str) -> list[str]:
    words = {
        INSTANCE: _("The instance of IAM Identity Center. Use these files with the management account's credentials."),
        PRINCIPALS: _("Users and groups, looked up by their names in Identity Center."),
        SETS: _("Permission sets with their policies."),
        ASSIGNMENTS: _("Who may enter which account with which permission set."),
        IMPORTS: _("What AWS has already. Needs Terraform 1.5 or newer; once applied, these blocks do nothing more."),
        LEFT_OUT: _("What is not in these files, and why."),
    }
    note = _("Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.")
    return [words[path], note]


class _Names:
    """What people call accounts and principals."""

    def __init__(self, selection: Selection) -> None:
        self._accounts, self._principals = selection.actual.accounts, selection.actual.principals

    def account(self, account_id: str) -> str:
        account = self._accounts.get(account_id)
        return account.name if account else account_id

    def principal(self, principal_id: str) -> str:
        principal = self._principals.get(principal_id)
        if principal is None:
            return principal_id
        is_said = principal.display_name and principal.display_name != principal.name
        return f"{principal.display_name} ({principal.name})" if is_said else principal.name

    def place(self, account_id: str, permission_set: str) -> str:
        return f"{self.account(account_id)} ({account_id}) × {permission_set}"


# --- Comments ---------------------------------------------------------------------------------------------------------


def _explain_set(exported: ExportedSet, parts: Iterable[Part]) -> list[Part]:
    first, *others = parts
    if exported.reason:
        lines = [_("As AWS has it: %(reason)s") % {"reason": say(exported.reason)}]
    else:
        lines = [_("Wanted by %(records)s.") % {"records": exported.record}]
    return [_with_comment(first, lines), *others]


def _explain_assignments(selection: Selection, names: _Names) -> Iterator[Part]:
    for exported, part in zip(selection.assignments, build_assignments(selection), strict=True):
        key = exported.key
        who = f"{names.account(key.target_id)} × {key.permission_set}: {names.principal(key.principal_id)}"
        yield _with_comment(part, [who, *_explain_wish(exported)])


def _explain_wish(exported: ExportedAssignment) -> Iterator[str]:
    records = ", ".join(exported.records)
    if records and exported.last_day:
        day = exported.last_day.isoformat()
        yield _("Wanted by %(records)s, the last day is %(day)s.") % {"records": records, "day": day}
    elif records:
        yield _("Wanted by %(records)s.") % {"records": records}


def _with_comment(part: Part, lines: Iterable[str]) -> Part:
    return part._replace(block=replace(part.block, comment=tuple(lines)))


# --- What is left out -------------------------------------------------------------------------------------------------


def _render_left_out(selection: Selection, names: _Names) -> str:
    lines = [*map(render_comment, _head_of(LEFT_OUT)), *_list_left_out(selection, names)]
    return "\n".join(lines) + "\n"


def _list_left_out(selection: Selection, names: _Names) -> Iterator[str]:
    sections = {
        _("Wanted in kintone, and left out:"): [
            line for item in selection.left_out for line in _describe_left_out(item, names)
        ],
        _("In AWS, and in no record. Terraform leaves alone what it has not made or imported:"): [
            _list_item(f"{names.place(key.target_id, key.permission_set)}: {names.principal(key.principal_id)}")
            for key in selection.strangers
        ],
        _("Attached in AWS, and not in the set's record. What Terraform has not imported, detach by hand:"): [
            _list_item(line) for exported in selection.sets for line in _describe_surplus(exported)
        ],
    }
    if not any(sections.values()):
        yield from ("#", render_comment(_("Nothing: all that is wanted is exported, and AWS has nothing else.")))
    for title, lines in sections.items():
        if lines:
            yield from ("#", render_comment(title), *lines)


def _list_item(text: str) -> str:
    return render_comment(f"- {text}")


def _describe_left_out(item: LeftOut, names: _Names) -> Iterator[str]:
    """The wish, and below it why it is left out and what to do."""
    yield _list_item(f"{names.place(item.target_id, item.permission_set)}: {item.who} [{', '.join(item.records)}]")
    sentence = render(item.reason.code, item.reason.params)
    yield from (render_comment(line, margin="  ") for line in (sentence.message, sentence.remedy) if line)


def _describe_surplus(exported: ExportedSet) -> Iterator[str]:
    words = {"inline_policy": _("inline policy"), "permissions_boundary": _("permissions boundary")}
    for policy in (*exported.surplus, *(words[name] for name in exported.loses)):
        yield f"{exported.name}: {policy}"


def say(reason: Reason) -> str:
    """The sentence with its way out."""
    return render(reason.code, reason.params).text
