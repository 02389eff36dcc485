"""Connections go to the addresses that were checked, whatever names come to mean."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inference import errors
from inference.allow_list import checked_url
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.pinning import http_client, pin_of
from inference.providers.pages import fetch
from inference.types import Provider
from tests.inference.asking import ask, collect, said


def named(server: FakeModelServer, host: str) -> str:
    return f"http://{host}:{server.port}/v1"


async def test_a_name_is_reached_at_the_address_that_was_checked() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        checked = checked_url(
            named(server, "gpu1.lan"), hosts=["gpu1.lan"], resolver=lambda name: ["127.0.0.1"]
        )
        request = ask(checked.url, addresses=checked.addresses)
        assert said(await collect(request)) == "Kaixo mundua"
    assert server.headers[0]["host"] == f"gpu1.lan:{server.port}"


@pytest.mark.parametrize("provider", [Provider.VLLM, Provider.ANTHROPIC])
async def test_a_name_that_changes_its_mind_is_not_asked_again(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: harmless at the check, hostile at the connection."""
    asked: list[str] = []

    def hostile(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        raise AssertionError("resolved at the connection")

    async with (
        fake_model_server(FakeModelServer()) as harmless,
        fake_model_server(FakeModelServer(fault=Fault.BROKEN)) as other,
    ):
        checked = checked_url(
            named(harmless, "gpu1.lan"), hosts=["gpu1.lan"], resolver=lambda name: ["127.0.0.1"]
        )
        monkeypatch.setattr(socket, "getaddrinfo", hostile)
        request = ask(checked.url, provider, addresses=checked.addresses)
        assert said(await collect(request)) == "Kaixo mundua"
    assert (asked, other.requests) == ([], 0)


async def test_a_name_that_is_hostile_when_it_is_checked_again_is_refused() -> None:
    answers = iter([["10.1.0.7"], ["169.254.169.254"], ["8.8.8.8"]])
    check = {"hosts": ["gpu1.lan"], "resolver": lambda name: next(answers)}
    assert checked_url("http://gpu1.lan/v1", **check).addresses == ("10.1.0.7",)  # type: ignore[arg-type]  # keywords by name
    for _ in range(2):
        with pytest.raises(errors.EndpointNotAllowed):
            checked_url("http://gpu1.lan/v1", **check)  # type: ignore[arg-type]  # keywords by name


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://gpu1.lan/v1", ()),
        ("http://10.1.0.7/v1", ()),
        ("https://api.openai.com/v1", ()),
        ("http://169.254.169.254/v1", ()),
        ("http://169.254.169.254/v1", ("169.254.169.254",)),
        ("http://gpu1.lan/v1", ("10.1.0.7", "169.254.169.254")),
        ("http://gpu1.lan/v1", ("::ffff:169.254.169.254",)),
        ("http://gpu1.lan/v1", ("fe80::1",)),
        ("http://gpu1.lan/v1", ("gpu1.lan",)),
        ("http:///v1", ()),
    ],
)
async def test_what_was_not_checked_or_never_may_be_is_not_connected_to(
    url: str, addresses: tuple[str, ...]
) -> None:
    request = ask(url, addresses=addresses)
    with pytest.raises(errors.EndpointNotAllowed):
        pin_of(request.target)
    with pytest.raises(errors.ConnectFailed, match="not admitted"):
        await collect(request)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
async def test_loopback_needs_no_check(host: str) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        client = http_client(ask(named(server, host)).target)
        assert client.follow_redirects is False
        await client.aclose()
        if host != "127.0.0.2":  # it listens on the first
            assert said(await collect(ask(named(server, host)))) == "Kaixo mundua"


async def test_a_second_address_is_tried_where_the_first_is_silent() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        request = ask(named(server, "gpu1.lan"), addresses=("127.0.0.3", "127.0.0.1"))
        assert said(await collect(request)) == "Kaixo mundua"


