"""Grafana's dashboards: whole, readable, and about figures that a running site tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.arena.observing import sites
from tests.arena.observing.test_alerts import MONITORING, promtool, rules
from tests.arena.observing.test_figures import read as page_of
from tests.valkey import running

GRAFANA = MONITORING / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
COLUMNS = 24
KINDS = {"stat", "timeseries"}
UNITS = {"short", "s", "percentunit", "bytes"}
METRIC = re.compile(r"\blehia_[a-z_]+")


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def expressions() -> list[str]:
    return [target["expr"] for path in FILES for panel in read(path)["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def told(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """Names of all figures on the page of a running site, as an expression writes them."""
    with running() as valkey, sites.web(valkey.url, tmp_path_factory.mktemp("web") / "log") as site:
        page = page_of(site.address)
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE):
        names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
    yield names


def test_there_is_a_dashboard_for_each_part() -> None:
    assert [path.stem for path in FILES] == ["campaign", "inference", "jobs-database", "web"]
    assert len({read(path)["uid"] for path in FILES}) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dashboard_is_whole(path: Path) -> None:
    found = read(path)
    assert {"uid", "title", "schemaVersion", "panels", "time", "templating"} <= found.keys()
    assert "lehia" in found["tags"]
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"][
        0
    ]
    panels = found["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["type"] in KINDS
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["targets"]
        for each in (panel, *panel["targets"]):
            assert each["datasource"] == {"type": source["type"], "uid": source["uid"]}
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < COLUMNS
        assert not cells & taken
        taken |= cells


def test_grafana_finds_them_where_they_are_mounted() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/lehia.yml").read_text())["providers"][0]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert provider["type"] == "file"


@pytest.mark.promtool
def test_prometheus_can_read_every_expression(tmp_path: Path) -> None:
    recorded = [
        {"record": f"played:{number}", "expr": each.replace("$__rate_interval", "5m")}
        for number, each in enumerate(expressions())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", str(file))


def test_what_dashboards_and_alerts_ask_for_is_told_by_a_running_site(told: set[str]) -> None:
    asked = {name for each in expressions() for name in METRIC.findall(each)}
    alerted = {name for rule in rules().values() for name in METRIC.findall(rule["expr"])}
    assert len(asked) > 20
    assert (asked | alerted) - told == set()


def test_no_panel_is_about_a_model_by_name() -> None:
    for each in expressions():
        assert not re.search(r"\b(model|candidate|name)\b", each)
