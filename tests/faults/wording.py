"""Whether what a refused or failed request shows is a sentence of ours in the volunteer's language."""

from __future__ import annotations

import re
from functools import cache

from django.utils.html import escape
from django.utils.translation import override

from arena.refusals import OTHER, REFUSALS

_RAW = re.compile(r"Traceback|Internal Server Error|OperationalError|psycopg|Exception", re.IGNORECASE)


def fault_of(body: str, language: str) -> str:
    """What is wrong with it; nothing where it is as it should be."""
    if _RAW.search(body):
        return f"raw: {body[:200]}"
    if page := re.search(r'<html[^>]*\blang="(\w+)"', body):
        return "" if page[1] == language else f"a page in {page[1]} for {language}"
    if any(each in body for each in _sentences(language)):
        return ""
    return f"not one of our sentences in {language}: {body[:200]}"


@cache
def _sentences(language: str) -> tuple[str, ...]:
    with override(language):
        found = [*REFUSALS.values(), OTHER]
        texts = [text for each in found for text in (each.text, each.of_a_pair) if text is not None]
        return tuple(escape(str(text)) for text in texts)
