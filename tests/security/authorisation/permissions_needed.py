"""What ``admin.txt`` says that somebody needs: ``a+b|c`` is both of the first, or the third."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

NEVER, SUPERUSERS, INSIDE = "never", "superuser", "inside"
"""Nobody; superusers alone; whoever is let into the admin."""


@dataclass(frozen=True, slots=True)
class Need:
    said: str
    alternatives: tuple[frozenset[str], ...] = ()

    def is_met(self, *, has: frozenset[str], is_superuser: bool) -> bool:
        if self.said in {NEVER, INSIDE}:
            return self.said == INSIDE
        return is_superuser or any(each <= has for each in self.alternatives)

    def and_also(self, other: Need) -> Need:
        if NEVER in {self.said, other.said} or not (self.alternatives and other.alternatives):
            return self if self.said == NEVER else other
        both = frozenset(one | another for one, another in product(self.alternatives, other.alternatives))
        return Need(f"{self.said} and {other.said}", tuple(sorted(both, key=sorted)))

    @property
    def ways_to_fail(self) -> list[frozenset[str]]:
        """The smallest sets of permissions without which it is not met."""
        found = {frozenset(each) for each in product(*self.alternatives)} if self.alternatives else set()
        return sorted((each for each in found if not any(other < each for other in found)), key=sorted)


def need(said: str, model: str = "") -> Need:
    """*model* is ``app.model``, whose own permissions may be written without it: ``view|change``."""
    if said in {NEVER, SUPERUSERS, INSIDE}:
        return Need(said)
    app, _, name = model.partition(".")
    ways = [way.split("+") for way in said.split("|")]
    return Need(
        said,
        tuple(frozenset(each if "." in each else f"{app}.{each}_{name}" for each in way) for way in ways),
    )
