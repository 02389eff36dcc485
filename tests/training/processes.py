"""Several processes that run one script together, over gloo on the loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def together(script: str, count: int, folder: Path) -> None:
    """Run a module of the tests in so many processes, ranks and port in its environment; what they found lies in the folder."""
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    shared |= {"MASTER_PORT": str(free_port()), "GLOO_SOCKET_IFNAME": "lo"}
    started = []
    for rank in map(str, range(count)):
        env = os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank}
        command = [sys.executable, "-m", script, str(folder)]
        started.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    said = [process.communicate()[0].decode()[-4000:] for process in started]
    assert not any(process.returncode for process in started), "\n---\n".join(said)


def soon(condition: Callable[[], object]) -> bool:
    """Whether something comes about; a minute is for machines that are busy."""
    for _ in range(6000):
        if condition():
            return True
        time.sleep(0.01)  # what another process does tells nobody here: it is asked again
    return False
