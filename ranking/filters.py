"""Placeholder until the helper's module lands."""

from __future__ import annotations

from enum import StrEnum


class ExclusionReason(StrEnum):
    TOO_FAST = "too_fast"
    IDENTITY_LEAK = "identity_leak"
    WRONG_LANGUAGE = "wrong_language"
    FAILED_CONTROL = "failed_control"
    DUPLICATE_PROMPT = "duplicate_prompt"
    RATE = "rate"
    FLAGGED_USER = "flagged_user"
    WITHDRAWN = "withdrawn"
    GUEST = "guest"
