"""IAM Access Analyzer's opinion of a policy: ValidatePolicy, which needs no analyzer and costs nothing.

Its findings stay in its own words. The operation has its own permission, which the portal's role may not have.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, cast

from syncer.gateways.aws_session import AwsOptions, AwsSession
from syncer.gateways.pacing import Sleep

PAGE = 100  # findings
MAX_FINDINGS = 200  # that are kept of one policy; nobody reads more
MAX_DETAILS = 2000  # characters of one finding
LOCALES: Mapping[str, str] = {"en": "EN", "ja": "JA"}  # ours → AWS's


class _Client(Protocol):
    """What is used of boto3's client."""

    def validate_policy(self, **parameters: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Opinion:
    """One finding. Lines and columns count from 1, as ours do; 0 where AWS gave no place."""

    kind: str  # ERROR, SECURITY_WARNING, WARNING, SUGGESTION
    code: str
    details: str
    link: str
    line: int = 0
    column: int = 0


class AccessAnalyzer:
    """Asks for opinions; close it, or use it in a `with` statement. Raises GatewayError, and nothing else."""

    def __init__(self, session: AwsSession) -> None:
        self._aws = session
        self._client = cast(_Client, session.open_client("accessanalyzer"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._aws.close()

    def validate(self, document: str, language: str) -> tuple[Opinion, ...]:
        """The findings about an identity policy. Source: accessanalyzer ValidatePolicy."""
        pages = self._aws.pages(
            self._client.validate_policy,
            policyDocument=document,
            policyType="IDENTITY_POLICY",
            locale=LOCALES[language],
            maxResults=PAGE,
        )
        found: list[Opinion] = []
        for page in pages:
            found.extend(map(_parse, page.get("findings", [])))
            if len(found) >= MAX_FINDINGS:
                break
        return tuple(found[:MAX_FINDINGS])


def _parse(row: Mapping[str, Any]) -> Opinion:
    locations = row.get("locations") or [{}]
    start = locations[0].get("span", {}).get("start", {})
    return Opinion(
        kind=str(row.get("findingType", "")),
        code=str(row.get("issueCode", "")),
        details=str(row.get("findingDetails", ""))[:MAX_DETAILS],
        link=str(row.get("learnMoreLink", "")),
        line=int(start.get("line", 0)),
        column=int(start.get("column", -1)) + 1,
    )


def connect_analyzer(options: AwsOptions, sleep: Sleep = time.sleep) -> AccessAnalyzer:
    session = AwsSession(options, sleep=sleep)
    try:
        return AccessAnalyzer(session)
    except BaseException:
        session.close()
        raise
