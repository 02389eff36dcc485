"""The life of battles under random sequences of what volunteers, runners and staff do, on the real services and database.

Whatever comes in whatever order: at most one vote a battle and none on an incomplete one, a transcript that only grows, a reveal only after the vote, a
tally that is the counted votes' own, tickets that are a tenth of the credited ones.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from arena.errors import IllegalMove, NotVotable, Refused, VoteAlreadyCast
from arena.models import Answer, Battle, Campaign, Participant, Turn, Vote
from arena.selectors.judgements import Judgements, judgements_of, tally_entries
from arena.selectors.mine import my_standing
from arena.services import battles, exclusions, turns
from arena.services.people import give_consent
from arena.services.votes import cast_vote
from arena.types import AnswerStatus, BattleStatus, ExclusionSource, Side
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally
from ranking.tally import Tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import (
    RUNNER,
    a_day_passes,
    begin,
    complete,
    failed,
    finish,
    make_campaign,
    make_participant,
)
from tests.arena.crowds import earn

MOST_BATTLES = 3
EARLIER = (8, 9, 10, 19)
WHICH = st.integers(0, MOST_BATTLES - 1)
OUTCOMES = st.sampled_from(list(Outcome))
REASONS = st.sampled_from([ExclusionReason.WRONG_LANGUAGE, ExclusionReason.FAILED_CONTROL])
COMPLETE = AnswerStatus.COMPLETE.value
PARTS = range(20)
"""Files of many tests are begun first: one long test would end last. Each part has its seed, as in CI they would all live the same lives."""


class Life(RuleBasedStateMachine):
    """One volunteer, a few battles, and everybody who acts on them; what it did is taken back at its end."""

    campaign: Campaign
    known: dict[int, Participant]
    volunteer: Participant

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.battles: list[UUID] = []
        self.seen: dict[UUID, tuple[str, ...]] = {}

    def teardown(self) -> None:
        if hasattr(self, "volunteer"):
            self.the_tally_is_what_counts_and_tickets_are_a_tenth()
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize(earlier=st.sampled_from([0, *EARLIER]))
    def somebody_comes(self, earlier: int) -> None:
        """A guest, or an account with credited votes of earlier days."""
        self.volunteer = self.known[earlier] if earlier else make_participant(self.campaign)
        self.before = load_tally(board_id=self.campaign.board_id, criterion=Criterion.OVERALL)

    @precondition(lambda self: len(self.battles) < MOST_BATTLES)
    @rule()
    def open_a_battle(self) -> None:
        self.battles.append(begin(self.volunteer).battle_id)

    @precondition(lambda self: self.battles)
    @rule(which=WHICH)
    def write_again(self, which: int) -> None:
        battle = self.battle(which)
        if self.tries(lambda: begin(self.volunteer, battle, "Eta gero?"), Refused):
            assert battle.status == BattleStatus.READY.value

    @precondition(lambda self: self.battles)
    @rule(which=WHICH, a=st.booleans(), b=st.booleans())
    def answers_end(self, which: int, a: bool, b: bool) -> None:
        turn = self.last_turn(which)
        asked = [Side(each.side) for each in turn.answers.exclude(status=COMPLETE)]
        finish(
            turn,
            *(complete(side) if {Side.A: a, Side.B: b}[side] else failed(side) for side in asked),
        ) if turn.runner_id else None

    @precondition(lambda self: self.battles)
    @rule(which=WHICH, side=st.sampled_from(Side))
    def ask_again(self, which: int, side: Side) -> None:
        battle = self.battle(which)
        again = {"participant_id": self.volunteer.pk, "battle_id": battle.pk, "runner_id": RUNNER}
        if self.tries(lambda: battles.retry_side(side=side, **again), Refused):
            assert battle.status == BattleStatus.ANSWERING.value

    @precondition(lambda self: self.battles)
    @rule(which=WHICH)
    def the_process_dies(self, which: int) -> None:
        turn = self.last_turn(which)
        Turn.objects.filter(pk=turn.pk, runner_id__isnull=False).update(lease_until=turn.created_at)
        turns.reap_turns()

    @precondition(lambda self: self.battles)
    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        battles.abandon(participant_id=self.volunteer.pk, battle_id=self.battle(which).pk)

    @precondition(lambda self: self.battles)
    @rule(which=WHICH, content=OUTCOMES, language=OUTCOMES)
    def vote(self, which: int, content: Outcome, language: Outcome) -> None:
        battle, judged = self.battle(which), _judged(content, language)
        standing = Vote.objects.filter(battle=battle).first()
        cast = self.tries(
            lambda: cast_vote(battle_id=battle.pk, participant=self.volunteer, judgements=judged),
            (NotVotable, VoteAlreadyCast),
        )
        if standing is not None:
            assert cast == (judgements_of(standing) == judged), "a vote was changed, or a resend refused"
        else:
            assert cast == (battle.status == BattleStatus.READY.value)

    @precondition(lambda self: self.battles)
    @rule(which=WHICH, reason=REASONS, lifted=st.booleans())
    def staff_decide(self, which: int, reason: ExclusionReason, lifted: bool) -> None:
        vote = Vote.objects.filter(battle=self.battle(which)).first()
        if vote is None:
            return
        if lifted:
            exclusions.lift(vote_id=vote.pk, reason=reason)
        else:
            exclusions.exclude(vote_id=vote.pk, reason=reason, source=ExclusionSource.STAFF)

    @precondition(lambda self: self.battles)
    @rule(which=WHICH)
    def look_who_it_was(self, which: int) -> None:
        battle = self.battle(which)
        told = self.tries(lambda: battles.reveal(battle), IllegalMove)
        assert told == (battle.status == BattleStatus.VOTED.value)

    @invariant()
    def a_vote_stands_on_two_complete_answers(self) -> None:
        for battle in Battle.objects.filter(pk__in=self.battles).select_related("vote"):
            assert (battle.status == BattleStatus.VOTED.value) == hasattr(battle, "vote")
            if hasattr(battle, "vote"):
                last = Answer.objects.filter(turn__battle=battle).order_by("-turn__index")[:2]
                assert [each.status for each in last] == [COMPLETE, COMPLETE]

    @invariant()
    def a_transcript_only_grows(self) -> None:
        for battle_id in self.battles:
            now = _transcript(battle_id)
            before = self.seen.get(battle_id, ())
            assert now[: len(before)] == before
            self.seen[battle_id] = now

    def the_tally_is_what_counts_and_tickets_are_a_tenth(self) -> None:
        votes = Vote.objects.filter(battle__in=self.battles).prefetch_related("judgements")
        entries = [
            entry
            for vote in votes
            if vote.counted
            for entry in tally_entries(vote.battle, judgements_of(vote))
            if entry.criterion is Criterion.OVERALL
        ]
        moved = Tally.from_votes((each.model_a, each.model_b, each.outcome) for each in entries)
        found = load_tally(board_id=self.campaign.board_id, criterion=Criterion.OVERALL)
        wanted = Tally.empty(found.models).merged(self.before).merged(moved)
        assert (found.counts == wanted.counts).all()
        a_day_passes()
        credited = Vote.objects.filter(participant=self.volunteer, credited=True).count()
        standing = my_standing(self.volunteer, self.campaign)
        assert (standing.credited, standing.tickets) == (credited, credited // 10)

    def battle(self, which: int) -> Battle:
        return Battle.objects.get(pk=self.battles[which % len(self.battles)])

    def last_turn(self, which: int) -> Turn:
        return self.battle(which).turns.order_by("-index")[0]

    def tries(
        self, act: Callable[[], object], refusals: type[Exception] | tuple[type[Exception], ...]
    ) -> bool:
        """Whether it was let through; a refusal has changed nothing."""
        try:
            with transaction.atomic():
                act()
        except refusals:
            return False
        return True


def _judged(content: Outcome, language: Outcome) -> Judgements:
    decisive = {Outcome.A_BETTER, Outcome.B_BETTER}
    asked = content is not language and {content, language} == decisive
    return Judgements(content, language, Outcome.TIE if asked else None)


def _transcript(battle_id: UUID) -> tuple[str, ...]:
    """Messages in their order and, beneath each, its answers once both are complete."""
    said: list[str] = []
    for turn in Turn.objects.filter(battle=battle_id).order_by("index").prefetch_related("answers"):
        answers = turn.answers.all()
        whole = all(each.status == COMPLETE for each in answers)
        said += [turn.text, *(each.text for each in answers)] if whole else [turn.text]
    return tuple(said)


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign(candidates=3)


def _consenting(participant: Participant, campaign: Campaign) -> Participant:
    return give_consent(participant_id=participant.pk, campaign=campaign, language="eu", is_14_or_older=True)


@pytest.fixture(autouse=True)
def _who_is_at_work_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """No endpoint comes or goes in these lives: as on the site, it is read once a second."""
    monkeypatch.setattr("inference.selectors.pool.FRESH_S", 1.0)
    monkeypatch.setattr("inference.selectors.pool._known", None)  # nobody of another test's


def _live(campaign: Campaign, *, lives: int, steps: int) -> None:
    Life.campaign = campaign
    known = zip(EARLIER, earn(campaign, *EARLIER), strict=True)
    Life.known = {credited: _consenting(each, campaign) for credited, each in known}
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(
    ("lives", "steps"), [(25, 6), pytest.param(500, 12, marks=pytest.mark.slow)], ids=["25", "500"]
)
@pytest.mark.parametrize("part", PARTS)
def test_whatever_lives_there_are_the_promises_are_kept(
    campaign: Campaign, part: int, lives: int, steps: int
) -> None:
    seed(part)(Life)
    _live(campaign, lives=lives, steps=steps)
