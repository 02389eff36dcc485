"""A site that strangers can reach: it starts with safe settings only, and says to browsers what they may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from arena.env import SettingError
from arena.headers import HEADERS
from arena.safety import LEAST_KEY, Exposure, refuse_unsafe
from arena.services.campaigns import ensure_default_campaign

SAFE = Exposure(
    https=True,
    debug=False,
    hosts=("lehia.example",),
    origins=("https://lehia.example",),
    staff_mfa=True,
    secret_key="k" * LEAST_KEY,
)
ENV = {"LEHIA_HTTPS": "1", "LEHIA_PROXIES": "1", "LEHIA_HOSTS": "lehia.example", "LEHIA_STAFF_MFA": "1"}
ASK = """
import json, django
django.setup()
from django.test import Client
told = {}
for name, asked in {"plain": {}, "safe": {"X-Forwarded-Proto": "https"}}.items():
    for path in ("/", "/healthz"):
        client = Client(SERVER_NAME="lehia.example", headers=asked)
        answer = client.get(path)
        cookies = {each.key: each.OutputString() for each in answer.cookies.values()}
        told[f"{name} {path}"] = {"status": answer.status_code, "headers": dict(answer.headers), "cookies": cookies}
print(json.dumps(told))
"""


def test_safe_settings_pass() -> None:
    refuse_unsafe(SAFE)


@pytest.mark.parametrize(
    "hosts", [("localhost", "127.0.0.1", "[::1]"), ("192.168.1.7",), ("web",), ("lehia.localhost",)]
)
def test_without_tls_only_hosts_inside_are_served(hosts: tuple[str, ...]) -> None:
    refuse_unsafe(replace(SAFE, https=False, hosts=hosts, debug=True, staff_mfa=False))


@pytest.mark.parametrize("host", ["lehia.example", "*", ".lehia.example", "8.8.8.8"])
def test_without_tls_no_public_host_is_served(host: str) -> None:
    with pytest.raises(SettingError, match="LEHIA_HTTPS=0 would send passwords"):
        refuse_unsafe(replace(SAFE, https=False, hosts=("localhost", host)))


@pytest.mark.parametrize(
    ("site", "says"),
    [
        (replace(SAFE, debug=True), "LEHIA_DEBUG=1"),
        (replace(SAFE, staff_mfa=False), "LEHIA_STAFF_MFA=0"),
        (replace(SAFE, hosts=("*",)), "LEHIA_HOSTS must name each host"),
        (replace(SAFE, hosts=(".lehia.example",)), "LEHIA_HOSTS must name each host"),
        (replace(SAFE, origins=("http://lehia.example",)), "LEHIA_ORIGINS must begin with https://"),
        (replace(SAFE, secret_key="short"), "LEHIA_SECRET_KEY must have 50"),
    ],
)
def test_what_is_unsafe_on_the_internet_does_not_start(site: Exposure, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        refuse_unsafe(site)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingError, match=r"LEHIA_DEBUG.*; LEHIA_STAFF_MFA"):
        refuse_unsafe(replace(SAFE, debug=True, staff_mfa=False))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/static/css/base.css", "/healthz", "/api/v1/boards"])
def test_every_answer_has_the_headers(client: Client, path: str) -> None:
    ensure_default_campaign()
    answer = client.get(path)
    answer.close()  # a static file
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def run(argv: list[str], repository: Path, **env: str) -> subprocess.CompletedProcess[str]:
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "arena.settings", "DATABASE_URL": address, **env}
    return subprocess.run(
        [sys.executable, *argv], env=environment, capture_output=True, text=True, check=False, cwd=repository
    )


@pytest.mark.django_db(transaction=True)
def test_over_https_cookies_are_of_this_host_and_plain_requests_are_led_away(repository: Path) -> None:
    ensure_default_campaign()
    done = run(["-c", ASK], repository, **ENV)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["plain /"]["status"], told["plain /"]["headers"]["Location"]) == (
        301,
        "https://lehia.example/",
    )
    assert (
        told["plain /healthz"]["status"] == told["safe /healthz"]["status"] == told["safe /"]["status"] == 200
    )
    headers = told["safe /"]["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "upgrade-insecure-requests" in headers["Content-Security-Policy"]
    assert told["safe /"]["cookies"]
    for name, cookie in told["safe /"]["cookies"].items():
        assert name.startswith("__Host-")
        assert {"Path=/", "Secure"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


@pytest.mark.django_db(transaction=True)
def test_the_check_for_deployment_finds_nothing(repository: Path) -> None:
    done = run(["manage.py", "check", "--deploy", "--fail-level", "WARNING"], repository, **ENV)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
def test_the_site_does_not_start_with_a_public_name_in_the_clear(repository: Path) -> None:
    done = run(["manage.py", "check"], repository, LEHIA_HOSTS="lehia.example")
    assert done.returncode != 0
    assert "LEHIA_HTTPS=0 would send passwords and cookies of lehia.example in the clear" in done.stderr
