"""The files for Prometheus and Grafana: they name what /metrics has, and lead to what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/genkan.json").read_text(encoding="utf-8"))
RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
_PARTS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def list_metrics() -> set[str]:
    """Every name that a query may use, whether there is a number for it yet or not."""
    families = text_string_to_metric_families(Client().get("/metrics").content.decode())
    return {f"{family.name}{part}" for family in families for part in _PARTS[family.type]}


def list_expressions() -> list[str]:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*asked, *(alert["expr"] for alert in ALERTS)]


@pytest.mark.django_db
def test_queries_name_metrics_that_exist() -> None:
    asked = {name for text in list_expressions() for name in re.findall(r"\bgenkan_\w+", text)}
    assert asked - list_metrics() == set()


@pytest.mark.django_db
def test_every_metric_is_shown_or_watched() -> None:
    asked = " ".join(list_expressions())
    families = text_string_to_metric_families(Client().get("/metrics").content.decode())
    assert [family.name for family in families if f"{family.name}" not in asked] == []


@pytest.mark.django_db
def test_documents_name_every_metric() -> None:
    text = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    families = text_string_to_metric_families(Client().get("/metrics").content.decode())
    assert [family.name for family in families if f"`{family.name}" not in text] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_alert_says_how_bad_it_is_and_where_to_read_on(alert: dict[str, Any]) -> None:
    anchor = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", alert["alert"]).lower()
    assert alert["annotations"]["runbook"] == f"docs/runbook.md#{anchor}"
    assert alert["annotations"]["summary"]
    assert alert["labels"]["severity"] in ("critical", "warning", "info")


def test_panels_stand_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
