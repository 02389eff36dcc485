"""Stands where vLLM would: takes its command line and key, answers one word, and says at /told what it was started with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        told = {"argv": sys.argv[1:], "env": dict(os.environ), "child": CHILD.pid}
        listed = {"data": [{"id": after("--served-model-name")}]}
        self.answer({"/told": told, "/v1/models": listed}.get(self.path))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {os.environ.get('VLLM_API_KEY', 'none')}":
            self.send_error(401)
            return
        chunk = {"choices": [{"delta": {"content": "Kaixo"}, "finish_reason": "stop"}]}
        self.answer(chunk, before=b"data: ", behind=b"\n\ndata: [DONE]\n\n")

    def answer(self, content: object, *, before: bytes = b"", behind: bytes = b"") -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if before else "application/json")
        self.end_headers()
        self.wfile.write(before + json.dumps(content).encode() + behind)

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
