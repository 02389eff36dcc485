"""Alert rules, played by Prometheus's own tool: each fires where it should and keeps still where it should; each has its runbook."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

MONITORING = Path(__file__).resolve().parents[3] / "docker" / "monitoring"
ALERTS = MONITORING / "alerts.yml"
RUNBOOKS = MONITORING.parents[1] / "docs" / "runbooks.md"
SAID = ("What it means", "What volunteers see", "Look at", "Do", "May you sleep?")


@dataclass(frozen=True)
class Play:
    """Samples a minute, unless *every* says otherwise, in promtool's notation: ``1x60`` stays at 1, ``0+5x60`` rises by 5 each time."""

    fires: dict[str, str]
    quiet: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    """Of the alert, beside its severity."""
    at: str = "45m"
    every: str = "1m"


def pages(failed: int) -> dict[str, str]:
    return {
        'lehia_http_requests_total{route="start",status="2xx"}': "0+100x50",
        'lehia_http_requests_total{route="start",status="5xx"}': f"0+{failed}x50",
    }


def slow(name: str, within: str, slowly: int, labels: str = "") -> dict[str, str]:
    """A hundred a minute, *slowly* of which took longer than *within*."""
    return {
        f'{name}_bucket{{{labels}le="{within}"}}': f"0+{100 - slowly}x50",
        f'{name}_bucket{{{labels}le="60"}}': "0+100x50",
        f'{name}_bucket{{{labels}le="+Inf"}}': "0+100x50",
    }


def votes(taken: int, refused: int, sockets: int = 0) -> dict[str, str]:
    return {
        'lehia_votes_total{result="accepted",kind="counted"}': f"0+{taken}x50",
        'lehia_votes_total{result="refused",kind="NotVotable"}': f"0+{refused}x50",
        'lehia_sockets_open{instance="a"}': f"{sockets}x50",
    }


def turns(outcome: str, bad: int) -> dict[str, str]:
    return {
        'lehia_turns_total{outcome="complete"}': "0+20x50",
        f'lehia_turns_total{{outcome="{outcome}"}}': f"0+{bad}x50",
    }


def requests(failed: int) -> dict[str, str]:
    return {
        'lehia_requests_total{endpoint="e"}': "0+20x50",
        'lehia_errors_total{endpoint="e",kind="timeout"}': f"0+{failed}x50",
    }


def disk(share: float) -> dict[str, str]:
    return {
        'lehia_disk_free_bytes{folder="data",instance="a"}': f"{round(1000 * share)}x50",
        'lehia_disk_size_bytes{folder="data",instance="a"}': "1000x50",
    }


def constant(name: str, fires: float, quiet: float, **labels: str) -> Play:
    return Play({name: f"{fires:g}x50"}, {name: f"{quiet:g}x50"}, labels)


