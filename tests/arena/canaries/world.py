"""What is planted of somebody, and how it is looked for."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pyarrow.parquet as pq
import zstandard
from django.test import Client

from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.models import Battle, ExportJob, RateWindow
from arena.services import export_jobs
from arena.services.exports import Order, latest_cutoff
from tests.arena.planted import WORD, Planted

PUBLIC = "Nola iritsi Gernikara"
"""Of a message that may be published, around the details that may not."""
DETAILS = (
    "xaguxalo@adibidea.eus",
    "612 345 679",
    "12345678Z",
    "ES91 2100 0418 4502 0005 1332",
    "Kale Nagusia 12",
)
SAID = f"{PUBLIC}? Nire posta {DETAILS[0]} da, telefonoa {DETAILS[1]}, NANa {DETAILS[2]}, kontua {DETAILS[3]}, etxea {DETAILS[4]}, 20001 Donostia."
SECRET = "xagugiltza-modeloarena"
NICKNAME = "Xaguezizena"
"""They chose to be shown under it, on the pages of contributors."""
_UNREAD = re.compile(
    r"/(?:static|admin|i18n|accounts)/|/me/data\.json|/planner/|[?&](?:criterion|ties|level|cap|cluster)="
)

_FORM_TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[^"]+')
"""Sixty-four letters by chance, among which four in a row are anybody's."""
READABLE = {".md", ".json", ".jsonl", ".gz", ".zst", ".parquet"}


@dataclass(frozen=True)
class World:
    planted: Planted
    published: Battle
    """Theirs, and fit to be published but for the details in it."""


def leaks(text: str, *, but: tuple[str, ...] = ()) -> list[str]:
    """What of theirs stands in a text, with what is around it."""
    text = _FORM_TOKEN.sub("", text)
    for allowed in but:
        text = text.replace(allowed, "")
    marks = [re.escape(each) for each in (WORD, SECRET, *DETAILS)]
    return [
        text[max(0, at.start() - 40) : at.end() + 40]
        for at in re.finditer("|".join(marks), text, re.IGNORECASE)
    ]


def ordered(world: World) -> ExportJob:
    order = Order(LAYOUTS["ebaluatoia-sanitized"], Format.JSONL, Filters(cutoff=latest_cutoff()))
    job = export_jobs.order_export(order, by=world.planted.staff, is_limited=False)
    export_jobs.run_export(job_id=job.pk)
    job.refresh_from_db()
    return job


def unpacked(path: Path) -> str:
    data = path.read_bytes()
    match path.suffix:
        case ".parquet":
            table = pq.read_table(io.BytesIO(data))
            return json.dumps(
                [table.schema.metadata and str(table.schema.metadata), table.to_pylist()],
                default=str,
                ensure_ascii=False,
            )
        case ".gz":
            return gzip.decompress(data).decode()
        case ".zst":
            return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read().decode()
    return data.decode()


@dataclass
class Reader:
    """Goes to every page and file that links lead to, and to those of the planted battles, which no link leads to."""

    client: Client
    read: dict[str, str] = field(default_factory=dict)

    def go(self, *starts: str) -> dict[str, str]:
        waiting = list(starts)
        while waiting:
            address = waiting.pop()
            if address in self.read:
                continue
            RateWindow.objects.all().delete()
            answer = self.client.get(address)
            body = b"".join(answer) if answer.streaming else answer.content
            text = body.decode(errors="replace")
            self.read[address] = f"{answer.status_code} {dict(answer.headers)} {text}"
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                waiting += [link for link in _links(address, text) if link not in self.read]
        return self.read


def _links(address: str, page: str) -> Iterator[str]:
    for found in re.findall(r'href="([^"]+)"', page):
        link = urldefrag(urljoin(address, found.replace("&amp;", "&"))).url
        if not urlsplit(link).netloc and not urlsplit(link).scheme and not _UNREAD.search(link):
            yield link
