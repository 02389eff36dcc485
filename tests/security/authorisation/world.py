"""What is asked for: things of an owner, of somebody who was banned, of a researcher, and one of everything that the admin shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from arena.exports.filters import Filters
from arena.models import (
    Answer,
    Battle,
    Campaign,
    CheckQuestion,
    Export,
    ExportJob,
    Participant,
    Release,
    SpanFeedback,
    User,
    Vote,
)
from arena.selectors.releases import folder_of
from arena.services import boards, moderation, raffles
from arena.services.exports import key_of
from arena.services.feedback import Said, add_feedback
from arena.services.judging import give_pair
from arena.types import BasqueCheck, CampaignStatus, ExportState, FeedbackKind, ReleaseState
from ranking.models import Board, Snapshot
from ranking.types import BoardKind
from tests.arena.api.worlds import make_release
from tests.arena.builders import make_campaign, make_participant, ready_battle
from tests.arena.exports.made import publishable, voted
from tests.arena.releases.made import prepared
from tests.security.authorisation import people
from tests.security.authorisation.people import Somebody

FILE = "lmarena.jsonl.gz"
"""Of the release."""


@dataclass(frozen=True, slots=True)
class Things:
    """Of one volunteer."""

    ready: Battle
    voted: Battle
    pair: Battle
    mark: SpanFeedback


@dataclass
class World:
    campaign: Campaign
    who: dict[str, Somebody]
    owned: Things
    banned: Things
    job: ExportJob
    """Of the researcher, and done."""
    waiting: ExportJob
    """Of the researcher, and not begun."""
    snapshot: Snapshot
    draft: Release
    unopened: Campaign

    def values(self, route: str, variant: str, role: str) -> dict[str, object]:
        """What stands in a route's place when a role asks for it: things of the owner, but for the banned, who ask for their own."""
        things = self.banned if role == "banned" else self.owned
        if variant == "missing":
            return {
                **self._values(route, things),
                **dict.fromkeys(("battle_id", "feedback_id", "job_id"), UUID(int=1)),
            }
        found = self._values(route, things)
        if variant == "draft":
            found["code"] = self.draft.slug
            found["slug"] = self.draft.slug if route.startswith("data/") else self.unopened.slug
        if variant == "waiting":
            found["job_id"] = self.waiting.pk
        return found

    def _values(self, route: str, things: Things) -> dict[str, object]:
        battle = things.voted if "feedback" in route else things.ready
        slugs = {"data": "lehia-1", "campaigns": self.campaign.slug, "leaderboard": self.campaign.board.slug}
        names = {"data": FILE, "api": "swagger-ui.css"}
        under = route.partition("/")[0]
        return {
            "battle_id": things.pair.pk if route.startswith("judge/") else battle.pk,
            "feedback_id": things.mark.pk,
            "job_id": self.job.pk,
            "slug": slugs.get(under, self.campaign.board.slug),
            "page": "pairs",
            "snapshot_id": self.snapshot.pk,
            "name": names.get(under, self.owned.voted.candidate_a.code),
            "code": "lehia-1" if "releases" in route else self.owned.voted.candidate_a.code,
        }


def make_world() -> World:
    campaign = _campaign()
    who = {
        "anonymous": Somebody(),
        "owner": people.volunteer(campaign, "jabea"),
        "guest": people.guest(campaign),
        "stranger": people.volunteer(campaign, "ezezaguna"),
        "banned": people.volunteer(campaign, "debekatua"),
        "researcher": people.volunteer(campaign, "ikertzailea", "arena.order_exports"),
        "colleague": people.volunteer(campaign, "lankidea", "arena.order_exports"),
        **people.staff(),
    }
    for _ in range(4):
        voted(make_participant(campaign))
    owned, banned = (_things(who[role], campaign) for role in ("owner", "banned"))
    _age()
    boss, theirs = who["superuser"].user, who["banned"].participant
    assert boss is not None
    assert theirs is not None
    moderation.ban_participant(participant_id=theirs.pk, staff=boss)
    raffles.commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    boards.publish(campaign.board)
    researcher = who["researcher"].user
    assert researcher is not None
    unopened = Campaign.objects.create(
        slug="prestatzen",
        name="Prestatzen",
        board=Board.objects.create(slug="prestatzen", name="Prestatzen", kind=BoardKind.LIVE.value),
        status=CampaignStatus.DRAFT.value,
        consent_version=campaign.consent_version,
    )
    _released()
    return World(
        campaign=campaign,
        who=who,
        owned=owned,
        banned=banned,
        job=_job(researcher, ExportState.DONE),
        waiting=_job(researcher, ExportState.QUEUED),
        snapshot=Snapshot.objects.filter(board=campaign.board)[0],
        draft=prepared("zirriborroa", (FILE,)),
        unopened=unopened,
    )


def _campaign() -> Campaign:
    """With a check, and a raffle that is not drawn."""
    campaign = make_campaign(candidates=3)
    publishable(campaign)
    campaign.basque_check = BasqueCheck.OFFERED.value
    campaign.opens_at, campaign.closes_at = (timezone.now() + timedelta(days=each) for each in (-9, 9))
    campaign.save()
    CheckQuestion.objects.create(campaign=campaign, text="Zein?", options=["bat", "bi"], right=1, position=1)
    return campaign


def _things(whose: Somebody, campaign: Campaign) -> Things:
    assert whose.participant is not None
    own: Participant = whose.participant
    done = voted(own)
    answer = Answer.objects.filter(turn__battle=done).order_by("side")[0]
    said = Said(answer.pk, 0, 3, FeedbackKind.OTHER, "Ohar bat", "Hobe")
    add_feedback(battle_id=done.pk, participant_id=own.pk, said=said)
    pair = give_pair(participant_id=own.pk, campaign=campaign)
    return Things(ready_battle(own), done, pair, SpanFeedback.objects.get(participant=own))


def _age() -> None:
    """What was done so far was done yesterday, so that it can be exported."""
    Battle.objects.update(created_at=F("created_at") - timedelta(days=1))
    Vote.objects.update(created_at=F("created_at") - timedelta(days=1))


def _released() -> None:
    """On hold, with its file."""
    release = make_release("lehia-1", state=ReleaseState.HELD)
    _written(folder_of(release) / FILE)


def _job(by: User, state: ExportState) -> ExportJob:
    now = timezone.now()
    filters = Filters(cutoff=now - timedelta(hours=1)).as_json()
    asked = {"by": by, "layout": "judgements", "format": "jsonl", "filters": filters}
    job = ExportJob.objects.create(key="ikertzailea", battles=0, people=0, **asked)
    if state is ExportState.DONE:
        job.file = "1/judgements.jsonl"
        job.export = Export.objects.create(
            key=key_of("ikertzailea"),
            cutoff=now,
            rows=1,
            size_bytes=1,
            sha256=_written(job.path),
            version="1",
            **asked,
        )
        job.state, job.expires_at = state.value, now + timedelta(days=1)
        job.save()
    return job


def _written(path: Path) -> str:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}\n")
    return hashlib.sha256(b"{}\n").hexdigest()
