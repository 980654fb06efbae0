"""AWS managed policies by what people write: looked up, suggested, withdrawn, or not on an old list."""

from datetime import date

import pytest

from accounts.policy.managed import find_near_bundled, load_bundle
from accounts.sentences import SENTENCES
from syncer.directory import Directory, find_policies_in_use
from syncer.records.parsing import Notes, parse_permission_set
from syncer.sets.managed_names import Answer, list_bundled, look_up
from syncer.states import ActualPolicy, ActualSet, Ownership
from tests.syncer.values import permission_set

PREFIX = "arn:aws:iam::aws:policy/"
READ_ONLY = ActualPolicy(PREFIX + "ReadOnlyAccess", "ReadOnlyAccess", is_attachable=True)
VIEW_ONLY = ActualPolicy(PREFIX + "job-function/ViewOnlyAccess", "ViewOnlyAccess", is_attachable=True)
OLD = date(2026, 9, 30)


def directory(*policies: ActualPolicy, listed_on: date | None = None) -> Directory:
    return Directory("", {}, {}, {}, policies=policies, policies_listed_on=listed_on)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ReadonlyAccess", "ReadOnlyAccess"),
        ("readonlyaccess", "ReadOnlyAccess"),
        ("READONLYACCESS", "ReadOnlyAccess"),
        ("ReadOnlyAcess", "ReadOnlyAccess"),
        ("ReadOnlyAccses", "ReadOnlyAccess"),
        ("RaedOnlyAccess", "ReadOnlyAccess"),
        ("ReadOnly", "ReadOnlyAccess"),
        ("Read Only Access", "ReadOnlyAccess"),
        ("read-only-access", "ReadOnlyAccess"),
        ("ＲｅａｄＯｎｌｙＡｃｃｅｓｓ", "ReadOnlyAccess"),
        ("job-function/ReadOnlyAccess", "ReadOnlyAccess"),
        ("service-role/ViewOnlyAccess", "ViewOnlyAccess"),
        ("arn:aws:iam::aws:policy/ViewOnlyAccess", "ViewOnlyAccess"),
        ("job-function/viewonly", "ViewOnlyAccess"),
        ("Administrator", "AdministratorAccess"),
        ("AdminstratorAccess", "AdministratorAccess"),
        ("PowerUser", "PowerUserAccess"),
        ("S3FullAccess", "AmazonS3FullAccess"),
        ("AWSS3ReadOnly", "AmazonS3ReadOnlyAccess"),
        ("AWSLambdaFullAccess", "AWSLambda_FullAccess"),
        ("AmazonECSFullAccess", "AmazonECS_FullAccess"),
        ("NetworkAdminstrator", "NetworkAdministrator"),
        ("BiIling", "Billing"),
        ("SecurityAudits", "SecurityAudit"),
    ],
)
def test_typical_mistake_finds_what_was_meant(written: str, meant: str) -> None:
    assert find_near_bundled(written) == meant


@pytest.mark.parametrize("written", ["", "NoSuchPolicy", "CompanyDeveloper", "開発者", "/", "x" * 100_000])
def test_name_of_something_else_finds_nothing(written: str) -> None:
    assert find_near_bundled(written) == ""


def test_policies_of_services_are_not_suggested() -> None:
    service_linked = [policy.name for policy in load_bundle().policies.values() if not policy.is_attachable]
    assert len(service_linked) > 300
    assert find_near_bundled(service_linked[0].lower()) != service_linked[0]


@pytest.mark.parametrize("written", ["ViewOnlyAccess", "/job-function/ViewOnlyAccess", VIEW_ONLY.arn])
def test_policy_is_found_by_name_path_and_arn(written: str) -> None:
    assert look_up(directory(VIEW_ONLY), written) == Answer(VIEW_ONLY.arn)


def test_wrong_path_in_an_arn_is_answered_with_the_arn() -> None:
    answer = look_up(directory(VIEW_ONLY), PREFIX + "ViewOnlyAccess")
    assert (answer.arn, answer.code, answer.params["near"]) == (None, "managed_policy_misspelt", VIEW_ONLY.arn)


def test_list_of_today_decides() -> None:
    answer = look_up(directory(READ_ONLY), "CompanyDeveloper")
    assert (answer.arn, answer.code, answer.severity) == (None, "managed_policy_unknown", "error")


@pytest.mark.parametrize("written", ["AmazonMQFullAccess", PREFIX + "AmazonMQFullAccess"])
def test_policy_that_aws_has_withdrawn_is_said_to_be(written: str) -> None:
    answer = look_up(directory(READ_ONLY), written)
    assert (answer.arn, answer.code) == (None, "managed_policy_withdrawn")


def test_withdrawn_policy_stays_where_it_is_attached() -> None:
    arn = PREFIX + "OlderThanAnyList"
    answer = look_up(directory(READ_ONLY), "OlderThanAnyList", {arn})
    assert (answer.arn, answer.code, answer.severity) == (arn, "managed_policy_withdrawn_kept", "warning")


@pytest.mark.parametrize(
    ("written", "arn", "code"),
    [
        ("ReadOnlyAccess", READ_ONLY.arn, ""),
        ("BrandNewAccess", PREFIX + "BrandNewAccess", "managed_policy_not_listed"),
        ("job-function/BrandNewAccess", PREFIX + "job-function/BrandNewAccess", "managed_policy_not_listed"),
        (PREFIX + "BrandNewAccess", PREFIX + "BrandNewAccess", "managed_policy_not_listed"),
        ("ReadonlyAccess", PREFIX + "ReadonlyAccess", "managed_policy_not_listed_near"),
    ],
)
def test_old_list_only_makes_one_wonder(written: str, arn: str, code: str) -> None:
    answer = look_up(directory(READ_ONLY, listed_on=OLD), written)
    assert (answer.arn, answer.code) == (arn, code)
    assert not code or (answer.severity, answer.params["day"]) == ("warning", "2026-09-30")


def test_partition_is_that_of_the_list() -> None:
    china = ActualPolicy("arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "ReadOnlyAccess", is_attachable=True)
    assert look_up(directory(china, listed_on=OLD), "BrandNewAccess").arn == "arn:aws-cn:iam::aws:policy/BrandNewAccess"


def test_bundled_list_knows_names_paths_and_what_cannot_be_attached() -> None:
    there = permission_set("Other", managed_policies=frozenset({PREFIX + "OnlyAttached"}))
    in_use = find_policies_in_use([there, ActualSet("Legacy", "arn:Legacy", Ownership.NOT_OURS)])
    found = directory(*list_bundled("aws", in_use), listed_on=OLD)
    assert look_up(found, "ViewOnlyAccess").arn == VIEW_ONLY.arn
    assert look_up(found, "OnlyAttached") == Answer(PREFIX + "OnlyAttached")
    assert look_up(found, "AWSSupportServiceRolePolicy").code == "managed_policy_not_attachable"


def test_every_answer_has_a_sentence() -> None:
    codes = ("misspelt", "unknown", "withdrawn", "withdrawn_kept", "not_listed", "not_listed_near", "not_attachable")
    assert {f"managed_policy_{code}" for code in codes} <= set(SENTENCES)


def test_name_with_a_blank_is_answered_with_the_name_that_was_meant() -> None:
    notes = Notes("23:1")
    parse_permission_set({"name": {"value": "A"}, "managed_policies": {"value": "\nRead Only Access"}}, notes)
    assert [(each.code, each.line, each.params["near"]) for each in notes.problems] == [
        ("managed_policy_misspelt", 2, "ReadOnlyAccess")
    ]
