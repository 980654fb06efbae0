"""Action and NotAction: services, names and wildcards, against the names that AWS has published."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from accounts.policy import catalogue
from accounts.policy.catalogue import Action
from accounts.policy.documents import Node, shorten
from accounts.policy.findings import Report, Severity
from accounts.policy.globs import has_wildcard
from accounts.policy.grammar import Statement
from accounts.policy.variables import refuse_variables

_SERVICE = re.compile(r"[a-zA-Z0-9.-]+", re.ASCII)
_NAME = re.compile(r"[a-zA-Z0-9*?]+", re.ASCII)
_LONGEST = 128  # of a name worth looking up
# What people call services, or their SDKs do, where nothing in the name leads to the prefix.
_KNOWN_AS = {
    "apigw": "apigateway", "cloudwatchevents": "events", "cloudwatchlogs": "logs",
    "cognito": "cognito-idp", "efs": "elasticfilesystem", "elasticsearch": "es", "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing", "emr": "elasticmapreduce", "eventbridge": "events",
    "identitycenter": "sso", "kinesisfirehose": "firehose", "msk": "kafka",
    "parameterstore": "ssm", "sfn": "states", "ssoadmin": "sso", "stepfunctions": "states", "systemsmanager": "ssm",
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    """The actions of one statement, as written and as they are known.

    is_everything: some of them is `*`, or leaves the service open.
    """

    known: tuple[tuple[Node, tuple[Action, ...]], ...] = ()
    is_everything: bool = False
    has_unknown: bool = False

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        return tuple({action.full_name: action for _node, actions in self.known for action in actions}.values())

    @cached_property
    def services(self) -> frozenset[str]:
        return frozenset(action.service for action in self.actions)


def check_actions(statement: Statement, report: Report) -> Named:
    """Check the names, and say which actions they stand for."""
    known, is_everything, has_unknown = list[tuple[Node, tuple[Action, ...]]](), False, False
    for node in statement.actions:
        text = str(node.value)
        if not _check_shape(node, text, report):
            has_unknown = True
        elif text == "*" or text.startswith("*:"):
            is_everything = True
        elif actions := _look_up(node, text, report):
            known.append((node, actions))
        else:
            has_unknown = True
    return Named(tuple(known), is_everything, has_unknown)


def _check_shape(node: Node, text: str, report: Report) -> bool:
    """Whether IAM takes the text as an action at all."""
    if text == "*":
        return True
    element = "NotAction" if "NotAction" in node.pointer else "Action"
    before = len(report.findings)
    refuse_variables(node, element, report)
    if len(report.findings) > before:
        return False
    service, colon, name = text.partition(":")
    sentence = ""
    if not colon:
        sentence = "policy_action_no_service"
    elif ":" in name:
        sentence = "policy_action_colons"
    elif service != "*" and not _SERVICE.fullmatch(service):
        report.add(
            "INVALID_SERVICE_IN_ACTION", node, sentence="policy_service_wrong", severity=Severity.ERROR,
            found=shorten(service),
        )  # fmt: skip
        return False
    elif not _NAME.fullmatch(name):
        sentence = "policy_action_wrong"
    if sentence:
        report.add("INVALID_ACTION", node, sentence=sentence, severity=Severity.ERROR, found=shorten(text))
    return not sentence


def _look_up(node: Node, text: str, report: Report) -> tuple[Action, ...]:
    """The actions that a text stands for; a warning if there are none."""
    prefix, _colon, name = text.partition(":")
    if not catalogue.is_there():
        return ()
    service = catalogue.find_service(prefix)
    if service is None:
        known_as = _KNOWN_AS.get(prefix.lower().replace("-", ""))
        near = (known_as,) if known_as else report.suggest(prefix, catalogue.list_prefixes())
        _warn("INVALID_SERVICE_IN_ACTION", node, report, prefix, near)
        return ()
    if has_wildcard(name) and not report.may_look_up():
        return ()
    actions = service.expand(name) if len(name) <= _LONGEST else ()
    if not actions and has_wildcard(name):
        report.add("INVALID_ACTION", node, sentence="policy_action_matches_nothing", found=shorten(text))
    elif not actions:
        near = report.suggest(name, tuple(action.name for action in service.actions.values()))
        _warn("INVALID_ACTION", node, report, text, [f"{service.prefix}:{each}" for each in near])
    return actions


def _warn(code: str, node: Node, report: Report, found: str, near: Iterable[str]) -> None:
    listed = ", ".join(near)
    sentence = f"policy_{code.lower()}_near" if listed else ""
    report.add(code, node, sentence=sentence, found=shorten(found), near=listed)
