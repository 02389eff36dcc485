"""``manifest.json``: what a release holds, how it was made, and what may be checked of it without a database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.exports.suppression import LEAST_PEOPLE
from arena.releases.contents import Made
from arena.types import ReleaseState

NAME = "manifest.json"
LICENCE = "CC0-1.0"


@dataclass(frozen=True, slots=True)
class About:
    """What all descriptions of a release share."""

    slug: str
    name: str
    state: ReleaseState
    cutoff: datetime
    held_at: datetime
    hold_until: datetime
    filters: dict[str, Any]
    code_version: str
    votes: int
    people: int
    made: Sequence[Made]

    @property
    def is_final(self) -> bool:
        return self.state is ReleaseState.FINAL

    @property
    def people_told(self) -> int | None:
        """Few are not told."""
        return self.people if self.people >= LEAST_PEOPLE else None


def manifest(
    about: About,
    *,
    others: dict[str, str],
    boards: list[dict[str, Any]],
    published: list[dict[str, Any]],
) -> bytes:
    """*others*: the checksum of each file beside the rows, but this one. *published*: the site's own boards that were the last ones at the cut-off."""
    said = {
        "release": about.slug,
        "name": about.name,
        "state": about.state.value,
        "cutoff": about.cutoff.isoformat(),
        "hold_until": about.hold_until.isoformat(),
        "filters": about.filters,
        "licence": LICENCE,
        "code_version": about.code_version,
        "votes": about.votes,
        "people": about.people_told,
        "files": [
            {
                "name": each.content.name,
                "layout": each.content.layout.name,
                "format": each.content.form.value,
                "rows": each.rows,
                "size_bytes": each.size_bytes,
                "sha256": each.sha256,
            }
            for each in about.made
        ]
        + [{"name": name, "sha256": digest} for name, digest in sorted(others.items())],
        "boards": boards,
        "published_boards": published,
        "reproduce": [each["command"] for each in boards],
    }
    return as_bytes(said)


def as_bytes(said: dict[str, Any]) -> bytes:
    return (json.dumps(said, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()
