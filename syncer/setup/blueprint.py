"""The two kintone apps as `manage.py kintone_setup` makes them: fields, views and rights. Pure.

It says how a good app looks; `schema` says what an app must have to be understood at all. A test holds the two
together.
Field codes are our names: who has others maps them, and `render` puts them in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS, AppSchema

ADMINISTRATORS = "Administrators"
"""The group of the domain's administrators, which every kintone has."""
EVERYONE = "everyone"
"""The group that everybody is in."""


class Label(NamedTuple):
    """A name people read, in the languages of the portal."""

    ja: str
    en: str

    def speak(self, language: str) -> str:
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True)
class FieldPlan:
    """One field. One that `looks_up` takes its values from the names of the permission set app."""

    name: str
    type: str
    label: Label
    is_required: bool = False
    is_unique: bool = False
    max_length: int | None = None
    looks_up: bool = False


@dataclass(frozen=True)
class ViewPlan:
    """One list of records. `condition` and `sort` are in kintone's query language, with our names in braces."""

    label: Label
    fields: tuple[str, ...]
    condition: str = ""
    sort: str = ""


@dataclass(frozen=True)
class AppPlan:
    """One app: what it is called and what it consists of.

    closed: fields that nobody fills in by hand, because the portal does.
    cleared: fields whose emptiness takes something away in AWS.
    """

    schema: AppSchema
    label: Label
    fields: tuple[FieldPlan, ...]
    views: tuple[ViewPlan, ...]
    closed: tuple[str, ...] = ()
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Entity:
    """Somebody whom rights are given to: a GROUP, all whom a field of the record names (FIELD_ENTITY) …"""

    type: str
    code: str


@dataclass(frozen=True)
class RecordRight:
    """What an entity may do with records."""

    entity: Entity
    may_view: bool = True
    may_edit: bool = False
    may_delete: bool = False


@dataclass(frozen=True)
class FieldRight:
    """What an entity may do with a field."""

    entity: Entity
    accessibility: str  # READ, WRITE or NONE


@dataclass(frozen=True)
class Names:
    """What the plan's names are in one company.

    codes: our field name → its field code, where they differ. language: of labels, ja or en.
    lookup_app_id, lookup_key: the permission set app, and the code of its field with the names.
    admin_group: code of the group that may edit and delete every record.
    """

    codes: Mapping[str, str] = field(default_factory=dict)
    language: str = "ja"
    lookup_app_id: str = ""
    lookup_key: str = "name"
    admin_group: str = ADMINISTRATORS

    def code(self, name: str) -> str:
        return self.codes.get(name, name)


def _text(name: str, ja: str, en: str, **more: Any) -> FieldPlan:
    return FieldPlan(name, "SINGLE_LINE_TEXT", Label(ja, en), **more)


def _lines(name: str, ja: str, en: str) -> FieldPlan:
    return FieldPlan(name, "MULTI_LINE_TEXT", Label(ja, en))


def _people(name: str, ja: str, en: str) -> FieldPlan:
    return FieldPlan(name, "USER_SELECT", Label(ja, en))


PERMISSION_SET_APP = AppPlan(
    schema=PERMISSION_SETS,
    label=Label("AWS許可セット", "AWS permission sets"),
    fields=(
        # 32 characters: AWS takes no longer name (sso-admin CreatePermissionSet).
        _text("name", "許可セット名", "Permission set", is_required=True, is_unique=True, max_length=32),
        _text("description", "説明", "Description"),
        _text("session_duration", "セッション時間", "Session duration"),
        _text("relay_state", "リレー状態", "Relay state"),
        _lines("managed_policies", "AWS管理ポリシー(1行に1つ)", "AWS managed policies"),
        _lines(
            "customer_managed_policies", "カスタマー管理ポリシー(1行に1つ)", "Customer managed policies (one a line)"
        ),
        _lines("inline_policy", "インラインポリシー(JSON)", "Inline policy (JSON)"),
        _text("permissions_boundary", "アクセス許可の境界", "Permissions boundary"),
        _people("owners", "管理者", "Owners"),
    ),
    views=(
        ViewPlan(
            Label("許可セット一覧", "All permission sets"),
            ("name", "description", "session_duration", "managed_policies", "owners"),
            sort="{name} asc",
        ),
        ViewPlan(
            Label("自分が管理する許可セット", "My permission sets"),
            ("name", "description", "session_duration", "managed_policies"),
            condition="{owners} in (LOGINUSER())",
            sort="{name} asc",
        ),
    ),
    cleared=frozenset(PERMISSION_SETS.types) - {"name", "owners"},
)

