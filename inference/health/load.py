"""A vLLM server's own metrics, in the text format of Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from inference.health.types import Load

_RUNNING = "vllm:num_requests_running"
_WAITING = "vllm:num_requests_waiting"
_CACHE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")  # its name until vLLM 0.10


def read_load(text: str) -> Load | None:
    """How full the server is; ``None`` where the text does not say.

    Parameters
    ----------
    text
        The whole answer of ``/metrics``. Other families are not parsed: there are hundreds of lines of them.

    Returns
    -------
    Load
        Engines and models of one server are added up, since they share its queue; of cache shares the fullest engine counts.
    """
    values: dict[str, list[float]] = {}
    try:
        for sample in _samples(text):
            if math.isfinite(sample.value) and sample.value >= 0:
                values.setdefault(sample.name, []).append(sample.value)
    except ValueError:  # a line that is none
        return None
    if _RUNNING not in values or _WAITING not in values:
        return None
    shares = [share for name in _CACHE for share in values.get(name, [])]
    return Load(
        running=round(sum(values[_RUNNING])),
        waiting=round(sum(values[_WAITING])),
        kv_cache=round(max(shares), 4) if shares else None,
    )


def _samples(text: str) -> Iterator[Sample]:
    wanted = [line for line in text.splitlines() if line.startswith((_RUNNING, _WAITING, *_CACHE))]
    for family in text_string_to_metric_families("\n".join(wanted) + "\n"):
        yield from family.samples
