"""What addresses are made of beside Django's own parts."""

from __future__ import annotations

from ranking.types import MODEL_NAME_MAX_CHARS

_SIGN = "~"
_REMOVED = {"", ".", ".."}


class ModelName:
    """Any printable name of a model, slashes, dots and spaces included.

    Browsers and proxies remove the parts ``.`` and ``..`` of an address and join slashes, so such a part is written after a ``~``; a ``~`` of the name is
    written twice.
    """

    regex = "[^\n]+"

    def to_python(self, value: str) -> str:
        """The name; ``ValueError``, which Django takes for another address, where it could be no model's."""
        name = "/".join(self._read(part) for part in value.split("/"))
        if len(name) > MODEL_NAME_MAX_CHARS or not name.isprintable() or self.to_url(name) != value:
            raise ValueError(value)
        return name

    def to_url(self, name: str) -> str:
        """Django itself quotes what an address cannot hold."""
        return "/".join(self._written(part) for part in name.split("/"))

    @staticmethod
    def _written(part: str) -> str:
        return _SIGN + part if part in _REMOVED else part.replace(_SIGN, _SIGN * 2)

    @staticmethod
    def _read(part: str) -> str:
        marked = part.startswith(_SIGN) and part[1:] in _REMOVED
        return part[1:] if marked else part.replace(_SIGN * 2, _SIGN)
