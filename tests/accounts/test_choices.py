"""The words of choices, as Django's own would give them."""

import pytest
from django.db import models
from django.utils import translation

from accounts.models import Account, Assignment, PermissionSet


@pytest.mark.parametrize(("language", "word"), [("ja", "使えます"), ("en", "granted")])
def test_choice_is_called_in_the_language_of_its_reader(language: str, word: str) -> None:
    with translation.override(language):
        assert Assignment(state="granted").get_state_display() == word


def test_words_are_those_of_django() -> None:
    rows = [Account(stage="staging", state="odd"), Account(), PermissionSet(state="")]
    for row in rows:
        for field in row._meta.concrete_fields:
            if field.choices:
                own = getattr(row, f"get_{field.name}_display")()
                assert own == models.Model._get_FIELD_display(row, field)  # type: ignore[attr-defined]
