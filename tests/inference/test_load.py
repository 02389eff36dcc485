"""What a vLLM server tells of itself, and what looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.health.load import read_load
from inference.health.types import Load

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="latxa-8b"} 3.0
vllm:num_requests_running{engine="1",model_name="latxa-8b"} 2.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="latxa-8b"} 7.0
vllm:num_requests_waiting{engine="1",model_name="latxa-8b"} 0.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="latxa-8b"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="latxa-8b"} 0.87654321
# TYPE vllm:e2e_request_latency_seconds histogram
vllm:e2e_request_latency_seconds_bucket{le="0.3"} 1.0
python_gc_objects_collected_total{generation="0"} 9.0
"""


def test_engines_are_added_up_and_the_fullest_cache_counts() -> None:
    assert read_load(VLLM) == Load(running=5, waiting=7, kv_cache=0.8765)


def test_the_old_name_of_the_cache_is_known() -> None:
    assert read_load(VLLM.replace("kv_cache_usage_perc", "gpu_cache_usage_perc")) == Load(5, 7, 0.8765)


def test_a_server_without_a_cache_still_has_a_queue() -> None:
    lines = [line for line in VLLM.splitlines() if "kv_cache" not in line]
    assert read_load("\n".join(lines)) == Load(5, 7, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>not found</html>",
        "vllm:num_requests_running 1\n",
        "vllm:num_requests_waiting 1\n",
        "vllm:num_requests_running{ 1\nvllm:num_requests_waiting 2\n",
        "vllm:num_requests_running many\nvllm:num_requests_waiting 2\n",
        "vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\n",
    ],
)
def test_what_does_not_say_both_is_no_load(text: str) -> None:
    assert read_load(text) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    read_load("vllm:num_requests_running" + text + "\nvllm:num_requests_waiting 1\n" + text)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8))
def test_sums_hold_for_any_engines(engines: list[tuple[int, int]]) -> None:
    text = "".join(
        f'vllm:num_requests_running{{engine="{i}"}} {running}.0\nvllm:num_requests_waiting{{engine="{i}"}} {waiting}.0\n'
        for i, (running, waiting) in enumerate(engines)
    )
    assert read_load(text) == Load(sum(r for r, _ in engines), sum(w for _, w in engines))
