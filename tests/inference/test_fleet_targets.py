"""Each target's files: those of the study as they are meant to be, and all of them readable by what they are written for.

After a change that is meant, ``python -m tests.inference.test_fleet_targets`` writes the golden files anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from inference.fleet.errors import BadFleet
from inference.fleet.plan import plan
from inference.fleet.reading import read
from inference.fleet.servers import Plan
from inference.fleet.table import plan_table
from inference.fleet.targets import Target, render
from tests.database import REPOSITORY
from tests.inference.compose_schema import COMPOSE
from tests.inference.fleets import HOST, adapter_folder, model, model_folder, planned

GOLDEN = Path(__file__).parent / "golden"
STUDY = REPOSITORY / "docs" / "examples" / "fleet-study.yaml"
KEY = "sk-gako-oso-sekretua"

# The chart's values as its own reference names them: github.com/vllm-project/production-stack, helm/README.md and helm/values.schema.json.
CHART_MODEL = {
    *("name", "repository", "tag", "modelURL", "replicaCount", "requestCPU", "requestMemory", "requestGPU"),
    *("requestGPUType", "enableLoRA", "vllmConfig", "env", "extraVolumes", "extraVolumeMounts"),
}
CHART_VLLM = {
    *("enablePrefixCaching", "enableChunkedPrefill", "maxModelLen", "dtype", "maxNumSeqs"),
    *("gpuMemoryUtilization", "tensorParallelSize", "maxLoras", "extraArgs"),
}
CHART_ROUTER = {"enableRouter", "serviceDiscovery", "routingLogic", "vllmApiKey"}
CHART_ENGINE = {"runtimeClassName", "vllmApiKey", "modelSpec"}


def study() -> Plan:
    return plan(read(STUDY))


def shown(target: Target) -> str:
    """What the golden file holds: the second machine's files, on which are a pair that shares a GPU and the 70B; of Kubernetes' values those models."""
    files = render(study(), target)
    if target is Target.KUBERNETES:
        values = yaml.safe_load(files["values.yaml"])
        specs = values["servingEngineSpec"]["modelSpec"]
        keep = ("exp-2-111", "exp-2-101-70b")
        values["servingEngineSpec"]["modelSpec"] = [each for each in specs if each["name"] in keep]
        return str(yaml.safe_dump(values, sort_keys=False))
    ours = {name: text for name, text in files.items() if name.startswith("gpu2")}
    return "".join(f"==> {name}\n{text}" for name, text in sorted(ours.items()))


def various(folder: Path, *, key_file: str | None = None) -> Plan:
    """A fleet of everything that targets must render: adapters, replicas with a router, two GPUs, odd signs, and servers on the CPU."""
    eight = model_folder(folder / "eight")
    variants = [{"name": "lora_a", "folder": adapter_folder(folder / "a")}]
    hosts = [
        HOST | {"address": "127.0.0.1", "key_file": key_file},
        HOST | {"name": "gpu2", "address": "10.0.0.2"},
    ]
    replicas = [
        {"host": "gpu1", "port": 8110, "gpus": [2]},
        {"host": "gpu2", "port": 8110, "gpus": [2]},
    ]
    odd = {"ODD": "50% of $HOME \"and\" 'more'"}
    return planned(
        model(eight, name="Base.8B", adapters=variants, environment=odd, share=0.49),
        model(eight, name="pair", port=8101, share=0.49, flags=["--override", '{"a": "$b", "c": 5%}']),
        model(
            eight,
            name="twice",
            replicas=replicas,
            router={"host": "gpu1", "port": 8200, "metrics_port": 8300},
        ),
        model(eight, name="wide", port=8120, gpus=[4, 5]),
        hosts=hosts,
        targets={
            "python": sys.executable,
            "router": sys.executable,
            "user": "root",
            "kubernetes": {"mount": str(folder)},
        },
    )


def written(plan: Plan, target: Target, folder: Path) -> list[Path]:
    paths = []
    for name, text in render(plan, target).items():
        path = folder / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths


def bash(script: str) -> list[str]:
    """The script's command as bash sees it, without running it: its last line prints its words."""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


