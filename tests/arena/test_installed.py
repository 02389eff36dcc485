"""What makes the site a light page, and an application of a phone."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from arena.modules import modules_of
from tests.arena.builders import make_campaign

pytestmark = pytest.mark.django_db
SCRIPTS = Path("static/js")
COLOUR = re.compile(
    r'<meta name="theme-color" content="(#\w+)"(?: media="\(prefers-color-scheme: (\w+)\)")?>'
)


@pytest.mark.parametrize("language", ["eu", "es", "fr", "en"])
def test_the_manifest_is_in_the_visitors_language_and_its_icons_are_what_it_says(
    client: Client, repository: Path, language: str
) -> None:
    answer = client.get(reverse("manifest"), headers={"Accept-Language": language})
    told = answer.json()
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert (told["lang"], told["start_url"], told["display"]) == (language, "/", "standalone")
    for icon in told["icons"]:
        name = re.sub(r"\.\w{12}(\.\w+)$", r"\1", icon["src"].removeprefix("/static/"))
        image = (repository / "static" / name).read_bytes()
        if icon["type"] == "image/png":
            assert "{}x{}".format(*struct.unpack(">II", image[16:24])) == icon["sizes"]
    assert {icon.get("purpose", "any") for icon in told["icons"]} == {"any", "maskable"}


def test_the_browsers_own_colours_follow_the_theme(client: Client) -> None:
    make_campaign()
    assert COLOUR.findall(client.get("/").content.decode()) == [("#faf7f0", "light"), ("#1a1815", "dark")]
    client.post(reverse("prefer_appearance"), {"theme": "dark", "text_size": "normal"})
    assert COLOUR.findall(client.get("/").content.decode()) == [("#1a1815", "")]


def test_every_module_of_the_first_page_is_asked_for_at_once(client: Client, repository: Path) -> None:
    make_campaign()
    page = client.get("/").content.decode()
    asked = re.findall(r'rel="modulepreload" href="/static/js/(\w+)\.\w+\.js"', page)
    imported = {
        name
        for path in (repository / SCRIPTS).glob("*.js")
        if path.stem in {*asked, "battle"}
        for name in re.findall(r'from "\./(\w+)\.js"', path.read_text())
    }
    assert {*asked} == imported
    assert len(asked) == len({*asked}) == len(modules_of("js/battle.js"))