ASSIGNMENT_APP = AppPlan(
    schema=ASSIGNMENTS,
    label=Label("AWS割当", "AWS assignments"),
    fields=(
        _text("account_id", "AWSアカウントID", "AWS account id", is_required=True),
        _text("permission_set", "許可セット", "Permission set", is_required=True, looks_up=True),
        _people("users", "利用者", "Users"),
        _lines("groups", "利用グループ(1行に1つ)", "Groups (one a line)"),
        _lines(
            "more_users",
            "kintone未登録の利用者(メール、1行に1つ)",
            "Addresses without kintone",
        ),
        FieldPlan("expires_on", "DATE", Label("利用期限(最終日)", "Last day")),
        _lines("note", "備考", "Note"),
        _people("owners", "管理者", "Owners"),
        _text("request_key", "リクエストキー(ポータル用)", "Request key (the portal's)", is_unique=True),
        _people("changed_by", "変更した人(ポータル用)", "Changed by (the portal's)"),
    ),
    views=(
        ViewPlan(
            Label("割当一覧", "All assignments"),
            ("account_id", "permission_set", "users", "groups", "expires_on", "owners"),
            sort="{account_id} asc, {permission_set} asc",
        ),
        ViewPlan(
            Label("自分が管理する割当", "My assignments"),
            ("account_id", "permission_set", "users", "groups", "expires_on"),
            condition="{owners} in (LOGINUSER())",
            sort="{account_id} asc, {permission_set} asc",
        ),
        ViewPlan(
            Label("期限のある割当", "Assignments with a last day"),
            ("expires_on", "account_id", "permission_set", "users", "groups", "owners"),
            condition='{expires_on} != ""',
            sort="{expires_on} asc",
        ),
    ),
    closed=("request_key", "changed_by"),
)


# --- As kintone takes it ----------------------------------------------------------------------------------------------


def render_field(plan: FieldPlan, names: Names) -> dict[str, Any]:
    """A field's definition in the shape of form/fields.json."""
    code = names.code(plan.name)
    definition: dict[str, Any] = {"type": plan.type, "code": code, "label": plan.label.speak(names.language)}
    if plan.is_required:
        definition["required"] = True
    if plan.is_unique:
        definition["unique"] = True
    if plan.max_length:
        definition["maxLength"] = str(plan.max_length)
    if plan.looks_up:
        definition["lookup"] = _render_lookup(names.lookup_app_id, names.lookup_key)
    return definition


def _render_lookup(app_id: str, key: str) -> dict[str, Any]:
    return {
        "relatedApp": {"app": app_id},
        "relatedKeyField": key,
        "fieldMappings": [],
        "lookupPickerFields": [key],
        "filterCond": "",
        "sort": f"{key} asc",
    }


def render_view(plan: ViewPlan, names: Names, index: int) -> dict[str, Any]:
    """A view's definition in the shape of views.json."""
    codes = {name: names.code(name) for name in _ALL_NAMES}
    return {
        "type": "LIST",
        "index": str(index),
        "name": plan.label.speak(names.language),
        "fields": [names.code(name) for name in plan.fields],
        "filterCond": plan.condition.format_map(codes),
        "sort": plan.sort.format_map(codes),
    }


_ALL_NAMES = frozenset(PERMISSION_SETS.types) | frozenset(ASSIGNMENTS.types)


def plan_record_rights(names: Names, creator_code: str) -> tuple[RecordRight, ...]:
    """Who may do what with a record, the strongest first: who comes first in kintone's list wins.

    API tokens write as Administrator, and kintone does not say whether these rights bind them: so the domain's
    administrators are always among those who may.
    """
    strong = (
        Entity("FIELD_ENTITY", names.code("owners")),
        Entity("FIELD_ENTITY", creator_code),
        *_admin_groups(names),
    )
    everyone = RecordRight(Entity("GROUP", EVERYONE))
    return (*(RecordRight(entity, may_edit=True, may_delete=True) for entity in strong), everyone)


def plan_field_rights(plan: AppPlan, names: Names) -> Mapping[str, tuple[FieldRight, ...]]:
    """Who may fill in the closed fields, by field code: nobody but, for the sake of tokens, administrators."""
    rights = (
        FieldRight(Entity("GROUP", ADMINISTRATORS), "WRITE"),
        FieldRight(Entity("GROUP", EVERYONE), "READ"),
    )
    return {names.code(name): rights for name in plan.closed}


def _admin_groups(names: Names) -> tuple[Entity, ...]:
    return tuple(Entity("GROUP", code) for code in dict.fromkeys((names.admin_group, ADMINISTRATORS)))


def render_record_rights(rights: Iterable[RecordRight]) -> list[dict[str, Any]]:
    """Rights on all records, in the shape of record/acl.json."""
    entities = [
        {
            "entity": _render_entity(right.entity),
            "viewable": right.may_view,
            "editable": right.may_edit,
            "deletable": right.may_delete,
            "includeSubs": False,
        }
        for right in rights
    ]
    return [{"filterCond": "", "entities": entities}]


def render_field_rights(rights: Mapping[str, Iterable[FieldRight]]) -> list[dict[str, Any]]:
    """Rights on fields, in the shape of field/acl.json."""
    return [
        {
            "code": code,
            "entities": [
                {"entity": _render_entity(each.entity), "accessibility": each.accessibility, "includeSubs": False}
                for each in given
            ],
        }
        for code, given in rights.items()
    ]


def _render_entity(entity: Entity) -> dict[str, str]:
    return {"type": entity.type, "code": entity.code}
