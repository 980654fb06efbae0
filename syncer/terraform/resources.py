"""The selection as resources of the provider `hashicorp/aws`, each with the id by which it is imported. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from accounts.policy.formatting import format_text
from syncer.states import (
    ActualInstance,
    ActualPrincipal,
    AssignmentKey,
    Boundary,
    Definition,
    PolicyReference,
    PrincipalType,
    render_duration,
)
from syncer.terraform.hcl import Block, Document, Expression, Value, is_kept
from syncer.terraform.labels import make_label, name_label
from syncer.terraform.selecting import ExportedAssignment, ExportedSet, Selection

SET, INLINE_POLICY = "aws_ssoadmin_permission_set", "aws_ssoadmin_permission_set_inline_policy"
MANAGED, CUSTOMER = "aws_ssoadmin_managed_policy_attachment", "aws_ssoadmin_customer_managed_policy_attachment"
BOUNDARY, ASSIGNMENT = "aws_ssoadmin_permissions_boundary_attachment", "aws_ssoadmin_account_assignment"
_INSTANCES = "data.aws_ssoadmin_instances.genkan"
_INSTANCE_ARN, _STORE_ID = Expression("local.genkan_instance_arn"), Expression("local.genkan_identity_store_id")

Paragraph = Mapping[str, Value] | Block


class Part(NamedTuple):
    """A resource, and by which id it is imported; empty where AWS does not have it yet."""

    block: Block
    import_id: str = ""


def build_instance() -> tuple[Block, ...]:
    """Of several instances none is chosen: `one` stops the plan."""
    return (
        Block("data", ("aws_ssoadmin_instances", "genkan")),
        Block("locals", (), ({
            "genkan_instance_arn": Expression(f"one({_INSTANCES}.arns)"),
            "genkan_identity_store_id": Expression(f"one({_INSTANCES}.identity_store_ids)"),
        },)),
    )  # fmt: skip


def build_import(part: Part) -> Block:
    resource, label = part.block.labels
    return Block("import", (), ({"to": Expression(f"{resource}.{label}"), "id": part.import_id},))


# --- Principals -------------------------------------------------------------------------------------------------------


def build_principal(principal: ActualPrincipal) -> Block:
    """Looked up by name. A name that Terraform would write in another form than AWS has it is of no use: by id then."""
    if not is_kept(principal.name):
        return _look_up(principal, {_id_of(principal.type): principal.principal_id})
    attribute = "DisplayName" if principal.type is PrincipalType.GROUP else "UserName"
    unique = Block("unique_attribute", (), ({"attribute_path": attribute, "attribute_value": principal.name},))
    return _look_up(principal, {}, Block("alternate_identifier", (), (unique,)))


def _look_up(principal: ActualPrincipal, values: Mapping[str, Value], *blocks: Block) -> Block:
    body: tuple[Paragraph, ...] = ({"identity_store_id": _STORE_ID, **values}, *blocks)
    return Block("data", (_source_of(principal.type), _label_of(principal)), body)


def _source_of(kind: PrincipalType) -> str:
    return f"aws_identitystore_{kind.lower()}"


def _id_of(kind: PrincipalType) -> str:
    return f"{kind.lower()}_id"


def _label_of(principal: ActualPrincipal) -> str:
    return name_label(principal.name)


# --- Permission sets --------------------------------------------------------------------------------------------------


def build_looked_up(name: str) -> Block:
    """A set that is another's to make."""
    return Block("data", (SET, name_label(name)), ({"instance_arn": _INSTANCE_ARN, "name": name},))


def build_set(exported: ExportedSet, instance: ActualInstance) -> Iterator[Part]:
    """The set itself, then its policies."""
    yield from _SetParts(exported, instance).iter_parts()


