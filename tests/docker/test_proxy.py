"""Two processes of the site with the settings of production, behind the real proxy and its real configuration."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection

from arena.embedded.ports import free_port
from arena.embedded.processes import end, spawn
from inference.fakes import FakeModelServer, fake_model_server
from inference.processes import wait_until
from tests.arena.builders import make_campaign, make_candidate
from tests.docker import edge as strangers
from tests.docker.edge import Crowd, Edge, asked
from tests.docker.proxies import CADDY, proxy, validate
from tests.valkey import running

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CADDY.exists(), reason="no wheel of Caddy for this kind of machine"),
]
DOMAIN = "lehia.example"
A_MINUTE = 5


class Process:
    """One of the site's processes, which can be ended and started again on its port."""

    def __init__(self, repository: Path, env: dict[str, str]) -> None:
        self.port = free_port()
        self._repository, self._env = repository, env
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "arena.serve", "--port", str(self.port)]
        return spawn(argv, env=self._env, output=subprocess.DEVNULL, cwd=self._repository)

    def is_ready(self) -> bool:
        try:
            return asked(f"http://127.0.0.1:{self.port}/readyz", Host=DOMAIN)[0] == 200
        except OSError:
            return False

    async def restart(self) -> None:
        """As supervisors do: told to end, waited for, started, and over once it is ready."""
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.wait, 300)
        self.process = self._start()
        assert await asyncio.to_thread(wait_until, self.is_ready, within_s=300)


