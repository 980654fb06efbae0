"""The git side of the simulated GitHub: trees, commits, branches, pull requests, by their REST API.

Hashes of files are git's own; those of trees and commits only have to be the same for the same content.
"""

import hashlib
import json
from dataclasses import dataclass, field
from re import fullmatch
from typing import Any
from urllib.parse import unquote

from simulators.serving import Request, Response

Files = dict[str, str]
"""Path → text, of a whole repository."""


@dataclass
class Pull:
    number: int
    head: str
    base: str
    title: str
    body: str
    state: str = "open"


@dataclass
class GitStore:
    """One repository. `write` is a push by somebody, `merge` the button on a pull request."""

    owner: str = "example"
    default_branch: str = "main"
    commits: dict[str, tuple[Files, tuple[str, ...]]] = field(default_factory=dict)  # sha → files, parents
    refs: dict[str, str] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    trees: dict[str, tuple[Files, str]] = field(default_factory=dict)  # sha → files, and the folder that it is

    def __post_init__(self) -> None:
        self.write(self.default_branch, {"README.md": "# infrastructure\n"})

    def write(self, branch: str, files: Files) -> str:
        parent = self.refs.get(branch)
        before = self.commits[parent][0] if parent else {}
        self.refs[branch] = self._commit({**before, **files}, (parent,) if parent else ())
        return self.refs[branch]

    def merge(self, pull: Pull) -> None:
        pull.state = "closed"
        self.write(pull.base, self.files(pull.head))

    def files(self, branch: str) -> Files:
        return self.commits[self.refs[branch]][0]

    def answer(self, request: Request, rest: str) -> Response:
        """`rest` is what comes behind the repository's name."""
        body = json.loads(request.body or b"{}")
        for pattern, method, handle in (
            (r"/git/ref/heads/(.+)", "GET", self._get_ref), (r"/git/refs", "POST", self._post_ref),
            (r"/git/refs/heads/(.+)", "PATCH", self._patch_ref), (r"/git/commits/(\w+)", "GET", self._get_commit),
            (r"/git/trees/(\w+)", "GET", self._get_tree), (r"/git/trees", "POST", self._post_tree),
            (r"/git/commits", "POST", self._post_commit), (r"/pulls/(\d+)", "PATCH", self._patch_pull),
            (r"/pulls", "POST", self._post_pull),
        ):  # fmt: skip
            found = fullmatch(pattern, rest)
            if found and request.method == method:
                return handle(body, *map(unquote, found.groups()))
        if rest == "/pulls":
            return self._list_pulls(request)
        return _refuse(404)

    def _get_ref(self, _body: Any, name: str) -> Response:
        sha = self.refs.get(name)
        return Response.json({"ref": f"refs/heads/{name}", "object": {"sha": sha}}) if sha else _refuse(404)

    def _post_ref(self, body: Any) -> Response:
        name = body["ref"].removeprefix("refs/heads/")
        if name in self.refs or body["sha"] not in self.commits:
            return _refuse(422)
        self.refs[name] = body["sha"]
        return Response.json({"ref": body["ref"], "object": {"sha": body["sha"]}}, 201)

    def _patch_ref(self, body: Any, name: str) -> Response:
        if name not in self.refs or body["sha"] not in self.commits:
            return _refuse(422)
        if not body.get("force") and self.refs[name] not in self.commits[body["sha"]][1]:
            return _refuse(422)
        self.refs[name] = body["sha"]
        return self._get_ref(body, name)

    def _get_commit(self, _body: Any, sha: str) -> Response:
        return Response.json(self._show_commit(sha)) if sha in self.commits else _refuse(404)

    def _post_commit(self, body: Any) -> Response:
        if body["tree"] not in self.trees or not body["message"]:
            return _refuse(422)
        sha = self._commit(self.trees[body["tree"]][0], tuple(body["parents"]), body["message"])
        return Response.json(self._show_commit(sha), 201)

    def _get_tree(self, _body: Any, sha: str) -> Response:
        if sha not in self.trees:
            return _refuse(404)
        files, folder = self.trees[sha]
        inside = {path.removeprefix(folder): text for path, text in files.items() if path.startswith(folder)}
        folders = sorted({path.partition("/")[0] for path in inside if "/" in path})
        entries = [{"path": name, "type": "tree", "sha": self._tree(files, f"{folder}{name}/")} for name in folders]
        entries += [
            {"path": path, "type": "blob", "sha": _hash_blob(text)} for path, text in inside.items() if "/" not in path
        ]
        return Response.json({"sha": sha, "tree": entries, "truncated": False})

    def _post_tree(self, body: Any) -> Response:
        if body["base_tree"] not in self.trees:
            return _refuse(404)
        files = {**self.trees[body["base_tree"]][0], **{item["path"]: item["content"] for item in body["tree"]}}
        return Response.json({"sha": self._tree(files), "tree": []}, 201)

    def _list_pulls(self, request: Request) -> Response:
        owner, _colon, head = request.first("head").partition(":")
        state, base = request.first("state", "open"), request.first("base")
        found = [
            pull
            for pull in reversed(self.pulls)
            if owner == self.owner and pull.head == head and pull.base == base and state in ("all", pull.state)
        ]
        return Response.json([_show_pull(pull) for pull in found[: int(request.first("per_page", "30"))]])

    def _post_pull(self, body: Any) -> Response:
        is_there = any(
            pull.head == body["head"] and pull.base == body["base"] and pull.state == "open" for pull in self.pulls
        )
        if is_there or body["head"] not in self.refs or self.files(body["head"]) == self.files(body["base"]):
            return _refuse(422)
        pull = Pull(len(self.pulls) + 1, body["head"], body["base"], body["title"], body["body"])
        self.pulls.append(pull)
        return Response.json(_show_pull(pull), 201)

    def _patch_pull(self, body: Any, number: str) -> Response:
        pull = self.pulls[int(number) - 1]
        pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
        pull.state = body.get("state", pull.state)
        return Response.json(_show_pull(pull))

    def _commit(self, files: Files, parents: tuple[str, ...], message: str = "") -> str:
        sha = _hash([sorted(files.items()), parents, message, len(self.commits)])
        self.commits[sha] = (files, parents)
        return sha

    def _tree(self, files: Files, folder: str = "") -> str:
        sha = _hash([sorted(files.items()), folder])
        self.trees[sha] = (files, folder)
        return sha

    def _show_commit(self, sha: str) -> dict[str, Any]:
        files, parents = self.commits[sha]
        return {"sha": sha, "tree": {"sha": self._tree(files)}, "parents": [{"sha": parent} for parent in parents]}


def _show_pull(pull: Pull) -> dict[str, Any]:
    return {
        "number": pull.number,
        "html_url": f"https://github.com/example/aws-access/pull/{pull.number}",
        "state": pull.state,
        "title": pull.title,
        "body": pull.body,
    }


def _refuse(status: int) -> Response:
    return Response.json({"message": "Not Found" if status == 404 else "Validation Failed"}, status)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:40]


def _hash_blob(text: str) -> str:
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
