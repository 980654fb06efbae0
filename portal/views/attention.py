"""What needs somebody's attention, kind by kind: a few of each, how many there are, and the one step that helps.

Of the whole company as far as one may see it, or of what is one's own: one's access, records and accounts. Nothing is
counted past a limit: whether 300 or 3,000 wait makes no difference to what is done about it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from django.db.models import Model, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.kept_shortcuts import find_broken, find_editable
from accounts.models import Account, AccountMove, AppKind, Assignment, Draft, Record, User, Wish, Withheld
from accounts.models.access import AssignmentQuerySet
from accounts.models.records import DraftQuerySet
from accounts.sentences import render_reason
from portal.templatetags.genkan import format_day
from portal.views.account_filter import list_accounts, sort_ownerless
from portal.views.definitions import describe_record, name_record
from portal.views.values import show_field

Row = TypeVar("Row", bound=Model)
SHOWN = 5  # of a kind
MOST = 99  # what is counted
SOON = timedelta(days=7)
_UNUSED = timedelta(minutes=15)  # a draft that is on its way for longer needs somebody


@dataclass(frozen=True)
class Item:
    """One thing: what it is, what is the matter, and the step with the address that does it."""

    text: str
    detail: str
    step: str
    url: str


@dataclass(frozen=True)
class Matter:
    """One kind of things. `count` goes up to MOST + 1, which means more; `all_url` leads to the whole list."""

    kind: str
    word: str | Promise
    icon: str
    tone: str
    items: Sequence[Item]
    count: int
    all_url: str = ""

    @property
    def shown_count(self) -> str:
        return f"{MOST}+" if self.count > MOST else str(self.count)

    @property
    def has_more(self) -> bool:
        return self.count > len(self.items)


@dataclass(frozen=True)
class Scope:
    """Whose matters: those of the company that the user may see, or his own; `of_others`: without his own access."""

    user: User
    is_mine: bool = False
    of_others: bool = False

    def assignments(self) -> AssignmentQuerySet:
        if not self.is_mine:
            return access.visible_assignments(self.user)
        found = access.concerned_assignments(self.user)
        return found.exclude(principal__in=access.find_principals(self.user).values("pk")) if self.of_others else found

    def accounts(self) -> QuerySet[Account]:
        if self.is_mine:
            return access.owned_accounts(self.user).filter(gone_at__isnull=True)
        return list_accounts(self.user)

    def troubled_records(self) -> Q:
        """Records with problems or withheld values, as a condition on what belongs to one."""
        if not self.is_mine and access.sees_everything(self.user):
            return Q()
        if not self.is_mine:
            return access.about_troubled(self.user)
        own = access.find_own_records(self.user).values("pk")
        return Q(record__in=own) | Q(record__in=access.list_troubled(self.user))

    def drafts(self) -> DraftQuerySet:
        return Draft.objects.filter(author=self.user) if self.is_mine else Draft.objects.visible_to(self.user)


def list_matters(scope: Scope) -> list[Matter]:
    """All kinds of which there is something, the worst first."""
    orphaned, unowned = _list_ownerless(scope)
    found = [
        _list_failed(scope), orphaned, _list_withheld(scope), _list_moves(scope), _list_waiting(scope),
        _list_expiring(scope), _list_drafts(scope), _list_shortcuts(scope), unowned,
    ]  # fmt: skip
    return [matter for matter in found if matter.count]


def list_own_matters(user: User) -> list[Matter]:
    """What stands on the home page beside one's own access and problems: what others have by one's records or in one's
    accounts, withheld values, moves, drafts, broken shortcuts.
    """
    scope = Scope(user, is_mine=True, of_others=True)
    builders: tuple[Callable[[Scope], Matter], ...] = (
        _list_withheld, _list_moves, _list_drafts, _list_shortcuts,
    )  # fmt: skip
    if access.list_owned(user) or access.find_own_records(user).exists():
        builders = (_list_failed, *builders, _list_waiting, _list_expiring)
    return [matter for build in builders if (matter := build(scope)).count]


def _list_failed(scope: Scope) -> Matter:
    return _list_assignments(
        scope, "failed", gettext_lazy("Failed assignments"), ("triangle-alert", "shu"),
        Q(state=Assignment.State.FAILED), "?state=failed",
    )  # fmt: skip


def _list_waiting(scope: Scope) -> Matter:
    return _list_assignments(
        scope, "waiting", gettext_lazy("People who wait for Identity Center"), ("clock", "odo"),
        Q(state=Assignment.State.WAITING), "?state=waiting",
    )  # fmt: skip


def _list_assignments(
    scope: Scope, kind: str, word: str | Promise, look: tuple[str, str], condition: Q, query: str
) -> Matter:
    keys = _take_keys(scope.assignments().filter(condition).order_by("-since", "pk"))
    items = [Item(_name(row), _explain(row), _("See why"), _find_record_page(row)) for row in _load_shown(keys)]
    return _build(kind, word, look, keys, items, "" if scope.is_mine else f"{reverse('assignment_list')}{query}")


def _list_expiring(scope: Scope) -> Matter:
    today = timezone.localdate()
    ending = scope.assignments().filter(expires_on__gte=today, expires_on__lte=today + SOON, in_aws=True)
    keys = _take_keys(ending.order_by("expires_on", "pk"))
    items = [
        Item(_name(row), _tell_last_day(row.expires_on), _("Extend"), _find_record_page(row, "extend_record"))
        for row in _load_shown(keys)
    ]
    all_url = "" if scope.is_mine else f"{reverse('assignment_list')}?ends=7"
    return _build("expiring", gettext_lazy("Access that ends this week"), ("hourglass", "odo"), keys, items, all_url)


def _list_withheld(scope: Scope) -> Matter:
    open_rows = Withheld.objects.filter(
        scope.troubled_records(), confirmed_at__isnull=True, record__gone_at__isnull=True
    )
    rows = _take(open_rows.select_related("record").order_by("-since", "pk"))
    accounts = _load_accounts(row.record for row in rows[:SHOWN])
    items = [
        Item(
            f"{name_record(row.record, accounts.get(_account_of(row.record)))}: {_show_value(row.value)}",
            sentence.message if (sentence := render_reason(row.reason)) else "",
            _("Look and confirm"),
            _find_edit_page(row.record),
        )
        for row in rows[:SHOWN]
    ]
    return _build("withheld", gettext_lazy("Values that are withheld"), ("hand", "odo"), rows, items)


def _account_of(record: Record) -> str:
    return str((record.in_force or {}).get("account_id", ""))


def _load_accounts(records: Iterable[Record]) -> dict[str, Account]:
    return Account.objects.in_bulk({_account_of(record) for record in records} - {""}, field_name="account_id")


def _list_moves(scope: Scope) -> Matter:
    moves = AccountMove.objects.open().filter(account__in=scope.accounts().values("pk"))
    rows = _take(moves.select_related("account").order_by("-moved_at", "pk"))
    items = [
        Item(row.account.name, f"{row.old_path} → {row.new_path}", _("See and confirm"),
             reverse("account_moves", args=[row.account.account_id]))
        for row in rows[:SHOWN]
    ]  # fmt: skip
    return _build("moves", gettext_lazy("Accounts that were moved"), ("move-right", "odo"), rows, items)


def _list_drafts(scope: Scope) -> Matter:
    late = Q(state=Draft.State.WAITING, created_at__lt=timezone.now() - _UNUSED)
    stuck = scope.drafts().open().filter(late | ~Q(state=Draft.State.WAITING))
    rows = _take(stuck.select_related("record", "author").order_by("-updated_at", "pk"))
    items = [
        Item(
            describe_record(row.record) if row.record else str(row.get_kind_display()),
            f"{row.get_state_display()} · {row.author}",
            _("Finish it"),
            reverse("draft_detail", args=[row.pk]),
        )
        for row in rows[:SHOWN]
    ]
    word = gettext_lazy("Drafts that did not get to kintone")
    return _build("drafts", word, ("file-clock", "odo"), rows, items, reverse("draft_list"))


def _list_shortcuts(scope: Scope) -> Matter:
    rows = _take(find_broken(scope.user, is_mine=scope.is_mine).order_by("name", "pk"))
    editable = find_editable(scope.user, rows[:SHOWN])
    items = [
        Item(
            f"{row.name} · {row.account.name}",
            sentence.message if (sentence := render_reason(row.problem)) else "",
            _("Mend it") if row.pk in editable else _("See it"),
            reverse("edit_shortcut", args=[row.pk]) if row.pk in editable else reverse("go", args=[row.slug]),
        )
        for row in rows[:SHOWN]
    ]
    word = gettext_lazy("Shortcuts that lead nowhere")
    return _build("shortcuts", word, ("bookmark", "odo"), rows, items, reverse("shortcut_list"))


def _list_ownerless(scope: Scope) -> list[Matter]:
    """Nobody's own matter: whoever owns an account is there."""
    found = {} if scope.is_mine else sort_ownerless()
    return [
        _list_accounts(scope, "orphaned", gettext_lazy("Accounts whose owners have left"), ("user-x", "shu"), found),
        _list_accounts(
            scope, "unowned", gettext_lazy("Accounts without owners"), ("circle-question-mark", "odo"), found
        ),
    ]


