"""What the cases run on: two processes of the site behind one address, its database and Valkey, and the model server that costs next to nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from arena.embedded.ports import free_port
from benchmarks.relay_clock import SendTimes
from benchmarks.relay_site import Started, services, set_display, site, started

TOKENS_A_SECOND = 30
TOKENS = 300
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Stack:
    """A started site; *times* says when the model server sent each token."""

    site: Started
    times: SendTimes


@contextmanager
def stack() -> Iterator[Stack]:
    """Django is set up on its database. The site is told that one proxy stands before it, so that each volunteer can have an address of their own."""
    cores = os.sched_getaffinity(0)
    os.environ |= {"LEHIA_PROXIES": "1", "LEHIA_LOG_LEVEL": "WARNING"}
    with tempfile.TemporaryDirectory(prefix="lehia-l-") as name, ExitStack() as inside:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "logs").mkdir()
        port, times = free_port(), folder / "times"
        argv = [sys.executable, "-m", "benchmarks.relay_server", "--port", str(port), "--times", str(times)]
        argv += ["--tokens", str(TOKENS), "--rate", str(TOKENS_A_SECOND)]
        fake = inside.enter_context(
            started("the model server", argv, port=port, cores=cores, log=folder / "logs" / "fake.log")
        )
        inside.enter_context(services(folder, upstream=f"{fake.url}/v1", cores=cores, durable=True))
        set_display(paced=False)  # what paced answers wait for on purpose is not the site's doing
        running = inside.enter_context(site(folder, workers=WORKERS, cores=cores))
        yield Stack(running, SendTimes(times, TOKENS))
