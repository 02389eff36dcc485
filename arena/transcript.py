"""Markdown to safe HTML, whole or as it streams.

One renderer serves pages and sockets: markdown-it without raw HTML and images, then an nh3 allow-list. A stream is cut into
top-level blocks. A block is *sealed* once a later one has begun on a complete line: from then on its HTML cannot change, whatever follows.
Link reference definitions are off, since they act backwards across blocks.

Nearly all that a stream brings is more of a sentence. Such text is put into the HTML that stands, which costs a fiftieth of rendering the block again.
"""

from __future__ import annotations

import re
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
_structure = MarkdownIt("js-default", {"html": False}).disable(["image", "reference"])
_structure.core.ruler.enableOnly(["normalize", "block"])  # where blocks begin, without what is in them


# After a letter on the same line, these neither begin nor end anything in Markdown, and HTML writes them as they are.
_more_text = re.compile(r"(?:[^\W_]|[ ,.:!?'-])*").fullmatch
_last_word = re.compile(r"[^\W\d_]+\Z").search
_closing_tags = re.compile(r"(?:</[a-z0-9]+>\n?)+\Z").search


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
        self._searched = 0  # of the tail: holds one block's beginning, nothing to seal
        self._open = _OpenBlock()

    def feed(self, text: str) -> None:
        self._tail += text.replace("\r", "").replace("\x00", "\ufffd")

    @property
    def open_chars(self) -> int:
        """How much is open: what a look at it costs."""
        return len(self._tail)

    def take_sealed(self) -> list[str]:
        """The HTML of the blocks that became final since the last call."""
        complete = self._tail.rfind("\n") + 1
        if complete == self._searched:
            return []
        starts = _block_starts(self._tail[:complete])
        self._searched = complete
        if len(starts) < 2:
            return []
        lines = [line + "\n" for line in self._tail.split("\n")]
        sealed = ["".join(lines[begin:end]) for begin, end in pairwise(starts)]
        self._tail = "".join(lines[starts[-1] :])[:-1]
        self._searched -= sum(map(len, sealed))
        self._open = _OpenBlock()
        return [_html(block) for block in sealed]

    def open_block(self) -> str:
        """The HTML of what may still change; empty where nothing is left."""
        return self._open.html_of(self._tail)

    def finish(self) -> list[str]:
        """Seal what is open; the stream is empty afterwards."""
        last = self.take_sealed()
        rest = self.open_block()
        self._tail, self._searched, self._open = "", 0, _OpenBlock()
        return [*last, rest] if rest else last


class _OpenBlock:
    """The HTML of a text that only grows."""

    def __init__(self) -> None:
        self._text = ""
        self._html = ""
        self._place: int | None = None  # of the text's end in the HTML, where it is known
        self._spaces = ""  # at the text's end, where they are shown only once something follows

    def html_of(self, text: str) -> str:
        added = text[len(self._text) :]
        if added and not self._insert(added):
            self._html, self._place = _html(text), None
        self._text = text
        return self._html

    def _insert(self, added: str) -> bool:
        if not _more_text(added):
            return False
        if self._place is None:
            standing = self._text.rstrip(" ")
            self._place = _end_of_text(standing, self._html)
            self._spaces = self._text[len(standing) :]
        if self._place is None:
            return False
        shown = (self._spaces + added).rstrip(" ")
        self._spaces = (self._spaces + added)[len(shown) :]
        self._html = self._html[: self._place] + shown + self._html[self._place :]
        self._place += len(shown)
        return True


def _end_of_text(text: str, html: str) -> int | None:
    """Where in the HTML more of the text's last sentence goes; ``None`` where that is not certain.

    The text must end in a word, whose letters stand before the closing tags. Code shows its last spaces, and a row of a table may have more cells than
    are shown.
    """
    word, tags = _last_word(text), _closing_tags(html)
    if word is None or tags is None or "</code>" in tags[0] or "|" in text[text.rfind("\n") + 1 :]:
        return None
    return tags.start() if html.endswith(word[0], 0, tags.start()) else None


def _block_starts(text: str) -> list[int]:
    """First lines of the top-level blocks, the first block starting where the text does."""
    starts = [
        token.map[0]
        for token in _structure.parse(text)
        if token.level == 0 and token.map is not None and token.nesting >= 0
    ]
    return [0, *starts[1:]]
