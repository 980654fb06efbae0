"""The export as a pull request: there once, as the newest export says, and never against somebody's no."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent
from simulators.github import Fault, GitHubSimulator, throttle
from simulators.github_git import Pull
from simulators.serving import Response, Serving
from syncer import leases
from syncer.models import TerraformExport, TerraformOffer
from syncer.terraform import offering
from syncer.terraform.comparing import Comparison
from syncer.terraform.exports import checksum_of, find_latest
from syncer.terraform.offering import BRANCH, offer_due, render_body

pytestmark = pytest.mark.django_db

SETS, ASSIGNMENTS = "genkan_permission_sets.tf", "genkan_assignments.tf"
OLD = {SETS: 'resource "aws_ssoadmin_permission_set" "Root" {\n  name = "Root"\n}\n', ASSIGNMENTS: ""}
NEW = {**OLD, ASSIGNMENTS: 'resource "aws_ssoadmin_account_assignment" "hana" {\n  target_id = "1"\n}\n'}


@pytest.fixture
def github(settings: Settings) -> Iterator[GitHubSimulator]:
    simulator = GitHubSimulator()
    settings.GITHUB_TOKEN, settings.LANGUAGE_CODE = "ghp_simulated", "en"
    settings.PUBLIC_URL = "https://genkan.example.com"
    TerraformOffer.objects.filter(pk=1).update(is_on=True, repository="example/aws-access", folder="aws/identity")
    with Serving(simulator) as serving:
        settings.GITHUB_API_URL = serving.url
        yield simulator


def export(files: dict[str, str], **values: Any) -> TerraformExport:
    return TerraformExport.objects.create(files=files, checksum=checksum_of(files), **values)


def look(*, later: timedelta = timedelta(0)) -> str:
    return offer_due(timezone.now() + later)


def in_folder(files: dict[str, str]) -> dict[str, str]:
    return {f"aws/identity/{path}": text for path, text in files.items()}


def exported(github: GitHubSimulator, branch: str = BRANCH) -> dict[str, str]:
    return {path: text for path, text in github.git.files(branch).items() if path.startswith("aws/identity/genkan_")}


def only_pull(github: GitHubSimulator) -> Pull:
    [pull] = github.git.pulls
    return pull


def test_export_is_offered(github: GitHubSimulator) -> None:
    export(NEW)
    assert look() == "https://github.com/example/aws-access/pull/1"
    assert exported(github) == in_folder(NEW)
    assert (only_pull(github).head, only_pull(github).base) == (BRANCH, "main")
    assert github.git.files("main").keys() == {"README.md"}
    assert AuditEvent.objects.get(action="terraform.offer").after == {"pull_request": look(later=timedelta(hours=2))}


def test_what_is_offered_is_not_asked_about_for_an_hour(github: GitHubSimulator) -> None:
    export(NEW)
    look()
    count = len(github.requests)
    look()
    assert len(github.requests) == count
    look(later=timedelta(hours=1, seconds=1))
    assert len(github.requests) > count
    assert not [request for request in github.requests[count:] if request.method != "GET"]


def test_newer_export_takes_the_place_of_the_older(github: GitHubSimulator) -> None:
    export(OLD)
    look()
    export(NEW)
    look()
    assert exported(github) == in_folder(NEW)
    assert "aws_ssoadmin_account_assignment.hana" in only_pull(github).body


def test_merging_is_taking_over(github: GitHubSimulator) -> None:
    newest = export(NEW)
    look()
    github.git.merge(only_pull(github))
    assert look(later=timedelta(hours=2)) == ""
    newest.refresh_from_db()
    assert newest.taken_by == "GitHub example/aws-access"
    assert find_latest().is_taken
    look(later=timedelta(hours=4))
    assert AuditEvent.objects.filter(action="terraform.take").count() == 1


def test_no_is_heard_until_the_files_differ(github: GitHubSimulator) -> None:
    export(OLD)
    look()
    only_pull(github).state = "closed"
    look(later=timedelta(hours=2))
    assert len(github.git.pulls) == 1
    export(NEW)
    look()
    assert [pull.state for pull in github.git.pulls] == ["closed", "open"]


def test_what_is_there_already_is_not_offered(github: GitHubSimulator) -> None:
    github.git.write("main", in_folder(NEW))
    export(NEW)
    assert look() == ""
    assert github.git.pulls == []
    assert find_latest().is_taken


def test_pull_request_that_is_over_is_closed(github: GitHubSimulator) -> None:
    """Somebody might merge what is not wanted any more."""
    github.git.write("main", in_folder(OLD))
    export(NEW)
    look()
    export(OLD)
    look()
    assert only_pull(github).state == "closed"


def test_branch_is_made_anew_where_the_base_differs(github: GitHubSimulator) -> None:
    export(NEW)
    look()
    github.git.write("main", {"aws/identity/genkan_assignments.tf": "# by hand\n"})
    tip = github.git.write("main", {"other.tf": "other\n"})
    look(later=timedelta(hours=2))
    assert github.git.commits[github.git.refs[BRANCH]][1] == (tip,)
    assert exported(github) == in_folder(NEW)


def test_branch_stays_where_only_others_changed(github: GitHubSimulator) -> None:
    export(NEW)
    look()
    tip = github.git.refs[BRANCH]
    github.git.write("main", {"other.tf": "other\n"})
    look(later=timedelta(hours=2))
    assert github.git.refs[BRANCH] == tip


def test_what_somebody_put_on_the_branch_goes(github: GitHubSimulator) -> None:
    export(NEW)
    look()
    github.git.write(BRANCH, {"aws/identity/genkan_assignments.tf": "# mine\n"})
    look(later=timedelta(hours=2))
    assert exported(github) == in_folder(NEW)


def test_what_hides_behind_the_exported_files_goes(github: GitHubSimulator) -> None:
    """One commit on top of the base, with the very files that are wanted, and one more."""
    export(NEW)
    look()
    github.git.refs[BRANCH] = github.git.refs["main"]
    github.git.write(BRANCH, {**in_folder(NEW), "aws/identity/zz.tf": "# mine\n", ".github/workflows/x.yml": "mine\n"})
    look(later=timedelta(hours=2))
    assert github.git.files(BRANCH).keys() == {"README.md", *in_folder(NEW)}
    assert only_pull(github).state == "open"


@pytest.mark.parametrize(("method", "path"), [("POST", "/git/refs"), ("POST", "/pulls")])
def test_answer_that_got_lost_makes_no_second(github: GitHubSimulator, method: str, path: str) -> None:
    export(NEW)
    github.faults.append(Fault(None, method=method, path=path, after=True))
    assert look() == ""
    assert TerraformOffer.load().error
    assert look(later=timedelta(minutes=11))
    assert len(github.git.pulls) == 1
    assert TerraformOffer.load().error == ""


def test_process_that_died_is_carried_on(github: GitHubSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    export(NEW)
    with monkeypatch.context() as patched:
        patched.setattr(offering, "find_latest", find_latest)
        patched.setattr(offering._Offering, "_note", lambda *_values: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look()
    look()
    assert len(github.git.pulls) == 1


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (throttle(3000), timedelta(minutes=49)), (Response.text("Unicorn", 502), timedelta(minutes=9)),
        (Response.json({}, 403), timedelta(minutes=59)), (Response.json({}, 404), timedelta(minutes=59)),
    ],
)  # fmt: skip
def test_github_is_left_alone_when_it_fails(github: GitHubSimulator, answer: Response, pause: timedelta) -> None:
    export(NEW)
    github.faults.append(Fault(answer))
    look()
    count = len(github.requests)
    look(later=pause)
    assert len(github.requests) == count
    assert look(later=pause + timedelta(minutes=2))


def test_branch_that_is_not_there_is_told(github: GitHubSimulator) -> None:
    TerraformOffer.objects.update(base="develop")
    export(NEW)
    look()
    assert TerraformOffer.load().error.startswith("The repository example/aws-access on GitHub has no branch develop.")


@pytest.mark.parametrize("change", [{"is_on": False}, {"repository": ""}])
def test_nothing_is_offered_unless_it_is_set_up(github: GitHubSimulator, change: dict[str, Any]) -> None:
    TerraformOffer.objects.update(**change)
    export(NEW)
    assert look() == ""
    assert github.requests == []


def test_no_export_is_no_pull_request(github: GitHubSimulator) -> None:
    assert look() == ""
    assert github.requests == []


def test_one_offers_at_a_time(github: GitHubSimulator) -> None:
    export(NEW)
    with leases.hold_lease(offering.LEASE):
        assert look() == ""
    assert github.requests == []


def test_long_lists_end_in_a_number() -> None:
    body = render_body(Comparison(added=tuple(f"aws_x.a{number}" for number in range(60))), is_first=False)
    assert body.count("- `+ ") == 50
    assert "10" in body
