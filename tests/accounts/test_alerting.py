"""Links as other tools write them, and filled by them: what a tool makes of a value is what we would have made."""

import ast
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.catalogue.alerting import build_snippets, fill_gaps, list_steps, write_grafana, write_terraform
from accounts.catalogue.catalogue import load_bundled
from accounts.catalogue.formats import render_copies
from accounts.shortcuts import BadDestination, Destination, parse_console_link

PORTAL, ACCOUNT, TOKYO = "https://example.awsapps.com/start", "123456789012", "ap-northeast-1"
CATALOGUE = load_bundled()
URL = "https://example.awsapps.com/start/#/console?account_id=123456789012&role_name=ReadOnly"
HARD = "a]|b>[c](d)*_`{e}<f>&\\\"'"


def build(slug: str, values: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    destination = Destination.of(slug, TOKYO, values)
    built = CATALOGUE.build_link(PORTAL, ACCOUNT, "ReadOnly", destination, partition="aws")
    return built.url, built.open_names


def snippets_of(slug: str, values: dict[str, str] | None = None, words: str = "payments-prod") -> dict[str, Any]:
    service = CATALOGUE.find(slug)
    assert service
    link, open_names = build(slug, values or {})
    return {snippet.key: snippet for snippet in build_snippets(service, link, words, open_names)}


# --- Formats


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("url", URL),
        ("markdown", f"[決済 · ReadOnly]({URL})"),
        ("slack", f"<{URL.replace('&', '&amp;')}|決済 · ReadOnly>"),
        ("html", f'<a href="{URL.replace("&", "&amp;")}">決済 · ReadOnly</a>'),
        ("backlog", f"[[決済 · ReadOnly>{URL}]]"),
        ("confluence", f"[決済 · ReadOnly|{URL}]"),
    ],
)  # fmt: skip
def test_link_in_each_format(key: str, text: str) -> None:
    assert {copy.key: copy.text for copy in render_copies(URL, "決済 ·\n ReadOnly")}[key] == text


def test_words_do_not_end_the_link() -> None:
    copies = {copy.key: copy.text for copy in render_copies(URL, HARD)}
    assert copies["markdown"] == "[a\\]\\|b\\>\\[c\\](d)\\*\\_\\`{e}\\<f\\>&\\\\\"'](" + URL + ")"
    assert copies["slack"].count("<") == copies["slack"].count(">") == 1
    assert "<f>" not in copies["html"]
    assert copies["backlog"].count(">") == 1
    assert copies["backlog"].count("]") == 2
    assert re.fullmatch(r"\[(?:[^\[\]{}|\\]|\\.)*\|[^|\]]+\]", copies["confluence"])


# --- Tools that fill


def run_terraform(expression: str, value: str, name: str) -> str:
    """Terraform's `urlencode` is Go's QueryEscape; its functions read like Python's."""
    functions: dict[str, Callable[..., str]] = {
        "urlencode": lambda text: quote_plus(text, safe=""),
        "replace": str.replace,
    }

    def run(node: ast.expr) -> str:
        match node:
            case ast.Call(func=ast.Name(id=function), args=arguments):
                return functions[function](*map(run, arguments))
            case ast.Attribute(value=ast.Name(id="var"), attr=variable) if variable == name:
                return value
            case ast.Constant(value=str(text)):
                return text
        raise ValueError(f"no function, variable or text: {ast.dump(node)}")

    return run(ast.parse(expression, mode="eval").body)


def run_grafana(pipeline: str, value: str) -> str:
    """`reReplaceAll` takes a regular expression, and `$$` for a dollar."""
    for pipe in pipeline.strip("{} ").split(" | ")[1:]:
        if pipe == "urlquery":
            value = quote_plus(value, safe="")
        else:
            found = re.fullmatch(r'reReplaceAll "\[(.)\]" "(.*)"', pipe)
            assert found
            value = value.replace(found[1], found[2].replace("$$", "$"))
    return value


_FILLED = [
    ("cloudwatch-log-group", "log_group", "/aws/lambda/my-fn#1"),
    ("cloudwatch-log-stream", "log_stream", "2026/10/01/[$LATEST]a+b c%d é"),
    ("cloudwatch-alarm", "alarm", "orders/5xx + 日本 %20"),
    ("lambda-function", "function", "my-fn_1.x"),
    ("ecr-repository", "repository", "pay/api"),
    ("stepfunctions-machine", "machine_arn", "arn:aws:states:ap-northeast-1:123456789012:stateMachine:a"),
    ("s3-object", "key", "a b/100%+é.csv"),
    ("ssm-parameter", "parameter", "/prod/db"),
    ("iam-role", "role", "a+b=c,d@e"),
]


def fill_others(slug: str, name: str) -> dict[str, str]:
    service = CATALOGUE.find(slug)
    assert service
    return {key: value for key, value in service.find_example().items() if key != name}


