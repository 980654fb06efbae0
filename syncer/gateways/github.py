"""GitHub: the one issue on which people write `/sync`. Errors are told apart by status, never by message."""

import re
from collections.abc import Mapping

import requests

from syncer.gateways.errors import Denied, GatewayError, Invalid, NoAnswer, NotFound, Unauthenticated, Unavailable
from syncer.states import Reason

TIMEOUT = (3, 5)  # seconds to connect, to answer
LONGEST_TEXT = 200  # characters of an answer that are kept


class GitHubIssue:
    """One issue. `issue` is `owner/repo#12`; `api` is another address for GitHub Enterprise Server."""

    def __init__(self, api: str, token: str, issue: str) -> None:
        self._token, self._issue = token, issue
        repository, _sign, number = issue.partition("#")
        self._url = f"{api}/repos/{repository}/issues/{number}"

    def fetch_title(self) -> str:
        """What the issue is called. Raises GatewayError."""
        operation = f"github GET issue {self._issue}"
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/vnd.github+json"}
        try:
            answer = requests.get(self._url, headers=headers, timeout=TIMEOUT, allow_redirects=False)
            body = answer.json() if answer.ok else {}
        except (requests.RequestException, ValueError) as error:
            code = type(error).__name__
            raise NoAnswer(operation, Reason("github_unreachable", {"code": code}), code) from error
        if answer.status_code != requests.codes.ok:
            raise self._refusal(operation, answer.status_code)
        title = body.get("title") if isinstance(body, Mapping) else None
        if not isinstance(title, str):
            raise Invalid(operation, Reason("github_unreachable", {"code": "not GitHub"}), "not GitHub")
        return re.sub(r"\s+", " ", title)[:LONGEST_TEXT]

    def _refusal(self, operation: str, status: int) -> GatewayError:
        params, code = {"issue": self._issue, "code": str(status)}, str(status)
        if status == requests.codes.unauthorized:
            return Unauthenticated(operation, Reason("github_token_refused", params), code)
        if status in (requests.codes.not_found, requests.codes.gone):
            return NotFound(operation, Reason("github_issue_missing", params), code)
        if status >= requests.codes.server_error:
            return Unavailable(operation, Reason("github_unreachable", params), code)
        return Denied(operation, Reason("github_denied", params), code)
