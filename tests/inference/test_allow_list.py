from __future__ import annotations

import pytest

from inference.allow_list import check_endpoint_url
from inference.errors import EndpointNotAllowed


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://127.0.0.1:8100/v1/", "http://127.0.0.1:8100/v1"),
        ("http://localhost:8100/v1", "http://localhost:8100/v1"),
        ("http://LOCALHOST./v1", "http://localhost/v1"),
        ("https://[::1]:9/v1", "https://[::1]:9/v1"),
        ("http://127.8.9.10/v1", "http://127.8.9.10/v1"),
        ("http://[::ffff:127.0.0.1]/v1", "http://127.0.0.1/v1"),
    ],
)
def test_loopback_is_allowed_and_normalised(url: str, kept: str) -> None:
    assert check_endpoint_url(url, hosts=()) == kept


def test_the_named_private_network_is_allowed() -> None:
    assert check_endpoint_url("http://10.1.2.3:8000/v1", hosts=["10.1.0.0/16"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://",
        "http://127.0.0.1:0x50/v1",
        "http://127.0.0.1:99999/v1",
        "http://user:secret@127.0.0.1/v1",
        "http://127.0.0.1/v1?next=http://10.0.0.1",
        "http://127.0.0.1/v1#x",
        "http://10.0.0.1/v1",
        "http://192.168.1.1/v1",
        "http://8.8.8.8/v1",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/v1",
        "http://[::ffff:169.254.169.254]/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://0.0.0.0/v1",
        "http://[::]/v1",
        "http://224.0.0.1/v1",
        "http://2130706433.example.invalid/v1",
        "http://no-such-host.invalid/v1",
        "http://127.0.0.1.example.invalid/v1",
        "gopher://127.0.0.1/",
        "http://\u2460\u2461\u2466.0.0.1.invalid/",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(EndpointNotAllowed):
        check_endpoint_url(url, hosts=())


@pytest.mark.parametrize("host", ["169.254.169.254", "fe80::1"])
def test_link_local_is_refused_even_when_named(host: str) -> None:
    url = f"http://[{host}]/" if ":" in host else f"http://{host}/"
    with pytest.raises(EndpointNotAllowed, match="never"):
        check_endpoint_url(url, hosts=["169.254.0.0/16", "fe80::/10", host])


def test_an_address_outside_the_named_network_is_refused() -> None:
    with pytest.raises(EndpointNotAllowed, match="LEHIA_MODEL_HOSTS"):
        check_endpoint_url("http://10.2.0.1/v1", hosts=["10.1.0.0/16"])
