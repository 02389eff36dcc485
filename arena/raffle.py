"""The draw of a raffle, which anybody can repeat from what is published: ``python -m arena.raffle FILE``.

A ticket's number is the SHA-256 of ``seed|pseudonym|n`` (UTF-8, hexadecimal), n from 1 to the tickets that its holder has. The lowest numbers win, one prize a
holder. Of two equal numbers the holder wins who stands first in the list, which is in the order of who had these tickets first. The seed's SHA-256 is published
before the campaign ends and the seed after it, so that nobody can choose a seed to suit the list.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

ALGORITHM = "lowest-sha256-1"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with tickets, known by a pseudonym."""

    pseudonym: str
    tickets: int


@dataclass(frozen=True, slots=True)
class Win:
    """*place* counts from 1; *ticket* is the holder's n-th one, *number* its SHA-256."""

    place: int
    pseudonym: str
    ticket: int
    number: str


def commitment(seed: str) -> str:
    """What is published of a seed before the campaign ends."""
    return sha256(seed.encode()).hexdigest()


def number(seed: str, pseudonym: str, ticket: int) -> str:
    return sha256(f"{seed}|{pseudonym}|{ticket}".encode()).hexdigest()


def draw(*, seed: str, holders: Sequence[Holder], prizes: int) -> list[Win]:
    """The winners, first place first: as many as there are prizes, or holders of a ticket where these are fewer.

    Raises ``ValueError`` where two holders share a pseudonym: their tickets could not be told apart.
    """
    if len({holder.pseudonym for holder in holders}) != len(holders):
        raise ValueError("two holders share a pseudonym")
    best = [_best(seed, holder) for holder in holders if holder.tickets > 0]
    won = sorted(best, key=lambda each: each[0])[:prizes]  # stable: the first of equal ones stays first
    return [Win(place, who, ticket, found) for place, (found, ticket, who) in enumerate(won, start=1)]


def faults(published: dict[str, Any]) -> list[str]:
    """What is wrong with a published draw; nothing, where seed, list and winners fit together."""
    found = []
    if published["algorithm"] != ALGORITHM:
        found.append(f"drawn by {published['algorithm']}, which is not known here")
    if commitment(published["seed"]) != published["commitment"]:
        found.append("the seed is not the one that was committed to")
    holders = [Holder(each["pseudonym"], each["tickets"]) for each in published["holders"]]
    if any(holder.tickets < 1 for holder in holders):
        found.append("somebody in the list has no ticket")
    won = draw(seed=published["seed"], holders=holders, prizes=published["prizes"])
    if [asdict(win) for win in won] != published["winners"]:
        found.append("other winners follow from the seed and the list")
    return found


def _best(seed: str, holder: Holder) -> tuple[str, int, str]:
    tickets = range(1, holder.tickets + 1)
    found, ticket = min((number(seed, holder.pseudonym, ticket), ticket) for ticket in tickets)
    return found, ticket, holder.pseudonym


def main(arguments: list[str]) -> int:
    """0: the draw can be repeated; 1: it cannot, and why; 2: no draw can be read there."""
    try:
        found = faults(json.loads(Path(arguments[0]).read_text()))
    except (IndexError, OSError, ValueError, KeyError, TypeError) as error:
        print(f"usage: python -m arena.raffle FILE, a draw's JSON ({error})", file=sys.stderr)  # noqa: T201
        return 2
    print(json.dumps({"ok": not found, "faults": found}))  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
