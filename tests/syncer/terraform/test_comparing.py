"""Two exports compared: what counts as a change, and that nothing within a block is taken for its end."""

import pytest

from syncer.terraform.comparing import Comparison, compare, list_resources
from syncer.terraform.hcl import Block, Document, render_file


def file(**texts: str) -> dict[str, str]:
    """A file with a resource for each name, whose text it has."""
    blocks = [
        Block("resource", ("r", name), ({"text": Document(text)},), ("What it is",)) for name, text in texts.items()
    ]
    return {"a.tf": render_file(["Head"], [Block("data", ("d", "x")), *blocks])}


def test_resources_come_change_and_go() -> None:
    before, after = file(stays="1", changes="1", goes="1"), file(stays="1", changes="2", comes="1")
    assert compare(before, after) == Comparison(("r.comes",), ("r.changes",), ("r.goes",), unchanged=2)


@pytest.mark.parametrize("text", ['}\nresource "r" "y" {', '}\n}\ndata "d" "y" {}', "EOT", "{"])
def test_text_within_a_block_is_no_block(text: str) -> None:
    assert list(list_resources(file(only=text))) == ["data.d.x", "r.only"]


def test_comments_imports_and_the_file_it_is_in_do_not_count() -> None:
    before = file(stays="1")
    imports = render_file(["Imports"], [Block("import", (), ({"id": "1"},))])
    after = {"b.tf": before["a.tf"].replace("# What it is", "# Something else"), "imports.tf": imports}
    assert compare(before, after).count == 0


def test_what_goes_stands_first() -> None:
    comparison = Comparison(added=("c",), changed=("b",), removed=("a",))
    assert list(comparison.iter_signed()) == [("-", "a"), ("~", "b"), ("+", "c")]


def test_everything_is_new_at_first() -> None:
    assert compare({}, file(one="1")).added == ("data.d.x", "r.one")
