"""Planted words are in no export and no release."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from arena.exports.files import Format
from arena.exports.layouts import LAYOUTS
from tests.arena.canaries.world import PUBLIC, READABLE, SAID, World, leaks, unpacked
from tests.arena.releases.made import held

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_export_of_any_layout_and_format_holds_one(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    # the one that is not sanitized, for the project's own work
    whole = {"ebaluatoia": SAID.split("?")[1]}
    for layout, form in product(LAYOUTS, Format):
        options: dict[str, Any] = {"layout": layout, "format": form.value}
        call_command("export_preferences", output=tmp_path, excluded="keep", **options)
        text = unpacked(tmp_path / f"{layout}.{form.value}")
        assert leaks(text, but=(whole[layout],) if layout in whole else ()) == [], options
        has_texts = LAYOUTS[layout].has_texts and layout != "unvoted"
        assert (PUBLIC in text) == has_texts, "the test looks at a file in which they could be"
    assert leaks(capsys.readouterr().out) == []
    assert leaks(caplog.text) == []


def test_no_file_of_a_release_holds_one(world: World, data: Path, client: Client) -> None:
    release = held()
    found = [path for path in (data / "releases").rglob("*") if path.is_file()]
    texts = {path.name: unpacked(path) for path in found if path.suffix in READABLE}
    assert any(PUBLIC in text for text in texts.values())
    assert {name: each for name, text in texts.items() if (each := leaks(text))} == {}
    assert client.get(reverse("release", args=[release.slug])).status_code == 200
