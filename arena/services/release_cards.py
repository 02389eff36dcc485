"""The descriptions that lie beside a release's rows: its card in English and Basque, and Croissant metadata."""

from __future__ import annotations

from django.template.loader import render_to_string

from arena.releases import card, croissant
from arena.releases.boards import Count
from arena.releases.manifest import About


def descriptions(about: About, everyone: Count) -> dict[str, bytes]:
    """By the file's name."""
    cards = {
        name: render_to_string(
            f"releases/card.{language}.md", card.card_context(about, everyone, language)
        ).encode()
        for language, name in card.NAMES.items()
    }
    metadata = croissant.croissant(about, description=card.description(about), citation=card.citation(about))
    return {**cards, croissant.NAME: metadata}
