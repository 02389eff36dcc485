"""What goes to Sentry: errors with ids, and none of the words that were planted in everything around them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.arena.observing import sites

pytestmark = pytest.mark.django_db(transaction=True)
WORD = "xaguzaharra"

FAILS = """
import logging, os
import django
django.setup()
from django.db import connection
from django.test import Client
from arena.celery import app
from arena.observing import context
from arena.views import status

WORD = os.environ["PLANTED"]  # not in this text, whose lines go along

def fails():
    written = f"{WORD} aldagai batean"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::int", [written])
    except Exception as error:  # whatever it is, it is told on with the word in it
        raise RuntimeError(f"{WORD} errore batean") from error

status.whole = fails
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
client.cookies[WORD] = WORD
context.begin(request_id="eskaera-0009")
answer = client.get(f"/status/?q={WORD}", headers={"User-Agent": WORD, "Referer": f"https://{WORD}.eus/", "X-Forwarded-For": WORD})
assert answer.status_code == 500

@app.task(name="arena.tasks.failing")
def failing(text):
    raise ValueError(text)

failing.apply(args=[WORD])
logging.getLogger("arena.test").error("no %s", WORD, extra={"word": WORD})
import sentry_sdk
sentry_sdk.flush()
"""
SILENT = """
import sys
import django
django.setup()
import arena.asgi
assert not [name for name in sys.modules if name.startswith("sentry_sdk")]
"""
LACKS = """
import sys
sys.modules["sentry_sdk"] = None
import django
django.setup()
"""


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A stand-in that speaks as far of Sentry's protocol as is needed to take events; yields its DSN and what came, all of it."""
    came: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            came.append({"headers": str(self.headers), "path": self.path, "body": body.decode()})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://gakoa@127.0.0.1:{server.server_port}/7", came
        finally:
            server.shutdown()
            thread.join()


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    made = os.environ | sites.environment("unix:///nonexistent/valkey.sock") | env
    return subprocess.run(
        [sys.executable, "-c", code],
        env=made,
        cwd=sites.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_errors_arrive_with_ids_and_without_what_people_wrote_or_are(tmp_path: Path) -> None:
    with receiver() as (dsn, came):
        done = run(FAILS, SENTRY_DSN=dsn, PLANTED=WORD, DJANGO_SETTINGS_MODULE="arena.settings")
    assert done.returncode == 0, done.stderr
    assert WORD in done.stdout + done.stderr, "the log tells the error's message"
    whole = json.dumps(came)
    assert WORD not in whole
    assert "127.0.0.1" not in whole.replace(dsn.rpartition("@")[2].partition("/")[0], "")
    events = [
        json.loads(line)
        for each in came
        for line in each["body"].splitlines()
        if line.startswith("{") and "event_id" in line and "logger" in line
    ]
    kinds = {error["type"] for event in events for error in event["exception"]["values"]}
    assert {"RuntimeError", "ValueError"} <= kinds
    (page,) = [event for event in events if event["logger"] == "django.request"]
    assert page["tags"]["request_id"] == "eskaera-0009"
    assert page["exception"]["values"][-1]["stacktrace"]["frames"]
    (task,) = [event for event in events if event["logger"] == "celery.app.trace"]
    assert task["tags"]["task"] == "failing"
    (line,) = [event for event in events if event["logger"] == "arena.test"]
    assert line["logentry"] == {"message": "no %s"}


def test_without_an_address_nothing_of_it_is_imported() -> None:
    done = run(SILENT, DJANGO_SETTINGS_MODULE="arena.settings")
    assert done.returncode == 0, done.stderr


def test_an_address_without_the_package_stops_the_start() -> None:
    done = run(LACKS, DJANGO_SETTINGS_MODULE="arena.settings", SENTRY_DSN="http://gakoa@127.0.0.1:9/7")
    assert done.returncode != 0
    assert "the extra 'sentry'" in done.stderr
