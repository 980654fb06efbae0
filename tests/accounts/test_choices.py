"""The words of choices, as Django's own would give them."""

import pytest
from django.utils import translation

from accounts.models import Account, Assignment, PermissionSet, Stage


@pytest.mark.parametrize(("language", "word"), [("ja", "使えます"), ("en", "granted")])
def test_choice_is_called_in_the_language_of_its_reader(language: str, word: str) -> None:
    with translation.override(language):
        assert Assignment(state="granted").get_state_display() == word


def test_every_choice_has_its_word_and_what_is_none_stands_for_itself() -> None:
    for stage in Stage:
        assert Account(stage=stage).get_stage_display() == str(stage.label)
    assert Account(state="odd").get_state_display() == "odd"
    assert PermissionSet(state="").get_state_display() == ""
