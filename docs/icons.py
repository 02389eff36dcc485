"""``python docs/icons.py``: the icons of the installed site, drawn from the mark by Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "static" / "img"
SIZES = {"icon-192": (192, 0.72), "icon-512": (512, 0.72), "icon-maskable": (512, 0.52)}
"""Pixels of a side, and the share of it that the mark takes; a mask may cut off a fifth."""
PAPER = "#faf7f0"


def main() -> None:
    mark = (IMAGES / "mark.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (size, share) in SIZES.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            wide = f"width: {round(size * share)}px"
            page.set_content(
                f"<style>body {{ margin: 0; height: 100vh; display: grid; place-items: center; background: {PAPER} }}"
                f" svg {{ {wide} }}</style>{mark}"
            )
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
