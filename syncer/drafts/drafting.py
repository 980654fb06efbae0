"""What a decision in the portal becomes in kintone: drafts, whose values are plain and in our own field names.

Drafts are rows, written in the transaction of the request; `writing` carries them to kintone. What a draft takes from a
record it takes from the mirror, and is bound to that revision.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from accounts.models import AppKind, AwsPolicy, Draft, PermissionSet, Person, Principal, PrincipalLink, Record, User
from accounts.names import fold
from syncer.models import AppState, Drift
from syncer.records.parsing import LISTS, pick_fields, read_codes, read_lines, read_names, read_text
from syncer.states import Reason

Values = dict[str, Any]
"""Our field name → text, or a list of texts where the field holds several."""

_NAMES = {"users": "kintone_user", "more_users": "address", "groups": "group_name"}


class NotPossible(Exception):
    """Why a decision cannot become a record."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def make_draft(kind: AppKind, author: User, values: Values, **options: Any) -> Draft:
    """A draft, not saved yet. With `record` it changes that record, as the mirror has it unless a base is given."""
    record: Record | None = options.get("record")
    base = {"base_revision": record.revision, "base_values": read_record(record)} if record else {}
    return Draft(kind=kind, author=author, values=values, **{"request_key": uuid.uuid4().hex, **base, **options})


# --- What the record of an assignment says ----------------------------------------------------------------------------


def draft_assignment(drift: Drift, author: User, *, note: str) -> Draft:
    """A record that wants exactly the assignment that was made by hand. Raises NotPossible."""
    fields = load_fields(AppKind.ASSIGNMENT)
    principal = Principal.objects.select_related("person").get(principal_id=drift.principal_id)
    values: Values = {
        "account_id": drift.account_id,
        "permission_set": drift.permission_set_name,
        **_name_principal(principal, fields),
        "note": note,
        "owners": _list_codes(author),
    }
    return make_draft(AppKind.ASSIGNMENT, author, values, purpose=purpose_of(drift))


def purpose_of(drift: Drift) -> str:
    return f"drift:{drift.pk}"


def _name_principal(principal: Principal, fields: Collection[str]) -> Values:
    """The field and name under which a record means this principal."""
    person = getattr(principal, "person", None)
    if principal.is_group:
        return _name_group(principal, fields)
    if isinstance(person, Person) and person.kintone_code and "users" in fields:
        return {"users": [person.kintone_code]}
    if "more_users" in fields:
        return {"more_users": [principal.name]}
    raise NotPossible(Reason("keep_no_kintone_user", {"name": str(principal)}))


def _name_group(principal: Principal, fields: Collection[str]) -> Values:
    if "groups" not in fields:
        raise NotPossible(Reason("keep_no_field", {"field": "groups"}))
    namesakes = Principal.objects.filter(type=Principal.Type.GROUP, name_key=principal.name_key, gone_at__isnull=True)
    if namesakes.count() > 1:
        raise NotPossible(Reason("keep_ambiguous", {"name": principal.name}))
    return {"groups": [principal.name]}


def _list_codes(author: User) -> list[str]:
    person = author.person
    return [person.kintone_code] if person and person.kintone_code else []


def draft_withdrawals(drift: Drift, author: User) -> list[Draft]:
    """Takes a principal out of every record that wants him there. Raises NotPossible."""
    records = Record.objects.live().filter(
        wishes__is_current=True,
        wishes__assignment__account__account_id=drift.account_id,
        wishes__assignment__permission_set__name=drift.permission_set_name,
        wishes__assignment__principal__principal_id=drift.principal_id,
    )
    links = PrincipalLink.objects.filter(principal__principal_id=drift.principal_id)
    meant = frozenset(links.values_list("source", "key"))
    drafts = [
        make_draft(AppKind.ASSIGNMENT, author, values, record=record, purpose=purpose_of(drift))
        for record in records.distinct().order_by("pk")
        if (values := _leave_out(record, meant))
    ]
    if not drafts:
        raise NotPossible(Reason("keep_not_named", {"name": drift.principal_name or drift.principal_id}))
    return drafts


def _leave_out(record: Record, meant: Collection[tuple[str, str]]) -> Values:
    """The fields of the record that change when these names go, with what stays in them."""
    written = read_record(record)
    remaining = {
        field: [name for name in written.get(field, ()) if (source, fold(name)) not in meant]
        for field, source in _NAMES.items()
    }
    return {field: names for field, names in remaining.items() if len(names) < len(written.get(field, ()))}


# --- What the record of a set says ------------------------------------------------------------------------------------


def draft_definition(drift: Drift, author: User) -> Draft:
    """Brings the set's record to what AWS has. Raises NotPossible."""
    permission_set = PermissionSet.objects.select_related("record").filter(name=drift.permission_set_name).first()
    if permission_set is None or permission_set.record is None or permission_set.actual is None:
        raise NotPossible(Reason("keep_no_record", {"set": drift.permission_set_name}))
    fields = load_fields(AppKind.PERMISSION_SET)
    changed = [item["field"] for item in drift.details]
    if lacking := [name for name in changed if name not in fields]:
        raise NotPossible(Reason("keep_no_field", {"field": ", ".join(lacking)}))
    values = describe_definition(permission_set.actual, changed)
    return make_draft(AppKind.PERMISSION_SET, author, values, record=permission_set.record, purpose=purpose_of(drift))


def describe_definition(actual: Mapping[str, Any], names: Collection[str]) -> Values:
    """These fields of a definition, as the mirror holds it, in the words of a record."""
    return {name: _as_written(name, actual[name]) for name in names}


def _as_written(name: str, value: Any) -> Any:
    """A value of a definition as people write it: AWS managed policies by name."""
    if name == "managed_policies":
        return [_shorten(arn) for arn in value]
    return _shorten(value) if name == "permissions_boundary" and value.startswith("arn:") else value


def _shorten(arn: str) -> str:
    """The name of an AWS managed policy with its path, or the ARN where it is none that we know."""
    name = arn.partition(":policy/")[2]
    return name if name and AwsPolicy.objects.filter(arn=arn).exists() else arn


# --- Reading what is mirrored -----------------------------------------------------------------------------------------


def load_fields(kind: AppKind) -> Mapping[str, str]:
    """Our field name → kintone's code, of the fields that the app has. Raises NotPossible before the first scan."""
    state = AppState.objects.filter(kind=kind).first()
    if state is None or not state.fields:
        raise NotPossible(Reason("keep_no_field", {"field": "account_id"}))
    return dict(state.fields)


def read_record(record: Record) -> Values:
    """What the newest revision says, by our field names, with whom the portal keeps beside it."""
    state = AppState.objects.filter(kind=record.kind).first()
    values = read_body(record.body, state.fields if state else {})
    return values | ({"more_users": [*values.get("more_users", ()), *record.beside]} if record.beside else {})


def read_body(body: Mapping[str, Any], codes: Mapping[str, str]) -> Values:
    """What a record says as kintone gave it, by our field names."""
    return dict(_iter_values(body, codes))


def _iter_values(body: Mapping[str, Any], codes: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    fields = pick_fields(body, codes)
    for name, cell in fields.items():
        if name in ("users", "owners", "changed_by"):
            yield name, list(read_codes(fields, name))
        elif name == "more_users":
            yield name, [text for _line, text in read_names(fields, name)]
        elif name in LISTS:
            yield name, [text for _line, text in read_lines(fields, name)]
        elif name in ("inline_policy", "description", "note"):
            yield name, str(cell.get("value") or "")
        else:
            yield name, read_text(fields, name)