# ---- the study


def test_the_studys_19_servers_stand_on_two_machines() -> None:
    found = study()
    assert len(found.servers) == len(found.endpoints) == 19
    assert {each.host.name for each in found.servers} == {"gpu1", "gpu2"}
    shared = [load for load in found.loads if len(load.servers) == 2]
    assert len(shared) == 9
    assert {load.share for load in shared} == {0.98}
    assert plan_table(found) == (GOLDEN / "fleet-study.table").read_text()


@pytest.mark.parametrize("target", list(Target))
def test_the_studys_files_are_the_golden_ones(target: Target) -> None:
    assert shown(target) == (GOLDEN / f"fleet-study.{target}").read_text()


@pytest.mark.parametrize("target", list(Target))
def test_every_target_holds_all_19_models(target: Target) -> None:
    everything = "".join(render(study(), target).values())
    names = {each.model.name for each in study().servers}
    assert len(names) == 19
    assert {name for name in names if re.search(rf"/srv/models/{name}\b", everything)} == names


# ---- all targets


@pytest.mark.parametrize("target", list(Target))
def test_a_key_is_in_no_file(target: Target, tmp_path: Path) -> None:
    keys = tmp_path / "vllm.env"
    keys.write_text(f"VLLM_API_KEY={KEY}\n")
    files = render(various(tmp_path, key_file=str(keys)), target)
    assert KEY not in "".join(files.values())
    assert "--api-key" not in "".join(files.values())


@pytest.mark.parametrize("target", [Target.COMPOSE, Target.KUBERNETES])
def test_containers_are_for_vllm_alone(target: Target, tmp_path: Path) -> None:
    tiny = model_folder(tmp_path / "m")
    found = planned(model(tiny, engine="transformers", gpus=[]), hosts=[{"name": "gpu1"}])
    with pytest.raises(BadFleet, match="transformers is for local processes"):
        render(found, target)


# ---- local


def test_a_local_script_starts_the_very_command(tmp_path: Path) -> None:
    for path in written(various(tmp_path), Target.LOCAL, tmp_path):
        subprocess.run(["bash", "-n", str(path)], check=True)
    script = (tmp_path / "out" / "gpu1" / "pair.sh").read_text()
    words = bash(script.replace("exec env", "printf '%s\\0' env"))
    assert words[-2:] == ["--override", '{"a": "$b", "c": 5%}']
    assert "CUDA_VISIBLE_DEVICES=0" in words


def test_odd_signs_in_the_environment_arrive_as_they_are(tmp_path: Path) -> None:
    script = render(various(tmp_path), Target.LOCAL)["gpu1/Base.8B.sh"]
    assert "ODD=50% of $HOME \"and\" 'more'" in bash(script.replace("exec env", "printf '%s\\0' env"))


# ---- systemd


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    paths = written(various(tmp_path, key_file="/etc/lehia/vllm.env"), Target.SYSTEMD, tmp_path)
    for path in paths:
        # curl's place is the GPU machine's
        path.write_text(path.read_text().replace("/usr/bin/curl", "/bin/true"))
    for host in ("gpu1", "gpu2"):
        ours = [str(path) for path in paths if path.parent.name == host]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *ours], capture_output=True, text=True, check=False
        )
        said = [line for line in done.stderr.splitlines() if "lehia-" in line]
        assert (said, done.returncode) == ([], 0)


def test_a_unit_waits_for_the_one_it_shares_a_gpu_with_and_escapes_what_systemd_reads(tmp_path: Path) -> None:
    files = render(various(tmp_path, key_file="/etc/lehia/vllm.env"), Target.SYSTEMD)
    pair = files["gpu1/lehia-proba-pair.service"]
    assert "After=network-online.target lehia-proba-Base.8B.service\n" in pair
    assert "EnvironmentFile=/etc/lehia/vllm.env\n" in pair
    assert '--override "{\\"a\\": \\"$$b\\", \\"c\\": 5%%}"' in pair
    assert r'''Environment="ODD=50%% of $HOME \"and\" 'more'"''' in files["gpu1/lehia-proba-Base.8B.service"]
    assert "lehia-proba-twice-router.service" in files["gpu1/lehia-proba.target"]
    assert "Restart=on-failure" in pair


