"""The two dark looks, by the device and by choice, which CSS that old phones read cannot share."""

from __future__ import annotations

import re

from django.conf import settings

TOKENS = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()


def declared(selector: str) -> dict[str, str]:
    found = re.search(re.escape(selector) + r"\s*\{([^}]*--surface[^}]*)\}", TOKENS)
    assert found is not None
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", found[1]))


def test_dark_is_the_same_whether_the_device_or_the_visitor_asks_for_it() -> None:
    by_device, chosen = declared(':root:not([data-theme="light"])'), declared(':root[data-theme="dark"]')
    assert by_device == chosen
    assert by_device.keys() <= declared(":root").keys()
