"""What a token costs, and how much of a device that uses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from tests.training import tiny
from training.flops import PEAKS, Cost, cost_of, peak_of, utilisation


def llama(*, tied: bool) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=100,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            tie_word_embeddings=tied,
        )
    )


LAYERS = 3 * (16 * 32 + 2 * 16 * 16 + 32 * 16 + 3 * 16 * 32 + 2 * 16) + 16


def test_weights_that_multiply_count_and_a_table_that_is_looked_up_does_not() -> None:
    assert cost_of(llama(tied=False)) == Cost(LAYERS + 1600, 0, 3 * 4 * 8)
    assert cost_of(llama(tied=True)) == Cost(LAYERS + 1600, 0, 3 * 4 * 8)


def test_a_frozen_weight_has_no_gradient_of_its_own() -> None:
    model = get_peft_model(llama(tied=False), LoraConfig(r=2, target_modules=["q_proj"]))
    cost = cost_of(model)
    assert cost.trained == 3 * 2 * (16 + 32)
    assert cost.frozen == LAYERS + 1600
    assert cost.per_token(0) == 6 * cost.trained + 4 * cost.frozen


def test_the_formula_on_the_8b() -> None:
    cost = Cost(trained=7_504_924_672, frozen=0, attention=32 * 32 * 128)
    assert cost.per_token(0) == pytest.approx(45.03e9, rel=1e-3)
    one_document = cost.per_token((8192 + 1) / 2) - cost.per_token(0)
    assert one_document == pytest.approx(12 * 32 * 4096 * 4096.5)


@given(st.integers(1, 10**9), st.floats(0, 1e5), st.floats(1, 1e6))
def test_utilisation_is_proportional_to_speed(trained: int, keys: float, speed: float) -> None:
    cost = Cost(trained, 0, 64)
    one = utilisation(cost, tokens_per_s=speed, keys=keys, peak=989e12)
    two = utilisation(cost, tokens_per_s=2 * speed, keys=keys, peak=989e12)
    assert one is not None
    assert two == pytest.approx(2 * one)


@pytest.mark.parametrize(
    ("device", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A100 80GB PCIe", 312e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA A10", 125e12),
        ("NVIDIA GeForce RTX 4090", None),
        ("", None),
    ],
)
def test_peaks_are_found_by_the_devices_name(device: str, peak: float | None) -> None:
    assert peak_of(device) == peak


def test_an_unknown_device_has_no_utilisation() -> None:
    assert utilisation(cost_of(tiny.model(tiny.recipe())), tokens_per_s=1e4, keys=1, peak=None) is None
    assert all(peak > 1e13 for peak in PEAKS.values())
