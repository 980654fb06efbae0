"""Every column of what is carried has been thought about. That every table has: tests/test_project.py."""

import pytest

from syncer.backup.catalogue import CATALOGUE, Care
from syncer.backup.exporting import iter_columns
from syncer.backup.sections import SECTIONS, Section

MADE_WITH_OTHERS = {"django_celery_beat.IntervalSchedule", "django_celery_beat.CrontabSchedule"}


def test_what_is_carried_has_a_section_each() -> None:
    carried = {label for label, entry in CATALOGUE.items() if entry.care is Care.CARRIED}
    assert {section.model._meta.label for section in SECTIONS} == carried - MADE_WITH_OTHERS
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: str(section.name))
def test_every_column_is_carried_or_named_as_not(section: Section) -> None:
    columns = {column.name for column in iter_columns(section.model)}
    named = {*section.key, *section.fields, *section.without}
    assert named | {*section.says} <= columns
    if not section.is_mirror:
        assert columns - named <= {"id"}


def test_what_is_carried_looks_up_what_was_put_back_before() -> None:
    done: set[type] = set()
    own = {section.model for section in SECTIONS}
    for section in SECTIONS:
        columns = [column for column in iter_columns(section.model) if column.name in section.columns]
        named = {column.remote_field.model for column in columns if column.remote_field}
        assert (named & own) <= done, section.name
        done.add(section.model)


def test_nothing_secret_has_a_column() -> None:
    named = {name for section in SECTIONS for name in section.columns}
    assert not named & {"password", "digest", "token", "session_key"}
