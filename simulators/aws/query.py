"""AWS's Query protocol (STS and IAM): form parameters in, XML out, both after botocore's shapes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from simulators.aws.errors import AwsError


def parse(shape: Shape | None, form: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of an operation from `Tags.member.1.Key=…`; what the shape does not know stays as it came."""
    names = [name for name in form if name not in {"Action", "Version"}]
    if not isinstance(shape, StructureShape):
        return {name: form[name] for name in names}
    known = _structure(shape, form, "")
    return {**{name: form[name] for name in names if name.partition(".")[0] not in shape.members}, **known}


def _structure(shape: StructureShape, form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    values = {name: _value(member, form, f"{prefix}{name}") for name, member in shape.members.items()}
    return {name: value for name, value in values.items() if value is not None}


def _value(shape: Shape, form: Mapping[str, str], name: str) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, form, f"{name}.") or None
    if isinstance(shape, ListShape):
        return _list(shape, form, name) or None
    text = form.get(name)
    if text is None:
        return None
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if shape.type_name in {"integer", "long"}:
        return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() else text
    return text


def _list(shape: ListShape, form: Mapping[str, str], name: str) -> list[Any]:
    values: list[Any] = []
    while (value := _value(shape.member, form, f"{name}.member.{len(values) + 1}")) is not None:
        values.append(value)
    return values


def render(model: OperationModel, answer: Mapping[str, Any], request_id: str) -> str:
    """The XML of an answer. Raises KeyError for a member that the shape does not have."""
    body = ""
    if model.output_shape:
        wrapper = model.output_shape.serialization["resultWrapper"]
        body = f"<{wrapper}>{_xml(model.output_shape, answer)}</{wrapper}>"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    namespace = model.service_model.metadata["xmlNamespace"]
    return f'<{model.name}Response xmlns="{namespace}">{body}{metadata}</{model.name}Response>'


def render_error(model: ServiceModel, error: AwsError, request_id: str) -> str:
    fault = "Sender" if error.status < 500 else "Receiver"
    described = f"<Type>{fault}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    namespace = model.metadata["xmlNamespace"]
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error>{described}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _xml(shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        return "".join(f"<{name}>{_xml(shape.members[name], member)}</{name}>" for name, member in value.items())
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_xml(shape.member, item)}</member>" for item in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return escape(str(value))
