"""The settings file as text."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from syncer.backup.document import VERSION, Document, NotReadable, parse_document

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
DOCUMENT = Document(NOW, {"instance_arn": "arn:aws:sso:::instance/ssoins-1"}, {"guardrails": [{"name": "本番"}]})


def changed(**values: Any) -> str:
    return json.dumps(json.loads(DOCUMENT.render()) | values)


def test_document_reads_what_it_wrote() -> None:
    assert parse_document(DOCUMENT.render()) == DOCUMENT


def test_text_is_readable_line_by_line() -> None:
    assert '    "name": "本番"' in DOCUMENT.render().splitlines()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "backup_broken"),
        ("[]", "backup_of_something_else"),
        (changed(format="other"), "backup_of_something_else"),
        (changed(version=VERSION + 1), "backup_too_new"),
        (changed(version="1"), "backup_too_new"),
        (changed(written_at="yesterday"), "backup_broken"),
        (changed(written_at="2026-11-26T03:00:00"), "backup_broken"),
        (changed(company=[]), "backup_broken"),
        (changed(sections={"guardrails": {}}), "backup_broken"),
        (changed(sections={"guardrails": ["a"]}), "backup_broken"),
    ],
)
def test_anything_else_is_refused(text: str, code: str) -> None:
    with pytest.raises(NotReadable) as refused:
        parse_document(text)
    assert refused.value.reason.code == code


def test_newer_format_is_taken_when_forced() -> None:
    assert parse_document(changed(version=VERSION + 1), any_version=True).version == VERSION + 1


def test_another_company_shows_as_difference() -> None:
    (difference,) = DOCUMENT.compare({"instance_arn": "arn:aws:sso:::instance/ssoins-2"})
    assert difference == ("instance_arn", "arn:aws:sso:::instance/ssoins-1", "arn:aws:sso:::instance/ssoins-2")
