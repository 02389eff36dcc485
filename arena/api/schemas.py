"""What the API asks and answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Path, Schema
from pydantic import Field, PlainSerializer, WithJsonSchema

from arena.types import ApiScope, ReleaseState
from ranking.types import BoardKind, Criterion, Status, TieRule

MOST_ROWS = 100

# with all digits, so that checksums can be computed again
Moment = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Slug = Annotated[str, Path(pattern=r"^[-a-zA-Z0-9_]{1,80}$")]


class CriterionQuery(Schema):
    criterion: Criterion = Field(Criterion.OVERALL, description="What was judged.")


class RatingsQuery(CriterionQuery):
    ties: TieRule = Field(
        TieRule.HALF, description="How ties enter the fit; the rules have scales of their own."
    )


class PageQuery(Schema):
    limit: int = Field(50, ge=1, le=MOST_ROWS, description="At most so many rows.")
    cursor: str | None = Field(None, max_length=500, description="`next` of the page before.")


class SnapshotsQuery(RatingsQuery, PageQuery):
    pass


class BoardOut(Schema):
    slug: str
    name: str
    kind: BoardKind
    criteria: list[Criterion]


class BoardsOut(Schema):
    items: list[BoardOut]


class RatingOut(Schema):
    model: str
    rating: float | None
    low: float | None
    high: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    tier: int | None
    n: int
    wins: int
    ties: int
    losses: int
    status: Status


class RatingsOut(Schema):
    """As ``python -m ranking --format json`` prints it."""

    n_votes: int
    n_models: int
    criterion: Criterion
    ties: TieRule
    interval: float
    cluster: str
    status: Status
    ratings: list[RatingOut]


class PairOut(Schema):
    """A tie is half a point each in the win rate."""

    model: str
    opponent: str
    battles: int
    wins: int
    ties: int
    losses: int
    win_rate: float


class PairsOut(Schema):
    board: str
    criterion: Criterion
    n_votes: int
    pairs: list[PairOut]


class SnapshotOut(Schema):
    """A published board without its rows."""

    id: UUID
    criterion: Criterion
    ties: TieRule
    created_at: Moment
    cut_at: Moment
    n_votes: int
    n_excluded: int
    filters: str
    cluster: str
    cap: int | None
    code_version: str
    tally_checksum: str
    checksum: str


class SnapshotsOut(Schema):
    """Newest first; ``next`` is the cursor of the next page, null on the last one."""

    items: list[SnapshotOut]
    next: str | None


class WholeSnapshotOut(SnapshotOut):
    """With its rows, as the site's own file of it; nobody can change it."""

    board: str
    slice: str
    payload: dict[str, Any]
    covariance: Any


class CandidateOut(Schema):
    code: str
    name: str
    description: str
    backbone: str
    training_data: str
    licence: str
    outputs_licence: str
    maker: str


class CandidatesOut(Schema):
    items: list[CandidateOut]
    next: str | None


class SamplingOut(Schema):
    temperature: float
    top_p: float
    max_tokens: int
    stop: list[str]


class ProvenanceOut(CandidateOut):
    """How a candidate is asked, and from what it was made; never where its server is."""

    revision: str
    created_at: Moment
    system_prompt_mode: str
    sampling: SamplingOut
    chat_template: str | None = Field(description="The versioned template that its manifest names.")
    adapter_of: dict[str, Any] | None = Field(description="The backbone of a LoRA adapter, by its manifest.")
    manifest_sha256: str | None = Field(
        description="Of its manifest without the model folder, keys sorted, no spaces."
    )


class ExclusionsOut(Schema):
    """Standing exclusions by reason; a vote may have several."""

    board: str
    votes: int
    counted: int
    reasons: dict[str, int]


class TokenOut(Schema):
    """The token that was sent."""

    prefix: str
    name: str
    scopes: list[ApiScope]
    expires_at: Moment
    requests_per_minute: int


class ReleaseOut(Schema):
    """On hold its files are provisional; once it is final they never change."""

    slug: str
    name: str
    state: ReleaseState
    cutoff: Moment
    contents: list[str] = Field(description="Its files of rows: a layout and a format each.")
    held_at: Moment
    hold_until: Moment
    final_at: Moment | None


class ReleasesOut(Schema):
    items: list[ReleaseOut]
    next: str | None


class WholeReleaseOut(ReleaseOut):
    filters: dict[str, Any]
    citation: str = Field(description="BibTeX.")
    removals: int = Field(description="Rows that were taken back since it became final.")
    is_being_made_anew: bool = Field(
        description="While something is taken out of a release on hold, its files answer 503."
    )


class ReleaseFileOut(Schema):
    name: str
    layout: str = Field(description="Empty for what lies beside the rows.")
    rows: int | None
    size_bytes: int
    sha256: str
    path: str = Field(description="From the root of the site.")


class ReleaseFilesOut(Schema):
    items: list[ReleaseFileOut]


class RemovalOut(Schema):
    id: UUID
    noted_on: date


class RemovalsOut(Schema):
    items: list[RemovalOut]
    next: str | None
