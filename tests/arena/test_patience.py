"""A socket on which nobody says anything does not stay."""

from __future__ import annotations

import pytest

from arena import consumers
from tests.arena.test_socket import Page, Servers, opened, own_runner, servers

__all__ = ["own_runner", "servers"]
pytestmark = pytest.mark.django_db(transaction=True)
SOON_S, LATE_S = 0.05, 3600.0


async def test_a_socket_that_never_says_anything_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "FIRST_FRAME_S", SOON_S)
    page = Page()
    assert await page.open()
    assert await page.closed() == consumers.TIRED


async def test_a_first_frame_earns_the_longer_patience(
    monkeypatch: pytest.MonkeyPatch, servers: Servers
) -> None:
    monkeypatch.setattr(consumers, "FIRST_FRAME_S", LATE_S)
    monkeypatch.setattr(consumers, "IDLE_S", SOON_S)
    page, _ = await opened(servers)
    assert await page.is_silent()
    await page.say("nonsense")
    assert await page.closed() == consumers.TIRED
