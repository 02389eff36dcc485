"""Kubernetes: values for the Helm chart of vLLM's production stack, whose router stands before all models."""

from __future__ import annotations

from typing import Any

from inference.fleet.config import Engine, Model
from inference.fleet.errors import BadFleet
from inference.fleet.servers import Plan, Server
from inference.fleet.targets.dump import dump
from inference.presets import vllm_environment, vllm_options

# What the chart has fields for; it writes these options itself.
_FIELDS = frozenset(
    {
        *("--dtype", "--max-model-len", "--max-num-seqs", "--gpu-memory-utilization"),
        *("--tensor-parallel-size", "--enable-lora", "--max-loras"),
    }
)


def render(plan: Plan) -> dict[str, str]:
    """``values.yaml``. Where pods run, and on which GPU, is the cluster's to say: hosts, GPUs' numbers and ports of the file are left out.

    Raises
    ------
    BadFleet
        For ``transformers serve``, for folders outside the mounted claim, and for replicas that differ in their number of GPUs.
    """
    names = [_label(each.name) for each in plan.fleet.models]
    if len(set(names)) < len(names):
        raise BadFleet(
            "two models' names are the same where Kubernetes is to use them: small letters, digits and '-'"
        )
    kubernetes = plan.fleet.targets.kubernetes
    key = {"secretName": kubernetes.key_secret, "secretKey": kubernetes.key_name}
    engine: dict[str, Any] = {
        "runtimeClassName": "nvidia",
        **({"vllmApiKey": key} if kubernetes.key_secret else {}),
        "modelSpec": [_model(plan, each) for each in plan.fleet.models],
    }
    router: dict[str, Any] = {
        "enableRouter": True,
        "serviceDiscovery": "k8s",
        "routingLogic": "roundrobin",
        **({"vllmApiKey": key} if kubernetes.key_secret else {}),
    }
    text = dump({"servingEngineSpec": engine, "routerSpec": router})
    head = f"# Fleet {plan.fleet.fleet}: helm install lehia vllm/vllm-stack -f values.yaml\n"
    return {"values.yaml": head + text}


def _model(plan: Plan, model: Model) -> dict[str, Any]:
    servers = [each for each in plan.servers if each.model is model]
    server, kubernetes = servers[0], plan.fleet.targets.kubernetes
    _check(plan, model, servers)
    shared = any(load.share > model.share for load in plan.loads if server.name in load.servers)
    env = vllm_environment(server.vllm) | model.environment
    return {
        "name": _label(model.name),
        "repository": plan.fleet.targets.image,
        "tag": plan.fleet.targets.tag,
        "modelURL": model.folder,
        "replicaCount": len(servers),
        "requestCPU": kubernetes.cpus,
        "requestMemory": kubernetes.memory,
        "requestGPU": len(server.gpus),
        **({"requestGPUType": kubernetes.shared_gpu} if shared else {}),
        **({"enableLoRA": True} if model.adapters else {}),
        "vllmConfig": _config(server),
        "env": [{"name": name, "value": value} for name, value in sorted(env.items())],
        "extraVolumes": [
            {"name": "models", "persistentVolumeClaim": {"claimName": kubernetes.claim, "readOnly": True}}
        ],
        "extraVolumeMounts": [{"name": "models", "mountPath": kubernetes.mount, "readOnly": True}],
    }


def _check(plan: Plan, model: Model, servers: list[Server]) -> None:
    if model.engine is not Engine.VLLM:
        raise BadFleet(f"{model.name}: the chart starts vLLM; transformers is for local processes")
    if len({len(each.gpus) for each in servers}) > 1:
        raise BadFleet(f"{model.name}: replicas of one model take as many GPUs each in this chart")
    mount = plan.fleet.targets.kubernetes.mount
    for folder in (model.folder, *(each.folder for each in model.adapters)):
        if not folder.startswith(f"{mount.rstrip('/')}/"):
            raise BadFleet(
                f"{model.name}: {folder} is not under targets.kubernetes.mount ({mount}), where the claim is seen"
            )


def _config(server: Server) -> dict[str, Any]:
    model = server.model
    found: dict[str, Any] = {
        "enablePrefixCaching": True,  # left out, the chart switches it off
        "maxModelLen": model.context,
        "dtype": model.dtype.value,
        "maxNumSeqs": model.sequences,
        "gpuMemoryUtilization": model.share,
        "tensorParallelSize": server.vllm.parallel,
    }
    if model.adapters:
        found["maxLoras"] = len(model.adapters)
    return {**found, "extraArgs": _rest(vllm_options(server.vllm))}


def _rest(options: list[str]) -> list[str]:
    """The options that the chart has no field for."""
    found, skipping = [], False
    for word in options:
        if word.startswith("--"):
            skipping = word in _FIELDS
        if not skipping:
            found.append(word)
    return found


def _label(name: str) -> str:
    """A name as Kubernetes takes it."""
    return name.lower().replace("_", "-").replace(".", "-").strip("-")[:50]
