"""What the CSV files of the lists hold. The rows come with what the cells need: no queries here."""

from collections.abc import Callable, Iterable, Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Account, Group, GroupMembership, PermissionSet, Person, Principal, Problem
from accounts.sentences import render
from portal.views.csv_lists import Column
from portal.views.definitions import describe_record
from portal.views.ownership import OwnerBook, Shown
from portal.views.states import show_permission_set
from portal.views.summaries import mark_level
from portal.views.values import show_field


def build_account_columns(book: OwnerBook) -> Sequence[Column[Account]]:
    """With the owners, whom the book knows of all the accounts."""
    return (*_ACCOUNTS, *_build_owner_columns(lambda account: book.show_account(account.account_id)))


def _build_owner_columns(show: Callable[[Account], Shown]) -> Iterable[Column[Account]]:
    yield Column(_("owners"), lambda row: [str(principal) for principal in show(row).owners])
    yield Column(_("owners by"), lambda row: unit.path if (unit := show(row).unit) else show(row).word)


_ACCOUNTS: Sequence[Column[Account]] = (
    Column(_("account id"), lambda row: row.account_id),
    Column(_("account"), lambda row: row.name),
    Column("OU", lambda row: row.ou and row.ou.path),
    Column(_("stage"), lambda row: row.get_stage_display()),
    Column(_("state"), lambda row: row.get_state_display()),
    Column(_("management account"), lambda row: row.is_management),
    Column(_("mail"), lambda row: row.email),
)

PERMISSION_SETS: Sequence[Column[PermissionSet]] = (
    Column(_("permission set"), lambda row: row.name),
    Column(_("description"), lambda row: row.description),
    Column(_("what it may do"), lambda row: (mark := mark_level(row)) and mark.word),
    Column(_("ownership"), lambda row: row.get_ownership_display()),
    Column(_("state"), lambda row: show_permission_set(row).word),
    Column(_("record"), lambda row: row.record and row.record.reference),
    Column("ARN", lambda row: row.arn),
)

PEOPLE: Sequence[Column[Person]] = (
    Column(_("name"), str),
    Column(_("mail"), lambda row: row.email),
    Column(_("user name"), lambda row: row.principal and _user_name(row.principal)),
    Column(_("kintone code"), lambda row: row.kintone_code),
    Column(_("in Identity Center"), lambda row: row.principal is not None and row.principal.is_provisioned),
    Column(_("enabled"), lambda row: row.principal is not None and row.principal.is_enabled),
)

PROBLEMS: Sequence[Column[Problem]] = (
    Column(_("severity"), lambda row: row.get_severity_display()),
    Column(_("record"), lambda row: row.record and row.record.reference),
    Column(_("title"), lambda row: row.record and describe_record(row.record)),
    Column(_("field"), lambda row: show_field(row.field) if row.field else ""),
    Column(_("line"), lambda row: row.line),
    Column(_("what is wrong"), lambda row: render(row.code, row.params).message),
    Column(_("what to do"), lambda row: render(row.code, row.params).remedy),
    Column(_("since"), lambda row: row.first_seen),
)

GROUPS: Sequence[Column[Group]] = (
    Column(_("group"), str),
    Column(_("in Identity Center"), lambda row: row.is_provisioned),
    Column(pgettext_lazy("column", "group id"), lambda row: row.principal_id),
)

MEMBERS: Sequence[Column[GroupMembership]] = (
    Column(_("name"), lambda row: str(row.member)),
    Column(_("user name"), lambda row: _user_name(row.member)),
    Column(_("mail"), lambda row: row.member.email),
    Column(_("in Identity Center"), lambda row: row.member.is_provisioned),
    Column(_("enabled"), lambda row: row.member.is_enabled),
)


def _user_name(principal: Principal) -> str:
    return "" if principal.is_group else principal.name
