"""Prompts to start from, by theme. Basque whatever the page's language: Basque is what is being judged."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Theme:
    title: str | Promise
    prompts: tuple[str, ...]


_THEMES = (
    Theme(
        _("To begin with"),
        ("Kaixo! Zer moduz?", "Nor zara zu?", "Zertan lagun diezadakezu?"),
    ),
    Theme(
        _("Knowing things"),
        (
            "Zein da Frantziako hiriburua?",
            "Zein hilabete dator apirilaren ondoren?",
            "Zenbat da bost gehi hiru?",
        ),
    ),
    Theme(
        _("Words"),
        ("Zer da itsasoa?", "Zein da «handi» hitzaren aurkakoa?", "Zer kolore du elurrak?"),
    ),
    Theme(
        _("Everyday life"),
        (
            "Nola egiten da tortilla bat?",
            "Idatzi mezu labur bat lagun bat afaltzera gonbidatzeko.",
            "Emaidazu aholku bat hobeto lo egiteko.",
        ),
    ),
)


def themes() -> tuple[Theme, ...]:
    return _THEMES
