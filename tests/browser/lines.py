"""The server's end of a page's line, played by the test: frames come when and as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from uuid import UUID

from playwright.sync_api import Page, WebSocketRoute

BATTLE = UUID(int=5)


class PlayedLine:
    """Takes the page's sockets; *answer* is called at each frame of the page."""

    def __init__(self, page: Page, answer: Callable[[PlayedLine], None]) -> None:
        self._answer = answer
        self._lines: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/ws/battle/"), self._take)

    def _take(self, line: WebSocketRoute) -> None:
        self._lines.append(line)
        line.on_message(lambda _text: self._answer(self))

    def tell(self, kind: str, **fields: object) -> None:
        self._lines[-1].send(json.dumps({"type": kind, **fields}))

    def state(
        self, status: str = "answering", *, side: str = "pending", attempts: tuple[int, int] = (1, 1)
    ) -> None:
        shown = {"reason": "", "code": "", "status": side}
        sides = {name: shown | {"attempt": attempt} for name, attempt in zip("AB", attempts, strict=True)}
        self.tell("state", battle=str(BATTLE), turn=1, status=status, sides=sides)

    def whole(self, html: str) -> None:
        """Both sides say this, and the battle is ready."""
        self.state()
        for side in "AB":
            self.tell("render", side=side, seq=1, sealed=[html], open="")
            self.tell("done", side=side, reason="stop")
        self.state("ready", side="complete")
