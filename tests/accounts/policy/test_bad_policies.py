"""What AWS refuses is not accepted, and what AWS takes is not blocked."""

import json
from string import Formatter

import pytest
from django.utils import translation

from accounts.policy.findings import SEVERITIES, Severity
from accounts.policy.validator import has_errors, validate_policy
from accounts.sentences import SENTENCES, render
from tests.accounts.policy.bad_policies import BAKE_OFF, CASES, GOOD, OWN, REFUSED, USELESS, Case

IDS = [case.fault for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_fault_is_found(case: Case) -> None:
    assert case.code in [finding.code for finding in validate_policy(case.text)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_aws_word_decides_what_blocks(case: Case) -> None:
    assert has_errors(validate_policy(case.text)) == (case.aws in (REFUSED, USELESS))


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_everything_that_is_found_has_words_and_a_place(case: Case, language: str) -> None:
    lines = case.text.split("\n")
    for finding in validate_policy(case.text):
        assert finding.sentence in SENTENCES
        asked = {name for text in SENTENCES[finding.sentence] for _text, name, *_rest in Formatter().parse(text)}
        assert asked - {None} <= finding.params.keys()
        with translation.override(language):
            assert render(finding.sentence, finding.params).message
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
        assert (finding.end_line, finding.end_column) >= (finding.line, finding.column)
        assert finding.link.startswith("https://docs.aws.amazon.com/IAM/latest/UserGuide/")


def test_there_are_enough_of_them() -> None:
    assert len(BAKE_OFF) == 42
    assert len(OWN) >= 150
    assert len({case.text for case in CASES}) >= len(CASES) - 3  # some show two faults


def test_every_check_is_shown_by_some_policy() -> None:
    of_files_and_sets = {code for code in SEVERITIES if code.startswith(("FILE_", "ATTACHED_", "NAMES_", "MORE_"))}
    shown = {finding.code for case in CASES for finding in validate_policy(case.text)}
    assert SEVERITIES.keys() - shown - of_files_and_sets == {"POLICY_SIZE_NOT_CHECKED_FURTHER"}  # in test_limits


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        json.dumps(json.loads(GOOD), indent=2).replace("\n", "\r\n"),
        GOOD.replace("[", "").replace("]", ""),
    ],
)
def test_good_policy_has_no_findings(text: str) -> None:
    assert validate_policy(text) == ()


def test_severities_are_those_of_the_design() -> None:
    assert SEVERITIES["MISSING_VERSION"] is Severity.WARNING
    assert {SEVERITIES[code] for code in SEVERITIES if code.startswith("EMPTY_ARRAY")} == {Severity.HINT}
    unknown = ("ACTION", "SERVICE", "SERVICE_IN_ACTION", "GLOBAL_CONDITION_KEY", "SERVICE_CONDITION_KEY")
    assert {SEVERITIES[f"INVALID_{name}"] for name in unknown} == {Severity.WARNING}
    assert all("SIZE" in code for code in SEVERITIES if "QUOTA" in code)
