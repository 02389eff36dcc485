"""A board on which there is something to read at each route."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from arena.exports.filters import Filters
from arena.models import Campaign, Release, ReleaseFile
from arena.selectors.judgements import Judgements
from arena.services.exports import key_of
from arena.services.votes import cast_vote
from arena.types import ReleaseState
from ranking.models import Snapshot
from ranking.types import Outcome
from tests.arena.boards import make_snapshot
from tests.arena.builders import make_campaign, make_participant, ready_battle


@dataclass(frozen=True, slots=True)
class World:
    campaign: Campaign
    snapshot: Snapshot
    code: str
    release: Release

    @property
    def addresses(self) -> dict[str, str]:
        """By the route's name."""
        board = f"/boards/{self.campaign.board.slug}"
        return {
            "boards": "/boards",
            "ratings": f"{board}/ratings",
            "pairs": f"{board}/pairs",
            "snapshots": f"{board}/snapshots",
            "snapshot": f"{board}/snapshots/{self.snapshot.pk}",
            "exclusions": f"{board}/exclusions",
            "candidates": "/candidates",
            "candidate": f"/candidates/{self.code}",
            "provenance": f"/candidates/{self.code}/provenance",
            "releases": "/releases",
            "release": f"/releases/{self.release.slug}",
            "release-files": f"/releases/{self.release.slug}/files",
            "release-removals": f"/releases/{self.release.slug}/removals",
            "token": "/token",
        }


def make_release(slug: str, *, state: ReleaseState = ReleaseState.FINAL) -> Release:
    """As it is told; nothing lies on the disk."""
    now = timezone.now()
    filters = Filters(cutoff=now)
    release = Release.objects.create(
        slug=slug,
        name=f"Lehia {slug}",
        filters=filters.as_json(),
        cutoff=now,
        contents=["lmarena.jsonl.gz"],
        hold_days=30,
        state=state.value,
        key=key_of(f"release-{slug}"),
        held_at=now,
        hold_until=now,
        final_at=now if state is ReleaseState.FINAL else None,
        build="0" * 32,
    )
    ReleaseFile.objects.create(
        release=release, name="lmarena.jsonl.gz", layout="lmarena", rows=3, size_bytes=900, sha256="0" * 64
    )
    return release


def make_world(*, votes: int = 3) -> World:
    campaign = make_campaign(candidates=3)
    for place in range(votes):
        battle = ready_battle(make_participant(campaign))
        judgements = Judgements(list(Outcome)[place % 3], Outcome.TIE)
        cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judgements)
    snapshot = make_snapshot(campaign.board)
    return World(campaign, snapshot, battle.candidate_a.code, make_release("lehia-1"))
