"""Personal details in prompts and answers: e-mail and postal addresses, telephones, DNI and NIE, IBANs, cards, names of accounts. Pure.

Whoever passes a text on asks one function, ``sanitized(text, decisions)``: every detail becomes a tag (``[EMAIL]``, ``[PHONE]``, ``[ID]``, ``[IBAN]``,
``[CARD]``, ``[ADDRESS]``, ``[HANDLE]``), also one that is doubtful and of which nobody has decided. *decisions* are the text's own, from
``arena.selectors.doubts.decisions``; where there are none, ``()``. ``find(text)`` tells what would go and where; ``sanitize(text)`` is for texts that
no queue knows; ``redactions`` and ``with_tags`` are its two steps, for whoever must know what moved.
"""

from arena.sanitizing.redact import RULES, find, redactions, sanitize, sanitized, with_tags
from arena.sanitizing.types import Decided, Decision, Found, Kind, Redaction, Span

__all__ = [
    "RULES",
    "Decided",
    "Decision",
    "Found",
    "Kind",
    "Redaction",
    "Span",
    "find",
    "redactions",
    "sanitize",
    "sanitized",
    "with_tags",
]
