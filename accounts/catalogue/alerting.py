"""Links whose open parameters an alert fills: how to write them for the tools that send alerts. Pure.

A value that is put into a link has to be encoded as the console wants it and once more for the access portal. Names of
letters and digits look the same however often; for others each tool is told what to do in its own language:
Terraform with its functions, Grafana with a pipeline. Datadog encodes once, which the address of a
kept shortcut takes, and EventBridge puts values in as they are.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from accounts.catalogue.formats import render_markdown
from accounts.catalogue.services import Parameter, Service

# Where an alarm of CloudWatch names what it is about.
_DIMENSIONS = {
    "api_id": "ApiId",
    "bucket": "BucketName",
    "cluster": "ClusterName",
    "database": "DBInstanceIdentifier",
    "distribution": "DistributionId",
    "domain": "DomainName",
    "function": "FunctionName",
    "group": "AutoScalingGroupName",
    "instance_id": "InstanceId",
    "job": "JobName",
    "project": "ProjectName",
    "queue": "QueueName",
    "rule": "RuleName",
    "service_name": "ServiceName",
    "stream": "StreamName",
    "table": "TableName",
    "topic": "TopicName",
    "volume_id": "VolumeId",
    "workgroup": "WorkGroup",
}
_DIMENSION_PATH = "$.detail.configuration.metrics[0].metricStat.metric.dimensions."


class Step(NamedTuple):
    """One thing done to a value: `find` is replaced by `put`, or the whole is encoded as in a query (`find` empty)."""

    find: str = ""
    put: str = ""


_ENCODE, _BLANKS, _DOLLARS = Step(), Step("+", "%20"), Step("%", "$")
_QUOTE = (_ENCODE, _BLANKS)
_STEPS: Mapping[str, Sequence[Step]] = {
    "plain": (*_QUOTE, _ENCODE),
    "q": (*_QUOTE, _ENCODE),
    "qq": (*_QUOTE, _ENCODE, _ENCODE),
    "cw": (*_QUOTE, _ENCODE, _DOLLARS, _ENCODE),
    "js": (_ENCODE, Step("+", "*20"), Step("%", "*"), _ENCODE),
}


class Snippet(NamedTuple):
    """What to paste into a tool. `missing` are the parameters that the tool cannot fill; then there is no text.

    query: what it can put behind the address of a kept shortcut, which takes values encoded once.
    """

    key: str
    name: str
    text: str
    missing: tuple[str, ...] = ()
    query: str = ""


def find_steps(parameter: Parameter, encoding: str) -> Sequence[Step]:
    """What has to be done to a value before it is put into a link of the access portal."""
    if parameter.is_inert:
        return ()
    if encoding == "plain" and parameter.type != "text":
        return (_ENCODE,)  # its signs are what the console leaves as they are
    return _STEPS[encoding]


def list_steps(service: Service, open_names: Sequence[str]) -> Mapping[str, Sequence[Step]]:
    """Each open parameter with what has to be done to its value."""
    encodings = {gap.name: gap.encoding for gap in service.template.gaps}
    parameters = ((name, service.find_parameter(name)) for name in open_names)
    return {name: find_steps(parameter, encodings[name]) for name, parameter in parameters if parameter}


def build_snippets(service: Service, link: str, words: str, open_names: Sequence[str]) -> tuple[Snippet, ...]:
    """The link for each tool, with its way of filling what is open."""
    steps = list_steps(service, open_names)
    return (
        Snippet("terraform", "Terraform", _build_terraform(link, words, steps)),
        _build_eventbridge(link, words, steps),
        _build_datadog(link, words, steps),
        Snippet("grafana", "Grafana", _fill(link, words, {name: write_grafana(name, steps[name]) for name in steps})),
    )


def _fill(link: str, words: str, gaps: Mapping[str, str]) -> str:
    return render_markdown(fill_gaps(link, gaps), words)


def fill_gaps(link: str, gaps: Mapping[str, str]) -> str:
    """A link with other text for what stands open in braces."""
    for name, text in gaps.items():
        link = link.replace(f"{{{name}}}", text)
    return link


# --- Terraform, and with it the description of an alarm ---------------------------------------------------------------


def write_terraform(name: str, steps: Sequence[Step]) -> str:
    """The expression of a variable, as encoded as the link needs it."""
    expression = f"var.{name}"
    for step in steps:
        expression = f'replace({expression}, "{step.find}", "{step.put}")' if step.find else f"urlencode({expression})"
    return expression


def _build_terraform(link: str, words: str, steps: Mapping[str, Sequence[Step]]) -> str:
    filled = fill_gaps(link, {name: f"${{{write_terraform(name, steps[name])}}}" for name in steps})
    described = _quote_terraform(render_markdown("LINK", words)).replace("LINK", "${local.console_link}")
    return (
        f'locals {{\n  console_link = "{filled}"\n}}\n\n'
        f'resource "aws_cloudwatch_metric_alarm" "this" {{\n  # …\n  alarm_description = "{described}"\n}}\n'
    )


def _quote_terraform(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return quoted.replace("${", "$${").replace("%{", "%%{")


# --- CloudWatch alarms, by way of EventBridge -----------------------------------------------------------------------


def _build_eventbridge(link: str, words: str, steps: Mapping[str, Sequence[Step]]) -> Snippet:
    """An input transformer for a custom notification of Amazon Q Developer in chat applications."""
    missing = tuple(name for name, todo in steps.items() if todo or name not in _DIMENSIONS)
    if missing:
        return Snippet("eventbridge", "EventBridge", "", missing)
    description = _fill(link, words, {name: f"<{name}>" for name in steps})
    message = {"version": "1.0", "source": "custom", "content": {"description": description}}
    transformer = {
        "InputPathsMap": {name: f"{_DIMENSION_PATH}{_DIMENSIONS[name]}" for name in steps},
        "InputTemplate": json.dumps(message, ensure_ascii=False),
    }
    return Snippet("eventbridge", "EventBridge", json.dumps(transformer, ensure_ascii=False, indent=2))


# --- Datadog and Grafana ----------------------------------------------------------------------------------------------


def _build_datadog(link: str, words: str, steps: Mapping[str, Sequence[Step]]) -> Snippet:
    missing = tuple(name for name, todo in steps.items() if len(todo) > 1)
    if missing:
        query = "&".join(f'{name}={{{{urlencode "{name}.name"}}}}' for name in steps)
        return Snippet("datadog", "Datadog", "", missing, query)
    gaps = {
        name: f'{{{{urlencode "{name}.name"}}}}' if todo else f"{{{{{name}.name}}}}" for name, todo in steps.items()
    }
    return Snippet("datadog", "Datadog", _fill(link, words, gaps))


def write_grafana(name: str, steps: Sequence[Step]) -> str:
    """The pipeline of a label, in the language of Go's templates."""
    pipes = [f"$labels.{name}", *(_write_pipe(step) for step in steps)]
    return f"{{{{ {' | '.join(pipes)} }}}}"


def _write_pipe(step: Step) -> str:
    # A plus is a sign of regular expressions, and so is a dollar in what is put in their place.
    return f'reReplaceAll "[{step.find}]" "{step.put.replace("$", "$$")}"' if step.find else "urlquery"
