"""compose.yml, as compose itself reads it, and what an operator relies on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command

from docker.make_secrets import made

COMPOSE = Path(sys.prefix) / "bin" / "docker-compose"
CHECKED_BY_IMAGE = ("web-1", "web-2")
OURS = ("web-1", "web-2", "worker", "beat", "migrate")
pytestmark = pytest.mark.skipif(
    not COMPOSE.exists(), reason="no wheel of Docker Compose for this kind of machine"
)


def configured(repository: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [str(COMPOSE), "--file", "docker/compose.yml", *options]
    argv += ["config", "--no-env-resolution", "--format", "json"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEHIA_")}
    return subprocess.run(argv, cwd=repository, env=clean | env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def whole(repository: Path) -> dict[str, Any]:
    done = configured(
        repository,
        *("--profile", "models", "--profile", "monitoring"),
        LEHIA_DOMAIN="lehia.example",
        LEHIA_TLS="internal",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seconds(text: str) -> int:
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def test_without_a_name_and_a_kind_of_certificate_nothing_starts(repository: Path) -> None:
    assert "the site's name" in configured(repository).stderr
    assert "an e-mail address" in configured(repository, LEHIA_DOMAIN="lehia.example").stderr


def test_models_and_monitoring_wait_to_be_asked_for(repository: Path) -> None:
    done = configured(repository, LEHIA_DOMAIN="lehia.example", LEHIA_TLS="internal")
    assert set(json.loads(done.stdout)["services"]) == {*OURS, "proxy", "postgres", "valkey"}


def test_every_service_is_bound_checked_and_pinned(whole: dict[str, Any]) -> None:
    for name, service in whole["services"].items():
        assert re.search(r":[\w.-]+$", service["image"]), name
        assert not service["image"].endswith(":latest"), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service.get("healthcheck") or name in {*CHECKED_BY_IMAGE, "migrate"}, name
        if name.startswith("vllm"):
            continue  # what fleet renders
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= limits.keys(), name
    assert {name for name, each in whole["services"].items() if each.get("cap_add")} == {"proxy"}
    assert {name for name, each in whole["services"].items() if not each.get("user")} == {
        "proxy",
        "vllm-a",
        "vllm-b",
    }


def test_the_proxy_reaches_web_processes_and_nothing_else(whole: dict[str, Any]) -> None:
    met: dict[str, set[str]] = {}
    for name, service in whole["services"].items():
        for network in service["networks"]:
            met.setdefault(network, set()).add(name)
    assert met["edge"] == {"proxy", "web-1", "web-2"}
    assert list(whole["services"]["proxy"]["networks"]) == ["edge"]
    assert whole["networks"]["backend"]["internal"]
    for name in ("postgres", "valkey"):
        assert list(whole["services"][name]["networks"]) == ["backend"]
    published = {name for name, each in whole["services"].items() if each.get("ports")}
    assert published <= {"proxy", "prometheus", "grafana", "vllm-a", "vllm-b"}
    for name in published - {"proxy"}:
        assert {port["host_ip"] for port in whole["services"][name]["ports"]} == {"127.0.0.1"}


def test_secrets_are_files_that_the_script_makes(whole: dict[str, Any]) -> None:
    names = made(database="postgres:5432", jobs="valkey:6379").keys()
    assert whole["secrets"].keys() == names
    for name in OURS:
        service = whole["services"][name]
        held = {f"/run/secrets/{each['source']}" for each in service["secrets"]}
        told = {value for key, value in service["environment"].items() if key.endswith("_FILE")}
        assert told == held
        assert not [
            key
            for key in service["environment"]
            if re.search("KEY|PASSWORD|TOKEN|URL", key) and not key.endswith("_FILE")
        ]


def test_a_process_has_the_time_to_end(whole: dict[str, Any], repository: Path) -> None:
    image = (repository / "docker" / "Dockerfile").read_text()
    unready = int(re.search(r"LEHIA_UNREADY_S=(\d+)", image)[1])  # type: ignore[index]  # it is there
    settings = (repository / "docs" / "settings.md").read_text()
    drain = int(re.search(r"`LEHIA_DRAIN_S` \| `(\d+)`", settings)[1])  # type: ignore[index]  # it is there
    for name in ("web-1", "web-2"):
        assert seconds(whole["services"][name]["stop_grace_period"]) >= unready + 5 + drain + 10


def test_the_database_has_room_for_every_process(whole: dict[str, Any]) -> None:
    most = next(word for word in whole["services"]["postgres"]["command"] if "max_connections" in word)
    each = int(whole["services"]["web-1"]["environment"]["LEHIA_DB_CONNECTIONS"])
    assert int(most.partition("=")[2]) >= each * len(OURS) + 10


def test_web_processes_wait_for_migrations(whole: dict[str, Any]) -> None:
    for name in ("web-1", "web-2", "worker", "beat"):
        waits = {key: value["condition"] for key, value in whole["services"][name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        }


def test_what_must_last_is_in_volumes_of_their_own(whole: dict[str, Any], repository: Path) -> None:
    image = (repository / "docker" / "Dockerfile").read_text()
    kept = {each["source"]: each["target"] for each in whole["services"]["worker"]["volumes"]}
    assert set(kept) == {"releases", "exports", "erasures", "backups"}
    for target in kept.values():
        assert f" {target}" in image  # made there with its owner, which an empty volume takes over
    assert whole["services"]["postgres"]["volumes"][0]["target"] == "/var/lib/postgresql"


def test_the_model_servers_are_those_that_fleet_renders(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fleet", "plan", "docker/fleet/fleet.yaml", target="compose", output=tmp_path)
    rendered = (tmp_path / "this" / "compose.yaml").read_text()
    assert yaml.safe_load(rendered) == yaml.safe_load((repository / "docker/fleet/compose.yaml").read_text())


def test_what_is_mounted_from_the_folder_is_there(repository: Path) -> None:
    known = yaml.safe_load((repository / "docker" / "compose.yml").read_text())
    for path in _mounted(known):
        assert (repository / "docker" / path).exists(), path


def _mounted(known: dict[str, Any]) -> Iterator[str]:
    for service in known["services"].values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                yield volume.split(":")[0]
