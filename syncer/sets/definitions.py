"""A wished permission set as AWS would hold it: its policies looked up, its description fitted. Pure."""

from dataclasses import dataclass, field, replace

from syncer.directory import Directory
from syncer.records.parsing import parse_policy_reference
from syncer.sets.managed_names import look_up
from syncer.states import ActualSet, Boundary, Definition, PolicyReference, Problem, ReadRecord, SetWish

MAX_DESCRIPTION = 700  # characters, and Latin-1 only: sso-admin CreatePermissionSet


@dataclass
class _Search:
    """The policies of one record while they are looked up."""

    directory: Directory
    record: ReadRecord
    problems: list[Problem] = field(default_factory=list)

    @property
    def there(self) -> ActualSet | None:
        """The set as AWS has it now."""
        return self.directory.sets.get(self.record.permission_set)


def build_definition(
    directory: Directory, record: ReadRecord, wish: SetWish, public_url: str
) -> tuple[Definition | None, list[Problem]]:
    """The definition, None when a policy of it is unknown; and what is to be said of the policies."""
    search = _Search(directory, record)
    managed = [_find_policy(search, name) for name in wish.managed_policies]
    boundary = _find_boundary(search, wish.permissions_boundary)
    if None in managed or (wish.permissions_boundary and boundary is None):
        return None, search.problems
    definition = Definition(
        description=_fit_description(wish, record, public_url, search.there),
        session_duration=wish.session_duration,
        relay_state=wish.relay_state,
        managed_policies=frozenset(arn for arn in managed if arn),
        customer_managed_policies=frozenset(wish.customer_managed_policies),
        inline_policy=wish.inline_policy,
        permissions_boundary=boundary,
    )
    return _keep_absent(definition, wish, search.there), search.problems


def _keep_absent(definition: Definition, wish: SetWish, there: ActualSet | None) -> Definition:
    """A field that the app does not have leaves AWS's value alone."""
    if not (there and there.definition and wish.absent):
        return definition
    kept = {name: getattr(there.definition, name) for name in wish.absent}
    return replace(definition, **kept)


def _find_policy(search: _Search, name: str, field_name: str = "managed_policies") -> str | None:
    there, record = search.there, search.record
    attached = there.definition.managed_policies if there and there.definition else frozenset[str]()
    answer = look_up(search.directory, name, attached, as_boundary=field_name == "permissions_boundary")
    if answer.code:
        line = record.lines.get(name) if field_name == "managed_policies" else None
        reference = str(record.reference)
        search.problems.append(Problem(answer.code, answer.severity, reference, field_name, line, answer.params))
    return answer.arn


def _find_boundary(search: _Search, boundary: str) -> Boundary | None:
    if not boundary:
        return None
    if boundary.startswith("/"):
        reference = parse_policy_reference(boundary)
        return Boundary(customer_managed=reference) if isinstance(reference, PolicyReference) else None
    arn = _find_policy(search, boundary, "permissions_boundary")
    return Boundary(managed_policy=arn) if arn else None


def _fit_description(wish: SetWish, record: ReadRecord, public_url: str, actual: ActualSet | None) -> str:
    """What AWS can hold: the text itself, else a link to the page that shows it in full.

    Where AWS has none or a link of ours already, that is as good: it is no difference.
    """
    if len(wish.description) <= MAX_DESCRIPTION and all(_fits_latin(character) for character in wish.description):
        return wish.description
    there = actual.definition.description if actual and actual.definition else None
    if there is not None and (not there or there.startswith(public_url)):
        return there
    app, record_id = record.reference.app_id, record.reference.record_id
    return f"{public_url}/records/{app}/{record_id}/"


def _fits_latin(character: str) -> bool:
    return character in "\t\n\r" or " " <= character <= "~" or "\u00a1" <= character <= "\u00ff"
