"""Every public page in every language: no word of another one, and dates and numbers as the language writes them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena import catalogues
from arena.services import boards
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.models import Board
from tests.arena.boards import published_board
from tests.arena.crawler import Read, crawl, read
from tests.arena.crowds import Told, store

PLANTED = (
    *(
        "the",
        "and",
        "of",
        "with",
        "which",
        "from",
        "your",
        "you",
        "each",
        "there",
        "this",
        "that",
        "they",
        "has",
        "have",
        "was",
        "were",
        "what",
        "when",
    ),
    *(
        "where",
        "who",
        "how",
        "vote",
        "votes",
        "voted",
        "answer",
        "answers",
        "model",
        "models",
        "battle",
        "battles",
        "board",
        "boards",
        "rating",
    ),
    *(
        "ratings",
        "rank",
        "ranks",
        "tie",
        "ties",
        "win",
        "wins",
        "loss",
        "losses",
        "interval",
        "table",
        "download",
        "level",
        "side",
        "content",
    ),
    *(
        "language",
        "quality",
        "overall",
        "better",
        "both",
        "bad",
        "question",
        "message",
        "send",
        "stop",
        "retry",
        "skip",
        "report",
        "volunteer",
    ),
    *(
        "volunteers",
        "campaign",
        "privacy",
        "about",
        "home",
        "leaderboard",
        "data",
        "share",
        "expected",
        "observed",
        "pair",
        "pairs",
        "style",
    ),
)
"""English words that no Basque sentence of ours holds; names and titles of works stand in elements of their own language."""
SHARED = {"fr": {"vote", "votes", "table", "style", "question", "message"}, "es": {"has"}}
"""Of them, words that another language has as well."""
BASQUE = "Zer egin dezakegu gaur arratsaldean mendian, lagunekin?"
_SKIPPED = {"format", "more", "ties", "level"}


@pytest.fixture
def filled(db: None) -> Board:
    """The published study's board, and a live one of three models, published too."""
    study = published_board()
    rng = np.random.default_rng(3)
    a = rng.integers(0, 3, 90)
    ballots = Ballots(
        ("x", "y", "z"), a, (a + rng.integers(1, 3, 90)) % 3, rng.integers(0, 4, 90), rng.integers(0, 9, 90)
    )
    campaign, _ = store(ballots, told=lambda at: Told((f"{BASQUE} {at % 7}",), BASQUE, BASQUE))
    for code, name in (("x", "Ibaia"), ("y", "Itsasoa"), ("z", "Basoa")):
        Candidate.objects.filter(code=code).update(name=name)
    boards.publish(campaign.board)
    return study


def once(address: str) -> bool:
    """One criterion and one rule of ties of each page, one model of each board, and one page of prompts: the others have the same texts."""
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    if asked.keys() & _SKIPPED or asked.get("criterion", ["overall"]) != ["overall"]:
        return False
    if "/models/" in parts.path:
        return parts.path.endswith(("/models/x/", "/models/gpt-4o/"))
    return (
        "/snapshots/" not in parts.path and parts.path != "/api/explore/"
    )  # which speaks English, and says so


def pages_in(client: Client, language: str) -> dict[str, Read]:
    client.post(reverse("set_language"), {"language": language, "next": "/"})
    pages = crawl(client, "/", follow=once)
    pages["404"] = read(client.get("/ez-dago/").content.decode())
    return pages


def words(text: str) -> set[str]:
    return set(re.findall(r"(?<!\w)[^\W\d_]+(?!\w)", text.casefold()))


def strangers(pages: dict[str, Read], foreign: set[str]) -> list[tuple[str, str]]:
    return [
        (address, text) for address, page in pages.items() for text in page.texts if words(text) & foreign
    ]


def untranslated(pages: dict[str, Read], language: str) -> list[tuple[str, str]]:
    """Texts that stand as in the English source, where the catalogue says nothing that way."""
    told = [(str(message.id), str(message.string)) for message in catalogues.read(language) if message.id]
    sources = {source for source, _ in told} - {text for _, text in told}
    return [(address, text) for address, page in pages.items() for text in page.texts if text in sources]


def test_no_public_page_in_basque_spanish_or_french_holds_english(client: Client, filled: Board) -> None:
    for language in ("eu", "es", "fr"):
        pages = pages_in(client, language)
        assert len(pages) > 25
        assert {page.language for page in pages.values()} == {language}
        assert strangers(pages, {*PLANTED} - SHARED.get(language, set())) == []
        assert untranslated(pages, language) == []


@pytest.mark.django_db
def test_basque_pages_write_numbers_and_dates_in_basque(client: Client) -> None:
    study = read(client.get(reverse("board", args=[published_board().slug])).content.decode()).texts
    assert any("12.890" in text for text in study)
    numbers = [text for text in study if re.fullmatch(r"[\d.,–/+−\s]+", text)]
    assert len(numbers) > 100
    assert [text for text in numbers if re.search(r"\d,\d{3}\b|\b\d+\.\d{1,2}\b", text)] == []
    assert any(re.fullmatch(r"0,\d\d", text) for text in numbers)
    assert any(re.search(r"\b20\d\de?ko [a-z]+ren \d{1,2}a?\b", text) for text in study)


@pytest.mark.django_db
def test_an_english_sentence_on_a_basque_page_is_noticed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = translation._trans.gettext  # type: ignore[attr-defined]  # what templates ask
    planted = "Small languages get models"
    monkeypatch.setattr(
        translation._trans,  # type: ignore[attr-defined]  # the same
        "gettext",
        lambda text: text if text.startswith(planted) else plain(text),
    )
    page = {"about": read(client.get(reverse("about")).content.decode())}
    assert len(strangers(page, {*PLANTED})) == len(untranslated(page, "eu")) == 1


def test_what_is_marked_as_another_language_is_not_read() -> None:
    page = read(
        '<html lang="eu"><p>Bai <span lang="en">the one <b>and</b></span> ez</p><img alt="the"><p>ados</p></html>'
    )
    assert page.texts == ["Bai", "ez", "the", "ados"]