def _list_accounts(
    scope: Scope, kind: str, word: str | Promise, look: tuple[str, str], found: Mapping[str, Collection[str]]
) -> Matter:
    ids = found.get(kind, ())
    named = scope.accounts().filter(account_id__in=ids).select_related("ou").order_by("name", "pk")
    rows: list[Account] = _take(named) if ids else []
    address, step = ("account_owners", _("Name an owner")) if scope.user.is_staff else ("account_detail", _("See it"))
    items = [Item(row.name, str(row.ou or ""), step, reverse(address, args=[row.account_id])) for row in rows[:SHOWN]]
    return _build(kind, word, look, rows, items, f"{reverse('account_list')}?kind={kind}")


def _take(rows: QuerySet[Row]) -> list[Row]:
    return list(rows[: MOST + 1])


def _build(
    kind: str,
    word: str | Promise,
    look: tuple[str, str],
    rows: Sequence[object],
    items: Sequence[Item],
    all_url: str = "",
) -> Matter:
    return Matter(kind, word, *look, items, len(rows), all_url)


def _take_keys(assignments: AssignmentQuerySet) -> list[int]:
    """Those that are counted: of most of them nothing else is needed."""
    return list(assignments.values_list("pk", flat=True)[: MOST + 1])


def _load_shown(keys: Sequence[int]) -> list[Assignment]:
    """The first few, with all that is said of them."""
    shown = keys[:SHOWN]
    wishes = Wish.objects.filter(is_current=True).select_related("record").order_by("record_id")
    rows = Assignment.objects.filter(pk__in=shown).with_places().prefetch_related(Prefetch("wishes", wishes))
    return sorted(rows, key=lambda row: shown.index(row.pk))


def _name(row: Assignment) -> str:
    return f"{row.principal} · {row.permission_set} · {row.account}"


def _show_value(value: str) -> str:
    """“+kintone_user:hana” without where the name was written; a field by what people call it."""
    _source, _colon, name = value.lstrip("+-").partition(":")
    return name or show_field(value.lstrip("+-"))


def _explain(row: Assignment) -> str:
    reason = render_reason(row.reason)
    return reason.message if reason else ""


def _tell_last_day(day: date | None) -> str:
    return _("Ends on %(day)s.") % {"day": format_day(day)} if day else ""


def _find_record_page(row: Assignment, address: str = "assignment_record") -> str:
    """The first record that wants it; where none does, the account."""
    record = next((wish.record for wish in row.wishes.all() if wish.record.gone_at is None), None)
    return reverse(address, args=[record.pk]) if record else reverse("account_detail", args=[row.account.account_id])


def _find_edit_page(record: Record) -> str:
    if record.kind == AppKind.ASSIGNMENT:
        return reverse("edit_assignment", args=[record.pk])
    return reverse("record_redirect", args=[record.app_id, record.record_id])