class _SetParts:
    def __init__(self, exported: ExportedSet, instance: ActualInstance) -> None:
        self.name, self.wished, self._instance = exported.name, exported.definition, instance
        self.arn = exported.there.arn if exported.there else ""
        self.had = (exported.there and exported.there.definition) or Definition()

    def iter_parts(self) -> Iterator[Part]:
        wished, had = self.wished, self.had
        yield self._build_set()
        for arn in sorted(wished.managed_policies):
            label = make_label(f"{self.name} {arn.rpartition('/')[2]}", self.name, arn)
            is_there = arn in had.managed_policies
            yield self._build(MANAGED, label, {"managed_policy_arn": arn}, ids=(arn,), is_there=is_there)
        for reference in sorted(wished.customer_managed_policies):
            yield self._attach(reference)
        if wished.inline_policy:
            policy = {"inline_policy": lay_out(wished.inline_policy)}
            yield self._build(INLINE_POLICY, name_label(self.name), policy, is_there=bool(had.inline_policy))
        if wished.permissions_boundary:
            block = _build_boundary(wished.permissions_boundary)
            is_there = had.permissions_boundary is not None
            yield self._build(BOUNDARY, name_label(self.name), {}, block, is_there=is_there)

    def _build_set(self) -> Part:
        texts = {"description": self.wished.description, "relay_state": self.wished.relay_state}
        values: dict[str, Value] = {
            "instance_arn": _INSTANCE_ARN,
            "name": self.name,
            **{name: text for name, text in texts.items() if text},
            "session_duration": render_duration(self.wished.session_duration),
        }
        # Records know nothing of tags: those that AWS has stay, and so do the provider's default tags.
        keeps_tags = Block("lifecycle", (), ({"ignore_changes": (Expression("tags"), Expression("tags_all"))},))
        return Part(Block("resource", (SET, name_label(self.name)), (values, keeps_tags)), self._join(bool(self.arn)))

    def _attach(self, reference: PolicyReference) -> Part:
        label = make_label(f"{self.name} {reference.name}", self.name, reference.path, reference.name)
        ids, is_there = (reference.name, reference.path), reference in self.had.customer_managed_policies
        return self._build(CUSTOMER, label, {}, _refer_to(reference), ids=ids, is_there=is_there)

    def _build(
        self,
        resource: str,
        label: str,
        values: Mapping[str, Value],
        *blocks: Block,
        ids: tuple[str, ...] = (),
        is_there: bool,
    ) -> Part:
        """A resource that belongs to the set; `ids` begin the id by which it is imported."""
        set_arn = Expression(f"{SET}.{name_label(self.name)}.arn")
        place: dict[str, Value] = {"instance_arn": _INSTANCE_ARN, "permission_set_arn": set_arn, **values}
        return Part(Block("resource", (resource, label), (place, *blocks)), self._join(is_there, *ids))

    def _join(self, is_there: bool, *ids: str) -> str:
        return ",".join([*ids, self.arn, self._instance.instance_arn]) if is_there else ""


def _refer_to(reference: PolicyReference) -> Block:
    return Block("customer_managed_policy_reference", (), ({"name": reference.name, "path": reference.path},))


def _build_boundary(boundary: Boundary) -> Block:
    customer = boundary.customer_managed
    inner: Paragraph = _refer_to(customer) if customer else {"managed_policy_arn": boundary.managed_policy}
    return Block("permissions_boundary", (), (inner,))


def lay_out(policy: str) -> str:
    """A line for each value, so that a change shows as the lines it is made of; every value as it is written.

    Only blanks differ from the record. Signs that Terraform would write in another form are escaped as JSON does it;
    what is no JSON stays one text.
    """
    text = format_text(policy)
    if text is None:
        return policy
    return Document(text if is_kept(text) else "".join(map(_escape_in_json, text)))


def _escape_in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass") if ord(character) > 0x7E else b""
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)) or character


# --- Assignments ------------------------------------------------------------------------------------------------------


def build_assignments(selection: Selection) -> Iterator[Part]:
    made = {each.name for each in selection.sets}
    for exported in selection.assignments:
        yield _build_assignment(exported, selection, is_made=exported.key.permission_set in made)


def _build_assignment(exported: ExportedAssignment, selection: Selection, *, is_made: bool) -> Part:
    key, actual = exported.key, selection.actual
    principal = actual.principals[key.principal_id]
    set_label, data = name_label(key.permission_set), "" if is_made else "data."
    source = f"data.{_source_of(principal.type)}.{_label_of(principal)}.{_id_of(principal.type)}"
    body: tuple[Paragraph, ...] = (
        {"instance_arn": _INSTANCE_ARN, "permission_set_arn": Expression(f"{data}{SET}.{set_label}.arn")},
        {"principal_id": Expression(source), "principal_type": str(key.principal_type)},
        {"target_id": key.target_id, "target_type": "AWS_ACCOUNT"},
    )
    there = actual.sets.get(key.permission_set)
    ids = (key.principal_id, str(key.principal_type), key.target_id, "AWS_ACCOUNT", there.arn if there else "")
    import_id = ",".join([*ids, actual.instance.instance_arn]) if exported.is_there else ""
    return Part(Block("resource", (ASSIGNMENT, label_assignment(key)), body), import_id)


def label_assignment(key: AssignmentKey) -> str:
    """By what never changes: a new name of the account or the person would delete and make the assignment again."""
    return make_label(f"{key.permission_set} {key.target_id} {key.principal_type.lower()}", *key)


def list_imports(parts: Iterable[Part]) -> list[Block]:
    return [build_import(part) for part in parts if part.import_id]
