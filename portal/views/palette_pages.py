"""The portal's own pages as the palette finds them: by their names in both languages, and by what people call them."""

from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import may_change
from accounts.models import User
from accounts.palette.words import tokenise
from accounts.palette.world import Entry, Kind


class Page(NamedTuple):
    """One page. aliases: other words for it, each found as a whole."""

    url_name: str
    word: str | Promise
    icon: str
    aliases: str = ""


_EVERYBODY = (
    Page("my_access", _("My access"), "door-open", "home ホーム トップ"),
    Page("shortcut_list", _("Shortcuts"), "bookmark", "links リンク"),
    Page("account_list", _("Accounts"), "cloud", "aws アカウント一覧"),
    Page("permission_set_list", _("Permission sets"), "key-square", "roles ロール 権限"),
    Page("person_list", _("People"), "user-round", "members users ユーザー 人"),
    Page("group_list", _("Groups"), "users", "teams チーム"),
    Page("assignment_list", _("All access"), "list", "assignments 割当 割り当て"),
    Page("problem_list", _("Problems"), "triangle-alert", "errors エラー"),
    Page("run_list", _("Sync"), "refresh-cw", "runs 実行 反映"),
    Page("guardrail_list", _("Guardrails"), "shield", "rules ルール 制限"),
    Page("what_if", _("What a rule would touch"), "flask-conical", "what-if 試す"),
    Page("why", _("Find out why"), "circle-question-mark", "why なぜ 入れない denied"),
    Page("cli", _("Set up the AWS CLI"), "square-terminal", "config profile sso プロファイル コマンド"),
    Page("token_list", _("Access tokens"), "key-round", "pat api key"),
    Page("draft_list", _("Drafts"), "file-clock", "waiting 保存待ち"),
    Page("activity", _("Activity"), "history", "audit log 監査 証跡"),
    Page("api_v1:api-root", _("JSON API"), "braces", "openapi rest"),
)
_WRITERS = (
    Page("new_assignment", _("Give access"), "plus", "give grant add 付与 申請 追加"),
    Page("new_shortcut", _("Make a shortcut"), "bookmark-plus", "link builder リンク"),
    Page("new_permission_set", _("New permission set"), "key-square", "create role 作成"),
)
_OVERSEERS = (Page("terraform", _("Terraform"), "blocks", "hcl management account 管理アカウント"),)
_ADMINS = (
    Page("doctor", _("Doctor"), "stethoscope", "health check 診断"),
    Page("admin:index", _("Administration"), "settings", "admin 設定 settings"),
)


def list_pages(user: User) -> Iterator[Entry]:
    """Those that he may open."""
    for page in (*_EVERYBODY, *_iter_for(user)):
        yield _build_entry(page, reverse(page.url_name))
    if user.person_id:
        own = Page("person_detail", _("My page"), "user-round", "me profile 自分")
        yield _build_entry(own, reverse(own.url_name, args=[user.person_id]))


def _iter_for(user: User) -> Iterator[Page]:
    """What not everybody may open."""
    yield from _WRITERS if may_change(user) else ()
    yield from _OVERSEERS if user.may_see_everything else ()
    yield from _ADMINS if user.is_staff else ()


def _build_entry(page: Page, href: str) -> Entry:
    texts = [tokenise(str(page.word)), *_list_words(page.word), *map(tokenise, page.aliases.split())]
    return Entry(Kind.PAGE, str(page.word), "", href, tuple(dict.fromkeys(texts)), page.icon)


def _list_words(word: str | Promise) -> Iterator[str]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            yield tokenise(str(word))
