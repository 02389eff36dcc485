"""The sentences somebody agrees to, as the dialog and the consent page show them. Whoever changes one gives the campaign's text a new version."""

from __future__ import annotations

import hashlib

from django.utils import translation
from django.utils.translation import gettext_lazy as _

SENTENCES = (
    _("The answers come from AI models and may be wrong."),
    _(
        "Your messages, the answers and your votes are recorded and will be published, so that everybody can use them: under CC0, but for answers of models "
        "whose licence says otherwise."
    ),
    _("Do not write personal data: neither yours nor anybody else's."),
    _("Some battles are there to check how carefully people judge. We do not say which."),
    _("I am 14 or older, and I agree."),
)


def shown_in(language: str) -> list[str]:
    with translation.override(language):
        return [str(sentence) for sentence in SENTENCES]


def digest(language: str) -> str:
    """SHA-256 of what was shown in a language, a sentence a line."""
    return hashlib.sha256("\n".join(shown_in(language)).encode()).hexdigest()