@pytest.mark.parametrize("tool", ["terraform", "grafana"])
@pytest.mark.parametrize(("slug", "name", "value"), _FILLED)
def test_what_the_tool_fills_is_the_link_that_we_build(tool: str, slug: str, name: str, value: str) -> None:
    others = fill_others(slug, name)
    link, open_names = build(slug, others)
    service = CATALOGUE.find(slug)
    assert service
    steps = list_steps(service, open_names)[name]
    if tool == "terraform":
        filled = run_terraform(write_terraform(name, steps), value, name)
    else:
        filled = run_grafana(write_grafana(name, steps), value)
    assert fill_gaps(link, {name: filled}) == build(slug, {**others, name: value})[0]


def test_insights_is_filled_with_capital_digits_which_mean_the_same() -> None:
    others = fill_others("cloudwatch-logs-insights", "log_group")
    link, open_names = build("cloudwatch-logs-insights", others)
    service = CATALOGUE.find("cloudwatch-logs-insights")
    assert service
    filled = run_grafana(write_grafana("log_group", list_steps(service, open_names)["log_group"]), "/aws/lambda/a-b")
    taken = parse_console_link(fill_gaps(link, {"log_group": filled}))
    assert taken
    assert CATALOGUE.take_apart(taken.destination).destination.filled == {**others, "log_group": "/aws/lambda/a-b"}


@settings(max_examples=60)
@given(value=st.text(alphabet="abc019/#_.-", min_size=1, max_size=20))
def test_any_log_group_is_filled_as_we_fill_it(value: str) -> None:
    link, _open = build("cloudwatch-log-group", {})
    service = CATALOGUE.find("cloudwatch-log-group")
    assert service
    steps = list_steps(service, ["log_group"])["log_group"]
    try:
        expected = build("cloudwatch-log-group", {"log_group": value})[0]
    except BadDestination:
        return
    assert fill_gaps(link, {"log_group": run_grafana(write_grafana("log_group", steps), value)}) == expected


def test_glue_jobs_slash_is_encoded_once_more_and_means_the_same() -> None:
    service = CATALOGUE.find("glue-job")
    assert service
    link, open_names = build("glue-job", {})
    filled = run_terraform(write_terraform("job", list_steps(service, open_names)["job"]), "daily sales", "job")
    assert fill_gaps(link, {"job": filled}) == build("glue-job", {"job": "daily sales"})[0]


# --- What is shown


def test_terraform_has_locals_and_an_alarm() -> None:
    text = snippets_of("lambda-function")["terraform"].text
    assert 'locals {\n  console_link = "https://example.awsapps.com/start/#/console?' in text
    assert "%2Ffunctions%2F${var.function}%3Ftab%3Dcode" in text
    assert 'alarm_description = "[payments-prod](${local.console_link})"' in text


def test_terraform_text_does_not_run() -> None:
    text = snippets_of("lambda-function", words='a ${x} %{if} "')["terraform"].text
    assert "${x}" not in text.replace("$${x}", "")
    assert "%%{if}" in text
    assert '\\"' in text


def test_eventbridge_takes_the_dimension_of_the_alarm() -> None:
    transformer = json.loads(snippets_of("lambda-function")["eventbridge"].text)
    assert transformer["InputPathsMap"] == {
        "function": "$.detail.configuration.metrics[0].metricStat.metric.dimensions.FunctionName"
    }
    message = json.loads(transformer["InputTemplate"])
    assert "%2Ffunctions%2F<function>%3Ftab%3Dcode" in message["content"]["description"]


@pytest.mark.parametrize(
    ("tool", "slug"), [("eventbridge", "cloudwatch-log-group"), ("datadog", "cloudwatch-log-group")]
)
def test_tool_that_cannot_encode_says_so(tool: str, slug: str) -> None:
    snippet = snippets_of(slug)[tool]
    assert (snippet.text, snippet.missing) == ("", ("log_group",))


def test_datadog_encodes_once_where_that_is_enough() -> None:
    assert "%2F{{function.name}}%3Ftab" in snippets_of("lambda-function")["datadog"].text
    assert '{{urlencode "machine_arn.name"}}' in snippets_of("stepfunctions-machine")["datadog"].text


def test_datadog_fills_the_address_of_a_kept_shortcut_instead() -> None:
    query = snippets_of("cloudwatch-log-stream")["datadog"].query
    assert query == 'log_group={{urlencode "log_group.name"}}&log_stream={{urlencode "log_stream.name"}}'


def test_grafana_pipes_a_label() -> None:
    assert (
        '{{ $labels.log_group | urlquery | reReplaceAll "[+]" "%20" | urlquery | reReplaceAll "[%]" "$$" | urlquery }}'
        in snippets_of("cloudwatch-log-group")["grafana"].text
    )
