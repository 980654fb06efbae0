"""Checks values against botocore's service models, which carry AWS's own constraints.

botocore checks required members, types and minima before it sends anything; maxima, patterns and enums are checked
by the service alone. The same check serves a test that holds our answers to the models.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from simulators.aws.errors import AwsError
from simulators.aws.patterns import compiled

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list, tuple),
    "map": (dict,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
}


@dataclass(frozen=True)
class Violation:
    """What is wrong at a path such as `tags.1.member.key`; `reason` is Organizations' word for this kind of fault."""

    path: str
    constraint: str
    reason: str
    value: Any = None

    def __str__(self) -> str:
        shown = "null" if self.value is None else f"'{self.value}'"
        return f"Value {shown} at '{self.path}' failed to satisfy constraint: {self.constraint}"


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def check_input(model: OperationModel, parameters: dict[str, Any]) -> None:
    """Raise the service's own validation error if the parameters break the model of the operation."""
    found = list(violations(model.input_shape, parameters)) if model.input_shape else []
    if not found:
        return
    plural = "s" if len(found) > 1 else ""
    message = f"{len(found)} validation error{plural} detected: {'; '.join(str(each) for each in found)}"
    raise _validation_error(model.service_model.service_name, message, found[0].reason)


def _validation_error(service: str, message: str, reason: str) -> AwsError:
    if service == "organizations":
        return AwsError("InvalidInputException", message, Reason=reason)
    if service in {"sts", "iam"}:
        return AwsError("ValidationError", message)
    return AwsError("ValidationException", message)


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[Violation]:
    """All that breaks the shape, deepest members included."""
    if _is_document(shape):
        return
    if not _has_type(shape.type_name, value):
        yield Violation(path, f"Member must be of type {shape.type_name}", "INVALID_PATTERN", value)
    elif isinstance(shape, StructureShape):
        yield from _structure_violations(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _size_violations(shape, len(value), value, path, "length")
        for number, item in enumerate(value, 1):
            yield from violations(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        yield from _size_violations(shape, len(value), value, path, "length")
        for key, item in value.items():
            yield from violations(shape.value, item, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        yield from _string_violations(shape, value, path)
    elif shape.type_name in {"integer", "long"}:
        yield from _size_violations(shape, value, value, path, "value")


def _is_document(shape: Shape) -> bool:
    """Whether anything that is JSON will do."""
    return bool(getattr(shape, "is_document_type", False))


def _has_type(name: str, value: Any) -> bool:
    types = _TYPES[name]
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _structure_violations(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[Violation]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield Violation(_join(path, name), "Member must not be null", "INPUT_REQUIRED")
    for name, member in value.items():
        if name not in shape.members:
            yield Violation(_join(path, name), "Member is not known", "INVALID_PATTERN", member)
        elif member is not None:
            yield from violations(shape.members[name], member, _join(path, name))


def _string_violations(shape: StringShape, value: str, path: str) -> Iterator[Violation]:
    yield from _size_violations(shape, len(value), value, path, "length")
    if shape.enum and value not in shape.enum:
        yield Violation(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", "INVALID_ENUM", value)
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        constraint = f"Member must satisfy regular expression pattern: {pattern}"
        yield Violation(path, constraint, "INVALID_PATTERN", value)


def _size_violations(shape: Shape, size: int, value: Any, path: str, measure: str) -> Iterator[Violation]:
    """Lengths of strings and lists are bounded like the values of numbers."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    word = "LENGTH" if measure == "length" else "VALUE"
    if least is not None and size < least:
        constraint = f"Member must have {measure} greater than or equal to {least}"
        yield Violation(path, constraint, f"MIN_{word}_EXCEEDED", value)
    if most is not None and size > most:
        constraint = f"Member must have {measure} less than or equal to {most}"
        yield Violation(path, constraint, f"MAX_{word}_EXCEEDED", value)


def _join(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member
