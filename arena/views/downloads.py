"""Answers that are saved as files."""

from __future__ import annotations

from django.http import HttpResponse


def file_answer(text: str, kind: str, name: str) -> HttpResponse:
    """*text* of the content type *kind*, to be saved as *name*."""
    answer = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
