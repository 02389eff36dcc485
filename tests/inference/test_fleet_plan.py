"""Plans: what cannot be is refused with what would fit, and the rest starts in an order that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference.fleet.commands import command_of, router_command
from inference.fleet.errors import BadFleet, DoesNotFit
from inference.fleet.table import plan_table
from tests.inference.fleets import (
    HOST,
    LLAMA_8B,
    LLAMA_70B,
    adapter_folder,
    manifest_file,
    model,
    model_folder,
    planned,
)

PYTHON = Path("/opt/vllm/bin/python")


@pytest.fixture
def eight(tmp_path: Path) -> str:
    return model_folder(tmp_path / "eight")


@pytest.fixture
def seventy(tmp_path: Path) -> str:
    return model_folder(tmp_path / "seventy", LLAMA_70B)


def argv(folder: str, **more: Any) -> list[str]:
    return command_of(planned(model(folder, **more)).servers[0], python=PYTHON, home=Path("/h")).argv


def value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


# ---- what does not fit


def test_more_sequences_than_fit_are_refused_with_what_would(eight: str) -> None:
    with pytest.raises(DoesNotFit) as caught:
        planned(model(eight, share=0.49, sequences=64))
    said = str(caught.value)
    assert "eredua on gpu1: needs 81.2 GiB (weights 15.0, KV cache 64.0 for 64 x 8192 tokens" in said
    assert "its share of 0.49 is 38.8 GiB" in said
    assert "what would fit: sequences: 21; or context: 2560; or 4 GPUs" in said
    planned(model(eight, share=0.49, sequences=21))
    planned(model(eight, share=0.49, sequences=64, context=2560))
    planned(model(eight, share=0.49, sequences=64, gpus=[0, 1, 2, 3]))


def test_a_larger_share_is_advised_as_far_as_the_gpus_others_leave_it(eight: str) -> None:
    with pytest.raises(DoesNotFit, match=r"or share: 0\.55"):
        planned(model(eight, share=0.49, sequences=26))
    planned(model(eight, share=0.55, sequences=26))
    with pytest.raises(DoesNotFit) as caught:
        planned(model(eight, share=0.49, sequences=26), model(eight, name="b", port=8101, share=0.49))
    assert "share:" not in str(caught.value)


def test_a_70b_is_told_how_many_gpus_it_takes(seventy: str) -> None:
    with pytest.raises(DoesNotFit, match=r"what would fit: 4 GPUs"):
        planned(model(seventy, share=0.92))
    assert planned(model(seventy, share=0.92, gpus=[0, 1, 2, 3])).servers[0].vllm.parallel == 4


def test_what_fits_nowhere_on_its_host_is_pointed_to_several_hosts(seventy: str) -> None:
    small = {"name": "gpu1", "gpus": 2, "gpu_memory_gib": 24}
    with pytest.raises(DoesNotFit, match=r"weights alone take 131\.4 GiB.*spans hosts is for Ray Serve"):
        planned(model(seventy), hosts=[small])


def test_shares_of_a_gpu_must_stay_below_one(eight: str) -> None:
    with pytest.raises(
        DoesNotFit, match=r"GPU 0 of gpu1: shares add up to 1 \(a 0\.5, b 0\.5\).*share: 0\.49 for each"
    ):
        planned(model(eight, name="a", share=0.5), model(eight, name="b", port=8101, share=0.5))
    planned(model(eight, name="a", share=0.5), model(eight, name="b", port=8101, share=0.5, gpus=[1]))


def test_a_gpu_whose_memory_is_not_stated_is_refused(eight: str) -> None:
    with pytest.raises(DoesNotFit, match="gpu_memory_gib is not stated"):
        planned(model(eight), hosts=[{"name": "gpu1", "gpus": 1}])


def test_main_memory_is_counted_for_servers_without_a_gpu(tmp_path: Path) -> None:
    tiny = model_folder(
        tmp_path / "tiny", LLAMA_8B | {"num_hidden_layers": 1, "vocab_size": 100, "hidden_size": 128}
    )
    four = [model(tiny, name=f"m{n}", port=8100 + n, gpus=[], context=512) for n in range(4)]
    with pytest.raises(DoesNotFit, match=r"4 servers without a GPU need 12\.\d GiB.*the first 2 of them"):
        planned(*four, hosts=[{"name": "gpu1", "memory_gib": 8}])
    found = planned(*four, hosts=[{"name": "gpu1", "memory_gib": 16}])
    assert [each.vllm.cpu_kv_gib for each in found.servers] == [1] * 4
    assert all(each.vllm.share is None for each in found.servers)


# ---- what clashes


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"gpus": [8]}, r"replicas\[0\]\.gpus: gpu1 has 8 GPUs, counted from 0; there is no 8"),
        ({"gpus": [0, 0]}, "a GPU is named twice"),
        ({"gpus": [0, 1, 2]}, "32 attention heads do not split over 3 GPUs"),
        (
            {"context": 200_000},
            r"models\[0\] \(eredua\)\.context: the model was made for 131072 tokens at most",
        ),
        (
            {"chat_template": "other.jinja"},
            r"chat_template: .*other\.jinja does not exist; name the file, or null",
        ),
        ({"engine": "transformers"}, "transformers serves tiny models on the CPU"),
        (
            {"replicas": [{"host": "gpu9", "port": 1}]},
            r"replicas\[0\]\.host: gpu9 is not one of hosts \(gpu1\)",
        ),
        ({"router": {"host": "gpu1", "port": 1, "metrics_port": 2}}, "one replica takes none"),
        (
            {
                "replicas": [
                    {"host": "gpu1", "port": 1, "gpus": [0]},
                    {"host": "gpu1", "port": 2, "gpus": [1]},
                ]
            },
            "several replicas takes a router",
        ),
    ],
)
def test_what_clashes_is_named(eight: str, more: dict[str, Any], says: str) -> None:
    with pytest.raises(BadFleet, match=says):
        planned(model(eight, **more))


def test_names_and_ports_are_given_once(eight: str) -> None:
    with pytest.raises(BadFleet, match="models and adapters: eredua is there twice"):
        planned(model(eight), model(eight, port=8101))
    with pytest.raises(BadFleet, match="hosts: gpu1 is there twice"):
        planned(model(eight), hosts=[HOST, HOST])
    with pytest.raises(BadFleet, match="port 8100 of gpu1 is given to a and to b"):
        planned(model(eight, name="a", share=0.49), model(eight, name="b", share=0.49))


def test_the_same_port_on_two_hosts_is_no_clash(eight: str) -> None:
    hosts = [HOST, HOST | {"name": "gpu2"}]
    other = model(eight, name="b") | {"replicas": [{"host": "gpu2", "port": 8100, "gpus": [0]}]}
    found = planned(model(eight), other, hosts=hosts)
    assert [each.name for each in found.on("gpu2")] == ["b"]


# ---- order


def test_servers_that_share_a_gpu_start_one_after_the_other_and_the_rest_at_once(eight: str) -> None:
    models = [
        model(eight, name=name, port=8100 + n, share=0.3, sequences=4, gpus=gpus)
        for n, (name, gpus) in enumerate([("a", [0]), ("b", [0]), ("c", [1]), ("d", [0, 1]), ("e", [2])])
    ]
    found = {each.name: each.after for each in planned(*models).servers}
    assert found == {"a": (), "c": (), "e": (), "b": ("a",), "d": ("b", "c")}
    assert list(found) == ["a", "c", "e", "b", "d"]


# ---- command lines


def test_a_server_is_told_all_that_keeps_candidates_comparable(eight: str) -> None:
    words = argv(eight, share=0.49, flags=["--enforce-eager"])
    assert words[:5] == [str(PYTHON), "-m", "vllm.entrypoints.openai.api_server", "--model", eight]
    assert value(words, "--generation-config") == "vllm"
    assert value(words, "--served-model-name") == "eredua"
    assert value(words, "--chat-template") == f"{eight}/chat_template.jinja"
    assert value(words, "--max-model-len") == "8192"
    assert value(words, "--gpu-memory-utilization") == "0.49"
    assert "--enable-request-id-headers" in words
    assert "--enable-lora" not in words
    assert words[-1] == "--enforce-eager"


def test_a_gpu_is_chosen_by_the_environment_and_more_than_one_by_tensor_parallelism(eight: str) -> None:
    server = planned(model(eight, gpus=[2, 3], environment={"NCCL_DEBUG": "WARN"})).servers[0]
    found = command_of(server, python=PYTHON, home=Path("/h"))
    assert (found.env["CUDA_VISIBLE_DEVICES"], found.env["NCCL_DEBUG"]) == ("2,3", "WARN")
    assert value(found.argv, "--tensor-parallel-size") == "2"


def test_the_tokenizers_own_template_is_left_alone_where_null_says_so(eight: str) -> None:
    assert "--chat-template" not in argv(eight, chat_template=None)


def test_transformers_serve_knows_models_by_their_folders(eight: str) -> None:
    found = planned(
        model(eight, engine="transformers", gpus=[], context=512, sequences=1), hosts=[{"name": "gpu1"}]
    )
    command = command_of(found.servers[0], python=PYTHON, home=Path("/h"))
    assert command.argv[:2] == ["/opt/vllm/bin/transformers", "serve"]
    assert found.endpoints[0].model_name == eight
    assert not Path("/h").exists()


# ---- adapters


def test_adapters_share_their_backbones_server(eight: str, tmp_path: Path) -> None:
    variants = [
        {"name": "lora_a", "folder": adapter_folder(tmp_path / "a", rank=24)},
        {"name": "lora_b", "folder": str(tmp_path / "elsewhere"), "rank": 8},
    ]
    found = planned(model(eight, adapters=variants, candidate=False))
    words = command_of(found.servers[0], python=PYTHON, home=Path("/h")).argv
    assert len(found.servers) == 1
    assert value(words, "--max-loras") == "2"
    assert value(words, "--max-lora-rank") == "32"
    at = words.index("--lora-modules")
    assert words[at + 1 : at + 3] == [f"lora_a={tmp_path / 'a'}", f"lora_b={tmp_path / 'elsewhere'}"]
    assert [(each.code, each.model_name, each.is_adapter) for each in found.endpoints] == [
        ("lora_a", "lora_a", True),
        ("lora_b", "lora_b", True),
    ]
    assert len({each.base_url for each in found.endpoints}) == 1


@pytest.mark.parametrize(
    ("stated", "rank", "says"),
    [
        ({}, None, r"adapters\[0\] \(x\)\.rank: .*state the adapter's rank"),
        ({"rank": 8}, 16, "the file says 8, .* says 16; leave rank out"),
        ({"rank": 1024}, None, "rank 512 at most, not 1024"),
    ],
)
def test_an_adapters_rank_must_be_known_and_true(
    eight: str, tmp_path: Path, stated: dict[str, Any], rank: int | None, says: str
) -> None:
    folder = adapter_folder(tmp_path / "x", rank=rank) if rank else str(tmp_path / "x")
    with pytest.raises(BadFleet, match=says):
        planned(model(eight, adapters=[{"name": "x", "folder": folder} | stated]))


def test_an_adapter_with_another_chat_template_is_refused(eight: str, tmp_path: Path) -> None:
    folder = adapter_folder(tmp_path / "x", template="another")
    with pytest.raises(
        BadFleet, match="its chat template is not its backbone's, and a server has only one; merge"
    ):
        planned(model(eight, adapters=[{"name": "x", "folder": folder}]))
    planned(model(eight, chat_template=None, adapters=[{"name": "x", "folder": folder}]))


# ---- replicas


def test_replicas_stand_behind_one_router_that_is_the_candidates_address(eight: str) -> None:
    hosts = [HOST | {"address": "10.0.0.1"}, HOST | {"name": "gpu2", "address": "10.0.0.2"}]
    replicas = [
        {"host": "gpu1", "port": 8100, "gpus": [0]},
        {"host": "gpu2", "port": 8100, "gpus": [0]},
    ]
    router = {"host": "gpu1", "port": 8200, "metrics_port": 8300}
    found = planned(model(eight, replicas=replicas, router=router), hosts=hosts)
    assert [each.name for each in found.servers] == ["eredua-1", "eredua-2"]
    words = router_command(found.routers[0], executable="vllm-router")
    at = words.index("--worker-urls")
    assert words[at + 1 : at + 3] == ["http://10.0.0.1:8100", "http://10.0.0.2:8100"]
    assert "--disable-retries" in words
    assert found.routers[0].after == ("eredua-1",)
    assert [each.name for each in found.on("gpu1")] == ["eredua-1", "eredua-router"]
    [endpoint] = found.endpoints
    assert (endpoint.base_url, endpoint.sequences) == ("http://10.0.0.1:8200/v1", 32)
    assert "eredua-router  gpu1  8200  cache_aware" in plan_table(found)


def test_a_routers_ports_clash_too(eight: str) -> None:
    replicas = [{"host": "gpu1", "port": 8100 + n, "gpus": [n]} for n in range(2)]
    router = {"host": "gpu1", "port": 8200, "metrics_port": 8101}
    with pytest.raises(
        BadFleet, match="port 8101 of gpu1 is given to eredua-2 and to eredua-router's metrics"
    ):
        planned(model(eight, replicas=replicas, router=router))
    with pytest.raises(BadFleet, match=r"router\.host: gpu9 is not one of hosts"):
        planned(model(eight, replicas=replicas, router=router | {"host": "gpu9"}))


def test_a_manifest_is_found_in_the_folder_or_where_the_file_says(eight: str, tmp_path: Path) -> None:
    assert planned(model(eight)).endpoints[0].manifest is None
    beside = manifest_file(Path(eight), "eredua")
    assert planned(model(eight)).endpoints[0].manifest == beside
    stated = planned(model(eight, manifest="/site/candidate.json")).endpoints[0].manifest
    assert stated == Path("/site/candidate.json")