async def test_a_client_reaches_one_host_only() -> None:
    async with fake_model_server(FakeModelServer()) as server, http_client(ask(server).target) as client:
        assert (await client.get(f"http://127.0.0.1:{server.port}/health")).status_code == 200
        with pytest.raises(httpx2.ConnectError, match="one host"):
            await client.get(f"http://127.0.0.2:{server.port}/health")


async def test_a_redirect_is_not_followed_by_any_client() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.REDIRECT)) as server:
        with pytest.raises(errors.ConnectFailed, match="302"):
            await collect(ask(server))
        page = await fetch(ask(server).target, "models")
    assert (page.status, server.requests, len(server.pages)) == (302, 1, 1)


# over TLS the name is still the name


def certificate(folder: Path, name: str) -> Path:
    """A certificate for *name*, signed by itself, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext, list[str | None]]]:
    """A server that bears the name ``model.test``: its port, roots that trust it, and the names that it was asked for."""
    path = certificate(tmp_path, "model.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    asked: list[str | None] = []
    context.sni_callback = lambda _connection, name, _context: asked.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nKaixo")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        trusting = ssl.create_default_context(cafile=str(path))
        yield server.sockets[0].getsockname()[1], trusting, asked


Tls = tuple[int, ssl.SSLContext, list[str | None]]


async def test_a_pinned_connection_asks_for_the_name_and_checks_it(tls_server: Tls) -> None:
    port, trusting, asked = tls_server
    target = ask(f"https://model.test:{port}/v1", addresses=("127.0.0.1",)).target
    async with http_client(target, tls=trusting) as client:
        assert (await client.get(f"https://model.test:{port}/v1")).text == "Kaixo"
    assert asked == ["model.test"]


async def test_a_certificate_of_another_name_is_refused(tls_server: Tls) -> None:
    port, trusting, _ = tls_server
    target = ask(f"https://other.test:{port}/v1", addresses=("127.0.0.1",)).target
    async with http_client(target, tls=trusting) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"https://other.test:{port}/v1")


async def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server: Tls) -> None:
    port, _, _ = tls_server
    with pytest.raises(errors.ConnectFailed):
        await collect(ask(f"https://model.test:{port}/v1", addresses=("127.0.0.1",)))


# pages beside the streams


@pytest.mark.parametrize(
    ("path", "asked"), [("/health", "/health"), ("/metrics", "/metrics"), ("models", "/v1/models")]
)
async def test_pages_are_fetched_at_the_root_or_below_the_base(path: str, asked: str) -> None:
    async with fake_model_server(FakeModelServer(models=("bat", "bi"))) as server:
        page = await fetch(ask(server).target, path)
    assert (page.status, server.pages) == (200, [asked])
    if path == "models":
        assert '"bi"' in page.text
    if path == "/metrics":
        assert "vllm:num_requests_waiting" in page.text


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"base_url": "http://127.0.0.1:9/v1"}, errors.ConnectFailed),
        ({"base_url": "http://gpu1.lan/v1"}, errors.ConnectFailed),
        ({"api_key": "gakoñ"}, errors.Unauthorized),
    ],
)
async def test_a_page_that_cannot_be_fetched_is_a_typed_error(
    fields: dict[str, str], error: type[errors.StreamError]
) -> None:
    target = replace(ask("http://127.0.0.1:9/v1").target, **fields)  # type: ignore[arg-type]  # fields by name
    with pytest.raises(error) as caught:
        await fetch(target, "models")
    assert caught.value.__context__ is None


async def test_a_page_without_end_ends_at_its_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(errors.StreamTimeout):
            await fetch(ask(f"http://127.0.0.1:{port}/v1").target, "/health", timeout_s=0.1)


async def test_a_long_page_is_cut() -> None:
    async with fake_model_server(FakeModelServer(models=("m" * 1_000,) * 3_000)) as server:
        page = await fetch(ask(server).target, "models", most_bytes=100_000)
    assert len(page.text) == 100_000


def test_the_pin_keeps_every_address() -> None:
    pin = pin_of(ask("https://api.openai.com/v1", addresses=("104.18.7.192", "2606:4700::1")).target)
    assert [ipaddress.ip_address(each).version for each in pin.addresses] == [4, 6]
