"""The readable text of a web page: a line a block, without what surrounds it."""

from __future__ import annotations

from html.parser import HTMLParser

# a page's frame and machinery; what they hold is no text of the page
_ASIDE = frozenset(
    (
        *("aside", "button", "dialog", "footer", "form", "head", "header", "iframe", "nav", "noscript"),
        *("object", "script", "select", "style", "svg", "template", "textarea"),
    )
)
_VOID = frozenset(
    (*("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"),)
)
_INLINE = frozenset(
    (
        *(
            "a",
            "abbr",
            "acronym",
            "b",
            "bdi",
            "bdo",
            "big",
            "cite",
            "code",
            "data",
            "del",
            "dfn",
            "em",
            "font",
            "i",
        ),
        *(
            "img",
            "ins",
            "kbd",
            "label",
            "mark",
            "meta",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
        ),
        *("sub", "sup", "time", "tt", "u", "var", "wbr"),
    )
)


def text_of_html(page: str) -> str:
    """The text of a page's body, one line a block.

    Parameters
    ----------
    page
        HTML as found: unclosed and stray tags are borne as browsers bear them, near enough.

    Notes
    -----
    Navigation, headers and footers of the page, forms, scripts and whatever is ``hidden`` are left out; what looks like a menu all the same is for the
    line filters.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipped: list[str] = []  # open tags from the outermost left out one inwards
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # a head that was never closed ends here
            self._skipped.clear()
        if self._skipped or tag in _ASIDE or (tag not in _VOID and _is_hidden(attrs)):
            if tag not in _VOID:
                self._skipped.append(tag)
            return
        self._verbatim += tag == "pre"
        if tag not in _INLINE:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._skipped and tag not in _INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._skipped:
            while self._skipped.pop() != tag:
                pass
            return
        if self._skipped:
            return
        self._verbatim -= tag == "pre" and self._verbatim > 0
        if tag not in _INLINE:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(data if self._verbatim else data.replace("\n", " "))


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    return any(name == "hidden" or (name == "aria-hidden" and value == "true") for name, value in attrs)
