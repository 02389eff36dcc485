"""What is judged in memory: the pace of frames, strikes, open lines, addresses, origins."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from arena import addresses, conduct
from arena.conduct import Conduct, Crowd
from arena.origins import is_ours


class Watch:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_a_page_may_send_some_frames_at_once_and_then_two_a_second() -> None:
    watch = Watch()
    page = Conduct(watch)
    assert [page.may_send() for _ in range(conduct.FRAMES_AT_ONCE + 1)] == [True] * conduct.FRAMES_AT_ONCE + [
        False
    ]
    watch.s += 1
    assert [page.may_send() for _ in range(3)] == [True, True, False]
    watch.s += 3600
    assert sum(page.may_send() for _ in range(1000)) == conduct.FRAMES_AT_ONCE


def test_the_fifth_strike_is_enough() -> None:
    page = Conduct()
    assert [page.is_enough() for _ in range(conduct.MOST_STRIKES)] == [False, False, False, False, True]


def test_lines_are_counted_for_all_they_belong_to_and_forgotten_when_they_close() -> None:
    crowd, one, other = Crowd(), {"person a": 2, "address x": 3}, {"person b": 2, "address x": 3}
    assert [crowd.enter(one) for _ in range(3)] == [True, True, False]
    assert [crowd.enter(other) for _ in range(2)] == [True, False]
    for each in (one, one, other):
        crowd.leave(each)
    assert not crowd._open


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", 0, "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9", 1, "198.51.100.9"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.9", 1, "198.51.100.9"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.9, 10.0.0.2", 2, "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9", 2, ""),
        ("10.0.0.1", "", 1, ""),
        ("10.0.0.1", "198.51.100.9, nobody", 1, ""),
        ("10.0.0.1", "203.0.113.5, ::ffff:198.51.100.9", 1, "198.51.100.9"),
        ("fe80::1%eth0", "", 0, "fe80::1"),
        ("", "", 0, ""),
        ("/run/site.sock", "", 0, ""),
    ],
)
def test_the_address_is_the_one_that_the_outermost_proxy_saw(
    peer: str, forwarded: str, proxies: int, expected: str
) -> None:
    assert addresses.visitor(peer, forwarded, proxies=proxies) == expected


@given(st.text(max_size=40), st.integers(1, 3), st.ip_addresses())
def test_what_a_visitor_puts_in_front_changes_nothing(made_up: str, proxies: int, seen: object) -> None:
    added = ", ".join([str(seen), *["10.0.0.2"] * (proxies - 1)])
    plain = addresses.visitor("10.0.0.1", added, proxies=proxies)
    assert addresses.visitor("10.0.0.1", f"{made_up}, {added}", proxies=proxies) == plain != ""


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_a_household_count_as_one(address: ipaddress.IPv6Address, host: int) -> None:
    neighbour = ipaddress.IPv6Address(int(address) & ~(2**64 - 1) | host)
    assert addresses.household(str(address)) == addresses.household(str(neighbour))
    assert addresses.household("198.51.100.9") != addresses.household("198.51.100.8")
    assert addresses.neighbourhood("198.51.100.9") == addresses.neighbourhood("198.51.100.8")


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://LOCALHOST:8000", "localhost:8000", True),
        ("http://localhost:9000", "localhost:8000", False),
        ("http://localhost", "localhost:8000", False),
        ("http://adibidea.eus", "localhost:8000", False),
        ("http://adibidea.eus", "adibidea.eus", False),
        ("http://localhost:8000.adibidea.eus", "localhost:8000", False),
        ("http://localhost:8000@adibidea.eus", "localhost:8000", False),
        ("http://adibidea.eus/localhost:8000", "localhost:8000", False),
        ("http://localhost:8000/", "localhost:8000", False),
        ("file://localhost:8000", "localhost:8000", False),
        ("http://[", "localhost:8000", False),
        ("https://mirror.example", "localhost:8000", True),
        ("null", "localhost:8000", False),
        ("", "localhost:8000", False),
        ("http://", "", False),
    ],
)
def test_only_pages_of_this_site_may_open_sockets(
    settings: Settings, origin: str, host: str, *, ours: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://mirror.example"]
    assert is_ours(origin, host) is ours


def test_over_https_a_plain_page_of_the_same_name_is_another_origin(settings: Settings) -> None:
    settings.LEHIA_HTTPS = True
    assert is_ours("https://localhost", "localhost")
    assert not is_ours("http://localhost", "localhost")
