"""A reader without scripts: goes from link to link and reads the texts that are in the page's own language."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from django.test import Client

_READ_ALOUD = ("alt", "title", "aria-label", "placeholder", "content")
_VOID = {*("meta", "link", "img", "input", "br", "hr", "line", "circle", "rect", "path")}
_SILENT = {"script", "style"}


@dataclass
class Read(HTMLParser):
    """Texts of a page, those of elements in another language left out, and where its links lead."""

    texts: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    language: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[bool] = []  # of each open element, whether it is read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.language = self.language or (told.get("lang") or "")
        own = told.get("lang") in {None, self.language} and tag not in _SILENT
        read = own and all(self._open[-1:])
        if read:
            self.texts += [
                text for name in _READ_ALOUD if (text := told.get(name)) and _says(tag, told, name)
            ]
        if tag == "a" and told.get("href"):
            self.links.append(str(told["href"]))
        if tag not in _VOID:
            self._open.append(read)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and all(self._open[-1:]):
            self.texts.append(" ".join(data.split()))


def _says(tag: str, told: dict[str, str | None], name: str) -> bool:
    """What an element's attribute says to people: of ``meta`` only a description's text."""
    return name != "content" or (tag == "meta" and told.get("name") in {"description", "keywords"})


def read(html: str) -> Read:
    page = Read()
    page.feed(html)
    return page


def crawl(client: Client, start: str, *, follow: Callable[[str], bool]) -> dict[str, Read]:
    """Every page that links lead to from *start*, by its address; files to download are not read."""
    seen, waiting, pages = {start}, deque([start]), dict[str, Read]()
    while waiting:
        address = waiting.popleft()
        answer = client.get(address)
        assert answer.status_code == 200, address
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        pages[address] = read(answer.content.decode())
        for link in pages[address].links:
            target = urldefrag(urljoin(address, link)).url
            if not urlsplit(target).netloc and target not in seen and follow(target):
                seen.add(target)
                waiting.append(target)
    return pages


def api_addresses(client: Client) -> list[str]:
    """The public addresses of the API under which there is something to read, found from its own lists."""
    root = "/api/v1"
    found = ["/api/", f"{root}/openapi.json", f"{root}/boards", f"{root}/candidates?limit=100"]
    for board in client.get(found[2]).json()["items"]:
        base = f"{root}/boards/{board['slug']}"
        for criterion in board["criteria"]:
            found += [f"{base}/{part}?criterion={criterion}" for part in ("ratings", "pairs", "snapshots")]
        listed = client.get(f"{base}/snapshots?limit=1").json()["items"]
        found += [f"{base}/snapshots/{each['id']}" for each in listed]
    found += [f"{root}/candidates/{each['code']}" for each in client.get(found[3]).json()["items"]]
    return found
