"""The gateway to a repository against a GitHub over HTTP: files into a branch, a pull request that is there once."""

from collections.abc import Iterator

import pytest

from simulators.github import Fault, GitHubSimulator, throttle
from simulators.serving import Response, Serving
from syncer.gateways.errors import Denied, GatewayError, Invalid, NoAnswer, NotFound, Throttled, Unauthenticated
from syncer.gateways.github_repository import GitHubRepository, hash_blob

BRANCH = "genkan/terraform"


@pytest.fixture
def simulator() -> GitHubSimulator:
    return GitHubSimulator()


@pytest.fixture
def repository(simulator: GitHubSimulator) -> Iterator[GitHubRepository]:
    with Serving(simulator) as serving:
        yield GitHubRepository(serving.url, "ghp_simulated", "example/aws-access")


def test_hash_of_a_file_is_gits() -> None:
    assert hash_blob("") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert hash_blob("hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_files_of_a_folder_are_listed_by_hash(repository: GitHubRepository, simulator: GitHubSimulator) -> None:
    simulator.git.write("main", {"aws/identity/a.tf": "a\n", "aws/identity/more/b.tf": "b\n", "aws/c.tf": "c\n"})
    head = repository.find_branch(repository.fetch_default_branch())
    assert head is not None
    assert repository.list_files(head.tree, "aws/identity") == {"a.tf": hash_blob("a\n")}
    assert set(repository.list_files(head.tree, "")) == {"README.md"}
    assert repository.list_files(head.tree, "aws/none") == {}


def test_branch_that_is_not_there_is_none(repository: GitHubRepository) -> None:
    assert repository.find_branch(BRANCH) is None


@pytest.mark.parametrize("is_new", [True, False])
def test_branch_moves_to_the_commit(repository: GitHubRepository, simulator: GitHubSimulator, is_new: bool) -> None:
    base = repository.find_branch("main")
    assert base is not None
    if not is_new:
        simulator.git.write(BRANCH, {"other.tf": "by somebody\n"})
    commit = repository.write_commit(base, "Export", {"aws/a.tf": "é\n"})
    repository.set_branch(BRANCH, commit, is_new=is_new)
    assert simulator.git.files(BRANCH) == {"README.md": "# infrastructure\n", "aws/a.tf": "é\n"}
    assert commit.parents == (base.sha,)


def test_pull_request_is_found_and_changed(repository: GitHubRepository, simulator: GitHubSimulator) -> None:
    simulator.git.write(BRANCH, {"a.tf": "a\n"})
    assert repository.find_pull(BRANCH, "main") is None
    made = repository.create_pull(BRANCH, "main", "Export", "one")
    repository.update_pull(made.number, "Export", "two")
    found = repository.find_pull(BRANCH, "main")
    assert found is not None
    assert (found.number, found.body, found.is_open) == (made.number, "two", True)
    repository.close_pull(made.number)
    closed = repository.find_pull(BRANCH, "main")
    assert closed is not None
    assert not closed.is_open


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Response.json({}, 401), Unauthenticated, "github_token_refused"),
        (Response.json({}, 403), Denied, "github_repository_denied"),
        (Response.json({}, 404), NotFound, "github_repository_missing"),
        (Response.json({}, 409), Invalid, "github_refused"),
        (Response.json({}, 422), Invalid, "github_refused"),
        (throttle(9), Throttled, "github_throttled"),
        (Response.json([]), Invalid, "github_unreachable"),
        (Response.json({"default_branch": None}), Invalid, "github_unreachable"),
        (None, NoAnswer, "github_unreachable"),
    ],
)
def test_bad_answer_is_one_of_our_errors(
    repository: GitHubRepository,
    simulator: GitHubSimulator,
    answer: Response | None,
    kind: type[GatewayError],
    code: str,
) -> None:
    simulator.faults.append(Fault(answer))
    with pytest.raises(kind) as caught:
        repository.fetch_default_branch()
    assert caught.value.reason.code == code
