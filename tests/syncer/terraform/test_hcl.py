"""Values become HCL: in the form of `terraform fmt`, and never as code."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.terraform.hcl import Block, Document, Expression, quote, render_comment, render_file

_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\$\$\{|%%\{|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\(.)")
# Terraform's strings are Unicode scalar values.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DANGEROUS = st.lists(
    st.one_of(st.sampled_from(['"', "\\", "$", "%", "{", "}", "${", "%{", "$$", "\n", "\r", "#", "EOT", "}\n"]), TEXTS)
).map("".join)


def read_templates(text: str) -> str:
    """What Terraform makes of a literal that is no template, by the rules of its language."""
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", text)
    return text.replace("$${", "${").replace("%%{", "%{")


def read_quoted(text: str) -> str:
    """What a quoted string says; there is exactly one, and nothing beside it."""
    found = _QUOTED.fullmatch(text)
    assert found

    def resolve(escape: re.Match[str]) -> str:
        if escape[0] in ("$${", "%%{"):
            return escape[0][1:]
        code = escape[1] or escape[2]
        return chr(int(code, 16)) if code else _SIGNS[escape[3]]

    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", found[1])
    return _ESCAPE.sub(resolve, found[1])


@given(DANGEROUS)
def test_quoted_text_is_what_it_was_and_nothing_else(text: str) -> None:
    assert read_quoted(quote(text)) == text


@given(DANGEROUS.filter(lambda text: "\r" not in text))
def test_document_is_what_it_was_and_nothing_else(text: str) -> None:
    first, *lines, end = Document(text).render(1).split("\n")
    mark = first.removeprefix("<<-")
    assert end == f"  {mark}"
    assert mark not in {line.strip() for line in lines}
    assert read_templates("\n".join(line.removeprefix("    ") for line in lines)) == text


@given(DANGEROUS)
def test_comment_is_one_line(text: str) -> None:
    assert len(render_comment(text).splitlines()) == 1
    assert render_comment(text).startswith("#")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", '"plain"'),
        ("日本語", '"日本語"'),
        ('say "no"\\', r'"say \"no\"\\"'),
        ("a\nb\tc\r", r'"a\nb\tc\r"'),
        ("${x} $${y} %{z}", '"$${x} $$${y} %%{z}"'),
        ("\0\x1b\u2028\u202e\ud800", r'"\u0000\u001b\u2028\u202e' + "\ufffd" + '"'),
        ("\U000e0001", r'"\U000e0001"'),
    ],
)
def test_texts_are_quoted(text: str, written: str) -> None:
    assert quote(text) == written


def test_file_has_the_form_of_terraform_fmt() -> None:
    block = Block(
        "resource",
        ("a_b", "c"),
        (
            {"name": "x", "longer_name": Expression("local.y"), "policy": Document('{\n\n  "a": "${b}"\n}')},
            Block("inner", (), ({"list": (Expression("a"), "b")},)),
        ),
        ("What it is",),
    )
    assert (
        render_file(["Head"], [Block("data", ("d", "e")), block])
        == """\
# Head

data "d" "e" {}

# What it is
resource "a_b" "c" {
  name        = "x"
  longer_name = local.y
  policy      = <<-EOT
    {

      "a": "$${b}"
    }
  EOT

  inner {
    list = [a, "b"]
  }
}
"""
    )
