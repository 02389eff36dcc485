"""Markdown to safe HTML, whole or as it streams.

One renderer serves pages and sockets: markdown-it without raw HTML and images, then an nh3 allow-list. A stream is cut into
top-level blocks. A block is *sealed* once a later one has begun on a complete line: from then on its HTML cannot change, whatever follows.
Link reference definitions are off, since they act backwards across blocks.
"""

from __future__ import annotations

from itertools import pairwise

import nh3
from markdown_it import MarkdownIt

_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "a", "code", "pre"),
    *("blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}

_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow ugc",
)

_markdown = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False}).disable(
    ["image", "reference"]
)


def _html(block: str) -> str:
    return _cleaner.clean(_markdown.render(block))


def render(text: str) -> str:
    """The whole answer as safe HTML."""
    return "".join(blocks(text))


def blocks(text: str) -> list[str]:
    """The answer's top-level blocks as safe HTML, as a finished stream would have sealed them."""
    stream = MarkdownStream()
    stream.feed(text)
    return [*stream.take_sealed(), *stream.finish()]


class MarkdownStream:
    """Text in, sealed blocks and one open block out. Chunking never changes the result."""

    def __init__(self) -> None:
        self._tail = ""
        self._looked = 0  # at so many characters of complete lines, in vain

    def feed(self, text: str) -> None:
        self._tail += text.replace("\r", "").replace("\x00", "\ufffd")

    @property
    def open_chars(self) -> int:
        """How much is open: what a look at it costs."""
        return len(self._tail)

    def take_sealed(self) -> list[str]:
        """The HTML of the blocks that became final since the last call."""
        complete = self._tail.rfind("\n") + 1
        if complete == self._looked:
            return []
        self._looked = complete
        starts = _block_starts(self._tail[:complete])
        if len(starts) < 2:
            return []
        lines = [line + "\n" for line in self._tail.split("\n")]
        sealed = ["".join(lines[begin:end]) for begin, end in pairwise(starts)]
        self._tail = "".join(lines[starts[-1] :])[:-1]
        self._looked = self._tail.rfind("\n") + 1
        return [_html(block) for block in sealed]

    def open_block(self) -> str:
        """The HTML of what may still change; empty where nothing is left."""
        return _html(self._tail)

    def finish(self) -> list[str]:
        """Seal what is open; the stream is empty afterwards."""
        last = self.take_sealed()
        rest = self.open_block()
        self._tail, self._looked = "", 0
        return [*last, rest] if rest else last


def _block_starts(text: str) -> list[int]:
    """First lines of the top-level blocks, the first block starting where the text does."""
    starts = [
        token.map[0]
        for token in _markdown.parse(text)
        if token.level == 0 and token.map is not None and token.nesting >= 0
    ]
    return [0, *starts[1:]]
