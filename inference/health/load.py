"""The own metrics of a vLLM or llama.cpp server, in the text format of Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from inference.health.types import Load

_RUNNING = ("vllm:num_requests_running", "llamacpp:requests_processing")
_WAITING = ("vllm:num_requests_waiting", "llamacpp:requests_deferred")
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
    running, waiting, shares = (_all(values, names) for names in (_RUNNING, _WAITING, _CACHE))
    if not running or not waiting:
        return None
    return Load(
        running=round(sum(running)),
        waiting=round(sum(waiting)),
        kv_cache=round(max(shares), 4) if shares else None,
    )


def _all(values: dict[str, list[float]], names: tuple[str, ...]) -> list[float]:
    return [value for name in names for value in values.get(name, [])]


def _samples(text: str) -> Iterator[Sample]:
    wanted = [line for line in text.splitlines() if line.startswith((*_RUNNING, *_WAITING, *_CACHE))]
    for family in text_string_to_metric_families("\n".join(wanted) + "\n"):
        yield from family.samples
