"""The site's objects for Kubernetes: by the published schemas, strictly, and how they hang together."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

VERSION = "1.34"
Object = dict[str, Any]


def objects(folder: Path) -> list[Object]:
    """What a kustomization lists, as it is written."""
    known = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: list[Object] = []
    for name in known["resources"]:
        path = folder / name
        found += objects(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
    return found


@pytest.fixture(scope="module")
def beside_vllm(repository: Path) -> list[Object]:
    return objects(repository / "docker" / "kubernetes" / "beside-vllm")


def pods(found: list[Object]) -> Iterator[tuple[str, Object]]:
    for each in found:
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def test_every_object_follows_its_schema(beside_vllm: list[Object]) -> None:
    for each in beside_vllm:
        kubernetes_validate.validate(each, VERSION, strict=True)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here, whose kustomize would render them")
def test_kustomize_renders_them(repository: Path) -> None:
    argv = ["kubectl", "kustomize", str(repository / "docker" / "kubernetes" / "beside-vllm")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rendered = list(yaml.safe_load_all(done.stdout))
    for each in rendered:
        kubernetes_validate.validate(each, VERSION, strict=True)
    (settings,) = (each for each in rendered if each["kind"] == "ConfigMap")
    assert settings["data"]["LEHIA_MODEL_HOSTS"] == "vllm-router-service.vllm"
    assert settings["data"]["LEHIA_HTTPS"] == "1"
    for _, pod in pods(rendered):
        assert "lehia-site" not in {each["image"] for each in pod["containers"]}


def test_no_pod_is_roots_or_writes_where_it_should_not(beside_vllm: list[Object]) -> None:
    names = set()
    for name, pod in pods(beside_vllm):
        names.add(name)
        assert pod["securityContext"]["runAsNonRoot"], name
        assert not pod["automountServiceAccountToken"], name
        for each in pod["containers"]:
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"cpu", "memory"} <= each["resources"]["limits"].keys(), name
    assert names == {"web", "worker", "beat", "setup", "valkey"}


def test_selectors_volumes_and_settings_meet(beside_vllm: list[Object]) -> None:
    made = {(each["kind"], each["metadata"]["name"]) for each in beside_vllm}
    for each in beside_vllm:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert each["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for name, pod in pods(beside_vllm):
        volumes = {each["name"] for each in pod["volumes"]}
        for container in pod["containers"]:
            claims = volumes | {"jobs"} if name == "valkey" else volumes
            assert {mount["name"] for mount in container["volumeMounts"]} <= claims, name
            for source in container.get("envFrom", []):
                assert ("ConfigMap", source["configMapRef"]["name"]) in made
        for volume in pod["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in made


def test_a_rollout_takes_no_process_away_before_another_is_ready(beside_vllm: list[Object]) -> None:
    (web,) = (
        each for each in beside_vllm if (each["kind"], each["metadata"]["name"]) == ("Deployment", "web")
    )
    assert web["spec"]["replicas"] >= 2
    assert web["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    pod = web["spec"]["template"]["spec"]
    (settings,) = (each["data"] for each in beside_vllm if each["kind"] == "ConfigMap")
    probe = pod["containers"][0]["readinessProbe"]
    unready = int(settings["LEHIA_UNREADY_S"])
    assert unready > probe["periodSeconds"] * probe["failureThreshold"]
    assert pod["terminationGracePeriodSeconds"] >= unready + 5 + 30 + 10
    (beat,) = (each for each in beside_vllm if each["metadata"]["name"] == "beat")
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]["type"]) == (1, "Recreate")


def test_ports_that_policies_open_are_ports_of_their_pods(beside_vllm: list[Object]) -> None:
    """The worker's is the one at which it tells its figures."""
    told = dict(pods(beside_vllm))
    for policy in (each for each in beside_vllm if each["kind"] == "NetworkPolicy"):
        name = policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name")
        opened = {
            port["port"] for rule in policy["spec"].get("ingress", []) for port in rule.get("ports", [])
        }
        if opened:
            assert opened == {
                port["name"] for each in told[name]["containers"] for port in each.get("ports", [])
            }
    (worker,) = told["worker"]["containers"]
    (figures,) = worker["ports"]
    assert {"name": "LEHIA_WORKER_METRICS", "value": f"0.0.0.0:{figures['containerPort']}"} in worker["env"]
