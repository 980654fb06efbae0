"""Every code that the source can produce is a sentence, with everything that its braces ask for.

The codes are read from the syntax of the source: who adds one, and forgets the sentence, learns it here.
"""

import ast
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.utils import translation

from accounts.sentences import SENTENCES, Sentence, render, render_reason

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [path for package in ("accounts", "portal", "syncer") for path in sorted((ROOT / package).rglob("*.py"))]
# What a code is told with beside the parameters of the call itself.
ALWAYS = {"reason": {"operation", "app"}, "_reason": {"operation", "code", "text"}}
OPTIONS = {"severity", "line", "field_name"}  # keywords of a call that are no parameters of the sentence
PLACES_OF_PARAMS = {"Reason": 1, "Barrier": 1, "Problem": 5}  # which argument of a call holds them
# Where the code is handed on from somebody who made it.
HANDED_ON = {
    "extending.py:require_day",
    "barriers.py:_iter_of_groups",
    "barriers.py:_iter_of_set",
    "barriers.py:_iter_states",
    "adopting.py:_look_around",
    "aws_errors.py:_translate_answer",
    "github_transport.py:_refusal",
    "kintone_errors.py:_refusal",
    "kintone_errors.py:reason",
    "aws_errors.py:_reason",
    "mail.py:_answered",
    "matters.py:tame",
    "notices.py:_load_findings",
    "parsing.py:_note_finding",
    "parsing.py:add",
    "reading.py:refuse_address",
    "rights.py:_build",
    "rights.py:find_ailment",
    "slack.py:_refusal",
    "guarding.py:_say",
    "judging.py:_build_case",
    "judging.py:find_problem",
    "judging.py:_reason",
    "definitions.py:_find_policy",
    "wording.py:_load_findings",
    "wishes.py:problem",
    "wishes.py:_note_missing_set_records",
}


@dataclass(frozen=True)
class Use:
    """One place of the source that produces a code. `params` is None where they cannot be known from there."""

    place: str
    codes: frozenset[str]
    params: frozenset[str] | None


