"""What the scripted server answers besides streams."""

from __future__ import annotations

from collections.abc import Iterable


def model_list(models: Iterable[str]) -> dict[str, object]:
    """The body of ``/v1/models``, with the context length that vLLM tells."""
    rows = [
        {"id": each, "object": "model", "owned_by": "lehia", "max_model_len": 4096, "display_name": each}
        for each in models
    ]
    return {"object": "list", "data": rows, "has_more": False}


def vllm_metrics(*, model: str, running: int, waiting: int, finished: int, tokens: int) -> str:
    """A Prometheus page under the names that vLLM uses."""
    label = f'{{engine="0",model_name="{model}"}}'
    rows = [
        ("num_requests_running", "gauge", label, running),
        ("num_requests_waiting", "gauge", label, waiting),
        ("kv_cache_usage_perc", "gauge", label, min(1.0, running / 16)),
        ("prompt_tokens_total", "counter", label, 5 * finished),
        ("generation_tokens_total", "counter", label, tokens),
        ("request_success_total", "counter", label[:-1] + ',finished_reason="stop"}', finished),
    ]
    lines = []
    for name, kind, labels, value in rows:
        lines += [
            f"# TYPE vllm:{name.removesuffix('_total')} {kind}",
            f"vllm:{name}{labels} {float(value)}",
        ]
    return "\n".join(lines) + "\n"
