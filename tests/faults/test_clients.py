"""Slow clients, and ones that are gone without a word: they hold up nobody else."""

from __future__ import annotations

import base64
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from tests.faults.checker import check
from tests.faults.conftest import Report
from tests.faults.drive import People, driving
from tests.faults.stack import WEBS, Stack

pytestmark = pytest.mark.faults

MANY = 100
_TCP_REPAIR = 19
_TINY = 1024


def connected(stack: Stack, web: str) -> socket.socket:
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY)
    own.connect(("127.0.0.1", stack.ports[web]))
    return own


def upgrade(stack: Stack, web: str, session: str) -> bytes:
    port = stack.ports[web]
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /ws/battle/ HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket",
        f"Origin: http://127.0.0.1:{port}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: lehia.v1",
        f"Sec-WebSocket-Key: {key}", f"Cookie: sessionid={session}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def masked(text: str) -> bytes:
    """A client's text frame; a mask of zeros changes nothing."""
    data = text.encode()
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(data)) + b"\0" * 4 + data


@contextmanager
def crowd(stack: Stack, people: People, *, halves: bool) -> Iterator[list[socket.socket]]:
    """People with a socket and a battle; or, half of them, who ask for a page and do not read it, or send the half of a form or of a head."""
    parts = [
        b"GET /methodology/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /consent/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\nadult",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half",
    ]
    sessions = list(people.voters.values())
    with ExitStack() as opened:
        found = []
        for number in range(MANY):
            web = WEBS[number % 2]
            own = opened.enter_context(closing(connected(stack, web)))
            if halves and number % 4 < 2:
                own.sendall(parts[number % 3])
            else:
                own.sendall(upgrade(stack, web, sessions[number]))
                own.sendall(masked('{"type":"turn","text":"Kaixo","key":"%s"}' % _key(number)))  # noqa: UP031  # braces
            found.append(own)
        yield found


def _key(number: int) -> str:
    return f"{os.urandom(4).hex()}-0000-4000-8000-{number:012d}"


def test_clients_that_read_a_byte_a_second_hold_up_nobody(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    with driving(stack, people, seed, votes_a_second=10) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        with crowd(stack, people, halves=True) as slow:
            came = time.monotonic()
            for _ in range(8):
                time.sleep(1)
                for each in slow:
                    with suppress(OSError):
                        each.recv(1, socket.MSG_DONTWAIT)
            here = time.monotonic()
            for web in WEBS:
                ledger.first("vote", here, web)
                ledger.first("ready", came, web)
        gone = time.monotonic()
        votes = len([each for each in ledger.successes if each.kind == "vote" and came <= each.at <= gone])
    found = check(stack, ledger)
    report(
        votes_a_second=votes / (gone - came),
        votes=found.acknowledged,
        battles=found.battles,
        freed_s=found.freed_s,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root closes a connection without telling the other end")
def test_connections_whose_client_is_gone_without_a_word_are_closed(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """No FIN and no RST: the kernel forgets the connection as if its machine had lost its power. The sockets' pings find that out.

    Half a request that is never ended is the proxy's to give up: the process itself waits for the rest.
    """
    with driving(stack, people, seed, votes_a_second=10) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        before = {web: _established(stack, web) for web in WEBS}
        with crowd(stack, people, halves=False) as gone:
            for each in gone:
                each.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
        silent = time.monotonic()
        for web in WEBS:
            ledger.first("vote", silent, web)
            ledger.first("ready", silent, web)
    while sum(_established(stack, web) for web in WEBS) > sum(before.values()):
        assert time.monotonic() - silent < 120
        time.sleep(0.5)
    closed_s = time.monotonic() - silent
    found = check(stack, ledger)
    report(closed_s=closed_s, votes=found.acknowledged, battles=found.battles, freed_s=found.freed_s)


def _established(stack: Stack, web: str) -> int:
    """Connections that the process holds open, by the kernel's table."""
    port = f":{stack.ports[web]:04X}"
    with open("/proc/net/tcp") as table:  # noqa: PTH123  # lines of the kernel
        return sum(fields[1].endswith(port) and fields[3] == "01" for fields in map(str.split, table))
