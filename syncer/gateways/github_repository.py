"""GitHub: a repository into which files are offered by pull request.

Files travel through the git data API: one tree and one commit for all of them, whatever their number, and the branch
moves to it at the end. What was made and not used costs nothing: git forgets it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from syncer.gateways.errors import NotFound
from syncer.gateways.github_transport import TIMEOUT, Body, Transport, Words, not_github, read_list

_FILE = {"mode": "100644", "type": "blob"}


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Pull:
    number: int
    url: str
    title: str
    body: str
    is_open: bool


class GitHubRepository:
    """One repository, `owner/repo`. Every method raises GatewayError, and nothing else."""

    def __init__(self, api: str, token: str, repository: str, *, timeout: tuple[float, float] = TIMEOUT) -> None:
        words = Words("github_repository_missing", "github_repository_denied", {"repository": repository})
        self._transport = Transport(api, token, repository, words, timeout)
        self._owner = repository.partition("/")[0]
        self._url, self._name = self._transport.url, repository

    def fetch_default_branch(self) -> str:
        operation = f"github GET repository {self._name}"
        return _text(operation, self._transport.read("GET", self._url, operation), "default_branch")

    def find_branch(self, name: str) -> Commit | None:
        """The commit that a branch is at; None where there is no such branch."""
        operation = f"github GET ref {self._name} {name}"
        try:
            body = self._transport.read("GET", f"{self._url}/git/ref/heads/{quote(name)}", operation)
        except NotFound:
            return None
        return self.fetch_commit(_text(operation, _object(operation, body, "object"), "sha"))

    def fetch_commit(self, sha: str) -> Commit:
        operation = f"github GET commit {self._name}"
        return _parse_commit(operation, self._transport.read("GET", f"{self._url}/git/commits/{sha}", operation))

    def list_files(self, tree: str, folder: str) -> Mapping[str, str]:
        """Name → git's hash of each file that lies in a folder of that tree; none where there is no such folder."""
        for part in filter(None, folder.split("/")):
            found = next((item for item in self._list_tree(tree) if item["path"] == part), None)
            if found is None or found["type"] != "tree":
                return {}
            tree = found["sha"]
        return {item["path"]: item["sha"] for item in self._list_tree(tree) if item["type"] == "blob"}

    def _list_tree(self, tree: str) -> list[Mapping[str, str]]:
        operation = f"github GET tree {self._name}"
        items = self._transport.read("GET", f"{self._url}/git/trees/{tree}", operation).get("tree")
        if not isinstance(items, list):
            raise not_github(operation)
        return [{name: _text(operation, item, name) for name in ("path", "type", "sha")} for item in items]

    def write_commit(self, parent: Commit, message: str, files: Mapping[str, str]) -> Commit:
        """A commit on top of another that gives these paths these texts; it is on no branch yet."""
        operation = f"github POST commit {self._name}"
        entries = [{"path": path, "content": text, **_FILE} for path, text in files.items()]
        body: Body = {"base_tree": parent.tree, "tree": entries}
        tree = _text(operation, self._transport.read("POST", f"{self._url}/git/trees", operation, body), "sha")
        body = {"message": message, "tree": tree, "parents": [parent.sha]}
        return _parse_commit(operation, self._transport.read("POST", f"{self._url}/git/commits", operation, body))

    def set_branch(self, name: str, commit: Commit, *, is_new: bool) -> None:
        """Have the branch be at this commit, whatever it was at before."""
        operation = f"github POST ref {self._name} {name}"
        if is_new:
            body: Body = {"ref": f"refs/heads/{name}", "sha": commit.sha}
            self._transport.request("POST", f"{self._url}/git/refs", operation, body=body)
        else:
            body = {"sha": commit.sha, "force": True}
            self._transport.request("PATCH", f"{self._url}/git/refs/heads/{quote(name)}", operation, body=body)

    def find_pull(self, branch: str, base: str) -> Pull | None:
        """The newest pull request from one branch into another, open or not."""
        operation = f"github GET pulls {self._name}"
        query = {"head": f"{self._owner}:{branch}", "base": base, "state": "all", "per_page": "1"}
        answer = self._transport.request("GET", f"{self._url}/pulls?{urlencode(query)}", operation)
        return next((_parse_pull(operation, item) for item in read_list(operation, answer)), None)

    def create_pull(self, branch: str, base: str, title: str, body: str) -> Pull:
        operation = f"github POST pull {self._name}"
        sent = {"title": title, "body": body, "head": branch, "base": base}
        return _parse_pull(operation, self._transport.read("POST", f"{self._url}/pulls", operation, sent))

    def update_pull(self, number: int, title: str, body: str) -> Pull:
        operation = f"github PATCH pull {self._name} {number}"
        url = f"{self._url}/pulls/{number}"
        return _parse_pull(operation, self._transport.read("PATCH", url, operation, {"title": title, "body": body}))

    def close_pull(self, number: int) -> None:
        operation = f"github PATCH pull {self._name} {number}"
        self._transport.request("PATCH", f"{self._url}/pulls/{number}", operation, body={"state": "closed"})


def hash_blob(text: str) -> str:
    """Git's hash of a file that says this."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _text(operation: str, body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str):
        raise not_github(operation)
    return value


def _object(operation: str, body: Body, name: str) -> Body:
    value = body.get(name)
    if not isinstance(value, dict):
        raise not_github(operation)
    return value


def _parse_commit(operation: str, body: Body) -> Commit:
    parents = body.get("parents")
    shas = tuple(_text(operation, item, "sha") for item in parents) if isinstance(parents, list) else ()
    return Commit(_text(operation, body, "sha"), _text(operation, _object(operation, body, "tree"), "sha"), shas)


def _parse_pull(operation: str, body: Any) -> Pull:
    number = body.get("number") if isinstance(body, dict) else None
    if not isinstance(number, int):
        raise not_github(operation)
    return Pull(
        number,
        _text(operation, body, "html_url"),
        _text(operation, body, "title"),
        str(body.get("body") or ""),
        body.get("state") == "open",
    )
