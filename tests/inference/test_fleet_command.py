"""``manage.py fleet``: results on standard output, exit codes, and what the site knows afterwards."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from inference import selectors
from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointStatus
from tests.database import REPOSITORY
from tests.inference.fleets import (
    HOST,
    adapter_folder,
    manifest_file,
    model,
    model_folder,
    text,
)
from tests.inference.test_fleet_local import ENGINE, Machine

KEY = "sk-gako-oso-sekretua"
STUDY = REPOSITORY / "docs" / "examples" / "fleet-study.yaml"


def fleet(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("fleet", *words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def file(folder: Path, content: str) -> str:
    path = folder / "fleet.yaml"
    path.write_text(content)
    return str(path)


def test_plan_prints_the_table_and_writes_a_targets_files(tmp_path: Path) -> None:
    assert "exp_2_101_70b" in fleet("plan", str(STUDY))
    out = fleet("plan", str(STUDY), "--target", "slurm", "--output", str(tmp_path / "jobs"))
    assert out.splitlines()[-2:] == [f"{tmp_path}/jobs/gpu1.sbatch", f"{tmp_path}/jobs/gpu2.sbatch"]
    assert (tmp_path / "jobs" / "gpu2.sbatch").read_text().startswith("#!/bin/bash\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "/nowhere.yaml"], "No such file"),
        (["plan", str(STUDY), "--target", "slurm"], "give --target and --output together"),
        (["up", str(STUDY)], "say which host this is by --host: gpu1, gpu2"),
        (["down", str(STUDY), "--host", "x"], "say which host this is"),
    ],
)
def test_bad_input_is_2(words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as caught:
        fleet(*words)
    assert caught.value.returncode == 2


def test_a_fleet_comes_up_is_watched_and_goes_down(tmp_path: Path, settings: Settings) -> None:
    settings.LEHIA_DATA = tmp_path
    machine = Machine(tmp_path)
    content = text(
        model(machine._weights, port=machine._ports[0], context=512, environment={"PYTHONPATH": str(ENGINE)}),
        targets={"python": sys.executable},
    )
    path = file(tmp_path, content)
    try:
        with pytest.raises(SystemExit) as caught:
            fleet("status", path)
        assert caught.value.code == 1
        assert "healthy" in fleet("up", path)
        assert "healthy" in fleet("status", path)
    finally:
        assert fleet("down", path) == "eredua\n"
    assert fleet("down", path) == ""


def test_a_server_that_fails_is_1(tmp_path: Path, settings: Settings) -> None:
    settings.LEHIA_DATA = tmp_path
    machine = Machine(tmp_path)
    content = text(
        model(
            machine._weights,
            port=machine._ports[0],
            flags=["--dies"],
            environment={"PYTHONPATH": str(ENGINE)},
        ),
        targets={"python": sys.executable},
    )
    with pytest.raises(CommandError, match="ended before it was healthy") as caught:
        fleet("up", file(tmp_path, content))
    assert caught.value.returncode == 1


# ---- register


@pytest.fixture
def served(tmp_path: Path) -> str:
    """A backbone with a manifest and two adapters, and a model without a manifest, on one GPU machine with a key."""
    keys = tmp_path / "vllm.env"
    keys.write_text(f"VLLM_API_KEY={KEY}\n")
    base, other = model_folder(tmp_path / "base"), model_folder(tmp_path / "other")
    manifest_file(tmp_path / "base", "base")
    adapters = []
    for code in ("lora_a", "lora_b"):
        adapters.append({"name": code, "folder": adapter_folder(tmp_path / code)})
        manifest_file(tmp_path / code, code, adapter_of={"name": "base", "rank": 16})
    content = text(
        model(base, name="base", share=0.49, adapters=adapters),
        model(other, name="latxa-8b", port=8101, share=0.49),
        hosts=[HOST | {"key_file": str(keys)}],
    )
    return file(tmp_path, content)


@pytest.mark.django_db
def test_register_makes_every_candidate_known_where_it_is_served(served: str) -> None:
    lines = [json.loads(line) for line in fleet("register", served).splitlines()]
    assert [(each["candidate"], each["new"]) for each in lines] == [
        ("base", True),
        ("lora_a", True),
        ("lora_b", True),
        ("latxa-8b", True),
    ]
    assert KEY not in str(lines)
    for code, port in (("base", 8100), ("lora_a", 8100), ("lora_b", 8100), ("latxa-8b", 8101)):
        candidate = Candidate.objects.get(code=code)
        target = selectors.target_for(candidate.pk)
        assert (target.base_url, target.model) == (f"http://127.0.0.1:{port}/v1", code)
        assert (target.api_key, target.provider, target.max_in_flight) == (KEY, "vllm", 16)
        assert candidate.endpoints.get().context_tokens == 8192
    assert Candidate.objects.get(code="lora_a").name == "Lora_A"


def rows() -> list[tuple[object, ...]]:
    return list(ModelEndpoint.objects.order_by("pk").values_list())


@pytest.mark.django_db
def test_registering_again_changes_nothing(served: str) -> None:
    fleet("register", served)
    before = rows()
    lines = [json.loads(line) for line in fleet("register", served).splitlines()]
    assert {each["new"] for each in lines} == {False}
    assert rows() == before


@pytest.mark.django_db
def test_registering_again_keeps_what_staff_have_set(served: str) -> None:
    fleet("register", served)
    ModelEndpoint.objects.update(max_in_flight=3, status=EndpointStatus.DISABLED.value)
    fleet("register", served)
    assert set(ModelEndpoint.objects.values_list("max_in_flight", "status")) == {(3, "disabled")}


@pytest.mark.django_db(transaction=True)
def test_a_new_key_of_a_running_fleet_replaces_the_stored_one(tmp_path: Path, settings: Settings) -> None:
    settings.LEHIA_DATA = tmp_path
    machine = Machine(tmp_path)
    more: dict[str, Any] = {"context": 512, "environment": {"PYTHONPATH": str(ENGINE)}}
    content = text(
        model(machine._weights, port=machine._ports[0], **more),
        hosts=[HOST | {"key_file": str(machine.key_file)}],
        targets={"python": sys.executable},
    )
    path = file(tmp_path, content)
    try:
        for key in (KEY, "berria"):
            machine.key_file.write_text(f"VLLM_API_KEY={key}\n")
            fleet("up", path)
            fleet("register", path)
            assert selectors.target_of(ModelEndpoint.objects.get()).api_key == key
    finally:
        fleet("down", path)


@pytest.mark.django_db
def test_a_clusters_router_is_one_address_for_all_and_its_key_may_lie_elsewhere(
    served: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.env"
    copy.write_text("VLLM_API_KEY=besteak\n")
    fleet("register", served, "--base-url", "http://127.0.0.1:9000/v1", "--key-file", str(copy))
    found = ModelEndpoint.objects.values_list("base_url", flat=True)
    assert list(found) == ["http://127.0.0.1:9000/v1"] * 4
    assert {selectors.target_of(each).api_key for each in ModelEndpoint.objects.all()} == {"besteak"}


@pytest.mark.django_db
def test_register_is_all_or_nothing(served: str, tmp_path: Path) -> None:
    for code, more, says in (
        (
            "other_code",
            {"adapter_of": {"name": "base", "rank": 16}},
            "it is other_code, and the fleet's file calls it lora_b",
        ),
        ("lora_b", {}, "lora_b is a model of its own; the fleet's file has it elsewhere"),
    ):
        manifest_file(tmp_path / "lora_b", code, **more)
        with pytest.raises(CommandError, match=says) as caught:
            fleet("register", served)
        assert caught.value.returncode == 2
        assert not Candidate.objects.exists()


@pytest.mark.django_db
def test_a_key_on_the_gpu_machine_is_asked_for_and_an_address_outside_is_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    away = file(tmp_path, text(model(folder), hosts=[HOST | {"key_file": "/nowhere/vllm.env"}]))
    with pytest.raises(CommandError, match="is not on this machine; --key-file names a copy"):
        fleet("register", away)
    outside = file(tmp_path, text(model(folder), hosts=[HOST | {"address": "10.1.0.11"}]))
    with pytest.raises(CommandError, match="allow-list") as caught:
        fleet("register", outside)
    assert caught.value.returncode == 2
    assert not Candidate.objects.exists()


@pytest.mark.django_db
def test_a_private_network_that_is_allowed_is_registered(tmp_path: Path, settings: Settings) -> None:
    settings.LEHIA_MODEL_HOSTS = ("10.1.0.0/16",)
    settings.LEHIA_DATA = tmp_path
    copy = tmp_path / "vllm.env"
    copy.write_text(f"VLLM_API_KEY={KEY}\n")
    lines = fleet("register", str(STUDY), "--key-file", str(copy)).splitlines()
    assert len(lines) == Candidate.objects.count() == 19