class Finder(ast.NodeVisitor):
    """Collects the uses of one module."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uses: list[Use] = []
        self.functions: list[ast.AST] = [ast.parse(path.read_text())]
        self.visit(self.functions[0])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.functions.append(node)
        self.generic_visit(node)
        self.functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        maker = find_maker(node)
        if maker and node.args:
            place = f"{self.path.name}:{getattr(self.functions[-1], 'name', '')}"
            self.uses.append(Use(place, frozenset(self.codes_of(node.args[0])), self.params_of(maker, node)))
        self.generic_visit(node)

    def codes_of(self, node: ast.expr) -> set[str]:
        """The texts that an expression can be; none where it cannot be known."""
        match node:
            case ast.Constant(value=str(code)):
                return {code}
            case ast.IfExp(body=body, orelse=other):
                return self.codes_of(body) | self.codes_of(other)
            case ast.Name(id=name):
                return {code for value in self.values_of(name) for code in self.codes_of(value)}
        return set()

    def values_of(self, name: str) -> Iterator[ast.expr]:
        """What a local name is set to: by assignment, or as the last of the pairs that a loop runs over."""
        for node in ast.walk(self.functions[-1]):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    yield value
                case ast.For(target=ast.Tuple(elts=[_, ast.Name(id=target)]), iter=ast.Tuple(elts=pairs)):
                    if target == name:
                        yield from (pair.elts[-1] for pair in pairs if isinstance(pair, ast.Tuple))

    def params_of(self, maker: str, node: ast.Call) -> frozenset[str] | None:
        given: set[str] | None = set()
        if maker in PLACES_OF_PARAMS:
            position = PLACES_OF_PARAMS[maker]
            named = [keyword.value for keyword in node.keywords if keyword.arg == "params"]
            values = [*node.args[position : position + 1], *named]
            given = self.keys_of(values[0]) if values else set()
        elif maker != "_reason":
            names = [keyword.arg for keyword in node.keywords]
            given = None if None in names else {name for name in names if name} - OPTIONS
        return None if given is None else frozenset(given | ALWAYS.get(maker, set()))

    def keys_of(self, node: ast.expr) -> set[str] | None:
        if isinstance(node, ast.Name):
            values = list(self.values_of(node.id))
            return self.keys_of(values[0]) if len(values) == 1 else None
        if not isinstance(node, ast.Dict) or not all(isinstance(key, ast.Constant) for key in node.keys):
            return None
        return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}


def find_maker(node: ast.Call) -> str:
    """The name of what is called, if it makes something with a code."""
    match node.func:
        case ast.Name(id="Reason" | "Barrier" | "Problem" | "_reason" | "BadDestination" | "BadService" as name):
            return name
        case ast.Attribute(value=ast.Name(id="Reason"), attr="from_json" as name):
            return name
        case ast.Attribute(value=ast.Name(id="notes"), attr="add"):
            return "add"
        case ast.Attribute(value=ast.Name(id="draft"), attr="problem"):
            return "problem"
        case ast.Attribute(value=ast.Name(id="question" | "self"), attr="reason"):
            return "reason"
    return ""


def list_uses() -> list[Use]:
    return [use for path in SOURCES for use in Finder(path).uses]


def list_gateway_codes() -> set[str]:
    """The codes in the tables and classifiers by which the gateways translate answers."""
    return {
        node.value
        for module in ("aws_errors", "kintone_errors", "slack")
        for node in ast.walk(ast.parse((ROOT / f"syncer/gateways/{module}.py").read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.startswith(("aws_", "kintone_", "slack_")) and node.value.replace("_", "").isalpha()
    }


def placeholders(text: str) -> set[str]:
    return {name for _text, name, _format, _conversion in string.Formatter().parse(text) if name is not None}


def placeholders_of(code: str) -> set[str]:
    return {name for text in SENTENCES[code] for name in placeholders(text)}


USES = list_uses()


# --- Codes of the source ---------------------------------------------------------------------------------------------


def test_the_source_is_understood() -> None:
    """Known codes of each kind of place are found, so the tests below look at something."""
    found = {code for use in USES for code in use.codes} | list_gateway_codes()
    kinds = {"set_renamed", "policy_more_warnings", "too_much_of_set", "managed_policy_misspelt", "aws_throttled"}
    assert kinds | {"kintone_truncated", "baseline_missing", "group_unknown"} <= found
    assert len(found) > 90


def test_no_place_hides_its_code() -> None:
    assert {use.place for use in USES if not use.codes} == HANDED_ON


def test_every_code_has_a_sentence() -> None:
    used = {code for use in USES for code in use.codes} | list_gateway_codes()
    assert used - SENTENCES.keys() - {""} == set()  # the empty one says that the reason stays as it is


def test_every_sentence_is_given_what_it_asks_for() -> None:
    missing = {
        (use.place, code, name)
        for use in USES
        if use.params is not None
        for code in use.codes & SENTENCES.keys()
        for name in placeholders_of(code) - use.params
    }
    assert missing == set()


def test_sentences_of_gateways_ask_only_for_what_an_answer_has() -> None:
    asked = {code: placeholders_of(code) for code in list_gateway_codes() & SENTENCES.keys()}
    known = {
        "aws": {"operation", "code", "text"},
        "kintone": {"operation", "app", "code", "text", "expected", "found"},
        "slack": {"code"},
    }
    assert {code for code, names in asked.items() if names - known[code.partition("_")[0]]} == set()


# --- Sentences -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_sentence_renders_with_and_without_its_parameters(code: str, language: str) -> None:
    names = placeholders_of(code)
    with translation.override(language):
        full = render(code, {name: f"<{name}>" for name in names})
        bare = render(code)
    assert all(f"<{name}>" in full.message + full.remedy for name in names)
    assert full.message
    assert bare.message
    assert bare == (full if not names else bare)


def test_every_sentence_is_in_japanese_with_the_same_placeholders() -> None:
    with (ROOT / "locale/ja/LC_MESSAGES/django.po").open("rb") as file:
        catalog = {str(message.id): message for message in read_po(file) if message.id}
    texts = {text for pair in SENTENCES.values() for text in pair if placeholders(text) != {"text"} or len(text) > 6}
    untranslated = {text for text in texts if text and (text not in catalog or not catalog[text].string)}
    assert untranslated == set()
    differing = {text for text in texts if text and placeholders(str(catalog[text].string)) != placeholders(text)}
    assert differing == set()
    assert not any(message.fuzzy for message in catalog.values())


@pytest.mark.parametrize(
    "hostile", ["{", "}", "{0}", "{name.__class__}", "%s", "😀", "<script>", "\x00", "x" * 100_000, None, 7, ["a"], {}]
)
def test_any_parameter_is_shown_as_it_is(hostile: Any) -> None:
    with translation.override("en"):
        assert render("person_unknown", {"name": hostile}).message == f"“{hostile}” is not in Identity Center yet."


def test_missing_parameter_shows_as_a_dash() -> None:
    with translation.override("en"):
        assert render("account_unknown").message == "The organization has no account —."


def test_braces_of_a_sentence_are_shown_once() -> None:
    with translation.override("en"):
        assert render("policy_not_object").remedy == "Begin with a brace: { … }"


@pytest.mark.parametrize("code", ["", "never_heard_of", "{", "{name}"])
def test_unknown_code_is_shown_as_it_is(code: str) -> None:
    assert render(code, {"name": "x"}) == Sentence(code)


def test_stored_reason_renders() -> None:
    with translation.override("en"):
        assert render_reason({"code": "date_wrong", "params": {"value": "?"}}) == render("date_wrong", {"value": "?"})
    assert render_reason({}) is None
    assert render_reason({"code": "lease_lost", "params": None}) == render("lease_lost")


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        (Sentence("It failed.", "Try again."), "It failed. Try again."),
        (Sentence("失敗しました。", "もう一度お試しください。"), "失敗しました。もう一度お試しください。"),
        (Sentence("It failed."), "It failed."),
    ],
)
def test_text_is_message_and_remedy(sentence: Sentence, text: str) -> None:
    assert sentence.text == text
