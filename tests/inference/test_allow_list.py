"""Which addresses an endpoint may have: what is admitted, and the ways around it that are not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.allow_list import check_endpoint_url, checked_url
from inference.errors import EndpointNotAllowed

NAMES = {
    "gpu1": ["10.1.0.7"],
    "gpu1.lan": ["10.1.0.7", "fd12:3456::7"],
    "gpu.ehu.eus": ["10.1.0.8"],
    "api.openai.com": ["104.18.7.192", "2606:4700::6812:7c0"],
    "here.example": ["127.0.0.1"],
    "rebound.lan": ["8.8.8.8"],
    "rebound.example": ["10.1.0.7", "8.8.8.8"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "half.example": ["10.1.0.7", "169.254.169.254"],
    "nat64.example": ["64:ff9b::6812:7c0"],
    "nothing.example": [],
}
EVERYTHING = (*NAMES, "0.0.0.0/0", "::/0", "169.254.169.254", "metadata.google.internal", "localhost.")


def obliging(name: str) -> Sequence[str]:
    """As some systems are: what is no name is an address in disguise."""
    return NAMES.get(name, ["127.0.0.1"])


def resolver(name: str) -> Sequence[str]:
    if name not in NAMES:
        raise OSError("no such name")
    return NAMES[name]


@pytest.mark.parametrize(
    ("url", "kept", "addresses"),
    [
        ("http://127.0.0.1:8100/v1/", "http://127.0.0.1:8100/v1", ("127.0.0.1",)),
        ("  http://localhost:8100/v1 ", "http://localhost:8100/v1", ("127.0.0.1",)),
        ("HTTP://LOCALHOST./v1", "http://localhost/v1", ("127.0.0.1",)),
        ("https://[::1]:9/v1", "https://[::1]:9/v1", ("::1",)),
        ("https://[0:0:0:0:0:0:0:1]/v1", "https://[::1]/v1", ("::1",)),
        ("http://127.8.9.10/v1", "http://127.8.9.10/v1", ("127.8.9.10",)),
        ("http://[::ffff:127.0.0.1]/v1", "http://127.0.0.1/v1", ("127.0.0.1",)),
        ("http://here.example/v1", "http://here.example/v1", ("127.0.0.1",)),
    ],
)
def test_loopback_is_allowed_and_normalised(url: str, kept: str, addresses: tuple[str, ...]) -> None:
    checked = checked_url(url, hosts=(), resolver=resolver)
    assert (checked.url, checked.addresses) == (kept, addresses)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://10.1.2.3:8000/v1", ["10.1.0.0/16"]),
        ("http://[fd12:3456::7]/v1", ["fd12:3456::/32"]),
        ("http://10.1.2.3/v1", ["10.1.2.3"]),
        ("http://gpu1:8000/v1", ["gpu1"]),
        ("http://GPU1.lan/v1", ["Gpu1.LAN"]),
        ("http://gpu1:8000/v1", ["10.1.0.0/16"]),
        ("http://gpu.ehu.eus/v1", ["gpu.ehu.eus"]),
        ("https://api.openai.com/v1", ["api.openai.com"]),
        ("https://nat64.example/v1", ["nat64.example"]),
        ("http://158.227.0.9/v1", ["158.227.0.0/16"]),
    ],
)
def test_what_the_host_names_is_allowed(url: str, hosts: list[str]) -> None:
    assert check_endpoint_url(url, hosts=hosts, resolver=resolver)


def test_the_addresses_of_a_name_are_told_with_it() -> None:
    checked = checked_url("https://api.openai.com/v1", hosts=["api.openai.com"], resolver=resolver)
    assert checked.addresses == tuple(NAMES["api.openai.com"])
    assert "104.18.7.192" not in repr(checked)


@pytest.mark.parametrize(
    ("url", "hosts", "reason"),
    [
        ("http://api.openai.com/v1", ["api.openai.com"], "https"),
        ("https://api.openai.com/v1", [], "allow-list"),
        ("https://api.openai.com/v1", ["openai.com"], "allow-list"),
        ("https://rebound.lan/v1", ["rebound.lan"], "private name"),
        ("https://rebound.example/v1", ["rebound.example"], "private name"),
        ("https://half.example/v1", ["half.example"], "never"),
        ("http://10.2.0.1/v1", ["10.1.0.0/16"], "LEHIA_MODEL_HOSTS"),
        ("http://gpu1/v1", ["gpu2"], "LEHIA_MODEL_HOSTS"),
        ("http://nothing.example/v1", ["nothing.example"], "resolve"),
        ("http://unknown.example/v1", ["unknown.example"], "resolve"),
    ],
)
def test_a_name_admits_no_more_than_it_says(url: str, hosts: list[str], reason: str) -> None:
    with pytest.raises(EndpointNotAllowed, match=reason):
        check_endpoint_url(url, hosts=hosts, resolver=resolver)


HOSTILE = [
    # not an address of a server
    "",
    "127.0.0.1:8000",
    "//127.0.0.1/v1",
    "http://",
    "http:///127.0.0.1/v1",
    "http:127.0.0.1",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:70/_GET",
    "dict://127.0.0.1:11211/stats",
    "unix:///var/run/docker.sock",
    # ports
    "http://127.0.0.1:0x50/v1",
    "http://127.0.0.1:99999/v1",
    "http://127.0.0.1:0/v1",
    "http://127.0.0.1:-1/v1",
    "http://127.0.0.1:6379/v1",
    "http://127.0.0.1:5432/v1",
    "http://127.0.0.1:25/v1",
    "http://127.0.0.1:2375/v1",
    # users, queries, fragments, tricks of parsing
    "http://user:secret@127.0.0.1/v1",
    "http://@127.0.0.1/v1",
    "http://127.0.0.1@169.254.169.254/v1",
    "http://127.0.0.1#@169.254.169.254/",
    "http://127.0.0.1?@169.254.169.254/",
    "http://127.0.0.1/v1?next=http://10.0.0.1",
    "http://127.0.0.1/v1?",
    "http://127.0.0.1/v1#x",
    "http://127.0.0.1\\@169.254.169.254/",
    "http://127.0.0.1\n.evil.example/",
    "http://127.0.0.1\t/",
    "http://127.0.0.1%2f@evil.example/",
    "http://127.0.0.1 evil.example/",
    "http://[::1/v1",
    "http://[::1]evil.example/",
    "http://127.0.0.1/../../admin",
    "http://127.0.0.1/%2e%2e/admin",
    "http://127.0.0.1//evil.example/v1",
    "http://127.0.0.1/ﬁle",
    # other ways to write an address
    "http://2130706433/v1",
    "http://0x7f000001/v1",
    "http://0x7f.0.0.1/v1",
    "http://0177.0.0.1/v1",
    "http://127.1/v1",
    "http://127.0.0.1.1/v1",
    "http://0300.0250.0.1/v1",
    "http://2852039166/latest",
    "http://0xa9fea9fe/latest",
    "http://169.254.43518/latest",
    "http://169.254.169.254./latest",
    "http://0/v1",
    "http://127.0.0.256/v1",
    "http://①②⑦.⓪.⓪.①/v1",
    "http://127。0。0。1/v1",
    "http://lоcalhost/v1",
    "http://localhost../v1",
    "http://-gpu1/v1",
    # special and metadata addresses, named or not
    "http://0.0.0.0/v1",
    "http://0.1.2.3/v1",
    "http://[::]/v1",
    "http://224.0.0.1/v1",
    "http://255.255.255.255/v1",
    "http://240.0.0.1/v1",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2/v2/credentials",
    "http://168.63.129.16/machine",
    "http://100.100.100.200/latest",
    "http://192.0.0.192/latest",
    "http://[fe80::1]/v1",
    "http://[fe80::1%25eth0]/v1",
    "http://[fec0::1]/v1",
    "http://[ff02::1]/v1",
    "http://[fd00:ec2::254]/latest",
    "http://[fd20:ce::254]/latest",
    "http://[::ffff:169.254.169.254]/v1",
    "http://[::ffff:a9fe:a9fe]/v1",
    "http://[::169.254.169.254]/v1",
    "http://[64:ff9b::a9fe:a9fe]/v1",
    "http://[64:ff9b:1::a9fe:a9fe]/v1",
    "http://[2002:a9fe:a9fe::1]/v1",
    "http://[2002:7f00:1::]/v1",
    "http://[2001:0:a9fe:a9fe::1]/v1",
    "http://metadata.google.internal/computeMetadata/v1",
    "http://METADATA.google.internal./computeMetadata/v1",
    "http://metadata/v1",
    "http://instance-data/latest",
    "http://metadata.example/latest",
    "http://mapped.example/latest",
    "http://half.example/latest",
    # names that lead out
    "https://rebound.lan/v1",
    "https://rebound.example/v1",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_urls_are_refused_even_where_everything_is_named(url: str) -> None:
    without_networks = [each for each in EVERYTHING if "/" not in each]
    with pytest.raises(EndpointNotAllowed):
        check_endpoint_url(url, hosts=without_networks, resolver=obliging)


@pytest.mark.parametrize(
    "url", [url for url in HOSTILE if not url.startswith(("https://rebound", "http://0.1.2"))]
)
def test_not_even_a_network_of_everything_admits_them(url: str) -> None:
    with pytest.raises(EndpointNotAllowed):
        check_endpoint_url(url, hosts=EVERYTHING, resolver=obliging)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/v1",
        "http://192.168.1.1/v1",
        "http://172.16.0.1/v1",
        "http://100.64.0.1/v1",
        "http://8.8.8.8/v1",
        "https://8.8.8.8/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://[64:ff9b::a00:1]/v1",
        "http://[fd12:3456::7]/v1",
        "https://[2606:4700::1]/v1",
        "http://gpu1/v1",
        "http://no-such-host.invalid/v1",
        "http://127.0.0.1.example.invalid/v1",
        "http://2130706433.example.invalid/v1",
    ],
)
def test_what_is_not_named_is_refused(url: str) -> None:
    with pytest.raises(EndpointNotAllowed):
        check_endpoint_url(url, hosts=(), resolver=resolver)


@given(st.text(max_size=40), st.sampled_from(["http://", "https://", ""]))
def test_any_text_is_allowed_or_refused_and_never_an_accident(text: str, scheme: str) -> None:
    try:
        kept = checked_url(scheme + text, hosts=(), resolver=resolver)
    except EndpointNotAllowed:
        return
    assert kept.addresses in {("127.0.0.1",), ("::1",)} or kept.addresses[0].startswith("127.")
    assert checked_url(kept.url, hosts=(), resolver=resolver) == kept


@given(st.ip_addresses())
def test_no_address_but_loopback_is_allowed_unnamed(address: object) -> None:
    host = f"[{address}]" if ":" in str(address) else str(address)
    try:
        check_endpoint_url(f"http://{host}/v1", hosts=(), resolver=resolver)
    except EndpointNotAllowed:
        return
    assert str(address).startswith("127.") or str(address) == "::1" or "::ffff:7f" in str(address)


def test_the_systems_own_resolver_is_asked_where_no_other_is_given() -> None:
    with pytest.raises(EndpointNotAllowed, match="resolve"):
        check_endpoint_url("http://no-such-host.invalid/v1", hosts=["no-such-host.invalid"])
