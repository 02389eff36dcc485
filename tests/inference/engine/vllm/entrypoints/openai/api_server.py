"""Stands where vLLM would: takes its command line, answers /health, and says at /told what it was started with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        told = json.dumps({"argv": sys.argv[1:], "env": dict(os.environ), "child": CHILD.pid}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told if self.path == "/told" else b"")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def ends(*_: object) -> None:
    CHILD.terminate()
    CHILD.wait()
    os._exit(0)


def after(option: str) -> str:
    return sys.argv[sys.argv.index(option) + 1]


if "--dies" in sys.argv:
    sys.exit("the weights are not there")
CHILD = subprocess.Popen(["sleep", "600"])  # vLLM has children too; whoever ends it must end them
if "--stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, ends)
if "--mute" in sys.argv:
    signal.pause()
print("serving", after("--model"), flush=True)
ThreadingHTTPServer((after("--host"), int(after("--port"))), Handler).serve_forever()
