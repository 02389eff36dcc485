"""Ports on loopback."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from arena.embedded.errors import PortTaken


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def kept_port(file: Path) -> int:
    """The port of the last start, so that stored addresses stay true; another one where it is taken."""
    with contextlib.suppress(OSError, ValueError, PortTaken):
        port = int(file.read_text())
        check_free(port)
        return port
    port = free_port()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(port))
    return port


def check_free(port: int) -> None:
    """Raises ``PortTaken`` with what to do."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(f"port {port} is taken; choose another one: make demo PORT={port + 1}") from None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
