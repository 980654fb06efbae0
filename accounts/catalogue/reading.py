"""Services as they are written, in the bundled file or by an admin, read and tried before anybody meets them. Pure.

A service that passes here can be built with any values that fit its parameters, at the console and nowhere else, and is
recognised again in what was built.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accounts.catalogue.encodings import ENCODINGS
from accounts.catalogue.services import PLACES, TYPES, BadService, Option, Parameter, Service, Words
from accounts.catalogue.templates import BUILT_IN, Gap, Template
from accounts.shortcuts import BadDestination

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN = ("set",)  # what the address of a kept shortcut means by it is another thing
_QUANTIFIED_GROUP = re.compile(r"\)[*+{?]")  # what makes a pattern take for ever
_MOST_PARAMETERS, _LONGEST, _LONGEST_PATTERN = 8, 1000, 200


def parse_service(written: Mapping[str, Any], shared: Mapping[str, Mapping[str, Any]] | None = None) -> Service:
    """One service; parameters may be named that stand in `shared`. Raises BadService with the first thing wrong."""
    slug = _read_text(written, "slug")
    if not _SLUG.fullmatch(slug):
        raise BadService("service_slug_wrong", slug=slug)
    place = written.get("place") or "regional"
    if place not in PLACES:
        raise BadService("service_place_wrong", place=str(place))
    parameters = tuple(_parse_parameters(written.get("parameters") or [], shared or {}))
    service = Service(
        slug,
        _read_text(written, "service"),
        _read_words(written.get("name"), slug),
        str(place),
        _parse_template(_read_text(written, "template")),
        parameters,
        _read_aliases(written.get("aliases") or []),
        tuple(_parse_template(text) for text in _read_list(written.get("also") or [])),
        written.get("is_hidden") is True,
    )
    _check_gaps(service)
    return service


# --- Texts ------------------------------------------------------------------------------------------------------------


def _read_text(written: Mapping[str, Any], name: str) -> str:
    value = written.get(name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST:
        raise BadService("service_text_missing", field=name)
    return value.strip()


def _read_words(value: Any, where: str) -> Words:
    """One text for both languages, or one for each."""
    if isinstance(value, str) and value.strip():
        return Words(value.strip(), value.strip())
    if isinstance(value, Mapping):
        return Words(_read_text(value, "ja"), _read_text(value, "en"))
    raise BadService("service_words_missing", name=where)


def _read_list(value: Any) -> list[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise BadService("service_list_wrong")
    return list(value)


def _read_aliases(value: Any) -> tuple[str, ...]:
    return tuple(alias.strip() for alias in _read_list(value) if isinstance(alias, str) and alias.strip())


# --- Parameters -------------------------------------------------------------------------------------------------------


def _parse_parameters(value: Any, shared: Mapping[str, Mapping[str, Any]]) -> Iterator[Parameter]:
    written = _read_list(value)
    if len(written) > _MOST_PARAMETERS:
        raise BadService("service_parameters_many", limit=_MOST_PARAMETERS)
    names: set[str] = set()
    for item in written:
        parameter = _parse_parameter(_find_shared(item, shared))
        if parameter.name in names:
            raise BadService("service_parameter_twice", name=parameter.name)
        names.add(parameter.name)
        yield parameter


def _find_shared(item: Any, shared: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if isinstance(item, str) and item in shared:
        return {"name": item, **shared[item]}
    if not isinstance(item, Mapping):
        raise BadService("service_parameter_wrong", name=str(item)[:100])
    return item


def _parse_parameter(written: Mapping[str, Any]) -> Parameter:
    name, kind = str(written.get("name") or ""), str(written.get("type") or "name")
    if not _NAME.fullmatch(name) or name in BUILT_IN or name in _TAKEN:
        raise BadService("service_parameter_wrong", name=name[:100])
    if kind not in TYPES:
        raise BadService("service_type_wrong", name=name, type=kind[:100], types=", ".join(TYPES))
    options = tuple(_parse_options(written.get("options") or [], name))
    if kind == "choice" and not options:
        raise BadService("service_options_missing", name=name)
    parameter = Parameter(
        name, kind, _read_words(written.get("label"), name), str(written.get("example") or ""),
        str(written.get("default") or ""), _check_pattern(str(written.get("pattern") or ""), name), options,
    )  # fmt: skip
    _check_samples(parameter)
    return parameter


def _parse_options(value: Any, name: str) -> Iterator[Option]:
    for item in _read_list(value):
        if isinstance(item, str) and item:
            yield Option(item, Words(item, item))
        elif isinstance(item, Mapping) and item.get("value"):
            yield Option(str(item["value"]), _read_words(item.get("label"), name))
        else:
            raise BadService("service_options_missing", name=name)


def _check_pattern(pattern: str, name: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadService("service_pattern_wrong", name=name, pattern=pattern[:100]) from error
    if _QUANTIFIED_GROUP.search(pattern) or len(pattern) > _LONGEST_PATTERN:
        raise BadService("service_pattern_wrong", name=name, pattern=pattern[:100])
    return pattern


def _check_samples(parameter: Parameter) -> None:
    for value in (parameter.example, parameter.default, *(option.value for option in parameter.options)):
        if (value or value is parameter.example) and not parameter.fits(value):
            raise BadService("service_example_wrong", name=parameter.name, value=value[:100])


# --- Templates --------------------------------------------------------------------------------------------------------


def _parse_template(text: Any) -> Template:
    """A path at the console's host, with gaps that can be told apart."""
    if not isinstance(text, str) or not re.fullmatch(r"/(?!/)[!-~]*", text) or "\\" in text or len(text) > _LONGEST:
        raise BadService("service_template_wrong")
    template = Template(text)
    literal = "".join(token for token in template.tokens if isinstance(token, str))
    if "{" in literal or "}" in literal:
        raise BadService("service_braces_wrong")
    for before, after in zip(template.tokens, template.tokens[1:], strict=False):
        if isinstance(before, Gap) and isinstance(after, Gap):
            raise BadService("service_gaps_touch", name=before.name, other=after.name)
    for gap in template.gaps:
        if gap.encoding not in ENCODINGS:
            raise BadService("service_encoding_wrong", encoding=gap.encoding, encodings=", ".join(ENCODINGS))
    return template


def _check_gaps(service: Service) -> None:
    """Every gap is a parameter, and every parameter is asked for."""
    known = {parameter.name for parameter in service.parameters}
    for template in (service.template, *service.also):
        for name in template.names - known:
            raise BadService("service_gap_unknown", name=name)
    for name in known - service.template.names:
        raise BadService("service_parameter_unused", name=name)
    for gap in service.template.gaps:
        parameter = service.find_parameter(gap.name)
        if parameter and parameter.type == "lines" and gap.encoding not in ("js", "cw"):
            raise BadService("service_lines_wrong", name=gap.name)


def require_example(service: Service, url: str, found: Mapping[str, str] | None) -> None:
    """Refuse a service whose own example is not recognised in the address that it makes."""
    if found is None or dict(found) != dict(service.find_example()):
        raise BadService("service_not_recognised", url=url)


def refuse_address(refusal: BadDestination) -> BadService:
    """What is wrong with the address of an example, as something wrong with its service."""
    return BadService(refusal.code, **refusal.params)
