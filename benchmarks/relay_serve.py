"""``python -m benchmarks.relay_serve --port PORT --workers N``: processes of the site that share a listening socket, since a proxy would cost cores that are
measured."""

from __future__ import annotations

import argparse

from uvicorn.supervisors import Multiprocess

from arena.serve import server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_serve", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    asked = parser.parse_args()
    config = server(host="127.0.0.1", port=asked.port, socket=None).config
    config.workers = asked.workers
    Multiprocess(config, sockets=[config.bind_socket()]).run()


if __name__ == "__main__":
    main()
