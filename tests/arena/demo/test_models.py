"""The demo's candidates on a fleet: told to the site, ended with the demo, and no hindrance to the other kind of demo. A stand-in plays vLLM."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from arena.demo import models, seed
from arena.demo.models import RECIPES
from arena.demo.services import Layout
from arena.embedded.errors import StartFailed
from arena.embedded.ports import listens
from arena.embedded.supervisor import Supervisor
from inference.fleet.config import Engine
from inference.models import ModelEndpoint
from tests.inference.fleets import LLAMA_8B, manifest_file, model_folder
from tests.inference.test_fleet_local import ENGINE

TINY = LLAMA_8B | {"num_hidden_layers": 1, "hidden_size": 128, "vocab_size": 256}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for code in RECIPES:
        model_folder(tmp_path / "models" / code, TINY)
        manifest_file(tmp_path / "models" / code, code)
    monkeypatch.setattr(models, "vllm_python", lambda: Path(sys.executable))
    monkeypatch.setenv("PYTHONPATH", str(ENGINE))
    return Layout(tmp_path, tmp_path / "models", port=1, model_port=2, engine=Engine.VLLM)


@pytest.fixture
def supervisor(layout: Layout) -> Iterator[Supervisor]:
    found = Supervisor(layout.data, echo=io.StringIO())
    yield found
    models.stop(layout, found)
    found.stop()


def urls() -> set[tuple[str, str, str]]:
    return set(ModelEndpoint.objects.filter(status="active").values_list("model", "base_url", "provider"))


@pytest.mark.django_db
def test_every_candidate_is_served_by_a_server_of_its_own_at_addresses_that_stay(
    layout: Layout, supervisor: Supervisor
) -> None:
    models.register(layout, supervisor, None)
    first = urls()
    assert {model for model, _, _ in first} == {str(layout.models / code) for code in RECIPES}
    assert len({url for _, url, _ in first}) == 4
    assert {provider for _, _, provider in first} == {"vllm"}
    models.stop(layout, supervisor)
    assert not any(listens(urlsplit(url).port or 0) for _, url, _ in first)
    models.register(layout, supervisor, None)
    assert urls() == first


@pytest.mark.django_db
def test_an_embedded_demo_may_follow_in_the_same_folder(layout: Layout, supervisor: Supervisor) -> None:
    models.register(layout, supervisor, None)
    assert seed.needs_small_candidates(layout.models)
    seed.register(models=layout.models, model_server=layout.model_server)
    assert {(url, provider) for _, url, provider in urls()} == {(layout.model_server, "transformers")}


@pytest.mark.django_db
def test_a_missing_vllm_says_how_to_install_it(
    layout: Layout, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "vllm_python", lambda: Path("/nowhere/python"))
    with pytest.raises(StartFailed, match="make demo MODELS=vllm installs it"):
        models.start(layout, supervisor)


@pytest.mark.django_db
def test_a_server_that_does_not_start_is_a_failed_start(
    layout: Layout, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(layout.data))
    with pytest.raises(StartFailed, match=r"txiki_010 ended before it was healthy; see .*txiki_010\.log"):
        models.register(layout, supervisor, None)
