"""A place of the console and what it needs to be told. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.catalogue.templates import Template
from accounts.shortcuts import BadDestination

# What a value of each type is made of. `name` and `number` look the same however often they are encoded.
TYPES = {
    "name": re.compile(r"[A-Za-z0-9_.-]{1,255}"),
    "word": re.compile(r"[A-Za-z0-9_.+=,@-]{1,255}"),
    "path": re.compile(r"[A-Za-z0-9_.#/-]{1,512}"),
    "arn": re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{0,12}:[A-Za-z0-9_./:@+=,-]{1,512}"),
    "number": re.compile(r"-?[0-9]{1,15}"),
    "choice": re.compile(r".{1,255}"),
    "text": re.compile(r".{1,1024}"),
    "lines": re.compile(r"(.|\n){1,4000}"),
}
_INERT = ("name", "number")
_WITHOUT_SLASH = ("name", "word", "number")
PLACES = ("regional", "home", "bare")


class BadService(ValueError):
    """A service that cannot be used; `code` and `params` name the sentence for it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True)
class Words:
    """The same in both languages of the portal."""

    ja: str
    en: str

    def of(self, language: str) -> str:
        return self.ja if language.startswith("ja") else self.en


@dataclass(frozen=True)
class Option:
    value: str
    words: Words


@dataclass(frozen=True)
class Parameter:
    """What a service needs to be told. One without a default may stay open in a link.

    The options of a `choice` are all there are; those of other types are suggestions.
    """

    name: str
    type: str
    words: Words
    example: str
    default: str = ""
    pattern: str = ""
    options: tuple[Option, ...] = ()

    @property
    def is_inert(self) -> bool:
        """Whether a value looks the same however it is encoded, so that any alert template can put it in."""
        return self.type in _INERT

    @property
    def has_slash(self) -> bool:
        return self.type not in _WITHOUT_SLASH

    def fits(self, value: str) -> bool:
        text = value.replace("\n", "") if self.type == "lines" else value
        if not TYPES[self.type].fullmatch(value) or not text.isprintable():
            return False
        if self.type == "choice":
            return any(option.value == value for option in self.options)
        return not self.pattern or re.fullmatch(self.pattern, value) is not None

    def require(self, value: str) -> str:
        """The value, if it fits. Raises BadDestination."""
        if not self.fits(value):
            raise BadDestination("value_wrong", name=self.name, value=value, example=self.example)
        return value


@dataclass(frozen=True)
class Service:
    """One place of the console: `service` is AWS's own name, `words` what is found there.

    place: `regional`; `home`, the partition's first region, where services without regions live; or `bare`, no region
    at all. `also` are other addresses of the same place, which are recognised and never built.
    """

    slug: str
    service: str
    words: Words
    place: str
    template: Template
    parameters: tuple[Parameter, ...] = ()
    aliases: tuple[str, ...] = ()
    also: tuple[Template, ...] = ()
    is_hidden: bool = False

    @property
    def is_regional(self) -> bool:
        return self.place == "regional"

    @property
    def required(self) -> tuple[Parameter, ...]:
        """What has to be filled in or stays open; nothing, for a place that can be opened at once."""
        return tuple(parameter for parameter in self.parameters if not parameter.default)

    def title(self, language: str) -> str:
        return f"{self.service} · {self.words.of(language)}"

    def find_parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def find_example(self) -> Mapping[str, str]:
        return {parameter.name: parameter.example for parameter in self.parameters}