def secrets_by_file(folder: Path, valkey_url: str) -> dict[str, str]:
    database = connection.settings_dict
    values = {
        "DATABASE_URL": f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": valkey_url,
        "LEHIA_SECRET_KEY": settings.SECRET_KEY,
        "LEHIA_FIELD_KEYS": ",".join(settings.LEHIA_FIELD_KEYS),
    }
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    return {f"{name}_FILE": str(folder / name) for name in values}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the proxy hands out itself."""
    folder = tmp_path_factory.mktemp("public")
    shutil.copytree(settings.STATIC_ROOT, folder / "static")
    shutil.copy("docker/down.html", folder)
    return folder


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Process]]:
    folder = tmp_path_factory.mktemp("site")
    with running() as valkey:
        env = {
            "LEHIA_HTTPS": "1",
            "LEHIA_PROXIES": "1",
            "LEHIA_HOSTS": DOMAIN,
            "LEHIA_STAFF_MFA": "1",
            "LEHIA_UNREADY_S": "5",
            "LEHIA_DRAIN_S": "5",
            "LEHIA_API_PER_ADDRESS": str(A_MINUTE),
            **secrets_by_file(folder, valkey.url),
        }
        made = [Process(repository, env) for _ in range(2)]
        try:
            for each in made:
                assert wait_until(each.is_ready, within_s=300)
            yield made
        finally:
            for each in made:
                end(each.process, sig=signal.SIGKILL)


@contextmanager
def proxied(folder: Path, processes: list[Process], public: Path, config: Path) -> Iterator[Edge]:
    web = " ".join(f"127.0.0.1:{each.port}" for each in processes)
    with proxy(folder, config=config, domain=DOMAIN, web=web, public=public) as made:
        yield made


@pytest.fixture(scope="module")
def edge(
    processes: list[Process], public: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("proxy")
    with proxied(folder, processes, public, repository / "docker" / "Caddyfile") as made:
        yield made


@pytest.fixture
async def gate() -> AsyncIterator[asyncio.Event]:
    """Two models that stop after their first word until it opens."""
    opened = asyncio.Event()
    servers = [FakeModelServer(words=("Bat\n\n", "bi ", "hiru"), gate=opened) for _ in range(2)]
    async with fake_model_server(servers[0]), fake_model_server(servers[1]):
        for each in servers:
            await database_sync_to_async(make_candidate)(base_url=each.base_url)
        await database_sync_to_async(make_campaign)(candidates=0)
        yield opened
        opened.set()


@pytest.fixture
def seeded() -> None:
    make_campaign()


async def test_strangers_meet_tls_headers_and_closed_doors(seeded: None, edge: Edge) -> None:
    await strangers.plain_requests_are_led_to_tls(edge)
    await strangers.pages_have_their_headers_and_cookies(edge)
    await strangers.static_files_come_from_the_proxy(edge)
    await strangers.what_is_asked_inside_is_closed(edge)
    await strangers.large_requests_are_refused(edge)
    await strangers.only_pages_of_the_site_open_sockets(edge)


async def test_a_file_of_the_last_version_is_still_there(seeded: None, edge: Edge, public: Path) -> None:
    old = public / "static" / "css" / "old.0123456789ab.css"
    old.write_text("body {}")
    async with edge.visitor() as visitor:
        assert (await visitor.get("/static/css/old.0123456789ab.css")).body == b"body {}"


async def test_an_address_that_a_visitor_tells_counts_for_nothing(seeded: None, edge: Edge) -> None:
    await strangers.a_told_address_counts_for_nothing(edge, most=A_MINUTE)


async def test_an_id_that_a_visitor_tells_is_none(seeded: None, edge: Edge) -> None:
    async with edge.visitor() as visitor:
        own = (await visitor.get("/about/", **{"X-Request-ID": "bisitariarena-1"})).headers["X-Request-ID"]
    assert UUID(own)


async def test_frames_and_events_arrive_as_they_are_written(edge: Edge, gate: asyncio.Event) -> None:
    await strangers.frames_are_not_held_back(edge, gate)
    await strangers.events_are_not_held_back(edge, gate)


async def test_the_processes_are_restarted_one_by_one_and_nobody_notices(
    seeded: None, edge: Edge, processes: list[Process]
) -> None:
    crowd = Crowd(edge)
    async with crowd.at_work():
        for each in processes:
            await crowd.until_more(20)
            await each.restart()
        await crowd.until_more(20)
    assert crowd.failed == ()


async def test_without_any_process_people_are_told_so_in_four_languages(
    public: Path, repository: Path, tmp_path: Path
) -> None:
    config = tmp_path / "Caddyfile"
    text = (repository / "docker" / "Caddyfile").read_text()
    config.write_text(text.replace("lb_try_duration 10s", "lb_try_duration 100ms"))
    with proxy(tmp_path, config=config, domain=DOMAIN, web=f"127.0.0.1:{free_port()}", public=public) as made:
        async with made.visitor() as visitor:
            found = await visitor.get("/")
    assert found.status in {502, 503}
    assert found.body == (repository / "docker" / "down.html").read_bytes()
    assert found.headers["Retry-After"] == "30"


async def test_the_log_tells_of_failures_and_of_nobody(
    public: Path, repository: Path, tmp_path: Path
) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    site = await asyncio.start_server(break_off, "127.0.0.1", 0)
    web = f"127.0.0.1:{site.sockets[0].getsockname()[1]}"
    config = repository / "docker" / "Caddyfile"
    async with site:
        with proxy(tmp_path, config=config, domain=DOMAIN, web=web, public=public) as made:
            async with made.visitor() as visitor:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await visitor.get("/?prompt=Kaixo", Cookie="sessionid=Kaixo", **{"X-Say": "Kaixo"})
    log = (tmp_path / "caddy.log").read_text()
    assert "aborting with incomplete response" in log
    for word in ("Kaixo", "remote_ip", "client_ip"):
        assert word not in log


def test_the_configuration_is_valid_for_each_kind_of_certificate(repository: Path, tmp_path: Path) -> None:
    config = repository / "docker" / "Caddyfile"
    for tls in ("internal", "somebody@lehia.example"):
        env = {"LEHIA_DOMAIN": DOMAIN, "LEHIA_TLS": tls, "LEHIA_WEB": "a:1 b:1", "HOME": str(tmp_path)}
        done = validate(config, env)
        assert done.returncode == 0, done.stderr