REAP = 'lehia_task_last_success_timestamp_seconds{task="reap_turns",instance="a"}'
EVERY = {'lehia_task_interval_seconds{task="reap_turns",instance="a"}': "30x50"}
FIRST, PAGE, VOTE = "lehia_first_token_seconds", "lehia_http_request_seconds", 'route="vote",'
PLAYS = {
    "SiteDown": constant('up{job="lehia",instance="a"}', 0, 1, job="lehia", instance="a"),
    "DatabaseDown": constant('lehia_database_up{instance="a"}', 0, 1),
    "ValkeyDown": constant('lehia_valkey_up{instance="a"}', 0, 1),
    "PagesFail": Play(pages(5), pages(1)),
    "PagesSlow": Play(slow(PAGE, "1", 10, 'route="start",'), slow(PAGE, "1", 3, 'route="start",')),
    "ErrorsLogged": Play(
        {'lehia_log_lines_total{level="error"}': "0+2x50"},
        {'lehia_log_lines_total{level="warning"}': "0+9x50"},
    ),
    "VotesSlow": Play(slow(PAGE, "0.5", 10, VOTE), slow(PAGE, "0.5", 3, VOTE)),
    "VotesRefused": Play(votes(10, 5), votes(100, 5)),
    "NoVotes": Play(votes(0, 0, sockets=20), votes(1, 0, sockets=20)),
    "TurnsFail": Play(turns("failed", 5), turns("interrupted", 5)),
    "TurnsNotStored": Play(turns("not_stored", 1), turns("failed", 1)),
    "TurnsOverdue": constant('lehia_turns_overdue{instance="a"}', 1, 0),
    "TooFewModels": constant('lehia_candidates_answering{instance="a"}', 1, 2),
    "CircuitOpen": constant('lehia_circuit_state{endpoint="e",instance="a"}', 2, 1, endpoint="e"),
    "EndpointFails": Play(requests(6), requests(2), {"endpoint": "e"}),
    "FirstTokenSlow": Play(
        slow(FIRST, "10", 10, 'endpoint="e",'), slow(FIRST, "10", 3, 'endpoint="e",'), {"endpoint": "e"}
    ),
    "ModelQueueLong": constant('lehia_queue_length{endpoint="e",instance="a"}', 11, 10, endpoint="e"),
    "JobsWait": constant('lehia_job_oldest_seconds{queue="celery",instance="a"}', 301, 299, queue="celery"),
    "TaskLate": Play({REAP: "0x50", **EVERY}, {REAP: "0+60x50", **EVERY}, {"task": "reap_turns"}),
    "TaskFails": Play(
        {'lehia_task_failures_total{task="retain",instance="a"}': "0x20 0+1x3 3x60"},
        {'lehia_task_failures_total{task="retain",instance="a"}': "0x20 1x60"},
        {"task": "retain"},
    ),
    "ConnectionsRefused": Play(
        {'lehia_db_connections_refused_total{instance="a"}': "0x40 1x20"},
        {'lehia_db_connections_refused_total{instance="a"}': "7x50"},
    ),
    "ConnectionsScarce": Play(
        {
            'lehia_db_connections_in_use{instance="a"}': "19x50",
            'lehia_db_connections_limit{instance="a"}': "20x50",
        },
        {
            'lehia_db_connections_in_use{instance="a"}': "18x50",
            'lehia_db_connections_limit{instance="a"}': "20x50",
        },
        {"instance": "a"},
    ),
    "ServerConnectionsScarce": Play(
        {"lehia_db_server_connections": "86x50", "lehia_db_server_connections_limit": "100x50"},
        {"lehia_db_server_connections": "85x50", "lehia_db_server_connections_limit": "100x50"},
    ),
    "DiskFilling": Play(disk(0.14), disk(0.15), {"folder": "data"}),
    "DiskFull": Play(disk(0.04), disk(0.05), {"folder": "data"}),
    "BackupOld": Play(
        {'lehia_backup_timestamp_seconds{instance="a"}': "0x170"},
        {'lehia_backup_timestamp_seconds{instance="a"}': "0x70 36000x100"},
        at="27h",
        every="10m",
    ),
}


def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def sections() -> dict[str, str]:
    _, *parts = re.split(r"^## (.+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.promtool
def test_prometheus_takes_its_settings_and_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(ALERTS))
    promtool("check", "config", "--syntax-only", str(MONITORING / "prometheus.yml"))


def test_every_alert_is_played() -> None:
    assert PLAYS.keys() == rules().keys()


@pytest.mark.promtool
@pytest.mark.parametrize("every", ["1m", "10m"])
def test_alerts_fire_where_they_should_and_keep_still_where_they_should(every: str, tmp_path: Path) -> None:
    plays = {name: play for name, play in PLAYS.items() if play.every == every}
    tests = [each for name, play in plays.items() for each in played(name, play, rules()[name])]
    file = tmp_path / "test.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": every, "tests": tests})
    )
    assert len(tests) == 2 * len(plays) > 0
    promtool("test", "rules", str(file))


def played(name: str, play: Play, rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    fired = {"exp_labels": rule["labels"] | play.labels, "exp_annotations": rule["annotations"]}
    for what, given, expected in (("fires", play.fires, [fired]), ("keeps still", play.quiet, [])):
        yield {
            "name": f"{name} {what}",
            "interval": play.every,
            "input_series": [{"series": series, "values": values} for series, values in given.items()],
            "alert_rule_test": [{"eval_time": play.at, "alertname": name, "exp_alerts": expected}],
        }


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert list(sections()) == list(rules())


@pytest.mark.parametrize("name", list(PLAYS))
def test_a_runbook_says_all_that_somebody_who_was_woken_asks(name: str) -> None:
    said = re.findall(r"^\*\*(.+?)\.?\*\* +\S", sections()[name], re.MULTILINE)
    assert tuple(said) == SAID
    assert rules()[name]["annotations"]["runbook"] == f"docs/runbooks.md#{name.lower()}"
    assert rules()[name]["labels"]["severity"] in {"critical", "warning"}
