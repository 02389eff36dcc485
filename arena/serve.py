"""``python -m arena.serve``: a process of the site, by uvicorn, as everything here starts it.

Told to end, it says so at ``/healthz`` and ``/readyz`` and goes on for ``LEHIA_UNREADY_S`` seconds, so that a proxy that asks there has looked
elsewhere before the first connection is refused.
"""

from __future__ import annotations

import argparse
import os
import time
from types import FrameType

import uvicorn
from django.conf import settings

from arena import leaving

FRAME_BYTES = 64 * 1024
"""The largest frame of a socket."""
_KEEP_ALIVE_S = 75
"""Longer than proxies keep idle connections: else one could send a request into a connection that closes at this moment."""
_STREAMS_END_S = 5
"""What still streams then is followed through another process."""


class Server(uvicorn.Server):
    """Ends in two steps: it is said first, then done."""

    _until = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal ends it at once."""
        self._until = 0.0 if leaving.begun.is_set() else time.monotonic() + settings.LEHIA_UNREADY_S
        leaving.begun.set()
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) and time.monotonic() >= self._until


def server(*, host: str, port: int, socket: str | None) -> Server:
    """Addresses that a proxy tells are read by the site itself, which knows how many proxies are its own (``LEHIA_PROXIES``)."""
    return Server(
        uvicorn.Config(
            "arena.asgi:application",
            host=host,
            port=port,
            uds=socket,
            ws="websockets-sansio",
            ws_max_size=FRAME_BYTES,
            ws_per_message_deflate=False,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_level="warning",
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_STREAMS_END_S,
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m arena.serve", description="One process of the site.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--socket", help="a Unix socket to listen on, instead of host and port")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
    server(host=asked.host, port=asked.port, socket=asked.socket).run()


if __name__ == "__main__":
    main()
