"""NEFTune's noise: its size, its places, and that measuring is without it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.training import tiny
from training import config, parts
from training.neftune import Length, Neftune, document_lengths, noise_scale
from training.trainer import _noise

WIDTH = 256


class Model(nn.Module):
    """An embedding, called as transformers' models are."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, WIDTH)
        nn.init.zeros_(self.table.weight)

    def get_input_embeddings(self) -> nn.Module:
        return self.table

    def forward(self, input_ids: torch.Tensor, position_ids: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.table(input_ids)
        return out


def positions(*documents: int) -> torch.Tensor:
    return torch.tensor([[place for size in documents for place in range(size)]])


def noise(
    position_ids: torch.Tensor, length: Length, *, training: bool = True, rows: int = 1
) -> torch.Tensor:
    torch.manual_seed(0)
    model = Model().train(training)
    Neftune(5.0, length, row=position_ids.numel() // rows, rows=rows).attach(model)
    out: torch.Tensor = model(input_ids=torch.zeros_like(position_ids), position_ids=position_ids)
    return out[0].detach()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 3))
def test_each_token_knows_its_documents_length(documents: list[int], rows: int) -> None:
    wanted = [size for size in documents for _ in range(size)]
    found = document_lengths(positions(*documents).repeat(rows, 1))
    assert found.tolist() == [wanted] * rows


def test_lengths_leave_positions_as_they_are() -> None:
    given_positions = torch.tensor([[5, 6, 0, 1]])
    assert document_lengths(given_positions).tolist() == [[2, 2, 2, 2]]
    assert given_positions.tolist() == [[5, 6, 0, 1]]


def test_the_papers_formula() -> None:
    assert float(noise_scale(5, 512, 4096)) == pytest.approx(5 / math.sqrt(512 * 4096))
    assert noise_scale(5, torch.tensor([512, 2048]), 4096).tolist() == pytest.approx(
        [5 / math.sqrt(512 * 4096), 5 / math.sqrt(2048 * 4096)]
    )


@pytest.mark.parametrize(
    ("length", "of_short", "of_long"), [("document", 16, 112), ("row", 64, 64), ("batch", 128, 128)]
)
def test_noise_is_uniform_and_as_wide_as_the_formula_says(
    length: Length, of_short: int, of_long: int
) -> None:
    """Two rows of 64, end to end as for flash attention."""
    found = noise(positions(16, 112), length, rows=2)
    for part, counted in ((found[:16], of_short), (found[16:], of_long)):
        scale = 5 / math.sqrt(counted * WIDTH)
        assert part.abs().max() <= scale
        assert part.abs().max().item() == pytest.approx(scale, rel=0.01)
        assert part.std().item() == pytest.approx(scale / math.sqrt(3), rel=0.05)
        assert abs(part.mean().item()) < scale / 10


def test_by_document_a_documents_noise_is_the_same_in_any_row() -> None:
    alone, packed = noise(positions(32), "document"), noise(positions(32, 480), "document")[:32]
    assert packed.square().sum().item() == pytest.approx(alone.square().sum().item(), rel=0.1)
    assert alone.square().sum().item() == pytest.approx(25 / 3, rel=0.1)
    smaller = noise(positions(32, 480), "row")[:32]
    assert (smaller.std() / packed.std()).item() == pytest.approx(math.sqrt(32 / 512), rel=0.1)


def test_measuring_is_without_noise_and_so_is_a_model_it_left() -> None:
    assert not noise(positions(8), "document", training=False).any()
    model, added = Model(), Neftune(5.0, "document", row=4, rows=1)
    added.attach(model)
    added.detach()
    assert not model(input_ids=torch.zeros(1, 4, dtype=torch.long), position_ids=positions(4)).any()


@pytest.mark.parametrize("length", ["document", "row", "batch"])
def test_noise_is_as_wide_whether_rows_lie_side_by_side_or_end_to_end(length: Length) -> None:
    rows = positions(16, 48).repeat(2, 1)
    beside, behind = (noise(each, length, rows=2) for each in (rows, rows.view(1, -1)))
    assert torch.equal(beside, behind[:64])


def test_the_study_ran_with_batches_and_a_recipe_that_says_nothing_follows_the_paper() -> None:
    assert config.load("exp_0_110").method.neftune_length == "batch"
    assert parts.Method.model_fields["neftune_length"].default == "document"


def test_a_trainer_adds_it_only_where_the_recipe_asks(tmp_path: Path) -> None:
    def weights(*changes: str) -> dict[str, torch.Tensor]:
        return tiny.fit(tiny.trainer(tiny.recipe("schedule.steps=3", *changes), tmp_path))

    noisy = ("method.neftune_alpha=5", "method.neftune_length=document")
    assert not tiny.same(weights(), weights(*noisy))
    assert tiny.same(weights(*noisy), weights(*noisy))
    assert not tiny.same(weights(*noisy), weights("method.neftune_alpha=5", "method.neftune_length=row"))


def test_a_recipes_rows_and_batches_are_what_counts() -> None:
    five = ("method.neftune_alpha=5", "batch.rows=2")
    scales = {
        length: _noise(tiny.recipe(*five, f"method.neftune_length={length}"))._whole  # type: ignore[union-attr]
        for length in ("document", "row", "batch")
    }
    assert scales == {"document": None, "row": tiny.LENGTH, "batch": 2 * tiny.LENGTH}
