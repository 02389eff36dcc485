"""Django's admin for the arena: people and campaigns editable, battles and votes read-only."""

from arena.admin import battles, people

__all__ = ["battles", "people"]
