"""``python -m benchmarks.relay_load``: volunteers in a process of their own, who play battle after battle and time each token. Prints one JSON object.

Volunteers begin one by one over the length of an answer, so that battles begin and end all through the window that is measured. A token's added time is from
the fake server's sending it to the arrival of the frame that shows it. The process tells how late its own loop ran: where that is much, it measured itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import uvloop

from benchmarks import relay_processes
from benchmarks.relay_clock import SendTimes
from benchmarks.relay_readers import READERS, Meter, Refusal, Visitor
from benchmarks.relay_server import TOKENS_A_SECOND

LAG_STEP_S = 0.01
SETTLE_S = 0.5
ENDING_S = 15.0
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for; *pid* and *cores* are the server's, *fake* is the model server's address."""

    who: str
    url: str
    fake: str
    times: Path
    pid: int
    cores: list[int]
    battles: int
    seconds: float
    tokens: int


@dataclass(slots=True)
class Crowd:
    """The volunteers, what they saw, and how late this loop was."""

    load: Load
    meter: Meter
    failures: int = 0
    late_ms: list[float] = field(default_factory=list)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self) -> dict[str, object]:
        reader = READERS[self.load.who]
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as http:
            visitors = [
                reader(http, self.load.url, self.meter, self.leaving) for _ in range(self.load.battles)
            ]
            await _enter(visitors)
            spread_s = self.load.tokens / TOKENS_A_SECOND
            players = [
                asyncio.create_task(self._battles(each, spread_s * place / len(visitors)))
                for place, each in enumerate(visitors)
            ]
            watch = asyncio.create_task(self._watch())
            await asyncio.sleep(spread_s + SETTLE_S)
            found = await self._window(http)
            self.leaving.set()
            watch.cancel()
            _, late = await asyncio.wait(players, timeout=ENDING_S)
            for each in late:
                each.cancel()
            await asyncio.wait(players)
        return found

    async def _battles(self, visitor: Visitor, begins_s: float) -> None:
        """One battle after the other; one that fails is counted, and the next one waits a moment."""
        await asyncio.sleep(begins_s)
        while not self.leaving.is_set():
            try:
                await visitor.battle()
            except (Refusal, aiohttp.ClientError, OSError):
                self.failures += not self.leaving.is_set()
                await asyncio.sleep(0.1)

    async def _window(self, http: aiohttp.ClientSession) -> dict[str, object]:
        """The time that counts: figures of the crowd, of the server, and of this process and the model server, which share a core."""
        pid, cores = self.load.pid, self.load.cores
        relay_processes.forget_peak(pid)
        fake = await self._fake(http)
        began, cpu_s, busy_s = time.monotonic(), relay_processes.cpu_s(pid), relay_processes.busy_s(cores)
        own_s = time.process_time()
        self.late_ms.clear()
        self.meter.counts = True
        await asyncio.sleep(self.load.seconds)
        self.meter.counts = False
        seconds = time.monotonic() - began
        cpu_s, busy_s = relay_processes.cpu_s(pid) - cpu_s, relay_processes.busy_s(cores) - busy_s
        own_s = time.process_time() - own_s
        late = percentile(self.late_ms, 99)
        told = await self._fake(http)
        return self._of_tokens(seconds, cpu_s) | {
            "cpu_share": round(cpu_s / seconds, 3),
            "others_share": round(max(0.0, busy_s - cpu_s) / seconds / len(cores), 3),
            "peak_mb": relay_processes.peak_mb(pid),
            "failures": self.failures,
            "load_lag_p99_ms": late,
            "load_cpu_share": round((own_s + told["cpu_s"] - fake["cpu_s"]) / seconds, 3),
            "fake_late_p99_ms": told["late_p99_ms"],
        }

    def _of_tokens(self, seconds: float, cpu_s: float) -> dict[str, object]:
        tokens, meter = len(self.meter.added_ms), self.meter
        return {
            "tokens": tokens,
            "frames": meter.frames,
            "delivered": round(tokens / (2 * TOKENS_A_SECOND * self.load.battles * seconds), 3),
            "added_p50_ms": percentile(meter.added_ms, 50),
            "added_p99_ms": percentile(meter.added_ms, 99),
            "first_token_p50_ms": percentile(meter.first_ms, 50),
            "first_token_p99_ms": percentile(meter.first_ms, 99),
            "cpu_us_per_token": round(1e6 * cpu_s / tokens, 1) if tokens else None,
        }

    async def _fake(self, http: aiohttp.ClientSession) -> dict[str, float]:
        async with http.get(f"{self.load.fake}/stats") as answer:
            told: dict[str, float] = await answer.json()
            return told

    async def _watch(self) -> None:
        while True:
            due = time.monotonic() + LAG_STEP_S
            await asyncio.sleep(LAG_STEP_S)
            self.late_ms.append(1000 * (time.monotonic() - due))


async def _enter(visitors: Sequence[Visitor]) -> None:
    """Everybody through the door, a few at a time."""
    door = asyncio.Semaphore(AT_ONCE)

    async def one(visitor: Visitor) -> None:
        async with door:
            await visitor.enter()

    await asyncio.gather(*map(one, visitors))


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Inclusive, in the values' unit; nothing of fewer than two values."""
    if len(values) < 2:
        return None
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_load", description=__doc__)
    parser.add_argument("--who", choices=[*READERS], required=True)
    for name in ("--url", "--fake"):
        parser.add_argument(name, required=True)
    for name in ("--pid", "--battles", "--tokens"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--cores", type=int, nargs="+", required=True)
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    load = Load(**vars(parser.parse_args()))
    crowd = Crowd(load, Meter(SendTimes(load.times, load.tokens)))
    print(json.dumps(uvloop.run(crowd.play())))


if __name__ == "__main__":
    main()