# ---- compose


def test_compose_files_follow_the_specification(tmp_path: Path) -> None:
    for path in written(various(tmp_path, key_file="/etc/lehia/vllm.env"), Target.COMPOSE, tmp_path):
        jsonschema.validate(yaml.safe_load(path.read_text()), COMPOSE)


def test_compose_gives_gpus_folders_and_order(tmp_path: Path) -> None:
    files = render(various(tmp_path, key_file="/etc/lehia/vllm.env"), Target.COMPOSE)
    services = yaml.safe_load(files["gpu1/compose.yaml"])["services"]
    base, pair, wide = services["Base.8B"], services["pair"], services["wide"]
    assert pair["depends_on"] == {"Base.8B": {"condition": "service_healthy"}}
    assert wide["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] == ["4", "5"]
    assert base["volumes"] == [f"{tmp_path}/eight:{tmp_path}/eight:ro", f"{tmp_path}/a:{tmp_path}/a:ro"]
    assert base["ports"] == ["127.0.0.1:8100:8100"]
    assert pair["command"][-1] == '{"a": "$$b", "c": 5%}'
    assert base["environment"]["ODD"].startswith("50% of $$HOME")
    assert "CUDA_VISIBLE_DEVICES" not in base["environment"]
    assert base["env_file"] == ["/etc/lehia/vllm.env"]
    router = services["twice-router"]
    assert router["depends_on"] == {"twice-1": {"condition": "service_healthy"}}
    assert "http://10.0.0.2:8110" in router["command"]


# ---- Slurm


def test_slurms_jobs_are_shell_and_start_in_order(tmp_path: Path) -> None:
    for path in written(various(tmp_path, key_file="/etc/lehia/vllm.env"), Target.SLURM, tmp_path):
        subprocess.run(["bash", "-n", str(path)], check=True)
    job = render(various(tmp_path), Target.SLURM)["gpu1.sbatch"]
    assert "#SBATCH --nodelist=gpu1\n" in job
    assert "#SBATCH --gpus-per-node=8\n" in job
    waits = job.index('healthy "${PIDS[0]}" http://127.0.0.1:8100/health')
    assert job.index("--served-model-name Base.8B") < waits < job.index("--served-model-name pair")


def run_job(folder: Path, *models: dict[str, Any], server: str) -> subprocess.CompletedProcess[str]:
    """A host's job as Slurm would start it, with stand-ins for vLLM, which does what *server* says, curl and scontrol."""
    tools = folder / "bin"
    tools.mkdir()
    # the answer to a first server's health comes when that one has ended, if it is to end
    curl = 'while [ -e "$TOLD.runs" ]; do sleep 0.01; done'
    for name, does in (("curl", curl), ("scontrol", 'echo "$@" >> "$TOLD"'), ("python", server)):
        (tools / name).write_text(f"#!/bin/bash\n{does}\n")
        (tools / name).chmod(0o755)
    found = planned(*models, targets={"python": str(tools / "python")})
    job = render(found, Target.SLURM)["gpu1.sbatch"]
    env = {"PATH": f"{tools}:/usr/bin:/bin", "SLURM_JOB_ID": "17", "TOLD": str(folder / "told")}
    return subprocess.run(
        ["bash", "-c", job], env=env, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_slurm_job_whose_server_ends_is_requeued(tmp_path: Path) -> None:
    done = run_job(tmp_path, model(model_folder(tmp_path / "m")), server="exit 3")
    assert (done.returncode, done.stderr) == (1, "a server ended\n")
    assert (tmp_path / "told").read_text() == "requeue 17\n"


def test_a_slurm_job_notices_a_server_that_ended_while_others_were_started(tmp_path: Path) -> None:
    """The first ends before the second begins, which then runs on for longer than any test lasts."""
    (tmp_path / "told.runs").touch()
    folder = model_folder(tmp_path / "m")
    pair = [model(folder, name=name, port=port, share=0.45) for name, port in (("bat", 8100), ("bi", 8101))]
    server = 'case "$*" in *"--port 8101"*) exec sleep 600;; esac; rm -f "$TOLD.runs"; exit 3'
    done = run_job(tmp_path, *pair, server=server)
    assert done.returncode == 1
    assert "a server ended" in done.stderr.splitlines()  # bash at times adds that it lost sight of a process


# ---- Kubernetes


def test_values_are_those_that_the_chart_documents(tmp_path: Path) -> None:
    values = yaml.safe_load(render(various(tmp_path), Target.KUBERNETES)["values.yaml"])
    assert set(values) == {"servingEngineSpec", "routerSpec"}
    assert set(values["servingEngineSpec"]) <= CHART_ENGINE
    assert set(values["routerSpec"]) <= CHART_ROUTER
    specs = values["servingEngineSpec"]["modelSpec"]
    for spec in specs:
        assert set(spec) <= CHART_MODEL
        assert set(spec["vllmConfig"]) <= CHART_VLLM
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", spec["name"])
        assert all(isinstance(word, str) for word in spec["vllmConfig"]["extraArgs"])


def test_what_the_chart_has_a_field_for_is_not_said_twice(tmp_path: Path) -> None:
    values = yaml.safe_load(render(various(tmp_path), Target.KUBERNETES)["values.yaml"])
    base, pair, twice, wide = values["servingEngineSpec"]["modelSpec"]
    assert (base["name"], base["enableLoRA"], base["vllmConfig"]["maxLoras"]) == ("base-8b", True, 1)
    words = base["vllmConfig"]["extraArgs"]
    assert not {
        "--dtype",
        "--max-model-len",
        "--gpu-memory-utilization",
        "--enable-lora",
        "--max-loras",
    } & set(words)
    assert words[words.index("--lora-modules") + 1] == f"lora_a={tmp_path}/a"
    assert words[words.index("--max-lora-rank") + 1] == "16"
    assert (wide["requestGPU"], wide["vllmConfig"]["tensorParallelSize"]) == (2, 2)
    assert twice["replicaCount"] == 2
    assert base["requestGPUType"] == pair["requestGPUType"] == "nvidia.com/gpu.shared"
    assert "requestGPUType" not in wide
    assert "router" not in str([base, pair, twice, wide])


def test_kubernetes_refuses_what_its_pods_would_not_see(tmp_path: Path) -> None:
    eight = model_folder(tmp_path / "eight")
    with pytest.raises(BadFleet, match=r"is not under targets\.kubernetes\.mount \(/srv/models\)"):
        render(planned(model(eight)), Target.KUBERNETES)
    inside = {"kubernetes": {"mount": str(tmp_path)}}
    alike = [
        model(eight, name="a_b", share=0.4, sequences=4),
        model(eight, name="a.b", port=8101, share=0.4, sequences=4),
    ]
    with pytest.raises(BadFleet, match="names are the same"):
        render(planned(*alike, targets=inside), Target.KUBERNETES)
    uneven = [{"host": "gpu1", "port": 1, "gpus": [0]}, {"host": "gpu1", "port": 2, "gpus": [1, 2]}]
    router = {"host": "gpu1", "port": 3, "metrics_port": 4}
    with pytest.raises(BadFleet, match="as many GPUs each"):
        render(planned(model(eight, replicas=uneven, router=router), targets=inside), Target.KUBERNETES)


if __name__ == "__main__":
    (GOLDEN / "fleet-study.table").write_text(plan_table(study()))
    for each in Target:
        (GOLDEN / f"fleet-study.{each}").write_text(shown(each))
